/* SPDX-License-Identifier: MIT */
#ifndef CELADON_COMPOSE_H
#define CELADON_COMPOSE_H

/* What remains of asyncio's face: races, shields, chained futures, scheduled calls, the list of
 * tasks, and calling into a loop from threads that have none.
 *
 * Unless "any thread" is said, the functions belong to the loop's thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- races and shields ---- */

/* (parks) Until the first of them is done; then, or when my wait is ended, the tasks among the
 * others are cancelled, and it returns when they have ended. -> the index of the first, and *value
 * (may be NULL); -CEL_EFAILED: the first to be done failed, see cel_last_error; -ECANCELED,
 * -ETIMEDOUT; -ENOMEM: nobody was awaited or cancelled. n > 0. */
CEL_PUBLIC CEL_NODISCARD int cel_race(union cel_awaitables x, size_t n, void **value);
/* (parks) The same, until the first that is done with a value. -CEL_EFAILED: all have failed, and
 * cel_last_error tells of the last one. */
CEL_PUBLIC CEL_NODISCARD int cel_race_success(union cel_awaitables x, size_t n, void **value);

/* When `from` is done, `to` is done in the same way, unless it is done already; that does not reach
 * `from`. A failure's words are copied. -ENOMEM: they are not chained. */
CEL_PUBLIC CEL_NODISCARD int cel_chain(union cel_awaitable from, struct cel_future *to);
/* A future chained behind x: cancelling or losing it leaves x alone. Owner: the caller, until
 * cel_future_free; one that is pending must be cancelled first. NULL when memory is out. */
CEL_PUBLIC CEL_NODISCARD struct cel_future *cel_shield(union cel_awaitable x);

/* ---- scheduled calls ---- */

/* A call to come. Storage is the caller's, all zero at first, and must stay while it is pending. */
struct cel_call {
    struct cel_timer timer_;
    void *soon_[3];
    struct cel_loop *loop_;
    int64_t when_;
    void (*fn_)(void *arg);
    void *arg_;
};

/* fn(arg) in the next turn of the loop; calls that are due in the same turn come in the order in
 * which they were scheduled. Must not park. A pending call is moved. */
CEL_PUBLIC void cel_call_soon(struct cel_call *call, void (*fn)(void *arg), void *arg);
/* The same, in `ns` from now. */
CEL_PUBLIC void cel_call_later(struct cel_call *call, int64_t ns, void (*fn)(void *arg), void *arg);
/* The same, when cel_now() has reached the instant. */
CEL_PUBLIC void cel_call_at(struct cel_call *call, int64_t when, void (*fn)(void *arg), void *arg);
/* -> whether it was pending, and will not come. Fine at any time. */
CEL_PUBLIC bool cel_call_cancel(struct cel_call *call);
/* The instant for which it is or was scheduled; 0 for cel_call_soon. */
CEL_PUBLIC int64_t cel_call_when(const struct cel_call *call);

/* ---- looking at tasks ---- */

/* Fills `out` with up to `max` of the loop's tasks that have not ended, in no order. -> how many
 * there are. The pointers are good until the caller parks. */
CEL_PUBLIC size_t cel_all_tasks(struct cel_task **out, size_t max);
/* One line about a task, cut to `size` bytes with its NUL: its name, state, where it was spawned.
 * -> as snprintf. */
CEL_PUBLIC int cel_task_repr(const struct cel_task *task, char *buf, size_t size);

/* ---- from other threads ---- */

/* A task that a thread without a loop has asked for. */
struct cel_remote;

/* (any thread) Asks the loop to run fn(arg) as a background task. The loop must not be freed
 * meanwhile; hold it (cel_loop_hold) where it may have nothing else to do. Owner of *out: the
 * caller, until cel_remote_free. -ENOMEM: fn will not be called. */
CEL_PUBLIC CEL_NODISCARD int cel_remote_spawn(struct cel_remote **out, struct cel_loop *loop,
                                              cel_task_fn *fn, void *arg);
/* (any thread but the loop's) Blocks the thread until the task has ended, for `ns` at most
 * (CEL_FOREVER). 0 and *result (may be NULL); -CEL_EFAILED: see cel_remote_error; -ETIMEDOUT: it
 * goes on, and can be waited for again. */
CEL_PUBLIC CEL_NODISCARD int cel_remote_wait(struct cel_remote *remote, int64_t ns, void **result);
/* (any thread) Cancels the task, now or as soon as it begins; it runs to its end. */
CEL_PUBLIC void cel_remote_cancel(struct cel_remote *remote);
/* (any thread) What the task failed with, after cel_remote_wait; `code` is 0 otherwise. -ENOMEM: it
 * could not be made; -CEL_ECLOSED: the loop was closed before. Good until cel_remote_free. */
CEL_PUBLIC const struct cel_error *cel_remote_error(const struct cel_remote *remote);
/* (any thread) Gives it up: the task goes on, its result is dropped. NULL is fine. */
CEL_PUBLIC void cel_remote_free(struct cel_remote *remote);

/* As at the end of celadon/task.h. */

#ifndef __cplusplus
#define cel_race(...)         (__extension__ cel_race(__VA_ARGS__))
#define cel_race_success(...) (__extension__ cel_race_success(__VA_ARGS__))
#define cel_chain(...)        (__extension__ cel_chain(__VA_ARGS__))
#define cel_shield(...)       (__extension__ cel_shield(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif

#endif
