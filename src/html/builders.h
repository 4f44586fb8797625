/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUILDERS_H
#define CEL__BUILDERS_H

/* Who else turns HTML into a tree. The builder is begun by the caller and finished
 * by the caller; the bytes are UTF-8 and not empty. */

#include "html/tree.h"

/* libxml2's, which is what 'lxml' means to Python programs. 0 or -ENOMEM. */
CEL_NODISCARD int cel__build_libxml2(struct cel__tree_builder *b, struct cel_str html);

#endif
