/* SPDX-License-Identifier: MIT */
#ifndef CEL__TEXT_H
#define CEL__TEXT_H

#include "base/buf.h"
#include "html/node.h"

/* Without the blanks at both ends, those of Unicode included, as Python's strip() has it. */
struct cel_str cel__text_strip(struct cel_str s);
/* The text of the element's own text nodes, one behind the other. -ENOMEM. */
int cel__text_own(const struct cel__tree *t, uint32_t i, struct cel__buf *out);
/* Appends the bytes, what is broken in them as U+FFFD. -ENOMEM. */
int cel__text_add(struct cel__buf *out, struct cel_str s);

#endif
