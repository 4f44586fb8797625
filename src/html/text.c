/* SPDX-License-Identifier: MIT */
#include "html/text.h"

#include "html/utf8.h"

/* -> bytes of the blank that s begins with, or 0. */
static size_t blank_first(const uint8_t *p, size_t len)
{
    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return p[0] == ' ' || (p[0] >= 0x09 && p[0] <= 0x0d) || (p[0] >= 0x1c && p[0] <= 0x1f);
    if (len >= 2 && p[0] == 0xc2)
        return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0;
    if (len < 3)
        return 0;
    if (p[0] == 0xe1) /* U+1680 */
        return p[1] == 0x9a && p[2] == 0x80 ? 3 : 0;
    if (p[0] == 0xe2 && p[1] == 0x80) /* U+2000 … U+200A, U+2028, U+2029, U+202F */
        return p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf ? 3 : 0;
    if (p[0] == 0xe2) /* U+205F */
        return p[1] == 0x81 && p[2] == 0x9f ? 3 : 0;
    return p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80 ? 3 : 0; /* U+3000 */
}

static size_t blank_last(const uint8_t *p, size_t len)
{
    for (size_t n = 1; n <= 3 && n <= len; n++)
        if (blank_first(p + len - n, n) == n)
            return n;
    return 0;
}

struct cel_str cel__text_strip(struct cel_str s)
{
    size_t n;

    while ((n = blank_first((const uint8_t *)s.ptr, s.len)) != 0) {
        s.ptr += n;
        s.len -= n;
    }
    while ((n = blank_last((const uint8_t *)s.ptr, s.len)) != 0)
        s.len -= n;
    return s;
}

int cel__text_own(const struct cel__tree *t, uint32_t i, struct cel__buf *out)
{
    int r = 0;

    for (uint32_t c = cel__node_first(t, i); c != 0 && r == 0; c = cel__node_next(t, c))
        if (cel__node(t, c)->kind == CEL__NODE_TEXT || cel__node(t, c)->kind == CEL__NODE_RAW)
            r = cel__buf_add_str(out, cel__node_text(t, c));
    return r;
}

int cel__text_add(struct cel__buf *out, struct cel_str s)
{
    if (cel__utf8_valid(s) == s.len)
        return cel__buf_add_str(out, s);
    return cel__utf8_repair(s, out);
}
