/* SPDX-License-Identifier: MIT */
/* Answers: written behind each other into the connection's buffer and sent when no further request
 * is at hand, or when much has gathered: a pipelined batch leaves in one system call. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "celadon/task.h"
#include "http/serving.h"

#define OUT_HIGH (64 * 1024) /* gathered before it is sent */
#define COPY_MAX (16 * 1024) /* a larger body is sent from where it lies */
#define PIECE    (64 * 1024) /* what a client must take within the write timeout */

static int fail(struct cel_reply *reply, int code)
{
    reply->has_failed = true;
    return code;
}

/* (parks) Pieces to the wire, as long as the patience with a client that does not read lasts. */
static int send_pieces(struct cel__connection *c, const struct iovec *iov, int count)
{
    ssize_t n;

    cel__patience_begin(&c->patience, cel__deadline(c, c->server->options.write_timeout));
    n = count == 1 ? cel_write(c->stream, iov->iov_base, iov->iov_len)
                   : cel_writev(c->stream, iov, count); /* parks */
    cel__patience_end(&c->patience);
    c->reply.head_at = SIZE_MAX;
    return n < 0 ? fail(&c->reply, (int)n) : 0;
}

int cel__connection_flush(struct cel__connection *c)
{
    struct iovec iov = {c->out.ptr, c->out.len};
    int r;

    if (c->out.len == 0)
        return 0;
    r = send_pieces(c, &iov, 1); /* parks */
    c->out.len = 0;
    return r;
}

/* Checked now by writing it into a head of its own, so that a bad one is refused where it is set.
 */
int cel_reply_header(struct cel_reply *reply, const char *name, const char *value)
{
    struct cel__h1_write w;

    if (reply->status != 0)
        return -EALREADY;
    if (cel__str_ieq(cel__str(name), CEL_LIT("Date")))
        return -EINVAL;
    cel__h1_write_trailer(&w, &reply->fields);
    return cel__h1_write_field(&w, cel__str(name), cel__str(value));
}

int cel_reply_begin(struct cel_reply *reply, int status, const char *type, int64_t length)
{
    if (reply->status != 0)
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EINVAL;
    return cel__reply_write_head(reply, status, type, length);
}

/* (parks) Behind what is buffered, from where they lie, piece by piece: each has its own time. */
static int send_large(struct cel__connection *c, const char *bytes, size_t len)
{
    int r = 0;

    while (r == 0 && len != 0) {
        size_t now = cel__min(len, (size_t)PIECE);
        struct iovec iov[2] = {{c->out.ptr, c->out.len}, {(void *)bytes, now}};
        int first = c->out.len != 0 ? 0 : 1;

        r = send_pieces(c, iov + first, 2 - first); /* parks */
        c->out.len = 0;
        bytes += now;
        len -= now;
    }
    return r;
}

/* (parks when much is unsent) Body bytes: copied behind the head when few, sent with it when many.
 */
static int put(struct cel__connection *c, const void *bytes, size_t len)
{
    int r;

    if (len <= COPY_MAX) {
        r = cel__buf_add(&c->out, bytes, len);
        if (r < 0)
            return fail(&c->reply, r);
        return c->out.len > OUT_HIGH ? cel__connection_flush(c) : 0; /* parks */
    }
    return send_large(c, bytes, len); /* parks */
}

int cel_reply_bytes(struct cel_reply *reply, int status, const char *type, const void *bytes,
                    size_t len)
{
    int r;

    if (reply->status == 0 && cel__request_is_too_long(&reply->conn->req))
        reply->must_close = true;
    r = cel_reply_begin(reply, status, type != NULL ? type : "application/octet-stream",
                        (int64_t)len);
    if (r < 0)
        return r;
    reply->has_ended = true;
    return reply->has_no_body ? 0 : put(reply->conn, bytes, len); /* parks */
}

int cel_reply_text(struct cel_reply *reply, int status, const char *fmt, ...)
{
    char few[512], *text = few;
    va_list va;
    int len, r;

    va_start(va, fmt);
    len = vsnprintf(few, sizeof few, fmt, va);
    va_end(va);
    if (len < 0)
        return -EINVAL;
    if ((size_t)len >= sizeof few) {
        text = cel__arena_alloc(&reply->conn->arena, (size_t)len + 1);
        if (text == NULL)
            return -ENOMEM;
        va_start(va, fmt);
        vsnprintf(text, (size_t)len + 1, fmt, va);
        va_end(va);
    }
    r = cel_reply_bytes(reply, status, "text/plain; charset=utf-8", text, (size_t)len); /* parks */
    return r;
}

int cel_reply_redirect(struct cel_reply *reply, int status, const char *location)
{
    int r;

    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return -EINVAL;
    r = cel_reply_header(reply, "Location", location);
    return r < 0 ? r : cel_reply_bytes(reply, status, "text/plain; charset=utf-8", "", 0);
}

/* (parks when much is unsent) */
static int put_chunk(struct cel__connection *c, const void *bytes, size_t len)
{
    char line[CEL__CHUNKED_LINE_MAX];
    int r = cel__buf_add(&c->out, line, cel__chunked_line(line, len));

    if (r == 0)
        r = put(c, bytes, len); /* parks */
    if (r == 0)
        r = cel__buf_add(&c->out, "\r\n", 2);
    return r < 0 ? fail(&c->reply, r) : 0;
}

int cel_reply_write(struct cel_reply *reply, const void *bytes, size_t len)
{
    if (reply->status == 0 || reply->has_ended)
        return -EALREADY;
    if (reply->has_failed)
        return -EPIPE;
    if (len == 0 || reply->has_no_body)
        return 0;
    if (reply->is_chunked)
        return put_chunk(reply->conn, bytes, len); /* parks */
    if (reply->has_length && len > reply->left)
        return -EMSGSIZE;
    reply->left -= reply->has_length ? len : 0;
    return put(reply->conn, bytes, len); /* parks */
}

int cel_reply_flush(struct cel_reply *reply)
{
    return reply->has_failed ? -EPIPE : cel__connection_flush(reply->conn); /* parks */
}

bool cel_reply_has_begun(const struct cel_reply *reply)
{
    return reply->status != 0;
}

int cel__reply_finish(struct cel_reply *reply)
{
    struct cel__connection *c = reply->conn;

    if (reply->has_failed)
        return -EPIPE;
    if (reply->status == 0) {
        reply->has_ended = true;
        return cel__reply_write_head(reply, 204, NULL, 0);
    }
    if (reply->has_ended)
        return 0;
    reply->has_ended = true;
    if (reply->is_chunked)
        return cel__buf_add_text(&c->out, CEL__CHUNKED_LAST);
    if (reply->has_length && reply->left != 0 && !reply->has_no_body)
        return fail(reply, -CEL_ETRUNCATED); /* the client must see that it is short */
    return 0;
}

int cel__reply_error(struct cel_reply *reply, int status, const char *cause)
{
    cel__buf_clear(&reply->fields);
    reply->conn->server->stats.errors++;
    return cel_reply_text(reply, status, "%d %s%s%s\n", status, cel__h1_reason((unsigned)status),
                          cause[0] != '\0' ? ": " : "", cause);
}
