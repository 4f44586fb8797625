/* SPDX-License-Identifier: MIT */
/* Calls to come: in the next turn, or when a timer fires. */
#include "base/clock.h"
#include "celadon/compose.h"
#include "loop/core.h"

_Static_assert(sizeof(struct cel__soon) <= sizeof((struct cel_call *)0)->soon_,
               "a place in the next turn fits");

static struct cel__soon *soon_of(struct cel_call *call)
{
    return (struct cel__soon *)(void *)call->soon_;
}

/* From here on the storage is the program's again. */
static void make(struct cel_call *call)
{
    call->loop_ = NULL;
    call->fn_(call->arg_);
}

static void run_soon_call(struct cel__soon *soon)
{
    make(cel__container_of((void *)soon, struct cel_call, soon_));
}

static void run_timed_call(struct cel_timer *timer, void *arg)
{
    make(arg);
}

static void prepare(struct cel_call *call, int64_t when, void (*fn)(void *arg), void *arg)
{
    CEL__ASSERT(cel__loop_here != NULL && "calls need a loop");
    (void)cel_call_cancel(call);
    call->loop_ = cel__loop_here;
    call->when_ = when;
    call->fn_ = fn;
    call->arg_ = arg;
}

void cel_call_soon(struct cel_call *call, void (*fn)(void *arg), void *arg)
{
    prepare(call, 0, fn, arg);
    soon_of(call)->run = run_soon_call;
    cel__loop_soon(call->loop_, soon_of(call));
}

void cel_call_at(struct cel_call *call, int64_t when, void (*fn)(void *arg), void *arg)
{
    CEL__ASSERT(when > 0);
    prepare(call, when, fn, arg);
    cel_timer_init(&call->timer_, run_timed_call, call);
    cel_timer_start_at(call->loop_, &call->timer_, when);
}

void cel_call_later(struct cel_call *call, int64_t ns, void (*fn)(void *arg), void *arg)
{
    cel_call_at(call, cel__clock_add(cel_now(), ns), fn, arg);
}

bool cel_call_cancel(struct cel_call *call)
{
    if (call->loop_ == NULL)
        return false;
    if (call->when_ == 0)
        cel__list_unlink(&soon_of(call)->link);
    else
        cel_timer_stop(call->loop_, &call->timer_);
    call->loop_ = NULL;
    return true;
}

int64_t cel_call_when(const struct cel_call *call)
{
    return call->when_;
}
