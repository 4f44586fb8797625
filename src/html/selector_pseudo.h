/* SPDX-License-Identifier: MIT */
#ifndef CEL__SELECTOR_PSEUDO_H
#define CEL__SELECTOR_PSEUDO_H

#include "html/selector_parser.h"

/* A pseudo-class or pseudo-element from its first ':' on. 0, -CEL_ESELECTOR, -ENOMEM. */
int cel__parse_pseudo(struct cel__parser *p, struct cel__compound *c);

#endif
