/* SPDX-License-Identifier: MIT */
#ifndef CEL__DECODE_STEP_H
#define CEL__DECODE_STEP_H

/* What the decoders share: a step turns a window of bytes into UTF-8 as far as the
 * window goes, and says how many bytes it took. A scheme is one function, `next`,
 * which reads the character at a place:
 *
 *  - it returns how many bytes that took, and 0 when the window ends in the middle
 *    of it, which it never does for the last window;
 *  - *code gets a code point, CEL__BROKEN, CEL__NOTHING or CEL__BOTH(a, b).
 *
 * No more than four bytes stand for a character, and each byte makes at most three
 * of UTF-8; the room behind `out` is reckoned by that. */

#include <string.h>

#include "base/cc.h"
#include "html/decoder.h"

#define CEL__BROKEN     0xfffdu
#define CEL__NOTHING    UINT32_MAX /* the bytes stand for no character, and are in order */
#define CEL__BOTH(a, b) (UINT32_C(1) << 31 | (uint32_t)(a) << 16 | (uint32_t)(b))

struct cel__window {
    const uint8_t *p;
    size_t len;
    bool is_last;
    uint8_t *out;
};

/* -> bytes taken. */
size_t cel__step_big5(struct cel__decoder *d, struct cel__window *w);
size_t cel__step_euc_jp(struct cel__decoder *d, struct cel__window *w);
size_t cel__step_euc_kr(struct cel__decoder *d, struct cel__window *w);
size_t cel__step_gb18030(struct cel__decoder *d, struct cel__window *w);
size_t cel__step_iso_2022_jp(struct cel__decoder *d, struct cel__window *w);
size_t cel__step_shift_jis(struct cel__decoder *d, struct cel__window *w);

static inline uint8_t *cel__put_code(uint8_t *o, uint32_t code)
{
    if (code < 0x80) {
        *o++ = (uint8_t)code;
    } else if (code < 0x800) {
        *o++ = (uint8_t)(0xc0 | code >> 6);
        *o++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *o++ = (uint8_t)(0xe0 | code >> 12);
        *o++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *o++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code < 0x110000) {
        *o++ = (uint8_t)(0xf0 | code >> 18);
        *o++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        *o++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        *o++ = (uint8_t)(0x80 | (code & 0x3f));
    } else if (code != CEL__NOTHING) {
        o = cel__put_code(o, code >> 16 & 0x7fff);
        o = cel__put_code(o, code & 0xffff);
    }
    return o;
}

/* Copies ASCII from the beginning of [p, end), 32 bytes a step; -> where it ends. */
static inline const uint8_t *cel__copy_ascii(const uint8_t *p, const uint8_t *end, uint8_t **out)
{
    uint8_t *o = *out;
    uint64_t word[4];

    for (; end - p >= (ptrdiff_t)sizeof word; p += sizeof word, o += sizeof word) {
        memcpy(word, p, sizeof word);
        if ((word[0] | word[1] | word[2] | word[3]) & UINT64_C(0x8080808080808080))
            break;
        memcpy(o, word, sizeof word);
    }
    while (p < end && *p < 0x80)
        *o++ = *p++;
    *out = o;
    return p;
}

/* Runs `next` over the window. Inlined, so that each scheme is a loop of its own. */
static inline __attribute__((always_inline)) size_t
cel__step_by(size_t (*next)(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                            uint32_t *code),
             bool has_ascii, struct cel__decoder *d, struct cel__window *w)
{
    const uint8_t *p = w->p, *end = w->p + w->len;

    while (p < end) {
        uint32_t code;
        size_t used;

        if (has_ascii && *p < 0x80) {
            p = cel__copy_ascii(p, end, &w->out);
            continue;
        }
        used = next(d, p, (size_t)(end - p), w->is_last, &code);
        if (used == 0)
            break;
        p += used;
        w->out = cel__put_code(w->out, code);
    }
    return (size_t)(p - w->p);
}

#endif
