/* SPDX-License-Identifier: MIT */
#ifndef CEL__NODE_H
#define CEL__NODE_H

/* A parsed document as one array of nodes in document order.
 *
 * 1. A node is its index; index 0 is the document and doubles as "none".
 * 2. `end` is the index behind a node's last descendant, so the descendants of
 *    i are i+1 … end-1, and "is inside" is two compares.
 * 3. The text of all elements lies in one run, in document order: the text of a
 *    subtree is one slice, from text_at of its node to text_at of the node
 *    behind it. What people do not read (script, style, comments) lies apart.
 * 4. nodes[count] is a sentinel that carries only text_at, or the first template content.
 * 5. Finished trees never change; any number of threads may read one.
 *
 * This is all that selectors know of a document; who built it does not show. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cc.h"
#include "html/names.h"

enum cel__node_kind {
    CEL__NODE_DOCUMENT,
    CEL__NODE_CONTENT, /* of a template, see struct cel__tree */
    CEL__NODE_ELEMENT,
    CEL__NODE_TEXT,
    CEL__NODE_RAW, /* text of script and style; this and what follows have their own bytes */
    CEL__NODE_COMMENT,
    CEL__NODE_DOCTYPE
};

enum cel__ns {
    CEL__NS_NONE,
    CEL__NS_HTML,
    CEL__NS_SVG,
    CEL__NS_MATHML,
    CEL__NS_XLINK,
    CEL__NS_XML,
    CEL__NS_XMLNS
};

struct cel__node {
    uint32_t parent;
    uint32_t prev; /* sibling, or 0 */
    uint32_t end;
    uint32_t name;    /* of an element */
    uint32_t text_at; /* length of the text run when the node began */
    uint32_t attrs; /* index of its first attribute; of raw kinds: of the one that holds its text */
    uint16_t attr_count;
    uint8_t kind; /* enum cel__node_kind */
    uint8_t ns;   /* enum cel__ns */
};

struct cel__attr {
    uint32_t name : 24;
    uint32_t ns : 8;
    uint32_t at; /* in `values` */
    uint32_t len;
};

enum cel__quirks { CEL__QUIRKS_NONE, CEL__QUIRKS_LIMITED, CEL__QUIRKS_FULL };

/* A template element and the root of its content, an index at or behind tree.count. */
struct cel__template {
    uint32_t element;
    uint32_t content;
};

struct cel__tree {
    struct cel__node *nodes;
    uint32_t count; /* of the document; nodes[count] is readable and carries text_at */
    /* Template contents are not in the document: they follow it, at count … total-1, each under a
     * node of kind CONTENT with no parent, with their text behind the document's. A template's own
     * node has no children. */
    uint32_t total;
    struct cel__template *templates; /* by element, ascending */
    uint32_t template_count;
    enum cel__quirks quirks;
    /* Of the doctype; values.ptr + at. has_*: it was given, maybe empty. */
    struct cel__attr public_id;
    struct cel__attr system_id;
    bool has_public_id;
    bool has_system_id;
    uint32_t *positions; /* per node up to total, when they were asked for: where its token began */
    struct cel__attr *attrs;
    uint32_t attr_count;
    struct cel__buf text;
    struct cel__buf values;
    struct cel__names names;
    /* Per node, bits that stand for its name, id and classes. A selector that needs an absent bit
     * cannot match; what it needs of ancestors, html/above.h sums up along the way. */
    uint64_t *marks;
};

#define CEL__MARK_ELEMENT (UINT64_C(1) << 63)

/* The bit of a lower-case name, a class or an id. */
static inline uint64_t cel__mark(uint64_t hash)
{
    return UINT64_C(1) << ((hash >> 32) * 63 >> 32);
}

static inline const struct cel__node *cel__node(const struct cel__tree *t, uint32_t i)
{
    return &t->nodes[i];
}

static inline bool cel__node_is_element(const struct cel__tree *t, uint32_t i)
{
    return t->nodes[i].kind == CEL__NODE_ELEMENT;
}

static inline uint32_t cel__node_parent(const struct cel__tree *t, uint32_t i)
{
    return t->nodes[i].parent;
}

static inline uint32_t cel__node_prev(const struct cel__tree *t, uint32_t i)
{
    return t->nodes[i].prev;
}

static inline uint32_t cel__node_first(const struct cel__tree *t, uint32_t i)
{
    return i + 1 < t->nodes[i].end ? i + 1 : 0;
}

static inline uint32_t cel__node_next(const struct cel__tree *t, uint32_t i)
{
    uint32_t end = t->nodes[i].end;

    return end < t->nodes[t->nodes[i].parent].end ? end : 0;
}

static inline uint32_t cel__node_end(const struct cel__tree *t, uint32_t i)
{
    return t->nodes[i].end;
}

/* The same among elements only. */
static inline uint32_t cel__node_prev_element(const struct cel__tree *t, uint32_t i)
{
    do
        i = t->nodes[i].prev;
    while (i != 0 && !cel__node_is_element(t, i));
    return i;
}

static inline uint32_t cel__node_next_element(const struct cel__tree *t, uint32_t i)
{
    do
        i = cel__node_next(t, i);
    while (i != 0 && !cel__node_is_element(t, i));
    return i;
}

/* The parent when it is an element, else 0. */
static inline uint32_t cel__node_parent_element(const struct cel__tree *t, uint32_t i)
{
    return t->nodes[i].parent; /* the only parent that is no element is the document, 0 */
}

static inline struct cel_str cel__attr_value(const struct cel__tree *t, const struct cel__attr *a)
{
    return (struct cel_str){t->values.ptr + a->at, a->len};
}

/* The attribute of no namespace with that name, or NULL. */
static inline const struct cel__attr *cel__node_attr(const struct cel__tree *t, uint32_t i,
                                                     uint32_t name)
{
    const struct cel__attr *a = &t->attrs[t->nodes[i].attrs];

    for (const struct cel__attr *end = a + t->nodes[i].attr_count; a < end; a++)
        if (a->name == name && a->ns == CEL__NS_NONE)
            return a;
    return NULL;
}

/* All text inside, in order; of a raw kind, and of an element that holds only one, its own bytes.
 */
static inline struct cel_str cel__node_text(const struct cel__tree *t, uint32_t i)
{
    const struct cel__node *n = &t->nodes[i];

    if (n->kind == CEL__NODE_ELEMENT && n->end == i + 2 && t->nodes[i + 1].kind == CEL__NODE_RAW)
        n = &t->nodes[i + 1];
    if (n->kind >= CEL__NODE_RAW)
        return cel__attr_value(t, &t->attrs[n->attrs]);
    return (struct cel_str){t->text.ptr + n->text_at, t->nodes[n->end].text_at - n->text_at};
}

/* The root of a template element's content, or 0. */
uint32_t cel__tree_content(const struct cel__tree *t, uint32_t element);

#endif
