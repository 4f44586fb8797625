/* SPDX-License-Identifier: MIT */
/* What the parser makes of meta tags decides in the end: the prescan sees only the
 * beginning of a page, and takes a tag inside a script for a tag. */
#include "html/charset_meta.h"

#include "base/str.h"
#include "html/charset.h"

static int of_meta(const struct cel__tree *t, uint32_t i, uint32_t charset, uint32_t content,
                   uint32_t equiv)
{
    const struct cel__attr *label = cel__node_attr(t, i, charset);
    const struct cel__attr *text = cel__node_attr(t, i, content);
    const struct cel__attr *pragma = cel__node_attr(t, i, equiv);
    int found = label != NULL ? cel__encoding_find(cel__attr_value(t, label)) : -1;

    if (found < 0 && text != NULL && pragma != NULL &&
        cel__str_ieq(cel__attr_value(t, pragma), CEL_LIT("content-type")))
        found = cel__charset_of_content(cel__attr_value(t, text));
    return cel__charset_for_meta(found);
}

struct wanted {
    uint32_t meta, charset, content, equiv;
};

static struct wanted names_of(const struct cel__tree *t)
{
    return (struct wanted){cel__names_find(&t->names, CEL_LIT("meta")),
                           cel__names_find(&t->names, CEL_LIT("charset")),
                           cel__names_find(&t->names, CEL_LIT("content")),
                           cel__names_find(&t->names, CEL_LIT("http-equiv"))};
}

static int of_node(const struct cel__tree *t, uint32_t i, const struct wanted *w)
{
    if (t->nodes[i].name != w->meta || !cel__node_is_element(t, i) ||
        t->nodes[i].ns != CEL__NS_HTML)
        return -1;
    return of_meta(t, i, w->charset, w->content, w->equiv);
}

int cel__charset_of_node(const struct cel__tree *t, uint32_t node)
{
    struct wanted w = names_of(t);

    return w.meta != CEL__NAME_NONE ? of_node(t, node, &w) : -1;
}

int cel__charset_of_tree(const struct cel__tree *t)
{
    struct wanted w = names_of(t);
    int found = -1;

    for (uint32_t i = 1; w.meta != CEL__NAME_NONE && i < t->count && found < 0; i++)
        found = of_node(t, i, &w);
    return found;
}
