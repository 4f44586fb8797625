/* SPDX-License-Identifier: MIT */
/* Cookies lie in a list per domain; a request asks the lists of its host and of each parent.
 *
 * 1. A cookie is named by (name, domain, host-only, path); a second one of that name replaces the
 *    first and keeps its age.
 * 2. A domain without cookies is not in the map.
 * 3. Where room must be made, the one unused for longest goes, of those without Secure first. */
#include "http/jar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/suffix.h"
#include "proto/cookie.h"

struct domain {
    struct cel__list cookies;
    size_t count;
    struct cel_str name; /* in the block */
};

struct cookie {
    struct cel__list link;
    struct domain *domain;
    struct cel_str name, value, path; /* in the block */
    int64_t expires;                  /* INT64_MAX: with the session */
    uint64_t created, used;           /* by the jar's clock */
    bool is_host_only, is_secure;
};

/* ---- domains and their cookies ---- */

static struct domain *find_domain(const struct cel__jar *jar, struct cel_str name)
{
    return cel__map_get(&jar->domains, name);
}

static struct domain *make_domain(struct cel__jar *jar, struct cel_str name)
{
    struct domain *d = find_domain(jar, name);

    if (d != NULL)
        return d;
    d = cel__mem_alloc(sizeof *d + name.len);
    if (d == NULL)
        return NULL;
    if (name.len != 0)
        memcpy(d + 1, name.ptr, name.len);
    d->name = (struct cel_str){(char *)(d + 1), name.len};
    d->count = 0;
    cel__list_init(&d->cookies);
    if (cel__map_put(&jar->domains, name, d, NULL) == 0)
        return d;
    cel__mem_free(d);
    return NULL;
}

static void tidy_domain(struct cel__jar *jar, struct domain *d)
{
    if (d->count > 0)
        return;
    cel__map_remove(&jar->domains, d->name);
    cel__mem_free(d);
}

/* The domain stays, also when it is empty now. */
static void remove_cookie(struct cel__jar *jar, struct cookie *c)
{
    cel__list_unlink(&c->link);
    c->domain->count--;
    jar->count--;
    jar->version++;
    cel__mem_free(c);
}

static struct cookie *cookie_of(struct cel__list *node)
{
    return cel__container_of(node, struct cookie, link);
}

static char *put(char *to, struct cel_str *slice, struct cel_str bytes)
{
    if (bytes.len > 0)
        memcpy(to, bytes.ptr, bytes.len);
    *slice = (struct cel_str){to, bytes.len};
    return to + bytes.len;
}

static struct cookie *new_cookie(const struct cel__cookie *from, struct cel_str path)
{
    struct cookie *c = cel__mem_alloc(sizeof *c + from->name.len + from->value.len + path.len);
    char *to;

    if (c == NULL)
        return NULL;
    to = put((char *)(c + 1), &c->name, from->name);
    to = put(to, &c->value, from->value);
    put(to, &c->path, path);
    c->expires = from->is_persistent ? from->expires : INT64_MAX;
    c->is_secure = from->is_secure;
    return c;
}

void cel__jar_clear(struct cel__jar *jar)
{
    struct cel__map_entry *entry;
    size_t at = 0;

    while ((entry = cel__map_next(&jar->domains, &at)) != NULL) {
        struct domain *d = entry->value;

        CEL__LIST_EACH_SAFE (node, &d->cookies)
            remove_cookie(jar, cookie_of(node));
        cel__mem_free(d);
    }
    cel__map_fini(&jar->domains);
    jar->domains = (struct cel__map){0};
}

/* ---- room ---- */

static bool goes_before(const struct cookie *a, const struct cookie *b)
{
    if (b == NULL || a->is_secure != b->is_secure)
        return b == NULL || b->is_secure;
    return a->used < b->used;
}

static struct cookie *least_used(struct domain *d, struct cookie *worst)
{
    CEL__LIST_EACH (node, &d->cookies)
        if (goes_before(cookie_of(node), worst))
            worst = cookie_of(node);
    return worst;
}

static void make_room(struct cel__jar *jar, struct domain *d)
{
    struct cookie *worst = NULL;
    struct cel__map_entry *entry;
    size_t at = 0;

    if (d->count > CEL__JAR_PER_DOMAIN_MAX) {
        remove_cookie(jar, least_used(d, NULL));
        return;
    }
    if (jar->count < CEL__JAR_MAX)
        return;
    while ((entry = cel__map_next(&jar->domains, &at)) != NULL)
        worst = least_used(entry->value, worst);
    CEL__ASSERT(worst != NULL); /* a full jar has cookies */
    d = worst->domain;
    remove_cookie(jar, worst);
    tidy_domain(jar, d);
}

/* ---- setting ---- */

/* Whom it is for: 0, or -EINVAL. name gets the domain in lower case. */
static int find_owner(const struct cel__cookie *c, const struct cel__target *from,
                      struct cel__buf *name, bool *is_host_only)
{
    struct cel_str host = from->where.host, domain;
    bool is_address = from->parts.host_kind != CEL__HOST_DOMAIN;

    *is_host_only = c->domain.len == 0 || is_address;
    if (is_address && c->domain.len > 0 && !cel__str_ieq(c->domain, host))
        return -EINVAL;
    if (*is_host_only)
        return cel__buf_add_str(name, host);
    for (size_t i = 0; i < c->domain.len; i++)
        cel__buf_add_char(name, cel__char_lower(c->domain.ptr[i]));
    if (name->failed)
        return -ENOMEM;
    domain = cel__buf_str(name);
    if (!cel__cookie_domain_matches(host, domain, false) || domain.ptr[domain.len - 1] == '.')
        return -EINVAL;
    if (!cel__suffix_is_public(domain))
        return 0;
    *is_host_only = true;
    return cel__str_eq(domain, host) ? 0 : -EINVAL;
}

/* A page without TLS must not replace what was set with it. */
static bool would_mask_secure(const struct cel__jar *jar, const struct cel__cookie *c,
                              struct cel_str domain, struct cel_str path)
{
    struct cel__map_entry *entry;
    size_t at = 0;

    while ((entry = cel__map_next(&jar->domains, &at)) != NULL) {
        struct domain *d = entry->value;

        if (!cel__cookie_domain_matches(domain, d->name, false) &&
            !cel__cookie_domain_matches(d->name, domain, false))
            continue;
        CEL__LIST_EACH (node, &d->cookies)
            if (cookie_of(node)->is_secure && cel__str_eq(cookie_of(node)->name, c->name) &&
                cel__cookie_path_matches(path, cookie_of(node)->path))
                return true;
    }
    return false;
}

static struct cookie *find_same(struct domain *d, const struct cookie *new)
{
    CEL__LIST_EACH (node, &d->cookies) {
        struct cookie *c = cookie_of(node);

        if (c->is_host_only == new->is_host_only && cel__str_eq(c->name, new->name) &&
            cel__str_eq(c->path, new->path))
            return c;
    }
    return NULL;
}

/* Takes c over. */
static int insert(struct cel__jar *jar, struct cel_str domain, struct cookie *c, int64_t now)
{
    struct domain *d = make_domain(jar, domain);
    struct cookie *old;

    if (d == NULL) {
        cel__mem_free(c);
        return -ENOMEM;
    }
    c->created = c->used = ++jar->clock;
    old = find_same(d, c);
    if (old != NULL) {
        c->created = old->created;
        remove_cookie(jar, old);
    }
    if (c->expires <= now) {
        cel__mem_free(c);
        tidy_domain(jar, d);
        return 0;
    }
    c->domain = d;
    d->count++; /* so that no room is made of the domain itself */
    make_room(jar, d);
    cel__list_append(&d->cookies, &c->link);
    jar->count++;
    jar->version++;
    return 0;
}

static int set(struct cel__jar *jar, const struct cel__target *from, struct cel_str line,
               int64_t now, struct cel__buf *domain)
{
    struct cel__cookie parsed;
    struct cel_str path;
    bool is_host_only = true;
    struct cookie *c;
    int r = cel__cookie_parse(&parsed, line, now);

    if (r == 0)
        r = find_owner(&parsed, from, domain, &is_host_only);
    if (r < 0)
        return r;
    path = parsed.path.len > 0 ? parsed.path : cel__cookie_default_path(from->parts.path);
    if (!from->where.is_tls &&
        (parsed.is_secure || would_mask_secure(jar, &parsed, cel__buf_str(domain), path)))
        return -EINVAL;
    c = new_cookie(&parsed, path);
    if (c == NULL)
        return -ENOMEM;
    c->is_host_only = is_host_only;
    return insert(jar, cel__buf_str(domain), c, now);
}

int cel__jar_set(struct cel__jar *jar, const struct cel__target *from, struct cel_str line,
                 int64_t now)
{
    struct cel__buf domain = {0};
    int r = set(jar, from, line, now, &domain);

    cel__buf_fini(&domain);
    return r;
}

/* ---- keeping elsewhere ---- */

void cel__jar_each(const struct cel__jar *jar,
                   void (*fn)(void *arg, const struct cel__jar_entry *e), void *arg)
{
    struct cel__map_entry *entry;
    size_t at = 0;

    while ((entry = cel__map_next(&jar->domains, &at)) != NULL) {
        const struct domain *d = entry->value;

        CEL__LIST_EACH (node, &d->cookies) {
            const struct cookie *c = cookie_of(node);

            fn(arg, &(struct cel__jar_entry){d->name, c->path, c->name, c->value, c->expires,
                                             c->is_host_only, c->is_secure});
        }
    }
}

static bool is_plain(struct cel_str s, const char * not )
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 32 || s.ptr[i] == 127 || strchr(not, s.ptr[i]) != NULL)
            return false;
    return true;
}

int cel__jar_put(struct cel__jar *jar, const struct cel__jar_entry *e, int64_t now)
{
    struct cel__cookie from = {
        .name = e->name, .value = e->value, .expires = e->expires, .is_secure = e->is_secure};
    struct cel__buf domain = {0};
    struct cookie *c;
    int r = -ENOMEM;

    from.is_persistent = e->expires != INT64_MAX;
    for (size_t i = 0; i < e->domain.len; i++)
        cel__buf_add_char(&domain, cel__char_lower(e->domain.ptr[i]));
    if (domain.failed)
        goto out;
    r = -EINVAL;
    if (domain.len == 0 || e->path.len == 0 || e->path.ptr[0] != '/' || e->expires <= now ||
        e->name.len + e->value.len > CEL__COOKIE_PAIR_MAX || e->name.len + e->value.len == 0 ||
        !is_plain(e->name, "=;") || !is_plain(e->value, ";") || !is_plain(e->path, ";") ||
        !is_plain(e->domain, ";/ ") ||
        (!e->is_host_only && cel__suffix_is_public(cel__buf_str(&domain))))
        goto out;
    c = new_cookie(&from, e->path);
    r = -ENOMEM;
    if (c == NULL)
        goto out;
    c->is_host_only = e->is_host_only;
    r = insert(jar, cel__buf_str(&domain), c, now);
out:
    cel__buf_fini(&domain);
    return r;
}

/* ---- saying ---- */

static void drop_expired(struct cel__jar *jar, struct domain *d, int64_t now)
{
    CEL__LIST_EACH_SAFE (node, &d->cookies)
        if (cookie_of(node)->expires <= now)
            remove_cookie(jar, cookie_of(node));
}

/* Appends pointers to those of one domain that are for `to`. */
static void collect(const struct domain *d, const struct cel__target *to, bool is_host,
                    struct cel__buf *found)
{
    CEL__LIST_EACH (node, &d->cookies) {
        struct cookie *c = cookie_of(node);

        if ((is_host || !c->is_host_only) && (to->where.is_tls || !c->is_secure) &&
            cel__cookie_path_matches(to->parts.path, c->path))
            cel__buf_add(found, &c, sizeof(struct cookie *));
    }
}

/* The name without its first label; empty behind the last. */
static struct cel_str parent_of(struct cel_str name)
{
    const char *dot = memchr(name.ptr, '.', name.len);

    if (dot == NULL)
        return (struct cel_str){0};
    return (struct cel_str){dot + 1, name.len - (size_t)(dot + 1 - name.ptr)};
}

static void collect_all(struct cel__jar *jar, const struct cel__target *to, int64_t now,
                        struct cel__buf *found)
{
    struct cel_str name = to->where.host;
    bool is_host = true;

    while (name.len > 0) {
        struct domain *d = find_domain(jar, name);

        if (d != NULL) {
            drop_expired(jar, d, now);
            collect(d, to, is_host, found);
            tidy_domain(jar, d);
        }
        if (to->parts.host_kind != CEL__HOST_DOMAIN)
            return;
        name = parent_of(name);
        is_host = false;
    }
}

/* Longer paths first, then the older. */
static int compare(const void *a, const void *b)
{
    const struct cookie *x = *(struct cookie *const *)a, *y = *(struct cookie *const *)b;

    if (x->path.len != y->path.len)
        return x->path.len > y->path.len ? -1 : 1;
    return x->created < y->created ? -1 : 1;
}

int cel__jar_write(struct cel__jar *jar, const struct cel__target *to, int64_t now,
                   struct cel__buf *out)
{
    struct cel__buf found = {0};
    struct cookie **cookies;
    size_t count;

    collect_all(jar, to, now, &found);
    cookies = (struct cookie **)(void *)found.ptr;
    count = found.len / sizeof(void *);
    if (count > 1)
        qsort(cookies, count, sizeof(void *), compare);
    for (size_t i = 0; i < count; i++) {
        cookies[i]->used = ++jar->clock;
        cel__cookie_add(out, cookies[i]->name, cookies[i]->value);
    }
    if (found.failed)
        out->failed = true;
    cel__buf_fini(&found);
    return out->failed ? -ENOMEM : (int)count;
}
