/* SPDX-License-Identifier: MIT */
#ifndef CEL__HOST_H
#define CEL__HOST_H

/* The host of a URL: domain, IPv4 or IPv6 address, or the opaque host of other schemes. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum cel__host_kind {
    CEL__HOST_NONE,
    CEL__HOST_EMPTY,
    CEL__HOST_DOMAIN,
    CEL__HOST_IPV4,
    CEL__HOST_IPV6,
    CEL__HOST_OPAQUE
};

/* Parses as the URL standard says and appends the normal form (IPv6 in brackets). `is_strict`
 * refuses IPv4 addresses in any but the usual form. -> kind; -CEL_EURL with *why set (static),
 * -ENOMEM; nothing stays appended on error. */
CEL_NODISCARD int cel__host_parse(struct cel__buf *b, struct cel_str text, bool is_special,
                                  bool is_strict, const char **why);

#endif
