/* SPDX-License-Identifier: MIT */
#ifndef CEL__STR_H
#define CEL__STR_H

/* Slices: compare, trim, split, read numbers. ASCII only, locale never. */

#include <stdbool.h>
#include <string.h>

#include "celadon/base.h"

static inline struct cel_str cel__str(const char *text)
{
    return (struct cel_str){text, text != NULL ? strlen(text) : 0};
}

static inline bool cel__str_eq(struct cel_str a, struct cel_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline char cel__char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool cel__str_ieq(struct cel_str a, struct cel_str b);
bool cel__str_starts(struct cel_str s, struct cel_str prefix);
bool cel__str_ends(struct cel_str s, struct cel_str suffix);
/* Without the ASCII blanks (space, tab, CR, LF, FF) at both ends. */
struct cel_str cel__str_trim(struct cel_str s);
/* Up to `sep`; *rest gets what stands behind it. false when s is used up. */
bool cel__str_split(struct cel_str *rest, char sep, struct cel_str *part);
/* Whole slice is decimal digits. -EINVAL, -ERANGE; *out untouched on error. */
CEL_NODISCARD int cel__str_to_u64(struct cel_str s, uint64_t *out);
/* A duration: digits with an optional fraction and ns us ms s m h (none: s). -EINVAL, -ERANGE. */
CEL_NODISCARD int cel__str_to_duration(struct cel_str s, int64_t *out_ns);

#endif
