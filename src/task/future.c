/* SPDX-License-Identifier: MIT */
/* One result or failure, many who wait. A future ends once; who waits is woken in the order of
 * coming, by readying a task or queueing a callback (link.c): no code of the program runs inside
 * `set`. */
#include "task/future.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "task/tell.h"
#include "task/error.h"
#include "task/wait.h"

struct cel_future *cel_future_new(void)
{
    struct cel_future *f = cel__mem_alloc(sizeof *f);

    if (f != NULL)
        cel__future_init(f);
    return f;
}

void cel__future_end(struct cel_future *f, void *value, int code, struct cel_error *error)
{
    struct cel__list *node;

    f->state = CEL__DONE;
    f->code = code;
    if (code < 0)
        f->error = error;
    else
        f->value = value;
    while ((node = cel__list_pop(&f->waiters)) != NULL) {
        struct cel__waiter *waiter = cel__container_of(node, struct cel__waiter, link);

        waiter->wake(waiter);
    }
}

int cel_future_set(struct cel_future *future, void *value)
{
    if (cel__future_is_done(future))
        return -EALREADY;
    cel__future_end(future, value, 0, NULL);
    return 0;
}

int cel_future_fail(struct cel_future *future, int code, const char *fmt, ...)
{
    char text[sizeof((struct cel_error *)0)->text];
    va_list va;

    CEL__ASSERT(code < 0);
    if (cel__future_is_done(future))
        return -EALREADY;
    va_start(va, fmt);
    vsnprintf(text, sizeof text, fmt, va);
    va_end(va);
    cel__future_end(future, NULL, code, cel__error_new(__FILE__, __LINE__, code, text));
    return 0;
}

/* A task that waits for one future. */
struct sleeper {
    struct cel__waiter waiter;
    const struct cel_future *future;
    struct cel_task *task;
    int code;
};

static void wake_sleeper(struct cel__waiter *waiter)
{
    cel__unpark(cel__container_of(waiter, struct sleeper, waiter)->task);
}

static void interrupt_sleeper(struct cel_task *task, int code)
{
    struct sleeper *s = task->wait_on;

    if (cel__list_is_empty(&s->waiter.link))
        return; /* done already: the result stands */
    cel__list_unlink(&s->waiter.link);
    s->code = code;
    cel__unpark(task);
}

static const struct cel_task *awaited_task(const struct cel_task *task)
{
    const struct cel_future *f = ((const struct sleeper *)task->wait_on)->future;

    return f->is_task ? (const struct cel_task *)f : NULL;
}

static void tell_elsewhere(struct cel__report *to, const struct cel__elsewhere *it)
{
    cel__report_str(to, "a task of the loop ");
    cel__report_hex(to, (uintptr_t)it->there);
    cel__report_str(to, " (spawned at ");
    cel__report_str(to, it->file);
    cel__report_str(to, ":");
    cel__report_number(to, it->line);
    cel__report_str(to, ")");
}

static void tell_awaited(struct cel__report *to, const struct cel_task *task)
{
    const struct cel_future *f = ((const struct sleeper *)task->wait_on)->future;

    if (f->is_task)
        cel__report_task(to, (const struct cel_task *)f);
    else if (f->is_elsewhere)
        tell_elsewhere(to, (const struct cel__elsewhere *)f);
    else
        cel__report_str(to, f->is_job ? "a job" : f->is_promised ? "a promise" : "a future");
    if (f->is_task || f->is_elsewhere)
        return;
    cel__report_str(to, " at ");
    cel__report_hex(to, (uintptr_t)f);
}

static const struct cel__wait awaiting = {.what = "awaiting ",
                                          .interrupt = interrupt_sleeper,
                                          .tell = tell_awaited,
                                          .blocker = awaited_task,
                                          .on = CEL__ON_FUTURE,
                                          .at = offsetof(struct sleeper, future)};
static const struct cel__wait awaiting_shielded = {.what = "awaiting, shielded: ",
                                                   .tell = tell_awaited,
                                                   .blocker = awaited_task,
                                                   .on = CEL__ON_FUTURE,
                                                   .at = offsetof(struct sleeper, future)};

int cel__future_wait(struct cel_future *f, bool is_shielded)
{
    struct cel_task *task = cel__task_parking();
    struct sleeper s = {.waiter.wake = wake_sleeper, .future = f, .task = task};
    int code = is_shielded && task->scope->code != -CEL_EFORK ? 0 : cel__checkpoint(task);

    if (code != 0 || cel__future_is_done(f))
        return code;
    cel__list_append(&f->waiters, &s.waiter.link);
    cel__park(task, is_shielded ? &awaiting_shielded : &awaiting, &s); /* parks */
    return s.code;
}

int cel__future_take(struct cel_future *f, void **value)
{
    if (f == NULL) {
        (void)cel__raise(-ENOMEM, NULL, "what is awaited could not be made: %s",
                         cel_strerror(-ENOMEM));
        return -CEL_EFAILED;
    }
    f->was_awaited = 1;
    if (f->code == 0) {
        if (value != NULL)
            *value = f->value;
        return 0;
    }
    if (cel__future_error(f) != NULL && cel__task_here() != NULL) {
        cel__error_give(cel__task_here(), f->error);
        f->error = NULL;
    }
    return -CEL_EFAILED;
}

struct cel_future *(cel_ensure)(union cel_awaitable x)
{
    return x.future; /* a task's address is that of the future it begins with */
}

bool(cel_is_done)(union cel_awaitable x)
{
    return cel__future_is_done(cel_ensure(x));
}

int(cel_outcome)(union cel_awaitable x)
{
    struct cel_future *f = cel_ensure(x);

    return cel__future_is_done(f) ? cel__future_code(f) : -EINPROGRESS;
}

void *(cel_value)(union cel_awaitable x)
{
    struct cel_future *f = cel_ensure(x);

    return cel__future_is_done(f) && cel__future_code(f) == 0 ? f->value : NULL;
}

int(cel_await)(union cel_awaitable x, void **value)
{
    struct cel_future *f = cel_ensure(x);
    int r = cel__future_wait(f, false); /* parks */

    return r < 0 ? r : cel__future_take(f, value);
}

int(cel_await_shielded)(union cel_awaitable x, void **value)
{
    struct cel_future *f = cel_ensure(x);

    int r = cel__future_wait(f, true); /* parks */

    return r < 0 ? r : cel__future_take(f, value); /* < 0: the child of a fork */
}
