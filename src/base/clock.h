/* SPDX-License-Identifier: MIT */
#ifndef CEL__CLOCK_H
#define CEL__CLOCK_H

#include <stdint.h>

/* The system's monotonic clock, ns: about 30 ns a call, so a loop reads it once a turn. */
int64_t cel__clock_monotonic(void);

/* The wall clock, ns since 1970. Only for what people read and for HTTP dates. */
int64_t cel__clock_wall(void);

/* a + b that stops at the ends instead of wrapping; for deadlines. */
static inline int64_t cel__clock_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

#endif
