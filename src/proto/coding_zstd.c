/* SPDX-License-Identifier: MIT */
/* Zstandard, by its library; the one file that includes it. A window above 8 MiB is refused, as
 * RFC 9659 asks of this coding. The library takes its memory from malloc. */
#include <errno.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "proto/codec.h"

enum { WINDOW_LOG_MAX = 23 };

enum { BEGIN, RUNNING, BETWEEN };

struct unzstd {
    ZSTD_DCtx *z;
    unsigned frames_left;
    unsigned char state;
    unsigned char magic_len;
    unsigned char magic[4]; /* of a frame that begins */
};

static int unzstd_open(void **state, unsigned max_members)
{
    struct unzstd *u = cel__mem_zalloc(sizeof *u);

    if (u == NULL)
        return -ENOMEM;
    u->frames_left = max_members;
    u->z = ZSTD_createDCtx();
    if (u->z == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(u->z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        ZSTD_freeDCtx(u->z);
        cel__mem_free(u);
        return -ENOMEM;
    }
    *state = u;
    return 0;
}

static int failed(size_t r, const char **why)
{
    switch (ZSTD_getErrorCode(r)) {
    case ZSTD_error_memory_allocation:
        return -ENOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        *why = "zstd window is larger than 8 MiB";
        return -CEL_EDECODE;
    default:
        *why = "zstd data is broken";
        return -CEL_EDECODE;
    }
}

/* Only the frames of RFC 8878: the library also knows what came before it, by code that nobody
 * should be able to reach from outside. -> 1 with the magic number there and given to the library,
 * 0 when it is not whole. */
static int begin_frame(struct unzstd *u, const char *in, size_t in_len, size_t *used,
                       const char **why)
{
    ZSTD_inBuffer from = {u->magic, 4, 0};
    ZSTD_outBuffer to = {NULL, 0, 0};
    size_t r;

    while (u->magic_len < 4 && *used < in_len)
        u->magic[u->magic_len++] = (unsigned char)in[(*used)++];
    if (u->magic_len < 4)
        return 0;
    u->magic_len = 0;
    *why = "zstd data is broken";
    if (memcmp(u->magic, "\x28\xb5\x2f\xfd", 4) != 0 &&
        ((u->magic[0] & 0xf0) != 0x50 || memcmp(u->magic + 1, "\x2a\x4d\x18", 3) != 0))
        return -CEL_EDECODE;
    if (u->state == BETWEEN && --u->frames_left == 0) {
        *why = "too many zstd frames";
        return -CEL_EDECODE;
    }
    u->state = RUNNING;
    r = ZSTD_decompressStream(u->z, &to, &from);
    if (ZSTD_isError(r))
        return failed(r, why);
    return 1;
}

static int unzstd_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                       size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    struct unzstd *u = state;
    ZSTD_inBuffer from = {in, in_len, 0};
    ZSTD_outBuffer to = {out, out_cap, 0};
    size_t r;
    int begun;

    *used = *made = 0;
    if (u->state != RUNNING) {
        begun = begin_frame(u, in, in_len, used, why);
        if (begun <= 0)
            return begun < 0 ? begun : u->state == BETWEEN && u->magic_len == 0;
    }
    from.pos = *used;
    r = ZSTD_decompressStream(u->z, &to, &from);
    if (ZSTD_isError(r))
        return failed(r, why);
    *used = from.pos;
    *made = to.pos;
    if (r == 0)
        u->state = BETWEEN;
    return r == 0;
}

static void unzstd_close(void *state)
{
    struct unzstd *u = state;

    ZSTD_freeDCtx(u->z);
    cel__mem_free(u);
}

static int zstd_open(void **state, unsigned max_members)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();

    if (z == NULL)
        return -ENOMEM;
    ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, 3);
    *state = z;
    return 0;
}

static int zstd_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                     size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    static const ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer from = {in, in_len, 0};
    ZSTD_outBuffer to = {out, out_cap, 0};
    size_t r = ZSTD_compressStream2(state, &to, &from, directives[op]);

    *used = from.pos;
    *made = to.pos;
    if (ZSTD_isError(r)) {
        *why = "zstd encoder failed";
        return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? -ENOMEM : -CEL_EDECODE;
    }
    return op != CEL__CODEC_RUN && r == 0;
}

static void zstd_close(void *state)
{
    ZSTD_freeCCtx(state);
}

const struct cel__codec cel__codec_unzstd = {unzstd_open, unzstd_step, unzstd_close};
const struct cel__codec cel__codec_zstd = {zstd_open, zstd_step, zstd_close};
