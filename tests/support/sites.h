/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SITES_H
#define TESTS_SITES_H

/* Where the library asks for memory: the return address of the call of base/mem.c, so that a run
 * over failing allocations can say which of the places it has met it has also failed. */

#include <stdbool.h>
#include <stddef.h>

/* The allocator was called from `caller`; outside of base/mem.c or in it. */
void sites_note(void *caller, bool has_failed);

/* Prints each place with its counts, as comments of the tests' protocol. -> how many never failed.
 * *count (may be NULL): how many there are. */
size_t sites_report(size_t *count);

#endif
