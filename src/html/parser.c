/* SPDX-License-Identifier: MIT */
/* The parser as a whole: tokens from the tokenizer to the mode that is now. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "html/parser_state.h"

#define USUAL_DEPTH   512
#define FIRST_OPEN    16 /* elements; few pages are deeper */
#define FIRST_FORMATS 8
#define ENOUGH        (-ECANCELED) /* what the sink answers when nothing more can come of it */

static cel__mode_fn *const modes[CEL__MODE_COUNT] = {
    [CEL__MODE_INITIAL] = cel__mode_initial,
    [CEL__MODE_BEFORE_HTML] = cel__mode_before_html,
    [CEL__MODE_BEFORE_HEAD] = cel__mode_before_head,
    [CEL__MODE_IN_HEAD] = cel__mode_in_head,
    [CEL__MODE_IN_HEAD_NOSCRIPT] = cel__mode_in_head_noscript,
    [CEL__MODE_AFTER_HEAD] = cel__mode_after_head,
    [CEL__MODE_IN_BODY] = cel__mode_in_body,
    [CEL__MODE_TEXT] = cel__mode_text,
    [CEL__MODE_IN_TABLE] = cel__mode_in_table,
    [CEL__MODE_IN_TABLE_TEXT] = cel__mode_in_table_text,
    [CEL__MODE_IN_CAPTION] = cel__mode_in_caption,
    [CEL__MODE_IN_COLUMN_GROUP] = cel__mode_in_column_group,
    [CEL__MODE_IN_TABLE_BODY] = cel__mode_in_table_body,
    [CEL__MODE_IN_ROW] = cel__mode_in_row,
    [CEL__MODE_IN_CELL] = cel__mode_in_cell,
    [CEL__MODE_IN_TEMPLATE] = cel__mode_in_template,
    [CEL__MODE_AFTER_BODY] = cel__mode_after_body,
    [CEL__MODE_IN_FRAMESET] = cel__mode_in_frameset,
    [CEL__MODE_AFTER_FRAMESET] = cel__mode_after_frameset,
    [CEL__MODE_AFTER_AFTER_BODY] = cel__mode_after_after_body,
    [CEL__MODE_AFTER_AFTER_FRAMESET] = cel__mode_after_after_frameset,
};

static inline void dispatch(struct cel__parser *p, const struct cel__token *token)
{
    bool again;

    do {
        if (cel__unlikely(p->stack_len != 0 && cel__parser_is_foreign(p, token)))
            again = cel__mode_foreign(p, token);
        else
            again = cel__parser_by(p, p->mode, token);
    } while (cel__unlikely(again) && !p->build.is_full && !p->is_stopped);
}

/* A LF right behind <pre> or <textarea> is none. -> the token without it, NULL when that is all. */
static const struct cel__token *without_first_lf(struct cel__parser *p,
                                                 const struct cel__token *token)
{
    p->skip_lf = false;
    if (token->kind != CEL__TOKEN_TEXT || token->text.ptr[0] != '\n')
        return token;
    p->rest = *token;
    p->rest.text.ptr++;
    p->rest.text.len--;
    p->build.at++;
    return p->rest.text.len != 0 ? &p->rest : NULL;
}

static void allow_cdata(struct cel__parser *p)
{
    bool allows = cel__parser_adjusted(p)->ns != CEL__NS_HTML;

    if (cel__likely(allows == p->allows_cdata))
        return;
    p->allows_cdata = allows;
    cel__tokenizer_allow_cdata(p->tokenizer, allows);
}

/* Nothing more can come of the input. */
static inline bool has_enough(const struct cel__parser *p)
{
    const struct cel__sieve *sieve = p->options.sieve;

    return p->build.is_full || p->is_stopped ||
           (cel__unlikely(sieve != NULL) && (sieve->is_lost || sieve->is_over));
}

/* Nothing that is open now can be moved, or have others put before it, by what comes. */
static bool is_settled(const struct cel__parser *p)
{
    return p->mode == CEL__MODE_IN_BODY && p->format_len == 0 && p->template_len == 0 &&
           !p->fosters && p->open_count[CEL__NAME_TABLE] == 0;
}

static void see_if_over(struct cel__parser *p)
{
    struct cel__sieve *s = p->options.sieve;

    if (s->wants_no_more && s->wanted == 0 && is_settled(p))
        s->is_over = s->may_end(s->arg, p->build.at);
}

static int take(void *arg, const struct cel__token *token)
{
    struct cel__parser *p = arg;

    p->build.at = token->at;
    if (cel__unlikely(p->skip_lf)) {
        token = without_first_lf(p, token);
        if (token == NULL)
            return 0;
    }
    if (cel__unlikely(p->options.sieve != NULL)) {
        if (p->stack_len != 0 && cel__parser_skim(p, token))
            return p->options.sieve->is_lost ? ENOUGH : 0;
        p->options.sieve->is_simple = false;
        if (p->options.sieve->skimmed != 0)
            cel__parser_unskim(p);
    }
    dispatch(p, token);
    if (cel__unlikely(p->options.sieve != NULL))
        see_if_over(p);
    if (cel__unlikely(has_enough(p)))
        return ENOUGH;
    if (token->kind != CEL__TOKEN_TEXT && p->stack_len != 0)
        allow_cdata(p);
    return 0;
}

/* A solidus before the ">" of a start tag is for elements that are void, or foreign. */
static int take_telling(void *arg, const struct cel__token *token)
{
    struct cel__parser *p = arg;
    int r;

    p->is_acknowledged = false;
    p->told = token->kind == CEL__TOKEN_START || token->kind == CEL__TOKEN_END ? token->name
                                                                               : CEL__NAME_NONE;
    r = take(p, token);
    if (token->kind == CEL__TOKEN_START && token->is_self_closing && !p->is_acknowledged) {
        p->build.at = token->at;
        cel__parser_error(p, CEL__ERROR_TRAILING_SOLIDUS);
    }
    return r;
}

static void pass_error(void *arg, const struct cel__error *error)
{
    struct cel__parser *p = arg;

    p->options.error(p->options.error_arg, error);
}

static enum cel__token_state state_in(const struct cel__parser *p)
{
    if (p->context.ns != CEL__NS_HTML)
        return CEL__STATE_DATA;
    switch (p->context.name) {
    case CEL__NAME_TITLE:
    case CEL__NAME_TEXTAREA:
        return CEL__STATE_RCDATA;
    case CEL__NAME_STYLE:
    case CEL__NAME_XMP:
    case CEL__NAME_IFRAME:
    case CEL__NAME_NOEMBED:
    case CEL__NAME_NOFRAMES:
        return CEL__STATE_RAWTEXT;
    case CEL__NAME_SCRIPT:
        return CEL__STATE_SCRIPT;
    case CEL__NAME_NOSCRIPT:
        return p->options.scripting ? CEL__STATE_RAWTEXT : CEL__STATE_DATA;
    case CEL__NAME_PLAINTEXT:
        return CEL__STATE_PLAINTEXT;
    default:
        return CEL__STATE_DATA;
    }
}

/* The root that a fragment is parsed in is the document node itself. */
static int begin_fragment(struct cel__parser *p)
{
    enum cel__ns ns = p->options.context_ns != CEL__NS_NONE ? p->options.context_ns : CEL__NS_HTML;
    uint32_t name = cel__names_add(&p->build.tree.names, p->options.context);

    if (name == CEL__NAME_NONE)
        return -ENOMEM;
    p->is_fragment = true;
    p->context = (struct cel__open){.name = name, .lower = name, .ns = (uint8_t)ns};
    if (name == CEL__NAME_FOREIGNOBJECT_CAMEL)
        p->context.lower = CEL__NAME_FOREIGNOBJECT;
    p->context.flags =
        (uint16_t)(ns == CEL__NS_HTML ? cel__tag_flags(name)
                                      : cel__parser_foreign_flags(p->context.lower, ns));
    cel__parser_push(p, (struct cel__open){.name = CEL__NAME_HTML,
                                           .lower = CEL__NAME_HTML,
                                           .flags = (uint16_t)cel__tag_flags(CEL__NAME_HTML),
                                           .ns = CEL__NS_HTML});
    cel__tokenizer_set_state(p->tokenizer, state_in(p));
    p->allows_cdata = ns != CEL__NS_HTML;
    cel__tokenizer_allow_cdata(p->tokenizer, p->allows_cdata);
    if (name == CEL__NAME_TEMPLATE && ns == CEL__NS_HTML) {
        p->template_modes = cel__mem_alloc(16);
        if (p->template_modes == NULL)
            return -ENOMEM;
        p->template_cap = 16;
        p->template_modes[p->template_len++] = CEL__MODE_IN_TEMPLATE;
    }
    if (name == CEL__NAME_FORM && ns == CEL__NS_HTML)
        p->form = UINT32_MAX; /* it is there, and nothing of it is on the stack */
    cel__parser_reset_mode(p);
    return 0;
}

static int make_room(struct cel__parser *p)
{
    p->stack_cap = FIRST_OPEN;
    p->format_cap = FIRST_FORMATS;
    p->open_count_cap = CEL__NAME_FIXED;
    p->stack = cel__mem_alloc(p->stack_cap * sizeof *p->stack);
    p->formats = cel__mem_alloc(p->format_cap * sizeof *p->formats);
    p->open_count = cel__mem_array(p->open_count_cap, sizeof *p->open_count);
    return p->stack != NULL && p->formats != NULL && p->open_count != NULL ? 0 : -ENOMEM;
}

int cel__parser_new(struct cel__parser **out, const struct cel__parse_options *options)
{
    struct cel__parser *p = cel__mem_zalloc(sizeof *p);
    struct cel__tokenizer_options to = {.arg = p};
    int r;

    if (p == NULL)
        return -ENOMEM;
    p->options = *options;
    if (p->options.limits.depth == 0)
        p->options.limits.depth = USUAL_DEPTH;
    p->modes = modes;
    p->frameset_ok = true;
    r = cel__build_init(&p->build, &p->options.limits, options->preview, options->positions);
    if (r < 0)
        goto fail;
    to.names = &p->build.tree.names;
    to.error = options->error != NULL ? pass_error : NULL;
    to.sink = options->error != NULL ? take_telling : take;
    to.max_attributes = options->limits.attributes;
    to.max_names = options->limits.names;
    to.max_name = options->limits.name;
    to.max_value = options->limits.value;
    r = cel__tokenizer_new(&p->tokenizer, &to);
    if (r == 0)
        r = make_room(p);
    if (r == 0 && options->context.ptr != NULL)
        r = begin_fragment(p);
    if (r < 0)
        goto fail;
    *out = p;
    return 0;

fail:
    cel__parser_free(p);
    return r;
}

void cel__parser_free(struct cel__parser *p)
{
    if (p == NULL)
        return;
    cel__tokenizer_free(p->tokenizer);
    cel__build_fini(&p->build);
    cel__buf_fini(&p->pending);
    cel__mem_free(p->stack);
    cel__mem_free(p->formats);
    cel__mem_free(p->open_count);
    cel__mem_free(p->template_modes);
    cel__mem_free(p);
}

/* That nothing more is taken is no error. */
static int outcome(struct cel__parser *p, int r)
{
    if (p->build.failed)
        return -ENOMEM;
    return r == ENOUGH ? 0 : r;
}

struct cel__tree *cel__parser_tree(struct cel__parser *p)
{
    return &p->build.tree;
}

bool cel__parser_has_enough(const struct cel__parser *p)
{
    return has_enough(p);
}

int cel__parser_feed(struct cel__parser *p, const void *bytes, size_t len)
{
    return outcome(p, has_enough(p) ? ENOUGH : cel__tokenizer_feed(p->tokenizer, bytes, len));
}

int cel__parser_end(struct cel__parser *p, struct cel__tree *out, enum cel__cut *cut)
{
    int r = outcome(p, has_enough(p) ? ENOUGH : cel__tokenizer_end(p->tokenizer));

    if (r < 0)
        return r;
    if (cel__tokenizer_cut_attributes(p->tokenizer))
        cel__build_note_cut(&p->build, CEL__CUT_ATTRIBUTES);
    if (cel__tokenizer_cut_names(p->tokenizer))
        cel__build_note_cut(&p->build, CEL__CUT_NAMES);
    if (cel__tokenizer_cut_length(p->tokenizer))
        cel__build_note_cut(&p->build, CEL__CUT_LENGTH);
    if (cut != NULL)
        *cut = p->build.cut;
    if (p->options.sieve != NULL) {
        cel__sieve_end(p->options.sieve, &p->build);
        return 0;
    }
    return cel__build_finish(&p->build, out);
}
