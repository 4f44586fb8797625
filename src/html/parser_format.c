/* SPDX-License-Identifier: MIT */
/* The list of active formatting elements.
 *
 * It holds at most three equal entries behind the last marker, as the standard has it, and at most
 * as many in all as elements may be open: a page that leaves more formatting open than that is
 * made to multiply them, and loses the oldest. */
#include <string.h>

#include "base/mem.h"
#include "html/parser_state.h"

static void renumber(struct cel__parser *p, uint32_t from)
{
    for (uint32_t i = from; i < p->format_len; i++)
        if (p->formats[i].open != 0)
            p->stack[p->formats[i].open - 1].format = i + 1;
}

void cel__parser_format_remove(struct cel__parser *p, uint32_t index)
{
    struct cel__format *f = &p->formats[index];

    if (f->open != 0)
        p->stack[f->open - 1].format = 0;
    memmove(f, f + 1, (p->format_len - index - 1) * sizeof *f);
    p->format_len--;
    renumber(p, index);
}

static bool grow(struct cel__parser *p)
{
    struct cel__format *grown = cel__mem_realloc(p->formats, 2 * p->format_cap * sizeof *grown);

    if (grown == NULL) {
        p->build.failed = p->build.is_full = true;
        return false;
    }
    p->formats = grown;
    p->format_cap *= 2;
    return true;
}

void cel__parser_format_insert(struct cel__parser *p, uint32_t index, struct cel__format format)
{
    if (p->format_len == 2 * p->options.limits.depth) {
        cel__build_note_cut(&p->build, CEL__CUT_DEPTH);
        cel__parser_format_remove(p, 0);
        index -= index > 0;
    }
    if (p->format_len == p->format_cap && !grow(p))
        return;
    memmove(p->formats + index + 1, p->formats + index,
            (p->format_len - index) * sizeof *p->formats);
    p->formats[index] = format;
    p->format_len++;
    renumber(p, index);
}

/* Equal attributes have equal prints; their order does not matter. */
static uint32_t print_of(const struct cel__tree *t, uint32_t node)
{
    const struct cel__node *n = &t->nodes[node];
    uint32_t print = n->attr_count;

    for (uint32_t i = n->attrs; i < n->attrs + n->attr_count; i++) {
        const struct cel__attr *a = &t->attrs[i];
        uint32_t tail = 0;

        if (a->len >= 4)
            memcpy(&tail, t->values.ptr + a->at + a->len - 4, 4);
        print += (a->name * 31 + a->len) * 0x9e3779b1u ^ tail;
    }
    return print;
}

void cel__parser_format_own(struct cel__parser *p, uint32_t index, uint32_t node)
{
    p->formats[index].node = node;
    p->formats[index].print = print_of(&p->build.tree, node);
}

static bool has_equal(const struct cel__tree *t, const struct cel__attr *a, uint32_t node)
{
    const struct cel__attr *other = cel__node_attr(t, node, a->name);

    return other != NULL && cel__names_text(&t->names, a->name).len != 0 && other->len == a->len &&
           memcmp(t->values.ptr + other->at, t->values.ptr + a->at, a->len) == 0;
}

static bool are_equal(const struct cel__tree *t, uint32_t a, uint32_t b)
{
    const struct cel__node *n = &t->nodes[a];

    if (n->attr_count != t->nodes[b].attr_count)
        return false;
    for (uint32_t i = n->attrs; i < n->attrs + n->attr_count; i++)
        if (!has_equal(t, &t->attrs[i], b))
            return false;
    return true;
}

/* No more than three of a kind: the oldest goes. */
static void keep_two(struct cel__parser *p, const struct cel__format *fresh)
{
    uint32_t equal = 0, oldest = 0;

    for (uint32_t i = p->format_len; i-- > 0 && p->formats[i].name != CEL__NAME_NONE;) {
        const struct cel__format *f = &p->formats[i];

        if (f->name == fresh->name && f->print == fresh->print &&
            are_equal(&p->build.tree, f->node, fresh->node)) {
            equal++;
            oldest = i;
        }
    }
    if (equal >= 3)
        cel__parser_format_remove(p, oldest);
}

void cel__parser_format_push(struct cel__parser *p)
{
    struct cel__open *o = cel__parser_current(p);
    struct cel__format f = {.node = o->node, .name = o->name, .open = p->stack_len};

    f.print = print_of(&p->build.tree, o->node);
    keep_two(p, &f);
    cel__parser_format_insert(p, p->format_len, f);
}

void cel__parser_format_marker(struct cel__parser *p)
{
    cel__parser_format_insert(p, p->format_len, (struct cel__format){0});
}

void cel__parser_format_clear(struct cel__parser *p)
{
    while (p->format_len > 0) {
        bool is_marker = p->formats[p->format_len - 1].name == CEL__NAME_NONE;

        cel__parser_format_remove(p, p->format_len - 1);
        if (is_marker)
            return;
    }
}

uint32_t cel__parser_format_find(const struct cel__parser *p, uint32_t name)
{
    for (uint32_t i = p->format_len; i-- > 0 && p->formats[i].name != CEL__NAME_NONE;)
        if (p->formats[i].name == name)
            return i + 1;
    return 0;
}
