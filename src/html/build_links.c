/* SPDX-License-Identifier: MIT */
/* The tree by links: for pages whose nodes do not come in document order. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "html/build_state.h"

void cel__build_link_up(struct cel__build *b)
{
    struct cel__tree *t = &b->tree;

    if (b->is_linked || b->failed)
        return;
    b->links = cel__mem_array(b->node_cap, sizeof *b->links);
    if (b->links == NULL) {
        cel__build_fail(b);
        return;
    }
    b->is_linked = true;
    t->nodes[t->count].text_at = (uint32_t)t->text.len;
    for (uint32_t i = 1; i < t->count; i++) {
        struct cel__node *n = &t->nodes[i];

        if (n->prev != 0)
            b->links[n->prev].next = i;
        else
            b->links[n->parent].first = i;
        b->links[n->parent].last = i;
        if (n->kind == CEL__NODE_TEXT)
            n->end = n[1].text_at - n->text_at;
    }
    b->path[b->depth = 0].node = UINT32_MAX; /* nothing is on the edge any more */
}

void cel__build_attach(struct cel__build *b, uint32_t node, struct cel__build_place at)
{
    struct cel__node *nodes = b->tree.nodes;
    uint32_t prev;

    if (!b->is_linked) {
        b->tree.count--; /* it has no place yet, so it gets no links */
        cel__build_link_up(b);
        b->tree.count++;
        if (!b->is_linked)
            return;
        b->links[node] = (struct cel__build_link){0};
    }
    prev = at.before != 0 ? nodes[at.before].prev : b->links[at.parent].last;
    nodes[node].parent = at.parent;
    nodes[node].prev = prev;
    b->links[node].next = at.before;
    if (prev != 0)
        b->links[prev].next = node;
    else
        b->links[at.parent].first = node;
    if (at.before != 0)
        nodes[at.before].prev = node;
    else
        b->links[at.parent].last = node;
}

void cel__build_detach(struct cel__build *b, uint32_t node)
{
    struct cel__node *nodes = b->tree.nodes;
    uint32_t prev, next;

    cel__build_link_up(b);
    if (!b->is_linked)
        return;
    prev = nodes[node].prev;
    next = b->links[node].next;
    if (prev != 0)
        b->links[prev].next = next;
    else if (b->links[nodes[node].parent].first == node)
        b->links[nodes[node].parent].first = next;
    if (next != 0)
        nodes[next].prev = prev;
    else if (b->links[nodes[node].parent].last == node)
        b->links[nodes[node].parent].last = prev;
    nodes[node].prev = 0;
    b->links[node].next = 0;
}

void cel__build_move(struct cel__build *b, uint32_t node, struct cel__build_place at)
{
    cel__build_detach(b, node);
    if (!b->is_full)
        cel__build_attach(b, node, at);
}

void cel__build_move_children(struct cel__build *b, uint32_t from, uint32_t to)
{
    cel__build_link_up(b);
    if (b->is_full)
        return;
    for (uint32_t i = b->links[from].first, next; i != 0; i = next) {
        next = b->links[i].next;
        b->tree.nodes[i].prev = 0;
        cel__build_attach(b, i, (struct cel__build_place){to, 0});
    }
    b->links[from].first = b->links[from].last = 0;
}

uint32_t cel__build_clone(struct cel__build *b, uint32_t node)
{
    struct cel__node *n, *of;
    uint32_t i;

    cel__build_link_up(b); /* a node without a place is none for the path */
    i = cel__build_node(b, CEL__NODE_ELEMENT);
    if (i == 0)
        return 0;
    n = &b->tree.nodes[i];
    of = &b->tree.nodes[node];
    n->name = of->name;
    n->ns = of->ns;
    n->attrs = of->attrs; /* they never change, so one copy serves both */
    n->attr_count = of->attr_count;
    b->tree.marks[i] = b->tree.marks[node];
    return i;
}

uint32_t cel__build_content(struct cel__build *b, uint32_t element)
{
    struct cel__tree *t = &b->tree;
    uint32_t i;

    cel__build_link_up(b);
    i = cel__build_node(b, CEL__NODE_CONTENT);
    if (i == 0)
        return 0;
    if (t->template_count == b->template_cap) {
        uint32_t cap = b->template_cap != 0 ? b->template_cap * 2 : 8;
        struct cel__template *grown = cel__mem_realloc(t->templates, cap * sizeof *grown);

        if (grown == NULL) {
            cel__build_fail(b);
            return 0;
        }
        t->templates = grown;
        b->template_cap = cap;
    }
    t->templates[t->template_count++] = (struct cel__template){element, i};
    return i;
}
