/* SPDX-License-Identifier: MIT */
#ifndef CEL__TREE_DUMP_H
#define CEL__TREE_DUMP_H

#include "base/buf.h"
#include "html/node.h"

/* Appends what is inside node i, a line for each node, in the notation of the html5lib tests. With
 * `positions`, each node's line begins with the offset of its token, when the tree has them.
 * -ENOMEM. */
CEL_NODISCARD int cel__dump(const struct cel__tree *t, uint32_t i, bool positions,
                            struct cel__buf *out);

#endif
