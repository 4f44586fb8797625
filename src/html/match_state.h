/* SPDX-License-Identifier: MIT */
#ifndef CEL__MATCH_STATE_H
#define CEL__MATCH_STATE_H

#include "html/node.h"
#include "html/selector.h"

/* The states of links and form controls that a page states by its attributes. */
bool cel__match_state(const struct cel__tree *t, enum cel__test_op op, uint32_t i);

#endif
