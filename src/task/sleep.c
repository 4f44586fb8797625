/* SPDX-License-Identifier: MIT */
/* Time passing: a timer whose firing readies the task. */
#include <errno.h>

#include "base/clock.h"
#include "base/report.h"
#include "task/wait.h"

struct nap {
    struct cel__timer timer;
    struct cel_task *task;
    int code;
};

static void wake(struct cel__timer *timer)
{
    cel__unpark(cel__container_of(timer, struct nap, timer)->task);
}

static void interrupt(struct cel_task *task, int code)
{
    struct nap *nap = task->wait_on;

    if (!cel__timer_is_armed(&nap->timer))
        return; /* it has fired: the time was slept */
    cel__timer_cancel(&cel__loop_here->wheel, &nap->timer);
    nap->code = code;
    cel__unpark(task);
}

static void tell(struct cel__report *to, const struct cel_task *task)
{
    const struct nap *nap = task->wait_on;

    cel__report_duration(to, nap->timer.deadline - to->now);
    cel__report_str(to, " left");
}

static const struct cel__wait sleeping = {.what = "sleeping, ",
                                          .interrupt = interrupt,
                                          .tell = tell,
                                          .on = CEL__ON_TIMER,
                                          .at = offsetof(struct nap, timer)};

int cel_sleep_until(int64_t deadline)
{
    struct cel_task *task = cel__task_parking();
    struct nap nap = {.task = task};
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    cel__timer_init(&nap.timer, wake);
    cel__timer_arm(&cel__loop_here->wheel, &nap.timer, deadline);
    cel__park(task, &sleeping, &nap); /* parks */
    return nap.code;
}

int cel_yield(void)
{
    struct cel_task *task = cel__task_parking();
    int code = cel__checkpoint(task);

    if (code == 0) {
        cel__credit_fill(cel__loop_here);
        cel__sched_yield(&cel__loop_here->sched); /* parks */
    }
    return code;
}

int cel_sleep(int64_t ns)
{
    if (ns <= 0)
        return cel_yield();                                /* parks */
    return cel_sleep_until(cel__clock_add(cel_now(), ns)); /* parks */
}
