/* SPDX-License-Identifier: MIT */
/* The decoders, whatever the encoding: input goes through in blocks, so that room for
 * the worst is small; the beginning of a character at the end of a piece is held, and
 * read again together with the bytes behind it. UTF-8, UTF-16 and the encodings of one
 * byte a character are here. */
#include "html/decode.h"

#include <errno.h>

#include "html/decode_step.h"
#include "html/index.h"
#include "html/utf8.h"

#define BLOCK_BYTES  4096
#define WINDOW_BYTES 16 /* for what is held and the rest of its character */

static size_t next_utf_16(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                          uint32_t *code)
{
    bool is_big = d->encoding == CEL__UTF_16BE;
    uint32_t unit[2] = {0};

    for (size_t i = 0; i < 2 && 2 * i + 1 < left; i++)
        unit[i] = (uint32_t)p[2 * i + !is_big] << 8 | p[2 * i + is_big];
    if (left < 4 && !is_last && (left < 2 || (unit[0] & 0xfc00) == 0xd800))
        return 0;
    *code = CEL__BROKEN;
    /* The end in the middle of a pair is one mistake, not two. */
    if (left < 2 || (left == 3 && (unit[0] & 0xfc00) == 0xd800))
        return left;
    if ((unit[0] & 0xfc00) == 0xd800 && (unit[1] & 0xfc00) == 0xdc00) {
        *code = 0x10000 + ((unit[0] & 0x3ff) << 10) + (unit[1] & 0x3ff);
        return 4;
    }
    if ((unit[0] & 0xf800) != 0xd800)
        *code = unit[0];
    return 2;
}

static size_t next_single(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                          uint32_t *code)
{
    *code = cel__index_single((enum cel__encoding)d->encoding, *p);
    if (*code == 0)
        *code = CEL__BROKEN;
    return 1;
}

static size_t next_user_defined(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                                uint32_t *code)
{
    *code = 0xf780u + *p - 0x80;
    return 1;
}

static size_t next_utf_8(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                         uint32_t *code)
{
    size_t bad = 0;

    /* Called only where no whole character stands. */
    (void)cel__utf8_sequence(p, left, &bad);
    *code = CEL__BROKEN;
    return bad == left && !is_last ? 0 : bad;
}

static size_t step_utf_8(struct cel__decoder *d, struct cel__window *w)
{
    size_t at = 0;

    while (at < w->len) {
        struct cel_str rest = {(const char *)w->p + at, w->len - at};
        size_t good = cel__utf8_valid(rest), used;
        uint32_t code;

        memcpy(w->out, rest.ptr, good);
        w->out += good;
        at += good;
        if (good == rest.len)
            break;
        used = next_utf_8(d, w->p + at, w->len - at, w->is_last, &code);
        if (used == 0)
            break;
        at += used;
        w->out = cel__put_code(w->out, code);
    }
    return at;
}

static size_t step_replacement(struct cel__decoder *d, struct cel__window *w)
{
    if (d->set == 0)
        w->out = cel__put_code(w->out, CEL__BROKEN);
    d->set = 1;
    return w->len;
}

static size_t step(struct cel__decoder *d, struct cel__window *w)
{
    switch (d->encoding) {
    case CEL__UTF_8:
        return step_utf_8(d, w);
    case CEL__UTF_16LE:
    case CEL__UTF_16BE:
        return cel__step_by(next_utf_16, false, d, w);
    case CEL__GBK:
    case CEL__GB18030:
        return cel__step_gb18030(d, w);
    case CEL__BIG5:
        return cel__step_big5(d, w);
    case CEL__EUC_JP:
        return cel__step_euc_jp(d, w);
    case CEL__ISO_2022_JP:
        return cel__step_iso_2022_jp(d, w);
    case CEL__SHIFT_JIS:
        return cel__step_shift_jis(d, w);
    case CEL__EUC_KR:
        return cel__step_euc_kr(d, w);
    case CEL__REPLACEMENT:
        return step_replacement(d, w);
    case CEL__X_USER_DEFINED:
        return cel__step_by(next_user_defined, true, d, w);
    default:
        return cel__step_by(next_single, true, d, w);
    }
}

/* -> bytes taken, or -ENOMEM. */
static ssize_t decode_window(struct cel__decoder *d, const uint8_t *p, size_t len, bool is_last,
                             struct cel__buf *out)
{
    struct cel__window w = {.p = p, .len = len, .is_last = is_last};
    size_t used;

    if (cel__buf_reserve(out, 3 * len) < 0)
        return -ENOMEM;
    w.out = (uint8_t *)out->ptr + out->len;
    used = step(d, &w);
    out->len = (size_t)((char *)w.out - out->ptr);
    return (ssize_t)used;
}

static void hold(struct cel__decoder *d, const uint8_t *p, size_t len)
{
    CEL__ASSERT(len <= sizeof d->held);
    d->held_len = (uint8_t)len;
    if (len != 0)
        memcpy(d->held, p, len);
}

/* What is held with what follows it, as far as those two need; the rest of *bytes is left. */
static int decode_held(struct cel__decoder *d, struct cel_str *bytes, bool is_last,
                       struct cel__buf *out)
{
    uint8_t window[WINDOW_BYTES];
    size_t held = d->held_len, more = cel__min(bytes->len, WINDOW_BYTES - held);
    ssize_t used;

    memcpy(window, d->held, held);
    if (more != 0)
        memcpy(window + held, bytes->ptr, more);
    used = decode_window(d, window, held + more, is_last && more == bytes->len, out);
    if (used < 0)
        return -ENOMEM;
    if ((size_t)used < held) {
        hold(d, window + used, held + more - (size_t)used);
        more = bytes->len;
    } else {
        d->held_len = 0;
        more = (size_t)used - held;
    }
    bytes->ptr += more;
    bytes->len -= more;
    return 0;
}

void cel__decoder_init(struct cel__decoder *d, enum cel__encoding encoding)
{
    *d = (struct cel__decoder){.encoding = (uint8_t)encoding};
    if (encoding == CEL__ISO_2022_JP)
        d->set = 'B';
}

int cel__decoder_feed(struct cel__decoder *d, struct cel_str bytes, bool is_last,
                      struct cel__buf *out)
{
    if (d->held_len != 0 && decode_held(d, &bytes, is_last, out) < 0)
        return -ENOMEM;
    while (bytes.len != 0) {
        size_t len = cel__min(bytes.len, (size_t)BLOCK_BYTES);
        const uint8_t *p = (const uint8_t *)bytes.ptr;
        ssize_t used = decode_window(d, p, len, is_last && len == bytes.len, out);

        if (used < 0)
            return -ENOMEM;
        if (len == bytes.len) {
            hold(d, p + used, len - (size_t)used);
            break;
        }
        bytes.ptr += used;
        bytes.len -= (size_t)used;
    }
    if (is_last)
        cel__decoder_init(d, (enum cel__encoding)d->encoding);
    return 0;
}

int cel__decode(enum cel__encoding encoding, struct cel_str bytes, struct cel__buf *out)
{
    struct cel__decoder d;

    cel__decoder_init(&d, encoding);
    return cel__decoder_feed(&d, bytes, true, out);
}
