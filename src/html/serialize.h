/* SPDX-License-Identifier: MIT */
#ifndef CEL__SERIALIZE_H
#define CEL__SERIALIZE_H

#include "base/buf.h"
#include "html/node.h"

/* Node i, or only what is inside it, as HTML. -ENOMEM. */
int cel__serialize(const struct cel__tree *t, uint32_t i, bool is_inner, struct cel__buf *out);

#endif
