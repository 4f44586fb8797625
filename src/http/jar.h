/* SPDX-License-Identifier: MIT */
#ifndef CEL__JAR_H
#define CEL__JAR_H

/* Cookies: what a session was told to say again, to whom (RFC 6265bis). */

#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "http/target.h"

struct cel__jar {
    struct cel__map domains; /* struct domain of jar.c, by name */
    size_t count;
    uint64_t version; /* changes with each cookie that is set or removed */
    uint64_t clock;   /* numbers creations and uses */
};

void cel__jar_init(struct cel__jar *jar);
void cel__jar_fini(struct cel__jar *jar);
void cel__jar_clear(struct cel__jar *jar);

/* A Set-Cookie line that came from `from`. 0; -EINVAL: the rules refuse it; -ENOMEM. */
CEL_NODISCARD int cel__jar_set(struct cel__jar *jar, const struct cel__target *from,
                               struct cel_str line);
/* The value of the Cookie field for `to`, appended. -> how many cookies, -ENOMEM. */
CEL_NODISCARD int cel__jar_write(struct cel__jar *jar, const struct cel__target *to,
                                 struct cel__buf *out);

#endif
