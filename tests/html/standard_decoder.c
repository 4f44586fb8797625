/* SPDX-License-Identifier: MIT */
#include "standard_decoder.h"

#include "html/index.h"
#include "html/utf8.h"

#define END (-1)

enum answer { FINISHED, CONTINUE, ERROR, CODE };
enum jis_state { ASCII, ROMAN, KATAKANA, LEAD_BYTE, TRAIL_BYTE, ESCAPE_START, ESCAPE };

struct machine {
    enum cel__encoding encoding;
    struct cel_str bytes;
    size_t at;
    int back[4]; /* bytes put back, the last one comes first */
    size_t back_count;
    uint32_t code;
    uint32_t second_code;
    /* Leads, first, second and third bytes; -1: null. */
    int lead, second, third;
    int lead_surrogate;
    bool is_jis0212, output, was_reported;
    enum jis_state state, output_state;
    /* UTF-8 */
    uint32_t utf8_code;
    int needed, seen, lower, upper;
};

static int next_byte(struct machine *m)
{
    if (m->back_count != 0)
        return m->back[--m->back_count];
    return m->at < m->bytes.len ? (uint8_t)m->bytes.ptr[m->at++] : END;
}

static void put_back(struct machine *m, int byte)
{
    m->back[m->back_count++] = byte;
}

static bool in(int byte, int low, int high)
{
    return byte >= low && byte <= high;
}

static enum answer give(struct machine *m, uint32_t code)
{
    m->code = code;
    return CODE;
}

static enum answer utf_8(struct machine *m, int byte)
{
    if (byte == END && m->needed != 0) {
        m->needed = 0;
        return ERROR;
    }
    if (byte == END)
        return FINISHED;
    if (m->needed == 0) {
        if (byte < 0x80)
            return give(m, (uint32_t)byte);
        if (!in(byte, 0xc2, 0xf4))
            return ERROR;
        m->needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        m->lower = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
        m->upper = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
        m->utf8_code = (uint32_t)byte & (0x3fu >> m->needed);
        m->seen = 0;
        return CONTINUE;
    }
    if (!in(byte, m->lower, m->upper)) {
        m->needed = 0;
        put_back(m, byte);
        return ERROR;
    }
    m->lower = 0x80;
    m->upper = 0xbf;
    m->utf8_code = m->utf8_code << 6 | ((uint32_t)byte & 0x3f);
    if (++m->seen != m->needed)
        return CONTINUE;
    m->needed = 0;
    return give(m, m->utf8_code);
}

static enum answer utf_16(struct machine *m, int byte)
{
    bool is_big = m->encoding == CEL__UTF_16BE;
    int unit, lead;

    if (byte == END) {
        bool is_open = m->lead >= 0 || m->lead_surrogate >= 0;

        m->lead = m->lead_surrogate = -1;
        return is_open ? ERROR : FINISHED;
    }
    if (m->lead < 0) {
        m->lead = byte;
        return CONTINUE;
    }
    unit = is_big ? m->lead << 8 | byte : byte << 8 | m->lead;
    m->lead = -1;
    if (m->lead_surrogate >= 0) {
        lead = m->lead_surrogate;
        m->lead_surrogate = -1;
        if (in(unit, 0xdc00, 0xdfff))
            return give(m, 0x10000 + ((uint32_t)(lead - 0xd800) << 10) + (uint32_t)(unit - 0xdc00));
        put_back(m, is_big ? unit & 0xff : unit >> 8);
        put_back(m, is_big ? unit >> 8 : unit & 0xff);
        return ERROR;
    }
    if (in(unit, 0xd800, 0xdbff)) {
        m->lead_surrogate = unit;
        return CONTINUE;
    }
    return in(unit, 0xdc00, 0xdfff) ? ERROR : give(m, (uint32_t)unit);
}

static enum answer single(struct machine *m, int byte)
{
    if (byte == END)
        return FINISHED;
    if (byte < 0x80)
        return give(m, (uint32_t)byte);
    m->code = m->encoding == CEL__X_USER_DEFINED ? 0xf780 + (uint32_t)byte - 0x80
                                                 : cel__index_single(m->encoding, (uint8_t)byte);
    return m->code != 0 ? CODE : ERROR;
}

static enum answer gb18030(struct machine *m, int byte)
{
    int first = m->lead, second = m->second, third = m->third;

    m->code = 0;
    if (byte == END) {
        bool is_open = first > 0 || second > 0 || third > 0;

        m->lead = m->second = m->third = 0;
        return is_open ? ERROR : FINISHED;
    }
    if (third > 0) {
        m->lead = m->second = m->third = 0;
        if (!in(byte, 0x30, 0x39)) {
            put_back(m, byte);
            put_back(m, third);
            put_back(m, second);
            return ERROR;
        }
        m->code = cel__index_gb18030_ranges((uint32_t)((first - 0x81) * (10 * 126 * 10) +
                                                       (second - 0x30) * (10 * 126) +
                                                       (third - 0x81) * 10 + byte - 0x30));
        return m->code != 0 ? CODE : ERROR;
    }
    if (second > 0) {
        if (in(byte, 0x81, 0xfe)) {
            m->third = byte;
            return CONTINUE;
        }
        put_back(m, byte);
        put_back(m, second);
        m->lead = m->second = 0;
        return ERROR;
    }
    if (first > 0) {
        if (in(byte, 0x30, 0x39)) {
            m->second = byte;
            return CONTINUE;
        }
        m->lead = 0;
        if (in(byte, 0x40, 0x7e) || in(byte, 0x80, 0xfe))
            m->code = cel__index_gb18030(
                (uint32_t)((first - 0x81) * 190 + byte - (byte < 0x7f ? 0x40 : 0x41)));
        if (m->code != 0)
            return CODE;
        if (byte < 0x80)
            put_back(m, byte);
        return ERROR;
    }
    if (byte < 0x80)
        return give(m, (uint32_t)byte);
    if (byte == 0x80)
        return give(m, 0x20ac);
    if (!in(byte, 0x81, 0xfe))
        return ERROR;
    m->lead = byte;
    return CONTINUE;
}

/* The end of a pair in all encodings of pairs. */
static enum answer end_pair(struct machine *m, int byte, uint32_t code)
{
    if (code != 0)
        return give(m, code);
    if (byte < 0x80)
        put_back(m, byte);
    return ERROR;
}

static enum answer big5(struct machine *m, int byte)
{
    int lead = m->lead;
    uint32_t pointer = UINT32_MAX;

    m->lead = 0;
    if (byte == END)
        return lead > 0 ? ERROR : FINISHED;
    if (lead > 0) {
        if (in(byte, 0x40, 0x7e) || in(byte, 0xa1, 0xfe))
            pointer = (uint32_t)((lead - 0x81) * 157 + byte - (byte < 0x7f ? 0x40 : 0x62));
        if (pointer == 1133 || pointer == 1135 || pointer == 1164 || pointer == 1166) {
            m->second_code = pointer == 1133 || pointer == 1164 ? 0x304 : 0x30c;
            return give(m, pointer < 1164 ? 0xca : 0xea);
        }
        return end_pair(m, byte, cel__index_big5(pointer));
    }
    if (byte < 0x80)
        return give(m, (uint32_t)byte);
    if (!in(byte, 0x81, 0xfe))
        return ERROR;
    m->lead = byte;
    return CONTINUE;
}

static enum answer euc_kr(struct machine *m, int byte)
{
    int lead = m->lead;

    m->lead = 0;
    if (byte == END)
        return lead > 0 ? ERROR : FINISHED;
    if (lead > 0)
        return end_pair(m, byte,
                        in(byte, 0x41, 0xfe)
                            ? cel__index_euc_kr((uint32_t)((lead - 0x81) * 190 + byte - 0x41))
                            : 0);
    if (byte < 0x80)
        return give(m, (uint32_t)byte);
    if (!in(byte, 0x81, 0xfe))
        return ERROR;
    m->lead = byte;
    return CONTINUE;
}

static enum answer euc_jp(struct machine *m, int byte)
{
    int lead = m->lead;
    uint32_t code = 0, pointer;

    if (byte == END) {
        m->lead = 0;
        return lead > 0 ? ERROR : FINISHED;
    }
    if (lead == 0x8e && in(byte, 0xa1, 0xdf)) {
        m->lead = 0;
        return give(m, 0xff61 - 0xa1 + (uint32_t)byte);
    }
    if (lead == 0x8f && in(byte, 0xa1, 0xfe)) {
        m->is_jis0212 = true;
        m->lead = byte;
        return CONTINUE;
    }
    if (lead > 0) {
        pointer = (uint32_t)((lead - 0xa1) * 94 + byte - 0xa1);
        if (in(lead, 0xa1, 0xfe) && in(byte, 0xa1, 0xfe))
            code = m->is_jis0212 ? cel__index_jis0212(pointer) : cel__index_jis0208(pointer);
        m->lead = 0;
        m->is_jis0212 = false;
        return end_pair(m, byte, code);
    }
    if (byte < 0x80)
        return give(m, (uint32_t)byte);
    if (byte != 0x8e && byte != 0x8f && !in(byte, 0xa1, 0xfe))
        return ERROR;
    m->lead = byte;
    return CONTINUE;
}

static enum answer shift_jis(struct machine *m, int byte)
{
    int lead = m->lead;
    uint32_t pointer = UINT32_MAX;

    m->lead = 0;
    if (byte == END)
        return lead > 0 ? ERROR : FINISHED;
    if (lead > 0) {
        if (in(byte, 0x40, 0x7e) || in(byte, 0x80, 0xfc))
            pointer = (uint32_t)((lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 188 + byte -
                                 (byte < 0x7f ? 0x40 : 0x41));
        if (pointer >= 8836 && pointer <= 10715)
            return give(m, 0xe000 - 8836 + pointer);
        return end_pair(m, byte, cel__index_jis0208(pointer));
    }
    if (byte <= 0x80)
        return give(m, (uint32_t)byte);
    if (in(byte, 0xa1, 0xdf))
        return give(m, 0xff61 - 0xa1 + (uint32_t)byte);
    if (!in(byte, 0x81, 0x9f) && !in(byte, 0xe0, 0xfc))
        return ERROR;
    m->lead = byte;
    return CONTINUE;
}

static enum answer jis_plain(struct machine *m, int byte)
{
    if (byte == 0x1b) {
        m->state = ESCAPE_START;
        return CONTINUE;
    }
    if (byte == END)
        return FINISHED;
    m->output = false;
    if (m->state == KATAKANA)
        return in(byte, 0x21, 0x5f) ? give(m, 0xff61 - 0x21 + (uint32_t)byte) : ERROR;
    if (m->state == ROMAN && (byte == 0x5c || byte == 0x7e))
        return give(m, byte == 0x5c ? 0xa5 : 0x203e);
    return byte < 0x80 && byte != 0x0e && byte != 0x0f ? give(m, (uint32_t)byte) : ERROR;
}

static enum answer jis_lead(struct machine *m, int byte)
{
    if (byte == 0x1b) {
        m->state = ESCAPE_START;
        return CONTINUE;
    }
    if (byte == END)
        return FINISHED;
    m->output = false;
    if (!in(byte, 0x21, 0x7e))
        return ERROR;
    m->lead = byte;
    m->state = TRAIL_BYTE;
    return CONTINUE;
}

static enum answer jis_trail(struct machine *m, int byte)
{
    m->state = byte == 0x1b ? ESCAPE_START : LEAD_BYTE;
    if (!in(byte, 0x21, 0x7e))
        return ERROR;
    m->code = cel__index_jis0208((uint32_t)((m->lead - 0x21) * 94 + byte - 0x21));
    return m->code != 0 ? CODE : ERROR;
}

static enum answer jis_escape(struct machine *m, int byte)
{
    int lead = m->lead, state = -1;
    bool output = m->output;

    m->lead = 0;
    if (lead == 0x28)
        state = byte == 0x42 ? ASCII : byte == 0x4a ? ROMAN : byte == 0x49 ? KATAKANA : -1;
    else if (byte == 0x40 || byte == 0x42)
        state = LEAD_BYTE;
    if (state >= 0) {
        m->state = m->output_state = (enum jis_state)state;
        m->output = true;
        return output ? ERROR : CONTINUE;
    }
    if (byte != END)
        put_back(m, byte);
    put_back(m, lead);
    m->output = false;
    m->state = m->output_state;
    return ERROR;
}

static enum answer iso_2022_jp(struct machine *m, int byte)
{
    switch (m->state) {
    case LEAD_BYTE:
        return jis_lead(m, byte);
    case TRAIL_BYTE:
        return jis_trail(m, byte);
    case ESCAPE:
        return jis_escape(m, byte);
    case ESCAPE_START:
        if (byte == 0x24 || byte == 0x28) {
            m->lead = byte;
            m->state = ESCAPE;
            return CONTINUE;
        }
        if (byte != END)
            put_back(m, byte);
        m->output = false;
        m->state = m->output_state;
        return ERROR;
    default:
        return jis_plain(m, byte);
    }
}

static enum answer handle(struct machine *m, int byte)
{
    switch (m->encoding) {
    case CEL__UTF_8:
        return utf_8(m, byte);
    case CEL__UTF_16LE:
    case CEL__UTF_16BE:
        return utf_16(m, byte);
    case CEL__GBK:
    case CEL__GB18030:
        return gb18030(m, byte);
    case CEL__BIG5:
        return big5(m, byte);
    case CEL__EUC_JP:
        return euc_jp(m, byte);
    case CEL__EUC_KR:
        return euc_kr(m, byte);
    case CEL__SHIFT_JIS:
        return shift_jis(m, byte);
    case CEL__ISO_2022_JP:
        return iso_2022_jp(m, byte);
    case CEL__REPLACEMENT:
        if (byte == END || m->was_reported)
            return FINISHED;
        m->was_reported = true;
        return ERROR;
    default:
        return single(m, byte);
    }
}

void standard_decode(enum cel__encoding encoding, struct cel_str bytes, struct cel__buf *out)
{
    struct machine m = {.encoding = encoding, .bytes = bytes, .lead_surrogate = -1};

    if (encoding == CEL__UTF_16LE || encoding == CEL__UTF_16BE)
        m.lead = -1;
    for (;;) {
        m.second_code = 0;
        switch (handle(&m, next_byte(&m))) {
        case FINISHED:
            return;
        case CONTINUE:
            break;
        case ERROR:
            cel__utf8_add(out, 0xfffd);
            break;
        case CODE:
            cel__utf8_add(out, m.code);
            if (m.second_code != 0)
                cel__utf8_add(out, m.second_code);
        }
    }
}
