/* SPDX-License-Identifier: MIT */
/* Each lane is a queue under a lock and threads that take from it.
 *
 * 1. The lane for what blocks is the loop's own, so loops cannot wait for each other's files.
 * 2. The lane for what computes is the process's: more threads than processors gain nothing,
 * however many loops there are. The last loop that leaves it ends it.
 */
#include "loop/pool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/buggify.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

#define THREADS_DEFAULT 4
#define QUEUE_DEFAULT   1024
#define THREADS_LIMIT   256

struct cel__lane {
    pthread_mutex_t lock;
    pthread_cond_t is_work;
    struct cel__list queue;
    unsigned users; /* loops; of the shared lane by its gate */
    unsigned queued, threads, threads_max, idle;
    uint64_t ended;
    bool is_ending;
    pthread_t ids[THREADS_LIMIT];
};

static pthread_mutex_t shared_gate = PTHREAD_MUTEX_INITIALIZER;
static struct cel__lane *shared; /* by its gate */

unsigned cel__pool_cores(void)
{
    cpu_set_t may;

    return cel__sys.sched_getaffinity(0, sizeof may, &may) == 0 ? (unsigned)CPU_COUNT(&may) : 1;
}

static struct cel__lane *lane_new(unsigned threads_max)
{
    struct cel__lane *lane = cel__mem_zalloc(sizeof *lane);

    if (lane == NULL)
        return NULL;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->is_work, NULL);
    cel__list_init(&lane->queue);
    lane->threads_max = cel__min(threads_max, THREADS_LIMIT);
    return lane;
}

static void lane_free(struct cel__lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->is_ending = true;
    pthread_cond_broadcast(&lane->is_work);
    pthread_mutex_unlock(&lane->lock);
    for (unsigned i = 0; i < lane->threads; i++)
        pthread_join(lane->ids[i], NULL);
    pthread_cond_destroy(&lane->is_work);
    pthread_mutex_destroy(&lane->lock);
    cel__mem_free(lane);
}

static struct cel__lane *join_shared(unsigned threads_max)
{
    struct cel__lane *lane;

    pthread_mutex_lock(&shared_gate);
    if (shared == NULL)
        shared = lane_new(threads_max != 0 ? threads_max : cel__pool_cores());
    lane = shared;
    if (lane != NULL)
        lane->users++;
    pthread_mutex_unlock(&shared_gate);
    return lane;
}

static void leave_shared(struct cel__lane *lane)
{
    bool is_last;

    pthread_mutex_lock(&shared_gate);
    is_last = --lane->users == 0;
    if (is_last)
        shared = NULL;
    pthread_mutex_unlock(&shared_gate);
    if (is_last)
        lane_free(lane);
}

void cel__pool_forked(void)
{
    pthread_mutex_init(&shared_gate, NULL); /* another thread may have held it */
    shared = NULL;
}

/* -> NULL: memory is out. */
static struct cel__lane *lane_of(struct cel_loop *loop, enum cel_lane which)
{
    const struct cel_loop_options *o = &loop->options;
    struct cel__lane_use *use = &loop->lanes[which];

    if (use->lane == NULL && which == CEL_LANE_CPU)
        use->lane = join_shared(o->cpu_threads_max);
    else if (use->lane == NULL)
        use->lane = lane_new(o->threads_max != 0 ? o->threads_max : THREADS_DEFAULT);
    return use->lane;
}

static unsigned queue_max(const struct cel_loop *loop, enum cel_lane which)
{
    unsigned max = which == CEL_LANE_CPU ? loop->options.cpu_queue_max : loop->options.queue_max;

    return max != 0 ? max : QUEUE_DEFAULT;
}

static void finish(struct cel__post *post)
{
    struct cel__job *job = cel__container_of(post, struct cel__job, post);

    job->loop->jobs--;
    CEL__TRACE(job->loop, job_end, job, 0);
    job->done(job);
}

static void out_of_queue(struct cel__lane *lane, struct cel__job *job)
{
    lane->queued--;
    job->loop->lanes[job->lane].queued--;
}

static struct cel__job *next_job(struct cel__lane *lane)
{
    struct cel__list *node;
    struct cel__job *job;

    while ((node = cel__list_pop(&lane->queue)) == NULL) {
        if (lane->is_ending)
            return NULL;
        lane->idle++;
        pthread_cond_wait(&lane->is_work, &lane->lock);
        lane->idle--;
    }
    job = cel__container_of(node, struct cel__job, link);
    out_of_queue(lane, job);
    return job;
}

static void *thread_main(void *arg)
{
    struct cel__lane *lane = arg;
    struct cel__job *job;

    pthread_mutex_lock(&lane->lock);
    while ((job = next_job(lane)) != NULL) {
        job->state = CEL__JOB_RUNNING;
        pthread_mutex_unlock(&lane->lock);
        job->work(job);
        pthread_mutex_lock(&lane->lock);
        lane->ended++;
        job->state = CEL__JOB_DONE;
        job->post.run = finish;
        cel__loop_post(job->loop, &job->post);
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

/* The program's signals go to its own threads. */
static int start_thread(struct cel__lane *lane)
{
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = cel__sys.pthread_create(&lane->ids[lane->threads], NULL, thread_main, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return -r;
    lane->threads++;
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
    if (loop->jobs >= queue_max(loop, job->lane) || CEL__BUGGIFY())
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

static void enqueue(struct cel_loop *loop, struct cel__lane *lane, struct cel__job *job)
{
    job->loop = loop;
    job->state = CEL__JOB_QUEUED;
    job->was_cancelled = false;
    cel__list_append(&lane->queue, &job->link);
    lane->queued++;
    loop->lanes[job->lane].queued++;
    loop->jobs++;
    CEL__TRACE(loop, job_start, job, 0);
    pthread_cond_signal(&lane->is_work);
}

int cel__pool_submit(struct cel_loop *loop, struct cel__job *job)
{
    struct cel__lane *lane;
    int r = 0;

    CEL__ASSERT(loop != NULL && "this call needs a loop: cel_run or cel_loop_new");
    if (loop->backend->later != NULL)
        return submit_here(loop, job);
    lane = lane_of(loop, job->lane);
    if (lane == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&lane->lock);
    if (loop->lanes[job->lane].queued >= queue_max(loop, job->lane))
        r = -EAGAIN;
    else if (lane->queued >= lane->idle && lane->threads < lane->threads_max)
        r = start_thread(lane);
    if (r < 0 && r != -EAGAIN && lane->threads > 0)
        r = 0; /* those that run will do */
    if (r == 0)
        enqueue(loop, lane, job);
    pthread_mutex_unlock(&lane->lock);
    return r;
}

bool cel__pool_cancel(struct cel_loop *loop, struct cel__job *job)
{
    struct cel__lane *lane = loop->lanes[job->lane].lane;
    bool is_taken;

    if (loop->backend->later != NULL) {
        is_taken = job->state == CEL__JOB_QUEUED;
        job->was_cancelled = is_taken;
        job->state = CEL__JOB_DONE;
        return is_taken;
    }
    pthread_mutex_lock(&lane->lock);
    is_taken = job->state == CEL__JOB_QUEUED;
    if (is_taken) {
        cel__list_unlink(&job->link);
        out_of_queue(lane, job);
        job->state = CEL__JOB_DONE;
        job->was_cancelled = true;
        job->post.run = finish;
    }
    pthread_mutex_unlock(&lane->lock);
    if (is_taken)
        cel__loop_post(loop, &job->post);
    return is_taken;
}

void cel__pool_leave(struct cel_loop *loop)
{
    if (loop->lanes[CEL_LANE_BLOCKING].lane != NULL)
        lane_free(loop->lanes[CEL_LANE_BLOCKING].lane);
    if (loop->lanes[CEL_LANE_CPU].lane != NULL)
        leave_shared(loop->lanes[CEL_LANE_CPU].lane);
}

void cel__pool_look(const struct cel_loop *loop, enum cel_lane which, struct cel__lane_state *out)
{
    struct cel__lane *lane = loop->lanes[which].lane;

    *out = (struct cel__lane_state){0};
    if (lane == NULL)
        return;
    pthread_mutex_lock(&lane->lock);
    out->threads = lane->threads;
    out->running = lane->threads - lane->idle;
    out->queued = lane->queued;
    out->ended = lane->ended;
    pthread_mutex_unlock(&lane->lock);
}
