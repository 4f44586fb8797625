/* SPDX-License-Identifier: MIT */
/* One request and the head of its answer, over a kept connection or a new one.
 *
 * A kept connection may have died unnoticed. The request is sent again, once and over a new
 * connection, if that is what happened and does no harm: not one byte of an answer has come, the
 * method may be repeated, and so may the body. */
#include <errno.h>

#include "http/fetch.h"
#include "proto/h1_parse.h"
#include "task/error.h"

#define INFORMATIONAL_MAX 32 /* 1xx answers before the real one */

/* (parks) f->conn, which is only a place, gets its stream. */
static int connect_it(struct cel__fetch *f)
{
    struct cel_connect_options options = {0};
    int r = 0;

    f->phase = "connect";
    if (f->origin->is_tls)
        r = cel__session_tls(f->session, &options.tls);
    if (r < 0)
        return r;
    options.server_name = f->origin->host;
    cel__limit_set(&f->limit, "connect", f->timeouts.connect);
    r = cel_connect(&f->conn->stream, f->origin->address,
                    f->origin->is_tls ? &options : NULL); /* parks */
    if (r == 0)
        f->session->places.stats.connections++;
    return r;
}

/* (parks) */
static int find_connection(struct cel__fetch *f)
{
    int r;

    f->phase = "pool";
    f->conn = cel__conn_try(f->origin, false, &r);
    if (f->conn == NULL && r == 0) {
        cel__limit_set(&f->limit, "total", CEL_FOREVER);
        r = cel__conn_wait(f->origin, &f->conn); /* parks */
    }
    if (r < 0)
        return r;
    if (f->conn->stream == NULL)
        return connect_it(f); /* parks */
    f->session->places.stats.reused++;
    return 0;
}

/* ---- the answer ---- */

static int fail_read(struct cel__fetch *f, ssize_t r)
{
    if (r == -ECANCELED || r == -ETIMEDOUT || r == -CEL_ETLS)
        return (int)r;
    return cel__raise((int)r, "headers", "%s: waiting for the answer: %s", f->origin->address,
                      cel_strerror((int)r));
}

static int fail_end(struct cel__fetch *f)
{
    if (!f->has_answered)
        return cel__raise(-CEL_EEOF, "headers", "%s closed the connection without answering",
                          f->origin->address);
    return cel__raise(-CEL_EEOF, "headers", "%s closed the connection amid the answer's head",
                      f->origin->address);
}

/* (parks) Until a whole head lies at f->in. */
static int read_head(struct cel__fetch *f)
{
    size_t min = 1;

    cel__h1_head_init(&f->head, CEL__H1_RESPONSE, f->fields, CEL__FIELDS_MAX, NULL);
    f->head.method = f->method_id;
    for (;;) {
        ssize_t n = cel_peek(f->conn->stream, &f->in, min), len; /* parks */

        if (n < 0)
            return fail_read(f, n);
        f->has_answered = f->has_answered || n > 0;
        if ((size_t)n < min)
            return fail_end(f);
        len = cel__h1_parse(&f->head, f->in, (size_t)n);
        if (len < 0)
            return cel__raise((int)len, "headers", "%s does not answer in HTTP: %s",
                              f->origin->address, cel__h1_error_text(f->head.error));
        f->head_len = (size_t)len;
        if (len > 0)
            return 0;
        min = (size_t)n + 1;
        cel__limit_set(&f->limit, "read", f->timeouts.read);
    }
}

/* (parks) The same for the final answer. */
static int read_answer(struct cel__fetch *f)
{
    f->phase = "headers";
    for (unsigned count = 0; count < INFORMATIONAL_MAX; count++) {
        int r = read_head(f); /* parks */

        if (r < 0)
            return r;
        if (f->head.leaves_http)
            return cel__raise(-CEL_EPROTOCOL, "headers",
                              "%s switches to a protocol nobody asked for", f->origin->address);
        if (f->head.status >= 200)
            return 0;
        cel_consume(f->conn->stream, f->head_len);
    }
    return cel__raise(-CEL_EPROTOCOL, "headers", "%s sends informational answers without end",
                      f->origin->address);
}

/* ---- both ---- */

static bool is_broken_off(int r)
{
    return r == -CEL_EEOF || r == -ECONNRESET || r == -EPIPE || r == -ECONNABORTED ||
           r == -ENOTCONN;
}

/* (parks) A server may answer before it has read the whole body, and close: that answer counts. */
static int send_and_read(struct cel__fetch *f)
{
    int r, sent;

    f->phase = "send";
    f->has_answered = false;
    f->was_cut_short = false;
    cel__limit_set(&f->limit, "read", f->timeouts.read);
    sent = cel__request_send(f); /* parks */
    if (sent < 0 && !is_broken_off(sent))
        return sent;
    if (f->sends_body && f->options->body_read != NULL)
        cel__limit_set(&f->limit, "read", f->timeouts.read);
    r = read_answer(f); /* parks */
    f->was_cut_short = sent < 0;
    return r;
}

static bool may_repeat(const struct cel__fetch *f)
{
    switch (f->method_id) {
    case CEL__H1_GET:
    case CEL__H1_HEAD:
    case CEL__H1_PUT:
    case CEL__H1_DELETE:
    case CEL__H1_OPTIONS:
    case CEL__H1_TRACE:
    case CEL__H1_QUERY:
        return !f->has_used_body;
    default:
        return false;
    }
}

int cel__exchange(struct cel__fetch *f)
{
    bool was_used;
    int r = find_connection(f); /* parks */

    if (r == 0) {
        was_used = f->conn->was_used;
        r = send_and_read(f); /* parks */
        if (was_used && is_broken_off(r) && !f->has_answered && may_repeat(f)) {
            f->session->places.stats.retried++;
            cel__conn_renew(f->conn);
            r = connect_it(f); /* parks */
            if (r == 0)
                r = send_and_read(f); /* parks */
        }
    }
    if (r < 0 && f->conn != NULL) {
        cel__conn_drop(f->conn);
        f->conn = NULL;
    }
    return r;
}
