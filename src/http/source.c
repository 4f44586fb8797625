/* SPDX-License-Identifier: MIT */
#include "http/source.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "io/stream.h"
#include "task/error.h"

#define PRESIZE_MAX ((size_t)1 << 20) /* taken on a peer's word before its bytes have come */
#define GROWTH_MIN  ((size_t)16 << 10)

static void release(struct cel__source *s)
{
    if (s->conn == NULL)
        return;
    if (s->may_keep && s->body.is_ended && s->conn->stream->unread.len == 0)
        cel__conn_give(s->conn);
    else
        cel__conn_drop(s->conn);
    s->conn = NULL;
}

static ssize_t end(struct cel__source *s)
{
    s->is_over = true;
    release(s);
    return 0;
}

static ssize_t fail(struct cel__source *s, ssize_t code)
{
    s->failed = (int)code;
    s->may_keep = false;
    release(s);
    return code;
}

int cel__source_init(struct cel__source *s, struct cel__conn *conn,
                     const struct cel__h1_head *head, const struct cel__source_options *options)
{
    s->conn = conn;
    s->decoder = NULL;
    s->read_timeout = options->read_timeout;
    s->given = 0;
    s->body_max = options->body_max;
    s->may_keep = options->may_keep && head->keep_alive && head->body != CEL__H1_BODY_CLOSE;
    s->is_over = false;
    s->failed = 0;
    cel__body_init(&s->body, conn->stream, head);
    return 0;
}

static int fail_too_large(struct cel__source *s)
{
    return cel__raise((int)fail(s, -CEL_ETOOLARGE), "body",
                      "the body is larger than the limit of %llu bytes (body_max)",
                      (unsigned long long)s->body_max);
}

static ssize_t read_some(struct cel__source *s, struct cel__limit *limit, void *buf, size_t cap)
{
    if (s->body.piece.len == 0 && s->conn->stream->unread.len == 0 && !s->body.is_ended)
        cel__limit_set(limit, "read", s->read_timeout);
    return cel__body_read(&s->body, buf, cap); /* parks */
}

ssize_t cel__source_read(struct cel__source *s, struct cel__limit *limit, void *buf, size_t cap)
{
    ssize_t n;

    if (s->failed != 0 || s->is_over)
        return s->failed;
    n = read_some(s, limit, buf, cap); /* parks */
    if (n < 0)
        return fail(s, n);
    if (n == 0)
        return end(s);
    s->given += (uint64_t)n;
    if (s->given > s->body_max)
        return fail_too_large(s);
    return n;
}

/* Room for what comes, and a NUL behind it: exactly, where the length is known. */
static int make_room(struct cel__source *s, struct cel__buf *out)
{
    size_t more = GROWTH_MIN, cap;
    char *grown;

    if (out->cap - out->len > 1)
        return 0;
    if (s->body.kind == CEL__H1_BODY_LENGTH && s->decoder == NULL)
        more = (size_t)cel__min(s->body.left + s->body.piece.len, PRESIZE_MAX);
    cap = out->len + cel__max(more, out->len) + 1;
    grown = cel__mem_realloc(out->ptr, cap);
    if (grown == NULL)
        return -ENOMEM;
    out->ptr = grown;
    out->cap = cap;
    return 0;
}

int cel__source_read_all(struct cel__source *s, struct cel__limit *limit, struct cel__buf *out)
{
    ssize_t n = 1;

    if (s->body.kind == CEL__H1_BODY_LENGTH && s->decoder == NULL &&
        s->body.left + s->body.piece.len > s->body_max)
        return fail_too_large(s);
    while (n > 0) {
        if (!s->body.is_ended && make_room(s, out) < 0)
            return (int)fail(s, -ENOMEM);
        n = cel__source_read(s, limit, out->ptr + out->len, out->cap - out->len - 1); /* parks */
        out->len += n > 0 ? (size_t)n : 0;
    }
    if (n == 0 && out->ptr != NULL)
        out->ptr[out->len] = '\0';
    return (int)n;
}

void cel__source_fini(struct cel__source *s)
{
    release(s);
    cel__body_fini(&s->body);
}
