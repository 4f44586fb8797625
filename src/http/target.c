/* SPDX-License-Identifier: MIT */
#include "http/target.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "task/error.h"

void cel__target_fini(struct cel__target *t)
{
    cel__mem_free(t->url);
    cel__mem_free(t->host);
    cel__mem_free(t->authorization);
    *t = (struct cel__target){0};
}

bool cel__target_same_origin(const struct cel__target *a, const struct cel__target *b)
{
    return a->where.is_tls == b->where.is_tls && a->where.port == b->where.port &&
           cel__str_eq(a->where.host, b->where.host);
}

int cel__target_parse(struct cel__target *t, struct cel_str text, const struct cel__target *base)
{
    struct cel_str rest = text, host;
    const char *slash;
    uint64_t port = 80;

    *t = (struct cel__target){0};
    if (base != NULL && text.len > 0 && text.ptr[0] == '/') {
        char buf[4096];
        snprintf(buf, sizeof buf, "http://%.*s:%u%.*s", CEL_STR(base->where.host), base->where.port, CEL_STR(text));
        return cel__target_parse(t, cel__str(buf), NULL);
    }
    if (!cel__str_starts(text, CEL_LIT("http://")))
        return cel__raise(-CEL_EURL, "url", "%.*s is not an http URL", CEL_STR(text));
    t->url = cel__mem_strndup(text.ptr, text.len);
    t->url_len = text.len;
    rest = (struct cel_str){t->url + 7, text.len - 7};
    slash = memchr(rest.ptr, '/', rest.len);
    host = (struct cel_str){rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len};
    t->path = slash ? (struct cel_str){slash, rest.len - host.len} : CEL_LIT("/");
    const char *colon = memchr(host.ptr, ':', host.len);
    if (colon) {
        if (cel__str_to_u64((struct cel_str){colon + 1, host.len - (size_t)(colon + 1 - host.ptr)}, &port) < 0)
            return -CEL_EURL;
        host.len = (size_t)(colon - host.ptr);
    }
    t->host = cel__mem_strndup(host.ptr, host.len);
    t->where = (struct cel__where){.host = {t->host, host.len}, .port = (uint16_t)port};
    return 0;
}
