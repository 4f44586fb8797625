/* SPDX-License-Identifier: MIT */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

/* The list of URLs: from arguments, then from a file, line by line; blank lines and lines that
 * begin with '#' are passed over, and so is a URL that was given before. Lines end as on Unix or as
 * on Windows; a byte order mark is passed over. */

#include <stddef.h>

struct input;

/* path NULL: arguments only; "-": standard input. NULL: complained. */
struct input *input_open(char **urls, size_t count, const char *path);
/* (parks) 1 and *url, valid until the next call; 0 at the end. Negative: the list could not be read
 * on; complained, unless the wait was cancelled. */
int input_next(void *input, const char **url);
void input_close(struct input *input);

#endif
