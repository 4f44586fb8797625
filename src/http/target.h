/* SPDX-License-Identifier: MIT */
#ifndef CEL__TARGET_H
#define CEL__TARGET_H

/* A URL, taken apart for making a request of it. */

#include "celadon/base.h"
#include "http/places.h"

struct cel__target {
    char *url;              /* as people see it: no user, no password; owned */
    size_t url_len;
    struct cel__where where; /* its host stands in `hosts`; tls is left to the session */
    struct cel_str path;     /* with the query, no fragment; stands in url or is "/" … */
    char *host;              /* owned */
    char *authorization;     /* "Basic …" of the URL's user and password, or NULL; owned */
};

/* base NULL: text must be absolute. Only http and https. -CEL_EURL in words, -ENOMEM; nothing is
 * left in *t then. */
CEL_NODISCARD int cel__target_parse(struct cel__target *t, struct cel_str text,
                                    const struct cel__target *base);
void cel__target_fini(struct cel__target *t);

/* Same scheme, host and port: what may see the same credentials. */
bool cel__target_same_origin(const struct cel__target *a, const struct cel__target *b);

#endif
