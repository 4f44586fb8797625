/* SPDX-License-Identifier: MIT */
#ifndef CEL__SCAN_H
#define CEL__SCAN_H

/* Runs of text are searched for the few bytes that end them: the first 32 bytes
 * at once in place, since most runs are short; longer ones by the widest
 * registers that the processor has. No load reaches outside [p, end). */

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/cc.h"

typedef const char *cel__scan_fn(const char *p, const char *end, char a, char b);

/* First of a, b, CR, NUL; or end. Of many bytes, by the best variant. */
const char *cel__scan_long(const char *p, const char *end, char a, char b);
/* All variants that this processor can run, the plain one first; NULL behind the last. For tests.
 */
cel__scan_fn *cel__scan_nth(unsigned n);

static inline const char *cel__scan_plain(const char *p, const char *end, char a, char b)
{
    while (p < end && *p != a && *p != b && *p != '\r' && *p != '\0')
        p++;
    return p;
}

#ifdef __SSE2__
static inline unsigned cel__scan_16(const char *p, char a, char b)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(a)), _mm_cmpeq_epi8(v, _mm_set1_epi8(b)));

    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
    return (unsigned)_mm_movemask_epi8(hit);
}
#endif

/* First of a, b, CR, NUL; or end. */
static inline const char *cel__scan(const char *p, const char *end, char a, char b)
{
#ifdef __SSE2__
    if (cel__likely(end - p >= 32)) {
        unsigned hit = cel__scan_16(p, a, b);

        if (hit != 0)
            return p + __builtin_ctz(hit);
        hit = cel__scan_16(p + 16, a, b);
        if (hit != 0)
            return p + 16 + __builtin_ctz(hit);
        return cel__scan_long(p + 32, end, a, b);
    }
    return cel__scan_plain(p, end, a, b);
#else
    return cel__scan_long(p, end, a, b);
#endif
}

#endif
