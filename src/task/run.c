/* SPDX-License-Identifier: MIT */
/* A program is a task run to its end. */
#include "task/run.h"

#include <errno.h>

#include "base/log.h"
#include "celadon/fiber.h"
#include "loop/core.h"
#include "task/dump.h"
#include "task/future.h"

/* The loop itself waits: the turn in which x ends must not go on to sleep in the kernel. */
static void has_come(struct cel__waiter *waiter)
{
    cel__loop_here->is_awaited = true;
}

int cel_loop_until(struct cel_loop *loop, union cel_awaitable x, void **value)
{
    struct cel_future *f = cel_ensure(x);
    struct cel__waiter waiter = {.wake = has_come};
    int r = 0;

    CEL__ASSERT(cel__task_here() == NULL && "inside a task: cel_await");
    if (f->state == CEL__PENDING)
        cel__list_append(&f->waiters, &waiter.link);
    while (f->state == CEL__PENDING && r >= 0)
        r = cel_loop_turn(loop, CEL_FOREVER);
    loop->is_awaited = false;
    if (f->state == CEL__DONE)
        return cel__future_take(f, value);
    cel__list_unlink(&waiter.link);
    return r;
}

static void report_deadlock(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;

    cel__log(CEL_LOG_ERROR, "deadlock: all %u tasks wait, and nothing can wake one", tasks->live);
    cel__symbols_note();
    cel__dump_loop(loop, CEL__REPORT_LOG, NULL);
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

int cel__run_main(struct cel_loop *loop, struct cel_task *task, void **result)
{
    int r = cel_loop_until(loop, task, result);

    if (r == -EDEADLK)
        report_deadlock(loop);
    return outcome_of(task, r);
}

int cel_run_with(const struct cel_loop_options *options, cel_task_fn *fn, void *arg, void **result)
{
    struct cel_loop *loop;
    struct cel_task *task;
    int r = cel_loop_new(&loop, options);

    if (r < 0)
        return r;
    r = cel_stack_watch();
    if (r < 0)
        cel__log(CEL_LOG_WARN, "stack overflow will not be named: %s", cel_strerror(r));
    task = cel_spawn_with(fn, arg, .name = "main");
    r = task != NULL ? cel__run_main(loop, task, result) : -ENOMEM;
    (void)cel_loop_close(loop);
    return r;
}

int cel_run(cel_task_fn *fn, void *arg, void **result)
{
    return cel_run_with(NULL, fn, arg, result);
}
