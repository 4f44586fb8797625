/* SPDX-License-Identifier: MIT */
/* Latencies in buckets of 1/32 of a power of two: within 3 % of the true value. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HIST_SUB = 32, HIST_SIZE = 60 * HIST_SUB };

struct hist {
    uint64_t count, at[HIST_SIZE];
};

static inline unsigned hist_slot(uint64_t v)
{
    unsigned top;

    if (v < HIST_SUB)
        return (unsigned)v;
    top = 63 - (unsigned)__builtin_clzll(v);
    return (top - 4) * HIST_SUB + (unsigned)(v >> (top - 5) & (HIST_SUB - 1));
}

static inline void hist_add(struct hist *h, int64_t v)
{
    h->at[hist_slot(v < 0 ? 0 : (uint64_t)v)]++;
    h->count++;
}

static inline double hist_quantile(const struct hist *h, double q)
{
    uint64_t want = (uint64_t)((double)h->count * q), seen = 0;

    for (unsigned i = 0; i < HIST_SIZE; i++) {
        seen += h->at[i];
        if (seen > want)
            return i < HIST_SUB
                       ? (double)i
                       : (double)((uint64_t)(HIST_SUB + i % HIST_SUB) << (i / HIST_SUB - 1));
    }
    return 0;
}

#endif
