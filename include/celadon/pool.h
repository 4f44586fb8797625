/* SPDX-License-Identifier: MIT */
#ifndef CELADON_POOL_H
#define CELADON_POOL_H

/* Green threads in numbers: pools, maps, piles, links, values of a task's own.
 *
 * What gevent and eventlet programs are built from, on the tasks of celadon/task.h. All functions
 * belong to the loop's thread. Calls marked (parks) are checkpoints and obey the deadlines of the
 * scopes around them; none takes a timeout. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- single tasks ---- */

/* A task that runs fn(arg) once `delay` ns have passed. Cancelled before that, it ends with
 * -ECANCELED and fn is never called; arg is the caller's then. -> as cel_spawn. */
#define cel_spawn_later(delay, fn, arg) cel_spawn_later_at((delay), (fn), (arg), __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD struct cel_task *cel_spawn_later_at(int64_t delay, cel_task_fn *fn,
                                                             void *arg, const char *file, int line);

/* (parks) Cancels the task and waits until it has ended, however it ends. It is cancelled even when
 * the wait is cut short. Not for the current task; NULL has ended. 0; -ECANCELED, -ETIMEDOUT: it
 * may still run. The handle stays valid. */
CEL_PUBLIC CEL_NODISCARD int cel_kill(struct cel_task *task);
/* (parks) The same for all of them: all are cancelled before any is waited for. -ENOMEM only for
 * n > 16: all are cancelled and none was waited for. */
CEL_PUBLIC CEL_NODISCARD int cel_kill_all(struct cel_task *const *tasks, size_t n);

/* (parks) Waits until all have ended, or, with `until_error`, until one has failed. Nobody is
 * cancelled, the handles stay valid. 0; -CEL_EFAILED: one has failed, and cel_last_error tells of
 * the first in the list that has; -ECANCELED, -ETIMEDOUT, -ENOMEM as cel_wait. */
CEL_PUBLIC CEL_NODISCARD int cel_join_all(struct cel_task *const *tasks, size_t n,
                                          bool until_error);

/* (parks) Runs fn(arg) as a task that is cancelled after `ns`, and waits until it has ended. 0 and
 * *result when it returned in time, or too late with something other than NULL; else *result is
 * what it was before, the value for that case: -ETIMEDOUT; -CEL_EFAILED fn failed, see
 * cel_last_error; -ECANCELED; -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_with_timeout(int64_t ns, cel_task_fn *fn, void *arg,
                                              void **result);

enum cel_link_when { CEL_LINK_ANY, CEL_LINK_VALUE, CEL_LINK_FAILURE };

/* Calls fn(arg) in a turn of the loop after x has ended, if it ended that way: with a value, with a
 * failure (being cancelled is one), or either. Must not park. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_link(union cel_awaitable x, enum cel_link_when when,
                                      void (*fn)(void *arg), void *arg);

/* ---- pools ---- */

struct cel_pool;

/* At most `size` tasks at a time (0: none until it is resized). Owner: the caller, until
 * cel_pool_free. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_pool_new(struct cel_pool **out, size_t size);
/* No task of it may run, nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_pool_free(struct cel_pool *pool);

/* (parks) Waits for a free slot, first come first served, and spawns there, into the scope around,
 * as cel_spawn does. The slot is free again when the task and its children have ended. *task (may
 * be NULL: then as cel_go) gets the handle. 0; -ENOMEM, -ECANCELED, -ETIMEDOUT: nothing was
 * spawned. A task of a full pool that spawns into that pool waits too, for another one to end. */
#define cel_pool_spawn(pool, fn, arg, task) \
    cel_pool_spawn_at((pool), (fn), (arg), (task), __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD int cel_pool_spawn_at(struct cel_pool *pool, cel_task_fn *fn, void *arg,
                                               struct cel_task **task, const char *file, int line);
/* Does not park. -EAGAIN: no slot is free. */
#define cel_pool_try_spawn(pool, fn, arg, task) \
    cel_pool_try_spawn_at((pool), (fn), (arg), (task), __FILE__, __LINE__)
CEL_PUBLIC CEL_NODISCARD int cel_pool_try_spawn_at(struct cel_pool *pool, cel_task_fn *fn,
                                                   void *arg, struct cel_task **task,
                                                   const char *file, int line);

/* Slots, of which 0 or more are free; tasks in it; tasks that wait to spawn. */
CEL_PUBLIC size_t cel_pool_size(const struct cel_pool *pool);
CEL_PUBLIC size_t cel_pool_free_count(const struct cel_pool *pool);
CEL_PUBLIC size_t cel_pool_running(const struct cel_pool *pool);
CEL_PUBLIC size_t cel_pool_waiting(const struct cel_pool *pool);
/* More slots go to who waits; fewer take effect as tasks end. */
CEL_PUBLIC void cel_pool_resize(struct cel_pool *pool, size_t size);

/* (parks) Until a slot is free, without taking it. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_pool_wait_available(struct cel_pool *pool);
/* (parks) Until no task is in it. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_pool_join(struct cel_pool *pool);
/* (parks) Cancels what runs in it now, then waits as cel_pool_join; they are cancelled even when
 * the wait is cut short. */
CEL_PUBLIC CEL_NODISCARD int cel_pool_kill(struct cel_pool *pool);

/* ---- maps ---- */

/* (parks) results[i] = fn(items[i]) for all n, at most `width` at a time (0: all at once), begun in
 * their order. results may be NULL. The calls are made in tasks, several one after the other in the
 * same one. The first that fails cancels the others. 0; -CEL_EFAILED: one has failed, see
 * cel_last_error; -ECANCELED, -ETIMEDOUT; -ENOMEM. When it returns none of them runs; results of
 * calls that did not succeed are NULL. */
CEL_PUBLIC CEL_NODISCARD int cel_map(cel_task_fn *fn, void *const *items, size_t n, size_t width,
                                     void **results);
/* (parks) The same, each called with the address of its element: an array of structs that hold
 * the arguments. */
CEL_PUBLIC CEL_NODISCARD int cel_starmap(cel_task_fn *fn, void *elements, size_t element_bytes,
                                         size_t n, size_t width, void **results);

struct cel_imap;

struct cel_imap_options {
    size_t width;      /* calls at a time, and results ahead of the reader; 0: 16 */
    bool is_unordered; /* results in the order in which they come */
};

/* Results one by one of an endless or unknown number of items. next_item(arg, &item) gives the next
 * one: 1; 0: there is none; a negative code: there is none, and why. It is called when a result is
 * asked for and there is room, must not park, and is not called again after an end. Each call of fn
 * is a task of its own in the scope in which cel_imap_new was called; that scope must not be left
 * before cel_imap_free. options may be NULL. Nothing runs before cel_imap_next. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_imap_new(struct cel_imap **out, cel_task_fn *fn,
                                          int (*next_item)(void *arg, void **item), void *arg,
                                          const struct cel_imap_options *options);
/* (parks) The next result, in the order of the items unless it is unordered. 1 and *value; 0: all
 * were given; -CEL_EFAILED: this one failed, see cel_last_error, and the next can be asked for;
 * what next_item ended with, once, when all before it were given; -ECANCELED, -ETIMEDOUT: none was
 * taken; -ENOMEM: no call could be begun. */
CEL_PUBLIC CEL_NODISCARD int cel_imap_next(struct cel_imap *imap, void **value);
/* (parks) Cancels the calls that run and waits for their end, shielded from cancels. NULL is fine.
 */
CEL_PUBLIC void cel_imap_free(struct cel_imap *imap);

/* ---- piles ---- */

struct cel_pile;

/* Tasks put on a heap one by one, and taken off with their results in that order. They run in the
 * pool (NULL: as many as there are), which must outlive it, and belong to the scope in which
 * cel_pile_new was called, which must not be left before cel_pile_free. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_pile_new(struct cel_pile **out, struct cel_pool *pool);
/* (parks) Spawns fn(arg), when the pool has room. 0; -ENOMEM, -ECANCELED, -ETIMEDOUT: it was not
 * spawned. */
CEL_PUBLIC CEL_NODISCARD int cel_pile_spawn(struct cel_pile *pile, cel_task_fn *fn, void *arg);
/* (parks) The result of the oldest. 0 and *value (may be NULL); -CEL_EFAILED: it failed, see
 * cel_last_error; -ENOENT: the pile is empty; -ECANCELED, -ETIMEDOUT: it is still on the pile. */
CEL_PUBLIC CEL_NODISCARD int cel_pile_next(struct cel_pile *pile, void **value);
/* (parks) Cancels those on it and waits for their end, shielded from cancels. NULL is fine. */
CEL_PUBLIC void cel_pile_free(struct cel_pile *pile);

/* ---- values of a task's own ---- */

/* A key, static or outliving the tasks that use it. */
struct cel_local {
    /* Of a task's value when the task ends or sets another; NULL: none. Shielded; may park at the
     * task's end. Runs after the task's other at-end functions. */
    void (*destroy)(void *value);
    /* What a task spawned with `inherits_locals` gets; NULL from it: memory is out. Without a copy
     * the pointer itself is handed on if there is no destroy either, else nothing is. */
    void *(*copy)(void *value);
};

/* Of the current task. NULL where nothing was set, and outside of tasks. */
CEL_PUBLIC void *cel_local_get(const struct cel_local *key);
/* For the current task. The value before it is destroyed. -ENOMEM: that one stays. */
CEL_PUBLIC CEL_NODISCARD int cel_local_set(const struct cel_local *key, void *value);

/* As at the end of celadon/task.h. */

#ifndef __cplusplus
#define cel_link(...) (__extension__ cel_link(__VA_ARGS__))
#endif

#ifdef __cplusplus
}
#endif

#endif
