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

/* A field's line "name: value CR LF", as offsets from the begin of the bytes. */
struct cel__h1_line {
    uint32_t at;
    uint32_t colon;
    uint32_t end; /* of the value, at the CR */
};

struct cel__h1_scan {
    const char *name;
    /* Takes lines from `p` on that are whole and hold what they may: a token, the colon right
     * behind it, no control byte but HTAB, CR LF. Stops at any other (the empty line that ends a
     * head among them), at the end, or at `max`. -> how many were taken. Bytes from `begin` on may
     * be read. */
    unsigned (*lines)(const char *begin, const char *p, const char *end, struct cel__h1_line *out,
                      unsigned max);
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
