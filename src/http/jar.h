/* SPDX-License-Identifier: MIT */
#ifndef CEL__JAR_H
#define CEL__JAR_H

/* Cookies: what a session was told to say again, and to whom (RFC 6265bis). */

#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "http/target.h"

enum { CEL__JAR_PER_DOMAIN_MAX = 50, CEL__JAR_MAX = 3000 };

struct cel__jar {
    struct cel__map domains; /* struct domain of jar.c, by name in lower case */
    size_t count;
    uint64_t version; /* grows with each cookie set or removed */
    uint64_t clock;   /* numbers creations and uses */
};

/* A zeroed jar is empty and valid. Frees all cookies. */
void cel__jar_clear(struct cel__jar *jar);

/* A Set-Cookie line that came from `from` at `now`, seconds since 1970. 0; -EINVAL: the rules
 * refuse it; -ENOMEM. */
CEL_NODISCARD int cel__jar_set(struct cel__jar *jar, const struct cel__target *from,
                               struct cel_str line, int64_t now);
/* A cookie as it lies in the jar. */
struct cel__jar_entry {
    struct cel_str domain, path, name, value;
    int64_t expires; /* INT64_MAX: with the session */
    bool is_host_only, is_secure;
};

void cel__jar_each(const struct cel__jar *jar,
                   void (*fn)(void *arg, const struct cel__jar_entry *e), void *arg);
/* One that was told by cel__jar_each before. 0; -EINVAL: expired, or against the rules; -ENOMEM. */
CEL_NODISCARD int cel__jar_put(struct cel__jar *jar, const struct cel__jar_entry *e, int64_t now);

/* Appends the value of the Cookie field for `to`. -> how many cookies, -ENOMEM. */
CEL_NODISCARD int cel__jar_write(struct cel__jar *jar, const struct cel__target *to, int64_t now,
                                 struct cel__buf *out);

#endif
