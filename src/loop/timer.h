/* SPDX-License-Identifier: MIT */
#ifndef CEL__TIMER_H
#define CEL__TIMER_H

/* Deadlines in a hierarchical wheel: arm and cancel are O(1), firing is O(1)
 * amortised, the instant is kept to the nanosecond. Timers fire in the order of
 * their deadlines, equal ones in the order they were armed; never early. */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define CEL__WHEEL_LEVELS 9 /* 9 * 6 bits of 16 us ticks: all of int64_t */
#define CEL__WHEEL_SLOTS  64

struct cel__timer {
    struct cel__list link;
    int64_t deadline;
    void (*fire)(struct cel__timer *timer); /* may arm and cancel any timer, this one included */
};

struct cel__wheel {
    uint64_t tick;                        /* every slot before it is empty */
    uint64_t occupied[CEL__WHEEL_LEVELS]; /* a bit may be stale: set over an empty slot */
    struct cel__list slots[CEL__WHEEL_LEVELS][CEL__WHEEL_SLOTS];
    struct cel__list due; /* expired, not yet fired, in order */
    size_t armed;
};

void cel__wheel_init(struct cel__wheel *w, int64_t now);
/* `t->fire` is set by the caller. t must not be armed. A deadline in the past fires in the next
 * turn. */
void cel__timer_arm(struct cel__wheel *w, struct cel__timer *t, int64_t deadline);
/* Fine on a timer that is not armed, if it was initialised. */
void cel__timer_cancel(struct cel__wheel *w, struct cel__timer *t);
/* Fires what is due at `now`, at most `max` of them. -> how many fired. */
unsigned cel__wheel_fire(struct cel__wheel *w, int64_t now, unsigned max);
/* The instant at which to look again: the next deadline, or earlier where only a coarse
 * slot is known; INT64_MAX when nothing is armed. */
int64_t cel__wheel_next(struct cel__wheel *w);

static inline void cel__timer_init(struct cel__timer *t, void (*fire)(struct cel__timer *timer))
{
    cel__list_init(&t->link);
    t->fire = fire;
}

static inline bool cel__timer_is_armed(const struct cel__timer *t)
{
    return !cel__list_is_empty(&t->link);
}

#endif
