/* SPDX-License-Identifier: MIT */
#ifndef CEL__STACK_H
#define CEL__STACK_H

/* Stacks: guarded slots of large mappings, pooled per thread and size.
 *
 * A stack is named by its slot record, which lives on the heap and not in the stack; so free stacks
 * and those not yet run are never touched. Sizes are powers of two. Of the free ones the last to be
 * put is the first to be got, its pages warm; beyond a watermark, which follows what is used again
 * and again, the oldest lose their pages, and slabs without a stack in use go back to the system.
 * docs/design/stacks.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"
#include "base/list.h"
#include "celadon/base.h"
#include "fiber/annotate.h"
#include "fiber/guard.h"

#define CEL__STACK_MIN     ((size_t)16 << 10)
#define CEL__STACK_MAX     ((size_t)8 << 20)
#define CEL__STACK_DEFAULT ((size_t)64 << 10)
#define CEL__STACK_GUARD   ((size_t)64 << 10) /* at least */
#define CEL__STACK_CLASSES 10

static_assert(CEL__STACK_MIN << (CEL__STACK_CLASSES - 1) == CEL__STACK_MAX, "one class per size");

struct cel__stack {
    struct cel__stack *next; /* while free */
    char *top;               /* where frames begin; aligned to 16 */
    void *owner;             /* the fiber, for reports; NULL while free */
    uint32_t index;          /* in its slab */
    uint8_t state;           /* enum slot_state in stack.c */
    uint8_t class;
    bool has_canary;
    struct cel__annotation note;
};

/* All stacks of one size. */
struct cel__stack_pool {
    struct cel__stack *warm; /* free, pages kept; last in, first out */
    size_t warm_count;
    size_t warm_max;  /* beyond it the older half goes; between the pool's least and most */
    size_t warm_low;  /* the fewest that were free since the last look: so many nobody needed */
    size_t look_left; /* puts until the next look */
    size_t owned;     /* with their pages: in use or warm */
    size_t lost;      /* trimmed since then: who gets one in their place would have had it warm */
    size_t warm_least, warm_most;
    struct cel__list partial; /* slabs with slots that are cold or were never used */
    struct cel__list full;    /* the others */
    size_t slot_count;
};

/* A thread's. */
struct cel__stacks {
    struct cel__stack_pool pools[CEL__STACK_CLASSES];
    size_t page_bytes;
    struct cel__guards guards;
};

void cel__stacks_init(struct cel__stacks *all);

/* Gives back all slabs without a stack in use; -> number of stacks still in use. */
size_t cel__stacks_fini(struct cel__stacks *all);

/* 0 bytes: the default size. -> NULL when memory is out, or more than the largest size is wanted.
 */
CEL_NODISCARD struct cel__stack *cel__stack_get(struct cel__stacks *all, size_t size_bytes,
                                                void *owner);

/* The stack may be the caller's own, if it is left before anything else is got or put. */
void cel__stack_put(struct cel__stacks *all, struct cel__stack *stack);

size_t cel__stack_size(const struct cel__stack *stack);
/* The lowest usable byte; the guard ends here. */
char *cel__stack_base(const struct cel__stack *stack);

/* The stack in whose guard `address` lies, or NULL; safe in a signal handler of the thread. */
struct cel__stack *cel__stack_guarding(struct cel__stacks *all, const void *address);

#endif
