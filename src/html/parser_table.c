/* SPDX-License-Identifier: MIT */
/* Tables: what belongs into each part, and what goes before the table because it does not. */
#include "base/str.h"
#include "html/parser_state.h"

/* By the rules of the body, but not into the table. */
static bool foster_told(struct cel__parser *p, const struct cel__token *token)
{
    bool again;

    p->fosters = true;
    again = cel__parser_by(p, CEL__MODE_IN_BODY, token);
    p->fosters = false;
    return again;
}

static bool foster(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_TEXT)
        cel__parser_error_each(p, CEL__ERROR_FOSTER_PARENTING_CHARACTER, token->text);
    else
        cel__parser_error(p, token->kind == CEL__TOKEN_START ? CEL__ERROR_FOSTER_PARENTING_START_TAG
                                                             : CEL__ERROR_FOSTER_PARENTING_END_TAG);
    return foster_told(p, token);
}

/* Passes over the token. */
static bool stray(struct cel__parser *p, enum cel__parse_error code)
{
    cel__parser_error(p, code);
    return false;
}

static void enter(struct cel__parser *p, const struct cel__token *token, enum cel__mode mode)
{
    cel__parser_insert(p, token);
    p->mode = mode;
}

static void enter_name(struct cel__parser *p, uint32_t name, enum cel__mode mode)
{
    cel__parser_insert_name(p, name);
    p->mode = mode;
}

/* true: it is again the table's. */
static bool end_table(struct cel__parser *p)
{
    if (!cel__parser_has(p, CEL__NAME_TABLE, CEL__SCOPE_TABLE))
        return false;
    cel__parser_pop_until(p, CEL__NAME_TABLE);
    cel__parser_reset_mode(p);
    return true;
}

static void clear_to_table(struct cel__parser *p)
{
    cel__parser_clear_to(p, CEL__TAG_TABLE_SCOPE);
}

static bool is_hidden_input(const struct cel__token *token)
{
    for (uint32_t i = 0; i < token->attr_count; i++)
        if (token->attrs[i].name == CEL__NAME_TYPE)
            return cel__str_ieq(token->attrs[i].value, CEL_LIT("hidden"));
    return false;
}

static bool table_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_CAPTION:
        clear_to_table(p);
        cel__parser_format_marker(p);
        enter(p, token, CEL__MODE_IN_CAPTION);
        return false;
    case CEL__NAME_COLGROUP:
        clear_to_table(p);
        enter(p, token, CEL__MODE_IN_COLUMN_GROUP);
        return false;
    case CEL__NAME_COL:
        clear_to_table(p);
        enter_name(p, CEL__NAME_COLGROUP, CEL__MODE_IN_COLUMN_GROUP);
        return true;
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
        clear_to_table(p);
        enter(p, token, CEL__MODE_IN_TABLE_BODY);
        return false;
    case CEL__NAME_TD:
    case CEL__NAME_TH:
    case CEL__NAME_TR:
        clear_to_table(p);
        enter_name(p, CEL__NAME_TBODY, CEL__MODE_IN_TABLE_BODY);
        return true;
    case CEL__NAME_TABLE:
        cel__parser_error(p, CEL__ERROR_START_TAG_IMPLIES_END_TAG);
        return end_table(p);
    case CEL__NAME_STYLE:
    case CEL__NAME_SCRIPT:
    case CEL__NAME_TEMPLATE:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    case CEL__NAME_INPUT:
        if (!is_hidden_input(token))
            return foster(p, token);
        cel__parser_error(p, CEL__ERROR_HIDDEN_INPUT_IN_TABLE);
        cel__parser_insert_void(p, token);
        return false;
    case CEL__NAME_FORM:
        cel__parser_error(p, CEL__ERROR_FORM_IN_TABLE);
        if (p->form != 0 || cel__parser_is_open(p, CEL__NAME_TEMPLATE))
            return false;
        if (cel__parser_insert(p, token)) {
            p->form = cel__parser_current(p)->node;
            cel__parser_pop(p);
        }
        return false;
    default:
        return foster(p, token);
    }
}

static bool table_end(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TABLE:
        if (!end_table(p))
            cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return false;
    case CEL__NAME_BODY:
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_HTML:
    case CEL__NAME_TBODY:
    case CEL__NAME_TD:
    case CEL__NAME_TFOOT:
    case CEL__NAME_TH:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
        return stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    case CEL__NAME_TEMPLATE:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    default:
        return foster(p, token);
    }
}

static bool table_text(struct cel__parser *p, const struct cel__token *token)
{
    unsigned flags = cel__parser_current(p)->flags;

    if ((flags & CEL__TAG_FOSTERS) == 0 && !cel__parser_current_is(p, CEL__NAME_TEMPLATE))
        return foster(p, token);
    cel__buf_clear(&p->pending);
    p->pending_is_blank = true;
    p->pending_at = token->at;
    p->original_mode = p->mode;
    p->mode = CEL__MODE_IN_TABLE_TEXT;
    return true;
}

bool cel__mode_in_table(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        return table_text(p, token);
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_DOCTYPE:
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    case CEL__TOKEN_START:
        return table_start(p, token);
    case CEL__TOKEN_END:
        return table_end(p, token);
    case CEL__TOKEN_EOF:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    }
    return false;
}

static void flush_pending(struct cel__parser *p)
{
    struct cel__token text = {.kind = CEL__TOKEN_TEXT, .text = cel__buf_str(&p->pending)};
    uint64_t at = p->build.at;

    p->build.at = p->pending_at;
    if (p->pending.failed)
        p->build.failed = p->build.is_full = true;
    else if (text.text.len != 0 && p->pending_is_blank)
        cel__parser_insert_text(p, text.text);
    else if (text.text.len != 0)
        foster_told(p, &text);
    p->build.at = at;
}

bool cel__mode_in_table_text(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_TEXT) {
        if (cel__unlikely(p->options.error != NULL))
            cel__parser_error_pending(p, token, cel__parser_blanks(token->text));
        if (token->is_null)
            return false;
        cel__buf_add_str(&p->pending, token->text);
        if (cel__parser_blanks(token->text) < token->text.len)
            p->pending_is_blank = false;
        return false;
    }
    flush_pending(p);
    p->mode = p->original_mode;
    return true;
}

static bool end_caption(struct cel__parser *p)
{
    if (!cel__parser_has(p, CEL__NAME_CAPTION, CEL__SCOPE_TABLE))
        return stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    cel__parser_imply_ends(p, CEL__NAME_NONE);
    cel__parser_error_unless(p, CEL__NAME_CAPTION, CEL__ERROR_END_TAG_TOO_EARLY);
    cel__parser_pop_until(p, CEL__NAME_CAPTION);
    cel__parser_format_clear(p);
    p->mode = CEL__MODE_IN_TABLE;
    return true;
}

bool cel__mode_in_caption(struct cel__parser *p, const struct cel__token *token)
{
    bool is_start = token->kind == CEL__TOKEN_START, is_end = token->kind == CEL__TOKEN_END;

    if (!is_start && !is_end)
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    switch (token->name) {
    case CEL__NAME_CAPTION:
        return end_caption(p) && is_start;
    case CEL__NAME_TABLE:
        return is_start ? cel__parser_by(p, CEL__MODE_IN_BODY, token) : end_caption(p);
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_TBODY:
    case CEL__NAME_TD:
    case CEL__NAME_TFOOT:
    case CEL__NAME_TH:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
        return is_start ? end_caption(p) : stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    case CEL__NAME_BODY:
    case CEL__NAME_HTML:
        return is_start ? cel__parser_by(p, CEL__MODE_IN_BODY, token)
                        : stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    default:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    }
}

static bool column_else(struct cel__parser *p, enum cel__parse_error code)
{
    if (!cel__parser_current_is(p, CEL__NAME_COLGROUP))
        return stray(p, code);
    cel__parser_pop(p);
    p->mode = CEL__MODE_IN_TABLE;
    return true;
}

/* Blanks stay; the rest ends the group, or is passed over where it is a fragment's root. */
static bool column_text(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__token rest = *token;

    while (rest.text.len != 0) {
        size_t n = cel__parser_blanks(rest.text);

        if (n != 0)
            cel__parser_insert_text(p, (struct cel_str){rest.text.ptr, n});
        rest.text.ptr += n;
        rest.text.len -= n;
        p->build.at += n;
        if (rest.text.len == 0)
            break;
        if (column_else(p, CEL__ERROR_CHARACTER_IN_COLGROUP)) {
            while (cel__parser_by(p, p->mode, &rest))
                ;
            break;
        }
        do {
            rest.text.ptr++;
            rest.text.len--;
            p->build.at++;
        } while (rest.text.len != 0 && (*rest.text.ptr & 0xc0) == 0x80);
    }
    return false;
}

bool cel__mode_in_column_group(struct cel__parser *p, const struct cel__token *token)
{
    bool is_start = token->kind == CEL__TOKEN_START;
    enum cel__parse_error unexpected =
        is_start ? CEL__ERROR_START_TAG_IGNORED : CEL__ERROR_UNEXPECTED_END_TAG;

    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        return column_text(p, token);
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_DOCTYPE:
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    case CEL__TOKEN_EOF:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    case CEL__TOKEN_START:
    case CEL__TOKEN_END:
        break;
    }
    switch (token->name) {
    case CEL__NAME_HTML:
        return is_start ? cel__parser_by(p, CEL__MODE_IN_BODY, token) : column_else(p, unexpected);
    case CEL__NAME_COL:
        if (!is_start)
            return stray(p, unexpected);
        cel__parser_insert_void(p, token);
        return false;
    case CEL__NAME_COLGROUP:
        return column_else(p, unexpected) && is_start;
    case CEL__NAME_TEMPLATE:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    default:
        return column_else(p, unexpected);
    }
}

static bool has_table_body(struct cel__parser *p)
{
    return cel__parser_has(p, CEL__NAME_TBODY, CEL__SCOPE_TABLE) ||
           cel__parser_has(p, CEL__NAME_THEAD, CEL__SCOPE_TABLE) ||
           cel__parser_has(p, CEL__NAME_TFOOT, CEL__SCOPE_TABLE);
}

static void end_table_body(struct cel__parser *p)
{
    cel__parser_clear_to(p, CEL__TAG_BODY_CONTEXT);
    cel__parser_pop(p);
    p->mode = CEL__MODE_IN_TABLE;
}

/* What follows is of the table around the body. */
static bool leave_table_body(struct cel__parser *p, enum cel__parse_error code)
{
    if (!has_table_body(p))
        return stray(p, code);
    end_table_body(p);
    return true;
}

static bool table_body_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TR:
        cel__parser_clear_to(p, CEL__TAG_BODY_CONTEXT);
        enter(p, token, CEL__MODE_IN_ROW);
        return false;
    case CEL__NAME_TH:
    case CEL__NAME_TD:
        cel__parser_error(p, CEL__ERROR_CELL_IN_TABLE_BODY);
        cel__parser_clear_to(p, CEL__TAG_BODY_CONTEXT);
        enter_name(p, CEL__NAME_TR, CEL__MODE_IN_ROW);
        return true;
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
        return leave_table_body(p, CEL__ERROR_START_TAG_IGNORED);
    default:
        return cel__mode_in_table(p, token);
    }
}

static bool table_body_end(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
        if (!cel__parser_has(p, token->name, CEL__SCOPE_TABLE))
            return stray(p, CEL__ERROR_END_TAG_IN_TABLE_BODY);
        end_table_body(p);
        return false;
    case CEL__NAME_TABLE:
        return leave_table_body(p, CEL__ERROR_END_TAG_IN_TABLE_BODY);
    case CEL__NAME_BODY:
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_HTML:
    case CEL__NAME_TD:
    case CEL__NAME_TH:
    case CEL__NAME_TR:
        return stray(p, CEL__ERROR_END_TAG_IN_TABLE_BODY);
    default:
        return cel__mode_in_table(p, token);
    }
}

bool cel__mode_in_table_body(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_START)
        return table_body_start(p, token);
    if (token->kind == CEL__TOKEN_END)
        return table_body_end(p, token);
    return cel__mode_in_table(p, token);
}

static bool end_row(struct cel__parser *p, enum cel__parse_error code)
{
    if (!cel__parser_has(p, CEL__NAME_TR, CEL__SCOPE_TABLE))
        return stray(p, code);
    cel__parser_clear_to(p, CEL__TAG_ROW_CONTEXT);
    cel__parser_pop(p);
    p->mode = CEL__MODE_IN_TABLE_BODY;
    return true;
}

static bool row_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TH:
    case CEL__NAME_TD:
        cel__parser_clear_to(p, CEL__TAG_ROW_CONTEXT);
        enter(p, token, CEL__MODE_IN_CELL);
        cel__parser_format_marker(p);
        return false;
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
        return end_row(p, CEL__ERROR_START_TAG_IGNORED);
    default:
        return cel__mode_in_table(p, token);
    }
}

static bool row_end(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TR:
        end_row(p, CEL__ERROR_END_TAG_IN_TABLE_ROW);
        return false;
    case CEL__NAME_TABLE:
        return end_row(p, CEL__ERROR_END_TAG_IN_TABLE_ROW);
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
        if (!cel__parser_has(p, token->name, CEL__SCOPE_TABLE))
            return stray(p, CEL__ERROR_END_TAG_IN_TABLE_ROW);
        return cel__parser_has(p, CEL__NAME_TR, CEL__SCOPE_TABLE) &&
               end_row(p, CEL__ERROR_END_TAG_IN_TABLE_ROW);
    case CEL__NAME_BODY:
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_HTML:
    case CEL__NAME_TD:
    case CEL__NAME_TH:
        return stray(p, CEL__ERROR_END_TAG_IN_TABLE_ROW);
    default:
        return cel__mode_in_table(p, token);
    }
}

bool cel__mode_in_row(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_START)
        return row_start(p, token);
    if (token->kind == CEL__TOKEN_END)
        return row_end(p, token);
    return cel__mode_in_table(p, token);
}

static void end_cell(struct cel__parser *p, uint32_t name)
{
    cel__parser_imply_ends(p, CEL__NAME_NONE);
    cel__parser_error_unless(p, name, CEL__ERROR_CELL_END_TAG);
    cel__parser_pop_until(p, name);
    cel__parser_format_clear(p);
    p->mode = CEL__MODE_IN_ROW;
}

/* Whichever cell is open. */
static bool close_cell(struct cel__parser *p)
{
    if (cel__parser_has(p, CEL__NAME_TD, CEL__SCOPE_TABLE))
        end_cell(p, CEL__NAME_TD);
    else if (cel__parser_has(p, CEL__NAME_TH, CEL__SCOPE_TABLE))
        end_cell(p, CEL__NAME_TH);
    else
        return stray(p, CEL__ERROR_CELL_END_TAG);
    return true;
}

static bool cell_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_TBODY:
    case CEL__NAME_TD:
    case CEL__NAME_TFOOT:
    case CEL__NAME_TH:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
        return close_cell(p);
    default:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    }
}

static bool cell_end(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TD:
    case CEL__NAME_TH:
        if (!cel__parser_has(p, token->name, CEL__SCOPE_TABLE))
            return stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
        end_cell(p, token->name);
        return false;
    case CEL__NAME_BODY:
    case CEL__NAME_CAPTION:
    case CEL__NAME_COL:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_HTML:
        return stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    case CEL__NAME_TABLE:
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
    case CEL__NAME_TR:
        return cel__parser_has(p, token->name, CEL__SCOPE_TABLE)
                   ? close_cell(p)
                   : stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    default:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    }
}

bool cel__mode_in_cell(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_START)
        return cell_start(p, token);
    if (token->kind == CEL__TOKEN_END)
        return cell_end(p, token);
    return cel__parser_by(p, CEL__MODE_IN_BODY, token);
}
