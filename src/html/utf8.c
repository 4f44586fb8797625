/* SPDX-License-Identifier: MIT */
/* UTF-8 by the table of well-formed sequences; runs of ASCII go eight bytes a step, runs of what
 * most of Asia writes in go by characters of three. */
#include "html/utf8.h"

#include <errno.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

size_t cel__utf8_sequence(const uint8_t *p, size_t left, size_t *bad)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t len;

    *bad = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf) {
        if (i >= left || p[i] < low || p[i] > high) {
            *bad = i;
            return 0;
        }
    }
    return len;
}

/* Past the characters of three bytes at p whose first byte lets the others be any. */
static const uint8_t *skip_threes(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 3) {
        uint32_t word = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;

        if ((word & 0xc0c0f0) != 0x8080e0 || (word & 0xff) == 0xe0 || (word & 0xff) == 0xed)
            break;
        p += 3;
    }
    return p;
}

/* Up to the first block of 8 bytes that has others, or where less than such a block is left. */
static size_t skip_ascii(const uint8_t *p, size_t at, size_t len)
{
    uint64_t word;

#ifdef __SSE2__
    while (at + 32 <= len) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + at + 16));

        if (_mm_movemask_epi8(_mm_or_si128(a, b)) != 0)
            break;
        at += 32;
    }
#endif
    for (; at + 8 <= len; at += 8) {
        memcpy(&word, p + at, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return at;
}

size_t cel__utf8_valid(struct cel_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    size_t at = 0, bad;

    while (at < bytes.len) {
        size_t len;

        at = skip_ascii(p, at, bytes.len);
        at = (size_t)(skip_threes(p + at, p + bytes.len) - p);
        if (at == bytes.len)
            break;
        len = cel__utf8_sequence(p + at, bytes.len - at, &bad);
        if (len == 0)
            return at;
        at += len;
    }
    return at;
}

int cel__utf8_repair(struct cel_str bytes, struct cel__buf *out)
{
    size_t bad;

    for (;;) {
        size_t good = cel__utf8_valid(bytes);

        if (cel__buf_add(out, bytes.ptr, good) < 0)
            return -ENOMEM;
        if (good == bytes.len)
            return 0;
        if (cel__buf_add(out, "\xef\xbf\xbd", 3) < 0)
            return -ENOMEM;
        cel__utf8_sequence((const uint8_t *)bytes.ptr + good, bytes.len - good, &bad);
        bytes.ptr += good + bad;
        bytes.len -= good + bad;
    }
}

int cel__utf8_add(struct cel__buf *out, uint32_t code)
{
    char b[4];

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    if (code < 0x80)
        return cel__buf_add_char(out, (char)code);
    if (code < 0x800) {
        b[0] = (char)(0xc0 | code >> 6);
        b[1] = (char)(0x80 | (code & 0x3f));
        return cel__buf_add(out, b, 2);
    }
    if (code < 0x10000) {
        b[0] = (char)(0xe0 | code >> 12);
        b[1] = (char)(0x80 | (code >> 6 & 0x3f));
        b[2] = (char)(0x80 | (code & 0x3f));
        return cel__buf_add(out, b, 3);
    }
    b[0] = (char)(0xf0 | code >> 18);
    b[1] = (char)(0x80 | (code >> 12 & 0x3f));
    b[2] = (char)(0x80 | (code >> 6 & 0x3f));
    b[3] = (char)(0x80 | (code & 0x3f));
    return cel__buf_add(out, b, 4);
}
