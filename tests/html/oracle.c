/* SPDX-License-Identifier: MIT */
/* myhtml (libmodest) is faithful to the HTML standard and goes quadratic on pages that mean harm:
 * an oracle for pages that mean none. Its one-thread mode is used. */
#include <myhtml/myhtml.h>

#include "oracle.h"

#include <stdlib.h>

#include "base/cc.h"
#include "html/tree_dump.h"
#include "html/parse.h"

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

static void check(bool holds)
{
    if (!holds)
        abort();
}

void oracle_myhtml(struct cel_str html, struct cel__tree *out)
{
    struct cel__tree_limits limits = {
        .depth = 4096, .nodes = UINT32_MAX / 2, .attributes = 4096, .bytes = UINT32_MAX / 2};
    struct cel__tree_builder b;
    struct copy c = {.b = &b};
    myhtml_t *parser = myhtml_create();

    check(parser != NULL &&
          myhtml_init(parser, MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) == MyHTML_STATUS_OK);
    c.tree = myhtml_tree_create();
    check(c.tree != NULL && myhtml_tree_init(c.tree, parser) == MyHTML_STATUS_OK);
    check(myhtml_parse_single(c.tree, MyENCODING_UTF_8, html.ptr, html.len) == MyHTML_STATUS_OK);
    check(cel__tree_begin(&b, out, &limits, html.len) == 0);
    copy(&c);
    check(cel__tree_finish(&b) == 0);
    myhtml_tree_destroy(c.tree);
    myhtml_destroy(parser);
}

void oracle_ours(struct cel_str html, struct cel__tree *out)
{
    struct cel__parse_options options = {.limits = {.depth = 4096}};
    struct cel__parser *p;

    check(cel__parser_new(&p, &options) == 0);
    check(cel__parser_feed(p, html.ptr, html.len) == 0);
    check(cel__parser_end(p, out, NULL) == 0);
    cel__parser_free(p);
}

void oracle_dump(struct cel__tree *t, struct cel__buf *out)
{
    t->public_id = t->system_id = (struct cel__attr){0};
    check(cel__dump(t, 0, false, out) == 0);
}
