/* SPDX-License-Identifier: MIT */
/* Portions, text, and what begins with "<".
 *
 * Text goes out as slices of the input up to the next byte that means something.
 * 1. `run` is always between two tokens or within text; an incomplete token is
 *    left for the next portion as it was, with the errors noted in it forgotten.
 * 2. Script's escapes are the only state within text that outlives a portion. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/reference.h"
#include "html/scan.h"
#include "html/tokenizer_state.h"

#define JOIN_BYTES 256 /* of a portion, put behind what the one before it left */

int cel__tokenizer_new(struct cel__tokenizer **out, const struct cel__tokenizer_options *options)
{
    struct cel__tokenizer *t = cel__mem_zalloc(sizeof *t);

    if (t == NULL)
        return -ENOMEM;
    t->options = *options;
    t->line = 1;
    t->column = 1;
    *out = t;
    return 0;
}

void cel__tokenizer_free(struct cel__tokenizer *t)
{
    if (t == NULL)
        return;
    cel__buf_fini(&t->carry);
    cel__buf_fini(&t->scratch);
    cel__buf_fini(&t->name);
    cel__mem_free(t->attrs);
    cel__mem_free(t->seen);
    cel__mem_free(t->errors);
    cel__mem_free(t);
}

void cel__tokenizer_set_state(struct cel__tokenizer *t, enum cel__token_state state)
{
    t->state = state;
    t->script = CEL__SCRIPT_PLAIN;
    t->dashes = 0;
}

void cel__tokenizer_set_last_start(struct cel__tokenizer *t, uint32_t name)
{
    t->last_start = name;
}

void cel__tokenizer_allow_cdata(struct cel__tokenizer *t, bool allowed)
{
    t->allow_cdata = allowed;
}

bool cel__tokenizer_cut_attributes(const struct cel__tokenizer *t)
{
    return t->cut_attributes;
}

bool cel__tokenizer_cut_length(const struct cel__tokenizer *t)
{
    return t->cut_length;
}

bool cel__tokenizer_cut_names(const struct cel__tokenizer *t)
{
    return t->cut_names;
}

static void give_text(struct cel__tokenizer *t, const char *p, size_t len, const char *at,
                      bool is_null)
{
    if (len == 0)
        return;
    t->token.kind = CEL__TOKEN_TEXT;
    t->token.is_null = is_null;
    t->token.text = (struct cel_str){p, len};
    t->token.at = t->base + (uint64_t)(at - t->begin);
    cel__tokenizer_give(t);
}

static void give_slice(struct cel__tokenizer *t, const char *p, const char *end)
{
    give_text(t, p, (size_t)(end - p), p, false);
}

/* CR at p. NULL: whether LF follows is not known yet. */
static const char *carriage_return(struct cel__tokenizer *t, const char *p)
{
    if (p + 1 == t->end && !t->is_final)
        return NULL;
    if (p + 1 < t->end && p[1] == '\n')
        return p + 1; /* the LF is text like any other */
    give_text(t, "\n", 1, p, false);
    return p + 1;
}

/* NUL at p, outside of the data state and CDATA. */
static const char *replace_null(struct cel__tokenizer *t, const char *p)
{
    cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_NULL_CHARACTER, p);
    give_text(t, "\xef\xbf\xbd", 3, p, false);
    return p + 1;
}

static const char *keep_nulls(struct cel__tokenizer *t, const char *p)
{
    const char *from = p;

    for (; p < t->end && *p == '\0'; p++)
        if (t->state == CEL__STATE_DATA)
            cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_NULL_CHARACTER, p);
    give_text(t, from, (size_t)(p - from), from, true);
    return p;
}

CEL__NOINLINE static const char *reference(struct cel__tokenizer *t, const char *p)
{
    struct cel__reference ref;
    const char *q = cel__reference_read(p, t->end, t->is_final, false, &ref);

    if (q == NULL)
        return NULL;
    for (uint32_t i = 0; i < ref.error_count; i++)
        cel__tokenizer_error(t, ref.errors[i].code, ref.errors[i].at);
    if (ref.len != 0)
        give_text(t, ref.text, ref.len, p, false);
    else
        give_slice(t, p, q);
    return q;
}

/* "</" at p, in the data state. */
static const char *end_markup(struct cel__tokenizer *t, const char *p)
{
    if (p + 2 == t->end) {
        if (!t->is_final)
            return NULL;
        cel__tokenizer_error(t, CEL__ERROR_EOF_BEFORE_TAG_NAME, t->end);
        give_slice(t, p, t->end);
        return t->end;
    }
    if (cel__html_is(p[2], CEL__CHAR_ALPHA))
        return cel__tokenizer_tag(t, p);
    if (p[2] == '>') {
        cel__tokenizer_error(t, CEL__ERROR_MISSING_END_TAG_NAME, p + 2);
        return p + 3;
    }
    cel__tokenizer_error(t, CEL__ERROR_INVALID_FIRST_CHARACTER_OF_TAG_NAME, p + 2);
    return cel__tokenizer_bogus(t, p, p + 2);
}

/* "<" at p, in the data state. */
static const char *markup(struct cel__tokenizer *t, const char *p)
{
    if (cel__unlikely(p + 1 == t->end)) {
        if (!t->is_final)
            return NULL;
        cel__tokenizer_error(t, CEL__ERROR_EOF_BEFORE_TAG_NAME, t->end);
        give_slice(t, p, t->end);
        return t->end;
    }
    if (cel__likely(cel__html_is(p[1], CEL__CHAR_ALPHA)))
        return cel__tokenizer_tag(t, p);
    if (p[1] == '/')
        return end_markup(t, p);
    if (p[1] == '!')
        return cel__tokenizer_declaration(t, p);
    if (p[1] == '?') {
        cel__tokenizer_error(t, CEL__ERROR_UNEXPECTED_QUESTION_MARK, p + 1);
        return cel__tokenizer_bogus(t, p, p + 1);
    }
    cel__tokenizer_error(t, CEL__ERROR_INVALID_FIRST_CHARACTER_OF_TAG_NAME, p + 1);
    give_slice(t, p, p + 1);
    return p + 1;
}

/* 1 when "</" at p begins the end tag that ends this text, -1 when that cannot be told yet. */
static int is_end(const struct cel__tokenizer *t, const char *p)
{
    struct cel_str name = cel__names_text(t->options.names, t->last_start);
    int r = cel__tokenizer_looking_at(t, p, "</", 2);

    if (r == 1)
        r = name.len != 0 ? cel__tokenizer_looking_at(t, p + 2, name.ptr, name.len) : 0;
    if (r != 1)
        return r;
    if (p + 2 + name.len == t->end)
        return t->is_final ? 0 : -1;
    return cel__html_is(p[2 + name.len], CEL__CHAR_TAG_END);
}

/* "<" or "</" and then the whole word "script" at p. */
static int is_script(const struct cel__tokenizer *t, const char *p, size_t skip)
{
    int r = cel__tokenizer_looking_at(t, p + skip, "script", 6);

    if (r != 1)
        return r;
    if (p + skip + 6 == t->end)
        return t->is_final ? 0 : -1;
    return cel__html_is(p[skip + 6], CEL__CHAR_TAG_END);
}

/* "<" at p, in text that only its end tag ends. -> bytes that are text (0: the end tag), or -1. */
static int raw_markup(struct cel__tokenizer *t, const char *p)
{
    int r;

    if (t->state != CEL__STATE_SCRIPT || t->script != CEL__SCRIPT_DOUBLE) {
        r = is_end(t, p);
        if (r != 0)
            return r > 0 ? 0 : -1;
        if (t->state != CEL__STATE_SCRIPT)
            return 1;
    }
    t->dashes = 0;
    if (t->script == CEL__SCRIPT_PLAIN) {
        r = cel__tokenizer_looking_at(t, p, "<!--", 4);
        if (r <= 0)
            return r < 0 ? -1 : 1;
        t->script = CEL__SCRIPT_ESCAPED;
        t->dashes = 2;
        return 4;
    }
    r = t->script == CEL__SCRIPT_ESCAPED ? is_script(t, p, 1)
                                         : cel__tokenizer_looking_at(t, p, "</", 2);
    if (r == 1 && t->script == CEL__SCRIPT_DOUBLE)
        r = is_script(t, p, 2);
    if (r <= 0)
        return r < 0 ? -1 : 1;
    t->script = t->script == CEL__SCRIPT_ESCAPED ? CEL__SCRIPT_DOUBLE : CEL__SCRIPT_ESCAPED;
    return 7;
}

/* A dash at p in escaped script. -> behind the dashes and a ">" that they end the escape with. */
static const char *script_dashes(struct cel__tokenizer *t, const char *p)
{
    for (; p < t->end && *p == '-'; p++)
        t->dashes += t->dashes < 2;
    if (p == t->end)
        return p;
    if (t->dashes == 2 && *p == '>')
        t->script = CEL__SCRIPT_PLAIN;
    t->dashes = 0;
    return p;
}

/* The token at p is incomplete: it is all that is left, and nothing is known of it. */
static const char *postpone(struct cel__tokenizer *t, const char *p, uint32_t error_count)
{
    t->error_count = error_count;
    t->end = p;
    return p;
}

/* What ends a run of raw text at p: CR, NUL, a reference, its end tag. */
static const char *raw_stop(struct cel__tokenizer *t, const char *p)
{
    if (*p == '<')
        return cel__tokenizer_tag(t, p);
    if (*p == '&')
        return reference(t, p);
    t->dashes = 0;
    return *p == '\r' ? carriage_return(t, p) : replace_null(t, p);
}

/* RCDATA, RAWTEXT, script and PLAINTEXT. */
static const char *raw(struct cel__tokenizer *t, const char *p)
{
    const char *from = p;
    uint32_t errors;
    char amp = t->state == CEL__STATE_RCDATA ? '&' : '<';
    char less = t->state == CEL__STATE_PLAINTEXT ? '\r' : '<';
    int n = 0;

    amp = less == '\r' ? '\r' : amp;
    if (t->dashes != 0 && p < t->end && *p != '-') /* they ended with the portion */
        p = script_dashes(t, p);
    for (;;) {
        bool is_escaped = t->state == CEL__STATE_SCRIPT && t->script != CEL__SCRIPT_PLAIN;

        p = cel__scan(p, t->end, less, is_escaped ? '-' : amp);
        if (p == t->end || *p == '\r' || *p == '\0' || *p == '&')
            break;
        if (*p == '-') {
            p = script_dashes(t, p);
            continue;
        }
        n = raw_markup(t, p);
        if (n <= 0)
            break;
        p += n;
        if (t->dashes != 0)
            p = script_dashes(t, p);
    }
    give_slice(t, from, p);
    if (p == t->end || t->result < 0)
        return p;
    from = p;
    errors = t->error_count;
    p = n < 0 ? NULL : raw_stop(t, p);
    return p != NULL ? p : postpone(t, from, errors);
}

static const char *cdata(struct cel__tokenizer *t, const char *p)
{
    const char *from = p;
    int r;

    for (;;) {
        p = cel__scan(p, t->end, ']', ']');
        if (p == t->end || *p != ']')
            break;
        r = cel__tokenizer_looking_at(t, p, "]]>", 3);
        if (r != 0) {
            give_slice(t, from, p);
            if (r < 0)
                t->end = p;
            else
                t->state = CEL__STATE_DATA;
            return r < 0 ? p : p + 3;
        }
        p++;
    }
    give_slice(t, from, p);
    if (p == t->end)
        return p;
    from = p;
    p = *p == '\r' ? carriage_return(t, p) : keep_nulls(t, p);
    return p != NULL ? p : postpone(t, from, t->error_count);
}

static const char *data(struct cel__tokenizer *t, const char *p)
{
    const char *from;
    uint32_t errors;

    do {
        from = p;
        p = cel__scan(p, t->end, '<', '&');
        if (p != from)
            give_slice(t, from, p);
        if (p == t->end || cel__unlikely(t->result < 0))
            return p;
        from = p;
        errors = t->error_count;
        if (cel__likely(*p == '<'))
            p = markup(t, p);
        else if (*p == '&')
            p = reference(t, p);
        else
            p = *p == '\r' ? carriage_return(t, p) : keep_nulls(t, p);
        if (p == NULL)
            return postpone(t, from, errors);
    } while (t->state == CEL__STATE_DATA);
    return p;
}

/* -> where an incomplete token begins, or the end. */
static const char *run(struct cel__tokenizer *t, const char *p, const char *end)
{
    t->begin = p;
    t->end = end;
    while (p < t->end && t->result >= 0) {
        if (t->state == CEL__STATE_DATA)
            p = data(t, p);
        else if (t->state == CEL__STATE_CDATA)
            p = cdata(t, p);
        else
            p = raw(t, p);
    }
    return p;
}

/* So that lines are counted and bad characters told from whole ones. */
static const char *whole_characters(const struct cel__tokenizer *t, const char *p, const char *end)
{
    const char *q = end;

    if (t->options.error == NULL || t->is_final)
        return end;
    for (int i = 0; i < 3 && q > p; i++) {
        uint8_t c = (uint8_t) * --q;

        if (c >= 0xc0)
            return end - q < (c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2) ? q : end;
        if (c < 0x80)
            break;
    }
    return end;
}

/* Gives what is complete of these bytes. -> where the rest begins. */
static const char *read_from(struct cel__tokenizer *t, const char *p, const char *end)
{
    const char *rest = run(t, p, whole_characters(t, p, end));

    cel__tokenizer_tell(t, rest);
    t->base += (uint64_t)(rest - p);
    return rest;
}

/* The incomplete token with as much of the portion as makes another try worth while, until nothing
 * of it is left that lies before the portion. -> bytes of the portion that are done with. */
static size_t read_carried(struct cel__tokenizer *t, const char *bytes, size_t len)
{
    size_t used = 0;

    while (used < len && t->result >= 0) {
        size_t wanted = t->retry > t->carry.len ? t->retry - t->carry.len : 0;
        size_t some = cel__min(len - used, cel__max(wanted, (size_t)JOIN_BYTES)), left;
        const char *rest;

        if (cel__buf_add(&t->carry, bytes + used, some) < 0) {
            t->result = -ENOMEM;
            break;
        }
        used += some;
        if (t->carry.len < t->retry)
            break;
        rest = read_from(t, t->carry.ptr, t->carry.ptr + t->carry.len);
        left = (size_t)(t->carry.ptr + t->carry.len - rest);
        if (left <= some) {
            t->carry.len = 0;
            return used - left;
        }
        cel__buf_drop(&t->carry, t->carry.len - left);
        t->retry = t->carry.len + t->carry.len / 2;
    }
    return used;
}

int cel__tokenizer_feed(struct cel__tokenizer *t, const void *bytes, size_t len)
{
    const char *p = bytes, *end = p + len, *rest;

    if (len == 0 || t->result < 0)
        return t->result;
    if (t->carry.len != 0)
        p += read_carried(t, p, len);
    if (t->result < 0 || p == end)
        return t->result;
    rest = read_from(t, p, end);
    if (t->result >= 0 && cel__buf_add(&t->carry, rest, (size_t)(end - rest)) < 0)
        t->result = -ENOMEM;
    t->retry = t->carry.len + t->carry.len / 2;
    return t->result;
}

static void note_end(struct cel__tokenizer *t)
{
    if (t->state == CEL__STATE_CDATA)
        cel__tokenizer_error(t, CEL__ERROR_EOF_IN_CDATA, t->end);
    if (t->state == CEL__STATE_SCRIPT && t->script != CEL__SCRIPT_PLAIN)
        cel__tokenizer_error(t, CEL__ERROR_EOF_IN_SCRIPT_HTML_COMMENT_LIKE_TEXT, t->end);
}

int cel__tokenizer_end(struct cel__tokenizer *t)
{
    const char *p = t->carry.len != 0 ? t->carry.ptr : "";

    if (t->result < 0)
        return t->result;
    t->is_final = true;
    p = run(t, p, p + t->carry.len);
    if (t->result == 0) {
        note_end(t);
        t->token.kind = CEL__TOKEN_EOF;
        t->token.at = t->base + t->carry.len;
        cel__tokenizer_give(t);
    }
    cel__tokenizer_tell(t, p);
    return t->result;
}
