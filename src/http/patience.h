/* SPDX-License-Identifier: MIT */
#ifndef CEL__PATIENCE_H
#define CEL__PATIENCE_H

/* How long a client may keep its connection waiting, without a timer for each wait. The one timer
 * is armed only where none is that fires early enough; most waits are long over by then, and have
 * cost a few stores. When it fires it looks at the wait that goes on, if any.
 *
 * 1. One wait at a time, by one call that parks, between begin and end.
 * 2. A wait that shall end is told so again until it has: a call may park more than once. */

#include <stdbool.h>
#include <stdint.h>

#include "loop/timer.h"

struct cel_task;

struct cel__patience {
    struct cel__timer timer;
    struct cel_task *task; /* whose waits they are */
    int64_t deadline;      /* of this wait; CEL_FOREVER: none */
    int code;              /* what it shall end with; 0: it may go on */
    bool is_waiting;
};

/* With the running task. */
void cel__patience_init(struct cel__patience *p);
void cel__patience_fini(struct cel__patience *p);
/* The task will park in one call now, which ends with -ETIMEDOUT at the deadline. */
void cel__patience_begin(struct cel__patience *p, int64_t deadline);
/* The wait that goes on ends with `code` unless its result is there. */
void cel__patience_cut(struct cel__patience *p, int code);

static inline void cel__patience_end(struct cel__patience *p)
{
    p->is_waiting = false;
}

#endif
