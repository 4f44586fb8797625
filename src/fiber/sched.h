/* SPDX-License-Identifier: MIT */
#ifndef CEL__SCHED_H
#define CEL__SCHED_H

/* The run queue: which scheduled fiber goes on next. It knows nothing of IO.
 *
 * The owner (a loop) calls `run` from its own stack, the hub; ready fibers run one after the other
 * and switch directly from one to the next; the hub gets control back when none is ready or the
 * budget is used up. First ready, first run. One thread. */

#include "fiber/fiber.h"

struct cel__thread;

struct cel__sched {
    struct cel_fiber *head; /* ready fibers, by link; NULL at the end */
    struct cel_fiber **tail;
    struct cel_fiber *current; /* the scheduled fiber that runs; NULL while the hub does */
    struct cel__thread *thread;
    struct cel_fiber *hub; /* whoever is inside run */
    int budget;            /* switches left until the hub's turn */
    /* Called before each switch, on the stack that is left; NULL stands for the hub. Must not
     * park. */
    void (*on_switch)(struct cel__sched *, struct cel_fiber *from, struct cel_fiber *to);
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

/* Gives back the stack of a fiber that never ran and is in no queue. */
void cel__fiber_fini(struct cel_fiber *f);

void cel__sched_init(struct cel__sched *s);
/* Nothing may be ready or running. */
void cel__sched_fini(struct cel__sched *s);

static inline bool cel__sched_has_ready(const struct cel__sched *s)
{
    return s->head != NULL;
}

/* O(1), first in first out; f is new or parked, and never twice in the queue. */
static inline void cel__sched_ready(struct cel__sched *s, struct cel_fiber *f)
{
    CEL__ASSERT(f->link == f);
    f->link = NULL;
    *s->tail = f;
    s->tail = &f->link;
}

/* (parks) Suspends the current fiber until somebody readies it. When a greenlet inside a task
 * calls it, the whole task parks and goes on in that greenlet. */
void cel__sched_park(struct cel__sched *s);

/* (parks) ready(current) and park in one. */
void cel__sched_yield(struct cel__sched *s);

/* For the hub: runs ready fibers until none is ready or `budget` switches to a fiber were made;
 * -> whether some are still ready. */
bool cel__sched_run(struct cel__sched *s, int budget);

#endif
