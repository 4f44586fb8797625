/* SPDX-License-Identifier: MIT */
#ifndef CEL__HOP_H
#define CEL__HOP_H

/* The switch between greenlets as their callers' compilers see it: a jump with a list of clobbers,
 * not a call (celadon/fiber.h has the call site, hop_x86_64.S the routine).
 *
 * A fiber that a hop suspended has saved nothing on its stack: its stack pointer, where to go on
 * and its frame pointer lie in its record, and everything else is its compiler's business. Only
 * hops and cel__ctx_hop resume that shape. */

#include "fiber/life.h"

/* Not where sanitizers must hear of each switch, and not yet on other processors. */
#if defined(__x86_64__) && !CEL__ANNOTATED
#define CEL__HOPS 1
#else
#define CEL__HOPS 0
#endif

static_assert(offsetof(struct cel_fiber, hop_pc) == 16, "assembly, tools/celadon-gdb.py");
static_assert(offsetof(struct cel_fiber, hop_frame) == 24, "assembly, tools/celadon-gdb.py");
static_assert(offsetof(struct cel_fiber, switchable_on) == 44, "assembly");
static_assert(offsetof(struct cel_fiber, thrown) == 48, "assembly: one store clears two fields");
static_assert(offsetof(struct cel_fiber, hop_on) == 52, "assembly, tools/celadon-gdb.py");

#if defined(__x86_64__)
/* The function cel_fiber_switch by the name that a call within the library needs: from the routine
 * that the jump leads to, which a sanitized library has too (hop_called_x86_64.S), for callers that
 * are not sanitized. */
void *cel__fiber_switch_called(struct cel_fiber *f, void *value);
#endif

#if CEL__HOPS
/* What the assembly is told: the fiber that goes on, with bit 0 when a swap suspended it, or 0 when
 * the current one does; and with which value. In two registers. */
struct cel__hop {
    uintptr_t to;
    void *value;
};

struct cel__hop cel__fiber_hop_slowly(struct cel_fiber *f, void *value);

/* cel__ctx_swap to a context that a hop suspended. */
void *cel__ctx_hop(struct cel__ctx *from, struct cel__ctx *to, void *value);
#endif

/* cel__fiber_switch to whatever suspended `to`. */
static inline void *cel__fiber_go(struct cel_fiber *from, struct cel_fiber *to, void *value)
{
#if CEL__HOPS
    if (to->hop_on != 0) {
        to->hop_on = 0;
        return cel__ctx_hop(&from->ctx, &to->ctx, value); /* a jump */
    }
#endif
    return cel__fiber_switch(from, to, value);
}

/* cel__fiber_end likewise. */
CEL__NO_TSAN static inline struct cel__ctx_heir
cel__fiber_go_last(struct cel_fiber *from, struct cel_fiber *to, void *value)
{
#if CEL__HOPS
    if (to->hop_on != 0) {
        (void)cel__fiber_go(from, to, value);
        __builtin_trap();
    }
#endif
    return cel__fiber_end(from, to, value);
}

#endif
