/* SPDX-License-Identifier: MIT */
#ifndef CEL__URL_H
#define CEL__URL_H

/* URLs as browsers read them (the WHATWG URL standard): parse against a base, normal form, parts.
 *
 * A parsed URL owns one string, its normal form; every part is a slice of it. Percent-encoded
 * bytes are kept as they came. */

#include "base/buf.h"
#include "proto/url_parts.h"

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
