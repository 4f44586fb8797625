/* SPDX-License-Identifier: MIT */
/* Writing a request: head and body of bytes in one write, a streamed body as it comes. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/fetch.h"
#include "proto/chunked.h"
#include "proto/h1_write.h"
#include "task/error.h"

#define PIECE_MAX (16u << 10) /* bytes asked of body_read at a time */

/* Fields about this connection alone are not the caller's to send. */
static bool is_refused(enum cel__field_id id)
{
    return id == CEL__FIELD_TE || id == CEL__FIELD_TRAILER || id == CEL__FIELD_UPGRADE ||
           id == CEL__FIELD_EXPECT || id == CEL__FIELD_KEEP_ALIVE ||
           id == CEL__FIELD_PROXY_CONNECTION;
}

static bool is_about_body(enum cel__field_id id)
{
    return id == CEL__FIELD_CONTENT_TYPE || id == CEL__FIELD_CONTENT_ENCODING ||
           id == CEL__FIELD_CONTENT_LANGUAGE || id == CEL__FIELD_CONTENT_LOCATION ||
           id == CEL__FIELD_CONTENT_DISPOSITION || id == CEL__FIELD_CONTENT_RANGE;
}

static bool is_sent(const struct cel__fetch *f, const struct cel_header *header)
{
    if (!f->may_send_secrets && cel__header_is_secret(header))
        return false;
    return f->sends_body || !is_about_body(cel__field_find(cel__str(header->name)));
}

static bool is_replaced(const struct cel__fetch *f, struct cel_str name)
{
    for (const struct cel_header *h = f->options->headers; h != NULL && h->name != NULL; h++)
        if (cel__str_ieq(cel__str(h->name), name) && is_sent(f, h))
            return true;
    return f->content_type != NULL && f->sends_body && cel__str_ieq(name, CEL_LIT("content-type"));
}

static void write_defaults(struct cel__fetch *f, struct cel__h1_write *w)
{
    const struct cel_session *s = f->session;

    if (f->options->headers == NULL && f->content_type == NULL &&
        (f->may_send_secrets || !s->has_secrets)) {
        cel__h1_write_line(w, cel__buf_str(&s->lines));
        return;
    }
    for (size_t i = 0; i < s->field_count; i++) {
        const struct cel__default_field *d = &s->fields[i];

        if ((f->may_send_secrets || !d->is_secret) && !is_replaced(f, d->name))
            cel__h1_write_field(w, d->name, d->value);
    }
}

static int write_own(struct cel__fetch *f, struct cel__h1_write *w)
{
    for (const struct cel_header *h = f->options->headers; h != NULL && h->name != NULL; h++) {
        struct cel_str name = cel__str(h->name);

        if (is_refused(cel__field_find(name)))
            return cel__raise(-EINVAL, "headers", "the header %s cannot be set by the caller",
                              h->name);
        if (is_sent(f, h))
            cel__h1_write_field(w, name, cel__str(h->value));
    }
    return 0;
}

static int write_cookies(struct cel__fetch *f, struct cel__h1_write *w)
{
    struct cel__buf value = {0};
    int r;

    if (f->session->jar.count == 0 || f->session->options.no_cookies || f->options->no_cookies ||
        is_replaced(f, CEL_LIT("cookie")))
        return 0;
    r = cel__jar_write(&f->session->jar, &f->target, cel__clock_wall() / CEL_SECOND, &value);
    if (r > 0)
        cel__h1_write_field(w, CEL_LIT("Cookie"), cel__buf_str(&value));
    cel__buf_fini(&value);
    return r < 0 ? r : 0;
}

static struct cel__h1_framing framing_of(const struct cel__fetch *f)
{
    const struct cel_fetch_options *o = f->options;
    struct cel__h1_framing framing = {.body = CEL__H1_BODY_NONE};

    if (f->sends_body && o->body_read != NULL && o->body_size == 0) {
        framing.body = CEL__H1_BODY_CHUNKED;
    } else if (f->sends_body || f->method_id == CEL__H1_POST || f->method_id == CEL__H1_PUT ||
               f->method_id == CEL__H1_PATCH) {
        framing.body = CEL__H1_BODY_LENGTH;
        if (f->sends_body)
            framing.body_bytes = o->body_read != NULL ? (uint64_t)o->body_size : f->body.len;
    }
    return framing;
}

static int write_head(struct cel__fetch *f, struct cel__buf *out)
{
    struct cel__h1_framing framing = framing_of(f);
    struct cel__h1_write w;
    int r;

    out->len = 0;
    cel__h1_write_request(&w, out, f->method, f->target.parts.target, f->origin->host_field);
    write_defaults(f, &w);
    if (f->target.authorization != NULL)
        cel__h1_write_field(&w, CEL_LIT("Authorization"), cel__str(f->target.authorization));
    if (f->content_type != NULL && f->sends_body)
        cel__h1_write_field(&w, CEL_LIT("Content-Type"), cel__str(f->content_type));
    r = write_own(f, &w);
    if (r == 0)
        r = write_cookies(f, &w);
    if (r < 0)
        return r;
    cel__h1_write_framing(&w, &framing);
    r = cel__h1_write_end(&w);
    if (r < 0)
        return cel__raise(r, "headers", "the request cannot be sent: %s",
                          w.why != NULL ? w.why : cel_strerror(r));
    return 0;
}

/* ---- bodies ---- */

static int fail_send(struct cel__fetch *f, ssize_t r)
{
    if (r == -ECANCELED || r == -ETIMEDOUT || r == -CEL_ETLS)
        return (int)r;
    return cel__raise((int)r, "send", "%s: sending the request: %s", f->origin->address,
                      cel_strerror((int)r));
}

static int send_piece(struct cel__fetch *f, const char *piece, size_t len, bool is_chunked)
{
    char line[CEL__CHUNKED_LINE_MAX];
    struct iovec iov[] = {{line, 0}, {(char *)piece, len}, {"\r\n", 2}};
    ssize_t n;

    cel__limit_set(&f->limit, "read", f->timeouts.read);
    if (!is_chunked) {
        n = cel_write(f->conn->stream, piece, len); /* parks */
    } else {
        iov[0].iov_len = cel__chunked_line(line, len);
        n = cel_writev(f->conn->stream, iov, 3); /* parks */
    }
    return n < 0 ? fail_send(f, n) : 0;
}

/* What the caller's function does with its time is its own matter, up to the total. */
static ssize_t ask_for_piece(struct cel__fetch *f, char *buf)
{
    ssize_t n;

    f->has_used_body = true;
    cel__limit_set(&f->limit, "total", CEL_FOREVER);
    n = f->options->body_read(f->options->body_arg, buf, PIECE_MAX); /* parks */
    CEL__ASSERT(n <= (ssize_t)PIECE_MAX && "body_read keeps to its buffer");
    if (n < 0 && n != -ECANCELED && n != -ETIMEDOUT)
        return cel__raise((int)n, "send", "the body of the request could not be read: %s",
                          cel_strerror((int)n));
    return n;
}

static int send_pieces(struct cel__fetch *f, char *buf)
{
    uint64_t size = (uint64_t)f->options->body_size, sent = 0;
    bool is_chunked = size == 0;
    ssize_t n;
    int r;

    while ((n = ask_for_piece(f, buf)) > 0) { /* parks */
        if (!is_chunked && (uint64_t)n > size - sent)
            break;
        r = send_piece(f, buf, (size_t)n, is_chunked); /* parks */
        if (r < 0)
            return r;
        sent += (uint64_t)n;
    }
    if (n < 0)
        return (int)n;
    if (!is_chunked && (n > 0 || sent != size))
        return cel__raise(-EINVAL, "send",
                          "the body of the request has %s than the %llu bytes announced",
                          n > 0 ? "more" : "less", (unsigned long long)size);
    if (!is_chunked)
        return 0;
    n = cel_write(f->conn->stream, CEL__CHUNKED_LAST, sizeof CEL__CHUNKED_LAST - 1); /* parks */
    return n < 0 ? fail_send(f, n) : 0;
}

static int send_stream(struct cel__fetch *f)
{
    char *buf = cel__mem_alloc(PIECE_MAX);
    int r;

    if (buf == NULL)
        return -ENOMEM;
    r = send_pieces(f, buf); /* parks */
    cel__mem_free(buf);
    return r;
}

int cel__request_send(struct cel__fetch *f)
{
    const struct cel_fetch_options *o = f->options;
    struct cel__buf *head = &f->conn->head;
    struct cel_stream *stream = f->conn->stream;
    ssize_t n = write_head(f, head);

    if (n < 0)
        return (int)n;
    f->session->places.stats.requests++;
    if (f->sends_body && o->body_read == NULL && f->body.len > 0) {
        struct iovec iov[] = {{head->ptr, head->len}, {(char *)f->body.ptr, f->body.len}};

        n = cel_writev(stream, iov, 2); /* parks */
    } else {
        n = cel_write(stream, head->ptr, head->len); /* parks */
    }
    if (n < 0)
        return fail_send(f, n);
    return f->sends_body && o->body_read != NULL ? send_stream(f) : 0; /* parks */
}
