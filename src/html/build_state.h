/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUILD_STATE_H
#define CEL__BUILD_STATE_H

/* What the files of cel__build share. */

#include <string.h>

#include "base/cc.h"
#include "html/build.h"

/* Makes room for another node, with all that nodes have beside them. false: no more is taken. */
bool cel__build_make_room(struct cel__build *b);

/* Room for one more on the path. false: it is as long as may be, or memory is out. */
bool cel__build_lengthen(struct cel__build *b);

/* Room for so many bytes more in the text or the values. -ENOMEM: nothing more is taken. */
CEL_NODISCARD int cel__build_grow_bytes(struct cel__build *b, struct cel__buf *run, size_t more);

static inline bool cel__build_add_bytes(struct cel__build *b, struct cel__buf *run,
                                        struct cel_str bytes)
{
    if (cel__unlikely(run->cap - run->len < bytes.len) &&
        cel__build_grow_bytes(b, run, bytes.len) < 0)
        return false;
    memcpy(run->ptr + run->len, bytes.ptr, bytes.len);
    run->len += bytes.len;
    return true;
}

/* A node at the end of the arrays, in no place yet. 0 when nothing more is taken. */
static inline uint32_t cel__build_node(struct cel__build *b, enum cel__node_kind kind)
{
    struct cel__tree *t = &b->tree;
    uint32_t i = t->count;

    if (cel__unlikely(b->is_full || b->is_linked || b->is_positions || i + 2 > b->node_cap) &&
        !cel__build_make_room(b))
        return 0;
    t->nodes[i] = (struct cel__node){
        .text_at = (uint32_t)t->text.len, .attrs = t->attr_count, .kind = (uint8_t)kind};
    t->marks[i] = 0;
    t->count++;
    return i;
}

/* Gives every node its links. */
void cel__build_link_up(struct cel__build *b);
/* Puts an unplaced node into its place. */
void cel__build_attach(struct cel__build *b, uint32_t node, struct cel__build_place at);
void cel__build_fail(struct cel__build *b);
/* A limit is met, after which nothing more is taken. */
void cel__build_fill_up(struct cel__build *b, enum cel__cut cut);
/* A value behind the others, as a new attribute of no node yet. */
bool cel__build_add_attr(struct cel__build *b, uint32_t name, enum cel__ns ns,
                         struct cel_str value);

#endif
