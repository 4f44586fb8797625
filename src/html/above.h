/* SPDX-License-Identifier: MIT */
#ifndef CEL__ABOVE_H
#define CEL__ABOVE_H

/* For a walk in document order: the union of the marks of all elements around the one at hand.
 *
 * It is kept along the path from the root, which costs a walk two compares an element, and not with
 * each node, which would cost a document a fifth of what it keeps. Beyond so many levels all marks
 * count as there: they only rule out. */

#include "html/node.h"

#define CEL__ABOVE_LEVELS 64

struct cel__above_level {
    uint64_t marks; /* of the element and of all around it */
    uint32_t end;
};

struct cel__above {
    const struct cel__tree *tree;
    uint32_t depth;
    struct cel__above_level levels[CEL__ABOVE_LEVELS];
};

/* The walk begins inside of a node. */
static inline void cel__above_init(struct cel__above *a, const struct cel__tree *t, uint32_t within)
{
    a->tree = t;
    a->depth = 0;
    a->levels[0] = (struct cel__above_level){.end = UINT32_MAX};
    for (; within != 0; within = t->nodes[within].parent)
        a->levels[0].marks |= t->marks[within];
}

/* The walk has come to an element; it must come to all. -> the marks around it. */
static inline uint64_t cel__above_next(struct cel__above *a, uint32_t i)
{
    uint32_t end = a->tree->nodes[i].end;
    uint64_t marks;

    while (i >= a->levels[a->depth].end)
        a->depth--;
    marks = a->levels[a->depth].marks;
    if (end > i + 1 && a->depth + 1 < CEL__ABOVE_LEVELS) {
        bool is_last = ++a->depth == CEL__ABOVE_LEVELS - 1;

        a->levels[a->depth] = (struct cel__above_level){
            .marks = is_last ? UINT64_MAX : marks | a->tree->marks[i], .end = end};
    }
    return marks;
}

#endif
