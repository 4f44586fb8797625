/* SPDX-License-Identifier: MIT */
/* The public face of a node: checks for "no node" around the inner accessors. */
#include "html/html.h"

#include "base/str.h"

static const struct cel_node none;

static struct cel_node at(struct cel_node node, uint32_t i)
{
    return i != 0 ? (struct cel_node){node.doc, i} : none;
}

struct cel_node cel_html_root(const struct cel_html *doc)
{
    return (struct cel_node){doc, 0};
}

enum cel_node_kind cel_node_kind(struct cel_node node)
{
    static const enum cel_node_kind kinds[] = {
        [CEL__NODE_DOCUMENT] = CEL_NODE_DOCUMENT, [CEL__NODE_ELEMENT] = CEL_NODE_ELEMENT,
        [CEL__NODE_TEXT] = CEL_NODE_TEXT,         [CEL__NODE_RAW] = CEL_NODE_TEXT,
        [CEL__NODE_COMMENT] = CEL_NODE_COMMENT,   [CEL__NODE_DOCTYPE] = CEL_NODE_DOCTYPE,
        [CEL__NODE_CONTENT] = CEL_NODE_DOCUMENT};

    return node.doc != NULL ? kinds[cel__node(&node.doc->tree, node.at)->kind] : CEL_NODE_NONE;
}

struct cel_node cel_node_parent(struct cel_node node)
{
    if (node.doc == NULL || node.at == 0)
        return none;
    return (struct cel_node){node.doc, cel__node_parent(&node.doc->tree, node.at)};
}

struct cel_node cel_node_first(struct cel_node node)
{
    return node.doc != NULL ? at(node, cel__node_first(&node.doc->tree, node.at)) : none;
}

struct cel_node cel_node_next(struct cel_node node)
{
    return node.doc != NULL ? at(node, cel__node_next(&node.doc->tree, node.at)) : none;
}

struct cel_node cel_node_prev(struct cel_node node)
{
    return node.doc != NULL ? at(node, cel__node_prev(&node.doc->tree, node.at)) : none;
}

struct cel_str cel_node_name(struct cel_node node)
{
    if (cel_node_kind(node) != CEL_NODE_ELEMENT)
        return (struct cel_str){"", 0};
    return cel__names_text(&node.doc->tree.names, cel__node(&node.doc->tree, node.at)->name);
}

struct cel_str cel_node_text(struct cel_node node)
{
    return node.doc != NULL ? cel__node_text(&node.doc->tree, node.at) : (struct cel_str){"", 0};
}

struct cel_str cel_node_attr(struct cel_node node, const char *name)
{
    const struct cel__attr *a = NULL;

    if (cel_node_kind(node) == CEL_NODE_ELEMENT) {
        uint32_t number = cel__names_find(&node.doc->tree.names, cel__str(name));

        if (number != CEL__NAME_NONE)
            a = cel__node_attr(&node.doc->tree, node.at, number);
    }
    return a != NULL ? cel__attr_value(&node.doc->tree, a) : (struct cel_str){NULL, 0};
}

int cel_node_attr_at(struct cel_node node, size_t i, struct cel_str *name, struct cel_str *value)
{
    const struct cel__tree *t;
    const struct cel__attr *a;

    if (cel_node_kind(node) != CEL_NODE_ELEMENT)
        return 0;
    t = &node.doc->tree;
    if (i >= cel__node(t, node.at)->attr_count)
        return 0;
    a = &t->attrs[cel__node(t, node.at)->attrs + i];
    *name = cel__names_text(&t->names, a->name);
    *value = cel__attr_value(t, a);
    return 1;
}
