/* SPDX-License-Identifier: MIT */
/* The arrays: how they grow, nodes and attributes at their ends. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "html/build_state.h"
#include "html/census.h"

#define FIRST_PATH  16
#define FIRST_NODES 16 /* html, head and body may not be written, and cells bring rows */
#define LEAST_BYTES 8  /* of a page for a node, and for an attribute, on nearly all of them */

void cel__build_fail(struct cel__build *b)
{
    b->failed = b->is_full = true;
}

void cel__build_note_cut(struct cel__build *b, enum cel__cut cut)
{
    if (b->cut == CEL__CUT_NONE)
        b->cut = cut;
}

void cel__build_fill_up(struct cel__build *b, enum cel__cut cut)
{
    cel__build_note_cut(b, cut);
    b->is_full = true;
}

static int grow_one(void *array, uint32_t count, size_t size)
{
    void **at = array;
    void *grown = cel__mem_realloc(*at, (size_t)count * size);

    if (grown == NULL)
        return -ENOMEM;
    *at = grown;
    return 0;
}

static int grow_nodes(struct cel__build *b, uint32_t cap)
{
    struct cel__tree *t = &b->tree;

    if (grow_one(&t->nodes, cap, sizeof *t->nodes) < 0 ||
        grow_one(&t->marks, cap, sizeof *t->marks) < 0 ||
        (b->is_linked && grow_one(&b->links, cap, sizeof *b->links) < 0) ||
        (b->is_positions && grow_one(&t->positions, cap, sizeof *t->positions) < 0)) {
        cel__build_fail(b);
        return -ENOMEM;
    }
    b->node_cap = cap;
    return 0;
}

/* Room for what is there, `more`, and what the rest of the page will bring if it is like what came
 * so far. */
static size_t next_cap(const struct cel__build *b, size_t used, size_t more)
{
    uint64_t cap = used + used / 2;

    if (b->expected != 0 && b->at > b->expected / 8) {
        uint64_t foreseen = used * b->expected / b->at;

        cap = cel__min(cap, foreseen + foreseen / 32);
        cap = cel__max(cap, (uint64_t)(used + used / 8));
    }
    return (size_t)cel__max(cap, (uint64_t)used) + more + 16;
}

static int grow_attrs(struct cel__build *b, uint32_t more)
{
    uint32_t cap = (uint32_t)next_cap(b, b->tree.attr_count, more);

    if (grow_one(&b->tree.attrs, cap, sizeof *b->tree.attrs) < 0) {
        cel__build_fail(b);
        return -ENOMEM;
    }
    b->attr_cap = cap;
    return 0;
}

int cel__build_grow_bytes(struct cel__build *b, struct cel__buf *run, size_t more)
{
    size_t cap = next_cap(b, run->len, more);
    char *grown = cel__mem_realloc(run->ptr, cap);

    if (grown == NULL) {
        cel__build_fail(b);
        return -ENOMEM;
    }
    run->ptr = grown;
    run->cap = cap;
    return 0;
}

/* Of what is only foreseen, not more than any usual page has. */
static uint32_t first_cap(uint32_t foreseen, size_t page_bytes, size_t most)
{
    size_t cap = cel__min((size_t)foreseen + foreseen / 32, page_bytes / LEAST_BYTES);

    return (uint32_t)cel__min(cap + FIRST_NODES, most);
}

int cel__build_init(struct cel__build *b, const struct cel__tree_limits *limits,
                    struct cel_str preview, bool positions)
{
    size_t most = limits->nodes != 0 ? limits->nodes + (size_t)1 : UINT32_MAX / 2;
    struct cel__census census = cel__census_take(preview);

    *b = (struct cel__build){.limits = *limits, .is_positions = positions, .expected = preview.len};
    cel__names_init(&b->tree.names);
    b->path_cap = cel__min(limits->depth + 1, (uint32_t)FIRST_PATH);
    b->path = cel__mem_alloc(b->path_cap * sizeof *b->path);
    b->attr_cap = first_cap(census.attrs, preview.len, UINT32_MAX / 2);
    if (b->path == NULL || grow_nodes(b, first_cap(census.nodes, preview.len, most)) < 0 ||
        grow_one(&b->tree.attrs, b->attr_cap, sizeof *b->tree.attrs) < 0 ||
        cel__build_grow_bytes(b, &b->tree.text, preview.len / 4) < 0 ||
        cel__build_grow_bytes(b, &b->tree.values, preview.len / 8) < 0) {
        cel__build_fini(b);
        return -ENOMEM;
    }
    b->tree.nodes[0] = (struct cel__node){.kind = CEL__NODE_DOCUMENT};
    b->tree.marks[0] = 0;
    if (positions)
        b->tree.positions[0] = 0;
    b->tree.count = 1;
    b->path[0] = (struct cel__build_step){0};
    return 0;
}

bool cel__build_lengthen(struct cel__build *b)
{
    uint32_t cap = cel__min(2 * b->path_cap, b->limits.depth + 1);

    if (cap == b->path_cap)
        return false;
    if (grow_one(&b->path, cap, sizeof *b->path) < 0) {
        cel__build_fail(b);
        return false;
    }
    b->path_cap = cap;
    return true;
}

void cel__build_fini(struct cel__build *b)
{
    cel__tree_fini(&b->tree);
    cel__mem_free(b->path);
    cel__mem_free(b->links);
    b->path = NULL;
    b->links = NULL;
}

bool cel__build_make_room(struct cel__build *b)
{
    uint32_t i = b->tree.count, cap;

    if (b->is_full)
        return false;
    if (i + 2 > b->node_cap) {
        if (b->limits.nodes != 0 && i >= b->limits.nodes) {
            cel__build_fill_up(b, CEL__CUT_NODES);
            return false;
        }
        cap = (uint32_t)next_cap(b, b->node_cap, 0);
        if (b->limits.nodes != 0)
            cap = cel__min(cap, b->limits.nodes + 1);
        if (grow_nodes(b, cap) < 0)
            return false;
    }
    if (b->is_linked)
        b->links[i] = (struct cel__build_link){0};
    if (b->is_positions)
        b->tree.positions[i] = (uint32_t)cel__min(b->at, (uint64_t)UINT32_MAX);
    return true;
}

/* A value behind the others, as a new attribute. */
bool cel__build_add_attr(struct cel__build *b, uint32_t name, enum cel__ns ns, struct cel_str value)
{
    struct cel__tree *t = &b->tree;

    if (cel__unlikely(b->is_full))
        return false;
    if (cel__unlikely(t->attr_count == b->attr_cap) && grow_attrs(b, 1) < 0)
        return false;
    if (cel__unlikely(b->limits.bytes != 0 && t->values.len + value.len > b->limits.bytes)) {
        cel__build_fill_up(b, CEL__CUT_MEMORY);
        return false;
    }
    t->attrs[t->attr_count] = (struct cel__attr){
        .name = name, .ns = ns, .at = (uint32_t)t->values.len, .len = (uint32_t)value.len};
    if (cel__unlikely(!cel__build_add_bytes(b, &t->values, value)))
        return false;
    t->attr_count++;
    return true;
}

void cel__build_attr(struct cel__build *b, uint32_t node, uint32_t name, enum cel__ns ns,
                     struct cel_str value)
{
    if (!cel__build_add_attr(b, name, ns, value))
        return;
    b->tree.nodes[node].attr_count++;
    if (ns == CEL__NS_NONE && (name == CEL__NAME_CLASS || name == CEL__NAME_ID))
        cel__tree_mark_value(&b->tree, node, name, value);
}

static bool has_attr(const struct cel__build *b, uint32_t node, uint32_t name)
{
    return cel__node_attr(&b->tree, node, name) != NULL;
}

/* The node's attributes become the last of the array, so that more can follow. */
static bool reopen_attrs(struct cel__build *b, uint32_t node)
{
    struct cel__tree *t = &b->tree;
    struct cel__node *n = &t->nodes[node];

    if (n->attrs + n->attr_count == t->attr_count)
        return true;
    if (t->attr_count + n->attr_count > b->attr_cap && grow_attrs(b, n->attr_count) < 0)
        return false;
    memcpy(t->attrs + t->attr_count, t->attrs + n->attrs, n->attr_count * sizeof *t->attrs);
    n->attrs = t->attr_count;
    t->attr_count += n->attr_count;
    return true;
}

void cel__build_merge(struct cel__build *b, uint32_t node, const struct cel__token_attr *attrs,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count && !b->is_full; i++) {
        if (has_attr(b, node, attrs[i].name))
            continue;
        if (b->limits.attributes != 0 && b->tree.nodes[node].attr_count >= b->limits.attributes) {
            cel__build_note_cut(b, CEL__CUT_ATTRIBUTES);
            return;
        }
        if (!reopen_attrs(b, node))
            return;
        cel__build_attr(b, node, attrs[i].name, CEL__NS_NONE, attrs[i].value);
        b->is_stale = true;
    }
}
