/* SPDX-License-Identifier: MIT */
/* One request and the head of its answer, over a kept connection or a new one.
 *
 * A kept connection may have died unnoticed. The request is sent again, once and over a new
 * connection, if that is what happened and does no harm: not one byte of an answer has come, the
 * method may be repeated, and so may the body. */
#include <errno.h>

#include "http/fetch.h"
#include "task/error.h"

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
    if (r < 0 || f->conn == NULL)
        return r;
    if (f->conn->stream == NULL)
        return connect_it(f); /* parks */
    f->session->places.stats.reused++;
    return 0;
}

/* (parks) A server may answer before it has read the whole body, and close: that answer counts. */
static int send_and_read(struct cel__fetch *f)
{
    int r;

    f->phase = "send";
    f->has_answered = f->has_head = false;
    f->was_cut_short = false;
    r = cel__upload(f); /* parks */
    if (r < 0 || f->has_head)
        return r;
    f->phase = "headers";
    return cel__answer_read(f); /* parks */
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
        if (was_used && cel__is_broken_off(r) && !f->has_answered && may_repeat(f)) {
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
