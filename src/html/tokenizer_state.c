/* SPDX-License-Identifier: MIT */
/* What every part of the tokenizer needs: the classes of bytes, looking ahead, cleaning, giving. */
#include "html/tokenizer_state.h"

#include <errno.h>

#include "base/str.h"
#include "html/scan.h"

#define B (CEL__CHAR_BLANK | CEL__CHAR_TAG_END | CEL__CHAR_ATTR_END)
#define E (CEL__CHAR_TAG_END | CEL__CHAR_ATTR_END)
#define A CEL__CHAR_ALPHA
const uint8_t cel__html_chars[256] = {
    ['\t'] = B, ['\n'] = B, ['\f'] = B, ['\r'] = B,
    [' '] = B,  ['/'] = E,  ['>'] = E,  ['='] = CEL__CHAR_ATTR_END,
    ['A'] = A,  ['B'] = A,  ['C'] = A,  ['D'] = A,
    ['E'] = A,  ['F'] = A,  ['G'] = A,  ['H'] = A,
    ['I'] = A,  ['J'] = A,  ['K'] = A,  ['L'] = A,
    ['M'] = A,  ['N'] = A,  ['O'] = A,  ['P'] = A,
    ['Q'] = A,  ['R'] = A,  ['S'] = A,  ['T'] = A,
    ['U'] = A,  ['V'] = A,  ['W'] = A,  ['X'] = A,
    ['Y'] = A,  ['Z'] = A,  ['a'] = A,  ['b'] = A,
    ['c'] = A,  ['d'] = A,  ['e'] = A,  ['f'] = A,
    ['g'] = A,  ['h'] = A,  ['i'] = A,  ['j'] = A,
    ['k'] = A,  ['l'] = A,  ['m'] = A,  ['n'] = A,
    ['o'] = A,  ['p'] = A,  ['q'] = A,  ['r'] = A,
    ['s'] = A,  ['t'] = A,  ['u'] = A,  ['v'] = A,
    ['w'] = A,  ['x'] = A,  ['y'] = A,  ['z'] = A,
};
#undef B
#undef E
#undef A

int cel__tokenizer_looking_at(const struct cel__tokenizer *t, const char *p, const char *word,
                              size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p + i >= t->end)
            return t->is_final ? 0 : -1;
        if (cel__char_lower(p[i]) != word[i])
            return 0;
    }
    return 1;
}

void cel__tokenizer_clean(struct cel__tokenizer *t, struct cel__buf *out, const char *p,
                          const char *end)
{
    while (p < end) {
        const char *q = cel__scan_plain(p, end, '\r', '\r');

        cel__buf_add(out, p, (size_t)(q - p));
        if (q == end)
            break;
        p = q + 1;
        if (*q == '\0') {
            cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_NULL_CHARACTER, q);
            cel__buf_add_text(out, "\xef\xbf\xbd");
        } else {
            cel__buf_add_char(out, '\n');
            p += p < end && *p == '\n';
        }
    }
    if (out->failed)
        t->result = -ENOMEM;
}
