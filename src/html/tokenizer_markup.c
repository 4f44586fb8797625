/* SPDX-License-Identifier: MIT */
/* What begins with "<!": comments, the doctype, CDATA sections, and what is taken for a comment. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "html/scan.h"
#include "html/tokenizer_state.h"

/* The bytes of a comment, as they are or cleaned. */
static void give_comment(struct cel__tokenizer *t, const char *from, const char *p, const char *end,
                         bool is_dirty)
{
    struct cel_str text = {p, (size_t)(end - p)};

    if (is_dirty) {
        cel__buf_clear(&t->scratch);
        cel__tokenizer_clean(t, &t->scratch, p, end);
        text = cel__buf_str(&t->scratch);
    }
    if (t->options.max_value != 0 && text.len > t->options.max_value) {
        t->cut_length = true;
        text.len = t->options.max_value;
    }
    t->token.kind = CEL__TOKEN_COMMENT;
    t->token.text = text;
    t->token.at = t->base + (uint64_t)(from - t->begin);
    cel__tokenizer_give(t);
}

const char *cel__tokenizer_bogus(struct cel__tokenizer *t, const char *p, const char *from)
{
    const char *q = from;
    bool is_dirty = false;

    while ((q = cel__scan(q, t->end, '>', '>')) < t->end && *q != '>') {
        is_dirty = true;
        q++;
    }
    if (q == t->end && !t->is_final)
        return NULL;
    give_comment(t, p, from, q, is_dirty);
    return q < t->end ? q + 1 : q;
}

/* Errors of "<!--" within a comment, from what follows each. */
static void nested_errors(struct cel__tokenizer *t, const char *p, const char *end)
{
    for (; end - p > 4; p++)
        if (memcmp(p, "<!--", 4) == 0 && p[4] != '>')
            cel__tokenizer_error(t, CEL__ERROR_NESTED_COMMENT, p + 4);
}

/* A dash at p: the length of what ends the comment there, or 0. */
static size_t comment_close(const char *p, const char *end)
{
    if (end - p >= 3 && p[1] == '-' && p[2] == '>')
        return 3;
    return end - p >= 4 && p[1] == '-' && p[2] == '!' && p[3] == '>' ? 4 : 0;
}

/* What the end of input cuts off: the dashes that would have begun "-->" or "--!>". */
static const char *without_dashes(const char *p, const char *end)
{
    if (end - p >= 3 && memcmp(end - 3, "--!", 3) == 0)
        return end - 3;
    if (end - p >= 2 && memcmp(end - 2, "--", 2) == 0)
        return end - 2;
    return end - p >= 1 && end[-1] == '-' ? end - 1 : end;
}

static const char *comment_at_eof(struct cel__tokenizer *t, const char *p, bool is_dirty)
{
    if (!t->is_final)
        return NULL;
    if (t->options.error != NULL)
        nested_errors(t, p + 4, t->end);
    cel__tokenizer_error(t, CEL__ERROR_EOF_IN_COMMENT, t->end);
    give_comment(t, p, p + 4, without_dashes(p + 4, t->end), is_dirty);
    return t->end;
}

/* "<!--" at p. */
static const char *comment(struct cel__tokenizer *t, const char *p)
{
    const char *text = p + 4, *q = text;
    size_t close, dash = q < t->end && *q == '-';
    bool is_dirty = false;

    if (q + dash < t->end && q[dash] == '>') {
        cel__tokenizer_error(t, CEL__ERROR_ABRUPT_CLOSING_OF_EMPTY_COMMENT, q + dash);
        give_comment(t, p, text, text, false);
        return q + dash + 1;
    }
    for (;; q++) {
        q = cel__scan(q, t->end, '-', '-');
        if (q == t->end)
            return comment_at_eof(t, p, is_dirty);
        if (*q != '-') {
            is_dirty = true;
            continue;
        }
        close = comment_close(q, t->end);
        if (close != 0)
            break;
    }
    if (t->options.error != NULL)
        nested_errors(t, text, q + close);
    if (close == 4)
        cel__tokenizer_error(t, CEL__ERROR_INCORRECTLY_CLOSED_COMMENT, q + 3);
    give_comment(t, p, text, q, is_dirty);
    return q + close;
}

static const char *bogus_declaration(struct cel__tokenizer *t, const char *p)
{
    cel__tokenizer_error(t, CEL__ERROR_INCORRECTLY_OPENED_COMMENT, p + 2);
    return cel__tokenizer_bogus(t, p, p + 2);
}

/* "<![" at p. */
static const char *cdata(struct cel__tokenizer *t, const char *p)
{
    static const char word[] = "[CDATA[";

    for (size_t i = 0; i < sizeof word - 1; i++) {
        if (p + 2 + i >= t->end && !t->is_final)
            return NULL;
        if (p + 2 + i >= t->end || p[2 + i] != word[i])
            return bogus_declaration(t, p);
    }
    if (t->allow_cdata) {
        t->state = CEL__STATE_CDATA;
        return p + 9;
    }
    cel__tokenizer_error(t, CEL__ERROR_CDATA_IN_HTML_CONTENT, p + 8);
    return cel__tokenizer_bogus(t, p, p + 2);
}

const char *cel__tokenizer_declaration(struct cel__tokenizer *t, const char *p)
{
    int r = cel__tokenizer_looking_at(t, p + 2, "--", 2);

    if (r == 1)
        return comment(t, p);
    if (r == 0 && p + 2 < t->end && p[2] == '[')
        return cdata(t, p);
    if (r == 0)
        r = cel__tokenizer_looking_at(t, p + 2, "doctype", 7);
    if (r == 0)
        return bogus_declaration(t, p);
    return r < 0 ? NULL : cel__tokenizer_doctype(t, p);
}
