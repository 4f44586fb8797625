/* SPDX-License-Identifier: MIT */
/* A walk over the nodes inside a root, in document order. Since every element
 * is asked once, nothing comes twice or out of order, comma lists included. */
#include "html/html.h"

#include <errno.h>

#include "base/mem.h"
#include "html/above.h"
#include "html/match.h"

struct cel_matches {
    struct cel__match match;
    const struct cel_html *doc;
    uint32_t at;
    uint32_t end;
    struct cel__above above;
};

static int start(struct cel_matches *w, const struct cel_selector *s, struct cel_node within)
{
    w->doc = within.doc;
    w->at = within.at + 1;
    w->end = cel__node_end(&within.doc->tree, within.at);
    cel__above_init(&w->above, &within.doc->tree, within.at);
    return cel__match_init(&w->match, s, &within.doc->tree, within.at);
}

static int next(struct cel_matches *w, struct cel_node *out)
{
    for (; w->at < w->end; w->at++) {
        if (!cel__node_is_element(&w->doc->tree, w->at))
            continue;
        if (cel__match_below(&w->match, w->at, cel__above_next(&w->above, w->at)) != NULL) {
            *out = (struct cel_node){w->doc, w->at++};
            return 1;
        }
        if (cel__match_is_exhausted(&w->match))
            return -CEL_ETOOLARGE;
    }
    return 0;
}

int cel_matches_new(struct cel_matches **out, const struct cel_selector *selector,
                    struct cel_node within)
{
    struct cel_matches *w = cel__mem_alloc(sizeof *w);
    int r;

    if (w == NULL)
        return -ENOMEM;
    r = start(w, selector, within);
    if (r < 0) {
        cel__mem_free(w);
        return r;
    }
    *out = w;
    return 0;
}

int cel_matches_next(struct cel_matches *matches, struct cel_node *out)
{
    return next(matches, out);
}

void cel_matches_free(struct cel_matches *matches)
{
    if (matches == NULL)
        return;
    cel__match_fini(&matches->match);
    cel__mem_free(matches);
}

int cel_select_first(const struct cel_selector *selector, struct cel_node within,
                     struct cel_node *out)
{
    struct cel_matches w;
    int r;

    *out = (struct cel_node){0};
    if (within.doc == NULL)
        return 0;
    r = start(&w, selector, within);
    if (r < 0)
        return r;
    r = next(&w, out);
    cel__match_fini(&w.match);
    return r;
}

static int collect(struct cel_matches *w, struct cel_node **list)
{
    struct cel_node node, *grown;
    int count = 0, cap = 0, r;

    while ((r = next(w, &node)) == 1) {
        if (count == cap) {
            cap = cap != 0 ? cap * 2 : 16;
            grown = cel__mem_realloc(*list, (size_t)cap * sizeof node);
            if (grown == NULL)
                return -ENOMEM;
            *list = grown;
        }
        (*list)[count++] = node;
    }
    return r < 0 ? r : count;
}

int cel_select_all(const struct cel_selector *selector, struct cel_node within,
                   struct cel_node **out)
{
    struct cel_node *list = NULL;
    struct cel_matches w;
    int r;

    *out = NULL;
    if (within.doc == NULL)
        return 0;
    r = start(&w, selector, within);
    if (r < 0)
        return r;
    r = collect(&w, &list);
    cel__match_fini(&w.match);
    if (r < 0)
        cel__mem_free(list);
    else
        *out = list;
    return r;
}

void cel_nodes_free(struct cel_node *nodes)
{
    cel__mem_free(nodes);
}

int cel_node_matches(struct cel_node node, const struct cel_selector *selector)
{
    struct cel__match m;
    int r;

    if (cel_node_kind(node) != CEL_NODE_ELEMENT)
        return 0;
    r = cel__match_init(&m, selector, &node.doc->tree, 0);
    if (r < 0)
        return r;
    r = cel__match_element(&m, node.at) != NULL;
    if (cel__match_is_exhausted(&m))
        r = -CEL_ETOOLARGE;
    cel__match_fini(&m);
    return r;
}
