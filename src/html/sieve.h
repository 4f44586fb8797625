/* SPDX-License-Identifier: MIT */
#ifndef CEL__SIEVE_H
#define CEL__SIEVE_H

/* Keeping of a page, while it is parsed, only what somebody wants.
 *
 * The owner is asked of each element when its attributes are there, and says whether it wants to
 * see what is in it. When such an element ends, the owner is shown it whole; then it goes, as all
 * others go when they end. Text is taken in only inside of such elements.
 *
 * 1. What the owner may look at while it is asked: the element, its ancestors, and, if
 *    `keeps_siblings`, the siblings before each of them, without what was in them. They are what
 *    they would be in the finished tree.
 * 2. A page whose nodes do not come in document order, or that runs into a limit, is lost to the
 *    sieve: the owner parses it again into a tree. Nothing that was said of it counts.
 * 3. Reading ends early only where nothing in the rest can change what was: no formatting element
 * or table is open whose contents could still be moved, and there is no tag in the rest that works
 *    on what lies before it (body, html, frameset).
 * 4. Nodes and bytes that went are counted, so that limits are met as if they were kept. */

#include "base/cc.h"
#include "html/build.h"
#include "html/match.h"

/* What the owner wants of an element: nothing, the text in it, or the nodes as well. */
enum cel__sieve_answer { CEL__SIEVE_NOTHING, CEL__SIEVE_TEXT, CEL__SIEVE_NODES };

struct cel__sieve_step {
    uint64_t marks; /* of the element and of all around it */
    uint32_t node;
    uint32_t attrs; /* of the tree when its own were there */
    uint32_t attrs_before;
    uint32_t values, values_before;
    uint64_t at;       /* of the tag of one that has no node yet (skim.c) */
    uint8_t wanted;    /* enum cel__sieve_answer */
    bool ends_in_text; /* what came last inside is text */
};

struct cel__sieve {
    /* `above`: the marks of all elements around it. -> enum cel__sieve_answer, or negative: an
     * error that ends all. */
    int (*open)(void *arg, uint32_t node, uint64_t above);
    /* A wanted one is whole. 0, or negative as open. */
    int (*close)(void *arg, uint32_t node);
    /* wants_no_more is set, and nothing that is open can change what was. Whether the rest of the
     * page, from this byte on, cannot either. */
    bool (*may_end)(void *arg, uint64_t at);
    /* Nodes from this index on are gone; said if siblings are kept. */
    void (*forget)(void *arg, uint32_t from);
    void *arg;
    bool keeps_siblings;
    /* Of the owner's selectors. An element that bears none of looks.marks, no attribute of
     * looks.tested, and not all marks of any of `needs`, is nothing to them but its name. */
    struct cel__match_looks looks;
    const struct cel__match_need *needs;
    const size_t *need_count;
    struct cel_str page;           /* all that is parsed */
    bool wants_no_more;            /* the owner */
    bool is_over;                  /* the rest need not be read */
    bool is_lost;                  /* this page needs a tree */
    int error;                     /* what open or close said */
    uint32_t wanted;               /* elements that are open */
    uint32_t wanted_nodes;         /* of them, those whose nodes are */
    uint32_t nodes, most_nodes;    /* so many there would be, and may be */
    size_t bytes, most_bytes;      /* of text and values, likewise */
    struct cel__sieve_step *steps; /* one for each of the build's path */
    uint32_t step_cap;
    bool is_simple;   /* the next token may be skimmed */
    uint32_t skimmed; /* innermost open elements that have no node; their steps follow */
};

/* For a build of the limits. -ENOMEM. */
CEL_NODISCARD int cel__sieve_init(struct cel__sieve *s, const struct cel__tree_limits *limits);
void cel__sieve_fini(struct cel__sieve *s);

/* Something is about to be put into that place. The end of the path is the only one where it goes
 * unnoticed by the tree what the sieve does. */
static inline void cel__sieve_check(struct cel__sieve *s, const struct cel__build *b,
                                    struct cel__build_place at)
{
    if (at.before != 0 || b->is_linked || b->path[b->depth].node != at.parent)
        s->is_lost = true;
}

/* An element has come, with its attributes, to the end of the path. */
void cel__sieve_opened(struct cel__sieve *s, struct cel__build *b, uint32_t node);
/* One that was skimmed has got a node, likewise. */
void cel__sieve_keep(struct cel__sieve *s, struct cel__build *b, uint32_t node);
/* An element ends. `may_go`: nobody knows it, or what is in it, by number any more. */
void cel__sieve_closed(struct cel__sieve *s, struct cel__build *b, uint32_t node, bool may_go);
static inline void cel__sieve_count(struct cel__sieve *s, uint32_t nodes, size_t bytes)
{
    s->nodes += nodes;
    s->bytes += bytes;
    if (cel__unlikely(s->nodes > s->most_nodes || s->bytes > s->most_bytes))
        s->is_lost = true;
}

/* Whether the text is to be put into the tree. */
static inline bool cel__sieve_takes_text(struct cel__sieve *s, const struct cel__build *b,
                                         struct cel_str text)
{
    struct cel__sieve_step *step = &s->steps[b->depth + s->skimmed];

    cel__sieve_count(s, !step->ends_in_text, text.len);
    step->ends_in_text = true;
    return s->wanted != 0;
}

/* Likewise a comment, the text of a script, a doctype. */
static inline bool cel__sieve_takes_raw(struct cel__sieve *s, const struct cel__build *b,
                                        struct cel_str text)
{
    s->steps[b->depth + s->skimmed].ends_in_text = false;
    cel__sieve_count(s, 1, text.len);
    return s->wanted != 0;
}

/* Whether an element's attribute is to be put into the tree, if the parser does not ask for it. */
static inline bool cel__sieve_takes_attr(const struct cel__sieve *s, uint32_t name)
{
    return s->wanted_nodes != 0 || cel__attr_set_has(&s->looks.attrs, name);
}
/* The end of the page: everything ends. */
void cel__sieve_end(struct cel__sieve *s, struct cel__build *b);

#endif
