/* SPDX-License-Identifier: MIT */
/* Tags: their names, attributes and values.
 *
 * A name of up to 16 usual bytes is read by one load: its end, its lower case and
 * the two words that find its number come from the same register. All else goes
 * byte by byte, as does every name when errors are looked for. Values are slices
 * of the input, or lie in the scratch buffer when something in them was decoded. */
#include <errno.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/mem.h"
#include "base/str.h"
#include "html/reference.h"
#include "html/scan.h"
#include "html/tokenizer_state.h"

#define FEW_ATTRS 16 /* up to here each is compared with each */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && cel__html_is(*p, CEL__CHAR_BLANK))
        p++;
    return p;
}

/* Appends one byte of a name. */
static void add_name_byte(struct cel__tokenizer *t, const char *p, bool is_attr)
{
    if (*p == '\0') {
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_NULL_CHARACTER, p);
        cel__buf_add_text(&t->name, "\xef\xbf\xbd");
        return;
    }
    if (is_attr && (*p == '"' || *p == '\'' || *p == '<'))
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_CHARACTER_IN_ATTRIBUTE_NAME, p);
    cel__buf_add_char(&t->name, cel__char_lower(*p));
}

static uint32_t number_of(struct cel__tokenizer *t, struct cel_str name)
{
    uint32_t number = cel__names_find_fixed(name);

    if (number != CEL__NAME_NONE)
        return number;
    if (t->options.max_name != 0 && name.len > t->options.max_name) {
        t->cut_length = true;
        name.len = t->options.max_name;
    }
    if (t->options.max_names != 0 && t->options.names->count >= t->options.max_names) {
        number = cel__names_find(t->options.names, name);
        t->cut_names |= number == CEL__NAME_NONE;
        return number;
    }
    number = cel__names_add(t->options.names, name);
    if (number == CEL__NAME_NONE)
        t->result = -ENOMEM;
    return number;
}

CEL__NOINLINE static const char *slow_name(struct cel__tokenizer *t, const char *p, bool is_attr,
                                           uint32_t *name)
{
    cel__buf_clear(&t->name);
    if (is_attr && *p == '=') {
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_EQUALS_SIGN, p);
        cel__buf_add_char(&t->name, *p++);
    }
    for (; p < t->end && !cel__html_is(*p, is_attr ? CEL__CHAR_ATTR_END : CEL__CHAR_TAG_END); p++)
        add_name_byte(t, p, is_attr);
    if (p == t->end)
        return p; /* no tag comes of it */
    if (t->name.failed)
        t->result = -ENOMEM;
    else
        *name = number_of(t, cel__buf_str(&t->name));
    return p;
}

#ifdef __SSE2__
static const uint8_t keep_bytes[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                       255, 255, 255, 255, 255, 255, 255, 255};

CEL__NOINLINE static uint32_t own_name(struct cel__tokenizer *t, uint64_t low, uint64_t high,
                                       unsigned len)
{
    uint64_t words[2] = {low, high};

    return number_of(t, (struct cel_str){(const char *)words, len});
}

static inline const char *fast_name(struct cel__tokenizer *t, const char *p, bool is_attr,
                                    uint32_t *name)
{
    const __m128i blank = _mm_set1_epi8(' ');
    __m128i v, ends, upper;
    uint64_t low, high;
    unsigned mask, len;

    if (cel__unlikely(t->end - p < 16 || t->options.error != NULL))
        return NULL;
    v = _mm_loadu_si128((const __m128i *)(const void *)p);
    ends = _mm_cmpeq_epi8(_mm_min_epu8(v, blank), v); /* blanks, and controls that are none */
    ends = _mm_or_si128(ends, _mm_cmpeq_epi8(v, _mm_set1_epi8('/')));
    ends = _mm_or_si128(ends, _mm_cmpeq_epi8(v, _mm_set1_epi8('>')));
    if (is_attr)
        ends = _mm_or_si128(ends, _mm_cmpeq_epi8(v, _mm_set1_epi8('=')));
    mask = (unsigned)_mm_movemask_epi8(ends);
    if (cel__unlikely(mask == 0))
        return NULL;
    len = (unsigned)__builtin_ctz(mask);
    if (cel__unlikely(len == 0 ||
                      !cel__html_is(p[len], is_attr ? CEL__CHAR_ATTR_END : CEL__CHAR_TAG_END)))
        return NULL;
    upper = _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)),
                          _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), v));
    v = _mm_or_si128(v, _mm_and_si128(upper, blank));
    v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(const void *)(keep_bytes + 16 - len)));
    low = (uint64_t)_mm_cvtsi128_si64(v);
    high = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
    *name = cel__names_fixed(low, high);
    if (cel__unlikely(*name == CEL__NAME_NONE))
        *name = own_name(t, low, high, len);
    return p + len;
}
#else
static inline const char *fast_name(struct cel__tokenizer *t, const char *p, bool is_attr,
                                    uint32_t *name)
{
    (void)t, (void)p, (void)is_attr, (void)name;
    return NULL;
}
#endif

/* -> behind the name. */
static inline const char *read_name(struct cel__tokenizer *t, const char *p, bool is_attr,
                                    uint32_t *name)
{
    const char *q = fast_name(t, p, is_attr, name);

    return cel__likely(q != NULL) ? q : slow_name(t, p, is_attr, name);
}

static bool is_seen_among_many(struct cel__tokenizer *t, uint32_t name)
{
    if (t->attr_count == FEW_ATTRS || name >= t->seen_cap) {
        uint32_t cap = CEL__NAME_FIXED + t->options.names->count * 2 + 64;

        if (name >= t->seen_cap) {
            uint32_t *grown = cel__mem_realloc(t->seen, cap * sizeof *grown);

            if (grown == NULL) {
                t->result = -ENOMEM;
                return true;
            }
            memset(grown + t->seen_cap, 0, (cap - t->seen_cap) * sizeof *grown);
            t->seen = grown;
            t->seen_cap = cap;
        }
    }
    if (t->seen[name] == t->tag_serial)
        return true;
    t->seen[name] = t->tag_serial;
    return false;
}

static bool is_seen(struct cel__tokenizer *t, uint32_t name)
{
    if (t->attr_count < FEW_ATTRS) {
        for (uint32_t i = 0; i < t->attr_count; i++)
            if (t->attrs[i].name == name)
                return true;
        return false;
    }
    if (t->attr_count == FEW_ATTRS) {
        t->tag_serial++;
        for (uint32_t i = 0; i < FEW_ATTRS; i++)
            is_seen_among_many(t, t->attrs[i].name);
    }
    return is_seen_among_many(t, name);
}

static bool grow_attrs(struct cel__tokenizer *t)
{
    uint32_t cap = t->attr_cap != 0 ? t->attr_cap * 2 : 8;
    struct cel__token_attr *grown = cel__mem_realloc(t->attrs, cap * sizeof *grown);

    if (grown == NULL) {
        t->result = -ENOMEM;
        return false;
    }
    t->attrs = grown;
    t->attr_cap = cap;
    return true;
}

static bool is_wanted(struct cel__tokenizer *t, uint32_t name, const char *at)
{
    if (name == CEL__NAME_NONE)
        return false;
    if (is_seen(t, name)) {
        cel__tokenizer_error(t, CEL__ERROR_DUPLICATE_ATTRIBUTE, at);
        return false;
    }
    return t->attr_count < t->attr_cap || grow_attrs(t);
}

/* The name of an attribute beyond the limit is not even given a number. */
static const char *pass_name(struct cel__tokenizer *t, const char *p)
{
    t->cut_attributes = true;
    p += *p == '=';
    while (p < t->end && !cel__html_is(*p, CEL__CHAR_ATTR_END))
        p++;
    return p;
}

/* Values that lie in the scratch buffer move with it. */
static void rebase(struct cel__tokenizer *t, const char *old, size_t len)
{
    if (old == t->scratch.ptr || old == NULL)
        return;
    for (uint32_t i = 0; i < t->attr_count; i++)
        if (t->attrs[i].value.ptr >= old && t->attrs[i].value.ptr <= old + len &&
            (t->attrs[i].value.ptr < t->begin || t->attrs[i].value.ptr > t->end))
            t->attrs[i].value.ptr = t->scratch.ptr + (t->attrs[i].value.ptr - old);
}

static const char *value_reference(struct cel__tokenizer *t, const char *p)
{
    struct cel__reference ref;
    const char *q = cel__reference_read(p, t->end, t->is_final, true, &ref);

    if (q == NULL)
        return NULL;
    for (uint32_t i = 0; i < ref.error_count; i++)
        cel__tokenizer_error(t, ref.errors[i].code, ref.errors[i].at);
    if (ref.len != 0)
        cel__buf_add(&t->scratch, ref.text, ref.len);
    else
        cel__buf_add(&t->scratch, p, (size_t)(q - p));
    return q;
}

/* What stands at p and is not copied as it is: a reference, CR or NUL. NULL: more is needed. */
static const char *decode_one(struct cel__tokenizer *t, const char *p)
{
    if (*p == '&')
        return value_reference(t, p);
    if (*p == '\0') {
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_NULL_CHARACTER, p);
        cel__buf_add_text(&t->scratch, "\xef\xbf\xbd");
        return p + 1;
    }
    cel__buf_add_char(&t->scratch, '\n');
    return p + 1 + (p + 1 < t->end && p[1] == '\n');
}

static inline const char *find_end(const struct cel__tokenizer *t, const char *p, char quote)
{
    if (quote != 0)
        return cel__scan(p, t->end, quote, '&');
    while (p < t->end && *p != '>' && *p != '&' && *p != '\0' && !cel__html_is(*p, CEL__CHAR_BLANK))
        p++;
    return p;
}

static bool is_value_end(const char *p, char quote)
{
    return quote != 0 ? *p == quote : *p == '>' || cel__html_is(*p, CEL__CHAR_BLANK);
}

/* -> at the byte that ends the value, or the end, or NULL. The value is `from` to there, or else
 * in the scratch buffer. */
CEL__NOINLINE static const char *decode_value(struct cel__tokenizer *t, const char *from,
                                              const char *p, char quote, struct cel_str *value)
{
    const char *old = t->scratch.ptr;
    size_t at = t->scratch.len, old_len = at;

    for (;;) {
        cel__buf_add(&t->scratch, from, (size_t)(p - from));
        if (p == t->end || is_value_end(p, quote))
            break;
        from = decode_one(t, p);
        if (from == NULL)
            return NULL;
        p = find_end(t, from, quote);
    }
    if (t->scratch.failed)
        t->result = -ENOMEM;
    rebase(t, old, old_len);
    *value = (struct cel_str){t->scratch.ptr + at, t->scratch.len - at};
    return p;
}

static inline const char *read_value(struct cel__tokenizer *t, const char *p, char quote,
                                     struct cel_str *value)
{
    const char *from = p;

    p = find_end(t, p, quote);
    if (cel__unlikely(p == t->end))
        return p;
    if (cel__likely(is_value_end(p, quote)))
        *value = (struct cel_str){from, (size_t)(p - from)};
    else
        p = decode_value(t, from, p, quote, value);
    if (t->options.max_value != 0 && value->len > t->options.max_value) {
        t->cut_length = true;
        value->len = t->options.max_value;
    }
    return p;
}

static void unquoted_errors(struct cel__tokenizer *t, const char *p, const char *end)
{
    for (; p < end; p++)
        if (*p == '"' || *p == '\'' || *p == '<' || *p == '=' || *p == '`')
            cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_CHARACTER_IN_UNQUOTED_VALUE, p);
}

/* Behind "=" and blanks. -> behind the value and its quote. */
static const char *attr_value(struct cel__tokenizer *t, const char *p, struct cel_str *value)
{
    char quote = *p;
    const char *q;

    if (cel__likely(quote == '"' || quote == '\'')) {
        p = read_value(t, p + 1, quote, value);
        if (p == NULL || p == t->end)
            return p;
        p++;
        if (p < t->end && !cel__html_is(*p, CEL__CHAR_TAG_END))
            cel__tokenizer_error(t, CEL__ERROR_MISSING_WHITESPACE_BETWEEN_ATTRIBUTES, p);
        return p;
    }
    if (quote == '>') {
        cel__tokenizer_error(t, CEL__ERROR_MISSING_ATTRIBUTE_VALUE, p);
        return p;
    }
    q = read_value(t, p, 0, value);
    if (t->options.error != NULL && q != NULL)
        unquoted_errors(t, p, q);
    return q;
}

/* An attribute at p. -> behind it; the end or NULL when it does not end here. */
static inline const char *attribute(struct cel__tokenizer *t, const char *p)
{
    struct cel_str value = {"", 0};
    uint32_t name = CEL__NAME_NONE;
    bool wanted;

    if (cel__unlikely(t->options.max_attributes != 0 && t->attr_count >= t->options.max_attributes))
        p = pass_name(t, p);
    else
        p = read_name(t, p, true, &name);
    if (cel__unlikely(p == t->end || t->result < 0))
        return t->end;
    wanted = is_wanted(t, name, p);
    if (cel__html_is(*p, CEL__CHAR_BLANK))
        p = skip_blanks(p, t->end);
    if (p < t->end && *p == '=') {
        p = skip_blanks(p + 1, t->end);
        if (p < t->end)
            p = attr_value(t, p, &value);
    }
    if (wanted && p != NULL && p < t->end)
        t->attrs[t->attr_count++] = (struct cel__token_attr){name, value};
    return p;
}

static const char *give_tag(struct cel__tokenizer *t, const char *from, const char *p, bool is_end)
{
    struct cel__token *token = &t->token;

    if (cel__unlikely(is_end)) {
        if (t->attr_count != 0)
            cel__tokenizer_error(t, CEL__ERROR_END_TAG_WITH_ATTRIBUTES, p - 1);
        else if (token->is_self_closing)
            cel__tokenizer_error(t, CEL__ERROR_END_TAG_WITH_TRAILING_SOLIDUS, p - 1);
    } else {
        t->last_start = token->name;
    }
    t->state = CEL__STATE_DATA;
    if (cel__unlikely(token->name == CEL__NAME_NONE))
        return p; /* one name too many */
    token->kind = is_end ? CEL__TOKEN_END : CEL__TOKEN_START;
    token->attrs = t->attrs;
    token->attr_count = is_end ? 0 : t->attr_count;
    token->at = t->base + (uint64_t)(from - t->begin);
    cel__tokenizer_give(t);
    return p;
}

/* The tag does not end in this buffer. */
static const char *unfinished(struct cel__tokenizer *t)
{
    if (!t->is_final)
        return NULL;
    cel__tokenizer_error(t, CEL__ERROR_EOF_IN_TAG, t->end);
    t->script = CEL__SCRIPT_PLAIN; /* the input ended in the tag, and not in the script around it */
    return t->end;
}

/* A solidus at p. -> behind it. */
static const char *solidus(struct cel__tokenizer *t, const char *p)
{
    if (p + 1 < t->end && p[1] == '>')
        t->token.is_self_closing = true;
    else if (p + 1 < t->end)
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_SOLIDUS_IN_TAG, p + 1);
    return p + 1;
}

const char *cel__tokenizer_tag(struct cel__tokenizer *t, const char *p)
{
    const char *from = p;
    bool is_end = p[1] == '/';

    t->attr_count = 0;
    t->scratch.len = 0;
    t->token.is_self_closing = false;
    p = read_name(t, p + 1 + is_end, false, &t->token.name);
    for (;;) {
        if (cel__unlikely(p == NULL || p >= t->end))
            return unfinished(t);
        if (cel__unlikely(t->result < 0))
            return t->end;
        if (*p == '>')
            return give_tag(t, from, p + 1, is_end);
        if (cel__html_is(*p, CEL__CHAR_BLANK))
            p++;
        else if (*p == '/')
            p = solidus(t, p);
        else
            p = attribute(t, p);
    }
}
