/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHARSET_META_H
#define CEL__CHARSET_META_H

#include "html/node.h"

/* The encoding that this node names, if it is a meta element that names one, or -1. */
int cel__charset_of_node(const struct cel__tree *t, uint32_t node);

/* The encoding that the first meta element of a document that names one names, or -1. */
int cel__charset_of_tree(const struct cel__tree *t);

#endif
