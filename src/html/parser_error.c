/* SPDX-License-Identifier: MIT */
/* The errors of tree construction.
 *
 * They are noted with the tokenizer, which knows lines and columns and brings them into one order
 * with its own. The standard takes text character by character, so text in a wrong place is an
 * error for each of its characters. */
#include "html/parser_state.h"

/* What is still open says more than what it is in the way of. */
static bool is_about_open(enum cel__parse_error code)
{
    return code == CEL__ERROR_MISSING_END_TAG ||
           code == CEL__ERROR_EXPECTED_NAMED_CLOSING_TAG_BUT_GOT_EOF;
}

void cel__parser_note(struct cel__parser *p, enum cel__parse_error code)
{
    cel__tokenizer_note_at(p->tokenizer, code, p->build.at,
                           is_about_open(code) ? cel__parser_current(p)->name : p->told);
}

void cel__parser_note_each(struct cel__parser *p, enum cel__parse_error code, struct cel_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] & 0xc0) != 0x80)
            cel__tokenizer_note_at(p->tokenizer, code, p->build.at + i, CEL__NAME_NONE);
}

void cel__parser_error_by_kind(struct cel__parser *p, const struct cel__token *token,
                               enum cel__parse_error text, enum cel__parse_error start,
                               enum cel__parse_error end)
{
    if (token->kind == CEL__TOKEN_TEXT)
        cel__parser_error(p, text);
    else if (token->kind == CEL__TOKEN_START)
        cel__parser_error(p, start);
    else if (token->kind == CEL__TOKEN_END)
        cel__parser_error(p, end);
}

/* Blanks may stand in a table until something else comes behind them: then they are errors too,
 * told where that is, since what was before is told already. */
void cel__parser_error_pending(struct cel__parser *p, const struct cel__token *token, size_t blanks)
{
    struct cel_str rest = {token->text.ptr + blanks, token->text.len - blanks};

    if (token->is_null) {
        cel__parser_note_each(p, CEL__ERROR_NULL_IN_TABLE_TEXT, token->text);
        return;
    }
    if (!p->pending_is_blank) {
        cel__parser_note_each(p, CEL__ERROR_FOSTER_PARENTING_CHARACTER, token->text);
        return;
    }
    if (rest.len == 0)
        return;
    p->build.at += blanks;
    for (size_t i = 0; i < p->pending.len + blanks; i++)
        cel__parser_note(p, CEL__ERROR_FOSTER_PARENTING_CHARACTER);
    cel__parser_note_each(p, CEL__ERROR_FOSTER_PARENTING_CHARACTER, rest);
    p->build.at -= blanks;
}

/* What may be open at the end of the body, by itself. */
static bool may_be_left_open(const struct cel__open *o)
{
    if (o->ns != CEL__NS_HTML)
        return false;
    if ((o->flags & CEL__TAG_IMPLIED) != 0)
        return true;
    switch (o->name) {
    case CEL__NAME_TBODY:
    case CEL__NAME_TD:
    case CEL__NAME_TFOOT:
    case CEL__NAME_TH:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
    case CEL__NAME_BODY:
    case CEL__NAME_HTML:
        return true;
    default:
        return false;
    }
}

void cel__parser_error_if_open(struct cel__parser *p, enum cel__parse_error code)
{
    if (p->options.error == NULL)
        return;
    for (uint32_t i = p->stack_len; i-- > 0;)
        if (!may_be_left_open(&p->stack[i])) {
            cel__tokenizer_note_at(p->tokenizer, code, p->build.at, p->stack[i].name);
            return;
        }
}
