/* SPDX-License-Identifier: MIT */
#ifndef CEL__URL_PARSE_H
#define CEL__URL_PARSE_H

/* The states of the URL standard's parser; url.c puts together what they read. */

#include "base/buf.h"
#include "proto/url_parts.h"

struct cel__url_parse {
    struct cel_str in; /* what is left */
    const struct cel__url *base;
    const char *why;
    unsigned flags;
    struct cel__buf clean; /* the input without tabs and line ends */
    struct cel__buf scheme, username, password, host, path, query, fragment;
    enum cel__url_scheme kind;
    enum cel__host_kind host_kind;
    int port; /* -1: none, or the default */
    bool has_query, has_fragment, is_opaque;
};

/* p->in, base and flags are set, all else is zeroed. -CEL_EURL with p->why, -ENOMEM; fini is due in
 * each case. */
CEL_NODISCARD int cel__url_parse_run(struct cel__url_parse *p);
void cel__url_parse_fini(struct cel__url_parse *p);

/* 0: the scheme has none. */
unsigned cel__url_default_port(enum cel__url_scheme scheme);

#endif
