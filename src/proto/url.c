/* SPDX-License-Identifier: MIT */
/* The parts that were read are put together into one string, of which all slices are. Its room is
 * reserved in one piece beforehand, so that it stands still meanwhile. */
#include "proto/url.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/url_parse.h"

static struct cel_str put(struct cel__buf *href, const struct cel__buf *part)
{
    struct cel_str slice = {href->ptr + href->len, part->len};

    cel__buf_add_str(href, cel__buf_str(part));
    return slice;
}

/* From there to the end. */
static struct cel_str since(const struct cel__buf *href, size_t from)
{
    return (struct cel_str){href->ptr + from, href->len - from};
}

static void put_authority(struct cel__url_parse *p, struct cel__url *u, struct cel__buf *href)
{
    size_t from, port;

    if (p->host_kind == CEL__HOST_NONE)
        return;
    cel__buf_add_text(href, "//");
    u->username = put(href, &p->username);
    if (p->password.len != 0)
        cel__buf_add_char(href, ':');
    u->password = put(href, &p->password);
    if (p->username.len != 0 || p->password.len != 0)
        cel__buf_add_char(href, '@');
    from = href->len;
    u->host = put(href, &p->host);
    if (p->port >= 0) {
        cel__buf_add_char(href, ':');
        port = href->len;
        cel__buf_add_decimal(href, (uint64_t)p->port);
        u->port = since(href, port);
    }
    u->authority = since(href, from);
}

static void put_parts(struct cel__url_parse *p, struct cel__url *u, struct cel__buf *href)
{
    size_t from;

    u->scheme = put(href, &p->scheme);
    cel__buf_add_char(href, ':');
    put_authority(p, u, href);
    /* else the path's two slashes would be taken for an authority's */
    if (p->host_kind == CEL__HOST_NONE && !p->is_opaque && p->path.len > 1 && p->path.ptr[1] == '/')
        cel__buf_add_text(href, "/.");
    from = href->len;
    u->path = put(href, &p->path);
    if (p->has_query) {
        cel__buf_add_char(href, '?');
        u->query = put(href, &p->query);
    }
    u->target = since(href, from);
    if (p->has_fragment) {
        cel__buf_add_char(href, '#');
        u->fragment = put(href, &p->fragment);
    }
}

static int assemble(struct cel__url_parse *p, struct cel__url *u)
{
    enum { PUNCTUATION = 32 }; /* and the port's digits, and a NUL */
    struct cel__buf href = {0};
    struct cel__url made = {.kind = p->kind,
                            .host_kind = p->host_kind,
                            .has_query = p->has_query,
                            .has_fragment = p->has_fragment,
                            .is_opaque = p->is_opaque};

    if (cel__buf_reserve(&href, p->scheme.len + p->username.len + p->password.len + p->host.len +
                                    p->path.len + p->query.len + p->fragment.len + PUNCTUATION) < 0)
        return -ENOMEM;
    made.username = made.password = made.host = made.authority = made.port = made.query =
        made.fragment = (struct cel_str){href.ptr, 0};
    put_parts(p, &made, &href);
    made.href = (struct cel_str){cel__buf_cstr(&href), href.len};
    made.port_number = p->port >= 0 ? (unsigned)p->port : cel__url_default_port(p->kind);
    *u = made;
    return 0;
}

int cel__url_parse(struct cel__url *u, struct cel_str text, const struct cel__url *base,
                   unsigned flags, const char **why)
{
    struct cel__url_parse p = {.in = text, .base = base, .flags = flags};
    int r = cel__url_parse_run(&p);

    if (r == 0)
        r = assemble(&p, u);
    if (r < 0 && why != NULL)
        *why = r == -ENOMEM ? "no memory" : p.why;
    cel__url_parse_fini(&p);
    return r;
}

void cel__url_fini(struct cel__url *u)
{
    if (u == NULL)
        return;
    cel__mem_free((char *)(uintptr_t)u->href.ptr);
    *u = (struct cel__url){0};
}

int cel__url_copy(struct cel__url *to, const struct cel__url *from)
{
    char *href = cel__mem_strndup(from->href.ptr, from->href.len);
    struct cel__url made = *from;
    struct cel_str *parts[] = {&made.href,  &made.scheme,    &made.username, &made.password,
                               &made.host,  &made.authority, &made.port,     &made.path,
                               &made.query, &made.fragment,  &made.target};

    if (href == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < cel__countof(parts); i++)
        parts[i]->ptr = href + (parts[i]->ptr - from->href.ptr);
    *to = made;
    return 0;
}

static bool has_origin(const struct cel__url *u)
{
    return u->kind != CEL__URL_OTHER && u->kind != CEL__URL_FILE;
}

bool cel__url_same_origin(const struct cel__url *a, const struct cel__url *b)
{
    return has_origin(a) && a->kind == b->kind && cel__str_eq(a->host, b->host) &&
           a->port_number == b->port_number;
}

int cel__url_add_origin(struct cel__buf *b, const struct cel__url *u)
{
    if (!has_origin(u))
        return cel__buf_add_text(b, "null");
    cel__buf_add_str(b, u->scheme);
    cel__buf_add_text(b, "://");
    return cel__buf_add_str(b, u->authority);
}
