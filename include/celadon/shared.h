/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SHARED_H
#define CELADON_SHARED_H

/* What tasks of several loops wait for each other with: locks, conditions, semaphores, events,
 * countdowns, queues. celadon/sync.h and celadon/queue.h have the same for one loop, at an eighth
 * of the cost; these may be used by all loops of the process at once, and each parks the task,
 * never its thread.
 *
 * Each but the queue is a struct of the caller's, ready when it is all zero or set to its
 * CEL_…_INIT, and needs no end; the memory may go when no call on it is under way. Who waits is
 * served first come, first served, wherever it runs, and nobody overtakes: what is given back while
 * somebody waits goes to the first in line, at once. Calls marked (parks) come from a task of any
 * loop or, but for locks and conditions, from a thread without a loop, which sleeps. In a task they
 * are checkpoints: -ECANCELED or -ETIMEDOUT, and then nothing was taken. What was granted
 * at the same time as a cancel is kept: the call returns 0, and the next checkpoint tells of the
 * cancel. While a task waits its loop does, too: that others might never come is no deadlock that a
 * loop could see.
 *
 * "Any thread" means that no loop is needed, and callbacks of a loop may call it. Misuse is
 * asserted, as in celadon/sync.h. */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "celadon/queue.h"
#include "celadon/sync.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- lock ---- */

/* Held by one task at a time, which must release it before it ends. It may park meanwhile. */
struct cel_shared_lock {
    pthread_mutex_t mutex_;
    struct cel_task *owner_;
    struct cel_line line_;
};

#define CEL_SHARED_LOCK_INIT                           \
    {                                                  \
        PTHREAD_MUTEX_INITIALIZER, NULL, CEL_LINE_INIT \
    }

/* (parks) 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_lock_acquire(struct cel_shared_lock *lock);
/* Does not park; from a task: whether the lock was free, and is the current task's now. */
CEL_PUBLIC CEL_NODISCARD bool cel_shared_lock_try(struct cel_shared_lock *lock);
/* Does not park; by its owner. The first in line owns it from here on. */
CEL_PUBLIC void cel_shared_lock_release(struct cel_shared_lock *lock);

/* ---- condition ---- */

/* Something that may have changed while a lock was not held. */
struct cel_shared_cond {
    pthread_mutex_t mutex_;
    struct cel_line line_;
};

#define CEL_SHARED_COND_INIT                     \
    {                                            \
        PTHREAD_MUTEX_INITIALIZER, CEL_LINE_INIT \
    }

/* (parks) Releases the lock, waits to be notified, takes the lock again; who notifies between the
 * two is not missed. The caller holds the lock before and after, whatever is returned: taking it
 * again is not cut short by cancels or deadlines. 0: notified; what was waited for must be looked
 * at again. -ECANCELED, -ETIMEDOUT: not notified. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_cond_wait(struct cel_shared_cond *cond,
                                                  struct cel_shared_lock *lock);
/* (any thread) Does not park. Wakes the first `n` that wait (SIZE_MAX: all). -> how many it woke.
 * The lock need not be held. */
CEL_PUBLIC size_t cel_shared_cond_notify(struct cel_shared_cond *cond, size_t n);

/* ---- semaphore ---- */

/* A number of permits, which belong to nobody in particular. */
struct cel_shared_sem {
    pthread_mutex_t mutex_;
    size_t count_;
    struct cel_line line_;
};

#define CEL_SHARED_SEM_INIT(count)                        \
    {                                                     \
        PTHREAD_MUTEX_INITIALIZER, (count), CEL_LINE_INIT \
    }

/* (parks) Takes one permit. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_sem_acquire(struct cel_shared_sem *sem);
/* (any thread) Does not park: whether there was one and nobody waits for it. */
CEL_PUBLIC CEL_NODISCARD bool cel_shared_sem_try(struct cel_shared_sem *sem);
/* (any thread) Does not park. Gives one back, or one more. */
CEL_PUBLIC void cel_shared_sem_release(struct cel_shared_sem *sem);

/* ---- event ---- */

/* A flag that can be waited for. */
struct cel_shared_event {
    pthread_mutex_t mutex_;
    bool is_set_;
    struct cel_line line_;
};

#define CEL_SHARED_EVENT_INIT                           \
    {                                                   \
        PTHREAD_MUTEX_INITIALIZER, false, CEL_LINE_INIT \
    }

/* (parks) Until it is set. 0, also when it was cleared again before the caller got to run;
 * -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_event_wait(struct cel_shared_event *event);
/* (any thread) Does not park. Wakes all that wait; who comes later does not wait. */
CEL_PUBLIC void cel_shared_event_set(struct cel_shared_event *event);
/* (any thread) Does not park. Who comes from here on waits. */
CEL_PUBLIC void cel_shared_event_clear(struct cel_shared_event *event);
/* (any thread) Does not park. */
CEL_PUBLIC bool cel_shared_event_is_set(struct cel_shared_event *event);

/* ---- countdown ---- */

/* A number of things still to come; also known as a wait group. */
struct cel_shared_countdown {
    pthread_mutex_t mutex_;
    size_t count_;
    struct cel_line line_;
};

#define CEL_SHARED_COUNTDOWN_INIT(count)                  \
    {                                                     \
        PTHREAD_MUTEX_INITIALIZER, (count), CEL_LINE_INIT \
    }

/* (any thread) Does not park. `n` more are to come. */
CEL_PUBLIC void cel_shared_countdown_add(struct cel_shared_countdown *countdown, size_t n);
/* (any thread) Does not park. One has come; the last one wakes all that wait. More than were to
 * come is asserted. */
CEL_PUBLIC void cel_shared_countdown_done(struct cel_shared_countdown *countdown);
/* (parks) Until none is to come. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_countdown_wait(struct cel_shared_countdown *countdown);

/* ---- queue ---- */

/* Pointers from those who make work to those who do it, on whatever loop. */
struct cel_shared_queue;

/* (any thread) As cel_queue_new. `compare` runs on whatever thread puts or gets, one at a time, and
 * must not come back here; `drop` runs where the queue is shut down or freed. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_new(struct cel_shared_queue **out,
                                                  const struct cel_queue_options *options);
/* (any thread) NULL is fine. No call on it may be under way; what is in it is dropped. */
CEL_PUBLIC void cel_shared_queue_free(struct cel_shared_queue *queue);
/* (parks) Waits for room, then puts the item. 0; -EPIPE shut down; -ENOMEM; -ECANCELED, -ETIMEDOUT;
 * after an error the item is still the caller's. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_put(struct cel_shared_queue *queue, void *item);
/* (parks) Waits for an item. 0 and *item; -EPIPE shut down and empty; -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_get(struct cel_shared_queue *queue, void **item);
/* (any thread) Neither parks nor is a checkpoint. -EAGAIN: full; else as cel_shared_queue_put. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_try_put(struct cel_shared_queue *queue, void *item);
/* (any thread) The same, getting. -EAGAIN: empty. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_try_get(struct cel_shared_queue *queue, void **item);
/* (any thread) Does not park. An item that was got has been dealt with. More often than items were
 * put is asserted. */
CEL_PUBLIC void cel_shared_queue_task_done(struct cel_shared_queue *queue);
/* (parks) Until each item that was put has been dealt with. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_shared_queue_join(struct cel_shared_queue *queue);
/* (any thread) Does not park. Nothing can be put any more, and who waits to put gets -EPIPE. What
 * is in it can still be got, unless `is_immediate`: then it is dropped, and counts as dealt with.
 * Twice is fine. */
CEL_PUBLIC void cel_shared_queue_shutdown(struct cel_shared_queue *queue, bool is_immediate);
/* (any thread) Does not park. Items in it now. */
CEL_PUBLIC size_t cel_shared_queue_count(struct cel_shared_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
