/* SPDX-License-Identifier: MIT */
#include "task/jobs.h"

#include <errno.h>

#include "base/mem.h"
#include "task/crew.h"
#include "task/future.h"
#include "task/spawn.h"

struct job {
    struct cel__list link;
    struct cel__waiter waiter; /* only of an unordered set */
    struct cel__jobs *jobs;
    struct cel_task *task;
};

void cel__jobs_init(struct cel__jobs *jobs, bool is_unordered)
{
    struct cel_task *task = cel__task_parking();

    *jobs = (struct cel__jobs){.scope = task->scope, .is_unordered = is_unordered};
    cel__list_init(&jobs->running);
    cel__list_init(&jobs->ended);
}

static void job_ended(struct cel__waiter *waiter)
{
    struct job *job = cel__container_of(waiter, struct job, waiter);
    struct cel__jobs *jobs = job->jobs;

    cel__list_unlink(&job->link);
    cel__list_append(&jobs->ended, &job->link);
    (void)cel__line_wake_one(&jobs->reader, 0);
}

int cel__jobs_begin(struct cel__jobs *jobs, struct cel_pool *pool, cel_task_fn *fn, void *arg)
{
    struct job *job = cel__mem_zalloc(sizeof *job);
    int r = 0;

    if (job == NULL)
        return -ENOMEM;
    job->jobs = jobs;
    job->waiter.wake = job_ended;
    if (pool != NULL) {
        r = cel__crew_spawn(pool, jobs->scope, false, fn, arg, &job->task, __FILE__,
                            __LINE__); /* parks */
    } else {
        job->task = cel__task_spawn(jobs->scope, fn, arg, NULL, __FILE__, __LINE__);
        r = job->task != NULL ? 0 : -ENOMEM;
    }
    if (r < 0) {
        cel__mem_free(job);
        return r;
    }
    cel__list_append(&jobs->running, &job->link);
    if (jobs->is_unordered)
        cel__list_append(&job->task->future.waiters, &job->waiter.link);
    jobs->count++;
    return 0;
}

static struct job *job_at(struct cel__list *node)
{
    return cel__container_of(node, struct job, link);
}

static int finish(struct cel__jobs *jobs, struct job *job, void **value)
{
    int r = cel__future_take(&job->task->future, value);

    cel__list_unlink(&job->link);
    jobs->count--;
    cel_task_free(job->task);
    cel__mem_free(job);
    return r;
}

static const struct cel__wait waiting = CEL__WAIT_FOR("waiting for the next result");

/* (parks) Until one can be taken. */
static int await_next(struct cel__jobs *jobs)
{
    struct cel__place place;

    if (!jobs->is_unordered)
        return cel__future_wait(&job_at(jobs->running.next)->task->future, false); /* parks */
    if (!cel__list_is_empty(&jobs->ended))
        return 0;
    return cel__line_park(&jobs->reader, &place, &waiting); /* parks */
}

int cel__jobs_take(struct cel__jobs *jobs, void **value)
{
    int r = cel_checkpoint();

    CEL__ASSERT(jobs->reader.first_ == NULL && "one task at a time takes the results");
    if (r < 0)
        return r;
    if (jobs->count == 0)
        return -ENOENT;
    r = await_next(jobs); /* parks */
    if (r < 0)
        return r;
    return finish(jobs, job_at(jobs->is_unordered ? jobs->ended.next : jobs->running.next), value);
}

void cel__jobs_end(struct cel__jobs *jobs)
{
    CEL__LIST_EACH (node, &jobs->running)
        cel_task_cancel(job_at(node)->task);
    while (!cel__list_is_empty(&jobs->running)) {
        struct job *job = job_at(jobs->running.next);

        if (cel__future_wait(&job->task->future, true) < 0) /* parks */
            break; /* the child of a fork: nobody ends there */
        if (!jobs->is_unordered)
            (void)finish(jobs, job, NULL);
    }
    while (!cel__list_is_empty(&jobs->ended))
        (void)finish(jobs, job_at(jobs->ended.next), NULL);
}
