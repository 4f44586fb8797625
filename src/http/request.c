/* SPDX-License-Identifier: MIT */
/* A request's head: the session's fields, the caller's, and those that are ours to say. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/fetch.h"
#include "proto/h1_write.h"
#include "task/error.h"

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

int cel__request_write(struct cel__fetch *f, struct cel__buf *out)
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
