/* SPDX-License-Identifier: MIT */
#ifndef TESTS_HTML5LIB_H
#define TESTS_HTML5LIB_H

/* Files of the html5lib test suite: found, read, and cut into their sections. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "html/parse.h"

/* A case of a .dat file: its sections by name ("#data"), each without its last newline. */
struct dat_section {
    struct cel_str name;
    struct cel_str body;
};

struct dat_case {
    struct dat_section sections[8];
    size_t count;
    int line; /* where it begins, from 1 */
};

/* Every file of tests/data/html5lib/FOLDER that ends in `suffix`, sorted, below it too. The names
 * are allocated. Fails the test when there is none. */
size_t suite_files(const char *folder, const char *suffix, char ***out);
void suite_files_free(char **files, size_t count);
/* The whole file; fails the test when it cannot be read. */
void suite_read(const char *path, struct cel__buf *out);

/* The next case of *rest, which begins with "#data"; false at the end. */
bool dat_next(struct cel_str *rest, int *line, struct dat_case *out);
/* NULL when the case has no such section. */
const struct cel_str *dat_section(const struct dat_case *c, const char *name);

/* What a "#document-fragment" says. */
void suite_context(struct cel__parse_options *options, struct cel_str context);
/* Bytes go in as [0, cut), [cut, len); with a cut behind the end, one by one. */
void suite_feed(struct cel__parser *p, struct cel_str input, size_t cut);

#endif
