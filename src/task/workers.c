/* SPDX-License-Identifier: MIT */
/* Loops on threads. All of them pass through the same stages, and none goes on before all are
 * there, because the others may still send to it:
 *
 *   opened -> main tasks run -> all mains have ended -> tasks ended -> all are quiet -> closed
 *
 * Between the stages a loop goes on turning, so that it answers; a counter says how many have
 * arrived, and whoever arrives last wakes the others. */
#include "celadon/workers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/fiber.h"
#include "loop/pool.h"
#include "task/run.h"

#define WORKERS_MAX 1024

struct worker {
    struct crew *crew;
    unsigned index;
    pthread_t thread;
    struct cel_loop *loop; /* set before the first barrier */
    struct cel_task *main;
    struct cel__post cancel; /* sent by the first that fails */
};

struct crew {
    unsigned count;
    pthread_mutex_t gate; /* shut while threads are made */
    bool is_complete;     /* by gate: all of them were */
    const struct cel_workers_options *options;
    cel_task_fn *fn;
    void *arg;
    pthread_barrier_t all; /* where nobody turns: before the tasks, and before the loops close */
    unsigned ended;        /* atomic: main tasks */
    unsigned quiet;        /* atomic */
    int failure;           /* atomic: of the first that failed, loops that did not open included */
    struct worker workers[];
};

static __thread struct worker *worker_here __attribute__((tls_model("initial-exec")));

unsigned cel_worker_index(void)
{
    return worker_here != NULL ? worker_here->index : 0;
}

unsigned cel_worker_count(void)
{
    return worker_here != NULL ? worker_here->crew->count : 1;
}

struct cel_loop *cel_worker_loop(unsigned index)
{
    if (worker_here == NULL || index >= worker_here->crew->count)
        return NULL;
    return worker_here->crew->workers[index].loop;
}

static void cancel_main(struct cel__post *post)
{
    struct worker *w = cel__container_of(post, struct worker, cancel);

    if (w->main != NULL)
        cel_task_cancel(w->main);
}

/* The first failure cancels the rest. */
static void failed(struct worker *self, int code)
{
    struct crew *crew = self->crew;
    int none = 0;

    if (!__atomic_compare_exchange_n(&crew->failure, &none, code, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return;
    for (unsigned i = 0; i < crew->count; i++) {
        struct worker *w = &crew->workers[i];

        w->cancel.run = cancel_main;
        if (w != self)
            cel__loop_post(w->loop, &w->cancel);
    }
}

/* Counts this one in, wakes the others if it is the last, and turns until all are there. */
static void gather_at(struct worker *self, unsigned *arrived)
{
    struct crew *crew = self->crew;

    if (__atomic_add_fetch(arrived, 1, __ATOMIC_ACQ_REL) == crew->count)
        for (unsigned i = 0; i < crew->count; i++) {
            struct cel_loop *other = crew->workers[i].loop;

            if (other != self->loop)
                other->backend->wake(other); /* one that was short of something may have another */
        }
    cel_loop_hold(self->loop);
    while (__atomic_load_n(arrived, __ATOMIC_ACQUIRE) < crew->count)
        if (cel_loop_turn(self->loop, CEL_FOREVER) < 0)
            break;
    cel_loop_release(self->loop);
}

static void run_main(struct worker *self)
{
    struct crew *crew = self->crew;
    int r = -ENOMEM;

    self->main = cel_spawn_at(crew->fn, crew->arg, &(struct cel_spawn_options){.name = "main"},
                              "cel_run_workers", 0);
    if (self->main != NULL)
        r = cel__run_main(self->loop, self->main, NULL);
    if (r < 0)
        failed(self, r);
    gather_at(self, &crew->ended);
    cel_task_free(self->main);
    self->main = NULL;
}

/* Nothing of ours is with the others any more. */
static void become_quiet(struct worker *self)
{
    (void)cel__loop_wind_down(self->loop);
    while (self->loop->jobs != 0)
        if (cel_loop_turn(self->loop, CEL_FOREVER) < 0)
            break;
    gather_at(self, &self->crew->quiet);
}

static void run_worker(struct worker *self)
{
    struct crew *crew = self->crew;
    int r = cel_loop_new(&self->loop, crew->options->loop), watched, none = 0;

    worker_here = self;
    if (r < 0)
        (void)__atomic_compare_exchange_n(&crew->failure, &none, r, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE);
    (void)pthread_barrier_wait(&crew->all);
    if (r == 0 && __atomic_load_n(&crew->failure, __ATOMIC_ACQUIRE) == 0) {
        watched = cel_stack_watch();
        if (watched < 0)
            cel__log(CEL_LOG_WARN, "stack overflow will not be named: %s", cel_strerror(watched));
        (void)pthread_barrier_wait(&crew->all); /* or a failure now would look like one before */
        run_main(self);
        become_quiet(self);
        (void)pthread_barrier_wait(&crew->all);
    }
    if (r == 0)
        (void)cel_loop_close(self->loop);
    worker_here = NULL;
}

static void pin(const struct worker *self)
{
    cpu_set_t may, one;
    unsigned nth = self->index;

    if (cel__sys.sched_getaffinity(0, sizeof may, &may) < 0)
        return;
    nth %= (unsigned)CPU_COUNT(&may);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && nth-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            (void)pthread_setaffinity_np(pthread_self(), sizeof one, &one);
            return;
        }
}

static void *thread_main(void *arg)
{
    struct worker *self = arg;
    struct crew *crew = self->crew;
    bool goes;

    (void)pthread_mutex_lock(&crew->gate);
    goes = crew->is_complete;
    (void)pthread_mutex_unlock(&crew->gate);
    if (!goes)
        return NULL;
    if (crew->options->is_pinned)
        pin(self);
    run_worker(self);
    return NULL;
}

/* The threads that are made by it; signals are for the calling thread, and for who asks. */
static int start_threads(struct crew *crew, unsigned *started)
{
    sigset_t all, before;
    int r = 0;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (*started = 1; *started < crew->count && r == 0; *started += r == 0)
        r = cel__sys.pthread_create(&crew->workers[*started].thread, NULL, thread_main,
                                    &crew->workers[*started]);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

static int run_crew(struct crew *crew)
{
    unsigned started = 0;
    cpu_set_t before;
    bool pins =
        crew->options->is_pinned && cel__sys.sched_getaffinity(0, sizeof before, &before) == 0;

    (void)pthread_mutex_lock(&crew->gate);
    crew->failure = start_threads(crew, &started);
    crew->is_complete = crew->failure == 0;
    (void)pthread_mutex_unlock(&crew->gate);
    if (crew->is_complete) {
        if (pins)
            pin(&crew->workers[0]);
        run_worker(&crew->workers[0]);
        if (pins)
            (void)pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    }
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(crew->workers[i].thread, NULL);
    return crew->failure;
}

int cel_run_workers(const struct cel_workers_options *options, cel_task_fn *fn, void *arg)
{
    static const struct cel_workers_options usual;
    const struct cel_workers_options *o = options != NULL ? options : &usual;
    unsigned count = cel__min(o->count != 0 ? o->count : cel__pool_cores(), WORKERS_MAX);
    struct crew *crew;
    int r;

    if (cel__loop_here != NULL)
        return -EBUSY;
    crew = cel__mem_zalloc(sizeof *crew + count * sizeof crew->workers[0]);
    if (crew == NULL)
        return -ENOMEM;
    crew->count = count;
    crew->options = o;
    crew->fn = fn;
    crew->arg = arg;
    for (unsigned i = 0; i < count; i++) {
        crew->workers[i].crew = crew;
        crew->workers[i].index = i;
    }
    (void)pthread_mutex_init(&crew->gate, NULL);
    (void)pthread_barrier_init(&crew->all, NULL, count);
    r = run_crew(crew);
    (void)pthread_barrier_destroy(&crew->all);
    (void)pthread_mutex_destroy(&crew->gate);
    cel__mem_free(crew);
    return r;
}
