/* SPDX-License-Identifier: MIT */
/* The public face of the wheel's timers, in storage of the caller. Apart from the cycle, which ends
 * what uses timers itself. */
#include "base/clock.h"
#include "celadon/loop.h"
#include "loop/core.h"

static void fire_public(struct cel__timer *timer)
{
    struct cel_timer *self = (struct cel_timer *)timer;

    self->fn(self, self->arg);
}

void cel_timer_init(struct cel_timer *timer, void (*fn)(struct cel_timer *timer, void *arg),
                    void *arg)
{
    _Static_assert(sizeof(struct cel__timer) <= sizeof timer->reserved_,
                   "a timer fits its public face");
    cel__timer_init((struct cel__timer *)timer, fire_public);
    timer->fn = fn;
    timer->arg = arg;
}

void cel_timer_start_at(struct cel_loop *loop, struct cel_timer *timer, int64_t deadline)
{
    cel__timer_cancel(&loop->wheel, (struct cel__timer *)timer);
    cel__timer_arm(&loop->wheel, (struct cel__timer *)timer, deadline);
}

void cel_timer_start(struct cel_loop *loop, struct cel_timer *timer, int64_t after)
{
    cel_timer_start_at(loop, timer, cel__clock_add(loop->backend->now(loop), after));
}

void cel_timer_stop(struct cel_loop *loop, struct cel_timer *timer)
{
    cel__timer_cancel(&loop->wheel, (struct cel__timer *)timer);
}
