/* SPDX-License-Identifier: MIT */
/* Where nodes and text go: along the path at the end of the arrays, else by links. */
#include <string.h>

#include "html/build_state.h"

/* Whether node `next` of the array can be a child of this one; the path is then cut down to it. */
static inline bool is_on_edge(struct cel__build *b, uint32_t node, uint32_t next)
{
    if (cel__likely(b->path[b->depth].node == node))
        return true;
    if (b->is_linked || b->tree.nodes[node].end != 0)
        return false;
    do
        b->tree.nodes[b->path[b->depth--].node].end = next;
    while (b->path[b->depth].node != node);
    return true;
}

/* In the place where the array ends: no link is needed. */
static inline void append(struct cel__build *b, uint32_t node, uint32_t parent)
{
    struct cel__build_step *step = &b->path[b->depth];
    struct cel__node *n = &b->tree.nodes[node];

    n->parent = parent;
    n->prev = step->last;
    step->last = node;
}

static void place(struct cel__build *b, uint32_t node, struct cel__build_place at, bool is_element)
{
    if (cel__likely(!b->is_linked && at.before == 0 && is_on_edge(b, at.parent, node))) {
        append(b, node, at.parent);
        if (!is_element) {
            b->tree.nodes[node].end = node + 1;
            return;
        }
        if (cel__likely(b->depth + 1 < b->path_cap) || cel__build_lengthen(b)) {
            b->path[++b->depth] = (struct cel__build_step){.node = node};
            return;
        }
        cel__build_link_up(b); /* the depth is cut when the arrays are written again */
        return;
    }
    cel__build_attach(b, node, at);
}

uint32_t cel__build_element(struct cel__build *b, struct cel__build_place at, uint32_t name,
                            enum cel__ns ns)
{
    uint32_t i = cel__build_node(b, CEL__NODE_ELEMENT);

    if (i == 0)
        return 0;
    b->tree.nodes[i].name = name;
    b->tree.nodes[i].ns = (uint8_t)ns;
    b->tree.marks[i] = CEL__MARK_ELEMENT | cel__tree_mark_of_name(&b->tree, name, ns);
    place(b, i, at, true);
    return i;
}

uint32_t cel__build_raw(struct cel__build *b, struct cel__build_place at, enum cel__node_kind kind,
                        struct cel_str text)
{
    uint32_t i = cel__build_node(b, kind);

    if (i == 0)
        return 0;
    if (!cel__build_add_attr(b, CEL__NAME_NONE, CEL__NS_NONE, text)) {
        b->tree.count--; /* its text is missing, so it never was */
        return 0;
    }
    place(b, i, at, false);
    return i;
}

/* A text that is too long for what may be kept is not kept in part, so that the portions it came in
 * do not show. It is the last of its parent. */
static void drop_text(struct cel__build *b, uint32_t node)
{
    struct cel__tree *t = &b->tree;

    if (b->is_linked) {
        cel__build_detach(b, node);
    } else {
        if (t->nodes[node].kind == CEL__NODE_TEXT)
            t->text.len = t->nodes[node].text_at;
        b->path[b->depth].last = t->nodes[node].prev;
        t->count--;
    }
    cel__build_fill_up(b, CEL__CUT_MEMORY);
}

void cel__build_raw_text(struct cel__build *b, uint32_t parent, struct cel_str text)
{
    struct cel__tree *t = &b->tree;
    uint32_t last = t->count - 1;
    struct cel__attr *a = &t->attrs[t->nodes[last].attrs];

    if (t->nodes[last].kind != CEL__NODE_RAW || t->nodes[last].parent != parent) {
        cel__build_raw(b, (struct cel__build_place){parent, 0}, CEL__NODE_RAW, text);
        return;
    }
    if (b->is_full)
        return;
    if (b->limits.bytes != 0 && t->values.len + text.len > b->limits.bytes)
        drop_text(b, last);
    else if (cel__build_add_bytes(b, &t->values, text))
        a->len += (uint32_t)text.len;
}

static bool is_too_much(const struct cel__build *b, struct cel_str text)
{
    return b->limits.bytes != 0 && b->tree.text.len + text.len > b->limits.bytes;
}

static bool add_text(struct cel__build *b, struct cel_str text)
{
    return cel__build_add_bytes(b, &b->tree.text, text);
}

/* A text node in no place yet, or 0. */
static uint32_t new_text(struct cel__build *b, struct cel_str text)
{
    uint32_t i = cel__build_node(b, CEL__NODE_TEXT);

    if (i == 0)
        return 0;
    if (cel__unlikely(is_too_much(b, text)))
        cel__build_fill_up(b, CEL__CUT_MEMORY);
    else if (add_text(b, text))
        return i;
    b->tree.count--;
    return 0;
}

/* Text in a place whose neighbour before it is known by links. */
static void linked_text(struct cel__build *b, struct cel__build_place at, struct cel_str text)
{
    struct cel__node *nodes = b->tree.nodes;
    uint32_t before = at.before != 0 ? nodes[at.before].prev : b->links[at.parent].last;
    uint32_t head = before != 0 && nodes[before].kind == CEL__NODE_TEXT ? before : 0;
    uint32_t last = head != 0 && b->links[head].last != 0 ? b->links[head].last : head, i;

    if (last != 0 && nodes[last].text_at + nodes[last].end == b->tree.text.len) {
        if (is_too_much(b, text))
            drop_text(b, head);
        else if (add_text(b, text))
            nodes[last].end += (uint32_t)text.len;
        return;
    }
    i = new_text(b, text);
    if (i == 0) {
        if (head != 0)
            drop_text(b, head);
        return;
    }
    b->tree.nodes[i].end = (uint32_t)text.len;
    if (head == 0) {
        cel__build_attach(b, i, at);
        return;
    }
    b->links[last].first = i;
    b->links[head].last = i;
}

void cel__build_text(struct cel__build *b, struct cel__build_place at, struct cel_str text)
{
    uint32_t last, i;

    if (cel__unlikely(b->is_linked || at.before != 0 || !is_on_edge(b, at.parent, b->tree.count))) {
        if (!b->is_linked)
            cel__build_link_up(b);
        if (!b->is_full)
            linked_text(b, at, text);
        return;
    }
    if (cel__unlikely(b->is_full))
        return;
    last = b->path[b->depth].last;
    if (last != 0 && b->tree.nodes[last].kind == CEL__NODE_TEXT) {
        if (cel__unlikely(is_too_much(b, text)))
            drop_text(b, last);
        else
            add_text(b, text); /* nothing can have come behind it */
        return;
    }
    i = new_text(b, text);
    if (i == 0)
        return;
    b->tree.nodes[i].end = i + 1;
    append(b, i, at.parent);
}
