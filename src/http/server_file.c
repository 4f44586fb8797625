/* SPDX-License-Identifier: MIT */
/* A file's bytes as a reply's body. Small ones are read behind the head and leave with it; large
 * ones go from the page cache to the socket, and only where the socket is full, or is no plain one,
 * a piece is read and written, which parks. A file that is cold costs one disk wait a piece: what
 * is in the page cache is read in less than the way to a thread and back. */
#include <errno.h>

#include "base/cc.h"
#include "base/sys.h"
#include "celadon/task.h"
#include "http/serving.h"
#include "io/stream.h"
#include "task/wait.h"

#define SMALL (32 * 1024) /* up to here a file is copied */
#define ONCE  (1024 * 1024)

/* (parks when much is unsent) Reads behind what is buffered. -> how many. */
static ssize_t copy_piece(struct cel_reply *reply, int fd, int64_t from, int64_t len)
{
    struct cel__connection *c = reply->conn;
    size_t room = (size_t)cel__min(len, (int64_t)SMALL);
    ssize_t n;
    int r = cel__buf_reserve(&c->out, room);

    if (r < 0)
        return r;
    do
        n = cel__sys.pread(fd, c->out.ptr + c->out.len, room, from);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -CEL_ETRUNCATED;
    c->out.len += (size_t)n;
    reply->left -= (uint64_t)n;
    if (len > SMALL)
        r = cel__connection_flush(c); /* parks */
    return r < 0 ? r : n;
}

/* (parks) As many as the socket takes now. -> how many; 0: none. */
static ssize_t send_piece(struct cel_reply *reply, int fd, int64_t from, int64_t len)
{
    struct cel__connection *c = reply->conn;
    ssize_t n;
    int r = cel_checkpoint();

    if (r == 0)
        r = cel__connection_flush(c); /* parks */
    if (r < 0)
        return r;
    n = cel__stream_send_file(c->stream, fd, from, (size_t)cel__min(len, (int64_t)ONCE));
    if (n > 0)
        reply->left -= (uint64_t)n;
    if (n < 0)
        reply->has_failed = true;
    cel__credit_take_for(c->loop, n); /* parks */
    return n;
}

int cel__reply_send_file(struct cel_reply *reply, int fd, int64_t from, int64_t len)
{
    CEL__ASSERT(reply->has_length && "a file is sent by its length");
    if (reply->has_no_body)
        return 0;
    while (len > 0) {
        ssize_t n = len > SMALL ? send_piece(reply, fd, from, len) : 0; /* parks */

        if (n == 0)
            n = copy_piece(reply, fd, from, len); /* parks */
        if (n < 0)
            return (int)n;
        from += n;
        len -= n;
    }
    return 0;
}
