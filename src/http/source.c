/* SPDX-License-Identifier: MIT */
/* Bodies are pulled: nothing is read from the connection before the reader has room for it, so a
 * bomb costs at most the limits, and a slow reader slows the sender down.
 *
 * A connection goes back as soon as the last byte was read, and only if nothing lies behind that
 * byte: what a server sends unasked would be taken for the next answer. */
#include "http/source.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "io/stream.h"
#include "task/error.h"
#include "task/wait.h"

#define PRESIZE_MAX ((size_t)1 << 20) /* taken on a peer's word before its bytes have come */
#define GROWTH_MIN  ((size_t)16 << 10)
#define YIELD_BYTES ((uint64_t)1 << 20) /* decoded in one go */

static void release(struct cel__source *s)
{
    if (s->conn == NULL || s->is_held)
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

/* All the fields of that name, as one list. */
static int join_codings(struct cel__buf *out, const struct cel__h1_head *head, const char *bytes)
{
    const struct cel__h1_field *f = cel__h1_find(head, CEL__FIELD_CONTENT_ENCODING, 0);

    for (; f != NULL;
         f = cel__h1_find(head, CEL__FIELD_CONTENT_ENCODING, (uint32_t)(f - head->fields) + 1)) {
        cel__buf_add_text(out, out->len > 0 ? ", " : "");
        cel__buf_add_str(out, cel__h1_value(bytes, f));
    }
    return out->failed ? -ENOMEM : 0;
}

static int open_decode(struct cel__source *s, const struct cel__h1_head *head,
                       const struct cel__source_options *options)
{
    struct cel__decode_limits limits = cel__decode_limits_default;
    struct cel__buf codings = {0};
    const char *why = NULL;
    int r = join_codings(&codings, head, options->head_bytes);

    limits.output_bytes = 0; /* counted here */
    limits.ratio = options->ratio_max;
    if (r == 0)
        r = cel__decode_new(&s->decode, cel__buf_str(&codings), &limits, &why);
    if (r < 0)
        cel__raise(r, "decode", "Content-Encoding \"%.*s\": %s", CEL_STR(codings),
                   why != NULL ? why : cel_strerror(r));
    cel__buf_fini(&codings);
    if (r == 0 && cel__decode_is_identity(s->decode)) {
        cel__decode_free(s->decode);
        s->decode = NULL;
    }
    return r < 0 ? (int)fail(s, r) : 0;
}

int cel__source_init(struct cel__source *s, struct cel__conn *conn, const struct cel__h1_head *head,
                     const struct cel__source_options *options)
{
    int r = 0;

    s->conn = conn;
    s->decode = NULL;
    s->wants_input = true;
    s->yielded_at = 0;
    s->read_timeout = options->read_timeout;
    s->given = 0;
    s->body_max = options->body_max;
    s->may_keep = options->may_keep && head->keep_alive && head->body != CEL__H1_BODY_CLOSE;
    s->is_held = options->is_held;
    s->is_over = false;
    s->failed = 0;
    cel__body_init(&s->body, conn->stream, head);
    if (!options->no_decoding && !s->body.is_ended &&
        cel__h1_has(head, CEL__FIELD_CONTENT_ENCODING))
        r = open_decode(s, head, options);
    if (r == 0)
        cel_consume(conn->stream, options->head_len); /* from here on the head's bytes are gone */
    return r;
}

static int fail_too_large(struct cel__source *s)
{
    return cel__raise((int)fail(s, -CEL_ETOOLARGE), "body",
                      "the body is larger than the limit of %llu bytes (body_max)",
                      (unsigned long long)s->body_max);
}

/* The gap that the read timeout bounds begins where nothing is left to be read. */
static void begin_gap(struct cel__source *s, struct cel__limit *limit)
{
    if (limit != NULL && s->body.piece.len == 0 && s->conn->stream->unread.len == 0 &&
        !s->body.is_ended)
        cel__limit_set(limit, "read", s->read_timeout);
}

/* (parks) Much can be made of few bytes: the others get their turn. */
static int let_others_run(struct cel__source *s)
{
    if (s->given - s->yielded_at < YIELD_BYTES)
        return 0;
    s->yielded_at = s->given;
    return cel__rest(); /* parks */
}

static int fail_decode(struct cel__source *s, int code)
{
    const char *why = cel__decode_why(s->decode);

    return cel__raise(code, "decode", "the body cannot be decoded: %s",
                      why != NULL ? why : cel_strerror(code));
}

static ssize_t read_decoded(struct cel__source *s, struct cel__limit *limit, char *buf, size_t cap)
{
    int r = let_others_run(s); /* parks */

    while (r >= 0) {
        struct cel_str piece = s->body.piece;
        size_t used = 0, made = 0;
        bool is_end = false;

        if (s->wants_input) {
            begin_gap(s, limit);
            r = cel__body_peek(&s->body, &piece); /* parks */
            if (r < 0)
                return r;
            is_end = r == 0;
        }
        r = cel__decode_step(s->decode, piece.len > 0 ? piece.ptr : "", is_end ? 0 : piece.len,
                             &used, buf, cap, &made);
        if (used > 0)
            cel__body_take(&s->body, used);
        s->wants_input = made < cap;
        if (r < 0)
            return fail_decode(s, r);
        if (made > 0)
            return (ssize_t)made;
        if (is_end) {
            r = cel__decode_end(s->decode);
            return r < 0 ? fail_decode(s, r) : 0;
        }
        if (s->body.received > s->body_max)
            return fail_too_large(s);
    }
    return r;
}

static ssize_t read_some(struct cel__source *s, struct cel__limit *limit, void *buf, size_t cap)
{
    s->body.limit = limit;
    if (s->decode != NULL)
        return read_decoded(s, limit, buf, cap); /* parks */
    begin_gap(s, limit);
    return cel__body_read(&s->body, buf, cap); /* parks */
}

ssize_t cel__source_read(struct cel__source *s, struct cel__limit *limit, void *buf, size_t cap)
{
    ssize_t n;

    if (s->failed != 0 || s->is_over)
        return s->failed;
    n = read_some(s, limit, buf, cap); /* parks */
    if (n == -ECANCELED && s->is_held)
        return n; /* to be gone on with */
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
    if (s->body.kind == CEL__H1_BODY_LENGTH && s->decode == NULL)
        more = (size_t)cel__min(s->body.left + s->body.piece.len, PRESIZE_MAX);
    more = cel__max(more, out->len);
    if (s->body_max < SIZE_MAX - 2)
        more = cel__min(more, (size_t)s->body_max + 1 - out->len); /* one over tells */
    cap = out->len + more + 1;
    grown = cel__mem_realloc(out->ptr, cap);
    if (grown == NULL)
        return -ENOMEM;
    out->ptr = grown;
    out->cap = cap;
    return 0;
}

ssize_t cel__source_read_more(struct cel__source *s, struct cel__limit *limit, struct cel__buf *out)
{
    ssize_t n;

    if (s->body.kind == CEL__H1_BODY_LENGTH && s->decode == NULL &&
        s->given + s->body.left + s->body.piece.len > s->body_max)
        return fail_too_large(s);
    if ((s->decode != NULL || !s->body.is_ended) && make_room(s, out) < 0)
        return fail(s, -ENOMEM);
    n = cel__source_read(s, limit, out->ptr + out->len, out->cap - out->len - 1); /* parks */
    out->len += n > 0 ? (size_t)n : 0;
    if (n == 0 && out->ptr != NULL)
        out->ptr[out->len] = '\0';
    return n;
}

int cel__source_read_all(struct cel__source *s, struct cel__limit *limit, struct cel__buf *out)
{
    ssize_t n;

    do
        n = cel__source_read_more(s, limit, out); /* parks */
    while (n > 0);
    return (int)n;
}

void cel__source_let_go(struct cel__source *s, bool may_keep)
{
    s->is_held = false;
    s->may_keep = s->may_keep && may_keep;
    if (s->is_over || s->failed != 0)
        release(s);
}

void cel__source_fini(struct cel__source *s)
{
    release(s);
    cel__body_fini(&s->body);
    cel__decode_free(s->decode);
    s->decode = NULL;
}
