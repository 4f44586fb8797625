/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUILD_STATE_H
#define CEL__BUILD_STATE_H

/* What the files of cel__build share. */

#include "html/build.h"

/* A node at the end of the arrays, in no place yet. 0 when nothing more is taken. */
uint32_t cel__build_node(struct cel__build *b, enum cel__node_kind kind);
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
