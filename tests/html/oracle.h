/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

/* Trees of other parsers in our form, to be compared by their dumps. */

#include "html/tree.h"

/* What myhtml makes of UTF-8 that is not empty. A template's content lies in the element itself,
 * and a doctype has its name only. The caller finis the tree. Fails the test when memory is out. */
void oracle_myhtml(struct cel_str html, struct cel__tree *out);

/* The same of our parser, and the dump of either as the two are compared: ids of doctypes dropped.
 */
void oracle_ours(struct cel_str html, struct cel__tree *out);
void oracle_dump(struct cel__tree *t, struct cel__buf *out);

#endif
