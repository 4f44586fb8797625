/* SPDX-License-Identifier: MIT */
/* A chunked body in one piece and in pieces whose sizes the first byte sets: the same data, end
 * and refusal. */
#include "proto/chunked.h"

#include <string.h>

#include "base/cc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct answer {
    struct cel__chunked d;
    struct cel__buf data;
    size_t used;
    int r;
};

static void decode(struct answer *a, const char *bytes, size_t len, size_t step)
{
    const struct cel__h1_limits limits = {.line_bytes = 200, .head_bytes = 500, .fields = 10};
    struct cel_str data;
    size_t to = 0, used;

    memset(a, 0, sizeof *a);
    cel__chunked_init(&a->d, &limits);
    while (a->r == 0 && (a->used < len || to == 0)) {
        if (a->used == to)
            to = cel__min(to + step, len);
        a->r = cel__chunked_next(&a->d, bytes + a->used, to - a->used, &used, &data);
        a->used += used;
        cel__buf_add_str(&a->data, data);
        if (len == 0)
            break;
    }
    CEL__ASSERT(a->data.len <= a->used && a->used <= len);
}

static void release(struct answer *a)
{
    cel__chunked_fini(&a->d);
    cel__buf_fini(&a->data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct answer whole, pieces;

    if (len < 2)
        return 0;
    decode(&whole, (const char *)data + 1, len - 1, len);
    decode(&pieces, (const char *)data + 1, len - 1, 1u + data[0] % 32);
    CEL__ASSERT(whole.r == pieces.r && whole.data.len == pieces.data.len);
    CEL__ASSERT(whole.data.len == 0 ||
                memcmp(whole.data.ptr, pieces.data.ptr, whole.data.len) == 0);
    CEL__ASSERT(whole.r < 0 || whole.used == pieces.used);
    CEL__ASSERT(whole.r >= 0 || whole.d.why == pieces.d.why);
    release(&whole);
    release(&pieces);
    return 0;
}
