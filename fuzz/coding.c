/* SPDX-License-Identifier: MIT */
/* The first two bytes choose codings and piece sizes. Whole and in pieces the same comes out, never
 * more than the limits let. */
#include "proto/coding.h"

#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { OUTPUT_MAX = 100000 };

static int decode(struct cel__buf *out, const char *header, struct cel_str text, size_t in_step,
                  size_t out_step)
{
    const struct cel__decode_limits limits = {
        .output_bytes = OUTPUT_MAX, .ratio = 0, .layers = 5, .members = 8};
    struct cel__decode *d;
    size_t used, made;
    int r = cel__decode_new(&d, cel__str(header), &limits, NULL);

    CEL__ASSERT(r == 0);
    do {
        size_t piece = cel__min(in_step, text.len);

        CEL__ASSERT(cel__buf_reserve(out, out_step) == 0);
        r = cel__decode_step(d, text.ptr, piece, &used, out->ptr + out->len, out_step, &made);
        CEL__ASSERT(used <= piece && made <= out_step);
        text.ptr += used;
        text.len -= used;
        out->len += made;
    } while (r >= 0 && (text.len != 0 || made == out_step));
    if (r >= 0)
        r = cel__decode_end(d);
    CEL__ASSERT(out->len <= OUTPUT_MAX);
    cel__decode_free(d);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const headers[] = {
        "gzip",          "deflate", "br", "zstd", "gzip, br", "zstd, gzip", "deflate, deflate",
        "br, zstd, gzip"};
    struct cel__buf whole = {0}, pieces = {0};
    const char *header;
    struct cel_str text;
    int a, b;

    if (len < 2)
        return 0;
    header = headers[data[0] % cel__countof(headers)];
    text = (struct cel_str){(const char *)data + 2, len - 2};
    a = decode(&whole, header, text, text.len + 1, 50000);
    b = decode(&pieces, header, text, 1u + data[1] % 16, 1u + data[1] / 16 * 100);
    CEL__ASSERT((a == 0) == (b == 0));
    if (a == 0) {
        CEL__ASSERT(whole.len == pieces.len);
        CEL__ASSERT(whole.len == 0 || memcmp(whole.ptr, pieces.ptr, whole.len) == 0);
    }
    cel__buf_fini(&whole);
    cel__buf_fini(&pieces);
    return 0;
}
