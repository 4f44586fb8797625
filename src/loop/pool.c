/* SPDX-License-Identifier: MIT */
#include "loop/pool.h"

#include <errno.h>

#include "base/buggify.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

#define THREADS_DEFAULT 4
#define QUEUE_DEFAULT   1024
#define THREADS_LIMIT   256

struct cel__pool {
    pthread_mutex_t lock;
    pthread_cond_t is_work;
    struct cel__list queue;
    unsigned queued, queue_max;
    unsigned threads, threads_max, idle;
    bool is_ending;
    pthread_t ids[THREADS_LIMIT];
};

static struct cel__pool *pool_new(const struct cel_loop_options *options)
{
    struct cel__pool *pool = cel__mem_zalloc(sizeof *pool);

    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->is_work, NULL);
    cel__list_init(&pool->queue);
    pool->queue_max = options->queue_max != 0 ? options->queue_max : QUEUE_DEFAULT;
    pool->threads_max = options->threads_max != 0 ? options->threads_max : THREADS_DEFAULT;
    pool->threads_max = cel__min(pool->threads_max, THREADS_LIMIT);
    return pool;
}

static void finish(struct cel__post *post)
{
    struct cel__job *job = cel__container_of(post, struct cel__job, post);

    job->loop->jobs--;
    CEL__TRACE(job->loop, job_end, job, 0);
    job->done(job);
}

static struct cel__job *next_job(struct cel__pool *pool)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&pool->queue)) == NULL) {
        if (pool->is_ending)
            return NULL;
        pool->idle++;
        pthread_cond_wait(&pool->is_work, &pool->lock);
        pool->idle--;
    }
    pool->queued--;
    return cel__container_of(node, struct cel__job, link);
}

static void *thread_main(void *arg)
{
    struct cel__pool *pool = arg;
    struct cel__job *job;

    pthread_mutex_lock(&pool->lock);
    while ((job = next_job(pool)) != NULL) {
        job->state = CEL__JOB_RUNNING;
        pthread_mutex_unlock(&pool->lock);
        job->work(job);
        pthread_mutex_lock(&pool->lock);
        job->state = CEL__JOB_DONE;
        job->post.run = finish;
        cel__loop_post(job->loop, &job->post);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* The program's signals go to its own threads. */
static int start_thread(struct cel__pool *pool)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = cel__sys.pthread_create(&pool->ids[pool->threads], NULL, thread_main, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return -r;
    pool->threads++;
    return 0;
}

/* Without threads: in a turn of the loop. */
static void run_here(struct cel__post *post)
{
    struct cel__job *job = cel__container_of(post, struct cel__job, post);

    if (job->state == CEL__JOB_QUEUED)
        job->work(job);
    job->state = CEL__JOB_DONE;
    finish(post);
}

static int submit_here(struct cel_loop *loop, struct cel__job *job)
{
    unsigned max = loop->options.queue_max != 0 ? loop->options.queue_max : QUEUE_DEFAULT;

    if (loop->jobs >= max || CEL__BUGGIFY())
        return -EAGAIN;
    cel__list_init(&job->link);
    job->loop = loop;
    job->state = CEL__JOB_QUEUED;
    job->was_cancelled = false;
    job->post.run = run_here;
    loop->jobs++;
    loop->backend->later(loop, &job->post);
    return 0;
}

int cel__pool_submit(struct cel_loop *loop, struct cel__job *job)
{
    struct cel__pool *pool = loop->pool;
    int r = 0;

    if (loop->backend->later != NULL)
        return submit_here(loop, job);

    if (pool == NULL)
        pool = loop->pool = pool_new(&loop->options);
    if (pool == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&pool->lock);
    if (pool->queued >= pool->queue_max)
        r = -EAGAIN;
    else if (pool->queued >= pool->idle && pool->threads < pool->threads_max)
        r = start_thread(pool);
    if (r < 0 && r != -EAGAIN && pool->threads > 0)
        r = 0; /* those that run will do */
    if (r == 0) {
        job->loop = loop;
        job->state = CEL__JOB_QUEUED;
        job->was_cancelled = false;
        cel__list_append(&pool->queue, &job->link);
        pool->queued++;
        loop->jobs++;
        CEL__TRACE(loop, job_start, job, 0);
        pthread_cond_signal(&pool->is_work);
    }
    pthread_mutex_unlock(&pool->lock);
    return r;
}

bool cel__pool_cancel(struct cel_loop *loop, struct cel__job *job)
{
    struct cel__pool *pool = loop->pool;
    bool is_taken;

    if (loop->backend->later != NULL) {
        is_taken = job->state == CEL__JOB_QUEUED;
        job->was_cancelled = is_taken;
        job->state = CEL__JOB_DONE;
        return is_taken;
    }
    pthread_mutex_lock(&pool->lock);
    is_taken = job->state == CEL__JOB_QUEUED;
    if (is_taken) {
        cel__list_unlink(&job->link);
        pool->queued--;
        job->state = CEL__JOB_DONE;
        job->was_cancelled = true;
        job->post.run = finish;
    }
    pthread_mutex_unlock(&pool->lock);
    if (is_taken)
        cel__loop_post(loop, &job->post);
    return is_taken;
}

void cel__pool_free(struct cel__pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->is_work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->threads; i++)
        pthread_join(pool->ids[i], NULL);
    pthread_cond_destroy(&pool->is_work);
    pthread_mutex_destroy(&pool->lock);
    cel__mem_free(pool);
}
