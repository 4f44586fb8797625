/* SPDX-License-Identifier: MIT */
/* The classes of bytes, the plain search, and the instruction sets' primitives.
 *
 * A token's bytes are told by two table look-ups: the low half of a byte gives a mask with a bit
 * for each high half it may go with, the high half gives its bit. */
#include "proto/h1_scan.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/cc.h"

#define X CEL__H1_TEXT         /* only in values */
#define B (X | CEL__H1_TARGET) /* also in targets */
#define A (B | CEL__H1_TOKEN)  /* and in tokens */
#define H (A | CEL__H1_HOST)   /* everywhere */
#define G (X | CEL__H1_TOKEN)  /* '#' */
const uint8_t cel__h1_classes[256] = {
    /* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, X, 0, 0, 0, 0, 0, 0,
    /* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* 20 */ X, A, B, G, A, A, A, A, B, B, A, A, B, H, H, B,
    /* 30 */ H, H, H, H, H, H, H, H, H, H, B, B, B, B, B, B,
    /* 40 */ B, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    /* 50 */ H, H, H, H, H, H, H, H, H, H, H, B, B, B, A, H,
    /* 60 */ A, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    /* 70 */ H, H, H, H, H, H, H, H, H, H, H, B, A, B, H, 0,
    /* 80 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* 90 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* a0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* b0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* c0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* d0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* e0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    /* f0 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};
#undef X
#undef B
#undef A
#undef H
#undef G

static inline const char *plain_span(const char *p, const char *end, unsigned class)
{
    while (p != end && (cel__h1_classes[(uint8_t)*p] & class) != 0)
        p++;
    return p;
}

static unsigned plain_lines(const char *begin, const char *p, const char *end,
                            struct cel__h1_line *out, unsigned max)
{
    unsigned n = 0;

    while (n < max) {
        const char *colon = plain_span(p, end, CEL__H1_TOKEN), *cr;

        if (colon == end || *colon != ':' || colon == p)
            break;
        cr = plain_span(colon + 1, end, CEL__H1_TEXT);
        if (end - cr < 2 || memcmp(cr, "\r\n", 2) != 0)
            break;
        out[n++] = (struct cel__h1_line){(uint32_t)(p - begin), (uint32_t)(colon - begin),
                                         (uint32_t)(cr - begin)};
        p = cr + 2;
    }
    return n;
}

static const char *plain_target(const char *begin, const char *p, const char *end)
{
    return plain_span(p, end, CEL__H1_TARGET);
}

static const char *plain_text(const char *begin, const char *p, const char *end)
{
    return plain_span(p, end, CEL__H1_TEXT);
}

static const struct cel__h1_scan plain = {"plain", plain_lines, plain_target, plain_text};

/* Bit h of entry l: the byte with high half h and low half l is a token byte. */
#define TOKEN_ROWS                                                                          \
    (char)0xe8, (char)0xfc, (char)0xf8, (char)0xfc, (char)0xfc, (char)0xfc, (char)0xfc,     \
        (char)0xfc, (char)0xf8, (char)0xf8, (char)0xf4, (char)0x54, (char)0xd0, (char)0x54, \
        (char)0xf4, (char)0x70
#define TOKEN_BITS 1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0

#if defined(__x86_64__)
#include <immintrin.h>

#define ISA_TARGET __attribute__((target("avx2,bmi")))
#define ISA(name)  avx2_##name

ISA_TARGET static inline uint32_t avx2_token(const char *p)
{
    const __m256i rows = _mm256_broadcastsi128_si256(_mm_setr_epi8(TOKEN_ROWS));
    const __m256i bits = _mm256_broadcastsi128_si256(_mm_setr_epi8(TOKEN_BITS));
    const __m256i low = _mm256_set1_epi8(0x0f);
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(v, low));
    __m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));

    return (uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), _mm256_setzero_si256()));
}

ISA_TARGET static inline uint32_t avx2_text(const char *p)
{
    const __m256i highest = _mm256_set1_epi8(0x1f);
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, highest), v);
    __m256i tab = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t'));
    __m256i del = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));

    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(_mm256_andnot_si256(tab, control), del));
}

ISA_TARGET static inline uint32_t avx2_target(const char *p)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)p);
    __m256i visible = _mm256_cmpgt_epi8(v, _mm256_set1_epi8(0x20));
    __m256i del = _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f));
    __m256i hash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('#'));

    return ~(uint32_t)_mm256_movemask_epi8(
        _mm256_andnot_si256(_mm256_or_si256(del, hash), visible));
}

#include "proto/h1_scan_isa.inc"
static const struct cel__h1_scan avx2 = {"avx2", avx2_lines, avx2_first_target, avx2_first_text};
#undef ISA
#undef ISA_TARGET

#define ISA_TARGET __attribute__((target("sse4.2")))
#define ISA(name)  sse42_##name

ISA_TARGET static inline uint32_t sse42_token16(const char *p)
{
    const __m128i low = _mm_set1_epi8(0x0f);
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i row = _mm_shuffle_epi8(_mm_setr_epi8(TOKEN_ROWS), _mm_and_si128(v, low));
    __m128i bit =
        _mm_shuffle_epi8(_mm_setr_epi8(TOKEN_BITS), _mm_and_si128(_mm_srli_epi16(v, 4), low));

    return (uint32_t)_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_and_si128(row, bit), _mm_setzero_si128()));
}

ISA_TARGET static inline uint32_t sse42_text16(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));

    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

ISA_TARGET static inline uint32_t sse42_target16(const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    __m128i visible = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x20));
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    __m128i hash = _mm_cmpeq_epi8(v, _mm_set1_epi8('#'));

    return ~(uint32_t)_mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(del, hash), visible)) &
           0xffff;
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define ISA_TARGET
#define ISA(name) neon_##name

/* 16 bytes of 00 or ff to 16 bits. */
static inline uint32_t neon_movemask(uint8x16_t wide)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t m = vandq_u8(wide, vld1q_u8(bits));

    return (uint32_t)vaddv_u8(vget_low_u8(m)) | (uint32_t)vaddv_u8(vget_high_u8(m)) << 8;
}

static inline uint32_t neon_token16(const char *p)
{
    static const uint8_t rows[16] = {0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
                                     0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70};
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t v = vld1q_u8((const uint8_t *)p);
    uint8x16_t row = vqtbl1q_u8(vld1q_u8(rows), vandq_u8(v, vdupq_n_u8(0x0f)));
    uint8x16_t bit = vqtbl1q_u8(vld1q_u8(bits), vshrq_n_u8(v, 4));

    return neon_movemask(vceqzq_u8(vandq_u8(row, bit)));
}

static inline uint32_t neon_text16(const char *p)
{
    uint8x16_t v = vld1q_u8((const uint8_t *)p);
    uint8x16_t control = vbicq_u8(vcltq_u8(v, vdupq_n_u8(0x20)), vceqq_u8(v, vdupq_n_u8('\t')));

    return neon_movemask(vorrq_u8(control, vceqq_u8(v, vdupq_n_u8(0x7f))));
}

static inline uint32_t neon_target16(const char *p)
{
    uint8x16_t v = vld1q_u8((const uint8_t *)p);
    uint8x16_t outside = vorrq_u8(vcltq_u8(v, vdupq_n_u8(0x21)), vcgtq_u8(v, vdupq_n_u8(0x7e)));

    return neon_movemask(vorrq_u8(outside, vceqq_u8(v, vdupq_n_u8('#'))));
}
#endif

/* What has 16-byte registers takes two of them for 32 bytes. */
#if defined(__x86_64__) || defined(__aarch64__)
ISA_TARGET static inline uint32_t ISA(token)(const char *p)
{
    return ISA(token16)(p) | ISA(token16)(p + 16) << 16;
}

ISA_TARGET static inline uint32_t ISA(text)(const char *p)
{
    return ISA(text16)(p) | ISA(text16)(p + 16) << 16;
}

ISA_TARGET static inline uint32_t ISA(target)(const char *p)
{
    return ISA(target16)(p) | ISA(target16)(p + 16) << 16;
}

#include "proto/h1_scan_isa.inc"
#endif

#if defined(__x86_64__)
static const struct cel__h1_scan sse42 = {"sse4.2", sse42_lines, sse42_first_target,
                                          sse42_first_text};
#elif defined(__aarch64__)
static const struct cel__h1_scan neon = {"neon", neon_lines, neon_first_target, neon_first_text};
#endif

const struct cel__h1_scan *cel__h1_scan_nth(unsigned n)
{
    const struct cel__h1_scan *all[4] = {&plain};
    unsigned count = 1;

#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2"))
        all[count++] = &sse42;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
        all[count++] = &avx2;
#elif defined(__aarch64__)
    all[count++] = &neon;
#endif
    return n < count ? all[n] : NULL;
}

static const struct cel__h1_scan *choose(void)
{
    const struct cel__h1_scan *best = &plain, *next;

    for (unsigned n = 0; (next = cel__h1_scan_nth(n)) != NULL; n++)
        best = next;
    return best;
}

const struct cel__h1_scan *cel__h1_scan(void)
{
    static _Atomic(const struct cel__h1_scan *) chosen;
    const struct cel__h1_scan *scan = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (cel__unlikely(scan == NULL)) {
        scan = choose();
        atomic_store_explicit(&chosen, scan, memory_order_relaxed);
    }
    return scan;
}
