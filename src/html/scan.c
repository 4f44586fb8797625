/* SPDX-License-Identifier: MIT */
/* The variants for long runs, chosen once per process. */
#include "html/scan.h"

#include <stdatomic.h>

static const char *plain(const char *p, const char *end, char a, char b)
{
    return cel__scan_plain(p, end, a, b);
}

#if defined(__x86_64__)
#include <immintrin.h>

static const char *sse2(const char *p, const char *end, char a, char b)
{
    for (; end - p >= 16; p += 16) {
        unsigned hit = cel__scan_16(p, a, b);

        if (hit != 0)
            return p + __builtin_ctz(hit);
    }
    return cel__scan_plain(p, end, a, b);
}

__attribute__((target("avx2"))) static inline __m256i avx2_hits(const char *p, __m256i a, __m256i b)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i ends = _mm256_or_si256(_mm256_cmpeq_epi8(v, a), _mm256_cmpeq_epi8(v, b));
    __m256i rest = _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r')),
                                   _mm256_cmpeq_epi8(v, _mm256_setzero_si256()));

    return _mm256_or_si256(ends, rest);
}

__attribute__((target("avx2"))) static const char *avx2(const char *p, const char *end, char a,
                                                        char b)
{
    const __m256i wide_a = _mm256_set1_epi8(a), wide_b = _mm256_set1_epi8(b);

    for (; end - p >= 64; p += 64) {
        __m256i low = avx2_hits(p, wide_a, wide_b), high = avx2_hits(p + 32, wide_a, wide_b);

        if (_mm256_movemask_epi8(_mm256_or_si256(low, high)) != 0) {
            uint64_t hits = (uint32_t)_mm256_movemask_epi8(low) |
                            (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;

            return p + __builtin_ctzll(hits);
        }
    }
    return sse2(p, end, a, b);
}

#elif defined(__aarch64__)
#include <arm_neon.h>

static const char *neon(const char *p, const char *end, char a, char b)
{
    for (; end - p >= 16; p += 16) {
        uint8x16_t v = vld1q_u8((const uint8_t *)p);
        uint8x16_t hit =
            vorrq_u8(vceqq_u8(v, vdupq_n_u8((uint8_t)a)), vceqq_u8(v, vdupq_n_u8((uint8_t)b)));
        uint64_t nibbles;

        hit = vorrq_u8(hit, vorrq_u8(vceqq_u8(v, vdupq_n_u8('\r')), vceqzq_u8(v)));
        nibbles = vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(hit), 4)), 0);
        if (nibbles != 0)
            return p + __builtin_ctzll(nibbles) / 4;
    }
    return cel__scan_plain(p, end, a, b);
}
#endif

cel__scan_fn *cel__scan_nth(unsigned n)
{
    cel__scan_fn *all[3] = {plain};
    unsigned count = 1;

#if defined(__x86_64__)
    all[count++] = sse2;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        all[count++] = avx2;
#elif defined(__aarch64__)
    all[count++] = neon;
#endif
    return n < count ? all[n] : NULL;
}

const char *cel__scan_long(const char *p, const char *end, char a, char b)
{
    static _Atomic(cel__scan_fn *) chosen;
    cel__scan_fn *scan = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (cel__unlikely(scan == NULL)) {
        for (unsigned n = 0; cel__scan_nth(n) != NULL; n++)
            scan = cel__scan_nth(n);
        atomic_store_explicit(&chosen, scan, memory_order_relaxed);
    }
    return scan(p, end, a, b);
}
