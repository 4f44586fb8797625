/* SPDX-License-Identifier: MIT */
/* The encodings of East Asia: ASCII, and sequences that begin with a high byte. A
 * sequence that means nothing gives its second byte back when that is ASCII. The one
 * exception to all of it is ISO-2022-JP, which has only low bytes and escapes. */
#include "html/decode_step.h"
#include "html/index.h"

static bool is_within(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* What to take for a lead at the end of what there is. */
static size_t lone_lead(bool is_last, uint32_t *code)
{
    *code = CEL__BROKEN;
    return is_last ? 1 : 0;
}

/* `found`: the code point of a pair, or 0. */
static size_t pair(const uint8_t *p, uint32_t found, uint32_t *code)
{
    *code = found != 0 ? found : CEL__BROKEN;
    return found == 0 && p[1] < 0x80 ? 1 : 2;
}

static size_t next_gb18030_four(const uint8_t *p, size_t left, bool is_last, uint32_t *code)
{
    bool is_third = left > 2 && is_within(p[2], 0x81, 0xfe);

    *code = CEL__BROKEN;
    if (left == 2 || (left == 3 && is_third))
        return is_last ? left : 0;
    if (!is_third || !is_within(p[3], '0', '9'))
        return 1;
    *code = cel__index_gb18030_ranges(
        ((uint32_t)((p[0] - 0x81) * 10 + p[1] - '0') * 126 + p[2] - 0x81) * 10 + p[3] - '0');
    if (*code == 0)
        *code = CEL__BROKEN;
    return 4;
}

static size_t next_gb18030(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                           uint32_t *code)
{
    uint32_t found = 0;

    if (!is_within(p[0], 0x81, 0xfe)) {
        *code = p[0] == 0x80 ? 0x20ac : CEL__BROKEN;
        return 1;
    }
    if (left == 1)
        return lone_lead(is_last, code);
    if (is_within(p[1], '0', '9'))
        return next_gb18030_four(p, left, is_last, code);
    if (p[1] >= 0x40 && p[1] != 0x7f && p[1] != 0xff)
        found = cel__index_gb18030((p[0] - 0x81u) * 190 + p[1] - (p[1] < 0x7f ? 0x40 : 0x41));
    return pair(p, found, code);
}

/* Four places hold a letter with an accent that Unicode has apart. */
static uint32_t big5_both(uint32_t pointer)
{
    switch (pointer) {
    case 1133:
        return CEL__BOTH(0xca, 0x304);
    case 1135:
        return CEL__BOTH(0xca, 0x30c);
    case 1164:
        return CEL__BOTH(0xea, 0x304);
    case 1166:
        return CEL__BOTH(0xea, 0x30c);
    default:
        return 0;
    }
}

static size_t next_big5(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                        uint32_t *code)
{
    uint32_t found = 0;

    if (!is_within(p[0], 0x81, 0xfe)) {
        *code = CEL__BROKEN;
        return 1;
    }
    if (left == 1)
        return lone_lead(is_last, code);
    if (is_within(p[1], 0x40, 0x7e) || is_within(p[1], 0xa1, 0xfe)) {
        uint32_t pointer = (p[0] - 0x81u) * 157 + p[1] - (p[1] < 0x7f ? 0x40 : 0x62);

        found = cel__index_big5(pointer);
        if (found == 0)
            found = big5_both(pointer);
    }
    return pair(p, found, code);
}

static size_t next_euc_kr(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                          uint32_t *code)
{
    uint32_t found = 0;

    if (!is_within(p[0], 0x81, 0xfe)) {
        *code = CEL__BROKEN;
        return 1;
    }
    if (left == 1)
        return lone_lead(is_last, code);
    if (is_within(p[1], 0x41, 0xfe))
        found = cel__index_euc_kr((p[0] - 0x81u) * 190 + p[1] - 0x41);
    return pair(p, found, code);
}

static size_t next_shift_jis(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                             uint32_t *code)
{
    uint32_t found = 0;

    if (p[0] == 0x80 || is_within(p[0], 0xa1, 0xdf)) {
        *code = p[0] == 0x80 ? 0x80 : 0xff61u + p[0] - 0xa1;
        return 1;
    }
    if (p[0] == 0xa0 || p[0] > 0xfc) {
        *code = CEL__BROKEN;
        return 1;
    }
    if (left == 1)
        return lone_lead(is_last, code);
    if (p[1] >= 0x40 && p[1] != 0x7f && p[1] <= 0xfc) {
        uint32_t pointer =
            (p[0] - (p[0] < 0xa0 ? 0x81u : 0xc1u)) * 188 + p[1] - (p[1] < 0x7f ? 0x40 : 0x41);

        /* Characters that users of Windows drew themselves. */
        found = pointer >= 8836 && pointer <= 10715 ? 0xe000 - 8836 + pointer
                                                    : cel__index_jis0208(pointer);
    }
    return pair(p, found, code);
}

static size_t next_euc_jp_three(const uint8_t *p, size_t left, bool is_last, uint32_t *code)
{
    uint32_t found = 0;

    if (left == 2) {
        *code = CEL__BROKEN;
        return is_last ? 2 : 0;
    }
    if (is_within(p[2], 0xa1, 0xfe))
        found = cel__index_jis0212((p[1] - 0xa1u) * 94 + p[2] - 0xa1);
    return 1 + pair(p + 1, found, code);
}

static size_t next_euc_jp(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                          uint32_t *code)
{
    uint32_t found = 0;

    if (p[0] != 0x8e && p[0] != 0x8f && !is_within(p[0], 0xa1, 0xfe)) {
        *code = CEL__BROKEN;
        return 1;
    }
    if (left == 1)
        return lone_lead(is_last, code);
    if (p[0] == 0x8f && is_within(p[1], 0xa1, 0xfe))
        return next_euc_jp_three(p, left, is_last, code);
    if (p[0] == 0x8e && is_within(p[1], 0xa1, 0xdf))
        found = 0xff61u + p[1] - 0xa1;
    else if (p[0] >= 0xa1 && is_within(p[1], 0xa1, 0xfe))
        found = cel__index_jis0208((p[0] - 0xa1u) * 94 + p[1] - 0xa1);
    return pair(p, found, code);
}

/* ESC ( B, ESC ( J, ESC ( I, ESC $ @, ESC $ B; of anything else only the ESC is taken. */
static size_t next_escape(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                          uint32_t *code)
{
    bool is_first = left > 1 && (p[1] == '(' || p[1] == '$');

    if (!is_last && (left == 1 || (left == 2 && is_first)))
        return 0;
    *code = CEL__BROKEN;
    if (left > 2 && p[1] == '(' && (p[2] == 'B' || p[2] == 'J' || p[2] == 'I')) {
        d->set = p[2];
    } else if (left > 2 && p[1] == '$' && (p[2] == 'B' || p[2] == '@')) {
        d->set = '2';
    } else {
        d->has_escaped = false;
        return 1;
    }
    /* Two in a row could hide something from whoever looks at the bytes alone. */
    *code = d->has_escaped ? CEL__BROKEN : CEL__NOTHING;
    d->has_escaped = true;
    return 3;
}

static size_t next_jis_pair(const uint8_t *p, size_t left, bool is_last, uint32_t *code)
{
    uint32_t found = 0;

    if (left == 1)
        return lone_lead(is_last, code);
    if (is_within(p[1], 0x21, 0x7e))
        found = cel__index_jis0208((p[0] - 0x21u) * 94 + p[1] - 0x21);
    *code = found != 0 ? found : CEL__BROKEN;
    return p[1] == 0x1b ? 1 : 2;
}

static size_t next_iso_2022_jp(struct cel__decoder *d, const uint8_t *p, size_t left, bool is_last,
                               uint32_t *code)
{
    uint8_t byte = p[0];

    if (byte == 0x1b)
        return next_escape(d, p, left, is_last, code);
    *code = CEL__BROKEN;
    d->has_escaped = false;
    if (d->set == '2' && is_within(byte, 0x21, 0x7e))
        return next_jis_pair(p, left, is_last, code);
    if (d->set == 'I' && is_within(byte, 0x21, 0x5f))
        *code = 0xff61u + byte - 0x21;
    else if (d->set == 'J' && (byte == 0x5c || byte == 0x7e))
        *code = byte == 0x5c ? 0xa5 : 0x203e;
    else if ((d->set == 'B' || d->set == 'J') && byte < 0x80 && byte != 0x0e && byte != 0x0f)
        *code = byte;
    return 1;
}

size_t cel__step_big5(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_big5, true, d, w);
}

size_t cel__step_euc_jp(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_euc_jp, true, d, w);
}

size_t cel__step_euc_kr(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_euc_kr, true, d, w);
}

size_t cel__step_gb18030(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_gb18030, true, d, w);
}

size_t cel__step_iso_2022_jp(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_iso_2022_jp, false, d, w);
}

size_t cel__step_shift_jis(struct cel__decoder *d, struct cel__window *w)
{
    return cel__step_by(next_shift_jis, true, d, w);
}
