/* SPDX-License-Identifier: MIT */
/* A task for a thread that has no loop. One record, held by the thread and by the loop, the last of
 * which frees it; messages go to the loop by its inbox, the answer back under a lock.
 *
 * States of the loop's side: asked -> running -> ended. Only the loop's thread touches `task`. */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "celadon/compose.h"
#include "loop/core.h"
#include "task/future.h"
#include "task/spawn.h"

struct cel_remote {
    struct cel__post start, stop;
    struct cel_loop *loop;
    cel_task_fn *fn;
    void *arg;
    struct cel__waiter waiter;
    struct cel_task *task; /* NULL: not running */
    unsigned holders;      /* atomic: the thread, the loop, a cancel under way */
    int is_stopping;       /* atomic: a cancel was sent */
    bool is_cancelled;     /* it came */
    pthread_mutex_t lock;
    pthread_cond_t has_ended;
    /* under the lock: */
    bool is_done;
    void *result;
    struct cel_error error;
};

static void let_go(struct cel_remote *r)
{
    if (__atomic_sub_fetch(&r->holders, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    pthread_cond_destroy(&r->has_ended);
    pthread_mutex_destroy(&r->lock);
    cel__mem_free(r);
}

static void end(struct cel_remote *r, void *result, int code, const struct cel_error *error)
{
    pthread_mutex_lock(&r->lock);
    r->is_done = true;
    r->result = result;
    if (error != NULL)
        r->error = *error;
    r->error.code = code;
    pthread_cond_broadcast(&r->has_ended);
    pthread_mutex_unlock(&r->lock);
    let_go(r);
}

static void task_ended(struct cel__waiter *waiter)
{
    struct cel_remote *r = cel__container_of(waiter, struct cel_remote, waiter);
    struct cel_future *f = &r->task->future;

    r->task = NULL;
    f->was_awaited = 1;
    end(r, f->code == 0 ? f->value : NULL, f->code, cel__future_error(f));
}

static void start(struct cel__post *post)
{
    struct cel_remote *r = cel__container_of(post, struct cel_remote, start);
    const struct cel_spawn_options options = {.in_root = true};

    if (r->loop->is_closing) {
        end(r, NULL, -CEL_ECLOSED, NULL);
        return;
    }
    r->task = cel__task_spawn(NULL, r->fn, r->arg, &options, __FILE__, __LINE__);
    if (r->task == NULL) {
        end(r, NULL, -ENOMEM, NULL);
        return;
    }
    r->waiter.wake = task_ended;
    cel__list_append(&r->task->future.waiters, &r->waiter.link);
    if (r->is_cancelled)
        cel_task_cancel(r->task);
    cel_task_free(r->task); /* its handle: it ends by itself */
}

static void stop(struct cel__post *post)
{
    struct cel_remote *r = cel__container_of(post, struct cel_remote, stop);

    r->is_cancelled = true;
    if (r->task != NULL)
        cel_task_cancel(r->task);
    let_go(r);
}

int cel_remote_spawn(struct cel_remote **out, struct cel_loop *loop, cel_task_fn *fn, void *arg)
{
    struct cel_remote *r = cel__mem_zalloc(sizeof *r);
    pthread_condattr_t attr;

    if (r == NULL)
        return -ENOMEM;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->has_ended, &attr);
    pthread_condattr_destroy(&attr);
    r->loop = loop;
    r->fn = fn;
    r->arg = arg;
    r->holders = 2;
    r->start.run = start;
    r->stop.run = stop;
    *out = r;
    cel__loop_post(loop, &r->start);
    return 0;
}

static bool wait_until(struct cel_remote *r, int64_t deadline)
{
    const struct timespec at = {deadline / CEL_SECOND, deadline % CEL_SECOND};

    while (!r->is_done) {
        if (deadline == CEL_FOREVER)
            pthread_cond_wait(&r->has_ended, &r->lock);
        else if (pthread_cond_timedwait(&r->has_ended, &r->lock, &at) == ETIMEDOUT)
            return r->is_done;
    }
    return true;
}

int cel_remote_wait(struct cel_remote *remote, int64_t ns, void **result)
{
    int64_t deadline = ns == CEL_FOREVER ? ns : cel__clock_add(cel__clock_monotonic(), ns);
    int code = -ETIMEDOUT;

    CEL__ASSERT(cel__loop_here != remote->loop && "the loop would wait for itself");
    pthread_mutex_lock(&remote->lock);
    if (wait_until(remote, deadline)) {
        code = remote->error.code < 0 ? -CEL_EFAILED : 0;
        if (code == 0 && result != NULL)
            *result = remote->result;
    }
    pthread_mutex_unlock(&remote->lock);
    return code;
}

void cel_remote_cancel(struct cel_remote *remote)
{
    bool is_done;

    pthread_mutex_lock(&remote->lock);
    is_done = remote->is_done;
    pthread_mutex_unlock(&remote->lock);
    if (is_done || __atomic_exchange_n(&remote->is_stopping, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    __atomic_add_fetch(&remote->holders, 1, __ATOMIC_RELAXED);
    cel__loop_post(remote->loop, &remote->stop);
}

const struct cel_error *cel_remote_error(const struct cel_remote *remote)
{
    return &remote->error;
}

void cel_remote_free(struct cel_remote *remote)
{
    if (remote != NULL)
        let_go(remote);
}
