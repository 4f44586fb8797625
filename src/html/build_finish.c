/* SPDX-License-Identifier: MIT */
/* The end: the arrays as they are, or written once more in document order.
 *
 * Rewriting walks the links without recursion. Elements beyond the depth limit become
 * siblings of the deepest that fits. Contents of templates follow, in the order of
 * their elements; one that holds templates itself adds to the end of the list. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "html/build_state.h"

struct rewrite {
    const struct cel__build *b;
    struct cel__tree *out;
    uint32_t *contents; /* per old node: the root of its content, or 0; NULL without templates */
    struct cel__build_step *path;
    uint32_t depth;
    uint32_t over;
};

static uint32_t copy_node(struct rewrite *w, uint32_t old)
{
    const struct cel__tree *from = &w->b->tree;
    struct cel__tree *t = w->out;
    struct cel__build_step *step = &w->path[w->depth];
    uint32_t i = t->count++;

    t->nodes[i] = from->nodes[old];
    t->nodes[i].parent = step->node;
    t->nodes[i].prev = step->last;
    t->nodes[i].end = i + 1;
    t->nodes[i].text_at = (uint32_t)t->text.len;
    t->marks[i] = from->marks[old];
    if (t->positions != NULL)
        t->positions[i] = from->positions[old];
    step->last = i;
    return i;
}

static void end_node(struct rewrite *w)
{
    if (w->over > 0) {
        w->over--;
        return;
    }
    w->out->nodes[w->path[w->depth].node].end = w->out->count;
    w->depth--;
}

static void copy_text(struct rewrite *w, uint32_t old)
{
    const struct cel__tree *from = &w->b->tree;

    copy_node(w, old);
    for (uint32_t piece = old; piece != 0; piece = w->b->links[piece].first)
        cel__buf_add(&w->out->text, from->text.ptr + from->nodes[piece].text_at,
                     from->nodes[piece].end);
}

static void begin_node(struct rewrite *w, uint32_t old)
{
    struct cel__tree *t = w->out;
    uint32_t i;

    if (w->depth == w->b->limits.depth) {
        t->nodes[w->path[w->depth].node].end = t->count;
        w->depth--;
        w->over++;
    }
    i = copy_node(w, old);
    if (w->contents != NULL && w->contents[old] != 0)
        t->templates[t->template_count++] = (struct cel__template){i, w->contents[old]};
    w->path[++w->depth] = (struct cel__build_step){.node = i};
}

/* All that is in an old node, into the innermost new one. */
static void copy_inside(struct rewrite *w, uint32_t root)
{
    const struct cel__build *b = w->b;
    uint32_t old = b->links[root].first;

    while (old != 0) {
        if (b->tree.nodes[old].kind == CEL__NODE_ELEMENT) {
            begin_node(w, old);
            if (b->links[old].first != 0) {
                old = b->links[old].first;
                continue;
            }
            end_node(w);
        } else if (b->tree.nodes[old].kind == CEL__NODE_TEXT) {
            copy_text(w, old);
        } else {
            copy_node(w, old);
        }
        while (b->links[old].next == 0 && b->tree.nodes[old].parent != root) {
            old = b->tree.nodes[old].parent;
            end_node(w);
        }
        old = b->links[old].next;
    }
}

static void copy_contents(struct rewrite *w)
{
    struct cel__tree *t = w->out;

    for (uint32_t i = 0; i < t->template_count; i++) {
        uint32_t old = t->templates[i].content, root = t->count;

        w->path[0] = (struct cel__build_step){0};
        copy_node(w, old);
        t->nodes[root].prev = 0;
        t->templates[i].content = root;
        w->path[0] = (struct cel__build_step){.node = root};
        copy_inside(w, old);
        t->nodes[root].end = t->count;
    }
}

static int make_room(struct rewrite *w)
{
    const struct cel__build *b = w->b;
    struct cel__tree *t = w->out;

    w->path = cel__mem_alloc((b->limits.depth + 1u) * sizeof *w->path);
    t->nodes = cel__mem_alloc((b->tree.count + 1u) * sizeof *t->nodes);
    t->marks = cel__mem_alloc((b->tree.count + 1u) * sizeof *t->marks);
    if (w->path == NULL || t->nodes == NULL || t->marks == NULL ||
        cel__buf_reserve(&t->text, b->tree.text.len + 1) < 0)
        return -ENOMEM;
    if (b->is_positions &&
        (t->positions = cel__mem_alloc((b->tree.count + 1u) * sizeof *t->positions)) == NULL)
        return -ENOMEM;
    if (b->tree.template_count == 0)
        return 0;
    t->templates = cel__mem_alloc(b->tree.template_count * sizeof *t->templates);
    w->contents = cel__mem_array(b->tree.count, sizeof *w->contents);
    if (t->templates == NULL || w->contents == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->tree.template_count; i++)
        w->contents[b->tree.templates[i].element] = b->tree.templates[i].content;
    return 0;
}

static void copy_all(struct rewrite *w)
{
    struct cel__tree *t = w->out;

    w->path[0] = (struct cel__build_step){0};
    t->nodes[0] = (struct cel__node){.kind = CEL__NODE_DOCUMENT};
    t->marks[0] = 0;
    if (t->positions != NULL)
        t->positions[0] = 0;
    t->count = 1;
    copy_inside(w, 0);
    t->nodes[0].end = t->count;
    copy_contents(w);
    t->total = t->count;
    t->count = t->nodes[0].end;
    t->nodes[t->total] = (struct cel__node){.text_at = (uint32_t)t->text.len};
}

/* What nodes do not refer to by text_at stays where it is. */
static void take_rest(struct cel__tree *t, struct cel__tree *from)
{
    t->attrs = from->attrs;
    t->attr_count = from->attr_count;
    t->values = from->values;
    t->names = from->names;
    t->quirks = from->quirks;
    t->public_id = from->public_id;
    t->system_id = from->system_id;
    t->has_public_id = from->has_public_id;
    t->has_system_id = from->has_system_id;
    from->attrs = NULL;
    from->values = (struct cel__buf){0};
    from->names = (struct cel__names){0};
}

static int rewrite(struct cel__build *b)
{
    struct cel__tree fresh = {0};
    struct rewrite w = {.b = b, .out = &fresh};
    int r = make_room(&w);

    if (r == 0) {
        copy_all(&w);
        take_rest(&fresh, &b->tree);
        cel__tree_fini(&b->tree);
        b->tree = fresh;
    } else {
        cel__tree_fini(&fresh);
    }
    cel__mem_free(w.contents);
    cel__mem_free(w.path);
    return r;
}

static void close_path(struct cel__build *b)
{
    struct cel__tree *t = &b->tree;

    for (uint32_t i = 0; i <= b->depth; i++)
        t->nodes[b->path[i].node].end = t->count;
    t->nodes[t->count] = (struct cel__node){.text_at = (uint32_t)t->text.len};
    t->total = t->count;
}

/* Gives back what was taken in advance. That it can fail does not matter. */
static void shrink(void *array, size_t used, size_t cap)
{
    void **at = array;
    void *smaller;

    if (used + used / 32 >= cap)
        return;
    smaller = cel__mem_realloc(*at, used);
    if (smaller != NULL)
        *at = smaller;
}

static void shrink_all(struct cel__build *b)
{
    struct cel__tree *t = &b->tree;
    size_t nodes = (size_t)t->total + 1, cap = b->is_linked ? nodes : b->node_cap;

    shrink(&t->nodes, nodes * sizeof *t->nodes, cap * sizeof *t->nodes);
    shrink(&t->marks, nodes * sizeof *t->marks, cap * sizeof *t->marks);
    shrink(&t->attrs, (t->attr_count + 1u) * sizeof *t->attrs, b->attr_cap * sizeof *t->attrs);
    if (t->text.cap > t->text.len + t->text.len / 32) {
        shrink(&t->text.ptr, t->text.len + 1, t->text.cap);
        t->text.cap = t->text.len + 1;
    }
    if (t->values.cap > t->values.len + t->values.len / 32) {
        shrink(&t->values.ptr, t->values.len + 1, t->values.cap);
        t->values.cap = t->values.len + 1;
    }
}

int cel__build_finish(struct cel__build *b, struct cel__tree *out)
{
    if (!b->failed && b->is_linked && rewrite(b) < 0)
        b->failed = true;
    if (b->failed) {
        cel__build_fini(b);
        return -ENOMEM;
    }
    if (!b->is_linked)
        close_path(b);
    shrink_all(b);
    *out = b->tree;
    b->tree = (struct cel__tree){0};
    cel__build_fini(b);
    return 0;
}
