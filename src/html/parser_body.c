/* SPDX-License-Identifier: MIT */
/* The body: where nearly all of a page is read. What is common has a class in html/tags.h. */
#include "base/str.h"
#include "html/parser_state.h"

static void body_text(struct cel__parser *p, const struct cel__token *token)
{
    if (token->is_null) {
        cel__parser_error_each(p, CEL__ERROR_NULL_IN_BODY, token->text);
        return;
    }
    cel__parser_reconstruct(p);
    cel__parser_insert_text(p, token->text);
    if (p->frameset_ok && cel__parser_blanks(token->text) < token->text.len)
        p->frameset_ok = false;
}

static void start_html(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_error(p, CEL__ERROR_NON_HTML_ROOT);
    if (!cel__parser_is_open(p, CEL__NAME_TEMPLATE))
        cel__parser_merge(p, 0, token);
}

/* The body element is the second on the stack, if it is there at all. */
static bool has_body(struct cel__parser *p)
{
    return p->stack_len > 1 && cel__open_is(&p->stack[1], CEL__NAME_BODY);
}

static void start_body(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_error(p, CEL__ERROR_UNEXPECTED_START_TAG);
    if (!has_body(p) || cel__parser_is_open(p, CEL__NAME_TEMPLATE))
        return;
    p->frameset_ok = false;
    cel__parser_merge(p, 1, token);
}

static void start_frameset(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_error(p, CEL__ERROR_UNEXPECTED_START_TAG);
    if (!has_body(p) || !p->frameset_ok)
        return;
    cel__build_detach(&p->build, p->stack[1].node);
    cel__parser_pop_to_length(p, 1);
    cel__parser_insert(p, token);
    p->mode = CEL__MODE_IN_FRAMESET;
}

static void start_block(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_close_p_in_button(p);
    cel__parser_insert(p, token);
}

static void start_heading(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_close_p_in_button(p);
    if ((cel__parser_current(p)->flags & CEL__TAG_HEADING) != 0) {
        cel__parser_error(p, CEL__ERROR_START_TAG_IMPLIES_END_TAG);
        cel__parser_pop(p);
    }
    cel__parser_insert(p, token);
}

static void start_formatting(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    if (cel__parser_insert(p, token))
        cel__parser_format_push(p);
}

static void start_void(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    cel__parser_insert_void(p, token);
    p->frameset_ok = false;
}

static bool is_item(const struct cel__open *o, uint32_t name)
{
    if (name == CEL__NAME_LI)
        return cel__open_is(o, CEL__NAME_LI);
    return cel__open_is(o, CEL__NAME_DD) || cel__open_is(o, CEL__NAME_DT);
}

static bool ends_item_search(const struct cel__open *o)
{
    return (o->flags & CEL__TAG_SPECIAL) != 0 && !cel__open_is(o, CEL__NAME_ADDRESS) &&
           !cel__open_is(o, CEL__NAME_DIV) && !cel__open_is(o, CEL__NAME_P);
}

/* li, dd, dt: the one before ends. */
static void start_item(struct cel__parser *p, const struct cel__token *token)
{
    p->frameset_ok = false;
    for (uint32_t i = p->stack_len; i-- > 0;) {
        const struct cel__open *o = &p->stack[i];

        if (is_item(o, token->name)) {
            uint32_t name = o->name;

            cel__parser_imply_ends(p, name);
            cel__parser_error_unless(p, name, CEL__ERROR_MISSING_END_TAG);
            cel__parser_pop_until(p, name);
            break;
        }
        if (ends_item_search(o))
            break;
    }
    start_block(p, token);
}

static void start_form(struct cel__parser *p, const struct cel__token *token)
{
    bool in_template = cel__parser_is_open(p, CEL__NAME_TEMPLATE);

    if (p->form != 0 && !in_template) {
        cel__parser_error(p, CEL__ERROR_START_TAG_IGNORED);
        return;
    }
    cel__parser_close_p_in_button(p);
    if (cel__parser_insert(p, token) && !in_template)
        p->form = cel__parser_current(p)->node;
}

static void start_a(struct cel__parser *p, const struct cel__token *token)
{
    uint32_t format = cel__parser_format_find(p, CEL__NAME_A);

    if (format != 0) {
        uint32_t node = p->formats[format - 1].node, open;

        cel__parser_error(p, CEL__ERROR_START_TAG_IMPLIES_END_TAG);
        cel__parser_adopt(p, CEL__NAME_A);
        for (uint32_t i = p->format_len; i-- > 0;)
            if (p->formats[i].node == node && p->formats[i].name != CEL__NAME_NONE) {
                cel__parser_format_remove(p, i);
                break;
            }
        open = cel__parser_find_node(p, node);
        if (open > 1)
            cel__parser_remove_open(p, open - 1);
    }
    start_formatting(p, token);
}

static void start_nobr(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    if (cel__parser_has(p, CEL__NAME_NOBR, CEL__SCOPE_ANY)) {
        cel__parser_error(p, CEL__ERROR_START_TAG_IMPLIES_END_TAG);
        cel__parser_adopt(p, CEL__NAME_NOBR);
    }
    start_formatting(p, token);
}

static void start_button(struct cel__parser *p, const struct cel__token *token)
{
    if (cel__parser_has(p, CEL__NAME_BUTTON, CEL__SCOPE_ANY)) {
        cel__parser_error(p, CEL__ERROR_START_TAG_IMPLIES_END_TAG);
        cel__parser_imply_ends(p, CEL__NAME_NONE);
        cel__parser_pop_until(p, CEL__NAME_BUTTON);
    }
    cel__parser_reconstruct(p);
    cel__parser_insert(p, token);
    p->frameset_ok = false;
}

static void start_object(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    cel__parser_insert(p, token);
    cel__parser_format_marker(p);
    p->frameset_ok = false;
}

static void start_table(struct cel__parser *p, const struct cel__token *token)
{
    if (p->build.tree.quirks != CEL__QUIRKS_FULL)
        cel__parser_close_p_in_button(p);
    cel__parser_insert(p, token);
    p->frameset_ok = false;
    p->mode = CEL__MODE_IN_TABLE;
}

static bool is_hidden(const struct cel__token *token)
{
    for (uint32_t i = 0; i < token->attr_count; i++)
        if (token->attrs[i].name == CEL__NAME_TYPE)
            return cel__str_ieq(token->attrs[i].value, CEL_LIT("hidden"));
    return false;
}

static bool is_in_select_fragment(const struct cel__parser *p)
{
    return p->is_fragment && cel__open_is(&p->context, CEL__NAME_SELECT);
}

static bool is_in_select(struct cel__parser *p)
{
    return cel__parser_has(p, CEL__NAME_SELECT, CEL__SCOPE_ANY);
}

static void start_input(struct cel__parser *p, const struct cel__token *token)
{
    if (is_in_select_fragment(p)) {
        cel__parser_error(p, CEL__ERROR_INPUT_IN_SELECT);
        return;
    }
    if (is_in_select(p)) {
        cel__parser_error(p, CEL__ERROR_INPUT_IN_SELECT);
        cel__parser_pop_until(p, CEL__NAME_SELECT);
    }
    cel__parser_reconstruct(p);
    cel__parser_insert_void(p, token);
    if (!is_hidden(token))
        p->frameset_ok = false;
}

/* With elements in between that do not end by themselves. */
static void error_if_option(struct cel__parser *p, bool or_group)
{
    if (cel__parser_has(p, CEL__NAME_OPTION, CEL__SCOPE_ANY) ||
        (or_group && cel__parser_has(p, CEL__NAME_OPTGROUP, CEL__SCOPE_ANY)))
        cel__parser_error(p, CEL__ERROR_START_TAG_IN_SELECT);
}

static void start_hr(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_close_p_in_button(p);
    if (is_in_select(p)) {
        cel__parser_imply_ends(p, CEL__NAME_NONE);
        error_if_option(p, true);
    }
    cel__parser_insert_void(p, token);
    p->frameset_ok = false;
}

static void start_select(struct cel__parser *p, const struct cel__token *token)
{
    if (is_in_select_fragment(p)) {
        cel__parser_error(p, CEL__ERROR_SELECT_IN_SELECT);
        return;
    }
    if (is_in_select(p)) {
        cel__parser_error(p, CEL__ERROR_SELECT_IN_SELECT);
        cel__parser_pop_until(p, CEL__NAME_SELECT);
        return;
    }
    cel__parser_reconstruct(p);
    cel__parser_insert(p, token);
    p->frameset_ok = false;
}

/* option and optgroup. */
static void start_option(struct cel__parser *p, const struct cel__token *token)
{
    bool is_group = token->name == CEL__NAME_OPTGROUP;

    if (is_in_select(p)) {
        cel__parser_imply_ends(p, is_group ? CEL__NAME_NONE : (uint32_t)CEL__NAME_OPTGROUP);
        error_if_option(p, is_group);
    } else if (cel__parser_current_is(p, CEL__NAME_OPTION)) {
        cel__parser_pop(p);
    }
    cel__parser_reconstruct(p);
    cel__parser_insert(p, token);
}

/* rb rtc rp rt. */
static void start_ruby(struct cel__parser *p, const struct cel__token *token)
{
    bool keeps_rtc = token->name == CEL__NAME_RP || token->name == CEL__NAME_RT;

    if (cel__parser_has(p, CEL__NAME_RUBY, CEL__SCOPE_ANY)) {
        cel__parser_imply_ends(p, keeps_rtc ? (uint32_t)CEL__NAME_RTC : (uint32_t)CEL__NAME_NONE);
        if (!keeps_rtc || !cel__parser_current_is(p, CEL__NAME_RTC))
            cel__parser_error_unless(p, CEL__NAME_RUBY, CEL__ERROR_MISSING_END_TAG);
    }
    cel__parser_insert(p, token);
}

CEL__NOINLINE static void start_image(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__token img = *token;

    cel__parser_error(p, CEL__ERROR_START_TAG_TREATED_AS);
    img.name = CEL__NAME_IMG;
    start_void(p, &img);
}

static void start_ordinary(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    cel__parser_insert(p, token);
}

/* Elements whose content is text. */
static void start_text(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_TEXTAREA:
        cel__parser_insert_raw(p, token, CEL__STATE_RCDATA);
        p->skip_lf = true;
        p->frameset_ok = false;
        return;
    case CEL__NAME_XMP:
        cel__parser_close_p_in_button(p);
        cel__parser_reconstruct(p);
        p->frameset_ok = false;
        break;
    case CEL__NAME_IFRAME:
        p->frameset_ok = false;
        break;
    case CEL__NAME_NOSCRIPT:
        if (p->options.scripting)
            break;
        start_ordinary(p, token);
        return;
    default: /* noembed */
        break;
    }
    cel__parser_insert_raw(p, token, CEL__STATE_RAWTEXT);
}

static void start_pre(struct cel__parser *p, const struct cel__token *token)
{
    start_block(p, token);
    p->skip_lf = true;
    p->frameset_ok = false;
}

static void start_plaintext(struct cel__parser *p, const struct cel__token *token)
{
    start_block(p, token);
    cel__tokenizer_set_state(p->tokenizer, CEL__STATE_PLAINTEXT);
}

static void start_foreign(struct cel__parser *p, const struct cel__token *token)
{
    cel__parser_reconstruct(p);
    cel__parser_insert_foreign(p, token,
                               token->name == CEL__NAME_SVG ? CEL__NS_SVG : CEL__NS_MATHML);
}

typedef void start_fn(struct cel__parser *p, const struct cel__token *token);

/* Those of class OTHER in html/tags.c. */
static start_fn *const others[CEL__NAME_FIXED] = {
    [CEL__NAME_A] = start_a,
    [CEL__NAME_APPLET] = start_object,
    [CEL__NAME_BODY] = start_body,
    [CEL__NAME_BUTTON] = start_button,
    [CEL__NAME_FORM] = start_form,
    [CEL__NAME_FRAMESET] = start_frameset,
    [CEL__NAME_HR] = start_hr,
    [CEL__NAME_HTML] = start_html,
    [CEL__NAME_IFRAME] = start_text,
    [CEL__NAME_IMAGE] = start_image,
    [CEL__NAME_INPUT] = start_input,
    [CEL__NAME_LISTING] = start_pre,
    [CEL__NAME_MARQUEE] = start_object,
    [CEL__NAME_MATH] = start_foreign,
    [CEL__NAME_NOBR] = start_nobr,
    [CEL__NAME_NOEMBED] = start_text,
    [CEL__NAME_NOSCRIPT] = start_text,
    [CEL__NAME_OBJECT] = start_object,
    [CEL__NAME_OPTGROUP] = start_option,
    [CEL__NAME_OPTION] = start_option,
    [CEL__NAME_PARAM] = cel__parser_insert_void,
    [CEL__NAME_PLAINTEXT] = start_plaintext,
    [CEL__NAME_PRE] = start_pre,
    [CEL__NAME_RB] = start_ruby,
    [CEL__NAME_RP] = start_ruby,
    [CEL__NAME_RT] = start_ruby,
    [CEL__NAME_RTC] = start_ruby,
    [CEL__NAME_SELECT] = start_select,
    [CEL__NAME_SOURCE] = cel__parser_insert_void,
    [CEL__NAME_SVG] = start_foreign,
    [CEL__NAME_TABLE] = start_table,
    [CEL__NAME_TEXTAREA] = start_text,
    [CEL__NAME_TRACK] = cel__parser_insert_void,
    [CEL__NAME_XMP] = start_text,
};

static bool body_start(struct cel__parser *p, const struct cel__token *token)
{
    enum cel__body_start kind = token->name < CEL__NAME_FIXED
                                    ? (enum cel__body_start)cel__tags[token->name].body_start
                                    : CEL__BODY_ORDINARY;

    switch (kind) {
    case CEL__BODY_ORDINARY:
        start_ordinary(p, token);
        break;
    case CEL__BODY_BLOCK:
        start_block(p, token);
        break;
    case CEL__BODY_HEADING:
        start_heading(p, token);
        break;
    case CEL__BODY_FORMATTING:
        start_formatting(p, token);
        break;
    case CEL__BODY_VOID:
        start_void(p, token);
        break;
    case CEL__BODY_ITEM:
        start_item(p, token);
        break;
    case CEL__BODY_IN_HEAD:
        return cel__parser_by(p, CEL__MODE_IN_HEAD, token);
    case CEL__BODY_STRAY:
        cel__parser_error(p, CEL__ERROR_START_TAG_IGNORED);
        break;
    case CEL__BODY_OTHER:
        others[token->name](p, token);
        break;
    }
    return false;
}

/* The element ends with what may end by itself in it; nothing happens when it is not in scope. */
static void end_scoped(struct cel__parser *p, uint32_t name, unsigned scope, uint32_t but)
{
    if (cel__open_is(cel__parser_current(p), name)) {
        cel__parser_pop(p);
        return;
    }
    if (!cel__parser_has(p, name, scope)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    cel__parser_imply_ends(p, but);
    cel__parser_error_unless(p, name, CEL__ERROR_END_TAG_TOO_EARLY);
    cel__parser_pop_until(p, name);
}

/* Whether nothing that ends a scope lies inside. */
static bool is_in_scope(const struct cel__parser *p, uint32_t open)
{
    for (uint32_t i = p->stack_len; i-- > open;)
        if ((p->stack[i].flags & CEL__SCOPE_ANY) != 0)
            return false;
    return open != 0;
}

static void end_form(struct cel__parser *p)
{
    uint32_t node = p->form, open;

    if (cel__parser_is_open(p, CEL__NAME_TEMPLATE)) {
        end_scoped(p, CEL__NAME_FORM, CEL__SCOPE_ANY, CEL__NAME_NONE);
        return;
    }
    p->form = 0;
    open = node != 0 ? cel__parser_find_node(p, node) : 0;
    if (!is_in_scope(p, open)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    cel__parser_imply_ends(p, CEL__NAME_NONE);
    if (cel__parser_current(p)->node != node)
        cel__parser_error(p, CEL__ERROR_END_TAG_TOO_EARLY);
    cel__parser_remove_open(p, open - 1);
}

static void end_p(struct cel__parser *p)
{
    if (!cel__parser_has(p, CEL__NAME_P, CEL__SCOPE_BUTTON)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        cel__parser_insert_name(p, CEL__NAME_P);
    }
    cel__parser_close_p(p);
}

static void end_heading(struct cel__parser *p, uint32_t name)
{
    if (!cel__parser_has_heading(p)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    cel__parser_imply_ends(p, CEL__NAME_NONE);
    cel__parser_error_unless(p, name, CEL__ERROR_END_TAG_TOO_EARLY);
    cel__parser_pop_until_flag(p, CEL__TAG_HEADING);
}

static void end_object(struct cel__parser *p, uint32_t name)
{
    if (!cel__parser_has(p, name, CEL__SCOPE_ANY)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    end_scoped(p, name, CEL__SCOPE_ANY, CEL__NAME_NONE);
    cel__parser_format_clear(p);
}

static bool end_body(struct cel__parser *p)
{
    if (!cel__parser_has(p, CEL__NAME_BODY, CEL__SCOPE_ANY)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return false;
    }
    cel__parser_error_if_open(p, CEL__ERROR_EXPECTED_ONE_END_TAG);
    p->mode = CEL__MODE_AFTER_BODY;
    return true;
}

/* As if it were a start tag, without its attributes. */
CEL__NOINLINE static void end_br(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__token br = *token;

    cel__parser_error(p, CEL__ERROR_END_TAG_TREATED_AS);
    br.attr_count = 0;
    start_void(p, &br);
}

static bool end_other(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->name) {
    case CEL__NAME_P:
        end_p(p);
        return false;
    case CEL__NAME_LI:
        end_scoped(p, token->name, CEL__SCOPE_LIST, token->name);
        return false;
    case CEL__NAME_DD:
    case CEL__NAME_DT:
        end_scoped(p, token->name, CEL__SCOPE_ANY, token->name);
        return false;
    case CEL__NAME_H1:
    case CEL__NAME_H2:
    case CEL__NAME_H3:
    case CEL__NAME_H4:
    case CEL__NAME_H5:
    case CEL__NAME_H6:
        end_heading(p, token->name);
        return false;
    case CEL__NAME_FORM:
        end_form(p);
        return false;
    case CEL__NAME_BODY:
        end_body(p);
        return false;
    case CEL__NAME_HTML:
        return end_body(p);
    case CEL__NAME_APPLET:
    case CEL__NAME_MARQUEE:
    case CEL__NAME_OBJECT:
        end_object(p, token->name);
        return false;
    case CEL__NAME_BR:
        end_br(p, token);
        return false;
    default:
        cel__parser_end_template(p);
        return false;
    }
}

static bool body_end(struct cel__parser *p, const struct cel__token *token)
{
    enum cel__body_end kind = token->name < CEL__NAME_FIXED
                                  ? (enum cel__body_end)cel__tags[token->name].body_end
                                  : CEL__BODY_END_ORDINARY;

    switch (kind) {
    case CEL__BODY_END_ORDINARY:
        cel__parser_end_ordinary(p, token->name);
        return false;
    case CEL__BODY_END_BLOCK:
        end_scoped(p, token->name, CEL__SCOPE_ANY, CEL__NAME_NONE);
        return false;
    case CEL__BODY_END_FORMATTING:
        cel__parser_adopt(p, token->name);
        return false;
    case CEL__BODY_END_OTHER:
        return end_other(p, token);
    }
    return false;
}

bool cel__mode_in_body(struct cel__parser *p, const struct cel__token *token)
{
    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        body_text(p, token);
        return false;
    case CEL__TOKEN_START:
        return body_start(p, token);
    case CEL__TOKEN_END:
        return body_end(p, token);
    case CEL__TOKEN_COMMENT:
        cel__parser_insert_comment(p, token);
        return false;
    case CEL__TOKEN_DOCTYPE:
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_DOCTYPE);
        return false;
    case CEL__TOKEN_EOF:
        if (p->template_len != 0)
            return cel__parser_by(p, CEL__MODE_IN_TEMPLATE, token);
        cel__parser_error_if_open(p, p->open_count[CEL__NAME_TABLE] != 0
                                         ? CEL__ERROR_EOF_IN_TABLE
                                         : CEL__ERROR_EXPECTED_CLOSING_TAG_BUT_GOT_EOF);
        p->is_stopped = true;
        return false;
    }
    return false;
}
