/* SPDX-License-Identifier: MIT */
/* Putting nodes where the standard says: elements, text, comments. */
#include <string.h>

#include "html/parser_state.h"

#define FREE_CLONES 65536

static struct cel__build_place foster_place(struct cel__parser *p)
{
    uint32_t table = cel__parser_find_open(p, CEL__NAME_TABLE);
    uint32_t template = cel__parser_find_open(p, CEL__NAME_TEMPLATE);

    if (template > table)
        return (struct cel__build_place){p->stack[template - 1].inside, 0};
    if (table == 0)
        return (struct cel__build_place){p->stack[0].inside, 0};
    table = p->stack[table - 1].node;
    return (struct cel__build_place){p->build.tree.nodes[table].parent, table};
}

struct cel__build_place cel__parser_place(struct cel__parser *p, const struct cel__open *target)
{
    struct cel__build_place at = {target->inside, 0};

    if (cel__unlikely(p->fosters) && (target->flags & CEL__TAG_FOSTERS) != 0)
        at = foster_place(p);
    if (cel__unlikely(p->options.sieve != NULL))
        cel__sieve_check(p->options.sieve, &p->build, at);
    return at;
}

/* What neither the sieve's owner nor the parser will look at need not be copied. The parser
 * compares formatting elements, and adds to html and body what they lack; a meta element may name
 * the encoding. */
CEL__NOINLINE static void add_some_attrs(struct cel__parser *p, uint32_t node,
                                         const struct cel__token *token)
{
    bool takes_all = (cel__tag_flags(token->name) & CEL__TAG_FORMATTING) != 0 ||
                     token->name == CEL__NAME_META || p->stack_len < 2;

    for (uint32_t i = 0; i < token->attr_count; i++) {
        const struct cel__token_attr *a = &token->attrs[i];

        if (takes_all || cel__sieve_takes_attr(p->options.sieve, a->name))
            cel__build_attr(&p->build, node, a->name, CEL__NS_NONE, a->value);
        else
            cel__sieve_count(p->options.sieve, 0, a->value.len);
    }
}

static void add_attrs(struct cel__parser *p, uint32_t node, const struct cel__token *token)
{
    if (cel__unlikely(p->options.sieve != NULL)) {
        add_some_attrs(p, node, token);
        return;
    }
    for (uint32_t i = 0; i < token->attr_count; i++)
        cel__build_attr(&p->build, node, token->attrs[i].name, CEL__NS_NONE, token->attrs[i].value);
}

static inline struct cel__open open_html(uint32_t node, uint32_t name)
{
    return (struct cel__open){.node = node,
                              .inside = node,
                              .name = name,
                              .lower = name,
                              .flags = (uint16_t)cel__tag_flags(name),
                              .ns = CEL__NS_HTML};
}

bool cel__parser_insert(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__build_place at;
    uint32_t node;

    cel__parser_make_way(p);
    at = cel__parser_place(p, cel__parser_current(p));
    node = cel__build_element(&p->build, at, token->name, CEL__NS_HTML);
    if (cel__unlikely(node == 0))
        return false;
    add_attrs(p, node, token);
    cel__parser_opened(p, node);
    cel__parser_push(p, open_html(node, token->name));
    return true;
}

bool cel__parser_insert_name(struct cel__parser *p, uint32_t name)
{
    struct cel__build_place at;
    uint32_t node;

    cel__parser_make_way(p);
    at = cel__parser_place(p, cel__parser_current(p));
    node = cel__build_element(&p->build, at, name, CEL__NS_HTML);
    if (node == 0)
        return false;
    cel__parser_opened(p, node);
    cel__parser_push(p, open_html(node, name));
    return true;
}

void cel__parser_insert_void(struct cel__parser *p, const struct cel__token *token)
{
    struct cel__build_place at = cel__parser_place(p, cel__parser_current(p));
    uint32_t node = cel__build_element(&p->build, at, token->name, CEL__NS_HTML);

    p->is_acknowledged = true;
    if (node == 0)
        return;
    add_attrs(p, node, token);
    cel__parser_opened(p, node);
    cel__parser_closed(p, node);
}

static bool sieve_takes(struct cel__parser *p, const struct cel__open *o, struct cel_str text)
{
    if (cel__open_is(o, CEL__NAME_SCRIPT) || cel__open_is(o, CEL__NAME_STYLE))
        return cel__sieve_takes_raw(p->options.sieve, &p->build, text);
    return cel__sieve_takes_text(p->options.sieve, &p->build, text);
}

void cel__parser_insert_text(struct cel__parser *p, struct cel_str text)
{
    const struct cel__open *o = cel__parser_current(p);

    if (cel__unlikely(p->options.sieve != NULL) && !sieve_takes(p, o, text))
        return;
    if (cel__unlikely((o->name == CEL__NAME_SCRIPT || o->name == CEL__NAME_STYLE) &&
                      o->ns == CEL__NS_HTML))
        cel__build_raw_text(&p->build, o->inside, text);
    else
        cel__build_text(&p->build, cel__parser_place(p, o), text);
}

void cel__parser_insert_comment(struct cel__parser *p, const struct cel__token *token)
{
    if (p->options.sieve != NULL && !cel__sieve_takes_raw(p->options.sieve, &p->build, token->text))
        return;
    cel__build_raw(&p->build, cel__parser_place(p, cel__parser_current(p)), CEL__NODE_COMMENT,
                   token->text);
}

void cel__parser_insert_comment_in(struct cel__parser *p, uint32_t node,
                                   const struct cel__token *token)
{
    struct cel__build_place at = {node, 0};

    if (p->options.sieve != NULL) {
        if (!cel__sieve_takes_raw(p->options.sieve, &p->build, token->text))
            return;
        cel__sieve_check(p->options.sieve, &p->build, at);
    }
    cel__build_raw(&p->build, at, CEL__NODE_COMMENT, token->text);
}

void cel__parser_insert_raw(struct cel__parser *p, const struct cel__token *token,
                            enum cel__token_state state)
{
    if (!cel__parser_insert(p, token))
        return;
    cel__tokenizer_set_state(p->tokenizer, state);
    p->original_mode = p->mode;
    p->mode = CEL__MODE_TEXT;
}

void cel__parser_merge(struct cel__parser *p, uint32_t index, const struct cel__token *token)
{
    if (p->stack[index].node != 0) /* a fragment's root is not in the tree */
        cel__build_merge(&p->build, p->stack[index].node, token->attrs, token->attr_count);
}

size_t cel__parser_blanks(struct cel_str text)
{
    size_t i = 0;

    while (i < text.len && (text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\t' ||
                            text.ptr[i] == '\f' || text.ptr[i] == '\r'))
        i++;
    return i;
}

/* A page may ask for many copies of few bytes; what it gets is in proportion to its length. */
static bool may_clone(struct cel__parser *p)
{
    if (p->clones++ < FREE_CLONES + p->build.at / 4)
        return true;
    cel__build_note_cut(&p->build, CEL__CUT_MEMORY);
    p->build.is_full = true;
    return false;
}

static bool reopen_one(struct cel__parser *p, uint32_t index)
{
    struct cel__format *f = &p->formats[index];
    struct cel__node *nodes;
    uint32_t node = cel__build_element(&p->build, cel__parser_place(p, cel__parser_current(p)),
                                       f->name, CEL__NS_HTML);

    if (node == 0)
        return false;
    nodes = p->build.tree.nodes;
    nodes[node].attrs = nodes[f->node].attrs; /* they never change, so one copy serves both */
    nodes[node].attr_count = nodes[f->node].attr_count;
    p->build.tree.marks[node] = p->build.tree.marks[f->node];
    f->node = node;
    cel__parser_opened(p, node);
    cel__parser_push(p, (struct cel__open){.node = node,
                                           .inside = node,
                                           .name = f->name,
                                           .lower = f->name,
                                           .format = index + 1,
                                           .flags = (uint16_t)cel__tag_flags(f->name),
                                           .ns = CEL__NS_HTML});
    return true;
}

void cel__parser_format_reopen(struct cel__parser *p)
{
    uint32_t i = p->format_len;

    while (i > 0 && p->formats[i - 1].name != CEL__NAME_NONE && p->formats[i - 1].open == 0)
        i--;
    for (; i < p->format_len && may_clone(p); i++) {
        uint32_t removed = cel__parser_make_way(p);

        if (removed != 0 && removed - 1 < i)
            i--;
        if (!reopen_one(p, i))
            return;
    }
}
