/* SPDX-License-Identifier: MIT */
/* The prescan is the one of the HTML standard: tags are skipped with their attributes,
 * comments and bogus tags whole, and only a real meta tag counts. One that the end of
 * the bytes cuts off does not count. */
#include "html/charset.h"

#include <stdbool.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "html/charset_guess.h"

#define NONE          (-1)
#define PRESCAN_BYTES 1024

struct scan {
    const char *p;
    const char *end; /* p == end: the bytes ran out, and with them the prescan */
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

static void skip_spaces(struct scan *s)
{
    while (s->p < s->end && is_space(*s->p))
        s->p++;
}

static void read_value(struct scan *s, struct cel_str *value)
{
    char quote;

    skip_spaces(s);
    if (s->p == s->end)
        return;
    quote = *s->p == '"' || *s->p == '\'' ? *s->p++ : 0;
    value->ptr = s->p;
    while (s->p < s->end && (quote ? *s->p != quote : !is_space(*s->p) && *s->p != '>'))
        s->p++;
    value->len = (size_t)(s->p - value->ptr);
    if (quote && s->p < s->end)
        s->p++;
}

/* One attribute; false at the end of the tag. Quotes are gone from the value. */
static bool next_attr(struct scan *s, struct cel_str *name, struct cel_str *value)
{
    *value = (struct cel_str){"", 0};
    while (s->p < s->end && (is_space(*s->p) || *s->p == '/'))
        s->p++;
    if (s->p == s->end || *s->p == '>')
        return false;
    name->ptr = s->p++;
    while (s->p < s->end && *s->p != '=' && *s->p != '>' && *s->p != '/' && !is_space(*s->p))
        s->p++;
    name->len = (size_t)(s->p - name->ptr);
    skip_spaces(s);
    if (s->p < s->end && *s->p == '=') {
        s->p++;
        read_value(s, value);
    }
    return s->p < s->end;
}

/* The label at the beginning of what stands behind "charset="; empty when a quote is not closed. */
static struct cel_str label_at(struct scan s)
{
    const char *from = s.p;

    if (s.p < s.end && (*s.p == '"' || *s.p == '\'')) {
        const char *close = memchr(s.p + 1, *s.p, (size_t)(s.end - s.p - 1));

        return close != NULL ? (struct cel_str){s.p + 1, (size_t)(close - s.p - 1)}
                             : (struct cel_str){"", 0};
    }
    while (s.p < s.end && !is_space(*s.p) && *s.p != ';')
        s.p++;
    return (struct cel_str){from, (size_t)(s.p - from)};
}

int cel__charset_of_content(struct cel_str content)
{
    static const struct cel_str key = CEL_LIT("charset");

    for (struct scan s = {content.ptr, content.ptr + content.len}; (size_t)(s.end - s.p) >= key.len;
         s.p++) {
        struct scan behind = {s.p + key.len, s.end};

        if (!cel__str_ieq((struct cel_str){s.p, key.len}, key))
            continue;
        skip_spaces(&behind);
        if (behind.p < behind.end && *behind.p == '=') {
            behind.p++;
            skip_spaces(&behind);
            return cel__encoding_find(label_at(behind));
        }
    }
    return NONE;
}

/* A page whose meta tag was read as ASCII is in no such encoding. */
int cel__charset_for_meta(int encoding)
{
    if (encoding == CEL__UTF_16LE || encoding == CEL__UTF_16BE)
        return CEL__UTF_8;
    return encoding == CEL__X_USER_DEFINED ? (int)CEL__WINDOWS_1252 : encoding;
}

/* Of several attributes of a name the first counts; a charset attribute, whatever it says, stands
 * above a content. */
static int read_meta(struct scan *s)
{
    struct cel_str name, value;
    bool is_pragma = false, has_charset = false, has_content = false, has_equiv = false;
    int charset = NONE, content = NONE;

    while (next_attr(s, &name, &value)) {
        if (cel__str_ieq(name, CEL_LIT("charset")) && !has_charset) {
            charset = cel__encoding_find(value);
            has_charset = true;
        } else if (cel__str_ieq(name, CEL_LIT("content")) && !has_content) {
            content = cel__charset_of_content(value);
            has_content = true;
        } else if (cel__str_ieq(name, CEL_LIT("http-equiv")) && !has_equiv) {
            is_pragma = cel__str_ieq(value, CEL_LIT("content-type"));
            has_equiv = true;
        }
    }
    if (s->p == s->end)
        return NONE;
    if (has_charset)
        return cel__charset_for_meta(charset);
    return is_pragma ? cel__charset_for_meta(content) : NONE;
}

static bool looking_at(const struct scan *s, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(s->end - s->p) >= len &&
           cel__str_ieq((struct cel_str){s->p, len}, (struct cel_str){text, len});
}

static void skip_past(struct scan *s, struct cel_str mark)
{
    const char *at = memmem(s->p, (size_t)(s->end - s->p), mark.ptr, mark.len);

    s->p = at != NULL ? at + mark.len : s->end;
}

/* What stands behind a '<'; -> the encoding that it names, or NONE. */
static int read_tag(struct scan *s)
{
    struct cel_str name, value;

    if (looking_at(s, "!--")) {
        s->p += 1; /* "<!-->" is a whole comment */
        skip_past(s, CEL_LIT("-->"));
    } else if (looking_at(s, "meta") && s->end - s->p > 4 &&
               (is_space(s->p[4]) || s->p[4] == '/')) {
        s->p += 4;
        return read_meta(s);
    } else if (is_letter(*s->p) || (*s->p == '/' && s->end - s->p > 1 && is_letter(s->p[1]))) {
        while (s->p < s->end && !is_space(*s->p) && *s->p != '>')
            s->p++;
        while (next_attr(s, &name, &value))
            ;
    } else if (*s->p == '!' || *s->p == '/' || *s->p == '?') {
        skip_past(s, CEL_LIT(">"));
    }
    return NONE;
}

/* What an XML declaration at the very beginning says, for pages that are XML by their looks. */
static int read_xml(struct scan s)
{
    const char *close = memchr(s.p, '>', (size_t)(s.end - s.p)), *at;
    struct cel_str label;

    if (!cel__str_starts((struct cel_str){s.p, (size_t)(s.end - s.p)}, CEL_LIT("<?xml")) ||
        close == NULL)
        return NONE;
    at = memmem(s.p, (size_t)(close - s.p), "encoding", 8);
    if (at == NULL)
        return NONE;
    s = (struct scan){at + 8, close};
    skip_spaces(&s);
    if (s.p == s.end || *s.p != '=')
        return NONE;
    s.p++;
    skip_spaces(&s);
    if (s.p == s.end || (*s.p != '"' && *s.p != '\''))
        return NONE;
    label = label_at(s);
    for (size_t i = 0; i < label.len; i++)
        if ((uint8_t)label.ptr[i] <= ' ')
            return NONE;
    return cel__charset_for_meta(cel__encoding_find(label));
}

/* -> the encoding that the beginning of a page names, or NONE. */
static int prescan(struct cel_str bytes)
{
    struct scan s = {bytes.ptr, bytes.ptr + cel__min(bytes.len, (size_t)PRESCAN_BYTES)};
    const struct scan whole = s;

    if (cel__str_starts(bytes, (struct cel_str){"<\0?\0x\0", 6}))
        return CEL__UTF_16LE;
    if (cel__str_starts(bytes, (struct cel_str){"\0<\0?\0x", 6}))
        return CEL__UTF_16BE;
    for (;;) {
        int found;

        skip_past(&s, CEL_LIT("<"));
        if (s.p == s.end)
            return read_xml(whole);
        found = read_tag(&s);
        if (found >= 0)
            return found;
    }
}

static int read_mark(struct cel_str bytes, size_t *skip)
{
    static const struct {
        struct cel_str mark;
        enum cel__encoding encoding;
    } marks[] = {{CEL_LIT("\xef\xbb\xbf"), CEL__UTF_8},
                 {CEL_LIT("\xff\xfe"), CEL__UTF_16LE},
                 {CEL_LIT("\xfe\xff"), CEL__UTF_16BE}};

    for (size_t i = 0; i < cel__countof(marks); i++)
        if (cel__str_starts(bytes, marks[i].mark)) {
            *skip = marks[i].mark.len;
            return (int)marks[i].encoding;
        }
    return NONE;
}

struct cel__charset cel__charset_sniff(struct cel_str bytes, struct cel_str hint)
{
    struct cel__charset c = {.is_certain = true};
    int found = read_mark(bytes, &c.skip);

    if (found < 0 && hint.len != 0)
        found = cel__encoding_find(hint);
    if (found < 0 && hint.len != 0)
        found = cel__charset_of_content(hint);
    if (found < 0) {
        c.is_certain = false;
        found = prescan(bytes);
    }
    c.encoding = found >= 0 ? (enum cel__encoding)found : cel__charset_guess(bytes);
    return c;
}
