/* SPDX-License-Identifier: MIT */
/* The prescan is the one of the HTML standard: tags are skipped with their
 * attributes, comments and bogus tags whole, and only a real meta tag counts. */
#include "html/charset.h"

#include <stdbool.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/tables.h"
#include "html/utf8.h"

#define PRESCAN_BYTES 4096
#define GUESS_BYTES   16384

struct scan {
    const char *p;
    const char *end;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_letter(char c)
{
    c = cel__char_lower(c);
    return c >= 'a' && c <= 'z';
}

/* One attribute; false at the end of the tag. Quotes are gone from the value. */
static bool next_attr(struct scan *s, struct cel_str *name, struct cel_str *value)
{
    char quote;

    *value = (struct cel_str){"", 0};
    while (s->p < s->end && (is_space(*s->p) || *s->p == '/'))
        s->p++;
    if (s->p == s->end || *s->p == '>')
        return false;
    name->ptr = s->p++;
    while (s->p < s->end && *s->p != '=' && *s->p != '>' && *s->p != '/' && !is_space(*s->p))
        s->p++;
    name->len = (size_t)(s->p - name->ptr);
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    if (s->p == s->end || *s->p != '=')
        return true;
    for (s->p++; s->p < s->end && is_space(*s->p);)
        s->p++;
    quote = s->p < s->end && (*s->p == '"' || *s->p == '\'') ? *s->p++ : 0;
    value->ptr = s->p;
    while (s->p < s->end && (quote ? *s->p != quote : !is_space(*s->p) && *s->p != '>'))
        s->p++;
    value->len = (size_t)(s->p - value->ptr);
    if (quote && s->p < s->end)
        s->p++;
    return true;
}

/* The label behind "charset=" in a content type; empty when there is none. */
static struct cel_str label_in(struct cel_str content)
{
    static const char key[] = "charset";

    for (size_t i = 0; i + sizeof key - 1 < content.len; i++) {
        struct scan s = {content.ptr + i, content.ptr + content.len};
        struct cel_str name, label;

        if (!cel__str_ieq((struct cel_str){s.p, sizeof key - 1}, cel__str(key)))
            continue;
        if (!next_attr(&s, &name, &label) || name.len != sizeof key - 1 || label.len == 0)
            continue;
        for (size_t k = 0; k < label.len; k++)
            if (label.ptr[k] == ';' || label.ptr[k] == ',')
                label.len = k;
        return label;
    }
    return (struct cel_str){"", 0};
}

/* A page that was read as ASCII so far cannot be UTF-16. */
static int for_meta(int encoding)
{
    return encoding == CEL__UTF_16LE || encoding == CEL__UTF_16BE ? CEL__UTF_8 : encoding;
}

static int read_meta(struct scan *s)
{
    struct cel_str name, value, charset = {"", 0}, content = {"", 0};
    bool is_pragma = false;

    while (next_attr(s, &name, &value)) {
        if (cel__str_ieq(name, CEL_LIT("charset")) && charset.len == 0)
            charset = value;
        else if (cel__str_ieq(name, CEL_LIT("content")) && content.len == 0)
            content = label_in(value);
        else if (cel__str_ieq(name, CEL_LIT("http-equiv")))
            is_pragma = cel__str_ieq(value, CEL_LIT("content-type"));
    }
    if (charset.len != 0)
        return for_meta(cel__tables_find(charset));
    return is_pragma ? for_meta(cel__tables_find(content)) : -1;
}

static void skip_past(struct scan *s, struct cel_str mark)
{
    const char *at = memmem(s->p, (size_t)(s->end - s->p), mark.ptr, mark.len);

    s->p = at != NULL ? at + mark.len : s->end;
}

static bool looking_at(const struct scan *s, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(s->end - s->p) >= len &&
           cel__str_ieq((struct cel_str){s->p, len}, (struct cel_str){text, len});
}

/* -> the encoding that a meta tag names, or -1. */
static int prescan(struct cel_str bytes)
{
    struct scan s = {bytes.ptr, bytes.ptr + cel__min(bytes.len, (size_t)PRESCAN_BYTES)};
    struct cel_str name, value;

    for (;;) {
        skip_past(&s, CEL_LIT("<"));
        if (s.p == s.end)
            return -1;
        if (looking_at(&s, "!--")) {
            s.p += 1; /* "<!-->" is a whole comment */
            skip_past(&s, CEL_LIT("-->"));
        } else if (looking_at(&s, "meta") && s.end - s.p > 4 &&
                   (is_space(s.p[4]) || s.p[4] == '/')) {
            int found;

            s.p += 4;
            found = read_meta(&s);
            if (found >= 0)
                return found;
        } else if (is_letter(*s.p) || (*s.p == '/' && s.end - s.p > 1 && is_letter(s.p[1]))) {
            while (s.p < s.end && !is_space(*s.p) && *s.p != '>')
                s.p++;
            while (next_attr(&s, &name, &value))
                ;
        } else if (*s.p == '!' || *s.p == '/' || *s.p == '?') {
            skip_past(&s, CEL_LIT(">"));
        }
    }
}

/* A guess for bytes of an unnamed encoding that are not UTF-8. Letters of other scripts stand side
 * by side, accented Latin ones mostly alone. */
static int guess(struct cel_str bytes)
{
    struct cel_str head = {bytes.ptr, cel__min(bytes.len, (size_t)GUESS_BYTES)};
    size_t high = 0, paired = 0;
    int found = -1;

    for (size_t i = 1; i < head.len; i++) {
        high += (uint8_t)head.ptr[i] >= 0x80;
        paired += (uint8_t)head.ptr[i] >= 0x80 && (uint8_t)head.ptr[i - 1] >= 0x80;
    }
    if (paired * 2 > high)
        found = cel__tables_cyrillic(head);
    return found >= 0 ? found : cel__tables_windows_1252();
}

static int read_mark(struct cel_str bytes, size_t *skip)
{
    static const struct {
        struct cel_str mark;
        int encoding;
    } marks[] = {{CEL_LIT("\xef\xbb\xbf"), CEL__UTF_8},
                 {CEL_LIT("\xff\xfe"), CEL__UTF_16LE},
                 {CEL_LIT("\xfe\xff"), CEL__UTF_16BE}};

    for (size_t i = 0; i < cel__countof(marks); i++)
        if (cel__str_starts(bytes, marks[i].mark)) {
            *skip = marks[i].mark.len;
            return marks[i].encoding;
        }
    return -1;
}

int cel__charset_sniff(struct cel_str bytes, struct cel_str hint, size_t *skip)
{
    int found = read_mark(bytes, skip);

    if (found >= 0)
        return found;
    *skip = 0;
    if (hint.len != 0) {
        found = cel__tables_find(hint);
        if (found < 0)
            found = cel__tables_find(label_in(hint));
    }
    if (found < 0)
        found = prescan(bytes);
    if (found < 0)
        found = cel__utf8_valid(bytes) == bytes.len ? CEL__UTF_8 : guess(bytes);
    return found;
}
