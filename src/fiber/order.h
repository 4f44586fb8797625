/* SPDX-License-Identifier: MIT */
#ifndef CEL__ORDER_H
#define CEL__ORDER_H

/* Another order of the ready fibers, for who wants to choose: only while the hub runs. */

#include "fiber/sched.h"

/* How many are ready, at most `max`. */
unsigned cel__sched_count(const struct cel__sched *s, unsigned max);
/* The n-th from 0; there must be that many. */
struct cel_fiber *cel__sched_nth(const struct cel__sched *s, unsigned n);
/* The n-th is the next to run; the others keep their order. */
void cel__sched_bring(struct cel__sched *s, unsigned n);

#endif
