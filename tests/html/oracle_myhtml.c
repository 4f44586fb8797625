/* SPDX-License-Identifier: MIT */
/* myhtml as tree builder: fast and faithful to the HTML standard, and made fit
 * here for pages that mean harm.
 *
 * 1. Input goes in by small chunks; between them the open depth, the node count
 *    and the memory are looked at, and feeding stops when one is beyond its
 *    limit. Unlimited nesting costs myhtml quadratic time.
 * 2. Each open formatting element is cloned, with its attributes, into every
 *    paragraph that follows. The chunk shrinks as those elements weigh more, so
 *    that no single chunk can multiply them beyond GROWTH_BYTES.
 * 3. Its table of element names that HTML does not have is searched one by one,
 *    so there is a limit to those, too.
 * 4. Its one-thread mode is used: no thread is ever started.
 * 5. A parser object costs 40 us to make, a third of a page's parsing. A few are
 *    kept for the next page, any thread's, unless a large page has swollen them. */
#include <myhtml/myhtml.h>

#include <errno.h>
#include <stdatomic.h>

#include "base/cc.h"
#include "html/builders.h"

#define CHUNK_BYTES     4096
#define CHUNK_BYTES_MIN 16
#define GROWTH_BYTES    (64u << 20)
#define NEW_NAMES       4096
#define KEEP_BYTES      (512u << 10)
#define KEPT            8

static _Atomic(myhtml_tree_t *) kept[KEPT];

static void destroy(myhtml_tree_t *tree)
{
    myhtml_t *parser = tree->myhtml;

    myhtml_tree_destroy(tree);
    myhtml_destroy(parser);
}

static myhtml_tree_t *create(void)
{
    myhtml_t *parser = myhtml_create();
    myhtml_tree_t *tree;

    if (parser == NULL)
        return NULL;
    if (myhtml_init(parser, MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) != MyHTML_STATUS_OK)
        goto fail;
    tree = myhtml_tree_create();
    if (tree == NULL)
        goto fail;
    if (myhtml_tree_init(tree, parser) == MyHTML_STATUS_OK)
        return tree;
    myhtml_tree_destroy(tree);

fail:
    myhtml_destroy(parser);
    return NULL;
}

static myhtml_tree_t *take(void)
{
    for (int i = 0; i < KEPT; i++) {
        myhtml_tree_t *tree = atomic_load_explicit(&kept[i], memory_order_relaxed);

        if (tree != NULL && (tree = atomic_exchange(&kept[i], NULL)) != NULL) {
            myhtml_tree_clean(tree);
            return tree;
        }
    }
    return create();
}

static void give_back(myhtml_tree_t *tree)
{
    for (int i = 0; i < KEPT; i++) {
        myhtml_tree_t *none = NULL;

        if (atomic_compare_exchange_strong(&kept[i], &none, tree))
            return;
    }
    destroy(tree);
}

__attribute__((destructor)) static void drop_kept(void)
{
    for (int i = 0; i < KEPT; i++) {
        myhtml_tree_t *tree = atomic_exchange(&kept[i], NULL);

        if (tree != NULL)
            destroy(tree);
    }
}

static size_t objects(const mcobject_async_t *pool, size_t node)
{
    size_t count = 0;

    for (const mcobject_async_chunk_t *c = pool->nodes[node].chunk; c != NULL; c = c->prev)
        count += c->length;
    return count;
}

/* What the tree has taken from its pools for this page. */
static size_t weight_bytes(const myhtml_tree_t *tree)
{
    size_t bytes = 0;

    for (const mchar_async_chunk_t *c = tree->mchar->nodes[tree->mchar_node_id].chunk; c != NULL;
         c = c->prev)
        bytes += c->length;
    bytes += objects(tree->tree_obj, tree->mcasync_tree_id) * sizeof(myhtml_tree_node_t);
    bytes += objects(tree->token->nodes_obj, tree->token->mcasync_token_id) *
             sizeof(myhtml_token_node_t);
    bytes +=
        objects(tree->token->nodes_obj, tree->mcasync_rules_token_id) * sizeof(myhtml_token_node_t);
    bytes +=
        objects(tree->token->attr_obj, tree->token->mcasync_attr_id) * sizeof(myhtml_token_attr_t);
    bytes +=
        objects(tree->token->attr_obj, tree->mcasync_rules_attr_id) * sizeof(myhtml_token_attr_t);
    return bytes;
}

/* What one reconstruction of the active formatting elements would clone. */
static size_t clone_bytes(const myhtml_tree_t *tree)
{
    const myhtml_tree_list_t *list = tree->active_formatting;
    size_t bytes = 0;

    for (size_t i = 0; i < list->length; i++) {
        const myhtml_token_node_t *token = list->list[i] != NULL ? list->list[i]->token : NULL;

        bytes += sizeof(myhtml_tree_node_t) + sizeof(myhtml_token_node_t);
        if (token == NULL)
            continue;
        for (const myhtml_token_attr_t *a = token->attr_first; a != NULL; a = a->next)
            bytes += sizeof *a + a->key.length + a->value.length;
    }
    return bytes;
}

/* The shortest tag that clones them has three bytes. */
static size_t chunk_bytes(const myhtml_tree_t *tree, size_t left)
{
    size_t clone = clone_bytes(tree);
    size_t bytes = CHUNK_BYTES;

    if (clone > GROWTH_BYTES / CHUNK_BYTES)
        bytes = cel__max((size_t)CHUNK_BYTES_MIN, 3 * (GROWTH_BYTES / clone));
    return cel__min(cel__min(bytes, (size_t)CHUNK_BYTES), left);
}

static enum cel__cut beyond_limit(const struct cel__tree_builder *b, const myhtml_tree_t *tree,
                                  size_t input_bytes)
{
    if (tree->open_elements->length > b->limits.depth)
        return CEL__CUT_DEPTH;
    if (objects(tree->tree_obj, tree->mcasync_tree_id) > b->limits.nodes)
        return CEL__CUT_NODES;
    if (tree->tags->tags_count > MyHTML_TAG_LAST_ENTRY + NEW_NAMES)
        return CEL__CUT_MEMORY;
    if (weight_bytes(tree) > GROWTH_BYTES + 32 * input_bytes)
        return CEL__CUT_MEMORY;
    return CEL__CUT_NONE;
}

/* The first chunk is fed even when empty: it is what sets the tokenizer up. */
static int feed(struct cel__tree_builder *b, myhtml_tree_t *tree, struct cel_str html)
{
    size_t at = 0;

    myhtml_encoding_set(tree, MyENCODING_UTF_8);
    do {
        size_t len = chunk_bytes(tree, html.len - at);
        enum cel__cut cut;

        if (myhtml_parse_chunk_single(tree, html.ptr + at, len) != MyHTML_STATUS_OK)
            return -ENOMEM;
        at += len;
        cut = at < html.len ? beyond_limit(b, tree, html.len) : CEL__CUT_NONE;
        if (cut != CEL__CUT_NONE) {
            cel__tree_note_cut(b, cut);
            break;
        }
    } while (at < html.len);
    return myhtml_parse_chunk_end(tree) == MyHTML_STATUS_OK ? 0 : -ENOMEM;
}

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

int cel__build_myhtml(struct cel__tree_builder *b, struct cel_str html)
{
    struct copy c = {.b = b, .tree = take()};
    int r;

    if (c.tree == NULL)
        return -ENOMEM;
    r = feed(b, c.tree, html);
    if (r == 0)
        copy(&c);
    if (r == 0 && html.len <= KEEP_BYTES && weight_bytes(c.tree) <= 64 * KEEP_BYTES)
        give_back(c.tree);
    else
        destroy(c.tree);
    return r;
}
