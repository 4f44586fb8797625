/* SPDX-License-Identifier: MIT */
/* A pool job with a future. The job's memory is the future's: it is freed when the job has ended
 * and the owner has given the future up, whichever comes last. */
#include "celadon/offload.h"

#include <errno.h>

#include "base/mem.h"
#include "loop/pool.h"
#include "task/future.h"
#include "task/offloaded.h"
#include "task/wait.h"

struct offloaded {
    struct cel_future future; /* first: freed as a future */
    struct cel__job job;
    void *(*fn)(void *arg);
    void *arg;
    void *result;
    void (*drop)(void *arg, void *result); /* of an abandoned job; else NULL */
    bool has_ended;
};

static void work(struct cel__job *job)
{
    struct offloaded *o = cel__container_of(job, struct offloaded, job);

    o->result = o->fn(o->arg);
}

static void ended(struct cel__job *job)
{
    struct offloaded *o = cel__container_of(job, struct offloaded, job);

    o->has_ended = true;
    if (o->future.is_orphan) {
        if (o->drop != NULL)
            o->drop(o->arg, o->result);
        cel__mem_free(cel__future_error(&o->future));
        cel__mem_free(o);
        return;
    }
    if (o->future.state == CEL__PENDING)
        cel__future_end(&o->future, o->result, job->was_cancelled ? -ECANCELED : 0, NULL);
}

static int offload(struct offloaded **out, void *(*fn)(void *arg), void *arg)
{
    struct offloaded *o = cel__mem_zalloc(sizeof *o);
    int r;

    if (o == NULL)
        return -ENOMEM;
    cel__future_init(&o->future);
    o->future.is_job = 1;
    o->fn = fn;
    o->arg = arg;
    o->job.work = work;
    o->job.done = ended;
    r = cel__pool_submit(cel__loop_here, &o->job);
    if (r < 0) {
        cel__mem_free(o);
        return r;
    }
    *out = o;
    return 0;
}

struct cel_future *cel_offload(void *(*fn)(void *arg), void *arg)
{
    struct offloaded *o;

    return offload(&o, fn, arg) == 0 ? &o->future : NULL;
}

void cel__offloaded_free(struct cel_future *f)
{
    struct offloaded *o = (struct offloaded *)f;

    if (!o->has_ended) {
        f->is_orphan = 1;
        (void)cel__pool_cancel(cel__loop_here, &o->job);
        return;
    }
    cel__mem_free(cel__future_error(f));
    cel__mem_free(o);
}

int cel_offload_await(void *(*fn)(void *arg), void *arg, void **result)
{
    struct cel_task *task = cel__task_parking();
    struct offloaded *o = NULL;
    int r = cel__checkpoint(task);

    if (r == 0)
        r = offload(&o, fn, arg);
    if (r < 0 || o == NULL)
        return r;
    r = cel__future_wait(&o->future, false); /* parks */
    if (r < 0 && !cel__pool_cancel(cel__loop_here, &o->job))
        r = 0; /* it runs: its result is awaited */
    if (o->future.state == CEL__PENDING)
        (void)cel__future_wait(&o->future, true); /* parks */
    if (r == 0 && result != NULL)
        *result = o->future.value;
    cel__offloaded_free(&o->future);
    return r;
}

int cel_offload_or_abandon(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *result),
                           void **result)
{
    struct cel_task *task = cel__task_parking();
    struct offloaded *o = NULL;
    int r = cel__checkpoint(task);

    if (r != 0) {
        drop(arg, NULL);
        return r;
    }
    r = offload(&o, fn, arg);
    if (r < 0)
        return r;
    r = cel__future_wait(&o->future, false); /* parks */
    if (cel__future_is_done(&o->future))
        r = 0; /* it may have come after the cancel, before this task ran */
    else
        o->drop = drop;
    if (r == 0 && result != NULL)
        *result = o->future.value;
    cel__offloaded_free(&o->future); /* a queued job is taken back, a running one goes on */
    return r;
}
