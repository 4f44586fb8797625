/* SPDX-License-Identifier: MIT */
/* The per-thread state of the fibers: made at the first use, given back when the thread ends. */
#include "fiber/thread.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"

__thread struct cel__thread cel__thread_state;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
static _Atomic uint32_t last_id;

static void thread_end(void *arg)
{
    struct cel__thread *t = arg;
    size_t live = cel__stack_fini(t->stacks);

    if (live > 0)
        cel__log(CEL_LOG_WARN, "a thread ended with %zu unfinished fibers; their stacks stay",
                 live);
    t->main.state = CEL__FIBER_DONE;
}

static void key_create(void)
{
    has_key = pthread_key_create(&key, thread_end) == 0;
}

void cel__thread_start(struct cel__thread *t)
{
    t->main.state = CEL__FIBER_STARTED;
    t->main.name = "main";
    t->main.top = t->main.link = &t->main;
    t->main.thread_id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    t->current = &t->main;
    pthread_once(&once, key_create);
    if (has_key)
        (void)pthread_setspecific(key, t);
}
