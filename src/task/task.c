/* SPDX-License-Identifier: MIT */
/* A task: a scheduled fiber that runs one function, and the future of what it returns.
 *
 *   spawned --ready--> running <--> parked --return--> joining its children --> ended
 *
 * Ending, in order: the at-end functions, the children, the future's waiters, the scope above.
 * After that a detached task's memory is free; another's waits for its handle to be given up or for
 * its scope to be left. */
#include "celadon/task.h"

#include <errno.h>

#include "base/log.h"
#include "loop/core.h"
#include "task/error.h"
#include "task/future.h"
#include "task/layout.h"
#include "task/local.h"
#include "task/scope.h"
#include "task/slab.h"
#include "task/spawn.h"
#include "task/strict.h"
#include "task/wait.h"

/* Nobody calls for the table that debuggers read: whatever is linked statically has it for this. */
static const struct cel__layout *const kept __attribute__((used)) = &cel__debug_layout;

static CEL__NOINLINE void run_at_end(struct cel_task *task)
{
    struct cel_scope shield;

    cel_scope_enter(&shield, &(struct cel_scope_options){.is_shielded = true});
    while (task->at_end != NULL) {
        struct cel_at_end *node = task->at_end;

        task->at_end = node->next;
        node->fn(node->arg); /* parks */
    }
    (void)cel_scope_leave(&shield); /* parks */
}

static void task_main(struct cel_fiber *fiber)
{
    struct cel_task *task = cel__task_of_fiber(fiber);
    cel_task_fn *fn = (cel_task_fn *)task->wait_on;
    void *value = fn(task->future.value); /* parks */

    CEL__ASSERT(task->scope == &task->own && "a task ended inside a scope that it had entered");
    if (cel__unlikely(task->at_end != NULL))
        run_at_end(task); /* parks */
    CEL__ASSERT(task->future.locks == 0 && "a task ended holding a lock");
    if (task->future.code != 0)
        cel__scope_cancel(&task->own, -ECANCELED);
    cel__scope_join(&task->own); /* parks */
    task->future.value = value;
}

/* The last act on the task's stack. */
static void task_ended(struct cel_fiber *fiber)
{
    struct cel_task *task = cel__task_of_fiber(fiber);
    struct cel__tasks *tasks = cel__loop_here->tasks;
    struct cel_error *error = task->future.code != 0 ? task->error : NULL;

    if (error != NULL)
        task->error = NULL;
    cel__credit_fill(cel__loop_here);
    tasks->live--;
    CEL__TRACE(cel__loop_here, task_end, task, task->future.code);
    cel__future_end(&task->future, task->future.code != 0 ? NULL : task->future.value,
                    task->future.code, error);
    cel__scope_child_ended(task->own.parent, task);
    if (!task->future.is_detached)
        return;
    cel__scope_unlink(&task->own);
    cel__task_release(tasks, task);
}

/* Turns the loop until no task is left, which ends the turn in which that happens: other things may
 * be waited for, and need not come. */
static void join_tasks(struct cel_loop *loop, struct cel__tasks *tasks)
{
    int64_t grace = cel_now() + 5 * CEL_SECOND;
    int r = 0;

    while (tasks->live != 0 && cel_now() < grace && r >= 0) {
        tasks->root.flags |= CEL__SCOPE_JOINING;
        r = cel_loop_turn(loop, grace - cel_now());
        loop->is_awaited = false;
    }
    tasks->root.flags &= (uint8_t)~CEL__SCOPE_JOINING;
}

/* Cancel what the program left, let it run to its end, and say what would not end. */
static int end_tasks(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;
    int left;

    cel__scope_cancel(&tasks->root, -ECANCELED);
    join_tasks(loop, tasks);
    left = (int)tasks->live;
    CEL__LIST_EACH_SAFE (node, cel__scope_inner(&tasks->root)) {
        struct cel_task *task = cel__task_of_scope(cel__scope_of_link(node));

        if (task->future.state == CEL__PENDING) {
            char site[CEL__SITE_MAX];

            cel__log(CEL_LOG_WARN, "%s (%s) did not end when the loop closed", cel_task_name(task),
                     cel__task_site(task, site));
            continue;
        }
        cel__list_unlink(node);
        cel__task_release(tasks, task);
    }
    cel__strict_end(loop);
    if (left == 0) { /* else their stacks still point into it, and they may end yet */
        cel__tasks_free(tasks);
        loop->tasks = NULL;
    }
    loop->tasks_end = NULL;
    return left;
}

/* The child's one task learns from each call that parks that there is nobody to wake it; no shield
 * keeps that from it. */
static void disown_tasks(struct cel_loop *loop)
{
    struct cel_task *task = cel__task_here();

    for (struct cel__scope *s = task != NULL ? task->scope : NULL; s != NULL; s = s->parent)
        s->code = -CEL_EFORK;
}

static struct cel__scope *scope_for(struct cel__tasks *tasks, bool in_root)
{
    struct cel_task *here = cel__task_here();

    return here != NULL && !in_root ? here->scope : &tasks->root;
}

struct cel_task *cel_spawn_at(cel_task_fn *fn, void *arg, const struct cel_spawn_options *options,
                              const char *file, int line)
{
    return cel__task_spawn(NULL, fn, arg, options, file, line);
}

static bool prepare(struct cel_task *task, const struct cel_spawn_options *options)
{
    task->at_end = NULL;
    if (options->inherits_locals && cel__locals_inherit(task) < 0)
        return false;
    if (cel__fiber_init(&task->fiber, options->stack_size_bytes, task_main) == 0)
        return true;
    cel__locals_forget(task);
    return false;
}

struct cel_task *cel__task_spawn(struct cel__scope *scope, cel_task_fn *fn, void *arg,
                                 const struct cel_spawn_options *options, const char *file,
                                 int line)
{
    static const struct cel_spawn_options none;
    struct cel_loop *loop = cel__loop_here;
    struct cel__tasks *tasks;
    struct cel_task *task;

    CEL__ASSERT(loop != NULL && "tasks need a loop: cel_run or cel_loop_new");
    if (cel__unlikely(cel__loop_is_forked(loop)))
        return NULL;
    if (options == NULL)
        options = &none;
    tasks = cel__tasks_of(loop);
    task = tasks != NULL ? cel__task_alloc(tasks) : NULL;
    if (task == NULL)
        return NULL;
    task->future.state = CEL__PENDING;
    task->error = NULL;
    if (!prepare(task, options)) {
        task->future.code = 0;
        cel__task_release(tasks, task);
        return NULL;
    }
    loop->tasks_end = end_tasks;
    loop->tasks_forked = disown_tasks;
    task->fiber.on_exit = task_ended;
    task->fiber.name = options->name;
    task->fiber.file = file;
    task->fiber.line = line;
    cel__future_init(&task->future);
    task->future.is_task = 1;
    task->future.value = arg;
    task->wait_on = (void *)fn;
    task->wait = NULL;
    task->future.is_detached = options->is_detached;
    if (scope == NULL)
        scope = scope_for(tasks, options->in_root);
    cel__scope_open(&task->own, scope, task, CEL__SCOPE_TASK);
    task->scope = &task->own;
    scope->live++;
    tasks->live++;
    CEL__TRACE(loop, task_spawn, task, line);
    cel__sched_ready(&loop->sched, &task->fiber);
    return task;
}

int cel_go_at(cel_task_fn *fn, void *arg, bool in_root, const char *file, int line)
{
    const struct cel_spawn_options options = {.is_detached = true, .in_root = in_root};

    if (cel_spawn_at(fn, arg, &options, file, line) != NULL)
        return 0;
    return cel__loop_is_forked(cel__loop_here) ? -CEL_EFORK : -ENOMEM;
}

struct cel_task *cel_task_current(void)
{
    return cel__task_here();
}

const char *cel_task_name(const struct cel_task *task)
{
    return task != NULL ? cel__task_name(task) : "task";
}

void cel_task_set_name(struct cel_task *task, const char *name)
{
    if (task != NULL)
        task->fiber.name = name;
}

void cel_task_cancel(struct cel_task *task)
{
    if (task != NULL && task->future.state == CEL__PENDING)
        cel__scope_cancel(&task->own, -ECANCELED);
}

bool cel_task_is_cancelled(const struct cel_task *task)
{
    return task != NULL && task->own.code != 0;
}

void cel_task_free(struct cel_task *task)
{
    if (task == NULL)
        return;
    if (task->future.state == CEL__PENDING) {
        task->future.is_detached = true;
        return;
    }
    cel__scope_unlink(&task->own);
    cel__task_release(cel__loop_here->tasks, task);
}

int cel_join(struct cel_task *task, void **value)
{
    struct cel_future *f = cel_ensure(task);
    int r = cel__future_wait(f, false); /* parks */

    if (r < 0)
        return r;
    r = cel__future_take(f, value);
    cel_task_free(task);
    return r;
}

int cel_checkpoint(void)
{
    return cel__checkpoint(cel__task_parking());
}

void cel_task_at_end(struct cel_at_end *node, void (*fn)(void *arg), void *arg)
{
    struct cel_task *task = cel__task_parking();

    *node = (struct cel_at_end){task->at_end, fn, arg};
    task->at_end = node;
}
