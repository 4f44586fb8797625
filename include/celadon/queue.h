/* SPDX-License-Identifier: MIT */
#ifndef CELADON_QUEUE_H
#define CELADON_QUEUE_H

/* Queues: pointers from those who make work to those who do it, as Python's queues.
 *
 * First in first out, last in first out, or by priority; bounded or not. Who waits to put or to get
 * is served first come, first served. A queue can tell when all that was put has been dealt with,
 * and can be shut down. All calls belong to the loop's thread; for all loops at once
 * there is cel_shared_queue (celadon/shared.h). Calls marked (parks) are checkpoints: after
 * -ECANCELED or -ETIMEDOUT nothing was put or got. */

#include <stdbool.h>
#include <stddef.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_queue;

enum cel_queue_order { CEL_FIFO, CEL_LIFO, CEL_PRIORITY };

struct cel_queue_options {
    size_t max; /* items in it; 0: any number */
    enum cel_queue_order order;
    /* CEL_PRIORITY: negative when a is to be got before b; equal ones come in the order of their
     * being put. Must not park. */
    int (*compare)(const void *a, const void *b);
    /* Gets each item that nobody will get; NULL: they are just forgotten. Must not park. */
    void (*drop)(void *item);
};

/* options may be NULL: FIFO, not bounded. Owner: the caller, until cel_queue_free. -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_new(struct cel_queue **out,
                                           const struct cel_queue_options *options);
/* NULL is fine. Nobody may be parked on it; what is in it is dropped. */
CEL_PUBLIC void cel_queue_free(struct cel_queue *queue);

/* (parks) Waits for room, then puts the item. 0; -EPIPE shut down; -ENOMEM; -ECANCELED, -ETIMEDOUT;
 * after an error the item is still the caller's. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_put(struct cel_queue *queue, void *item);
/* (parks) Waits for an item. 0 and *item; -EPIPE shut down and empty; -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_get(struct cel_queue *queue, void **item);
/* Neither parks nor is a checkpoint; also for callbacks. -EAGAIN: full; else as cel_queue_put. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_try_put(struct cel_queue *queue, void *item);
/* The same, getting. -EAGAIN: empty. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_try_get(struct cel_queue *queue, void **item);
/* The same, without taking it: the item that is next now. It is the queue's still, so it is good
 * until somebody gets or shuts down. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_peek(const struct cel_queue *queue, void **item);

/* An item that was got has been dealt with. More often than items were put is asserted. */
CEL_PUBLIC void cel_queue_task_done(struct cel_queue *queue);
/* (parks) Until each item that was put has been dealt with. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_queue_join(struct cel_queue *queue);

/* Nothing can be put any more, and who waits to put gets -EPIPE. What is in it can still be got,
 * unless `is_immediate`: then it is dropped, and counts as dealt with. Twice is fine. */
CEL_PUBLIC void cel_queue_shutdown(struct cel_queue *queue, bool is_immediate);

/* Items in it now. */
CEL_PUBLIC size_t cel_queue_count(const struct cel_queue *queue);
/* Whether a put would wait. */
CEL_PUBLIC bool cel_queue_is_full(const struct cel_queue *queue);
/* Items put and not dealt with yet. */
CEL_PUBLIC size_t cel_queue_unfinished(const struct cel_queue *queue);

#ifdef __cplusplus
}
#endif

#endif
