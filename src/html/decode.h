/* SPDX-License-Identifier: MIT */
#ifndef CEL__DECODE_H
#define CEL__DECODE_H

/* Character encodings by number, and bytes of any of them to valid UTF-8. The
 * numbers are private to this wrapper except for 0, UTF-8. */

#include <stdbool.h>

#include "base/buf.h"

enum { CEL__UTF_8 = 0, CEL__UTF_16LE = 1, CEL__UTF_16BE = 2 };

/* A label as pages and headers spell it ("utf8", "latin1"): its encoding, or -1. */
int cel__decode_find(struct cel_str label);
/* The standard's name ("windows-1252"); static. */
const char *cel__decode_name(int encoding);
/* A guess for bytes of an unnamed encoding that are not UTF-8: one of the Cyrillic ones, or
 * windows-1252. */
int cel__decode_guess(struct cel_str bytes);
/* Appends; what is broken becomes U+FFFD. -ENOMEM. */
CEL_NODISCARD int cel__decode(int encoding, struct cel_str bytes, struct cel__buf *out);

#endif
