/* SPDX-License-Identifier: MIT */
#ifndef CEL__URL_PARTS_H
#define CEL__URL_PARTS_H

/* What a URL consists of. */

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

#endif
