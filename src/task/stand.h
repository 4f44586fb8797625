/* SPDX-License-Identifier: MIT */
#ifndef CEL__STAND_H
#define CEL__STAND_H

/* Standing in a line that several threads share: what semaphores, events and queues across loops
 * are made of (celadon/shared.h).
 *
 * A stand is on the stack of who waits: a task, or a thread that has no loop. Each object has one
 * lock, which is held for a few instructions at a time.
 *
 * 1. Whoever serves a stand takes it out of the line and decides its code, under the lock; from
 *    then on a cancel does not reach it.
 * 2. A thread is woken under the lock, since its stand is gone when it has seen that it was served.
 *    A task's stand stays until the message that wakes it has come, so that is sent without the
 *    lock. */

#include <pthread.h>

#include "base/list.h"
#include "task/wait.h"

struct cel__stand {
    struct cel__list link; /* in the line; in a `served` list, when it is */
    bool is_served;        /* by the lock */
    int code;              /* how the wait ended */
    void *value;           /* what it brings, or where it wants it */
    pthread_mutex_t *lock; /* of the object */
    struct cel_task *task; /* NULL: a thread */
    struct cel_loop *home; /* the task's */
    struct cel__post wake;
    pthread_cond_t woken; /* the thread's */
};

/* 0, or on account of what scopes the caller must not wait. */
int cel__stand_checkpoint(void);
/* (waits) With the lock held, which is given up: at the end of the line. What it was served with,
 * or -ECANCELED, -ETIMEDOUT: nobody served it. The caller fills in value only. */
int cel__stand_wait(struct cel__stand *stand, pthread_mutex_t *lock, struct cel__list *line,
                    const struct cel__wait *wait);
/* With the lock held: the first in line, or NULL. */
static inline struct cel__stand *cel__stand_first(struct cel__list *line)
{
    return cel__list_is_empty(line) ? NULL : cel__container_of(line->next, struct cel__stand, link);
}
/* With the lock held: ends the wait with `code`. Who has to be told without it is in `served`. */
void cel__stand_serve(struct cel__stand *stand, int code, struct cel__list *served);
void cel__stand_serve_all(struct cel__list *line, int code, struct cel__list *served);
/* Without the lock. */
void cel__stand_tell(struct cel__list *served);
/* Results that are there at once must not keep other tasks from running. */
void cel__stand_pay(void);

/* Which one a task waits for. */
void cel__stand_describe(struct cel__report *to, const struct cel_task *task);
void cel__stand_interrupt(struct cel_task *task, int code);

#define CEL__STAND_FOR(what_)                                                           \
    {                                                                                   \
        .what = (what_), .interrupt = cel__stand_interrupt, .tell = cel__stand_describe \
    }

#endif
