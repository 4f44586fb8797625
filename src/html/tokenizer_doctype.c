/* SPDX-License-Identifier: MIT */
/* The doctype. The parts are kept as places in the scratch buffer until all is read. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "html/tokenizer_state.h"

struct part {
    bool is_there;
    size_t at;
    size_t len;
};

struct doctype {
    struct cel__tokenizer *t;
    const char *from;
    const char *p;
    struct part name;
    struct part public_id;
    struct part system_id;
    bool force_quirks;
};

static void skip_blanks(struct doctype *d)
{
    while (d->p < d->t->end && cel__html_is(*d->p, CEL__CHAR_BLANK))
        d->p++;
}

static void error(struct doctype *d, enum cel__parse_error code)
{
    cel__tokenizer_error(d->t, code, d->p);
}

static struct cel_str part_text(const struct doctype *d, const struct part *part)
{
    size_t max = d->t->options.max_value, len = part->len;

    if (!part->is_there)
        return (struct cel_str){NULL, 0};
    if (max != 0 && len > max) {
        d->t->cut_length = true;
        len = max;
    }
    return (struct cel_str){d->t->scratch.ptr != NULL ? d->t->scratch.ptr + part->at : "", len};
}

static const char *give(struct doctype *d)
{
    struct cel__token *token = &d->t->token;

    token->kind = CEL__TOKEN_DOCTYPE;
    token->text = part_text(d, &d->name);
    token->public_id = part_text(d, &d->public_id);
    token->system_id = part_text(d, &d->system_id);
    token->force_quirks = d->force_quirks;
    token->at = d->t->base + (uint64_t)(d->from - d->t->begin);
    cel__tokenizer_give(d->t);
    return d->p;
}

/* true when the input ends here; *result is then what the reader returns. */
static bool at_end(struct doctype *d, const char **result)
{
    if (d->p < d->t->end)
        return false;
    *result = NULL;
    if (d->t->is_final) {
        error(d, CEL__ERROR_EOF_IN_DOCTYPE);
        d->force_quirks = true;
        *result = give(d);
    }
    return true;
}

/* At ">". */
static const char *finish(struct doctype *d)
{
    d->p++;
    return give(d);
}

static const char *bogus(struct doctype *d, enum cel__parse_error code)
{
    error(d, code);
    for (; d->p < d->t->end && *d->p != '>'; d->p++)
        if (*d->p == '\0')
            error(d, CEL__ERROR_UNEXPECTED_NULL_CHARACTER);
    if (d->p < d->t->end)
        return finish(d);
    return d->t->is_final ? give(d) : NULL;
}

static const char *bogus_quirks(struct doctype *d, enum cel__parse_error code)
{
    d->force_quirks = true;
    return bogus(d, code);
}

static const char *abrupt(struct doctype *d, enum cel__parse_error code)
{
    error(d, code);
    d->force_quirks = true;
    return finish(d);
}

static bool is_quote(const struct doctype *d)
{
    return *d->p == '"' || *d->p == '\'';
}

/* A quote at p. -> 0, or what the reader returns in *result. */
static bool read_id(struct doctype *d, struct part *part, enum cel__parse_error abrupt_code,
                    const char **result)
{
    char quote = *d->p++;
    const char *from = d->p;

    part->is_there = true;
    part->at = d->t->scratch.len;
    while (d->p < d->t->end && *d->p != quote && *d->p != '>')
        d->p++;
    cel__tokenizer_clean(d->t, &d->t->scratch, from, d->p);
    part->len = d->t->scratch.len - part->at;
    if (at_end(d, result))
        return true;
    if (*d->p == '>') {
        *result = abrupt(d, abrupt_code);
        return true;
    }
    d->p++;
    return false;
}

static const char *after_system(struct doctype *d)
{
    const char *result;

    skip_blanks(d);
    if (at_end(d, &result))
        return result;
    if (*d->p == '>')
        return finish(d);
    return bogus(d, CEL__ERROR_UNEXPECTED_CHARACTER_AFTER_SYSTEM);
}

static const char *system_id(struct doctype *d)
{
    const char *result;

    if (read_id(d, &d->system_id, CEL__ERROR_ABRUPT_DOCTYPE_SYSTEM_IDENTIFIER, &result))
        return result;
    return after_system(d);
}

static const char *after_public(struct doctype *d)
{
    bool is_blank = d->p < d->t->end && cel__html_is(*d->p, CEL__CHAR_BLANK);
    const char *result;

    skip_blanks(d);
    if (at_end(d, &result))
        return result;
    if (*d->p == '>')
        return finish(d);
    if (!is_quote(d))
        return bogus_quirks(d, CEL__ERROR_MISSING_QUOTE_BEFORE_SYSTEM);
    if (!is_blank)
        error(d, CEL__ERROR_MISSING_WHITESPACE_BETWEEN_IDENTIFIERS);
    return system_id(d);
}

/* Behind PUBLIC or SYSTEM. */
static const char *after_keyword(struct doctype *d, bool is_public)
{
    bool is_blank = d->p < d->t->end && cel__html_is(*d->p, CEL__CHAR_BLANK);
    const char *result;

    skip_blanks(d);
    if (at_end(d, &result))
        return result;
    if (*d->p == '>')
        return abrupt(d, is_public ? CEL__ERROR_MISSING_DOCTYPE_PUBLIC_IDENTIFIER
                                   : CEL__ERROR_MISSING_DOCTYPE_SYSTEM_IDENTIFIER);
    if (!is_quote(d))
        return bogus_quirks(d, is_public ? CEL__ERROR_MISSING_QUOTE_BEFORE_PUBLIC
                                         : CEL__ERROR_MISSING_QUOTE_BEFORE_SYSTEM);
    if (!is_blank)
        error(d, is_public ? CEL__ERROR_MISSING_WHITESPACE_AFTER_PUBLIC
                           : CEL__ERROR_MISSING_WHITESPACE_AFTER_SYSTEM);
    if (!is_public)
        return system_id(d);
    if (read_id(d, &d->public_id, CEL__ERROR_ABRUPT_DOCTYPE_PUBLIC_IDENTIFIER, &result))
        return result;
    return after_public(d);
}

static const char *after_name(struct doctype *d)
{
    const char *result;
    int is_public, is_system;

    skip_blanks(d);
    if (at_end(d, &result))
        return result;
    if (*d->p == '>')
        return finish(d);
    is_public = cel__tokenizer_looking_at(d->t, d->p, "public", 6);
    is_system = cel__tokenizer_looking_at(d->t, d->p, "system", 6);
    if (is_public < 0 || is_system < 0)
        return NULL;
    if (is_public == 0 && is_system == 0)
        return bogus_quirks(d, CEL__ERROR_INVALID_CHARACTER_SEQUENCE_AFTER_DOCTYPE_NAME);
    d->p += 6;
    return after_keyword(d, is_public);
}

static void read_name(struct doctype *d)
{
    const char *from = d->p;

    d->name = (struct part){.is_there = true, .at = d->t->scratch.len};
    while (d->p < d->t->end && *d->p != '>' && !cel__html_is(*d->p, CEL__CHAR_BLANK))
        d->p++;
    cel__tokenizer_clean(d->t, &d->t->scratch, from, d->p);
    d->name.len = d->t->scratch.len - d->name.at;
    for (size_t i = 0; i < d->name.len; i++)
        d->t->scratch.ptr[d->name.at + i] = cel__char_lower(d->t->scratch.ptr[d->name.at + i]);
}

const char *cel__tokenizer_doctype(struct cel__tokenizer *t, const char *p)
{
    struct doctype d = {.t = t, .from = p, .p = p + 9};
    const char *result;
    bool is_blank;

    cel__buf_clear(&t->scratch);
    if (at_end(&d, &result))
        return result;
    is_blank = cel__html_is(*d.p, CEL__CHAR_BLANK);
    skip_blanks(&d);
    if (at_end(&d, &result))
        return result;
    if (*d.p == '>')
        return abrupt(&d, CEL__ERROR_MISSING_DOCTYPE_NAME);
    if (!is_blank)
        error(&d, CEL__ERROR_MISSING_WHITESPACE_BEFORE_DOCTYPE_NAME);
    read_name(&d);
    if (at_end(&d, &result))
        return result;
    return after_name(&d);
}
