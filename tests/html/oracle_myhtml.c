/* SPDX-License-Identifier: MIT */
/* myhtml's tree, to compare ours with. The page goes in whole: cut into portions, myhtml leaves
 * references at the cuts undecoded. It is for pages that mean no harm. */
#include "oracle_myhtml.h"

#include <myhtml/myhtml.h>

#include <errno.h>

#include "base/cc.h"

static enum cel__ns ns_of(enum myhtml_namespace ns)
{
    static const enum cel__ns ours[] = {
        [MyHTML_NAMESPACE_UNDEF] = CEL__NS_NONE,    [MyHTML_NAMESPACE_HTML] = CEL__NS_HTML,
        [MyHTML_NAMESPACE_MATHML] = CEL__NS_MATHML, [MyHTML_NAMESPACE_SVG] = CEL__NS_SVG,
        [MyHTML_NAMESPACE_XLINK] = CEL__NS_XLINK,   [MyHTML_NAMESPACE_XML] = CEL__NS_XML,
        [MyHTML_NAMESPACE_XMLNS] = CEL__NS_XMLNS};

    return ns < cel__countof(ours) ? ours[ns] : CEL__NS_NONE;
}

static struct cel_str str_of(const mycore_string_t *s)
{
    return (struct cel_str){s->data != NULL ? s->data : "", s->data != NULL ? s->length : 0};
}

struct copy {
    struct cel__tree_builder *b;
    myhtml_tree_t *tree;
    uint32_t names[MyHTML_TAG_LAST_ENTRY]; /* the document's number of a built-in tag, or 0 */
};

static uint32_t name_of(struct copy *c, const myhtml_tree_node_t *node)
{
    struct cel__names *names = &c->b->tree->names;
    bool is_known = node->tag_id < MyHTML_TAG_LAST_ENTRY && node->ns == MyHTML_NAMESPACE_HTML;
    struct cel_str text;
    uint32_t name;

    if (is_known && c->names[node->tag_id] != 0)
        return c->names[node->tag_id];
    text.ptr = myhtml_tag_name_by_id(c->tree, node->tag_id, &text.len);
    if (text.ptr == NULL)
        text = CEL_LIT("");
    name = cel__names_add(names, text);
    if (is_known)
        c->names[node->tag_id] = name;
    return name;
}

static void copy_element(struct copy *c, const myhtml_tree_node_t *node)
{
    cel__tree_open(c->b, name_of(c, node), ns_of(node->ns));
    if (node->token == NULL)
        return;
    for (const myhtml_token_attr_t *a = node->token->attr_first; a != NULL; a = a->next) {
        struct cel_str key = str_of(&a->key);

        if (key.len != 0)
            cel__tree_attr(c->b, cel__names_add(&c->b->tree->names, key),
                           a->ns == MyHTML_NAMESPACE_HTML ? CEL__NS_NONE : ns_of(a->ns),
                           str_of(&a->value));
    }
}

static bool is_raw_parent(const myhtml_tree_node_t *node)
{
    return node->parent != NULL && node->parent->ns == MyHTML_NAMESPACE_HTML &&
           (node->parent->tag_id == MyHTML_TAG_SCRIPT || node->parent->tag_id == MyHTML_TAG_STYLE);
}

/* true when an element was opened. */
static bool copy_node(struct copy *c, const myhtml_tree_node_t *node)
{
    struct cel_str text = node->token != NULL ? str_of(&node->token->str) : CEL_LIT("");

    switch (node->tag_id) {
    case MyHTML_TAG__TEXT:
        if (is_raw_parent(node))
            cel__tree_raw(c->b, CEL__NODE_RAW, text);
        else
            cel__tree_text(c->b, text);
        return false;
    case MyHTML_TAG__COMMENT:
        cel__tree_raw(c->b, CEL__NODE_COMMENT, text);
        return false;
    case MyHTML_TAG__DOCTYPE:
        if (node->token != NULL && node->token->attr_first != NULL)
            text = str_of(&node->token->attr_first->key);
        cel__tree_raw(c->b, CEL__NODE_DOCTYPE, text);
        return false;
    default:
        copy_element(c, node);
        return true;
    }
}

static void copy(struct copy *c)
{
    const myhtml_tree_node_t *root = c->tree->document, *node = root->child;

    while (node != NULL) {
        if (copy_node(c, node)) {
            if (node->child != NULL) {
                node = node->child;
                continue;
            }
            cel__tree_close(c->b);
        }
        while (node->next == NULL && node->parent != root && node->parent != NULL) {
            node = node->parent;
            cel__tree_close(c->b);
        }
        node = node->next;
    }
}

static int parse(struct cel__tree_builder *b, myhtml_t *parser, struct cel_str html)
{
    struct copy c = {.b = b, .tree = myhtml_tree_create()};
    int r = -ENOMEM;

    if (c.tree == NULL)
        return r;
    if (myhtml_tree_init(c.tree, parser) == MyHTML_STATUS_OK &&
        myhtml_parse(c.tree, MyENCODING_UTF_8, html.ptr, html.len) == MyHTML_STATUS_OK) {
        copy(&c);
        r = 0;
    }
    myhtml_tree_destroy(c.tree);
    return r;
}

int oracle_myhtml(struct cel__tree_builder *b, struct cel_str html)
{
    myhtml_t *parser = myhtml_create();
    int r = -ENOMEM;

    if (parser == NULL)
        return r;
    if (myhtml_init(parser, MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) == MyHTML_STATUS_OK)
        r = parse(b, parser, html);
    myhtml_destroy(parser);
    return r;
}
