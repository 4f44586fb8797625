/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SHARED_H
#define CELADON_SHARED_H

/* Waiting across loops and threads: permits, a flag and a queue that all threads of a process use
 * at once.
 *
 * All calls may be made by any thread. Those marked (waits) park the calling task when it has to
 * wait, whatever its loop; on a thread without a loop they block the thread, and know no cancel.
 * They must not be made from a callback of a loop. Who waits is served first come, first served,
 * whatever thread it is on, and what is given to it is its own at once; so a wait may take a
 * wake-up of another thread, which costs microseconds where that sleeps: what stays on one loop is
 * better off with celadon/sync.h and celadon/queue.h. In a task they are checkpoints: after
 * -ECANCELED or -ETIMEDOUT nothing was taken or put; what was granted at the same time as a cancel
 * is kept, and the call returns 0. While a task waits its loop reports no deadlock, since any
 * thread may end the wait.
 *
 * Each object is made by its _new (owner: the caller) and freed by any thread when nobody waits
 * for it and no call on it is under way. */

#include <stdbool.h>
#include <stddef.h>

#include "celadon/base.h"
#include "celadon/queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- semaphore ---- */

/* Permits: so many of a thing at a time in the whole process. With one it is a lock; better hold it
 * over no call that parks, since it keeps whole loops waiting. */
struct cel_shared_sem;

/* `count` permits to begin with. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_sem_new(struct cel_shared_sem **out, size_t count);
/* NULL is fine. */
CEL_PUBLIC void cel_shared_sem_free(struct cel_shared_sem *sem);
/* (waits) Takes one permit. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_sem_acquire(struct cel_shared_sem *sem);
/* Does not wait: whether there was one. */
CEL_PUBLIC CEL_NODISCARD bool cel_shared_sem_try(struct cel_shared_sem *sem);
/* Gives one back, or one more: to the first in line, or for who comes. */
CEL_PUBLIC void cel_shared_sem_release(struct cel_shared_sem *sem);
/* Permits that were free a moment ago. */
CEL_PUBLIC size_t cel_shared_sem_count(struct cel_shared_sem *sem);

/* ---- event ---- */

/* A flag that tasks and threads wait for. */
struct cel_shared_event;

/* Not set. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_event_new(struct cel_shared_event **out);
/* NULL is fine. */
CEL_PUBLIC void cel_shared_event_free(struct cel_shared_event *event);
/* (waits) Until it is set. 0, also when it was cleared again before the caller got to run;
 * -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_event_wait(struct cel_shared_event *event);
/* Wakes all that wait; who comes later does not wait. */
CEL_PUBLIC void cel_shared_event_set(struct cel_shared_event *event);
/* Who comes from here on waits. */
CEL_PUBLIC void cel_shared_event_clear(struct cel_shared_event *event);
CEL_PUBLIC bool cel_shared_event_is_set(struct cel_shared_event *event);

/* ---- queue ---- */

/* Pointers from those who make work to those who do it, on whatever threads they are. */
struct cel_shared_queue;

/* As cel_queue_new; options may be NULL: FIFO, not bounded. `compare` and `drop` are called by the
 * thread whose call needs them; `compare` must not use the queue. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_new(struct cel_shared_queue **out,
                                                  const struct cel_queue_options *options);
/* What is in it is dropped. NULL is fine. */
CEL_PUBLIC void cel_shared_queue_free(struct cel_shared_queue *queue);
/* (waits) For room, then puts the item. 0; -EPIPE shut down; -ENOMEM; -ECANCELED, -ETIMEDOUT; after
 * an error the item is still the caller's. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_put(struct cel_shared_queue *queue, void *item);
/* (waits) For an item. 0 and *item; -EPIPE shut down and empty; -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_get(struct cel_shared_queue *queue, void **item);
/* Does not wait. -EAGAIN: full; else as cel_shared_queue_put. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_try_put(struct cel_shared_queue *queue, void *item);
/* Does not wait. -EAGAIN: empty; else as cel_shared_queue_get. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_try_get(struct cel_shared_queue *queue, void **item);
/* An item that was got has been dealt with. More often than items were put is asserted. */
CEL_PUBLIC void cel_shared_queue_task_done(struct cel_shared_queue *queue);
/* (waits) Until each item that was put has been dealt with. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_join(struct cel_shared_queue *queue);
/* As cel_queue_shutdown: nothing can be put any more, who waits to put gets -EPIPE; what is in it
 * can still be got, unless `is_immediate`: then it is dropped, and counts as dealt with. Twice is
 * fine. */
CEL_PUBLIC void cel_shared_queue_shutdown(struct cel_shared_queue *queue, bool is_immediate);
/* Items that were in it a moment ago. */
CEL_PUBLIC size_t cel_shared_queue_count(struct cel_shared_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
