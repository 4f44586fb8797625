/* SPDX-License-Identifier: MIT */
#ifndef CEL__URL_H
#define CEL__URL_H

/* URLs as browsers read them (the WHATWG URL standard): parse against a base, normal form, parts.
 *
 * A parsed URL owns one string, its normal form; every part is a slice of it. Percent-encoded
 * bytes are kept as they came. */

#include <stdbool.h>

#include "celadon/base.h"
#include "proto/host.h"

enum cel__url_scheme {
    CEL__URL_OTHER,
    CEL__URL_HTTP,
    CEL__URL_HTTPS,
    CEL__URL_WS,
    CEL__URL_WSS,
    CEL__URL_FTP,
    CEL__URL_FILE
};

/* Refuse what the standard repairs in silence and an attacker hides behind: blanks and control
 * bytes around or within, and IPv4 addresses as one number, with fewer parts, octal or hex. */
#define CEL__URL_STRICT 1u

struct cel__url {
    struct cel_str href;
    struct cel_str scheme; /* "http" */
    struct cel_str username;
    struct cel_str password;
    struct cel_str host;      /* IPv6 with its brackets; also empty when there is none */
    struct cel_str authority; /* host[:port], as a Host field wants it */
    struct cel_str port;      /* empty when it is the scheme's default or none */
    struct cel_str path;
    struct cel_str query;    /* without '?' */
    struct cel_str fragment; /* without '#' */
    struct cel_str target;   /* path and query with its '?', as a request line wants it */
    enum cel__url_scheme kind;
    enum cel__host_kind host_kind;
    unsigned port_number; /* the default one where none is given; 0: none known */
    bool has_query, has_fragment;
    bool is_opaque; /* path is no hierarchy ("mailto:x"): cannot be resolved against */
};

/* base may be NULL. On success *u owns memory until cel__url_fini, else it is as before.
 * -CEL_EURL with the cause in *why (may be NULL; static), -ENOMEM. */
CEL_NODISCARD int cel__url_parse(struct cel__url *u, struct cel_str text,
                                 const struct cel__url *base, unsigned flags, const char **why);
/* NULL and zeroed are fine. */
void cel__url_fini(struct cel__url *u);
CEL_NODISCARD int cel__url_copy(struct cel__url *to, const struct cel__url *from);

/* Scheme, host and port; never true of schemes that have no origin. */
bool cel__url_same_origin(const struct cel__url *a, const struct cel__url *b);
/* Appends "https://example.org:8443", or "null". -ENOMEM. */
int cel__url_add_origin(struct cel__buf *b, const struct cel__url *u);

#endif
