/* SPDX-License-Identifier: MIT */
#ifndef CEL__SCHED_H
#define CEL__SCHED_H

/* The run queue: which scheduled fiber goes on next. It knows nothing of IO.
 *
 * Its owner (a loop) calls `run` from the hub; ready fibers run one after the other and switch
 * directly from one to the next; the hub gets control back when none is ready or the budget is used
 * up. First ready, first run. One thread.
 *
 * The ready fibers form a ring through `link`, of which `tail` is the last and the one after it the
 * next to run. While a fiber runs it keeps its place, the next of the ring: so a yield only moves
 * `tail`.
 *
 * Those that have had more than their share stand in a second ring, of which `tired` is the last.
 * They are as ready as the others, but run only once the hub has recalled them, a few at a time:
 * so whoever becomes ready meanwhile waits behind a few of them and not behind all. */

#include "fiber/fiber.h"

struct cel__thread;

struct cel__sched {
    struct cel_fiber *tail;    /* NULL: nothing is ready but the tired, nothing runs */
    struct cel_fiber *current; /* the scheduled fiber that runs; NULL while the hub does */
    struct cel__thread *thread;
    struct cel_fiber *tired; /* NULL: nobody is */
    struct cel_fiber *hub;   /* whoever is inside run */
    int budget;              /* switches left until the hub's turn */
    /* Called before each switch on the stack that is left, with NULL for the hub; NULL: no hook.
     * Must not park. */
    void (*on_switch)(struct cel__sched *s, struct cel_fiber *from, struct cel_fiber *to);
};

/* Prepares f for a run queue, with a stack of this thread's pool; neither runs nor queues it.
 * 0 bytes: the default, 64 KiB. f is zeroed; the caller may then set on_exit, name, file and line.
 * -ENOMEM, and f needs no fini then.
 *
 * When `entry` returns: is_done is set; on_exit(f), unless NULL, is called on the fiber's own
 * stack, where it may ready others but neither park nor free f; the stack goes back to the pool;
 * the next ready fiber or the hub runs, and may free f. */
CEL_NODISCARD int cel__fiber_init(struct cel_fiber *f, size_t stack_bytes,
                                  void (*entry)(struct cel_fiber *));

/* Gives back the stack of a fiber that never ran and is not ready. */
void cel__fiber_fini(struct cel_fiber *f);

void cel__sched_init(struct cel__sched *s);

/* Nothing may be ready or running. */
void cel__sched_fini(struct cel__sched *s);

/* Whether a fiber other than the running one is ready, tired or not. */
static inline bool cel__sched_has_ready(const struct cel__sched *s)
{
    return s->tail != s->current || s->tired != NULL;
}

/* To the end of a ring. */
static inline void cel__sched_append(struct cel_fiber **ring, struct cel_fiber *f)
{
    struct cel_fiber *tail = *ring;

    CEL__ASSERT(f->link == NULL);
    if (tail == NULL) {
        f->link = f;
    } else {
        f->link = tail->link;
        tail->link = f;
    }
    *ring = f;
}

/* O(1), to the end of the queue. f is new or parked, and so not ready yet. */
static inline void cel__sched_ready(struct cel__sched *s, struct cel_fiber *f)
{
    cel__sched_append(&s->tail, f);
}

/* The same behind those that are tired. */
static inline void cel__sched_ready_tired(struct cel__sched *s, struct cel_fiber *f)
{
    cel__sched_append(&s->tired, f);
}

/* (parks) Suspends the current fiber until somebody readies it. When a greenlet inside a task
 * calls it, the whole task parks and goes on in that greenlet. */
void cel__sched_park(struct cel__sched *s);

/* (parks) Suspends the current fiber to the end of the queue. */
void cel__sched_yield(struct cel__sched *s);

/* (parks) Suspends the current fiber behind those that are tired. */
void cel__sched_tire(struct cel__sched *s);

/* For the hub: up to `max` of the tired, those that have waited longest, go behind the ready. */
void cel__sched_recall(struct cel__sched *s, unsigned max);

/* For the hub: runs ready fibers that are not tired until there are none or `budget` switches to a
 * fiber were made; -> whether some of them are still ready. */
bool cel__sched_run(struct cel__sched *s, int budget);

#endif
