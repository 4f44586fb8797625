/* SPDX-License-Identifier: MIT */
#include "http/patience.h"

#include <errno.h>

#include "base/cc.h"
#include "celadon/task.h"
#include "loop/core.h"
#include "task/wait.h"

#define AGAIN CEL_MILLISECOND

static CEL__NOINLINE void arm(struct cel__patience *p, int64_t deadline)
{
    struct cel__wheel *wheel = &cel__loop_here->wheel;

    cel__timer_cancel(wheel, &p->timer);
    cel__timer_arm(wheel, &p->timer, deadline);
}

/* The task is parked, or its result is there and it has not run yet; that result stands. */
static void strike(struct cel__patience *p)
{
    cel__wait_interrupt(p->task, p->code);
    arm(p, cel__loop_here->now + AGAIN);
}

static void look(struct cel__timer *timer)
{
    struct cel__patience *p = cel__container_of(timer, struct cel__patience, timer);

    if (!p->is_waiting)
        return;
    if (p->code == 0 && cel_now() < p->deadline) {
        if (p->deadline != CEL_FOREVER)
            arm(p, p->deadline);
        return;
    }
    if (p->code == 0)
        p->code = -ETIMEDOUT;
    strike(p);
}

void cel__patience_init(struct cel__patience *p)
{
    *p = (struct cel__patience){.task = cel__task_parking()};
    cel__timer_init(&p->timer, look);
}

void cel__patience_fini(struct cel__patience *p)
{
    cel__timer_cancel(&cel__loop_here->wheel, &p->timer);
}

void cel__patience_begin(struct cel__patience *p, int64_t deadline)
{
    p->deadline = deadline;
    p->code = 0;
    p->is_waiting = true;
    if (deadline == CEL_FOREVER)
        return;
    if (!cel__timer_is_armed(&p->timer) || p->timer.deadline > deadline)
        arm(p, deadline);
}

void cel__patience_cut(struct cel__patience *p, int code)
{
    if (!p->is_waiting)
        return;
    p->code = code;
    strike(p);
}
