/* SPDX-License-Identifier: MIT */
/* A name with a semicolon is the whole run of letters and digits before it; only the hundred old
 * names may end within a run, so those are tried from the longest (6 letters) down. */
#include "html/reference.h"

#include <string.h>

#include "base/cc.h"

#define LONGEST      31 /* "CounterClockwiseContourIntegral" */
#define LONGEST_BARE 6
#define BEYOND       0x110000

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_alpha(c) || is_digit(c);
}

static void note(struct cel__reference *out, enum cel__parse_error code, const char *at)
{
    out->errors[out->error_count].code = code;
    out->errors[out->error_count].at = at;
    out->error_count++;
}

static int compare(const struct cel__reference_entry *e, const char *name, size_t len)
{
    int r = memcmp(cel__reference_names + e->at, name, cel__min(len, (size_t)e->len));

    return r != 0 ? r : (int)e->len - (int)len;
}

static const struct cel__reference_entry *find(const char *name, size_t len)
{
    unsigned letter = name[0] <= 'Z' ? (unsigned)(name[0] - 'A') : (unsigned)(name[0] - 'a') + 26;
    size_t low = cel__reference_firsts[letter], high = cel__reference_firsts[letter + 1];

    while (low < high) {
        size_t middle = (low + high) / 2;
        int r = compare(&cel__reference_entries[middle], name, len);

        if (r == 0)
            return &cel__reference_entries[middle];
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void take(struct cel__reference *out, const struct cel__reference_entry *e)
{
    memcpy(out->text, e->text, sizeof e->text);
    out->len = e->text_len;
}

static const struct cel__reference_entry *find_bare(const char *name, size_t run)
{
    for (size_t len = cel__min(run, (size_t)LONGEST_BARE); len >= 2; len--) {
        const struct cel__reference_entry *e = find(name, len);

        if (e != NULL && e->is_bare)
            return e;
    }
    return NULL;
}

static const char *read_named(const char *p, const char *end, bool is_final, bool in_attr,
                              struct cel__reference *out)
{
    const char *name = p + 1, *q = name;
    const struct cel__reference_entry *e = NULL;

    while (q < end && is_alnum(*q))
        q++;
    if (q == end && !is_final)
        return NULL;
    if (is_alpha(*name) && q < end && *q == ';' && q - name <= LONGEST) {
        e = find(name, (size_t)(q - name));
        if (e != NULL) {
            take(out, e);
            return q + 1;
        }
    }
    e = is_alpha(*name) ? find_bare(name, (size_t)(q - name)) : NULL;
    if (e == NULL) {
        if (q < end && *q == ';')
            note(out, CEL__ERROR_UNKNOWN_NAMED_CHARACTER_REFERENCE, q);
        return p + 1;
    }
    /* "&copy=1" in a URL is no reference, for what pages did before. */
    if (in_attr && name + e->len < end && (name[e->len] == '=' || is_alnum(name[e->len])))
        return p + 1;
    take(out, e);
    note(out, CEL__ERROR_MISSING_SEMICOLON, name + e->len);
    return name + e->len;
}

static void put_utf8(struct cel__reference *out, uint32_t c)
{
    char *t = out->text;

    if (c < 0x80) {
        *t++ = (char)c;
    } else if (c < 0x800) {
        *t++ = (char)(0xc0 | c >> 6);
        *t++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *t++ = (char)(0xe0 | c >> 12);
        *t++ = (char)(0x80 | (c >> 6 & 0x3f));
        *t++ = (char)(0x80 | (c & 0x3f));
    } else {
        *t++ = (char)(0xf0 | c >> 18);
        *t++ = (char)(0x80 | (c >> 12 & 0x3f));
        *t++ = (char)(0x80 | (c >> 6 & 0x3f));
        *t++ = (char)(0x80 | (c & 0x3f));
    }
    out->len = (uint32_t)(t - out->text);
}

/* What the standard makes of a number: some are errors, some stand for windows-1252. */
static void put_number(struct cel__reference *out, uint32_t c, const char *at)
{
    static const uint16_t windows[32] = {
        0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
    bool is_blank = c == '\t' || c == '\n' || c == '\f';

    if (c == 0) {
        note(out, CEL__ERROR_NULL_CHARACTER_REFERENCE, at);
        c = 0xfffd;
    } else if (c >= BEYOND) {
        note(out, CEL__ERROR_REFERENCE_OUTSIDE_UNICODE_RANGE, at);
        c = 0xfffd;
    } else if (c >= 0xd800 && c <= 0xdfff) {
        note(out, CEL__ERROR_SURROGATE_CHARACTER_REFERENCE, at);
        c = 0xfffd;
    } else if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef)) {
        note(out, CEL__ERROR_NONCHARACTER_CHARACTER_REFERENCE, at);
    } else if ((c < 0x20 && !is_blank) || (c >= 0x7f && c <= 0x9f)) {
        note(out, CEL__ERROR_CONTROL_CHARACTER_REFERENCE, at);
        if (c >= 0x80 && windows[c - 0x80] != 0)
            c = windows[c - 0x80];
    }
    put_utf8(out, c);
}

static int digit_of(char c, bool is_hex)
{
    if (is_digit(c))
        return c - '0';
    if (is_hex && c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (is_hex && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static const char *read_number(const char *p, const char *end, bool is_final,
                               struct cel__reference *out)
{
    const char *q = p + 2, *digits;
    bool is_hex = q < end && (*q == 'x' || *q == 'X');
    uint32_t c = 0;

    q += is_hex;
    digits = q;
    for (int d; q < end && (d = digit_of(*q, is_hex)) >= 0; q++)
        c = cel__min(c * (is_hex ? 16 : 10) + (uint32_t)d, (uint32_t)BEYOND);
    if (q == end && !is_final)
        return NULL;
    if (q == digits) {
        note(out, CEL__ERROR_ABSENCE_OF_DIGITS, q);
        return p + 1;
    }
    if (q < end && *q == ';')
        q++;
    else
        note(out, CEL__ERROR_MISSING_SEMICOLON, q);
    put_number(out, c, q);
    return q;
}

const char *cel__reference_read(const char *p, const char *end, bool is_final, bool in_attr,
                                struct cel__reference *out)
{
    out->len = 0;
    out->error_count = 0;
    if (end - p < 2)
        return is_final ? p + 1 : NULL;
    if (p[1] == '#')
        return read_number(p, end, is_final, out);
    return is_alnum(p[1]) ? read_named(p, end, is_final, in_attr, out) : p + 1;
}
