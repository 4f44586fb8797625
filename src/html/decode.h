/* SPDX-License-Identifier: MIT */
#ifndef CEL__DECODE_H
#define CEL__DECODE_H

#include "base/buf.h"

/* Appends bytes of the encoding (a number of html/tables.h) as UTF-8; what is broken becomes
 * U+FFFD, and an ASCII byte is never part of that. -ENOMEM. */
CEL_NODISCARD int cel__decode(int encoding, struct cel_str bytes, struct cel__buf *out);

#endif
