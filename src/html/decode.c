/* SPDX-License-Identifier: MIT */
/* The decoders of the encoding standard. One function per scheme reads the
 * character at a place: it returns how many bytes that took, with the code point,
 * or with BROKEN for what is none. A broken sequence ends before an ASCII byte,
 * so that no markup is swallowed. */
#include "html/decode.h"

#include <errno.h>

#include "base/cc.h"
#include "html/tables.h"
#include "html/utf8.h"

#define BROKEN  0xfffd
#define NOTHING UINT32_MAX /* the bytes stand for no character, and are in order */

struct reader {
    const uint8_t *p;
    size_t len;
    int encoding;
    int jis_state; /* ISO-2022-JP: 0 ASCII, 'J' Roman, 'I' Katakana, 'B' two bytes */
    uint32_t code;
    uint32_t second; /* follows code, or 0 */
};

static bool is_within(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* A sequence whose second byte does not fit: the ASCII byte is left for the next. */
static size_t broken_pair(struct reader *r, size_t at)
{
    r->code = BROKEN;
    return at + 1 < r->len && r->p[at + 1] >= 0x80 ? 2 : 1;
}

static size_t known_pair(struct reader *r, size_t at, uint32_t code)
{
    if (code == 0)
        return broken_pair(r, at);
    r->code = code;
    return 2;
}

static size_t read_utf16(struct reader *r, size_t at)
{
    bool is_big = r->encoding == CEL__UTF_16BE;
    uint32_t unit[2] = {0};

    for (size_t i = 0; i < 2 && at + 2 * i + 1 < r->len; i++)
        unit[i] = (uint32_t)r->p[at + 2 * i + !is_big] << 8 | r->p[at + 2 * i + is_big];
    r->code = at + 1 < r->len ? unit[0] : BROKEN;
    if (unit[0] >= 0xd800 && unit[0] <= 0xdbff && unit[1] >= 0xdc00 && unit[1] <= 0xdfff) {
        r->code = 0x10000 + ((unit[0] - 0xd800) << 10) + (unit[1] - 0xdc00);
        return 4;
    }
    return cel__min((size_t)2, r->len - at);
}

static size_t read_single(struct reader *r, size_t at)
{
    r->code = cel__tables_single(r->encoding, r->p[at]);
    if (r->code == 0)
        r->code = BROKEN;
    return 1;
}

static size_t read_pair(struct reader *r, size_t at)
{
    uint8_t lead = r->p[at], trail = at + 1 < r->len ? r->p[at + 1] : 0;

    if (!is_within(lead, 0x81, 0xfe) || trail < 0x40)
        return broken_pair(r, at);
    return known_pair(r, at, cel__tables_pair(r->encoding, lead, trail, &r->second));
}

static size_t read_gb18030(struct reader *r, size_t at)
{
    const uint8_t *p = r->p + at;
    size_t left = r->len - at;

    if (p[0] == 0x80) {
        r->code = 0x20ac;
        return 1;
    }
    if (left < 2 || !is_within(p[1], '0', '9'))
        return read_pair(r, at);
    r->code = 0;
    if (left >= 4 && is_within(p[0], 0x81, 0xfe) && is_within(p[2], 0x81, 0xfe) &&
        is_within(p[3], '0', '9'))
        r->code = cel__tables_gb18030_range(
            ((uint32_t)((p[0] - 0x81) * 10 + p[1] - '0') * 126 + p[2] - 0x81) * 10 + p[3] - '0');
    if (r->code != 0)
        return 4;
    r->code = BROKEN;
    return 1;
}

static size_t read_shift_jis(struct reader *r, size_t at)
{
    uint8_t lead = r->p[at], trail = at + 1 < r->len ? r->p[at + 1] : 0;

    if (lead == 0x80 || is_within(lead, 0xa1, 0xdf)) {
        r->code = lead == 0x80 ? 0x80 : 0xff61u + lead - 0xa1;
        return 1;
    }
    if (lead == 0xa0 || lead > 0xfc) {
        r->code = BROKEN;
        return 1;
    }
    if (trail < 0x40 || trail == 0x7f || trail > 0xfc)
        return broken_pair(r, at);
    return known_pair(r, at, cel__tables_pair(r->encoding, lead, trail, &r->second));
}

static size_t read_euc_jp(struct reader *r, size_t at)
{
    const uint8_t *p = r->p + at;
    size_t left = r->len - at;

    if (p[0] == 0x8e && left >= 2 && is_within(p[1], 0xa1, 0xdf)) {
        r->code = 0xff61u + p[1] - 0xa1;
        return 2;
    }
    if (p[0] == 0x8f && left >= 3 && is_within(p[1], 0xa1, 0xfe) && is_within(p[2], 0xa1, 0xfe)) {
        r->code = cel__tables_jis(true, p[1], p[2]);
        r->code = r->code != 0 ? r->code : BROKEN;
        return 3;
    }
    if (left >= 2 && is_within(p[0], 0xa1, 0xfe) && is_within(p[1], 0xa1, 0xfe))
        return known_pair(r, at, cel__tables_jis(false, p[0], p[1]));
    return broken_pair(r, at);
}

/* ESC ( B, ESC ( J, ESC ( I, ESC $ @, ESC $ B; 0 for what is none of them. */
static size_t read_jis_escape(struct reader *r, size_t at)
{
    const uint8_t *p = r->p + at;

    if (r->len - at < 3)
        return 0;
    if (p[1] == '(' && (p[2] == 'B' || p[2] == 'J' || p[2] == 'I'))
        r->jis_state = p[2] == 'B' ? 0 : p[2];
    else if (p[1] == '$' && (p[2] == 'B' || p[2] == '@'))
        r->jis_state = 'B';
    else
        return 0;
    r->code = NOTHING;
    return 3;
}

static size_t read_iso_2022_jp(struct reader *r, size_t at)
{
    uint8_t byte = r->p[at], trail = at + 1 < r->len ? r->p[at + 1] : 0;
    size_t escape = byte == 0x1b ? read_jis_escape(r, at) : 0;

    if (escape != 0)
        return escape;
    r->code = BROKEN;
    if (r->jis_state == 'B' && is_within(byte, 0x21, 0x7e) && is_within(trail, 0x21, 0x7e)) {
        uint32_t code = cel__tables_jis(false, byte | 0x80, trail | 0x80);

        r->code = code != 0 ? code : BROKEN;
        return 2;
    }
    if (r->jis_state == 'I' && is_within(byte, 0x21, 0x5f))
        r->code = 0xff61u + byte - 0x21;
    else if (r->jis_state == 'J' && (byte == 0x5c || byte == 0x7e))
        r->code = byte == 0x5c ? 0xa5 : 0x203e;
    else if ((r->jis_state == 0 || r->jis_state == 'J') && byte < 0x80 && byte != 0x0e &&
             byte != 0x0f && byte != 0x1b)
        r->code = byte;
    return 1;
}

static int decode_by(size_t (*next)(struct reader *r, size_t at), bool has_ascii, struct reader *r,
                     struct cel__buf *out)
{
    for (size_t at = 0; at < r->len;) {
        size_t from = at;

        while (has_ascii && at < r->len && r->p[at] < 0x80)
            at++;
        if (at > from) {
            if (cel__buf_add(out, r->p + from, at - from) < 0)
                return -ENOMEM;
            continue;
        }
        r->second = 0;
        at += next(r, at);
        if (r->code != NOTHING && cel__utf8_add(out, r->code) < 0)
            return -ENOMEM;
        if (r->second != 0 && r->code != BROKEN && cel__utf8_add(out, r->second) < 0)
            return -ENOMEM;
    }
    return 0;
}

int cel__decode(int encoding, struct cel_str bytes, struct cel__buf *out)
{
    struct reader r = {.p = (const uint8_t *)bytes.ptr, .len = bytes.len, .encoding = encoding};

    switch (cel__tables_scheme(encoding)) {
    case CEL__SCHEME_UTF_8:
        return cel__utf8_repair(bytes, out);
    case CEL__SCHEME_UTF_16:
        return decode_by(read_utf16, false, &r, out);
    case CEL__SCHEME_SINGLE:
        return decode_by(read_single, true, &r, out);
    case CEL__SCHEME_PAIRS:
        return decode_by(read_pair, true, &r, out);
    case CEL__SCHEME_GB18030:
        return decode_by(read_gb18030, true, &r, out);
    case CEL__SCHEME_SHIFT_JIS:
        return decode_by(read_shift_jis, true, &r, out);
    case CEL__SCHEME_EUC_JP:
        return decode_by(read_euc_jp, true, &r, out);
    case CEL__SCHEME_ISO_2022_JP:
        return decode_by(read_iso_2022_jp, false, &r, out);
    }
    return -EINVAL;
}
