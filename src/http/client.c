/* SPDX-License-Identifier: MIT */
/* A fetch from URL to response: exchanges, until one does not redirect. */
#include "http/fetch.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/form.h"
#include "http/response.h"
#include "task/error.h"

#define DRAIN_MAX (64u << 10) /* of a redirect's body, to keep its connection */

/* ---- the request ---- */

static struct cel_timeouts timeouts_of(const struct cel_session *s, const struct cel_timeouts *own)
{
    struct cel_timeouts t = s->options.timeouts;

    t.total = own->total != 0 ? own->total : t.total;
    t.connect = own->connect != 0 ? own->connect : t.connect;
    t.read = own->read != 0 ? own->read : t.read;
    return t;
}

static int check(const struct cel_fetch_options *o)
{
    const struct cel_timeouts *t = &o->timeouts;

    if (t->total < 0 || t->connect < 0 || t->read < 0 || o->body_size < 0)
        return cel__raise(-EINVAL, "headers", "a timeout or the body's size is negative");
    if ((o->body_read != NULL) + (o->body.len > 0) + (o->form != NULL) > 1)
        return cel__raise(-EINVAL, "headers",
                          "a body is bytes, a form or a stream, not two of them");
    for (const struct cel_header *h = o->headers; h != NULL && h->name != NULL; h++)
        if (h->value == NULL)
            return cel__raise(-EINVAL, "headers", "the header %s has no value", h->name);
    return 0;
}

static bool has_header(const struct cel_fetch_options *o, const char *name)
{
    for (const struct cel_header *h = o->headers; h != NULL && h->name != NULL; h++)
        if (cel__str_ieq(cel__str(h->name), cel__str(name)))
            return true;
    return false;
}

static int prepare_body(struct cel__fetch *f)
{
    const struct cel_fetch_options *o = f->options;

    f->body = o->body;
    f->content_type = o->content_type;
    if (o->form != NULL) {
        if (cel__form_add(&f->form, o->form) < 0)
            return -ENOMEM;
        f->body = cel__buf_str(&f->form);
        f->content_type = "application/x-www-form-urlencoded";
    }
    if (has_header(o, "Content-Type"))
        f->content_type = NULL;
    f->sends_body = o->body_read != NULL || o->form != NULL || f->body.len > 0;
    return 0;
}

static int parse_url(struct cel__fetch *f, const char *url)
{
    struct cel__buf with_query = {0};
    int r = 0;

    if (f->options->query == NULL)
        return cel__target_parse(&f->target, cel__str(url), NULL);
    r = cel__form_add_to_url(&with_query, cel__str(url), f->options->query);
    if (r == 0)
        r = cel__target_parse(&f->target, cel__buf_str(&with_query), NULL);
    cel__buf_fini(&with_query);
    return r;
}

/* Who asks is said in one place. */
static int prepare_authorization(struct cel__fetch *f)
{
    const struct cel_fetch_options *o = f->options;
    int ways = (f->target.authorization != NULL) + has_header(o, "Authorization") +
               (o->user != NULL || o->password != NULL);

    if (ways > 1)
        return cel__raise(-EINVAL, "url",
                          "two of a URL with a password, a user and a header Authorization");
    if (o->user == NULL && o->password == NULL)
        return 0;
    return cel__target_authorize(&f->target, o->user, o->password);
}

static int prepare(struct cel__fetch *f, const char *url)
{
    const struct cel_fetch_options *o = f->options;
    int r = check(o);

    if (r == 0)
        r = prepare_body(f);
    if (r < 0)
        return r;
    f->timeouts = timeouts_of(f->session, &o->timeouts);
    f->method = o->method != NULL ? cel__str(o->method)
                                  : (f->sends_body ? CEL_LIT("POST") : CEL_LIT("GET"));
    f->method_id = (uint8_t)cel__h1_method_find(f->method);
    f->may_send_secrets = true;
    if (f->method_id == CEL__H1_CONNECT)
        return cel__raise(-EINVAL, "headers", "CONNECT is not a request for a page");
    r = parse_url(f, url);
    return r == 0 ? prepare_authorization(f) : r;
}

static void finish(struct cel__fetch *f)
{
    if (f->response != NULL)
        cel_response_free(&f->response->face);
    if (f->conn != NULL)
        cel__conn_drop(f->conn);
    if (f->origin != NULL)
        cel__origin_let_go(f->origin);
    cel__target_fini(&f->target);
    cel__buf_fini(&f->form);
    for (size_t i = 0; i < f->visit_count; i++)
        cel__mem_free(f->visits[i].url);
    cel__mem_free(f->visits);
}

/* (parks) Reads a redirect's body away if that is cheaper than a new connection. */
static int drain(struct cel__fetch *f)
{
    struct cel__source source;
    char scratch[2048];
    ssize_t n = -CEL_ETOOLARGE;
    int r;

    r = cel__answer_open(f, &source, DRAIN_MAX);
    if (r == 0 && !f->was_cut_short && f->head.body_bytes <= DRAIN_MAX &&
        f->head.body != CEL__H1_BODY_CLOSE)
        while ((n = cel__source_read(&source, &f->limit, scratch, sizeof scratch)) > 0) /* parks */
            continue;
    cel__source_fini(&source);
    return n == -ECANCELED || n == -ETIMEDOUT ? (int)n : 0;
}

/* ---- both ---- */

static int hold_origin(struct cel__fetch *f)
{
    struct cel__where where = f->target.where;
    struct cel__origin *origin = NULL;
    int r = 0;

    if (where.is_tls)
        r = cel__session_tls(f->session, &where.tls);
    if (r == 0)
        r = cel__origin_hold(&f->session->places, &where, &origin);
    if (r < 0)
        return r;
    if (f->origin != NULL)
        cel__origin_let_go(f->origin);
    f->origin = origin;
    return 0;
}

/* (parks) */
static int run(struct cel__fetch *f, struct cel__response **out)
{
    for (;;) {
        int r = hold_origin(f);

        f->jar_version = f->session->jar.version;
        if (r == 0)
            r = cel__exchange(f); /* parks */
        if (r == 0 && f->response == NULL)
            r = cel__answer_cookies(f);
        if (r == 0 && f->response == NULL)
            r = cel__redirect(f);
        if (r == 0)
            return cel__answer_finish(f, out); /* parks */
        if (r > 0)
            r = drain(f); /* parks */
        if (r < 0)
            return r;
    }
}

int cel_fetch(struct cel_session *session, const char *url, const struct cel_fetch_options *options,
              struct cel_response **out)
{
    static const struct cel_fetch_options none;
    struct cel__response *response = NULL;
    struct cel__fetch f;
    int r = cel_checkpoint();

    if (r < 0)
        return r;
    if (session == NULL)
        return cel__session_missing();
    memset(&f, 0, offsetof(struct cel__fetch, fields));
    f.session = session;
    f.options = options != NULL ? options : &none;
    f.phase = "url";
    r = prepare(&f, url != NULL ? url : "");
    if (r == 0) {
        int64_t total = f.timeouts.total;

        cel__limit_enter(&f.limit,
                         total != CEL_FOREVER ? cel__clock_add(cel_now(), total) : CEL_FOREVER);
        r = run(&f, &response); /* parks */
        r = (int)cel__limit_leave(&f.limit, r, f.phase, f.target.url.ptr);
    }
    finish(&f);
    if (r == 0 && response != NULL)
        *out = &response->face;
    return r;
}

int cel_get(struct cel_session *session, const char *url, struct cel_response **out)
{
    return cel_fetch(session, url, NULL, out); /* parks */
}

int cel_post(struct cel_session *session, const char *url, const char *content_type,
             struct cel_str body, struct cel_response **out)
{
    struct cel_fetch_options options = {
        .method = "POST",
        .content_type = content_type != NULL ? content_type : "application/octet-stream",
        .body = body,
    };

    return cel_fetch(session, url, &options, out); /* parks */
}

int cel_post_form(struct cel_session *session, const char *url, const struct cel_pair *form,
                  struct cel_response **out)
{
    struct cel_fetch_options options = {.method = "POST", .form = form};

    return cel_fetch(session, url, &options, out); /* parks */
}
