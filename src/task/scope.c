/* SPDX-License-Identifier: MIT */
/* Scopes form a tree: a task's own scope hangs in the scope it was spawned into, and each scope
 * that a task opens hangs in the one it was opened in. A cancel walks down that tree.
 *
 * 1. code is level-triggered: once set it stays until the scope is left; it may change from
 *    -ETIMEDOUT to -ECANCELED (an outer scope wins), never back.
 * 2. A shielded scope takes no code from above; when it is left, the code above is seen again.
 * 3. live counts the children that run; a scope is left when it is 0.
 * 4. Nothing here allocates: a cancel cannot fail.
 * 5. In the child of a fork the code is -CEL_EFORK, under shields too, and stays so; nobody below
 *    a scope ends any more. */
#include "task/scope.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/core.h"
#include "task/tell.h"
#include "task/error.h"
#include "task/slab.h"
#include "task/wait.h"

#define SHIELD_MAX (5 * CEL_SECOND)

void cel__scope_inherit(struct cel__scope *scope, int code)
{
    if (code == -CEL_EFORK)
        scope->code = code; /* no shield gives the loop back */
    else if (!(scope->flags & CEL__SCOPE_SHIELDED))
        scope->code = -ECANCELED;
}

static void set_code(struct cel__scope *scope, int code)
{
    struct cel_task *task = scope->task;

    scope->code = code;
    if (task != NULL && task->scope == scope)
        cel__wait_interrupt(task, code);
}

/* The rings do not change meanwhile: an interrupt only readies tasks. */
static void cancel_below(struct cel__scope *top)
{
    struct cel__scope *at = top;
    struct cel__list *next = cel__scope_inner(top)->next;

    for (;;) {
        struct cel__scope *inner;

        if (next == cel__scope_inner(at)) {
            if (at == top)
                return;
            next = cel__scope_link(at)->next;
            at = at->parent;
            continue;
        }
        inner = cel__scope_of_link(next);
        next = next->next;
        if (inner->flags & CEL__SCOPE_SHIELDED || inner->code == -ECANCELED)
            continue;
        set_code(inner, -ECANCELED);
        at = inner;
        next = cel__scope_inner(inner)->next;
    }
}

void cel__scope_cancel(struct cel__scope *scope, int code)
{
    bool was_told = scope->code != 0;

    if (scope->code == -ECANCELED || scope->code == -CEL_EFORK || (was_told && code != -ECANCELED))
        return;
    CEL__TRACE(cel__loop_here, scope_cancel, scope, code);
    set_code(scope, code);
    if (!was_told)
        cancel_below(scope);
}

static void free_handles(struct cel__scope *scope)
{
    struct cel__tasks *tasks = cel__loop_here->tasks;

    CEL__LIST_EACH_SAFE (node, cel__scope_inner(scope)) {
        struct cel__scope *inner = cel__scope_of_link(node);

        CEL__ASSERT(inner->flags & CEL__SCOPE_TASK);
        cel__list_unlink(node);
        cel__task_release(tasks, cel__task_of_scope(inner));
    }
}

/* A child that has not ended. */
static const struct cel_task *unjoined(const struct cel_task *task)
{
    CEL__LIST_EACH (node, cel__scope_inner(task->wait_on)) {
        const struct cel_task *child = cel__scope_of_link(node)->task;

        if (child->future.state == CEL__PENDING)
            return child;
    }
    return NULL;
}

static void tell_children(struct cel__report *to, const struct cel_task *task)
{
    const struct cel_task *child = unjoined(task);

    cel__report_number(to, ((const struct cel__scope *)task->wait_on)->live);
    cel__report_str(to, " tasks of a scope to end");
    if (child == NULL)
        return;
    cel__report_str(to, ", such as ");
    cel__report_task(to, child);
}

static const struct cel__wait joining = {
    .what = "for ", .tell = tell_children, .blocker = unjoined, .on = CEL__ON_SCOPE};

void cel__scope_join_some(struct cel__scope *scope)
{
    struct cel_task *task = cel__task_here();

    if (cel__unlikely(scope->code == -CEL_EFORK))
        return;
    while (scope->live != 0) {
        scope->flags |= CEL__SCOPE_JOINING;
        cel__park(task, &joining, scope); /* parks */
    }
    free_handles(scope);
}

static void child_failed(struct cel__scope *scope, struct cel_task *child, int code)
{
    struct cel_error *error = cel__future_error(&child->future);
    const char *text = error != NULL ? error->text : cel_strerror(code);

    if (scope->flags & CEL__SCOPE_GROUP) {
        if (scope->error != 0)
            return;
        scope->error = code;
        if (scope->task != NULL && !child->future.was_awaited) {
            cel__error_give(scope->task, error);
            child->future.error = NULL;
        }
        cel__scope_cancel(scope, -ECANCELED);
        return;
    }
    if (child->future.is_detached && !child->future.was_awaited) {
        char site[CEL__SITE_MAX];

        cel__log(CEL_LOG_ERROR, "%s (%s) failed: %s", cel__task_name(child),
                 cel__task_site(child, site), text);
    }
}

void cel__scope_child_ended(struct cel__scope *scope, struct cel_task *child)
{
    int code = child->future.code;
    bool was_cancelled = code == -ECANCELED && child->own.code == -ECANCELED;

    scope->live--;
    if (code < 0 && !was_cancelled)
        child_failed(scope, child, code);
    if (scope->live == 0 && scope->flags & CEL__SCOPE_JOINING) {
        scope->flags &= (uint8_t)~CEL__SCOPE_JOINING;
        if (scope->task != NULL)
            cel__unpark(scope->task);
        else
            cel__loop_here->is_awaited = true; /* the root's, by the loop's close */
    }
}

static struct cel__timer *timer_of(struct cel_scope *scope)
{
    return (struct cel__timer *)(void *)scope->timer_;
}

static void expire(struct cel__timer *timer)
{
    struct cel_scope *scope = cel__container_of((void *)timer, struct cel_scope, timer_);

    if (scope->core.code != 0)
        return; /* something outside was first */
    scope->core.flags |= CEL__SCOPE_EXPIRED;
    cel__scope_cancel(&scope->core, -ETIMEDOUT);
}

static int64_t deadline_of(const struct cel_scope_options *options)
{
    int64_t timeout = options->timeout;

    if (options->deadline != 0)
        return options->deadline;
    if (timeout == 0 && options->is_shielded)
        timeout = SHIELD_MAX;
    return timeout != 0 ? cel__clock_add(cel_now(), timeout) : CEL_FOREVER;
}

void cel_scope_enter(struct cel_scope *scope, const struct cel_scope_options *options)
{
    static const struct cel_scope_options none;
    struct cel_task *task = cel__task_parking();
    uint8_t flags = 0;

    _Static_assert(sizeof(struct cel__timer) <= sizeof scope->timer_, "a timer fits");
    if (options == NULL)
        options = &none;
    if (options->is_group)
        flags |= CEL__SCOPE_GROUP;
    if (options->is_shielded)
        flags |= CEL__SCOPE_SHIELDED;
    cel__scope_open(&scope->core, task->scope, task, flags);
    task->scope = &scope->core;
    cel__timer_init(timer_of(scope), expire);
    cel_scope_set_deadline(scope, deadline_of(options));
}

void cel_scope_set_deadline(struct cel_scope *scope, int64_t deadline)
{
    struct cel__wheel *wheel = &cel__loop_here->wheel;

    cel__timer_cancel(wheel, timer_of(scope));
    if (deadline == CEL_FOREVER || scope->core.flags & CEL__SCOPE_EXPIRED)
        return;
    if (deadline <= cel_now())
        expire(timer_of(scope));
    else
        cel__timer_arm(wheel, timer_of(scope), deadline);
}

int cel_scope_leave(struct cel_scope *scope)
{
    struct cel__scope *core = &scope->core;

    if (!(core->flags & CEL__SCOPE_OPEN))
        return core->error;
    CEL__ASSERT(core->task != NULL && core->task == cel__task_here() && core->task->scope == core &&
                "scopes are left by their task, in reverse order");
    cel__scope_join(core); /* parks */
    cel__timer_cancel(&cel__loop_here->wheel, timer_of(scope));
    cel__scope_unlink(core);
    core->task->scope = core->parent;
    core->flags &= (uint8_t)~CEL__SCOPE_OPEN;
    return core->error;
}

void cel_scope_cancel(struct cel_scope *scope)
{
    if (scope->core.flags & CEL__SCOPE_OPEN)
        cel__scope_cancel(&scope->core, -ECANCELED);
}

bool cel_scope_expired(const struct cel_scope *scope)
{
    return (scope->core.flags & CEL__SCOPE_EXPIRED) != 0;
}

int cel_scope_error(const struct cel_scope *scope)
{
    return scope->core.error;
}
