/* SPDX-License-Identifier: MIT */
/* From the first token to the body. */
#include "base/str.h"
#include "html/parser_state.h"

/* A token with the blanks of its text that are of no account taken off; text.len 0: all of it. */
static struct cel__token without_blanks(const struct cel__token *token)
{
    struct cel__token rest = *token;
    size_t n = token->kind == CEL__TOKEN_TEXT ? cel__parser_blanks(token->text) : 0;

    rest.text.ptr += n;
    rest.text.len -= n;
    rest.at += n;
    return rest;
}

static bool is_tag(const struct cel__token *token, enum cel__token_kind kind, uint32_t name)
{
    return token->kind == kind && token->name == name;
}

/* The end tags that may come before a body, and then mean nothing themselves. */
static bool is_early_end(const struct cel__token *token)
{
    return token->kind == CEL__TOKEN_END &&
           (token->name == CEL__NAME_HEAD || token->name == CEL__NAME_BODY ||
            token->name == CEL__NAME_HTML || token->name == CEL__NAME_BR);
}

static void set_id(struct cel__parser *p, struct cel__attr *id, bool *has, struct cel_str text)
{
    struct cel__buf *values = &p->build.tree.values;

    *has = text.ptr != NULL;
    *id = (struct cel__attr){.at = (uint32_t)values->len, .len = (uint32_t)text.len};
    if (text.len != 0 && cel__buf_add_str(values, text) < 0)
        p->build.failed = p->build.is_full = true;
}

static void doctype(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__tree *t = &p->build.tree;
    struct cel_str name = token->text.ptr != NULL ? token->text : CEL_LIT("");

    if (!cel__str_eq(name, CEL_LIT("html")) || token->public_id.ptr != NULL ||
        (token->system_id.ptr != NULL &&
         !cel__str_eq(token->system_id, CEL_LIT("about:legacy-compat"))))
        cel__parser_error(p, CEL__ERROR_UNKNOWN_DOCTYPE);
    cel__build_raw(&p->build, (struct cel__build_place){0}, CEL__NODE_DOCTYPE, name);
    set_id(p, &t->public_id, &t->has_public_id, token->public_id);
    set_id(p, &t->system_id, &t->has_system_id, token->system_id);
    t->quirks = cel__quirks_of(token);
}

/* Passes over the token. */
static bool stray(struct cel__parser *p, enum cel__parse_error code)
{
    cel__parser_error(p, code);
    return false;
}

/* Text may begin with blanks that a mode passes over; the rest is taken again, by a token of its
 * own, since the tokenizer's is not ours to change. */
static bool again_without_blanks(struct cel__parser *p, const struct cel__token *token,
                                 bool (*anything_else)(struct cel__parser *p,
                                                       const struct cel__token *token))
{
    struct cel__token rest;

    if (token->kind != CEL__TOKEN_TEXT)
        return anything_else(p, token);
    rest = without_blanks(token);
    if (rest.text.len == 0)
        return false;
    if (rest.text.len == token->text.len)
        return anything_else(p, token);
    p->build.at = rest.at;
    if (anything_else(p, &rest))
        while (cel__parser_by(p, p->mode, &rest))
            ;
    return false;
}

static bool initial_else(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_error_by_kind(p, token, CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_CHARS,
                              CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_START_TAG,
                              CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_END_TAG);
    if (token->kind == CEL__TOKEN_EOF)
        cel__parser_error(p, CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_EOF);
    p->build.tree.quirks = CEL__QUIRKS_FULL;
    p->mode = CEL__MODE_BEFORE_HTML;
    return true;
}

bool cel__mode_initial(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_COMMENT) {
        cel__parser_insert_comment_in(p, 0, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_DOCTYPE) {
        doctype(p, token);
        p->mode = CEL__MODE_BEFORE_HTML;
        return false;
    }
    return again_without_blanks(p, token, initial_else);
}

static void push_html(struct cel__parser *p, const struct cel__token *token)
{
    uint32_t node =
        cel__build_element(&p->build, (struct cel__build_place){0}, CEL__NAME_HTML, CEL__NS_HTML);

    for (uint32_t i = 0; token != NULL && i < token->attr_count; i++)
        cel__build_attr(&p->build, node, token->attrs[i].name, CEL__NS_NONE, token->attrs[i].value);
    cel__parser_opened(p, node);
    cel__parser_push(p, (struct cel__open){.node = node,
                                           .inside = node,
                                           .name = CEL__NAME_HTML,
                                           .lower = CEL__NAME_HTML,
                                           .flags = (uint16_t)cel__tag_flags(CEL__NAME_HTML),
                                           .ns = CEL__NS_HTML});
    p->mode = CEL__MODE_BEFORE_HEAD;
}

static bool before_html_else(struct cel__parser *p, const struct cel__token *token)
{
    push_html(p, NULL);
    return true;
}

bool cel__mode_before_html(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_DOCTYPE)
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    if (token->kind == CEL__TOKEN_COMMENT) {
        cel__parser_insert_comment_in(p, 0, token);
        return false;
    }
    if (is_tag(token, CEL__TOKEN_START, CEL__NAME_HTML)) {
        push_html(p, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_END && !is_early_end(token))
        return stray(p, CEL__ERROR_UNEXPECTED_END_TAG_BEFORE_HTML);
    return again_without_blanks(p, token, before_html_else);
}

static void push_head(struct cel__parser *p, const struct cel__token *token)
{
    bool is_in =
        token != NULL ? cel__parser_insert(p, token) : cel__parser_insert_name(p, CEL__NAME_HEAD);

    if (is_in)
        p->head = cel__parser_current(p)->node;
    p->mode = CEL__MODE_IN_HEAD;
}

static bool before_head_else(struct cel__parser *p, const struct cel__token *token)
{
    push_head(p, NULL);
    return true;
}

bool cel__mode_before_head(struct cel__parser *p, const struct cel__token *token)
{
    if (token->kind == CEL__TOKEN_COMMENT) {
        cel__parser_insert_comment(p, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_DOCTYPE)
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    if (is_tag(token, CEL__TOKEN_START, CEL__NAME_HTML))
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    if (is_tag(token, CEL__TOKEN_START, CEL__NAME_HEAD)) {
        push_head(p, token);
        return false;
    }
    if (token->kind == CEL__TOKEN_END && !is_early_end(token))
        return stray(p, CEL__ERROR_END_TAG_AFTER_IMPLIED_ROOT);
    return again_without_blanks(p, token, before_head_else);
}

/* Blanks are kept, the rest of the text is taken as what ends the head. */
static bool head_text(struct cel__parser *p, const struct cel__token *token,
                      bool (*anything_else)(struct cel__parser *p, const struct cel__token *token))
{
    size_t n = token->kind == CEL__TOKEN_TEXT ? cel__parser_blanks(token->text) : 0;

    if (n != 0)
        cel__parser_insert_text(p, (struct cel_str){token->text.ptr, n});
    return again_without_blanks(p, token, anything_else);
}

static bool in_head_else(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_pop(p);
    p->mode = CEL__MODE_AFTER_HEAD;
    return true;
}

static bool in_head_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_HTML:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    case CEL__NAME_BASE:
    case CEL__NAME_BASEFONT:
    case CEL__NAME_BGSOUND:
    case CEL__NAME_LINK:
    case CEL__NAME_META:
        cel__parser_insert_void(p, token);
        return false;
    case CEL__NAME_TITLE:
        cel__parser_insert_raw(p, token, CEL__STATE_RCDATA);
        return false;
    case CEL__NAME_NOSCRIPT:
        if (!p->options.scripting) {
            cel__parser_insert(p, token);
            p->mode = CEL__MODE_IN_HEAD_NOSCRIPT;
            return false;
        }
        cel__parser_insert_raw(p, token, CEL__STATE_RAWTEXT);
        return false;
    case CEL__NAME_NOFRAMES:
    case CEL__NAME_STYLE:
        cel__parser_insert_raw(p, token, CEL__STATE_RAWTEXT);
        return false;
    case CEL__NAME_SCRIPT:
        cel__parser_insert_raw(p, token, CEL__STATE_SCRIPT);
        return false;
    case CEL__NAME_TEMPLATE:
        cel__parser_begin_template(p, token);
        return false;
    case CEL__NAME_HEAD:
        return stray(p, CEL__ERROR_TWO_HEADS);
    default:
        return in_head_else(p, token);
    }
}

bool cel__mode_in_head(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_DOCTYPE:
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    case CEL__TOKEN_START:
        return in_head_start(p, token);
    case CEL__TOKEN_END:
        if (token->name == CEL__NAME_HEAD) {
            cel__parser_pop(p);
            p->mode = CEL__MODE_AFTER_HEAD;
            return false;
        }
        if (token->name == CEL__NAME_TEMPLATE) {
            cel__parser_end_template(p);
            return false;
        }
        return is_early_end(token) ? in_head_else(p, token)
                                   : stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    case CEL__TOKEN_TEXT:
    case CEL__TOKEN_EOF:
        break;
    }
    return head_text(p, token, in_head_else);
}

static bool noscript_else(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_error_by_kind(p, token, CEL__ERROR_CHAR_IN_HEAD_NOSCRIPT,
                              CEL__ERROR_UNEXPECTED_TAG_IN_HEAD_NOSCRIPT,
                              CEL__ERROR_UNEXPECTED_TAG_IN_HEAD_NOSCRIPT);
    if (token->kind == CEL__TOKEN_EOF)
        cel__parser_error(p, CEL__ERROR_EOF_IN_HEAD_NOSCRIPT);
    cel__parser_pop(p);
    p->mode = CEL__MODE_IN_HEAD;
    return true;
}

static bool noscript_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_HTML:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    case CEL__NAME_BASEFONT:
    case CEL__NAME_BGSOUND:
    case CEL__NAME_LINK:
    case CEL__NAME_META:
    case CEL__NAME_NOFRAMES:
    case CEL__NAME_STYLE:
        return cel__mode_in_head(p, token);
    case CEL__NAME_HEAD:
    case CEL__NAME_NOSCRIPT:
        return stray(p, CEL__ERROR_UNEXPECTED_TAG_IN_HEAD_NOSCRIPT);
    default:
        return noscript_else(p, token);
    }
}

bool cel__mode_in_head_noscript(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_COMMENT:
        return cel__mode_in_head(p, token);
    case CEL__TOKEN_DOCTYPE:
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    case CEL__TOKEN_START:
        return noscript_start(p, token);
    case CEL__TOKEN_END:
        if (token->name == CEL__NAME_NOSCRIPT) {
            cel__parser_pop(p);
            p->mode = CEL__MODE_IN_HEAD;
            return false;
        }
        return token->name == CEL__NAME_BR ? noscript_else(p, token)
                                           : stray(p, CEL__ERROR_UNEXPECTED_TAG_IN_HEAD_NOSCRIPT);
    case CEL__TOKEN_TEXT:
    case CEL__TOKEN_EOF:
        break;
    }
    return head_text(p, token, noscript_else);
}

static bool after_head_else(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_insert_name(p, CEL__NAME_BODY);
    p->mode = CEL__MODE_IN_BODY;
    return true;
}

/* What belongs into the head comes late, and goes there. */
static bool late_head(struct cel__parser *p, const struct cel__token *token)
{
    uint32_t index;
    bool again;

    cel__parser_push(p, (struct cel__open){.node = p->head,
                                           .inside = p->head,
                                           .name = CEL__NAME_HEAD,
                                           .lower = CEL__NAME_HEAD,
                                           .flags = (uint16_t)cel__tag_flags(CEL__NAME_HEAD),
                                           .ns = CEL__NS_HTML});
    again = cel__mode_in_head(p, token);
    index = cel__parser_find_node(p, p->head);
    if (index > 1)
        cel__parser_remove_open(p, index - 1);
    return again;
}

static bool after_head_start(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_HTML:
        return cel__parser_by(p, CEL__MODE_IN_BODY, token);
    case CEL__NAME_BODY:
        cel__parser_insert(p, token);
        p->frameset_ok = false;
        p->mode = CEL__MODE_IN_BODY;
        return false;
    case CEL__NAME_FRAMESET:
        cel__parser_insert(p, token);
        p->mode = CEL__MODE_IN_FRAMESET;
        return false;
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
        cel__parser_error(p, CEL__ERROR_OUT_OF_MY_HEAD);
        return late_head(p, token);
    case CEL__NAME_HEAD:
        return stray(p, CEL__ERROR_TWO_HEADS);
    default:
        return after_head_else(p, token);
    }
}

bool cel__mode_after_head(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_DOCTYPE:
        return stray(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
    case CEL__TOKEN_START:
        return after_head_start(p, token);
    case CEL__TOKEN_END:
        if (token->name == CEL__NAME_TEMPLATE)
            return cel__mode_in_head(p, token);
        return is_early_end(token) && token->name != CEL__NAME_HEAD
                   ? after_head_else(p, token)
                   : stray(p, CEL__ERROR_UNEXPECTED_END_TAG);
    case CEL__TOKEN_TEXT:
    case CEL__TOKEN_EOF:
        break;
    }
    return head_text(p, token, after_head_else);
}
