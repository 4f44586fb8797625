/* SPDX-License-Identifier: MIT */
/* User and password leave the URL here: behind this point they exist as a header field only, so
 * that no message, log or history can give them away. */
#include "http/target.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "proto/percent.h"
#include "task/error.h"

void cel__target_fini(struct cel__target *t)
{
    cel__url_fini(&t->parts);
    cel__mem_free(t->own_url);
    cel__mem_free(t->authorization);
    *t = (struct cel__target){0};
}

static void add_base64(struct cel__buf *out, struct cel_str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.len; i += 3) {
        size_t n = cel__min(s.len - i, (size_t)3);
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (uint8_t)s.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            cel__buf_add_char(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

/* "Basic …" of "user:password". */
static int write_basic(struct cel__target *t, struct cel__buf *plain)
{
    struct cel__buf out = {0};

    cel__buf_add_text(&out, "Basic ");
    add_base64(&out, cel__buf_str(plain));
    if (plain->failed || cel__buf_cstr(&out) == NULL || out.failed) {
        cel__buf_fini(&out);
        return -ENOMEM;
    }
    t->authorization = out.ptr;
    return 0;
}

/* A colon would end the user. */
static int check_user(const struct cel__buf *plain, int code)
{
    if (plain->len > 0 && memchr(plain->ptr, ':', plain->len) != NULL)
        return cel__raise(code, "url", "the name of a user cannot hold a colon");
    return 0;
}

int cel__target_authorize(struct cel__target *t, const char *user, const char *password)
{
    struct cel__buf plain = {0};
    int r;

    cel__buf_add_text(&plain, user != NULL ? user : "");
    r = check_user(&plain, -EINVAL);
    cel__buf_add_char(&plain, ':');
    cel__buf_add_text(&plain, password != NULL ? password : "");
    if (r == 0)
        r = write_basic(t, &plain);
    cel__buf_fini(&plain);
    return r;
}

static int make_authorization(struct cel__target *t)
{
    struct cel__buf plain = {0};
    int r;

    if (t->parts.username.len == 0 && t->parts.password.len == 0)
        return 0;
    cel__percent_decode(&plain, t->parts.username);
    r = check_user(&plain, -CEL_EURL);
    cel__buf_add_char(&plain, ':');
    cel__percent_decode(&plain, t->parts.password);
    if (r == 0)
        r = write_basic(t, &plain);
    cel__buf_fini(&plain);
    return r;
}

/* href, unless it says too much, or a fragment is inherited (RFC 9110 10.2.2). */
static int make_url(struct cel__target *t, const struct cel__target *base)
{
    const struct cel__url *u = &t->parts;
    bool inherits = base != NULL && base->fragment.ptr != NULL && !u->has_fragment;
    struct cel__buf out = {0};

    t->url = u->href;
    t->fragment = u->has_fragment ? u->fragment : (struct cel_str){0};
    if (t->authorization == NULL && !inherits)
        return 0;
    if (inherits)
        t->fragment = base->fragment;
    cel__buf_printf(&out, "%.*s://%.*s%.*s", CEL_STR(u->scheme), CEL_STR(u->authority),
                    CEL_STR(u->target));
    if (t->fragment.ptr != NULL)
        cel__buf_printf(&out, "#%.*s", CEL_STR(t->fragment));
    if (cel__buf_cstr(&out) == NULL || out.failed) {
        cel__buf_fini(&out);
        return -ENOMEM;
    }
    t->own_url = out.ptr;
    t->url = cel__buf_str(&out);
    if (t->fragment.ptr != NULL)
        t->fragment.ptr = out.ptr + out.len - t->fragment.len;
    return 0;
}

static int check(const struct cel__url *u)
{
    if (u->kind != CEL__URL_HTTP && u->kind != CEL__URL_HTTPS)
        return cel__raise(-CEL_EURL, "url", "%.*s: only http and https URLs are fetched",
                          CEL_STR(u->scheme));
    if (u->port_number == 0)
        return cel__raise(-CEL_EURL, "url", "port 0 cannot be connected to");
    return 0;
}

static void find_place(struct cel__target *t)
{
    const struct cel__url *u = &t->parts;
    bool is_ipv6 = u->host_kind == CEL__HOST_IPV6;

    t->where = (struct cel__where){
        .is_tls = u->kind == CEL__URL_HTTPS,
        .host = {u->host.ptr + is_ipv6, u->host.len - 2 * (size_t)is_ipv6},
        .is_ipv6 = is_ipv6,
        .port = (uint16_t)u->port_number,
    };
}

int cel__target_parse(struct cel__target *t, struct cel_str text, const struct cel__target *base)
{
    const char *why = NULL;
    int r;

    *t = (struct cel__target){0};
    r = cel__url_parse(&t->parts, text, base != NULL ? &base->parts : NULL,
                       base != NULL ? 0 : CEL__URL_STRICT, &why);
    if (r < 0)
        return r == -CEL_EURL ? cel__raise(r, "url", "\"%.*s\" is not a URL: %s",
                                           (int)cel__min(text.len, (size_t)100), text.ptr, why)
                              : r;
    r = check(&t->parts);
    if (r == 0)
        r = make_authorization(t);
    if (r == 0)
        r = make_url(t, base);
    if (r < 0) {
        cel__target_fini(t);
        return r;
    }
    find_place(t);
    return 0;
}
