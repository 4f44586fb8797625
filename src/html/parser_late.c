/* SPDX-License-Identifier: MIT */
/* Raw text, what is in templates, framesets, and what comes behind the body. */
#include "html/parser_state.h"

bool cel__mode_text(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_TEXT) {
        cel__parser_insert_text(p, token->text);
        return false;
    }
    if (token->kind == CEL__TOKEN_EOF)
        cel__parser_error(p, CEL__ERROR_EXPECTED_NAMED_CLOSING_TAG_BUT_GOT_EOF);
    cel__parser_pop(p);
    p->mode = p->original_mode;
    return token->kind == CEL__TOKEN_EOF;
}

static bool switch_template(struct cel__parser *p, enum cel__mode mode)
{
    if (p->template_len > 0)
        p->template_modes[p->template_len - 1] = (uint8_t)mode;
    p->mode = mode;
    return true;
}

static bool template_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_BASE:
    case CEL__NAME_BASEFONT:
    case CEL__NAME_BGSOUND:
    case CEL__NAME_LINK:
    case CEL__NAME_META:
    case CEL__NAME_NOFRAMES:
    case CEL__NAME_SCRIPT:
    case CEL__NAME_STYLE:
    case CEL__NAME_TEMPLATE:
    case CEL__NAME_TITLE:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    case CEL__NAME_CAPTION:
    case CEL__NAME_COLGROUP:
    case CEL__NAME_TBODY:
    case CEL__NAME_TFOOT:
    case CEL__NAME_THEAD:
        return switch_template(p, CEL__MODE_IN_TABLE);
    case CEL__NAME_COL:
        return switch_template(p, CEL__MODE_IN_COLUMN_GROUP);
    case CEL__NAME_TR:
        return switch_template(p, CEL__MODE_IN_TABLE_BODY);
    case CEL__NAME_TD:
    case CEL__NAME_TH:
        return switch_template(p, CEL__MODE_IN_ROW);
    default:
        return switch_template(p, CEL__MODE_IN_BODY);
    }
}

bool cel__mode_in_template(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_START:
        return template_start(p, token);
    case CEL__TOKEN_END:
        if (token->name == CEL__NAME_TEMPLATE)
            cel__parser_end_template(p);
        else
            cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return false;
    case CEL__TOKEN_EOF:
        if (!cel__parser_is_open(p, CEL__NAME_TEMPLATE)) {
            p->is_stopped = true;
            return false;
        }
        cel__parser_error(p, CEL__ERROR_EOF_IN_TEMPLATE);
        cel__parser_close_template(p);
        return true;
    default:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    }
}

static bool is_html_start(const struct cel__token *token)
{
    return token->kind == CEL__TOKEN_START && token->name == CEL__NAME_HTML;
}

static bool is_blank(const struct cel__token *token)
{
    return token->kind == CEL__TOKEN_TEXT && !token->is_null &&
           cel__parser_blanks(token->text) == token->text.len;
}

/* Blanks before other text do not end the page's end; the text behind them does. */
static bool back_to_body(struct cel__parser *p, const struct cel__token *token)
{
    size_t n = token->kind == CEL__TOKEN_TEXT ? cel__parser_blanks(token->text) : 0;

    if (n == 0) {
        p->mode = CEL__MODE_IN_BODY;
        return true;
    }
    cel__parser_by(p, CEL__MODE_IN_BODY, token); /* in one piece: both go to the same place */
    p->mode = CEL__MODE_IN_BODY;
    return false;
}

bool cel__mode_after_body(struct cel__parser *p, const struct cel__token *token)
{
    if (is_blank(token) || is_html_start(token))
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    if (token->kind == CEL__TOKEN_COMMENT) {
        cel__parser_insert_comment_in(p, p->stack[0].inside, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_DOCTYPE) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
        return false;
    }
    if (token->kind == CEL__TOKEN_END && token->name == CEL__NAME_HTML) {
        if (!p->is_fragment)
            p->mode = CEL__MODE_AFTER_AFTER_BODY;
        else
            cel__parser_error(p, CEL__ERROR_END_TAG_AFTER_BODY);
        return false;
    }
    if (token->kind == CEL__TOKEN_EOF) {
        p->is_stopped = true;
        return false;
    }
    cel__parser_error_by_kind(p, token, CEL__ERROR_CHAR_AFTER_BODY, CEL__ERROR_START_TAG_AFTER_BODY,
                              CEL__ERROR_END_TAG_AFTER_BODY);
    return back_to_body(p, token);
}

bool cel__mode_after_after_body(struct cel__parser *p, const struct cel__token *token)
{
    if (is_blank(token) || is_html_start(token) || token->kind == CEL__TOKEN_DOCTYPE)
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    if (token->kind == CEL__TOKEN_COMMENT) {
        cel__parser_insert_comment_in(p, 0, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_EOF) {
        p->is_stopped = true;
        return false;
    }
    cel__parser_error_by_kind(p, token, CEL__ERROR_EXPECTED_EOF_BUT_GOT_CHAR,
                              CEL__ERROR_EXPECTED_EOF_BUT_GOT_START_TAG,
                              CEL__ERROR_EXPECTED_EOF_BUT_GOT_END_TAG);
    return back_to_body(p, token);
}

/* Of text, only blanks count where frames are. */
static void keep_blanks(struct cel__parser *p, struct cel_str text, enum cel__parse_error code)
{
    while (text.len != 0) {
        size_t n = cel__parser_blanks(text);

        if (n != 0)
            cel__parser_insert_text(p, (struct cel_str){text.ptr, n});
        else
            cel__parser_error_each(p, code, (struct cel_str){text.ptr, n = 1});
        text.ptr += n;
        text.len -= n;
        p->build.at += n;
    }
}

static bool frameset_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_HTML:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    case CEL__NAME_FRAMESET:
        cel__parser_insert(p, token);
        return false;
    case CEL__NAME_FRAME:
        cel__parser_insert_void(p, token);
        return false;
    case CEL__NAME_NOFRAMES:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    default:
        cel__parser_error(p, CEL__ERROR_START_TAG_IN_FRAMESET);
        return false;
    }
}

bool cel__mode_in_frameset(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        keep_blanks(p, token->text, CEL__ERROR_CHAR_IN_FRAMESET);
        return false;
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_START:
        return frameset_start(p, token);
    case CEL__TOKEN_END:
        if (token->name != CEL__NAME_FRAMESET || p->stack_len == 1) {
            cel__parser_error(p, CEL__ERROR_END_TAG_IN_FRAMESET);
            return false;
        }
        cel__parser_pop(p);
        if (!p->is_fragment && !cel__parser_current_is(p, CEL__NAME_FRAMESET))
            p->mode = CEL__MODE_AFTER_FRAMESET;
        return false;
    case CEL__TOKEN_EOF:
        if (p->stack_len > 1)
            cel__parser_error(p, CEL__ERROR_EOF_IN_FRAMESET);
        p->is_stopped = true;
        return false;
    case CEL__TOKEN_DOCTYPE:
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
        return false;
    }
    return false;
}

bool cel__mode_after_frameset(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_TEXT)
        keep_blanks(p, token->text, CEL__ERROR_CHAR_AFTER_FRAMESET);
    else if (token->kind == CEL__TOKEN_COMMENT)
        cel__parser_insert_comment(p, token);
    else if (is_html_start(token))
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    else if (token->kind == CEL__TOKEN_END && token->name == CEL__NAME_HTML)
        p->mode = CEL__MODE_AFTER_AFTER_FRAMESET;
    else if (token->kind == CEL__TOKEN_START && token->name == CEL__NAME_NOFRAMES)
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    else if (token->kind == CEL__TOKEN_EOF)
        p->is_stopped = true;
    else if (token->kind == CEL__TOKEN_DOCTYPE)
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    else
        cel__parser_error_by_kind(p, token, CEL__ERROR_CHAR_AFTER_FRAMESET,
                                  CEL__ERROR_START_TAG_AFTER_FRAMESET,
                                  CEL__ERROR_END_TAG_AFTER_FRAMESET);
    return false;
}

bool cel__mode_after_after_frameset(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_COMMENT)
        cel__parser_insert_comment_in(p, 0, token);
    else if (token->kind == CEL__TOKEN_TEXT)
        keep_blanks(p, token->text, CEL__ERROR_EXPECTED_EOF_BUT_GOT_CHAR);
    else if (is_html_start(token))
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    else if (token->kind == CEL__TOKEN_START && token->name == CEL__NAME_NOFRAMES)
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    else if (token->kind == CEL__TOKEN_EOF)
        p->is_stopped = true;
    else if (token->kind == CEL__TOKEN_DOCTYPE)
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    else
        cel__parser_error_by_kind(p, token, CEL__ERROR_EXPECTED_EOF_BUT_GOT_CHAR,
                                  CEL__ERROR_EXPECTED_EOF_BUT_GOT_START_TAG,
                                  CEL__ERROR_EXPECTED_EOF_BUT_GOT_END_TAG);
    return false;
}
