/* SPDX-License-Identifier: MIT */
#ifndef CEL__MATCH_H
#define CEL__MATCH_H

/* One selector asked of the elements of one document. */

#include "html/node.h"
#include "html/selector.h"

#define CEL__MATCH_BUDGET 50000000

/* A sibling count that was taken, so that the next sibling's needs one step. */
struct cel__match_memo {
    uint32_t node; /* 0: none */
    uint32_t position;
};

/* Marks without which no complex selector of a selector matches. */
struct cel__match_need {
    uint64_t own;
    uint64_t above;
};

struct cel__match {
    const struct cel__tree *tree;
    const struct cel_selector *selector;
    uint32_t *names;               /* the document's numbers of the selector's names */
    struct cel__match_memo *memos; /* CEL__MATCH_MEMOS for each test that counts */
    uint32_t scope;                /* :scope */
    uint32_t anchor;               /* of the :has() that is being asked */
    uint32_t asked;                /* the element whose surroundings bear the marks of `above` */
    uint64_t above;
    struct cel__match_need need;
    int64_t budget; /* steps left; below 0 every answer is no */
    char *room;     /* the two tables, when they do not fit `small` */
    CEL__ALIGNED(8) char small[256];
};

#define CEL__MATCH_MEMOS 4

/* `within` is :scope. -ENOMEM. */
CEL_NODISCARD int cel__match_init(struct cel__match *m, const struct cel_selector *s,
                                  const struct cel__tree *t, uint32_t within);
/* The same of a tree that is being built: the selector's names are added to its, so that they have
 * numbers before the page brings them. */
CEL_NODISCARD int cel__match_init_early(struct cel__match *m, const struct cel_selector *s,
                                        const struct cel__tree *t, struct cel__names *names);
/* Whether the selector can be answered when an element's attributes are there, by it, what is
 * around it and what came before it. *asks_siblings (kept when set) : whether it asks for those. */
bool cel__match_is_early(const struct cel_selector *s, bool *asks_siblings);
/* Attributes by name: of those with a fixed number, and the first others, each by itself. */
#define CEL__ATTR_SET_NAMES 512
struct cel__attr_set {
    bool has_all;
    uint64_t names[CEL__ATTR_SET_NAMES / 64];
};

static inline bool cel__attr_set_has(const struct cel__attr_set *set, uint32_t name)
{
    return set->has_all ||
           (name < CEL__ATTR_SET_NAMES && (set->names[name / 64] >> (name % 64) & 1) != 0);
}

void cel__attr_set_add(struct cel__attr_set *set, uint32_t name);
/* What a match that is answered early looks at of any element: attributes, and of these, those that
 * it looks at by more than the marks of classes and ids. */
struct cel__match_looks {
    struct cel__attr_set attrs;
    struct cel__attr_set tested;
    uint64_t marks;
};
void cel__match_add_looks(const struct cel__match *m, struct cel__match_looks *looks);
/* Nodes from this index on are gone. */
void cel__match_forget(struct cel__match *m, uint32_t from);
void cel__match_fini(struct cel__match *m);

/* -> the first complex selector of the selector that the element matches, or NULL. */
const struct cel__complex *cel__match_element(struct cel__match *m, uint32_t i);
static inline bool cel__match_may(struct cel__match_need need, uint64_t own, uint64_t above)
{
    return ((need.own & ~own) | (need.above & ~above)) == 0;
}

/* The same where the marks of all elements around it are known (html/above.h): what they rule out
 * costs no more than to see that. */
static inline const struct cel__complex *cel__match_below(struct cel__match *m, uint32_t i,
                                                          uint64_t above)
{
    if (!cel__match_may(m->need, m->tree->marks[i], above))
        return NULL;
    m->asked = i;
    m->above = above;
    return cel__match_element(m, i);
}

static inline bool cel__match_is_exhausted(const struct cel__match *m)
{
    return m->budget < 0;
}

/* Takes steps from the budget; false when it is used up. */
static inline bool cel__match_step(struct cel__match *m, int64_t steps)
{
    return (m->budget -= steps) >= 0;
}

#endif
