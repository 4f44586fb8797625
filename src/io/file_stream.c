/* SPDX-License-Identifier: MIT */
/* A file as a stream: the position is kept here, and what is unread is a block of the heap. */
#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"
#include "io/file.h"
#include "io/stream.h"

#define BLOCK 65536

struct file_stream {
    struct cel_stream stream; /* first: freed as a stream */
    struct cel_file *file;
    int64_t at;
};

/* Where the reader of the stream is, which is before what it has not taken yet, is where a write
 * goes: what is unread is forgotten then. */
static void forget_unread(struct cel_stream *s)
{
    struct file_stream *self = (struct file_stream *)s;

    self->at -= (int64_t)s->unread.len;
    cel__unread_fini(&s->unread);
}

static ssize_t file_read(struct cel_stream *s, void *buf, size_t len)
{
    struct file_stream *self = (struct file_stream *)s;
    ssize_t n =
        s->is_closed ? -CEL_ECLOSED : cel_file_read(self->file, buf, len, self->at); /* parks */

    if (n > 0)
        self->at += n;
    return n;
}

static ssize_t file_fill(struct cel_stream *s, struct cel__unread *u)
{
    char *block = cel__mem_alloc(BLOCK);
    ssize_t n = block != NULL ? file_read(s, block, BLOCK) : -ENOMEM; /* parks */

    if (n > 0)
        cel__unread_take_own(u, block, BLOCK, (size_t)n);
    else
        cel__mem_free(block);
    return n;
}

static ssize_t file_write(struct cel_stream *s, const void *buf, size_t len)
{
    struct file_stream *self = (struct file_stream *)s;
    ssize_t n;

    if (s->is_closed)
        return -CEL_ECLOSED;
    forget_unread(s);
    n = cel_file_write(self->file, buf, len, self->at); /* parks */
    if (n < 0)
        return n;
    self->at += n;
    s->written += (size_t)n;
    return n;
}

static ssize_t file_writev(struct cel_stream *s, struct iovec *iov, int count)
{
    struct file_stream *self = (struct file_stream *)s;
    ssize_t n;

    if (s->is_closed)
        return -CEL_ECLOSED;
    forget_unread(s);
    n = cel_file_writev(self->file, iov, count, self->at); /* parks */
    if (n < 0)
        return n;
    self->at += n;
    s->written += (size_t)n;
    return n;
}

static int file_shutdown(struct cel_stream *s)
{
    return -ENOTSOCK;
}

static bool file_is_quiet(struct cel_stream *s)
{
    return false;
}

static void file_farewell(struct cel_stream *s)
{
}

static void file_fini(struct cel_stream *s)
{
    cel_file_close(((struct file_stream *)s)->file);
}

static const struct cel__transport by_file = {
    .read = file_read,
    .fill = file_fill,
    .write = file_write,
    .writev = file_writev,
    .shutdown = file_shutdown,
    .is_quiet = file_is_quiet,
    .farewell = file_farewell,
    .fini = file_fini,
};

/* The stream has a record of the descriptor of its own: what is closed with the stream ends at
 * once, and the file when nobody is inside any more. */
int cel_file_stream(struct cel_stream **out, struct cel_file *file, int64_t offset)
{
    struct file_stream *self = cel__mem_zalloc(sizeof *self);
    int r;

    if (self == NULL)
        return -ENOMEM;
    r = cel__fd_open(cel__loop_here, &self->stream.fd, file->fd->fd, false);
    if (r < 0) {
        cel__mem_free(self);
        return r;
    }
    self->stream.via = &by_file;
    self->file = file;
    self->at = offset;
    *out = &self->stream;
    return 0;
}
