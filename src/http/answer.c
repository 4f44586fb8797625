/* SPDX-License-Identifier: MIT */
/* From the first byte of an answer to the response: its head, cookies, then the body, from a source
 * that lies on the stack where it is read at once, and beside the response where it is not. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/response.h"
#include "proto/h1_parse.h"
#include "task/error.h"

#define INFORMATIONAL_MAX 32          /* 1xx answers before the real one */
#define INSIDE_MAX        (16u << 10) /* bodies up to here lie in the response's own block */

/* ---- its head ---- */

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
        cel__limit_touch(&f->limit);
    }
}

int cel__answer_read(struct cel__fetch *f)
{
    for (unsigned count = 0; count < INFORMATIONAL_MAX; count++) {
        int r = read_head(f); /* parks */

        if (r < 0)
            return r;
        if (f->head.leaves_http)
            return cel__raise(-CEL_EPROTOCOL, "headers",
                              "%s switches to a protocol nobody asked for", f->origin->address);
        if (f->head.status >= 200) {
            f->has_head = true;
            return 0;
        }
        cel_consume(f->conn->stream, f->head_len);
        cel__limit_touch(&f->limit);
    }
    return cel__raise(-CEL_EPROTOCOL, "headers", "%s sends informational answers without end",
                      f->origin->address);
}

/* ---- what comes of it ---- */

int cel__answer_cookies(struct cel__fetch *f)
{
    const struct cel__h1_field *field;
    uint32_t from = 0;
    int r = 0;

    if (f->session->options.no_cookies || f->options->no_cookies ||
        !cel__h1_has(&f->head, CEL__FIELD_SET_COOKIE))
        return 0;
    while (r != -ENOMEM && (field = cel__h1_find(&f->head, CEL__FIELD_SET_COOKIE, from)) != NULL) {
        r = cel__jar_set(&f->session->jar, &f->target, cel__h1_value(f->in, field),
                         cel__clock_wall() / CEL_SECOND);
        from = (uint32_t)(field - f->fields) + 1;
    }
    return r == -ENOMEM ? r : 0;
}

static int open_source(struct cel__fetch *f, struct cel__source *source, uint64_t body_max,
                       bool is_held)
{
    const struct cel_session_options *o = &f->session->options;
    struct cel__source_options options = {
        .read_timeout = f->timeouts.read,
        .body_max = body_max,
        .ratio_max = o->ratio_max,
        .no_decoding = o->no_decoding,
        .may_keep = !f->was_cut_short,
        .is_held = is_held,
        .head_bytes = f->in,
        .head_len = f->head_len,
    };
    struct cel__conn *conn = f->conn;

    f->conn = NULL;
    return cel__source_init(source, conn, &f->head, &options);
}

int cel__answer_open(struct cel__fetch *f, struct cel__source *source, uint64_t body_max)
{
    return open_source(f, source, body_max, false);
}

static size_t room_inside(const struct cel__fetch *f)
{
    bool is_small = f->head.body == CEL__H1_BODY_LENGTH && f->head.body_bytes > 0 &&
                    f->head.body_bytes <= INSIDE_MAX &&
                    !cel__h1_has(&f->head, CEL__FIELD_CONTENT_ENCODING);

    return is_small && !f->options->is_streaming ? (size_t)f->head.body_bytes + 1 : 0;
}

static uint64_t body_max(const struct cel__fetch *f)
{
    if (f->options->body_max != 0)
        return f->options->body_max;
    return f->options->is_streaming ? UINT64_MAX : f->session->options.body_max;
}

/* A response with a source beside it. */
static int begin(struct cel__fetch *f, struct cel__response **out, bool is_held)
{
    struct cel__source *source = cel__mem_alloc(sizeof *source);
    int r = source != NULL ? cel__response_new(out, f, room_inside(f)) : -ENOMEM;

    if (r < 0) {
        cel__mem_free(source);
        return r;
    }
    (*out)->source = source;
    cel__session_hold(f->session);
    return open_source(f, source, body_max(f), is_held);
}

int cel__answer_begin(struct cel__fetch *f)
{
    int r = cel__answer_cookies(f);

    return r < 0 ? r : begin(f, &f->response, true);
}

/* (parks) */
static int load(struct cel__fetch *f, struct cel__response *response)
{
    struct cel__source source;
    int r = cel__answer_open(f, &source, body_max(f));

    if (r == 0)
        r = cel__source_read_all(&source, &f->limit, &response->text); /* parks */
    cel__source_fini(&source);
    return r;
}

/* (parks) What was begun while the request went out. */
static int go_on(struct cel__fetch *f, struct cel__response *response)
{
    int r = 0;

    if (f->options->is_streaming)
        return 0;
    r = cel__source_read_all(response->source, &f->limit, &response->text); /* parks */
    cel__response_end(response);
    return r;
}

int cel__answer_finish(struct cel__fetch *f, struct cel__response **out)
{
    struct cel__response *response = f->response;
    int r = 0;

    f->phase = "body";
    f->response = NULL;
    if (response != NULL)
        r = go_on(f, response); /* parks */
    else if (f->options->is_streaming)
        r = begin(f, &response, false);
    else if ((r = cel__response_new(&response, f, room_inside(f))) == 0)
        r = load(f, response); /* parks */
    if (r == 0)
        *out = response;
    else if (response != NULL)
        cel_response_free(&response->face);
    return r;
}
