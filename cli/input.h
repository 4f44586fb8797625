/* SPDX-License-Identifier: MIT */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

/* The list of URLs: from arguments, then from a file, line by line; blank lines and lines that
 * begin with '#' are passed over, and so is a URL that was given before. */

#include <stddef.h>

struct input;

/* path NULL: arguments only; "-": standard input. NULL: complained. */
struct input *input_open(char **urls, size_t count, const char *path);
/* 1 and *url, valid until the next call; 0 at the end. */
int input_next(void *input, const char **url);
void input_close(struct input *input);

#endif
