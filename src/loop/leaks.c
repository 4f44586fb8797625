/* SPDX-License-Identifier: MIT */
#include "loop/leaks.h"

#include "base/log.h"

#define NAMED_MAX 8

struct telling {
    int64_t now;
    unsigned named;
};

/* The timer's memory may be gone, with whoever forgot it: only the wheel's entry is read. */
static void tell_timer(void *arg, const struct cel__entry *entry)
{
    struct telling *telling = arg;

    if (telling->named++ < NAMED_MAX)
        cel__log(CEL_LOG_WARN, "the timer at %p was left armed, to fire in %lld ms",
                 (const void *)entry->timer,
                 (long long)((entry->deadline - telling->now) / CEL_MILLISECOND));
}

static unsigned tell_timers(struct cel_loop *loop)
{
    struct telling telling = {.now = loop->now};

    if (loop->wheel.armed == 0)
        return 0;
    cel__wheel_each(&loop->wheel, tell_timer, &telling);
    return (unsigned)loop->wheel.armed;
}

static unsigned tell_jobs(const struct cel_loop *loop)
{
    unsigned left = loop->jobs - loop->jobs_given_up;

    if (left != 0)
        cel__log(CEL_LOG_WARN, "%u jobs were left under way; the loop waits for them", left);
    return left;
}

unsigned cel__leaks_tell(struct cel_loop *loop)
{
    return tell_timers(loop) + tell_jobs(loop);
}
