/* SPDX-License-Identifier: MIT */
#ifndef CEL__REFERENCE_H
#define CEL__REFERENCE_H

/* Character references: "&amp;", "&#xe9;". */

#include <stdbool.h>
#include <stdint.h>

#include "html/tokenizer.h"

#define CEL__REFERENCE_ERRORS 2

struct cel__reference {
    char text[8]; /* the characters as UTF-8 */
    uint32_t len; /* of text; 0: no reference, the ampersand stands for itself */
    uint32_t error_count;
    struct {
        enum cel__parse_error code;
        const char *at;
    } errors[CEL__REFERENCE_ERRORS];
};

/* Reads what begins with the ampersand at p. -> behind it (p + 1 when it is none), or NULL when it
 * cannot be told without bytes behind the end, which is never so when is_final. */
const char *cel__reference_read(const char *p, const char *end, bool is_final, bool in_attr,
                                struct cel__reference *out);

/* Named ones, sorted by name; a name is a slice of the pool, without the semicolon. */
struct cel__reference_entry {
    uint16_t at;
    uint8_t len;
    uint8_t text_len;
    uint8_t is_bare; /* also without a semicolon */
    char text[6];
};

extern const char cel__reference_names[];
/* Per letter, A to Z and a to z, the first entry that begins with it; then the count. */
extern const uint16_t cel__reference_firsts[53];
extern const struct cel__reference_entry cel__reference_entries[];

#endif
