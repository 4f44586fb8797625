/* SPDX-License-Identifier: MIT */
#ifndef CEL__MATCH_ATTR_H
#define CEL__MATCH_ATTR_H

/* Comparing texts the ways that selectors do. */

#include "html/node.h"
#include "html/selector.h"

/* One of the enum cel__attr_op comparisons. */
bool cel__match_value(struct cel_str value, uint8_t op, struct cel_str wanted, bool fold);
/* Whether `word` is one of the blank-separated words of `value`. */
bool cel__match_word(struct cel_str value, struct cel_str word, bool fold);
/* :-soup-contains() of any of the test's texts. */
bool cel__match_contains(const struct cel__tree *t, const struct cel__test *test, uint32_t i);
/* :lang() of any of the test's ranges. */
bool cel__match_lang(const struct cel__tree *t, const struct cel__test *test, uint32_t i);

#endif
