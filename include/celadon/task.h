/* SPDX-License-Identifier: MIT */
#ifndef CELADON_TASK_H
#define CELADON_TASK_H

/* Tasks: straight-line code that parks instead of blocking its thread.
 *
 * A task runs on its own stack and never leaves its loop's thread. It is spawned into the scope
 * around it and ends before that scope does. Calls marked (parks) may suspend the calling task;
 * they must be made from a task, and each is a checkpoint: it returns -ECANCELED or -ETIMEDOUT at
 * once, before any effect, while a scope around it is cancelled or past its deadline. A result that
 * is there beats a cancel that comes at the same time: -ECANCELED means "it did not happen".
 *
 * Awaiting keeps two answers apart. The result of cel_await and its kin says how *my wait* ended:
 * 0, -ECANCELED or -ETIMEDOUT for me, or -CEL_EFAILED when what I awaited ended in failure. What it
 * failed with is told by cel_outcome and, in words, by cel_last_error.
 *
 * NULL, which a spawn, a future or an offload gives when memory is out, may be passed wherever
 * something is awaited, asked or cancelled: it counts as what is done and has failed with -ENOMEM.
 * So several can be spawned and gathered without a look at each.
 *
 * Tasks of one loop take turns at parking calls, and ready ones run in the order in which they
 * became ready. A task whose calls find their results at once is made to let go after 64 of them,
 * or after the call that brings it to 256 KiB moved; it then lets those that have become ready
 * since go first, except for a few of its kind in each turn of the loop. So nobody waits for all
 * that are busy, and nobody for ever. What a task computes between two calls is its own business:
 * see cel_yield.
 *
 * All functions belong to the loop's thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"
#include "celadon/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_task;
struct cel_future;

typedef void *cel_task_fn(void *arg);

/* Whatever can be awaited: pass a task or a future where this is asked for. */
#ifdef __cplusplus
union cel_awaitable {
    struct cel_future *future;
    struct cel_task *task;
    cel_awaitable(struct cel_future *f) : future(f)
    {
    }
    cel_awaitable(struct cel_task *t) : task(t)
    {
    }
};
union cel_awaitables {
    struct cel_future *const *futures;
    struct cel_task *const *tasks;
    cel_awaitables(struct cel_future *const *f) : futures(f)
    {
    }
    cel_awaitables(struct cel_task *const *t) : tasks(t)
    {
    }
};
#else
union cel_awaitable {
    struct cel_future *future;
    struct cel_task *task;
} __attribute__((transparent_union));
/* An array of one or the other. */
union cel_awaitables {
    struct cel_future *const *futures;
    struct cel_task *const *tasks;
    struct cel_future **futures_;
    struct cel_task **tasks_;
} __attribute__((transparent_union));
#endif

/* ---- running ---- */

/* Makes a loop, runs fn(arg) as its first task, closes the loop. *result (may be NULL) gets what fn
 * returned. The failure of the task is logged. Stack overflow is watched for (celadon/fiber.h). 0;
 * -CEL_EFAILED or the code the task failed with; -EDEADLK every task waits and nothing can wake
 * one; what cel_loop_new returns. */
CEL_PUBLIC CEL_NODISCARD int cel_run(cel_task_fn *fn, void *arg, void **result);
CEL_PUBLIC CEL_NODISCARD int cel_run_with(const struct cel_loop_options *options, cel_task_fn *fn,
                                          void *arg, void **result);

/* Not from a task: turns the loop until x is done. As cel_await, or -EDEADLK, or what cel_loop_turn
 * returns. */
CEL_PUBLIC CEL_NODISCARD int cel_loop_until(struct cel_loop *loop, union cel_awaitable x,
                                            void **value);

/* ---- tasks ---- */

struct cel_spawn_options {
    const char *name;        /* for people; static or outliving the task */
    size_t stack_size_bytes; /* 0: 64 KiB; from 16 KiB on, rounded up to a power of two */
    bool is_detached; /* nobody joins it: freed when it ends; its failure goes to the scope or the
                         log */
    bool in_root; /* belongs to the loop, not to the scope around: a background task, cancelled at
                     close */
    bool inherits_locals; /* begins with copies of the spawner's values (celadon/pool.h) */
};

/* Makes a task that will run fn(arg); never switches to it. It belongs to the scope around, or to
 * the loop outside of any task. The handle is valid until that scope ends, or cel_task_free or
 * cel_join took it.
 * -> NULL when memory is out: nothing was spawned, arg is still the caller's; awaiting NULL tells
 * -ENOMEM. */
#define cel_spawn(fn, arg) cel_spawn_at((fn), (arg), NULL, __FILE__, __LINE__)
#define cel_spawn_with(fn, arg, ...) \
    cel_spawn_at((fn), (arg), &(struct cel_spawn_options){__VA_ARGS__}, __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD struct cel_task *cel_spawn_at(cel_task_fn *fn, void *arg,
                                                       const struct cel_spawn_options *options,
                                                       const char *file, int line);

/* Spawns a task nobody will join. 0 or -ENOMEM: nothing was spawned. */
#define cel_go(fn, arg) cel_go_at((fn), (arg), false, __FILE__, __LINE__)
/* The same, as a background task of the loop. */
#define cel_background(fn, arg) cel_go_at((fn), (arg), true, __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD int cel_go_at(cel_task_fn *fn, void *arg, bool in_root, const char *file,
                                       int line);

/* The running task; NULL outside of tasks. */
CEL_PUBLIC struct cel_task *cel_task_current(void);
/* Its name, or "task". NULL is fine. */
CEL_PUBLIC const char *cel_task_name(const struct cel_task *task);
/* name must outlive the task. task may be NULL. */
CEL_PUBLIC void cel_task_set_name(struct cel_task *task, const char *name);
/* Cancels all that runs in the task: its parked call, if any, ends with -ECANCELED, and so does
 * each later one. The task runs on to its end. Fine on a task that has ended, twice, and on NULL.
 */
CEL_PUBLIC void cel_task_cancel(struct cel_task *task);
/* Was cel_task_cancel called, or a scope around cancelled. NULL: no. */
CEL_PUBLIC bool cel_task_is_cancelled(const struct cel_task *task);
/* Gives the handle up: frees an ended task now, a running one when it ends. NULL is fine. */
CEL_PUBLIC void cel_task_free(struct cel_task *task);
/* (parks) Awaits the task and frees it. As cel_await; after -ECANCELED or -ETIMEDOUT the handle is
 * still valid. NULL: -CEL_EFAILED, as of a task that failed with -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_join(struct cel_task *task, void **value);

/* (parks) Lets the others run: goes behind all that are ready. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL__DIRECT int cel_yield(void);
/* (parks) For at least `ns`; 0 or less: yields. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC int cel_sleep(int64_t ns);
/* (parks) Until cel_now() has reached `deadline` (ns); one that has passed: yields. 0, -ECANCELED,
 * -ETIMEDOUT. */
CEL_PUBLIC int cel_sleep_until(int64_t deadline);
/* Does not park: 0, or what a parking call would return now on account of the scopes around. */
CEL_PUBLIC int cel_checkpoint(void);

/* Runs fn(arg) when the current task ends, however it ends; last added, first run; shielded from
 * cancellation. The node is the caller's and must live until the task ends. */
struct cel_at_end {
    struct cel_at_end *next;
    void (*fn)(void *arg);
    void *arg;
};
CEL_PUBLIC void cel_task_at_end(struct cel_at_end *node, void (*fn)(void *arg), void *arg);

/* Runs fn(arg) when the block around is left, by whatever way: CEL_DEFER(close_it, it); */
struct cel__deferred {
    void (*fn)(void *arg);
    void *arg;
};
static inline void cel__deferred_run(struct cel__deferred *d)
{
    d->fn(d->arg);
}
#define CEL__JOIN2(a, b) a##b
#define CEL__JOIN(a, b)  CEL__JOIN2(a, b)
#define CEL_DEFER(fn, arg)                                                              \
    __attribute__((cleanup(cel__deferred_run), unused)) struct cel__deferred CEL__JOIN( \
        cel_deferred_, __COUNTER__) = {(fn), (arg)}

/* ---- failure ---- */

/* Marks the current task failed with `code` (negative) and the message, behind which the cause of
 * the last failed call stands if it left one. -> NULL, so that a task says `return cel_fail(r,
 * "reading %s", path);`. */
#define cel_fail(code, ...) cel_fail_at(__FILE__, __LINE__, (code), __VA_ARGS__)
CEL_PUBLIC void *cel_fail_at(const char *file, int line, int code, const char *fmt, ...)
    CEL_PRINTF(4, 5);
/* The same with the code and cause of the first of these that failed; of a NULL -ENOMEM. */
#define cel_fail_from(x, n, context) cel_fail_from_at(__FILE__, __LINE__, (x), (n), (context))
CEL_PUBLIC void *cel_fail_from_at(const char *file, int line, union cel_awaitables x, size_t n,
                                  const char *context);
/* What the last failing call of this task left; `code` is 0 when there is nothing. Never NULL.
 * Valid until the next call that may fail. */
CEL_PUBLIC const struct cel_error *cel_last_error(void);

/* ---- futures ---- */

/* A result that will come. Usable outside of tasks. Owner: the caller. NULL when memory is out. */
CEL_PUBLIC CEL_NODISCARD struct cel_future *cel_future_new(void);
/* Nobody may be waiting for it. NULL is fine. */
CEL_PUBLIC void cel_future_free(struct cel_future *future);
/* Each ends it: with a value, with a failure (code negative), or cancelled (-ECANCELED). 0;
 * -EALREADY: it was done, or is NULL. */
CEL_PUBLIC int cel_future_set(struct cel_future *future, void *value);
CEL_PUBLIC int cel_future_fail(struct cel_future *future, int code, const char *fmt, ...)
    CEL_PRINTF(3, 4);
CEL_PUBLIC int cel_future_cancel(struct cel_future *future);
/* Calls fn(arg) in a turn of the loop after x was done (in the next turn if it is); several in the
 * order of their asking. Who awaits x may go on before that, so arg must stay until the call has
 * come or is taken back. fn must not park. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_on_done(union cel_awaitable x, void (*fn)(void *arg), void *arg);
/* Takes back what cel_on_done and cel_link (celadon/pool.h) were asked with the same fn and arg,
 * also when x is done and the call is due: it does not come. -> how many it were. */
CEL_PUBLIC size_t cel_unlink(union cel_awaitable x, void (*fn)(void *arg), void *arg);

/* The future that a task is, for what takes only futures. NULL stays NULL. */
CEL_PUBLIC struct cel_future *cel_ensure(union cel_awaitable x);
/* It has ended, in whatever way; NULL has. */
CEL_PUBLIC bool cel_is_done(union cel_awaitable x);
/* -EINPROGRESS while pending; 0; or the code it failed with, of NULL -ENOMEM. */
CEL_PUBLIC int cel_outcome(union cel_awaitable x);
/* What it was set to; NULL while pending or failed, and of NULL. */
CEL_PUBLIC void *cel_value(union cel_awaitable x);

/* ---- awaiting ---- */

/* (parks) Until x is done. 0 and *value (may be NULL); -CEL_EFAILED; -ECANCELED or -ETIMEDOUT: my
 * wait ended, x goes on. NULL: -CEL_EFAILED at once. */
CEL_PUBLIC CEL_NODISCARD int cel_await(union cel_awaitable x, void **value);
/* (parks) The same; neither a cancel nor a deadline of the scopes around ends this wait (asyncio's
 * shield, from within). */
CEL_PUBLIC CEL_NODISCARD int cel_await_shielded(union cel_awaitable x, void **value);

/* (parks) All of them; values[i] (values may be NULL) is that of x[i]. When one fails, or my wait
 * is ended, the tasks among the others are cancelled, and it returns when all are done:
 * -CEL_EFAILED, -ECANCELED, -ETIMEDOUT. A NULL among them is one that failed. -ENOMEM only for n >
 * 16: nothing was awaited. */
CEL_PUBLIC CEL_NODISCARD int cel_gather(union cel_awaitables x, size_t n, void **values);
/* (parks) All of them to their end, failures too: outcomes[i] (may be NULL) is 0 or its code. Else
 * as cel_gather. */
CEL_PUBLIC CEL_NODISCARD int cel_gather_outcomes(union cel_awaitables x, size_t n, void **values,
                                                 int *outcomes);

enum cel_wait_for { CEL_WAIT_ALL, CEL_WAIT_FIRST, CEL_WAIT_FIRST_ERROR };

/* (parks) Until all are done, the first is, or the first has failed (or all are done). -> how many
 * are done. When my wait ends first, -ECANCELED or -ETIMEDOUT: nobody is cancelled, cel_is_done
 * tells which are done. n == 0: 0. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_wait(union cel_awaitables x, size_t n, enum cel_wait_for what);

/* In the order in which they end. */
struct cel_completed;
/* The array must stay until free. Owner: the caller. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_completed_new(struct cel_completed **out, union cel_awaitables x,
                                               size_t n);
/* (parks) -> index of the next that is done; -ENOENT when all were given; -ECANCELED, -ETIMEDOUT.
 */
CEL_PUBLIC CEL_NODISCARD int cel_completed_next(struct cel_completed *completed);
/* The awaited go on. NULL is fine. */
CEL_PUBLIC void cel_completed_free(struct cel_completed *completed);

/* ---- scopes ---- */

struct cel__scope {
    struct cel__scope *parent;
    struct cel_task
        *task; /* who opened it; for a task's own scope the task itself; NULL: the loop's root */
    void *inner[2]; /* ring of child tasks' scopes and of scopes opened inside */
    void *link[2];  /* in the parent's ring */
    int code;       /* 0, or what checkpoints inside return */
    unsigned live;  /* children that have not ended */
    int error;      /* first failure of a child, in a group or of a detached one */
    uint8_t flags;
    uint8_t
        refusals; /* parking calls that returned `code`, counted in debug mode up to the report */
};

struct cel_scope_options {
    int64_t timeout;  /* ns from now; 0: none */
    int64_t deadline; /* absolute; 0: none */
    bool is_group;    /* the first child that fails cancels the scope */
    bool is_shielded; /* cancels and deadlines from outside wait until it is left; bounded by its
                         own timeout, 5 s if none is given */
    char reserved_;
};

/* Storage is the caller's; the fields are not. */
struct cel_scope {
    struct cel__scope core;
    void *timer_[4];
};

/* Opens a scope in the current task; scopes are left in reverse order. */
CEL_PUBLIC void cel_scope_enter(struct cel_scope *scope, const struct cel_scope_options *options);
/* (parks) Joins the children, then closes; leaving twice is fine. 0, or the first failure of a
 * child of a group. What the scope knows can still be asked. */
CEL_PUBLIC int cel_scope_leave(struct cel_scope *scope);
/* Cancels all that runs inside. */
CEL_PUBLIC void cel_scope_cancel(struct cel_scope *scope);
/* Its own deadline passed while it was open and ended what ran inside. */
CEL_PUBLIC bool cel_scope_expired(const struct cel_scope *scope);
/* A new absolute deadline (CEL_FOREVER: none), also for one that is open. No effect once expired.
 */
CEL_PUBLIC void cel_scope_set_deadline(struct cel_scope *scope, int64_t deadline);
/* First failure of a child of a group: 0 or its code. */
CEL_PUBLIC int cel_scope_error(const struct cel_scope *scope);

static inline void cel__scope_cleanup(struct cel_scope *scope)
{
    (void)cel_scope_leave(scope);
}
static inline int cel__scope_begin(struct cel_scope *scope, struct cel_scope_options options)
{
    cel_scope_enter(scope, &options);
    return 1;
}
static inline int cel__scope_end(struct cel_scope *scope)
{
    (void)cel_scope_leave(scope);
    return 0;
}

/* CEL_SCOPE(name, .timeout = 2 * CEL_SECOND) { … }  `name` can be asked behind the block. `return`
 * inside leaves the scope too; `break` leaves the block, and the scope ends with the block around.
 * It declares `name`, so behind an `if` it stands in braces: compilers warn where it does not. */
#ifndef __cplusplus
#define CEL_SCOPE(...) CEL__SCOPE(__VA_ARGS__, .reserved_ = 0)
#endif
#define CEL__SCOPE(name, ...)                                                                \
    __attribute__((cleanup(cel__scope_cleanup))) struct cel_scope name;                      \
    for (int name##_open = cel__scope_begin(&name, (struct cel_scope_options){__VA_ARGS__}); \
         name##_open; name##_open = cel__scope_end(&name))

#ifdef __cplusplus
#define CEL_SCOPE(name, ...) CEL__SCOPE(name, __VA_ARGS__)
#endif

/* A task or a future becomes "whatever can be awaited" at each call of these, which is an extension
 * of the language: here it is said, so that -Wpedantic need not say it everywhere. */

#ifndef __cplusplus
#define cel_loop_until(...)      (__extension__ cel_loop_until(__VA_ARGS__))
#define cel_fail_from_at(...)    (__extension__ cel_fail_from_at(__VA_ARGS__))
#define cel_on_done(...)         (__extension__ cel_on_done(__VA_ARGS__))
#define cel_unlink(...)          (__extension__ cel_unlink(__VA_ARGS__))
#define cel_ensure(...)          (__extension__ cel_ensure(__VA_ARGS__))
#define cel_is_done(...)         (__extension__ cel_is_done(__VA_ARGS__))
#define cel_outcome(...)         (__extension__ cel_outcome(__VA_ARGS__))
#define cel_value(...)           (__extension__ cel_value(__VA_ARGS__))
#define cel_await(...)           (__extension__ cel_await(__VA_ARGS__))
#define cel_await_shielded(...)  (__extension__ cel_await_shielded(__VA_ARGS__))
#define cel_gather(...)          (__extension__ cel_gather(__VA_ARGS__))
#define cel_gather_outcomes(...) (__extension__ cel_gather_outcomes(__VA_ARGS__))
#define cel_wait(...)            (__extension__ cel_wait(__VA_ARGS__))
#define cel_completed_new(...)   (__extension__ cel_completed_new(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif

#endif
