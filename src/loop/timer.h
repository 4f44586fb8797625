/* SPDX-License-Identifier: MIT */
#ifndef CEL__TIMER_H
#define CEL__TIMER_H

/* Deadlines in a hierarchical wheel: arm and cancel are O(1), firing is O(1)
 * amortised, the instant is kept to the nanosecond. Timers fire in the order of
 * their deadlines, equal ones in the order they were armed; never early. Arming never fails. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/agenda.h"

#define CEL__WHEEL_LEVELS 7 /* 7 * 8 bits of 16 us ticks: all of int64_t */
#define CEL__WHEEL_SLOTS  256
#define CEL__WHEEL_DUE    1024 /* so many fire in one turn at most */

struct cel__wheel {
    uint64_t tick; /* every slot before it is empty */
    size_t armed;
    /* A bit may be stale: set over an empty slot. */
    uint64_t occupied[CEL__WHEEL_LEVELS][CEL__WHEEL_SLOTS / 64];
    struct cel__agenda slots[CEL__WHEEL_LEVELS][CEL__WHEEL_SLOTS];
    struct cel__pages pages;
    const struct cel__agenda *sorted; /* the slot of level 0 that is in order already, or NULL */
    struct cel__timer *homeless, **homeless_tail; /* in no slot, for want of memory */
    uint32_t due_first, due_used;
    struct cel__entry due[CEL__WHEEL_DUE]; /* expired, not yet fired, in order */
};

void cel__wheel_init(struct cel__wheel *w, int64_t now);
/* Timers still armed are forgotten. */
void cel__wheel_fini(struct cel__wheel *w);
/* `t->fire` is set by the caller. t must not be armed. A deadline in the past fires in the next
 * turn. */
void cel__timer_arm(struct cel__wheel *w, struct cel__timer *t, int64_t deadline);
/* Fine on a timer that is not armed, if it was initialised. */
void cel__timer_cancel(struct cel__wheel *w, struct cel__timer *t);
/* Fires what is due at `now`, at most `max` of them and CEL__WHEEL_DUE. -> how many fired. */
unsigned cel__wheel_fire(struct cel__wheel *w, int64_t now, unsigned max);
/* The instant at which to look again: the next deadline, or earlier where only a coarse
 * slot is known; INT64_MAX when nothing is armed. */
int64_t cel__wheel_next(struct cel__wheel *w);

/* Each armed timer's entry, in no order; those for which there was no memory are left out. Reads no
 * timer. */
void cel__wheel_each(const struct cel__wheel *w,
                     void (*fn)(void *arg, const struct cel__entry *entry), void *arg);

static inline void cel__timer_init(struct cel__timer *t, void (*fire)(struct cel__timer *timer))
{
    t->at = NULL;
    t->fire = fire;
}

static inline bool cel__timer_is_armed(const struct cel__timer *t)
{
    return t->at != NULL;
}

#endif
