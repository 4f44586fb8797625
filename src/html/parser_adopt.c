/* SPDX-License-Identifier: MIT */
/* The adoption agency: what an end tag of formatting does to what is misnested in it. */
#include "html/parser_state.h"

#define OUTER_ROUNDS 8
#define INNER_KEPT   3

void cel__parser_end_ordinary(struct cel__parser *p, uint32_t name)
{
    if (!cel__parser_is_open(p, name)) {
        cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
        return;
    }
    for (uint32_t i = p->stack_len; i-- > 1;) {
        if (cel__open_is(&p->stack[i], name)) {
            cel__parser_imply_ends(p, name);
            if (i + 1 != p->stack_len)
                cel__parser_error(p, CEL__ERROR_END_TAG_TOO_EARLY);
            cel__parser_pop_to_length(p, i);
            return;
        }
        if ((p->stack[i].flags & CEL__TAG_SPECIAL) != 0) {
            cel__parser_error(p, CEL__ERROR_UNEXPECTED_END_TAG);
            return;
        }
    }
}

/* Index in the stack of the outermost special element inside the formatting element, or 0. */
static uint32_t furthest_block(const struct cel__parser *p, uint32_t outer)
{
    for (uint32_t i = outer + 1; i < p->stack_len; i++)
        if ((p->stack[i].flags & CEL__TAG_SPECIAL) != 0)
            return i;
    return 0;
}

static bool is_in_scope(const struct cel__parser *p, uint32_t index)
{
    for (uint32_t i = p->stack_len; i-- > index + 1;)
        if ((p->stack[i].flags & CEL__SCOPE_ANY) != 0)
            return false;
    return true;
}

/* The element and its entry become a copy of themselves. */
static bool replace_by_clone(struct cel__parser *p, uint32_t index)
{
    struct cel__open *o = &p->stack[index];
    uint32_t clone = cel__build_clone(&p->build, o->node);

    if (clone == 0)
        return false;
    o->node = o->inside = clone;
    p->formats[o->format - 1].node = clone;
    return true;
}

/* Takes what is between apart. The place in the list for the formatting element's copy is kept in
 * *bookmark, its index and that of the furthest block in the stack follow what is removed. */
static uint32_t rebuild_between(struct cel__parser *p, uint32_t outer, uint32_t *block,
                                uint32_t *bookmark)
{
    uint32_t last = p->stack[*block].node;
    bool is_first = true;
    uint32_t round = 0;

    for (uint32_t i = *block - 1; i > outer && !p->build.is_full; i--) {
        struct cel__open *o = &p->stack[i];

        round++;
        if (round > INNER_KEPT && o->format != 0) {
            *bookmark -= o->format - 1 < *bookmark;
            cel__parser_format_remove(p, o->format - 1);
        }
        if (o->format == 0) {
            cel__parser_remove_open(p, i);
            --*block;
            continue;
        }
        if (!replace_by_clone(p, i))
            break;
        if (is_first)
            *bookmark = o->format; /* behind this one */
        is_first = false;
        cel__build_move(&p->build, last, (struct cel__build_place){o->node, 0});
        last = o->node;
    }
    return last;
}

/* Round by round. true: there may be another. */
static bool adopt_once(struct cel__parser *p, uint32_t name)
{
    uint32_t format = cel__parser_format_find(p, name), outer, block, bookmark, last, clone;
    struct cel__format entry;
    struct cel__open copy;

    if (format == 0) {
        cel__parser_end_ordinary(p, name);
        return false;
    }
    if (p->formats[format - 1].open == 0) {
        cel__parser_error(p, CEL__ERROR_FORMATTING_NOT_OPEN);
        cel__parser_format_remove(p, format - 1);
        return false;
    }
    outer = p->formats[format - 1].open - 1;
    if (!is_in_scope(p, outer)) {
        cel__parser_error(p, CEL__ERROR_FORMATTING_NOT_IN_SCOPE);
        return false;
    }
    if (outer + 1 != p->stack_len)
        cel__parser_error(p, CEL__ERROR_FORMATTING_NOT_CURRENT);
    block = furthest_block(p, outer);
    if (block == 0) {
        cel__parser_pop_to_length(p, outer);
        cel__parser_format_remove(p, format - 1);
        return false;
    }
    bookmark = format - 1;
    last = rebuild_between(p, outer, &block, &bookmark);
    if (p->build.is_full)
        return false;
    cel__build_move(&p->build, last, cel__parser_place(p, &p->stack[outer - 1]));
    clone = cel__build_clone(&p->build, p->stack[outer].node);
    if (clone == 0 || p->build.is_full)
        return false;
    cel__build_move_children(&p->build, p->stack[block].inside, clone);
    cel__build_move(&p->build, clone, (struct cel__build_place){p->stack[block].inside, 0});

    copy = p->stack[outer];
    entry = p->formats[copy.format - 1];
    bookmark -= copy.format - 1 < bookmark;
    cel__parser_format_remove(p, copy.format - 1);
    cel__parser_remove_open(p, outer);
    block--;
    copy.node = copy.inside = entry.node = clone;
    copy.format = 0;
    entry.open = 0;
    cel__parser_insert_open(p, block + 1, copy);
    entry.open = block + 2;
    cel__parser_format_insert(p, bookmark, entry);
    return true;
}

void cel__parser_adopt(struct cel__parser *p, uint32_t name)
{
    if (cel__parser_current_is(p, name) && cel__parser_current(p)->format == 0) {
        cel__parser_pop(p);
        return;
    }
    for (int round = 0; round < OUTER_ROUNDS && adopt_once(p, name); round++)
        ;
}
