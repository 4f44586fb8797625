/* SPDX-License-Identifier: MIT */
#ifndef CEL__H1_SCAN_H
#define CEL__H1_SCAN_H

/* Finding where the words of a header end, 64 bytes at a time.
 *
 * A block of 64 bytes is classified once into two bit masks; every word that ends inside it is
 * then found by counting zeros. Variants for each instruction set give the same answers as the
 * plain one; the best is chosen at the first use, by an ordinary pointer. */

#include <stdbool.h>
#include <stdint.h>

/* Zeroed but for begin and end: no block is classified yet. */
struct cel__h1_cursor {
    const char *begin; /* bytes from here on may be read */
    const char *end;
    const char *block;  /* the 64 bytes that the masks describe, or NULL */
    uint64_t not_token; /* a bit per byte that is no token byte; also behind the end */
    uint64_t not_text;  /* likewise for bytes that no field value holds */
};

struct cel__h1_scan {
    const char *name;
    /* *name_end: first byte at or behind `p` that is not of a token, or c->end. When that is a
     * colon -> first byte behind it that is a control byte other than HTAB, or c->end; otherwise
     * NULL. From call to call `p` only grows. */
    const char *(*line)(struct cel__h1_cursor *c, const char *p, const char **name_end);
    /* First byte at or behind `p` that a request target may not hold: what is not visible ASCII,
     * and '#'. */
    const char *(*target)(const char *begin, const char *p, const char *end);
    /* First control byte other than HTAB. */
    const char *(*text)(const char *begin, const char *p, const char *end);
};

/* The best for this processor. */
const struct cel__h1_scan *cel__h1_scan(void);
/* All that this processor can run, the plain one first; NULL behind the last. For tests. */
const struct cel__h1_scan *cel__h1_scan_nth(unsigned n);

/* tchar of RFC 9110 and a field value's bytes, one at a time. */
extern const uint8_t cel__h1_classes[256];
#define CEL__H1_TOKEN  1
#define CEL__H1_TEXT   2
#define CEL__H1_TARGET 4
#define CEL__H1_HOST   8 /* of a name or an IPv4 address: letters, digits, -._~ */

static inline bool cel__h1_is_token(char c)
{
    return (cel__h1_classes[(uint8_t)c] & CEL__H1_TOKEN) != 0;
}

#endif
