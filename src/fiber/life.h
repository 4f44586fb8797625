/* SPDX-License-Identifier: MIT */
#ifndef CEL__LIFE_H
#define CEL__LIFE_H

/* The parts of a fiber's life that greenlets and scheduled fibers share: a stack to begin on,
 * switches, the stack's return, the last switch. */

#include "fiber/annotate.h"
#include "fiber/fiber.h"

/* Zeroes f and gives it a stack of this thread's pool, on which run(ctx, value) will begin and
 * which it leaves by what cel__fiber_end returns. 0 bytes: the default, 64 KiB. -ENOMEM, and
 * nothing to give back then. */
CEL_NODISCARD int cel__fiber_prepare(struct cel_fiber *f, size_t stack_bytes, cel__ctx_run *run);

/* Gives the stack back at once; on it, only cel__fiber_end may follow. */
void cel__fiber_release(struct cel_fiber *f);

/* The sanitizers' part of a switch; `from` is NULL when it will not run again. */
#if CEL__ANNOTATED
void cel__fiber_leaving(struct cel_fiber *from, struct cel_fiber *to);
void cel__fiber_arrived(struct cel_fiber *self);
#else
static inline void cel__fiber_leaving(struct cel_fiber *from, struct cel_fiber *to)
{
    (void)from;
    (void)to;
}

static inline void cel__fiber_arrived(struct cel_fiber *self)
{
    (void)self;
}
#endif

/* Goes on in `to`; returns what the next switch to `from` brings. */
static inline void *cel__fiber_switch(struct cel_fiber *from, struct cel_fiber *to, void *value)
{
    cel__fiber_leaving(from, to);
#if CEL__ANNOTATED
    value = cel__ctx_swap(&from->ctx, &to->ctx, value);
    cel__fiber_arrived(from);
    return value;
#else
    return cel__ctx_swap(&from->ctx, &to->ctx, value); /* a jump */
#endif
}

/* For `run` to return, so that control goes on in `to` for good: `from` has given its stack back,
 * and whoever runs next may free it. */
CEL__NO_TSAN static inline struct cel__ctx_heir cel__fiber_end(struct cel_fiber *from,
                                                               struct cel_fiber *to, void *value)
{
    cel__fiber_leaving(NULL, to);
#if CEL__ANNOTATED
    cel__ctx_swap(&from->ctx, &to->ctx, value); /* nothing of ours may run any more */
    __builtin_trap();
#else
    return (struct cel__ctx_heir){&to->ctx, value};
#endif
}

#endif
