/* SPDX-License-Identifier: MIT */
#ifndef CEL__STACK_H
#define CEL__STACK_H

/* Stacks: guarded slots of large mappings, kept in a pool per thread and size.
 *
 * A stack is named by its slot record, which lives on the heap and not in the stack, so a free
 * stack is never touched. Sizes are powers of two from 16 KiB to 8 MiB. One thread only. */

#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"
#include "celadon/base.h"

#define CEL__STACK_MIN     ((size_t)16 << 10)
#define CEL__STACK_MAX     ((size_t)8 << 20)
#define CEL__STACK_DEFAULT ((size_t)64 << 10)
#define CEL__STACK_GUARD   ((size_t)64 << 10)
#define CEL__STACK_CLASSES 10

struct cel__stack {
    struct cel__stack *next; /* while free */
    char *top;               /* where a fiber's frames begin; aligned to 64 */
    void *owner;             /* for reports; NULL while free */
    uint32_t index;          /* in its slab */
    uint32_t flags;
};

struct cel__stack_slab;

/* All stacks of one size. Zeroed is empty. */
struct cel__stack_pool {
    struct cel__stack *free; /* last in, first out */
    size_t free_count;
    struct cel__stack_slab *slabs;
    size_t live_count;
};

/* `pools` are CEL__STACK_CLASSES of them; 0 bytes: the default size; larger than the largest: NULL,
 * as when memory is out. */
CEL_NODISCARD struct cel__stack *cel__stack_get(struct cel__stack_pool *pools, size_t size_bytes,
                                                void *owner);

/* May be called while standing on the stack, if nothing else runs before it is left. */
void cel__stack_put(struct cel__stack_pool *pools, struct cel__stack *stack);

/* Gives the free slabs back; -> number of stacks still in use, whose slabs stay. */
size_t cel__stack_fini(struct cel__stack_pool *pools);

size_t cel__stack_size(const struct cel__stack *stack);
/* The lowest usable byte; the guard ends here. */
char *cel__stack_base(const struct cel__stack *stack);

#endif
