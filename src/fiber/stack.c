/* SPDX-License-Identifier: MIT */
/* Slabs of guarded stacks. */
#include "fiber/stack.h"

#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"

#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */
#define SLOTS         64

struct cel__stack_slab {
    struct cel__stack_slab *next;
    char *base;
    size_t size_bytes; /* of one stack */
    uint32_t fresh;    /* slots from here on were never used */
    uint32_t class;
    struct cel__stack slots[SLOTS];
};

static struct cel__stack_slab *slab_of(const struct cel__stack *stack)
{
    return (struct cel__stack_slab *)((char *)(stack - stack->index) -
                                      offsetof(struct cel__stack_slab, slots));
}

static unsigned class_of(size_t size_bytes)
{
    if (size_bytes <= CEL__STACK_MIN)
        return 0;
    return 64 - 14 - (unsigned)__builtin_clzl(size_bytes - 1);
}

static size_t stride(const struct cel__stack_slab *slab)
{
    return CEL__STACK_GUARD + slab->size_bytes;
}

size_t cel__stack_size(const struct cel__stack *stack)
{
    return slab_of(stack)->size_bytes;
}

char *cel__stack_base(const struct cel__stack *stack)
{
    struct cel__stack_slab *slab = slab_of(stack);

    return slab->base + stack->index * stride(slab) + CEL__STACK_GUARD;
}

static struct cel__stack_slab *slab_new(struct cel__stack_pool *pool, unsigned class)
{
    struct cel__stack_slab *slab = cel__mem_zalloc(sizeof *slab);

    if (slab == NULL)
        return NULL;
    slab->class = class;
    slab->size_bytes = CEL__STACK_MIN << class;
    slab->base = cel__sys.mmap(NULL, SLOTS * stride(slab), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->base == MAP_FAILED) {
        cel__mem_free(slab);
        return NULL;
    }
    (void)cel__sys.madvise(slab->base, SLOTS * stride(slab), MADV_NOHUGEPAGE);
    slab->next = pool->slabs;
    pool->slabs = slab;
    return slab;
}

static struct cel__stack *stack_new(struct cel__stack_pool *pool, unsigned class)
{
    struct cel__stack_slab *slab = pool->slabs;
    struct cel__stack *stack;
    char *guard;

    if (slab == NULL || slab->fresh == SLOTS) {
        slab = slab_new(pool, class);
        if (slab == NULL)
            return NULL;
    }
    stack = &slab->slots[slab->fresh];
    stack->index = slab->fresh;
    guard = slab->base + stack->index * stride(slab);
    stack->top = guard + stride(slab);
    if (cel__sys.madvise(guard, CEL__STACK_GUARD, GUARD_INSTALL) < 0 &&
        cel__sys.mprotect(guard, CEL__STACK_GUARD, PROT_NONE) < 0)
        return NULL;
    slab->fresh++;
    return stack;
}

struct cel__stack *cel__stack_get(struct cel__stack_pool *pools, size_t size_bytes, void *owner)
{
    unsigned class = class_of(size_bytes != 0 ? size_bytes : CEL__STACK_DEFAULT);
    struct cel__stack_pool *pool;
    struct cel__stack *stack;

    if (class >= CEL__STACK_CLASSES)
        return NULL;
    pool = &pools[class];
    stack = pool->free;
    if (cel__likely(stack != NULL)) {
        pool->free = stack->next;
        pool->free_count--;
    } else {
        stack = stack_new(pool, class);
        if (stack == NULL)
            return NULL;
    }
    stack->owner = owner;
    pool->live_count++;
    return stack;
}

void cel__stack_put(struct cel__stack_pool *pools, struct cel__stack *stack)
{
    struct cel__stack_pool *pool = &pools[slab_of(stack)->class];

    stack->owner = NULL;
    stack->next = pool->free;
    pool->free = stack;
    pool->free_count++;
    pool->live_count--;
}

size_t cel__stack_fini(struct cel__stack_pool *pools)
{
    size_t live = 0;

    for (int i = 0; i < CEL__STACK_CLASSES; i++)
        live += pools[i].live_count;
    if (live > 0)
        return live;
    for (int i = 0; i < CEL__STACK_CLASSES; i++) {
        struct cel__stack_slab *slab = pools[i].slabs;

        while (slab != NULL) {
            struct cel__stack_slab *next = slab->next;

            cel__sys.munmap(slab->base, SLOTS * stride(slab));
            cel__mem_free(slab);
            slab = next;
        }
        pools[i] = (struct cel__stack_pool){0};
    }
    return 0;
}
