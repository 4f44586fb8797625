/* SPDX-License-Identifier: MIT */
#ifndef CEL__THREAD_H
#define CEL__THREAD_H

/* What the fibers of one thread share: who runs, and the stacks. */

#include "fiber/fiber.h"
#include "fiber/stack.h"

struct cel__sched;

struct cel__thread {
    struct cel_fiber *current; /* the fiber that runs; NULL before the first use */
    struct cel__sched *sched;  /* whose run() is on the stack, or NULL */
    struct cel_fiber main;     /* the thread's own stack as a fiber */
    struct cel__stack_pool stacks[CEL__STACK_CLASSES];
};

extern __thread struct cel__thread cel__thread_state
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Makes the main fiber. */
void cel__thread_start(struct cel__thread *t);

static inline struct cel__thread *cel__thread(void)
{
    struct cel__thread *t = &cel__thread_state;

    if (cel__unlikely(t->current == NULL))
        cel__thread_start(t);
    return t;
}

#endif
