/* SPDX-License-Identifier: MIT */
/* The per-thread state of the fibers. Its id is a number and not an address, because the memory of
 * a thread that ended serves the next one. */
#include "fiber/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "fiber/annotate.h"
#include "fiber/family.h"

/* Who runs on a thread that has not used fibers yet; never written. */
static struct cel_fiber nobody = {.switchable_on = CEL__FIBER_NOWHERE};
__thread struct cel__thread cel__thread_state = {.current = &nobody};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
static _Atomic uint32_t last_id;

static void drop_signal_stack(struct cel__thread *t)
{
    const stack_t off = {.ss_flags = SS_DISABLE};

    if (t->signal_stack == NULL)
        return;
    (void)cel__sys.sigaltstack(&off, NULL);
    cel__mem_free(t->signal_stack);
    t->signal_stack = NULL;
}

static void thread_end(void *arg)
{
    struct cel__thread *t = arg;
    size_t busy = cel__stacks_fini(&t->stacks);

    if (busy > 0)
        cel__log(CEL_LOG_WARN, "a thread ended with %zu unfinished fibers; their stacks stay",
                 busy);
    cel__fiber_orphan(&t->main);
    drop_signal_stack(t);
    t->current = &nobody; /* a later destructor may start anew */
    t->main.thread_id = 0;
}

static void key_create(void)
{
    has_key = pthread_key_create(&key, thread_end) == 0;
}

#if CEL__ANNOTATED
static void annotate_main(struct cel__thread *t)
{
    pthread_attr_t attr;
    void *base;

    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        if (pthread_attr_getstack(&attr, &base, &t->main_size_bytes) == 0)
            t->main_base = base;
        (void)pthread_attr_destroy(&attr);
    }
#if CEL__TSAN
    t->main.tsan_fiber = __tsan_get_current_fiber();
#endif
}
#endif

void cel__thread_start(struct cel__thread *t)
{
    uint32_t id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;

    *t = (struct cel__thread){
        .main = {
            .name = "main", .state = CEL__FIBER_STARTED, .thread_id = id, .switchable_on = id}};
    t->current = &t->main;
    cel__stacks_init(&t->stacks);
#if CEL__ANNOTATED
    annotate_main(t);
#endif
    pthread_once(&once, key_create);
    if (has_key)
        (void)pthread_setspecific(key, t);
}
