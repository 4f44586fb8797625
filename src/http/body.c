/* SPDX-License-Identifier: MIT */
/* Bodies come in pieces that lie in the stream's buffer. What frames them is taken off here.
 *
 * 1. `piece` is what can be had without reading; the stream is consumed by `used` bytes, which
 *    covers the piece and the framing before it, as soon as the piece is used up.
 * 2. is_ended is set only when every byte of the body and of its framing was consumed. */
#include "http/body.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "task/error.h"

void cel__body_init(struct cel__body *b, struct cel_stream *stream, const struct cel__h1_head *head)
{
    b->stream = stream;
    b->left = head->body_bytes;
    b->received = 0;
    b->piece = (struct cel_str){0};
    b->used = 0;
    b->kind = head->body;
    b->limit = NULL;
    b->is_ended = b->kind == CEL__H1_BODY_NONE || (b->kind == CEL__H1_BODY_LENGTH && b->left == 0);
    if (b->kind == CEL__H1_BODY_CHUNKED)
        cel__chunked_init(&b->chunked, NULL);
}

void cel__body_fini(struct cel__body *b)
{
    if (b->kind == CEL__H1_BODY_CHUNKED)
        cel__chunked_fini(&b->chunked);
    b->kind = CEL__H1_BODY_NONE;
}

static int ended_early(const struct cel__body *b)
{
    if (b->kind == CEL__H1_BODY_LENGTH)
        return cel__raise(-CEL_ETRUNCATED, "body",
                          "the peer closed after %llu bytes of the body, %llu were announced",
                          (unsigned long long)b->received,
                          (unsigned long long)(b->received + b->left));
    return cel__raise(-CEL_ETRUNCATED, "body",
                      "the peer closed after %llu bytes of a chunked body, before its last chunk",
                      (unsigned long long)b->received);
}

static int fail_read(const struct cel__body *b, ssize_t r)
{
    if (r == -ECANCELED || r == -ETIMEDOUT || r == -CEL_ETLS)
        return (int)r;
    return cel__raise((int)r, "body", "reading the body, after %llu bytes: %s",
                      (unsigned long long)b->received, cel_strerror((int)r));
}

/* Finds the next piece in [in, in + len), which is not empty. 1: found, 0: needs more. */
static int unchunk(struct cel__body *b, const char *in, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t used;
        int r = cel__chunked_next(&b->chunked, in + at, len - at, &used, &b->piece);

        if (r < 0)
            return cel__raise(r, "body", "%s",
                              b->chunked.why != NULL ? b->chunked.why : cel_strerror(r));
        at += used;
        if (r == 1)
            b->is_ended = true;
        if (b->piece.len > 0 || r == 1)
            break;
    }
    b->used = at;
    return b->piece.len > 0;
}

static int find_piece(struct cel__body *b, const char *in, size_t len)
{
    if (b->kind == CEL__H1_BODY_CHUNKED)
        return unchunk(b, in, len);
    if (b->kind == CEL__H1_BODY_LENGTH && len > b->left)
        len = (size_t)b->left;
    b->piece = (struct cel_str){in, len};
    b->used = len;
    b->left -= b->kind == CEL__H1_BODY_LENGTH ? len : 0;
    return 1;
}

static void settle(struct cel__body *b)
{
    if (b->used > 0)
        cel_consume(b->stream, b->used);
    b->used = 0;
    if (b->kind == CEL__H1_BODY_LENGTH && b->left == 0)
        b->is_ended = true;
}

int cel__body_peek(struct cel__body *b, struct cel_str *piece)
{
    while (b->piece.len == 0) {
        const char *in;
        ssize_t n;
        int r;

        settle(b);
        if (b->is_ended)
            return 0;
        n = cel_peek(b->stream, &in, 1); /* parks */
        if (n < 0)
            return fail_read(b, n);
        if (n == 0) {
            if (b->kind != CEL__H1_BODY_CLOSE)
                return ended_early(b);
            b->is_ended = true;
            return 0;
        }
        r = find_piece(b, in, (size_t)n);
        if (r < 0)
            return r;
        b->received += b->piece.len;
        if (b->piece.len == 0 && b->limit != NULL)
            cel__limit_touch(b->limit);
    }
    *piece = b->piece;
    return 1;
}

void cel__body_take(struct cel__body *b, size_t n)
{
    CEL__ASSERT(n <= b->piece.len);
    b->piece.ptr += n;
    b->piece.len -= n;
    if (b->piece.len == 0)
        settle(b);
}

/* Straight into the destination, past the stream's buffer. */
static ssize_t read_direct(struct cel__body *b, void *buf, size_t cap)
{
    ssize_t n;

    if (b->kind == CEL__H1_BODY_LENGTH)
        cap = cel__min(cap, b->left);
    n = cel_read(b->stream, buf, cap); /* parks */
    if (n < 0)
        return fail_read(b, n);
    if (n == 0 && b->kind == CEL__H1_BODY_LENGTH)
        return ended_early(b);
    b->received += (uint64_t)n;
    if (b->kind == CEL__H1_BODY_LENGTH)
        b->left -= (uint64_t)n;
    b->is_ended = b->kind == CEL__H1_BODY_LENGTH ? b->left == 0 : n == 0;
    return n;
}

ssize_t cel__body_read(struct cel__body *b, void *buf, size_t cap)
{
    struct cel_str piece = {0};
    int r;

    if (b->piece.len == 0 && !b->is_ended && cap > 0 && b->kind != CEL__H1_BODY_CHUNKED) {
        settle(b);
        return b->is_ended ? 0 : read_direct(b, buf, cap); /* parks */
    }
    r = cel__body_peek(b, &piece); /* parks */
    if (r <= 0)
        return r;
    CEL__ASSERT(piece.ptr != NULL && "a peek that succeeds has seen bytes");
    cap = cel__min(cap, piece.len);
    memcpy(buf, piece.ptr, cap);
    cel__body_take(b, cap);
    return (ssize_t)cap;
}
