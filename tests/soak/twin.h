/* SPDX-License-Identifier: MIT */
#ifndef SOAK_TWIN_H
#define SOAK_TWIN_H

/* Programs that a seed makes up, and what can be seen of their runs: the same on each backend.
 *
 * A case is some subjects that run at once, each a task with draws and a trace of its own. What a
 * subject writes into its trace must follow from the draws and from what the library promises,
 * never from who was faster: so sums and orders are told, not how a stream was cut into pieces. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <celadon/task.h>

struct subject {
    uint64_t chance; /* the state of its draws */
    uint64_t script; /* hash of all that it was asked to do */
    unsigned steps;
    unsigned long seed;
    unsigned number; /* within its case */
    FILE *trace;
};

typedef void subject_fn(struct subject *s);

subject_fn talk, mail, visit_doors, keep_files, keep_time, pass_values, nest_scopes, use_threads,
    surf;

/* Below bound, which is > 0. */
uint64_t draw(struct subject *s, uint64_t bound);
/* Below bound, and small ones as often as large ones. */
size_t draw_size(struct subject *s, size_t bound);

/* A step begins: what is to be done. */
void does(struct subject *s, const char *fmt, ...) CEL_PRINTF(2, 3);
/* What came of it. */
void got(struct subject *s, const char *fmt, ...) CEL_PRINTF(2, 3);

/* A result as text: a number, or the name of a code. Of the last eight. */
const char *told(int64_t result);

/* ---- bytes that know their place ---- */

#define BYTES_MAX ((size_t)12 << 20)

/* Of the endless row of bytes those from `at` on; up to BYTES_MAX of them can be read. */
const char *bytes_from(uint64_t at);
uint64_t hash_of(const void *bytes, size_t len);

#endif
