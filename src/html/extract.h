/* SPDX-License-Identifier: MIT */
#ifndef CEL__EXTRACT_H
#define CEL__EXTRACT_H

/* What the two ways of taking fields from a page share: from a finished tree (extract.c), and while
 * it is parsed (fields_scan.c). */

#include "html/fields.h"
#include "html/match.h"

struct cel__hit {
    uint32_t field;
    uint32_t node;
    const struct cel__complex *by;
    size_t at, len;  /* of its value, once it is taken */
    bool is_pending; /* its value comes when the element ends */
    bool is_void;    /* it turned out to have none */
};

struct cel__seeker {
    const struct cel__field *field;
    struct cel__match match;
    uint32_t index;
    bool wants_all;
};

struct cel__extraction {
    const struct cel_fields *fields;
    const struct cel__tree *tree;
    struct cel__seeker *seekers;
    struct cel__seeker **live;     /* the first `live_count` still seek */
    struct cel__match_need *needs; /* of each of them */
    size_t live_count;
    struct cel__hit *hits;
    size_t hit_count;
    size_t hit_cap;
    struct cel__buf scratch;
    struct cel__buf taken; /* values */
    bool is_taken;         /* they are all there, and the tree is not */
};

/* `early`: the names of a tree that is still empty, which those of the selectors are added to;
 * NULL: the tree is finished. -ENOMEM; `end` is due in any case. */
CEL_NODISCARD int cel__extraction_begin(struct cel__extraction *x, struct cel__names *early);
void cel__extraction_end(struct cel__extraction *x);
/* That one of the live has all it wants. */
static inline void cel__extraction_end_live(struct cel__extraction *x, size_t k)
{
    x->live_count--;
    x->live[k] = x->live[x->live_count];
    x->needs[k] = x->needs[x->live_count];
}

/* The value of a hit; ptr is NULL when the element lacks what is asked. Valid until the next. */
struct cel_str cel__extraction_value(struct cel__extraction *x, const struct cel__hit *hit);
CEL_NODISCARD int cel__extraction_note(struct cel__extraction *x, const struct cel__hit *hit);
/* The item of all hits. -ENOMEM. */
CEL_NODISCARD int cel__extraction_fill(struct cel__extraction *x, struct cel_item **out);

#endif
