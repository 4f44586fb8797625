/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SITES_H
#define TESTS_SITES_H

/* Where the library asks for memory: the return address of the call of base/mem.c, so that a run
 * over failing allocations can say which of the places it has met it has also failed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The allocator was called from `caller`; outside of base/mem.c or in it. */
void sites_note(void *caller, bool has_failed);

/* Prints each place with its counts, as comments of the tests' protocol. -> how many never failed.
 * *count (may be NULL): how many there are. */
size_t sites_report(size_t *count);

/* "place FUNCTION", a line for each that has failed. */
void sites_list(FILE *out);
/* Where a program of the suite leaves what it has seen, for tests/harness/test_points.py. NULL:
 * this is no whole run, or none of the suite. */
FILE *sites_open_findings(const char *mode);

#endif
