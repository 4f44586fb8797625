/* SPDX-License-Identifier: MIT */
/* A program is a task run to its end. */
#include "task/run.h"

#include <errno.h>

#include "base/log.h"
#include "celadon/fiber.h"
#include "loop/core.h"
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

void cel__run_report(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;
    struct cel__scope *at = &tasks->root;
    struct cel__list *next = cel__scope_inner(at)->next;

    for (;;) {
        struct cel__scope *inner;

        if (next == cel__scope_inner(at)) {
            if (at == &tasks->root)
                return;
            next = cel__scope_link(at)->next;
            at = at->parent;
            continue;
        }
        inner = cel__scope_of_link(next);
        if (inner->flags & CEL__SCOPE_TASK && inner->task->future.state == CEL__PENDING)
            cel__log(CEL_LOG_ERROR, "  %s, spawned at %s:%d", cel_task_name(inner->task),
                     inner->task->fiber.file, inner->task->fiber.line);
        at = inner;
        next = cel__scope_inner(inner)->next;
    }
}

static void report_deadlock(struct cel_loop *loop)
{
    cel__log(CEL_LOG_ERROR, "deadlock: all %u tasks wait, and nothing can wake one",
             ((struct cel__tasks *)loop->tasks)->live);
    cel__run_report(loop);
}

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
    r = task != NULL ? cel_loop_until(loop, task, result) : -ENOMEM;
    if (r == -EDEADLK)
        report_deadlock(loop);
    if (task != NULL)
        r = outcome_of(task, r);
    (void)cel_loop_close(loop);
    return r;
}

int cel_run(cel_task_fn *fn, void *arg, void **result)
{
    return cel_run_with(NULL, fn, arg, result);
}
