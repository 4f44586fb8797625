/* SPDX-License-Identifier: MIT */
/* Slabs of guarded stacks.
 *
 * A slab is one mapping of slots side by side, each a guard with a stack above it. A slot is
 *   fresh  never used: no record, no guard, no pages
 *   busy   got
 *   warm   free in the pool's last-in-first-out list, pages kept
 *   cold   free in its slab's list, pages given back; the guard stays
 *
 * 1. busy + warm + cold == slab->fresh, the index of the first fresh slot.
 * 2. A slab is on `partial` exactly when it has cold or fresh slots.
 * 3. Trimming happens before a stack joins the warm ones, so a stack under the caller's feet is
 *    neither decommitted nor unmapped. */
#include "fiber/stack.h"

#include "base/mem.h"
#include "base/sys.h"

#define WARM_BYTES     ((size_t)64 << 20) /* addresses of the warm stacks of one size, at first */
#define WARM_MAX       1024
#define WARM_MIN       16
#define WARM_GROWTH    16 /* and at most so many times as many */
#define LOOK_CYCLES    4  /* fills of the pool between two looks at what was left over */
#define SLAB_MIN_SLOTS 16
#define SLAB_BYTES     ((size_t)512 << 20)
#define COLOURS        8
#define COLOUR_BYTES   128

enum slot_state { SLOT_BUSY, SLOT_WARM, SLOT_COLD, SLOT_LEAVING };

struct slab {
    struct cel__list node; /* pool->partial or pool->full */
    char *base;
    size_t size_bytes;  /* of one stack */
    size_t guard_bytes; /* below each */
    struct cel__stack *cold;
    struct cel__stack *leaving; /* empty except while trimming, as are the next and the count */
    struct slab *leaving_next;
    uint32_t count;
    uint32_t fresh;
    uint32_t cold_count;
    uint32_t leaving_count;
    uint32_t class;
    struct cel__stack slots[];
};

static struct slab *slab_of(const struct cel__stack *stack)
{
    return (struct slab *)((char *)(stack - stack->index) - offsetof(struct slab, slots));
}

static size_t stride(const struct slab *slab)
{
    return slab->guard_bytes + slab->size_bytes;
}

static char *guard_of(const struct slab *slab, uint32_t index)
{
    return slab->base + index * stride(slab);
}

size_t cel__stack_size(const struct cel__stack *stack)
{
    return slab_of(stack)->size_bytes;
}

char *cel__stack_base(const struct cel__stack *stack)
{
    const struct slab *slab = slab_of(stack);

    return guard_of(slab, stack->index) + slab->guard_bytes;
}

static unsigned class_of(size_t size_bytes)
{
    if (size_bytes <= CEL__STACK_MIN)
        return 0;
    return 64 - (unsigned)__builtin_ctzl(CEL__STACK_MIN) - (unsigned)__builtin_clzl(size_bytes - 1);
}

/* --- slabs --- */

/* Maps *count slots, or fewer when the system has not got as many. */
static char *map_slots(size_t slot_bytes, size_t *count)
{
    for (; *count > 0; *count /= 2) {
        char *base = cel__sys.mmap(NULL, *count * slot_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

        if (base == MAP_FAILED)
            continue;
        /* A huge page below one touched page of each stack would cost fivehundredfold. */
        (void)cel__sys.madvise(base, *count * slot_bytes, MADV_NOHUGEPAGE);
        return base;
    }
    return NULL;
}

/* As many slots as the pool has already, within bounds. The guard is one page longer than it
 * must be: with a power of two from stack to stack, all tops would share a few sets of the TLB. */
static struct slab *slab_new(struct cel__stacks *all, unsigned class)
{
    struct cel__stack_pool *pool = &all->pools[class];
    size_t size_bytes = cel__max(CEL__STACK_MIN << class, all->page_bytes);
    size_t guard_bytes = CEL__STACK_GUARD + all->page_bytes;
    size_t slot_bytes = guard_bytes + size_bytes;
    size_t count = cel__max(pool->slot_count, (size_t)SLAB_MIN_SLOTS);
    struct slab *slab;
    char *base;

    count = cel__max(cel__min(count, SLAB_BYTES / slot_bytes), (size_t)1);
    base = map_slots(slot_bytes, &count);
    if (base == NULL)
        return NULL;
    /* The records stay untouched until their slot is used. */
    slab = cel__mem_alloc(sizeof *slab + count * sizeof slab->slots[0]);
    if (slab == NULL) {
        (void)cel__sys.munmap(base, count * slot_bytes);
        return NULL;
    }
    *slab = (struct slab){.base = base,
                          .size_bytes = size_bytes,
                          .guard_bytes = guard_bytes,
                          .count = (uint32_t)count,
                          .class = class};
    cel__list_append(&pool->partial, &slab->node);
    pool->slot_count += count;
    return slab;
}

static void slab_free(struct cel__stack_pool *pool, struct slab *slab)
{
    for (uint32_t i = 0; i < slab->fresh; i++)
        cel__annotate_slot_gone(&slab->slots[i].note);
    cel__list_unlink(&slab->node);
    pool->slot_count -= slab->count;
    (void)cel__sys.munmap(slab->base, slab->count * stride(slab));
    cel__mem_free(slab);
}

/* --- slots --- */

/* The tops differ in their offset within a page, else all would share a few sets of the cache. */
static struct cel__stack *slot_fresh(struct cel__stacks *all, struct slab *slab)
{
    struct cel__stack *stack = &slab->slots[slab->fresh];
    char *guard = guard_of(slab, slab->fresh);
    int kind;

    kind = cel__guard_install(&all->guards, guard, slab->guard_bytes);
    if (kind < 0)
        return NULL;
    stack->has_canary = kind == CEL__GUARD_CANARY;
    stack->index = slab->fresh++;
    stack->class = (uint8_t)slab->class;
    stack->top = guard + stride(slab) - stack->index % COLOURS * COLOUR_BYTES;
    cel__annotate_slot_new(&stack->note, guard + slab->guard_bytes, stack->top);
    return stack;
}

static CEL__NOINLINE struct cel__stack *slot_from_slab(struct cel__stacks *all, unsigned class)
{
    struct cel__stack_pool *pool = &all->pools[class];
    struct cel__stack *stack;
    struct slab *slab;

    if (!cel__list_is_empty(&pool->partial))
        slab = cel__container_of(pool->partial.next, struct slab, node);
    else
        slab = slab_new(all, class);
    if (slab == NULL)
        return NULL;

    pool->owned++;
    if (pool->lost > 0) {
        pool->lost--;
        pool->warm_max = cel__min(pool->warm_max + 1, pool->warm_most);
    }
    stack = slab->cold;
    if (stack != NULL) {
        slab->cold = stack->next;
        slab->cold_count--;
        if (stack->has_canary)
            cel__canary_set(cel__stack_base(stack));
    } else {
        stack = slot_fresh(all, slab);
        if (stack == NULL) {
            pool->owned--;
            return NULL;
        }
    }
    if (slab->cold == NULL && slab->fresh == slab->count) {
        cel__list_unlink(&slab->node);
        cel__list_append(&pool->full, &slab->node);
    }
    return stack;
}

static inline struct cel__stack *make_busy(struct cel__stack *stack, void *owner)
{
    stack->owner = owner;
    stack->state = SLOT_BUSY;
    cel__annotate_stack_get(cel__stack_base(stack), stack->top);
    return stack;
}

static CEL__NOINLINE struct cel__stack *get_slowly(struct cel__stacks *all, unsigned class,
                                                   void *owner)
{
    struct cel__stack *stack;

    all->pools[class].warm_low = 0;
    stack = slot_from_slab(all, class);
    return stack != NULL ? make_busy(stack, owner) : NULL;
}

struct cel__stack *cel__stack_get(struct cel__stacks *all, size_t size_bytes, void *owner)
{
    unsigned class = class_of(size_bytes != 0 ? size_bytes : CEL__STACK_DEFAULT);
    struct cel__stack_pool *pool;
    struct cel__stack *stack;

    if (cel__unlikely(class >= CEL__STACK_CLASSES))
        return NULL;
    pool = &all->pools[class];
    stack = pool->warm;
    if (cel__unlikely(stack == NULL))
        return get_slowly(all, class, owner);
    pool->warm = stack->next;
    pool->warm_count--;
    pool->warm_low = cel__min(pool->warm_low, pool->warm_count);
    return make_busy(stack, owner);
}

/* --- giving back --- */

static void decommit(struct slab *slab, uint32_t first, uint32_t last)
{
    char *from = guard_of(slab, first) + slab->guard_bytes;

    (void)cel__sys.madvise(from, (size_t)(guard_of(slab, last) + stride(slab) - from),
                           MADV_DONTNEED);
}

/* The pages of runs of neighbours go in one call; cold ones between them have none to lose. */
static void decommit_runs(struct slab *slab)
{
    uint32_t first = slab->count; /* of the run; count: no run */
    uint32_t last = 0;

    for (uint32_t i = 0; i < slab->fresh; i++) {
        if (slab->slots[i].state == SLOT_LEAVING) {
            first = cel__min(first, i);
            last = i;
        } else if (slab->slots[i].state != SLOT_COLD && first < slab->count) {
            decommit(slab, first, last);
            first = slab->count;
        }
    }
    if (first < slab->count)
        decommit(slab, first, last);
}

static void slab_cool(struct cel__stack_pool *pool, struct slab *slab)
{
    bool is_dense = slab->leaving_count >= slab->fresh / 32;

    if (is_dense)
        decommit_runs(slab);
    while (slab->leaving != NULL) {
        struct cel__stack *stack = slab->leaving;

        slab->leaving = stack->next;
        if (!is_dense)
            decommit(slab, stack->index, stack->index);
        stack->state = SLOT_COLD;
        stack->next = slab->cold;
        slab->cold = stack;
    }
    slab->cold_count += slab->leaving_count;
    slab->leaving_count = 0;
    cel__list_unlink(&slab->node);
    cel__list_append(&pool->partial, &slab->node);
}

/* Moves all but the `keep` stacks that were put last to their slabs' lists of leaving ones;
 * -> the slabs concerned. */
static struct slab *trim_select(struct cel__stack_pool *pool, size_t keep)
{
    struct cel__stack **link = &pool->warm;
    struct cel__stack *stack;
    struct slab *slabs = NULL;

    for (size_t i = 0; i < keep && *link != NULL; i++)
        link = &(*link)->next;
    stack = *link;
    *link = NULL;
    while (stack != NULL) {
        struct cel__stack *next = stack->next;
        struct slab *slab = slab_of(stack);

        if (slab->leaving_count++ == 0) {
            slab->leaving_next = slabs;
            slabs = slab;
        }
        stack->state = SLOT_LEAVING;
        stack->next = slab->leaving;
        slab->leaving = stack;
        pool->warm_count--;
        pool->owned--;
        pool->lost++;
        stack = next;
    }
    return slabs;
}

static CEL__NOINLINE void trim(struct cel__stack_pool *pool, size_t keep)
{
    struct slab *slabs = trim_select(pool, keep);

    while (slabs != NULL) {
        struct slab *slab = slabs;

        slabs = slab->leaving_next;
        if (slab->leaving_count + slab->cold_count == slab->fresh)
            slab_free(pool, slab);
        else
            slab_cool(pool, slab);
    }
}

/* Half of the stacks that nobody needed for some fills of the pool go, and the watermark comes down
 * to those that are left. */
static CEL__NOINLINE void look(struct cel__stack_pool *pool)
{
    if (pool->warm_low > 1)
        trim(pool, pool->warm_count - pool->warm_low / 2);
    pool->warm_max = cel__max(cel__min(pool->warm_max, pool->owned), pool->warm_least);
    pool->look_left = LOOK_CYCLES * pool->warm_max;
    pool->warm_low = pool->warm_count;
    pool->lost = 0;
}

static inline void make_warm(struct cel__stack_pool *pool, struct cel__stack *stack)
{
    stack->state = SLOT_WARM;
    stack->owner = NULL;
    stack->next = pool->warm;
    pool->warm = stack;
    pool->warm_count++;
}

static CEL__NOINLINE void put_slowly(struct cel__stack_pool *pool, struct cel__stack *stack)
{
    if (stack->has_canary)
        CEL__ASSERT(cel__canary_is_whole(cel__stack_base(stack)) && "a stack overflowed");
    if (pool->warm_count >= pool->warm_max)
        trim(pool, pool->warm_max / 2);
    if (pool->look_left == 0)
        look(pool);
    make_warm(pool, stack);
}

void cel__stack_put(struct cel__stacks *all, struct cel__stack *stack)
{
    struct cel__stack_pool *pool = &all->pools[stack->class];

    CEL__ASSERT(stack->state == SLOT_BUSY);
    cel__annotate_stack_put(cel__stack_base(stack), stack->top);
    if (cel__unlikely(--pool->look_left == 0 || pool->warm_count >= pool->warm_max ||
                      stack->has_canary))
        put_slowly(pool, stack);
    else
        make_warm(pool, stack);
}

/* --- a thread's pools --- */

void cel__stacks_init(struct cel__stacks *all)
{
    *all = (struct cel__stacks){.page_bytes = (size_t)sysconf(_SC_PAGESIZE)};
    for (int i = 0; i < CEL__STACK_CLASSES; i++) {
        cel__list_init(&all->pools[i].partial);
        cel__list_init(&all->pools[i].full);
        all->pools[i].warm_least = all->pools[i].warm_max =
            cel__max(cel__min(WARM_BYTES / (CEL__STACK_MIN << i), WARM_MAX), WARM_MIN);
        all->pools[i].warm_most = all->pools[i].warm_least * WARM_GROWTH;
        all->pools[i].look_left = all->pools[i].warm_max * LOOK_CYCLES;
    }
}

static size_t busy_in(struct cel__list *slabs)
{
    size_t busy = 0;

    CEL__LIST_EACH (node, slabs) {
        const struct slab *slab = cel__container_of(node, struct slab, node);

        busy += slab->fresh - slab->cold_count;
    }
    return busy;
}

size_t cel__stacks_fini(struct cel__stacks *all)
{
    size_t busy = 0;

    for (int i = 0; i < CEL__STACK_CLASSES; i++) {
        struct cel__stack_pool *pool = &all->pools[i];

        trim(pool, 0);
        CEL__LIST_EACH_SAFE (node, &pool->partial) {
            struct slab *slab = cel__container_of(node, struct slab, node);

            if (slab->cold_count == slab->fresh)
                slab_free(pool, slab);
        }
        busy += busy_in(&pool->partial) + busy_in(&pool->full);
    }
    return busy;
}

static struct cel__stack *guarding_in(struct cel__list *slabs, const char *address)
{
    CEL__LIST_EACH (node, slabs) {
        struct slab *slab = cel__container_of(node, struct slab, node);
        size_t offset = (size_t)(address - slab->base);

        if (address >= slab->base && offset < slab->fresh * stride(slab) &&
            offset % stride(slab) < slab->guard_bytes)
            return &slab->slots[offset / stride(slab)];
    }
    return NULL;
}

struct cel__stack *cel__stack_guarding(struct cel__stacks *all, const void *address)
{
    for (int i = 0; i < CEL__STACK_CLASSES; i++) {
        struct cel__stack *stack = guarding_in(&all->pools[i].partial, address);

        if (stack == NULL)
            stack = guarding_in(&all->pools[i].full, address);
        if (stack != NULL)
            return stack;
    }
    return NULL;
}
