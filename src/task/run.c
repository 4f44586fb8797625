/* SPDX-License-Identifier: MIT */
/* A program is a task run to its end. */
#include "task/run.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/log.h"
#include "base/sys.h"
#include "celadon/fiber.h"
#include "loop/core.h"
#include "task/dump.h"
#include "task/error.h"
#include "task/future.h"

/* The loop itself waits: the turn in which x ends must not go on to sleep in the kernel. */
static void has_come(struct cel__waiter *waiter)
{
    cel__loop_here->is_awaited = true;
}

int(cel_loop_until)(struct cel_loop *loop, union cel_awaitable x, void **value)
{
    struct cel_future *f = cel_ensure(x);
    struct cel__waiter waiter = {.wake = has_come};
    int r = 0;

    CEL__ASSERT(cel__task_here() == NULL && "inside a task: cel_await");
    if (!cel__future_is_done(f))
        cel__list_append(&f->waiters, &waiter.link);
    while (!cel__future_is_done(f) && r >= 0)
        r = cel_loop_turn(loop, CEL_FOREVER);
    loop->is_awaited = false;
    if (cel__future_is_done(f))
        return cel__future_take(f, value);
    cel__list_unlink(&waiter.link);
    return r;
}

static void report_deadlock(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;

    cel__log(CEL_LOG_ERROR, "deadlock: all %u tasks wait, and nothing can wake one", tasks->live);
    cel__dump_loop(loop, CEL__REPORT_LOG, NULL, NULL);
}

/* What the main task failed with, told in the log. */
static int outcome_of(struct cel_task *task, int r)
{
    struct cel_future *f = &task->future;
    const struct cel_error *error = cel__future_error(f);

    if (r != -CEL_EFAILED)
        return r;
    if (error != NULL)
        cel__log(CEL_LOG_ERROR, "%s (%s:%d)", error->text, error->file, error->line);
    else
        cel__log(CEL_LOG_ERROR, "the main task failed: %s", cel_strerror(f->code));
    return f->code;
}

struct runner {
    struct cel_signal *signal;
    struct cel_task *main;
    bool was_told;
};

/* The program does not end as it was told: the next thing that happens is the default. */
static void die_of(int signo)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signo);
    (void)cel__sys.sigaction(signo, &action, NULL);
    (void)raise(signo);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void interrupted(void *arg, int signo)
{
    struct runner *runner = arg;

    if (runner->was_told)
        die_of(signo);
    runner->was_told = true;
    cel_task_cancel(runner->main);
}

static int run_watched(struct cel_loop *loop, struct runner *runner, void **result)
{
    int r = cel_signal_start(loop, &runner->signal, SIGINT, interrupted, runner);

    if (r == 0)
        r = cel_loop_until(loop, runner->main, result);
    cel_signal_stop(runner->signal);
    return r;
}

int cel__run_main(struct cel_loop *loop, struct cel_task *task, void **result)
{
    struct runner runner = {.main = task};
    int r = loop->options.cancel_on_sigint ? run_watched(loop, &runner, result)
                                           : cel_loop_until(loop, task, result);

    if (r == -EDEADLK)
        report_deadlock(loop);
    return outcome_of(task, r);
}

int cel_run_with(const struct cel_loop_options *options, cel_task_fn *fn, void *arg, void **result)
{
    struct cel_loop *loop;
    struct cel_task *task;
    int r = cel_loop_new(&loop, options);

    if (r == -EBUSY)
        return cel__raise(r, "run",
                          "this thread has a loop already: inside of it, call or cel_spawn");
    if (r < 0)
        return r;
    r = cel_stack_watch();
    if (r < 0)
        cel__log(CEL_LOG_WARN, "stack overflow will not be named: %s", cel_strerror(r));
    task = cel_spawn_at(fn, arg, &(struct cel_spawn_options){.name = "main"}, "cel_run", 0);
    r = task != NULL ? cel__run_main(loop, task, result) : -ENOMEM;
    (void)cel_loop_close(loop);
    return r;
}

int cel_run(cel_task_fn *fn, void *arg, void **result)
{
    return cel_run_with(NULL, fn, arg, result);
}
