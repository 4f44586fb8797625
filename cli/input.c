/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/base.h>

#include "command.h"

struct input {
    char **urls;
    size_t count, at;
    FILE *file; /* NULL: arguments only */
    char *line;
    size_t cap;
    void *seen; /* tree of strings */
};

struct input *input_open(char **urls, size_t count, const char *path)
{
    struct input *in = calloc(1, sizeof *in);

    if (in == NULL) {
        complain("out of memory");
        return NULL;
    }
    *in = (struct input){.urls = urls, .count = count};
    if (path == NULL)
        return in;
    in->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (in->file == NULL) {
        complain("cannot read the list %s: %s", path, cel_strerror(errno));
        free(in);
        return NULL;
    }
    return in;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Out of memory it is taken for new: fetched twice rather than not at all. */
static bool is_new(struct input *in, const char *url)
{
    char *copy = strdup(url), **node;

    if (copy == NULL)
        return true;
    node = tsearch(copy, &in->seen, compare);
    if (node == NULL || *node == copy)
        return true;
    free(copy);
    return false;
}

static char *trimmed(char *line)
{
    size_t len;

    line += strspn(line, " \t\r\n");
    len = strlen(line);
    while (len != 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
        line[--len] = '\0';
    return line;
}

int input_next(void *input, const char **url)
{
    struct input *in = input;

    while (in->at < in->count) {
        *url = in->urls[in->at++];
        if (is_new(in, *url))
            return 1;
    }
    while (in->file != NULL && getline(&in->line, &in->cap, in->file) >= 0) {
        *url = trimmed(in->line);
        if (**url != '\0' && **url != '#' && is_new(in, *url))
            return 1;
    }
    return 0;
}

void input_close(struct input *in)
{
    if (in == NULL)
        return;
    if (in->file != NULL && in->file != stdin)
        fclose(in->file);
    tdestroy(in->seen, free);
    free(in->line);
    free(in);
}
