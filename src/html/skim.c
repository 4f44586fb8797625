/* SPDX-License-Identifier: MIT */
/* The sieve's short way for what no selector can care about.
 *
 * Most elements of a page are none that a field wants, and bear nothing by which a selector could
 * tell them from others of their name. As long as such elements come and end in good order, they
 * only go onto the stack of open elements and off again, as "skimmed" ones, without a node. The
 * first token that asks for more gives those that are still open their nodes, as if it had been so
 * all along; then it takes the usual way.
 *
 * 1. Skimmed elements are the innermost ones of the stack. So a skimmed formatting element leaves
 *    the list of formatting elements when it leaves the stack.
 * 2. Each has a step of the sieve behind those of the build's path, with the marks around it.
 * 3. The short way is for the standard's simplest cases alone, where a start tag only opens an
 *    element and an end tag ends the innermost: nothing to close before, nothing to open again. */
#include <errno.h>

#include "html/build_state.h"
#include "html/parser_state.h"

static inline struct cel__sieve_step *innermost(struct cel__parser *p)
{
    return &p->options.sieve->steps[p->build.depth + p->options.sieve->skimmed];
}

/* ---- what a start tag may be ---- */

static bool is_free_of_p(struct cel__parser *p)
{
    return p->open_count[CEL__NAME_P] == 0 || !cel__parser_has(p, CEL__NAME_P, CEL__SCOPE_BUTTON);
}

/* li, dd and dt, where the search for one to close ends at once. */
static bool is_first_item(const struct cel__open *o)
{
    return (o->flags & CEL__TAG_SPECIAL) != 0 && o->name != CEL__NAME_LI &&
           o->name != CEL__NAME_DD && o->name != CEL__NAME_DT && o->name != CEL__NAME_ADDRESS &&
           o->name != CEL__NAME_DIV && o->name != CEL__NAME_P;
}

/* No other of that name has to be compared with it, or to end. */
static bool is_first_format(struct cel__parser *p, uint32_t name)
{
    return p->format_len < p->format_cap && cel__parser_format_find(p, name) == 0;
}

static bool only_opens(struct cel__parser *p, const struct cel__token *token)
{
    const struct cel__tag *tag = &cel__tags[token->name];

    switch ((enum cel__body_start)tag->body_start) {
    case CEL__BODY_ORDINARY:
    case CEL__BODY_VOID:
        return true;
    case CEL__BODY_BLOCK:
        return is_free_of_p(p);
    case CEL__BODY_HEADING:
        return is_free_of_p(p) && (cel__parser_current(p)->flags & CEL__TAG_HEADING) == 0;
    case CEL__BODY_ITEM:
        return is_free_of_p(p) && is_first_item(cel__parser_current(p));
    case CEL__BODY_FORMATTING:
        return is_first_format(p, token->name);
    case CEL__BODY_OTHER:
        return token->name == CEL__NAME_A && is_first_format(p, token->name);
    default:
        return false;
    }
}

/* ---- whether a selector could care ---- */

/* Adds the marks of class and id. false: some attribute is looked at. */
static bool add_marks(const struct cel__sieve *s, const struct cel__token *token, uint64_t *marks,
                      size_t *bytes)
{
    for (uint32_t i = 0; i < token->attr_count; i++) {
        const struct cel__token_attr *a = &token->attrs[i];

        *bytes += a->value.len;
        if (!cel__attr_set_has(&s->looks.attrs, a->name))
            continue;
        if (cel__attr_set_has(&s->looks.tested, a->name))
            return false;
        if (a->name == CEL__NAME_CLASS || a->name == CEL__NAME_ID)
            *marks |= cel__tree_marks_of_value(a->name, a->value);
    }
    return (*marks & s->looks.marks) == 0;
}

static bool may_match(const struct cel__sieve *s, uint64_t own, uint64_t above)
{
    for (size_t k = 0; k < *s->need_count; k++)
        if (cel__match_may(s->needs[k], own, above))
            return true;
    return false;
}

/* ---- tokens ---- */

static void open_skimmed(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__open *o = &p->stack[p->stack_len++];

    *o = (struct cel__open){.name = token->name,
                            .lower = token->name,
                            .flags = (uint16_t)cel__tag_flags(token->name),
                            .ns = CEL__NS_HTML};
    p->open_count[token->name]++;
    p->options.sieve->skimmed++;
    if ((o->flags & CEL__TAG_FORMATTING) != 0) {
        p->formats[p->format_len++] =
            (struct cel__format){.name = token->name, .open = p->stack_len};
        o->format = p->format_len;
    }
}

static bool has_room(const struct cel__parser *p)
{
    const struct cel__sieve *s = p->options.sieve;

    return p->stack_len < p->stack_cap && p->stack_len + 1 < p->options.limits.depth &&
           p->build.depth + s->skimmed + 1 < s->step_cap;
}

static bool start(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__sieve *s = p->options.sieve;
    struct cel__sieve_step *step = innermost(p);
    uint64_t own = 0;
    size_t bytes = 0;

    if (token->name >= CEL__NAME_FIXED || !has_room(p) || !only_opens(p, token) ||
        !add_marks(s, token, &own, &bytes))
        return false;
    own |= CEL__MARK_ELEMENT | cel__mark(cel__name_hashes[token->name]);
    if (may_match(s, own, step->marks))
        return false;
    cel__sieve_count(s, 1, bytes);
    step->ends_in_text = false;
    if (cel__tags[token->name].body_start == CEL__BODY_VOID) {
        p->frameset_ok = false;
        return true;
    }
    if (cel__tags[token->name].body_start == CEL__BODY_ITEM)
        p->frameset_ok = false;
    step[1] = (struct cel__sieve_step){.marks = step->marks | own, .at = token->at};
    open_skimmed(p, token);
    return true;
}

static bool end(struct cel__parser *p, const struct cel__token *token)
{
    const struct cel__open *o = cel__parser_current(p);

    if (p->options.sieve->skimmed == 0 || o->name != token->name)
        return false;
    if (o->format != 0)
        p->format_len--;
    p->open_count[o->name]--;
    p->stack_len--;
    p->options.sieve->skimmed--;
    innermost(p)->ends_in_text = false;
    return true;
}

/* Of a wanted element only the text is wanted, which needs no node of its own. */
static bool text(struct cel__parser *p, const struct cel__token *token)
{
    if (token->is_null)
        return false;
    if (cel__unlikely(p->frameset_ok))
        p->frameset_ok = cel__parser_blanks(token->text) == token->text.len;
    if (cel__sieve_takes_text(p->options.sieve, &p->build, token->text) &&
        !p->options.sieve->is_lost)
        (void)cel__build_add_bytes(&p->build, &p->build.tree.text, token->text);
    return true;
}

/* In the body or a cell of it, with nothing to be opened again, and the innermost element where the
 * build's path ends. */
static bool is_simple(struct cel__parser *p)
{
    const struct cel__sieve *s = p->options.sieve;
    const struct cel__open *o = cel__parser_current(p);
    const struct cel__format *last = &p->formats[p->format_len - 1];

    return (p->mode == CEL__MODE_IN_BODY || p->mode == CEL__MODE_IN_CELL) && s->wanted_nodes == 0 &&
           !s->wants_no_more && !s->keeps_siblings && o->ns == CEL__NS_HTML &&
           (p->format_len == 0 || last->name == CEL__NAME_NONE || last->open != 0) &&
           (s->skimmed != 0 || p->build.path[p->build.depth].node == o->node);
}

bool cel__parser_skim(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__sieve *s = p->options.sieve;

    if (!s->is_simple && !is_simple(p))
        return false;
    s->is_simple = true; /* what is skimmed leaves it so */
    switch (token->kind) {
    case CEL__TOKEN_TEXT:
        return text(p, token);
    case CEL__TOKEN_START:
        return start(p, token);
    case CEL__TOKEN_END:
        return end(p, token);
    case CEL__TOKEN_COMMENT:
        (void)cel__sieve_takes_raw(s, &p->build, token->text);
        return true;
    default:
        return false;
    }
}

/* ---- nodes after all ---- */

struct reading {
    struct cel__parser *parser;
    uint32_t node;
};

static int take_attrs(void *arg, const struct cel__token *token)
{
    struct reading *r = arg;

    for (uint32_t i = 0; i < token->attr_count; i++)
        cel__build_attr(&r->parser->build, r->node, token->attrs[i].name, CEL__NS_NONE,
                        token->attrs[i].value);
    return -ECANCELED; /* one tag is all */
}

/* Formatting elements are compared by their attributes: the tag is read again. */
static void read_attrs(struct cel__parser *p, uint32_t node, uint64_t at)
{
    const struct cel__tree_limits *limits = &p->options.limits;
    struct cel__tokenizer_options options = {.sink = take_attrs,
                                             .arg = &(struct reading){p, node},
                                             .names = &p->build.tree.names,
                                             .max_attributes = limits->attributes,
                                             .max_names = limits->names,
                                             .max_name = limits->name,
                                             .max_value = limits->value};
    struct cel_str page = p->options.sieve->page;
    struct cel__tokenizer *t = NULL;

    if (cel__tokenizer_new(&t, &options) < 0 ||
        cel__tokenizer_feed(t, page.ptr + at, page.len - at) == -ENOMEM)
        p->build.failed = p->build.is_full = true;
    cel__tokenizer_free(t);
}

static void make_node(struct cel__parser *p, struct cel__open *o)
{
    struct cel__sieve *s = p->options.sieve;
    struct cel__build_place at = {o[-1].inside, 0};
    uint64_t tag_at = s->steps[p->build.depth + 1].at;

    cel__sieve_check(s, &p->build, at);
    o->node = o->inside = s->is_lost ? 0 : cel__build_element(&p->build, at, o->name, o->ns);
    if (o->node == 0)
        return;
    if (o->format != 0) {
        read_attrs(p, o->node, tag_at);
        cel__parser_format_own(p, o->format - 1, o->node);
    }
    cel__sieve_keep(s, &p->build, o->node);
}

void cel__parser_unskim(struct cel__parser *p)
{
    uint32_t from = p->stack_len - p->options.sieve->skimmed;

    p->options.sieve->skimmed = 0;
    for (uint32_t i = from; i < p->stack_len; i++)
        make_node(p, &p->stack[i]);
}
