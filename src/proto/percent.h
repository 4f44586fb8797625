/* SPDX-License-Identifier: MIT */
#ifndef CEL__PERCENT_H
#define CEL__PERCENT_H

/* Percent-encoding, with the sets of the URL standard. Each set holds all non-ASCII bytes. */

#include "base/buf.h"

enum cel__percent_set {
    CEL__PERCENT_CONTROL = 1,
    CEL__PERCENT_FRAGMENT = 2,
    CEL__PERCENT_QUERY = 4,
    CEL__PERCENT_SPECIAL_QUERY = 8,
    CEL__PERCENT_PATH = 16,
    CEL__PERCENT_USERINFO = 32,
    CEL__PERCENT_COMPONENT = 64,
    CEL__PERCENT_FORM = 128 /* application/x-www-form-urlencoded, but for space as '+' */
};

/* Appends s with the bytes of the set as %XX; '%' itself stays. -ENOMEM. */
int cel__percent_encode(struct cel__buf *b, struct cel_str s, enum cel__percent_set set);
/* Appends s with each %XX as its byte; what is no such triple stays. -ENOMEM. */
int cel__percent_decode(struct cel__buf *b, struct cel_str s);

/* -1 when it is no hexadecimal digit. */
int cel__percent_hex(char c);

#endif
