/* SPDX-License-Identifier: MIT */
#include "proto/percent.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* For each visible ASCII byte the sets that hold it; bytes not listed are in none. */
#define C  CEL__PERCENT_COMPONENT
#define O  CEL__PERCENT_FORM
#define OC (C | O)
#define U  (CEL__PERCENT_USERINFO | OC)
#define P  (CEL__PERCENT_PATH | U)
#define F  CEL__PERCENT_FRAGMENT
#define Q  (CEL__PERCENT_QUERY | CEL__PERCENT_SPECIAL_QUERY)
static const uint8_t sets[128] = {
    [' '] = F | Q | P,
    ['"'] = F | Q | P,
    ['<'] = F | Q | P,
    ['>'] = F | Q | P,
    ['`'] = F | P,
    ['#'] = Q | P,
    ['\''] = CEL__PERCENT_SPECIAL_QUERY | O,
    ['?'] = P,
    ['^'] = P,
    ['{'] = P,
    ['}'] = P,
    ['/'] = U,
    [':'] = U,
    [';'] = U,
    ['='] = U,
    ['@'] = U,
    ['['] = U,
    ['\\'] = U,
    [']'] = U,
    ['|'] = U,
    ['$'] = OC,
    ['%'] = OC,
    ['&'] = OC,
    ['+'] = OC,
    [','] = OC,
    ['!'] = O,
    ['('] = O,
    [')'] = O,
    ['~'] = O,
};
#undef C
#undef O
#undef OC
#undef U
#undef P
#undef F
#undef Q

static bool has(enum cel__percent_set set, char c)
{
    uint8_t byte = (uint8_t)c;

    return byte < 0x20 || byte > 0x7e || (sets[byte] & set) != 0;
}

int cel__percent_encode(struct cel__buf *b, struct cel_str s, enum cel__percent_set set)
{
    size_t from = 0;
    int r = 0;

    for (size_t i = 0; i < s.len && r == 0; i++) {
        uint8_t byte = (uint8_t)s.ptr[i];
        char triple[3] = {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};

        if (!has(set, s.ptr[i]))
            continue;
        r = cel__buf_add(b, s.ptr + from, i - from);
        if (r == 0)
            r = cel__buf_add(b, triple, 3);
        from = i + 1;
    }
    return r < 0 ? r : cel__buf_add(b, s.ptr + from, s.len - from);
}

int cel__percent_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int cel__percent_decode(struct cel__buf *b, struct cel_str s)
{
    int r = 0;

    for (size_t i = 0; i < s.len && r == 0; i++) {
        int high = -1, low = -1;

        if (s.ptr[i] == '%' && s.len - i > 2) {
            high = cel__percent_hex(s.ptr[i + 1]);
            low = cel__percent_hex(s.ptr[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            r = cel__buf_add_char(b, (char)(high << 4 | low));
            i += 2;
        } else {
            r = cel__buf_add_char(b, s.ptr[i]);
        }
    }
    return r;
}
