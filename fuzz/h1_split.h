/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_H1_SPLIT_H
#define FUZZ_H1_SPLIT_H

/* One head by every scanner, in one piece, byte by byte and in two: all must agree, and what was
 * accepted must lie within the bytes. */

#include <stdint.h>
#include <string.h>

#include "base/cc.h"
#include "proto/h1_parse.h"

enum { FUZZ_FIELDS = 64, FUZZ_STEP_ALL = 0 };

static inline ssize_t fuzz_feed(struct cel__h1_head *h, const struct cel__h1_scan *scan,
                                const char *bytes, size_t len, size_t first, size_t step)
{
    ssize_t r = cel__h1_parse_by(scan, h, bytes, first);

    while (r == 0 && first < len) {
        first = step == FUZZ_STEP_ALL ? len : cel__min(first + step, len);
        r = cel__h1_parse_by(scan, h, bytes, first);
    }
    return r;
}

static inline void fuzz_check_bounds(const struct cel__h1_head *h, size_t len)
{
    CEL__ASSERT(h->field_count <= h->field_cap);
    CEL__ASSERT(h->target.at + h->target.len <= len && h->host.at + h->host.len <= len);
    CEL__ASSERT(h->method_name.at + h->method_name.len <= len);
    CEL__ASSERT(h->reason.at + h->reason.len <= len);
    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct cel__h1_field *f = &h->fields[i];

        CEL__ASSERT(f->name_len != 0 && f->name_at + f->name_len < f->value_at);
        CEL__ASSERT(f->value_at + f->value_len < len);
    }
    CEL__ASSERT(h->body_bytes == 0 || h->body == CEL__H1_BODY_LENGTH);
}

static inline void fuzz_h1(enum cel__h1_kind kind, enum cel__h1_method method, const char *bytes,
                           size_t len)
{
    const struct cel__h1_limits limits = {.line_bytes = 300, .head_bytes = 1000, .fields = 40};
    struct cel__h1_field fields[2][FUZZ_FIELDS];
    struct cel__h1_head one, other;
    const struct cel__h1_scan *scan;
    size_t cut = len != 0 ? (uint8_t)bytes[len - 1] % len : 0;
    ssize_t r;

    cel__h1_head_init(&one, kind, fields[0], FUZZ_FIELDS, &limits);
    one.method = (uint8_t)method;
    r = fuzz_feed(&one, cel__h1_scan_nth(0), bytes, len, len, 1);
    if (r > 0)
        fuzz_check_bounds(&one, (size_t)r);
    for (unsigned n = 0; (scan = cel__h1_scan_nth(n)) != NULL; n++)
        for (int way = 0; way < 3; way++) {
            cel__h1_head_init(&other, kind, fields[1], FUZZ_FIELDS, &limits);
            other.method = (uint8_t)method;
            CEL__ASSERT(r == fuzz_feed(&other, scan, bytes, len,
                                       way == 0   ? len
                                       : way == 1 ? 0
                                                  : cut,
                                       way == 1 ? 1 : FUZZ_STEP_ALL));
            CEL__ASSERT(one.error == other.error && one.field_count == other.field_count);
            CEL__ASSERT(one.body == other.body && one.body_bytes == other.body_bytes);
            CEL__ASSERT(one.keep_alive == other.keep_alive && one.known == other.known);
        }
}

#endif
