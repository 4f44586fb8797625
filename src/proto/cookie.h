/* SPDX-License-Identifier: MIT */
#ifndef CEL__COOKIE_H
#define CEL__COOKIE_H

/* Cookies on the wire, by RFC 6265bis: one Set-Cookie line in, one Cookie line out, and the rules
 * by which a jar matches. The jar is elsewhere. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    CEL__COOKIE_PAIR_MAX = 4096,
    CEL__COOKIE_ATTRIBUTE_MAX = 1024,
    CEL__COOKIE_AGE_MAX_DAYS = 400
};

enum cel__cookie_site {
    CEL__COOKIE_SITE_DEFAULT,
    CEL__COOKIE_NONE,
    CEL__COOKIE_LAX,
    CEL__COOKIE_STRICT
};

/* Slices of the line; domain has no leading dot and keeps its case. */
struct cel__cookie {
    struct cel_str name; /* may be empty when value is not */
    struct cel_str value;
    struct cel_str domain; /* empty: the host alone */
    struct cel_str path;   /* empty: the default path of the request */
    int64_t expires;       /* seconds since 1970; INT64_MIN: it is deleted */
    enum cel__cookie_site site;
    bool is_persistent; /* expires is set */
    bool is_secure;
    bool is_http_only;
};

/* -EINVAL: the cookie is to be ignored (empty, too long, control bytes, a __Secure- or __Host-
 * name without what it promises). Whether the request was secure, and the public suffixes, are
 * for the jar to check. */
CEL_NODISCARD int cel__cookie_parse(struct cel__cookie *c, struct cel_str line, int64_t now);

/* Dates as cookies have them: any order, any delimiters. -EINVAL. */
CEL_NODISCARD int cel__cookie_date(struct cel_str text, int64_t *out);

/* Appends "name=value" to a Cookie line's value, behind "; " when there is one already. -ENOMEM. */
int cel__cookie_add(struct cel__buf *b, struct cel_str name, struct cel_str value);

/* Takes the next pair off a Cookie line; false when there is none. Quotes stay. */
bool cel__cookie_next(struct cel_str *line, struct cel_str *name, struct cel_str *value);

/* `host` is `domain` or, when it is no address, a name below it. Case does not count. */
bool cel__cookie_domain_matches(struct cel_str host, struct cel_str domain, bool host_is_address);
bool cel__cookie_path_matches(struct cel_str path, struct cel_str cookie_path);
/* The path of a request up to its last slash; "/" when there is none before it. */
struct cel_str cel__cookie_default_path(struct cel_str path);

#endif
