/* SPDX-License-Identifier: MIT */
#ifndef CEL__TARGET_H
#define CEL__TARGET_H

/* A URL, taken apart for making a request of it. */

#include "http/places.h"
#include "proto/url.h"

struct cel__target {
    struct cel__url parts;
    struct cel_str url;      /* as people see it: no user, no password; ends with a NUL */
    char *own_url;           /* when that is not parts.href; or NULL */
    struct cel_str fragment; /* ptr NULL: none */
    char *authorization;     /* "Basic …" of the URL's user and password, or NULL; owned */
    struct cel__where where; /* tls is left to the session */
};

/* base NULL: text must be absolute, and strictly so. Otherwise it is what a redirect said. Only
 * http and https. -CEL_EURL in words, -ENOMEM; *t is zeroed then. */
CEL_NODISCARD int cel__target_parse(struct cel__target *t, struct cel_str text,
                                    const struct cel__target *base);
/* Basic authentication by plain bytes; NULL is "". -EINVAL the user holds a colon, -ENOMEM. */
CEL_NODISCARD int cel__target_authorize(struct cel__target *t, const char *user,
                                        const char *password);
/* Zeroed is fine. */
void cel__target_fini(struct cel__target *t);

#endif
