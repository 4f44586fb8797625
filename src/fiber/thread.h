/* SPDX-License-Identifier: MIT */
#ifndef CEL__THREAD_H
#define CEL__THREAD_H

/* What the fibers of one thread share: who runs, and the stacks. Made at the first use, given back
 * when the thread ends. */

#include "fiber/fiber.h"
#include "fiber/stack.h"

struct cel__sched;

struct cel__thread {
    struct cel_fiber *current; /* the fiber whose stack is in use; nobody before the first use */
    struct cel__sched *sched;  /* whose run() is below us, or NULL */
    struct cel_fiber main; /* the thread's own stack as a fiber; its thread_id is the thread's */
    struct cel__stacks stacks;
    void *signal_stack;    /* of cel_stack_watch, or NULL */
    const char *main_base; /* the thread's own stack, for ASan */
    size_t main_size_bytes;
};

extern __thread struct cel__thread cel__thread_state
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

void cel__thread_start(struct cel__thread *t);

static inline bool cel__thread_has_started(const struct cel__thread *t)
{
    return t->main.thread_id != 0;
}

static inline struct cel__thread *cel__thread(void)
{
    struct cel__thread *t = &cel__thread_state;

    if (cel__unlikely(!cel__thread_has_started(t)))
        cel__thread_start(t);
    return t;
}

#endif
