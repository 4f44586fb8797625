/* SPDX-License-Identifier: MIT */
/* gzip and deflate, by zlib; the one file that includes it.
 *
 * Behind the last gzip member and behind deflated data anything may follow and is passed over, as
 * every browser does. "deflate" names zlib's format, and many senders mean raw data by it: the
 * first two bytes tell which. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "base/cc.h"
#include "base/mem.h"
#include "proto/codec.h"

enum { CHOOSING, RUNNING, BETWEEN, ENDED };

struct flate {
    z_stream z;
    unsigned members_left;
    unsigned char state;
    unsigned char head_len;
    unsigned char head[2]; /* set aside: the first bytes of a stream or behind one */
    bool is_gzip;
    bool is_open; /* inflateEnd is due */
};

static voidpf take(voidpf opaque, uInt count, uInt size)
{
    return cel__mem_array(count, size);
}

static void give(voidpf opaque, voidpf ptr)
{
    cel__mem_free(ptr);
}

static struct flate *new_flate(void)
{
    struct flate *f = cel__mem_zalloc(sizeof *f);

    if (f != NULL) {
        f->z.zalloc = take;
        f->z.zfree = give;
    }
    return f;
}

static int gunzip_open(void **state, unsigned max_members)
{
    struct flate *f = new_flate();

    if (f == NULL)
        return -ENOMEM;
    if (inflateInit2(&f->z, 15 + 16) != Z_OK) {
        cel__mem_free(f);
        return -ENOMEM;
    }
    f->members_left = max_members;
    f->state = RUNNING;
    f->is_open = f->is_gzip = true;
    *state = f;
    return 0;
}

static int inflate_open(void **state, unsigned max_members)
{
    struct flate *f = new_flate();

    *state = f;
    return f != NULL ? 0 : -ENOMEM;
}

static void inflate_close(void *state)
{
    struct flate *f = state;

    if (f->is_open)
        inflateEnd(&f->z);
    cel__mem_free(f);
}

static int run(struct flate *f, const char **why)
{
    switch (inflate(&f->z, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR:
        return 0;
    case Z_STREAM_END:
        return 1;
    case Z_MEM_ERROR:
        return -ENOMEM;
    default:
        *why = f->is_gzip ? "gzip data is broken" : "deflate data is broken";
        return -CEL_EDECODE;
    }
}

/* Bytes that were set aside go in before those of the caller. */
static int run_head(struct flate *f, const char **why)
{
    int r;

    f->z.next_in = f->head;
    f->z.avail_in = f->head_len;
    r = run(f, why);
    if (r == 0 && f->z.avail_in != 0) {
        f->head_len = (unsigned char)f->z.avail_in;
        memmove(f->head, f->z.next_in, f->head_len);
    } else {
        f->head_len = 0;
    }
    return r;
}

static size_t set_aside(struct flate *f, const char *in, size_t in_len)
{
    size_t n = 0;

    while (f->head_len < 2 && n < in_len)
        f->head[f->head_len++] = (unsigned char)in[n++];
    return n;
}

static int choose_format(struct flate *f)
{
    unsigned word = (unsigned)f->head[0] << 8 | f->head[1];
    bool is_zlib = (f->head[0] & 15) == 8 && f->head[0] >> 4 <= 7 && word % 31 == 0;

    if (inflateInit2(&f->z, is_zlib ? 15 : -15) != Z_OK)
        return -ENOMEM;
    f->is_open = true;
    f->state = RUNNING;
    return 0;
}

/* Behind a gzip member: another one, or what is passed over. */
static int next_member(struct flate *f, const char **why)
{
    if (f->head[0] != 0x1f || f->head[1] != 0x8b) {
        f->state = ENDED;
        return 1;
    }
    *why = "too many gzip members";
    if (--f->members_left == 0 || inflateReset(&f->z) != Z_OK)
        return -CEL_EDECODE;
    f->state = RUNNING;
    return 0;
}

static int inflate_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                        size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    struct flate *f = state;
    int r = 0;

    *used = *made = 0;
    if (f->state == CHOOSING || f->state == BETWEEN) {
        *used = set_aside(f, in, in_len);
        if (f->head_len < 2)
            return f->state == BETWEEN;
        r = f->state == CHOOSING ? choose_format(f) : next_member(f, why);
        if (r < 0)
            return r;
    }
    if (f->state == ENDED) {
        *used = in_len;
        return 1;
    }
    f->z.next_out = (Bytef *)out;
    f->z.avail_out = (uInt)cel__min(out_cap, UINT_MAX);
    if (f->head_len != 0)
        r = run_head(f, why);
    if (r == 0 && f->head_len == 0) {
        f->z.next_in = (z_const Bytef *)(in + *used);
        f->z.avail_in = (uInt)cel__min(in_len - *used, UINT_MAX);
        r = run(f, why);
        *used = (size_t)((const char *)f->z.next_in - in);
    }
    *made = (size_t)((char *)f->z.next_out - out);
    if (r == 1)
        f->state = f->is_gzip ? BETWEEN : ENDED;
    return r;
}

static int gzip_open(void **state, unsigned max_members)
{
    struct flate *f = new_flate();

    if (f == NULL)
        return -ENOMEM;
    if (deflateInit2(&f->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        cel__mem_free(f);
        return -ENOMEM;
    }
    *state = f;
    return 0;
}

static int gzip_step(void *state, enum cel__codec_op op, const char *in, size_t in_len,
                     size_t *used, char *out, size_t out_cap, size_t *made, const char **why)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    struct flate *f = state;
    int r;

    f->z.next_in = (z_const Bytef *)in;
    f->z.avail_in = (uInt)cel__min(in_len, UINT_MAX);
    f->z.next_out = (Bytef *)out;
    f->z.avail_out = (uInt)cel__min(out_cap, UINT_MAX);
    r = deflate(&f->z, flushes[op]);
    *used = (size_t)((const char *)f->z.next_in - in);
    *made = (size_t)((char *)f->z.next_out - out);
    if (r == Z_STREAM_ERROR) {
        *why = "gzip encoder was used behind its end";
        return -CEL_EDECODE;
    }
    if (op == CEL__CODEC_FLUSH)
        return f->z.avail_in == 0 && f->z.avail_out != 0;
    return r == Z_STREAM_END;
}

static void gzip_close(void *state)
{
    struct flate *f = state;

    deflateEnd(&f->z);
    cel__mem_free(f);
}

const struct cel__codec cel__codec_gunzip = {gunzip_open, inflate_step, inflate_close};
const struct cel__codec cel__codec_inflate = {inflate_open, inflate_step, inflate_close};
const struct cel__codec cel__codec_gzip = {gzip_open, gzip_step, gzip_close};
