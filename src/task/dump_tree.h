/* SPDX-License-Identifier: MIT */
#ifndef CEL__DUMP_TREE_H
#define CEL__DUMP_TREE_H

/* Who runs whom. Follows lists: not in a signal handler. */

#include "base/report.h"
#include "task/state.h"

void cel__dump_tree(struct cel__report *to, struct cel_loop *loop);

#endif
