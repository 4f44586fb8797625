/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ORACLE_MYHTML_H
#define TESTS_ORACLE_MYHTML_H

#include "html/tree.h"

/* Into a builder that the caller begins and finishes. 0 or -ENOMEM. */
int oracle_myhtml(struct cel__tree_builder *b, struct cel_str html);

#endif
