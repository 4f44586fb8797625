/* SPDX-License-Identifier: MIT */
/* Parents and children: lists that a child leaves in one step. */
#include "fiber/family.h"

void cel__fiber_adopt(struct cel_fiber *f, struct cel_fiber *parent)
{
    struct cel__greenlet *g = cel__greenlet_of(f);

    if (g->sibling_link != NULL) {
        *g->sibling_link = g->sibling;
        if (g->sibling != NULL)
            g->sibling->sibling_link = g->sibling_link;
        g->sibling = NULL;
        g->sibling_link = NULL;
    }
    f->parent = parent;
    if (parent == NULL)
        return;
    g->sibling = parent->children;
    g->sibling_link = &parent->children;
    if (g->sibling != NULL)
        g->sibling->sibling_link = &g->sibling;
    parent->children = g;
}

void cel__fiber_orphan(struct cel_fiber *f)
{
    while (f->children != NULL)
        cel__fiber_adopt(&f->children->fiber, f->parent);
}
