/* SPDX-License-Identifier: MIT */
/* Errors with their lines and columns, and what is wrong with the input itself.
 *
 * Errors are noted by offset while a token is read, and told when it is certain: one
 * pass over the input's characters then counts lines and finds those that may not be
 * in it. Nothing of this runs in a parse that does not ask. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "html/tokenizer_state.h"

void cel__tokenizer_note_at(struct cel__tokenizer *t, enum cel__parse_error code, uint64_t at,
                            uint32_t name)
{
    if (t->error_count == t->error_cap) {
        uint32_t cap = t->error_cap != 0 ? t->error_cap * 2 : 32;
        struct cel__pending_error *grown = cel__mem_realloc(t->errors, cap * sizeof *grown);

        if (grown == NULL) {
            t->result = -ENOMEM;
            return;
        }
        t->errors = grown;
        t->error_cap = cap;
    }
    t->errors[t->error_count] = (struct cel__pending_error){code, t->error_serial++, at, name};
    if (t->error_count != 0 && t->errors[t->error_count].at < t->errors[t->error_count - 1].at)
        t->errors_unsorted = true;
    t->error_count++;
}

void cel__tokenizer_note(struct cel__tokenizer *t, enum cel__parse_error code, const char *at)
{
    cel__tokenizer_note_at(t, code, t->base + (uint64_t)(at - t->begin), CEL__NAME_NONE);
}

static int compare(const void *a, const void *b)
{
    const struct cel__pending_error *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->serial < y->serial ? -1 : 1;
}

static void sort(struct cel__tokenizer *t)
{
    if (t->errors_unsorted)
        qsort(t->errors, t->error_count, sizeof *t->errors, compare);
    t->errors_unsorted = false;
}

static void tell(struct cel__tokenizer *t, enum cel__parse_error code, uint64_t at, uint32_t name)
{
    struct cel__error e = {.code = code, .line = t->line, .column = t->column, .at = at};

    if (name != CEL__NAME_NONE)
        e.element = cel__names_text(t->options.names, name);

    t->options.error(t->options.arg, &e);
}

/* A byte that begins no whole character is one of its own, and no error: decoding is not ours. */
static uint32_t code_point(const uint8_t *p, const uint8_t *end, size_t *len)
{
    size_t want = p[0] < 0xc0 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t c = want == 1 ? p[0] : p[0] & (0xffu >> (want + 1));

    *len = 1;
    if (p[0] < 0x80)
        return c;
    if (want == 1 || want > (size_t)(end - p))
        return 0xfffd;
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (p[i] & 0x3f);
    }
    *len = want;
    return c;
}

/* The error that a character of the input is, or COUNT. */
static enum cel__parse_error bad_input(uint32_t c)
{
    if (c >= 0x20 && c < 0x7f)
        return CEL__PARSE_ERROR_COUNT;
    if (c >= 0xd800 && c <= 0xdfff)
        return CEL__ERROR_SURROGATE_IN_INPUT_STREAM;
    if ((c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef))
        return CEL__ERROR_NONCHARACTER_IN_INPUT_STREAM;
    if (c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r')
        return CEL__PARSE_ERROR_COUNT;
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) ? CEL__ERROR_CONTROL_CHARACTER_IN_INPUT_STREAM
                                                : CEL__PARSE_ERROR_COUNT;
}

static void count_one(struct cel__tokenizer *t, uint32_t c)
{
    if (c == '\r' || (c == '\n' && !t->counted_cr)) {
        t->line++;
        t->column = 1;
    } else if (c != '\n') {
        t->column += c >= 0x10000 ? 2 : 1;
    }
    t->counted_cr = c == '\r'; /* a LF behind CR is none */
}

/* The errors noted up to here. */
static uint32_t tell_noted(struct cel__tokenizer *t, uint32_t next)
{
    for (; next < t->error_count && t->errors[next].at <= t->counted; next++)
        tell(t, t->errors[next].code, t->errors[next].at, t->errors[next].name);
    return next;
}

void cel__tokenizer_tell(struct cel__tokenizer *t, const char *upto)
{
    const uint8_t *p, *end = (const uint8_t *)upto;
    uint32_t next = 0;

    if (t->options.error == NULL)
        return;
    sort(t);
    p = (const uint8_t *)t->begin + (t->counted - t->base);
    while (p < end) {
        size_t len;
        uint32_t c = code_point(p, end, &len);
        enum cel__parse_error bad = bad_input(c);

        if (bad != CEL__PARSE_ERROR_COUNT)
            tell(t, bad, t->counted, CEL__NAME_NONE);
        next = tell_noted(t, next);
        count_one(t, c);
        t->counted += len;
        p += len;
    }
    if (t->is_final)
        next = tell_noted(t, next);
    if (next != 0)
        memmove(t->errors, t->errors + next, (t->error_count - next) * sizeof *t->errors);
    t->error_count -= next;
}
