/* SPDX-License-Identifier: MIT */
/* The list is read as it is needed. What is no regular file is waited for as a socket is, so that a
 * slow producer, or a person, keeps nothing else from going on. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <celadon/base.h>
#include <celadon/net.h>

#include "command.h"

#define LINE_FIRST 4096
#define LINE_MOST  (1 << 20)

struct input {
    char **urls;
    size_t count, at;
    const char *path;
    int fd; /* -1: arguments only */
    bool is_regular, is_over;
    size_t line_number;
    char *bytes; /* read and not yet given: from..to */
    size_t from, to, cap;
    void *seen; /* tree of strings */
};

static bool open_list(struct input *in, const char *path)
{
    struct stat st;

    in->path = strcmp(path, "-") == 0 ? "standard input" : path;
    in->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd >= 0 && fstat(in->fd, &st) == 0) {
        in->is_regular = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
        return true;
    }
    complain("cannot read the list %s: %s", in->path, cel_strerror(errno));
    return false;
}

struct input *input_open(char **urls, size_t count, const char *path)
{
    struct input *in = calloc(1, sizeof *in);

    if (in == NULL) {
        complain("out of memory");
        return NULL;
    }
    *in = (struct input){.urls = urls, .count = count, .fd = -1};
    if (path != NULL && !open_list(in, path)) {
        input_close(in);
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
    if (node != NULL && *node == copy)
        return true;
    free(copy);
    return node == NULL;
}

/* Room for more behind what is there, and for a NUL. */
static int make_room(struct input *in)
{
    char *grown;

    if (in->bytes != NULL && in->from > 0) {
        memmove(in->bytes, in->bytes + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
    }
    if (in->to + 1 < in->cap)
        return 0;
    if (in->cap >= LINE_MOST)
        return -CEL_ETOOLARGE;
    grown = realloc(in->bytes, in->cap != 0 ? 2 * in->cap : LINE_FIRST);
    if (grown == NULL)
        return -ENOMEM;
    in->bytes = grown;
    in->cap = in->cap != 0 ? 2 * in->cap : LINE_FIRST;
    return 0;
}

/* (parks) More bytes, or the end. */
static int fill(struct input *in)
{
    ssize_t n;
    int r = in->bytes == NULL || in->to + 1 == in->cap || in->from > 0 ? make_room(in) : 0;

    if (r < 0)
        return r;
    do {
        r = in->is_regular ? 0 : cel_wait_fd(in->fd, POLLIN); /* parks */
        n = r < 0 ? -1 : read(in->fd, in->bytes + in->to, in->cap - in->to - 1);
    } while (r >= 0 && n < 0 && (errno == EINTR || errno == EAGAIN));
    if (r < 0)
        return r;
    if (n < 0)
        return -errno;
    in->to += (size_t)n;
    in->is_over = n == 0;
    return 0;
}

/* (parks) 1 and the next line without its end; 0 behind the last. */
static int next_line(struct input *in, char **line, size_t *len)
{
    char *end;

    while ((end = in->bytes != NULL ? memchr(in->bytes + in->from, '\n', in->to - in->from)
                                    : NULL) == NULL) {
        int r = in->is_over ? 0 : fill(in); /* parks */

        if (r < 0)
            return r;
        if (in->is_over && (in->bytes == NULL || in->from == in->to))
            return 0;
        if (in->is_over) {
            end = in->bytes + in->to++;
            break;
        }
    }
    *line = in->bytes + in->from;
    *len = (size_t)(end - *line);
    *end = '\0';
    in->from = (size_t)(end + 1 - in->bytes);
    in->line_number++;
    return 1;
}

/* Without blanks around, and without the mark that some editors put in front of a file. */
static char *trimmed(char *line, size_t len, bool is_first)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] == '\0')
            line[i] = '\1'; /* a URL has neither; so it is told, not cut */
    if (is_first && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        len -= 3;
    }
    while (len != 0 && strchr(" \t\r", line[len - 1]) != NULL)
        line[--len] = '\0';
    return line + strspn(line, " \t\r");
}

int input_next(void *input, const char **url)
{
    struct input *in = input;
    char *line;
    size_t len;
    int r = 0;

    while (in->at < in->count) {
        *url = in->urls[in->at++];
        if (is_new(in, *url))
            return 1;
    }
    while (in->fd >= 0 && (r = next_line(in, &line, &len)) == 1) { /* parks */
        *url = trimmed(line, len, in->line_number == 1);
        if (**url != '\0' && **url != '#' && is_new(in, *url))
            return 1;
    }
    if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT)
        complain("cannot read the list %s behind line %zu: %s", in->path, in->line_number,
                 cel_strerror(r));
    return r;
}

void input_close(struct input *in)
{
    if (in == NULL)
        return;
    if (in->fd > STDERR_FILENO)
        close(in->fd);
    tdestroy(in->seen, free);
    free(in->bytes);
    free(in);
}
