/* SPDX-License-Identifier: MIT */
#ifndef CEL__UTF8_H
#define CEL__UTF8_H

/* Check, repair and write UTF-8. */

#include <stdint.h>

#include "base/buf.h"

/* -> bytes of the well-formed sequence at p (left > 0), 0 when there is none; *bad gets the length
 * of the longest beginning of one, which a single U+FFFD replaces. */
size_t cel__utf8_sequence(const uint8_t *p, size_t left, size_t *bad);
/* Length of the prefix that is valid UTF-8. */
size_t cel__utf8_valid(struct cel_str bytes);
/* Appends with U+FFFD for each broken sequence. -ENOMEM. */
int cel__utf8_repair(struct cel_str bytes, struct cel__buf *out);
/* Appends one code point; one that is none becomes U+FFFD. -ENOMEM. */
int cel__utf8_add(struct cel__buf *out, uint32_t code);

#endif
