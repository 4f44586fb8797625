/* SPDX-License-Identifier: MIT */
/* Each place is told by two bytes side by side, so many places are two loads and a few compares: by
 * vectors of the compiler's, which are registers of whatever processor there is. */
#include "html/census.h"

#include <stdatomic.h>
#include <string.h>

#include "base/cc.h"

#define LANES     32
#define LANE_MOST 255

typedef uint8_t lanes __attribute__((vector_size(LANES)));

/* '<' and '>' differ in one bit, the two quotes in two that hardly another byte behind '=' has. A
 * '<' before '<' and a '>' before '/' are missed, which pages can bear. */
#define IS_NODE(at, next) ((((at) | 2) == '>') & ((next) != '/') & ((next) != '<'))
#define IS_ATTR(at, next) (((at) == '=') & (((next) | 5) == '\''))

static struct cel__census plain(struct cel_str page)
{
    struct cel__census c = {0};

    for (size_t i = 0; i < page.len; i++) {
        uint8_t at = (uint8_t)page.ptr[i], next = i + 1 < page.len ? (uint8_t)page.ptr[i + 1] : 0;

        c.nodes += IS_NODE(at, next);
        c.attrs += IS_ATTR(at, next);
    }
    return c;
}

static uint32_t sum(const lanes *counts)
{
    uint32_t n = 0;

    for (int i = 0; i < LANES; i++)
        n += (*counts)[i];
    return n;
}

/* What is true in a lane is -1 there. */
static inline __attribute__((always_inline)) struct cel__census wide(struct cel_str page)
{
    struct cel__census c = {0}, rest;

    while (page.len > LANES) {
        size_t blocks = cel__min((page.len - 1) / LANES, (size_t)LANE_MOST);
        lanes nodes = {0}, attrs = {0};

        page.len -= blocks * LANES;
        for (; blocks > 0; blocks--, page.ptr += LANES) {
            lanes at, next;

            memcpy(&at, page.ptr, LANES);
            memcpy(&next, page.ptr + 1, LANES);
            nodes -= (lanes)IS_NODE(at, next);
            attrs -= (lanes)IS_ATTR(at, next);
        }
        c.nodes += sum(&nodes);
        c.attrs += sum(&attrs);
    }
    rest = plain(page);
    return (struct cel__census){c.nodes + rest.nodes, c.attrs + rest.attrs};
}

static struct cel__census usual(struct cel_str page)
{
    return wide(page);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static struct cel__census avx2(struct cel_str page)
{
    return wide(page);
}
#endif

cel__census_fn *cel__census_nth(unsigned n)
{
    cel__census_fn *all[3] = {plain, usual};
    unsigned count = 2;

#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        all[count++] = avx2;
#endif
    return n < count ? all[n] : NULL;
}

struct cel__census cel__census_take(struct cel_str page)
{
    static _Atomic(cel__census_fn *) chosen;
    cel__census_fn *best = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (cel__unlikely(best == NULL)) {
        for (unsigned n = 0; cel__census_nth(n) != NULL; n++)
            best = cel__census_nth(n);
        atomic_store_explicit(&chosen, best, memory_order_relaxed);
    }
    return best(page);
}
