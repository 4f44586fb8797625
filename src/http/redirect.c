/* SPDX-License-Identifier: MIT */
/* Which answers redirect, and what request follows.
 *
 * 1. Credentials belong to an origin (scheme, host, port): the first step to another one drops
 *    them for good. Cookies are asked of the jar anew at each step.
 * 2. A body is sent again only if the method stays and its bytes are still there.
 * 3. A step to a URL that was asked by the same method and with the same cookies before is a
 *    circle: it cannot end otherwise. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/fetch.h"
#include "task/error.h"

static bool is_redirect(const struct cel__fetch *f)
{
    switch (f->head.status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return !f->options->no_redirects && cel__h1_has(&f->head, CEL__FIELD_LOCATION);
    default:
        return false;
    }
}

static int remember(struct cel__fetch *f)
{
    struct cel__visit *grown =
        cel__mem_realloc(f->visits, (f->visit_count + 1) * sizeof *f->visits);

    if (grown == NULL)
        return -ENOMEM;
    f->visits = grown;
    grown[f->visit_count] = (struct cel__visit){
        .url = cel__mem_strndup(f->target.url.ptr, f->target.url.len),
        .status = f->head.status,
        .method_id = f->method_id,
        .jar_version = f->jar_version,
    };
    if (grown[f->visit_count].url == NULL)
        return -ENOMEM;
    f->visit_count++;
    return 0;
}

static bool is_circle(const struct cel__fetch *f)
{
    for (size_t i = 0; i < f->visit_count; i++) {
        const struct cel__visit *v = &f->visits[i];

        if (v->method_id == f->method_id && v->jar_version == f->session->jar.version &&
            strcmp(v->url, f->target.url.ptr) == 0)
            return true;
    }
    return false;
}

/* 303 asks for the result of what was done; 301 and 302 after a POST have come to mean the same. */
static void change_method(struct cel__fetch *f)
{
    int status = f->head.status;
    bool becomes_get = (status == 303 && f->method_id != CEL__H1_HEAD) ||
                       ((status == 301 || status == 302) && f->method_id == CEL__H1_POST);

    if (!becomes_get)
        return;
    f->method = CEL_LIT("GET");
    f->method_id = CEL__H1_GET;
    f->sends_body = false;
}

static int check(const struct cel__fetch *f, const struct cel__target *to)
{
    if (f->target.where.is_tls && !to->where.is_tls && !f->session->options.allows_downgrade)
        return cel__raise(-CEL_EREDIRECT, "redirect",
                          "%s redirects from https to http, which would give away what it carries "
                          "(allows_downgrade permits it)",
                          f->target.url.ptr);
    return 0;
}

static void step(struct cel__fetch *f, struct cel__target *to)
{
    if (!cel__url_same_origin(&f->target.parts, &to->parts)) {
        f->may_send_secrets = false;
    } else if (to->authorization == NULL) {
        to->authorization = f->target.authorization;
        f->target.authorization = NULL;
    }
    cel__target_fini(&f->target);
    f->target = *to;
    change_method(f);
}

int cel__redirect(struct cel__fetch *f)
{
    struct cel_str location = cel__h1_get(&f->head, f->in, CEL__FIELD_LOCATION);
    struct cel__target to;
    int r;

    if (!is_redirect(f))
        return 0;
    if (f->visit_count == f->session->options.redirects_max)
        return cel__raise(-CEL_EREDIRECT, "redirect", "more than %u redirects, the last to %.*s",
                          f->session->options.redirects_max, CEL_STR(location));
    r = remember(f);
    if (r == 0)
        r = cel__target_parse(&to, location, &f->target);
    if (r < 0)
        return r;
    r = check(f, &to);
    if (r < 0) {
        cel__target_fini(&to);
        return r;
    }
    step(f, &to);
    if (is_circle(f))
        return cel__raise(-CEL_EREDIRECT, "redirect", "the redirects lead in a circle back to %s",
                          f->target.url.ptr);
    if (f->sends_body && f->has_used_body)
        return cel__raise(-CEL_EREDIRECT, "redirect",
                          "redirected to %s, but the body cannot be read a second time",
                          f->target.url.ptr);
    return 1;
}
