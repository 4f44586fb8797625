/* SPDX-License-Identifier: MIT */
/* The cycle: run what is ready, wait in the kernel, fire timers, take in mail, run callbacks.
 *
 * The loop calls the scheduler; the scheduler never calls the loop. At most TURN_SWITCHES task
 * switches go by before the kernel is asked again, so ready tasks do not starve IO; and of the
 * tasks that have had more than their share a few run in each turn, behind those that have just
 * become ready. */
#include "celadon/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buggify.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/alive.h"
#include "loop/core.h"
#include "loop/leaks.h"
#include "loop/linger.h"
#include "loop/shuffle.h"
#include "loop/pool.h"
#include "loop/signals.h"

#define TURN_SWITCHES 64
#define TURN_TIRED    8 /* of these to whoever has had more than its share */
#define TURN_TIMERS   1024

__thread struct cel_loop *cel__loop_here __attribute__((tls_model("initial-exec")));

/* A child of fork must not touch the parent's rings: the count tells it. */
static int64_t forks;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    struct cel_loop *loop = cel__loop_here;

    forks++;
    cel__pool_forked();
    cel__loops_forget();
    if (loop == NULL)
        return;
    loop->backend = &cel__forked_backend;
    loop->sched.budget = 0; /* whoever lets go of the processor comes back to the turn */
    if (loop->tasks_forked != NULL)
        loop->tasks_forked(loop);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

/* The first two are tried in this order when none is asked for; the last only by its name. */
static const struct cel__backend *const backends[] = {&cel__uring_backend, &cel__epoll_backend,
                                                      &cel__sim_backend};
#define BACKENDS_REAL 2

static const struct cel__backend *backend_named(const char *name)
{
    for (size_t i = 0; i < cel__countof(backends); i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

/* By name: that one or an error. Otherwise the first that opens. */
static int open_backend(struct cel_loop *loop, const char *name)
{
    int r = -EINVAL;

    if (name != NULL && *name != '\0') {
        loop->backend = backend_named(name);
        if (loop->backend == NULL) {
            cel__log(CEL_LOG_ERROR, "no backend is called '%s': say epoll, uring or sim", name);
            return -EINVAL;
        }
        r = loop->backend->open(loop);
        if (r < 0)
            cel__log(CEL_LOG_ERROR, "cannot open the %s backend: %s", name, cel_strerror(r));
        return r;
    }
    for (size_t i = 0; i < BACKENDS_REAL; i++) {
        loop->backend = backends[i];
        r = loop->backend->open(loop);
        if (r == 0)
            return 0;
        cel__log(CEL_LOG_INFO, "the %s backend is not to be had (%s)", backends[i]->name,
                 cel_errname(r));
    }
    return r;
}

static void switched(struct cel__sched *sched, struct cel_fiber *from, struct cel_fiber *to)
{
    struct cel_loop *loop = cel__container_of(sched, struct cel_loop, sched);

    loop->options.on_switch(loop->options.hook_arg);
}

int cel_loop_new(struct cel_loop **out, const struct cel_loop_options *options)
{
    struct cel_loop *loop;
    const char *name;
    int r;

    if (cel__loop_here != NULL && cel__loop_here->process == forks)
        return -EBUSY;
    pthread_once(&fork_once, watch_forks);
    loop = cel__mem_zalloc(sizeof *loop);
    if (loop == NULL)
        return -ENOMEM;
    if (options != NULL)
        loop->options = *options;
    cel__list_init(&loop->soon);
    cel__list_init(&loop->due);
    cel__list_init(&loop->starved);
    cel__list_init(&loop->attachments);
    cel__credit_fill(loop);
    loop->process = forks;
    name = loop->options.backend != NULL ? loop->options.backend : getenv("CELADON_BACKEND");
    r = open_backend(loop, name);
    if (r < 0) {
        cel__mem_free(loop);
        return r;
    }
    cel__sched_init(&loop->sched);
    cel__shuffle_init(loop);
    if (loop->options.on_switch != NULL)
        loop->sched.on_switch = switched;
    loop->now = loop->backend->now(loop);
    cel__wheel_init(&loop->wheel, loop->now);
    cel__loop_here = loop;
    cel__loop_appear(loop);
    *out = loop;
    return 0;
}

struct cel_loop *cel_loop_current(void)
{
    return cel__loop_here;
}

const char *cel_loop_backend(const struct cel_loop *loop)
{
    return loop->backend->name;
}

int64_t cel_loop_time(const struct cel_loop *loop)
{
    return loop->now;
}

int64_t cel_now(void)
{
    struct cel_loop *loop = cel__loop_here;

    return loop != NULL ? loop->backend->now(loop) : cel__clock_monotonic();
}

static void run_soon(struct cel_loop *loop)
{
    struct cel__list *node;

    if (cel__list_is_empty(&loop->soon))
        return;
    cel__list_splice(&loop->due, &loop->soon); /* what these add runs in the next turn */
    while ((node = cel__list_pop(&loop->due)) != NULL) {
        struct cel__soon *soon = cel__container_of(node, struct cel__soon, link);

        soon->run(soon);
    }
}

static bool can_wake(const struct cel_loop *loop)
{
    return loop->ops_in_flight != 0 || loop->jobs != 0 || loop->holds != 0 ||
           loop->fds.closing != 0 || loop->wheel.armed != 0;
}

/* How long the loop was busy, before it may sleep; from here on it is not. */
static void trace_turn(struct cel_loop *loop)
{
    CEL__PROBE(turn, loop, loop->now);
    if (cel__unlikely(loop->trace != NULL))
        cel__trace_turn(loop->trace, loop->backend->now(loop));
}

static int sleep_until(struct cel_loop *loop, int64_t until)
{
    int64_t from = loop->now;
    int r;

    if (!cel__inbox_sleep(&loop->inbox))
        return cel__backend_glance(loop);
    if (loop->options.before_block != NULL)
        loop->options.before_block(loop->options.hook_arg);
    r = loop->backend->wait(loop, until);
    if (loop->options.after_block != NULL)
        loop->options.after_block(loop->options.hook_arg);
    cel__inbox_awake(&loop->inbox);
    cel__linger_slept(loop, from);
    return r;
}

static int block(struct cel_loop *loop, int64_t until)
{
    int r = 0;

    if (cel__linger_wants(loop))
        r = cel__linger(loop, until);
    if (r < 0 || cel__loop_has_ready(loop) || loop->is_awaited || loop->now >= until)
        return r;
    return sleep_until(loop, until);
}

/* The kernel's part of a turn. */
static int ask_kernel(struct cel_loop *loop, int64_t wait_max)
{
    int64_t until = 0;

    if (cel__loop_has_ready(loop))
        return cel__backend_glance(loop);
    if (!loop->is_awaited && wait_max > 0) {
        int64_t limit = wait_max == CEL_FOREVER
                            ? CEL_FOREVER
                            : cel__clock_add(loop->backend->now(loop), wait_max);

        until = cel__min(cel__wheel_next(&loop->wheel), limit);
    }
    if (until > loop->now && until < INT64_MAX && CEL__BUGGIFY()) /* awake for nothing */
        until = loop->now + (until - loop->now) / 2;
    if (until > loop->now)
        return block(loop, until);
    return loop->ops_in_flight != 0 || loop->fds.live != 0 ? loop->backend->wait(loop, 0) : 0;
}

static void fire_timers(struct cel_loop *loop)
{
    unsigned fired = cel__wheel_fire(&loop->wheel, loop->now, CEL__BUGGIFY() ? 1 : TURN_TIMERS);

    if (fired != 0)
        CEL__TRACE(loop, timers_fire, NULL, fired);
}

int cel_loop_turn(struct cel_loop *loop, int64_t wait_max)
{
    int r;

    if (loop->process != forks)
        return -CEL_EFORK;
    if (loop != cel__loop_here)
        return -CEL_ETHREAD;
    cel__loop_beat(loop);
    cel__sched_recall(&loop->sched, TURN_TIRED);
    if (cel__unlikely(loop->backend->run != NULL))
        loop->backend->run(loop, TURN_SWITCHES);
    else if (cel__unlikely(loop->is_shuffled))
        cel__shuffle_run(loop, TURN_SWITCHES);
    else
        cel__sched_run(&loop->sched, TURN_SWITCHES);
    if (cel__unlikely(cel__loop_is_forked(loop)))
        return -CEL_EFORK;
    if (!cel__loop_has_ready(loop) && !can_wake(loop))
        return -EDEADLK;
    trace_turn(loop);
    r = ask_kernel(loop, wait_max);
    cel__loop_beat(loop);
    if (r < 0)
        return r;
    loop->now = loop->backend->now(loop);
    if (cel__unlikely(loop->trace != NULL))
        loop->trace->woke_at = loop->now;
    fire_timers(loop);
    cel__inbox_run(&loop->inbox);
    run_soon(loop);
    return cel__loop_has_ready(loop);
}

int cel_loop_run(struct cel_loop *loop)
{
    int r = 0;

    loop->is_stopping = false;
    while (!loop->is_stopping && r >= 0)
        r = cel_loop_turn(loop, CEL_FOREVER);
    return r == -EDEADLK || r > 0 ? 0 : r;
}

void cel_loop_stop(struct cel_loop *loop)
{
    loop->is_stopping = true;
}

void cel_loop_hold(struct cel_loop *loop)
{
    loop->holds++;
}

void cel_loop_release(struct cel_loop *loop)
{
    CEL__ASSERT(loop->holds > 0);
    loop->holds--;
}

struct call {
    struct cel__post post;
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct cel__post *post)
{
    struct call call = *cel__container_of(post, struct call, post);

    cel__mem_free(cel__container_of(post, struct call, post));
    call.fn(call.arg);
}

int cel_loop_call(struct cel_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct call *call = cel__mem_alloc(sizeof *call);

    if (call == NULL)
        return -ENOMEM;
    *call = (struct call){.post.run = run_call, .fn = fn, .arg = arg};
    cel__loop_post(loop, &call->post);
    return 0;
}

/* Closes what was left open and lets everything under way end. Callbacks may still open more. */
static unsigned drain(struct cel_loop *loop)
{
    unsigned handles = cel__fd_close_all(loop);

    while (loop->jobs != 0 || loop->ops_in_flight != 0 || loop->fds.live != 0 ||
           cel__loop_has_ready(loop)) {
        if (cel_loop_turn(loop, 100 * CEL_MILLISECOND) < 0)
            break;
        handles += cel__fd_close_all(loop);
    }
    return handles;
}

static void end_attachments(struct cel_loop *loop)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&loop->attachments)) != NULL) {
        struct cel__attachment *a = cel__container_of(node, struct cel__attachment, link);

        a->end(a);
    }
}

int cel__loop_wind_down(struct cel_loop *loop)
{
    int left = 0;

    loop->is_closing = true;
    if (loop->tasks_end != NULL)
        left = loop->tasks_end(loop);
    end_attachments(loop);
    return left;
}

/* Order: tasks, then what they shared, then jobs, then handles, then the backend; each may still
 * use what comes after. */
int cel_loop_close(struct cel_loop *loop)
{
    unsigned handles;
    int left;

    if (loop == NULL)
        return 0;
    if (loop->process != forks) { /* the parent's: only the memory is ours */
        if (cel__loop_here == loop)
            cel__loop_here = NULL;
        return 0;
    }
    left = cel__loop_wind_down(loop);
    cel__signals_free(loop->signals);
    if (left == 0) /* tasks that would not end have timers and jobs of their own */
        left = (int)cel__leaks_tell(loop);
    handles = drain(loop);
    cel__pool_leave(loop);
    if (handles != 0)
        cel__log(CEL_LOG_WARN, "loop closed with %u handles left open", handles);
    left += (int)handles;
    cel__loop_vanish(loop);
    cel__inbox_settle(&loop->inbox);
    loop->backend->close(loop);
    cel__wheel_fini(&loop->wheel);
    cel__fd_table_fini(&loop->fds);
    cel__sched_fini(&loop->sched);
    cel__mem_free(loop->trace);
    if (cel__loop_here == loop)
        cel__loop_here = NULL;
    cel__mem_free(loop);
    return left;
}
