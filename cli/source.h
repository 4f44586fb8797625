/* SPDX-License-Identifier: MIT */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

/* A page from a file or from standard input. */

#include <stddef.h>

#define SOURCE_MAX ((size_t)256 << 20) /* the most that the library takes */

/* The whole file ("-": standard input), its length in *len; the caller's to free. NULL: complained.
 */
char *source_read(const char *path, size_t *len);

#endif
