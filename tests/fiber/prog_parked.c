/* SPDX-License-Identifier: MIT */
/* For test_unwind.c: stops in running_here inside a fiber, and in stopped_here with one parked and
 * one suspended. With an argument it leaves a core file there. */
#include <stdbool.h>
#include <stdlib.h>

#include "base/cc.h"
#include "fiber/sched.h"

void running_here(void);
void stopped_here(void);
void hops_here(void);

static struct cel__sched sched;
struct cel_fiber parked_fiber;
struct cel_fiber *suspended_fiber;

CEL__NOINLINE void running_here(void)
{
    __asm__ volatile("");
}

CEL__NOINLINE void stopped_here(void)
{
    __asm__ volatile("");
}

static CEL__NOINLINE int park_inner(int n)
{
    running_here();
    cel__sched_park(&sched);
    return n + 1;
}

static CEL__NOINLINE int park_outer(int n)
{
    return park_inner(n) + 1;
}

static void park_entry(struct cel_fiber *f)
{
    f->line = park_outer(f->line);
}

static CEL__NOINLINE void *switch_inner(void *arg)
{
    arg = cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), arg);
    __asm__ volatile("");
    return arg;
}

static void *switch_entry(void *arg)
{
    void *got = switch_inner(arg);

    __asm__ volatile("");
    return got;
}

CEL__NOINLINE void hops_here(void)
{
    __asm__ volatile("");
}

/* From the second round on both sides are suspended by hops. */
static CEL__NOINLINE void *hop_inner(void *to)
{
    for (int i = 0; i < 2; i++)
        cel_fiber_switch(to, NULL);
    hops_here();
    return cel_fiber_switch(to, NULL);
}

static CEL__NOINLINE void *hop_outer(void *to)
{
    void *got = hop_inner(to);

    __asm__ volatile("");
    return got;
}

static void hop_about(void)
{
    struct cel_fiber *f = cel_fiber_new(hop_outer, cel_fiber_current());

    for (int i = 0; f != NULL && i < 3; i++)
        cel_fiber_switch(f, NULL);
    (void)cel_fiber_free(f);
}

int main(int argc, char **argv)
{
    bool dumps_core = argc > 1;

    cel__sched_init(&sched);
    suspended_fiber = cel_fiber_new(switch_entry, NULL);
    if (suspended_fiber == NULL || cel__fiber_init(&parked_fiber, 0, park_entry) < 0)
        return 1;
    hop_about();
    cel_fiber_switch(suspended_fiber, NULL);
    cel__sched_ready(&sched, &parked_fiber);
    cel__sched_run(&sched, 1);
    stopped_here();
    if (dumps_core)
        abort();
    cel__sched_ready(&sched, &parked_fiber);
    cel__sched_run(&sched, 1);
    return cel_fiber_free(suspended_fiber) == 1 ? 0 : 1;
}
