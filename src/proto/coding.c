/* SPDX-License-Identifier: MIT */
/* Layers stand in a row, the one nearest to the wire first; between two of them is a pipe of fixed
 * size. A turn runs each layer once; turns go on until one moves nothing or the reader's room is
 * full. */
#include "proto/coding.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"

enum { PIPE_BYTES = 16 << 10 };

struct layer {
    const struct cel__codec *codec;
    void *state;
    uint64_t in_bytes, out_bytes;
    bool has_ended;
};

struct pipe {
    size_t from, to;
    char bytes[PIPE_BYTES];
};

struct cel__decode {
    struct cel__decode_limits limits;
    unsigned count;
    int error; /* sticky */
    const char *why;
    struct layer layers[CEL__DECODE_LAYERS_MAX];
    struct pipe *pipes; /* count - 1 */
};

const struct cel__decode_limits cel__decode_limits_default = {
    .output_bytes = 64 << 20,
    .ratio = 100,
    .ratio_from_bytes = 1 << 20,
    .layers = CEL__DECODE_LAYERS_MAX,
    .members = 1024,
};

static const struct {
    struct cel_str name;
    const struct cel__codec *decoder, *encoder;
} codings[CEL__CODING_COUNT] = {
    [CEL__CODING_IDENTITY] = {{"identity", 8}, NULL, NULL},
    [CEL__CODING_GZIP] = {{"gzip", 4}, &cel__codec_gunzip, &cel__codec_gzip},
    [CEL__CODING_DEFLATE] = {{"deflate", 7}, &cel__codec_inflate, NULL},
    [CEL__CODING_BR] = {{"br", 2}, &cel__codec_unbrotli, &cel__codec_brotli},
    [CEL__CODING_ZSTD] = {{"zstd", 4}, &cel__codec_unzstd, &cel__codec_zstd},
};

int cel__coding_find(struct cel_str token)
{
    for (int i = 0; i < CEL__CODING_COUNT; i++)
        if (cel__str_ieq(token, codings[i].name))
            return i;
    return cel__str_ieq(token, CEL_LIT("x-gzip")) ? CEL__CODING_GZIP : -1;
}

struct cel_str cel__coding_name(enum cel__coding coding)
{
    return codings[coding].name;
}

static int fail(struct cel__decode *d, int code, const char *why)
{
    d->error = code;
    d->why = why;
    return code;
}

/* The last coding named was applied last, so it comes off first: layers are filled from the end. */
static int read_header(struct cel__decode *d, struct cel_str header)
{
    struct cel_str token;

    while (cel__str_split(&header, ',', &token)) {
        int coding = cel__coding_find(cel__str_trim(token));

        if (cel__str_trim(token).len == 0 || coding == CEL__CODING_IDENTITY)
            continue;
        if (coding < 0)
            return fail(d, -CEL_EDECODE, "unknown content coding");
        if (d->count == cel__min(d->limits.layers, CEL__DECODE_LAYERS_MAX))
            return fail(d, -CEL_EDECODE, "too many content codings");
        memmove(d->layers + 1, d->layers, d->count * sizeof *d->layers);
        d->layers[0] = (struct layer){.codec = codings[coding].decoder};
        d->count++;
    }
    return 0;
}

static int open_layers(struct cel__decode *d)
{
    int r = 0;

    for (unsigned i = 0; i < d->count && r == 0; i++)
        r = d->layers[i].codec->open(&d->layers[i].state, d->limits.members);
    if (r == 0 && d->count > 1) {
        d->pipes = cel__mem_array(d->count - 1, sizeof *d->pipes);
        r = d->pipes != NULL ? 0 : -ENOMEM;
    }
    return r;
}

int cel__decode_new(struct cel__decode **out, struct cel_str header,
                    const struct cel__decode_limits *limits, const char **why)
{
    struct cel__decode *d = cel__mem_zalloc(sizeof *d);
    int r;

    if (why != NULL)
        *why = "no memory";
    if (d == NULL)
        return -ENOMEM;
    d->limits = limits != NULL ? *limits : cel__decode_limits_default;
    r = read_header(d, header);
    if (r == 0)
        r = open_layers(d);
    else if (why != NULL)
        *why = d->why;
    if (r < 0) {
        cel__decode_free(d);
        return r;
    }
    *out = d;
    return 0;
}

void cel__decode_free(struct cel__decode *d)
{
    if (d == NULL)
        return;
    for (unsigned i = 0; i < d->count; i++)
        if (d->layers[i].state != NULL)
            d->layers[i].codec->close(d->layers[i].state);
    cel__mem_free(d->pipes);
    cel__mem_free(d);
}

bool cel__decode_is_identity(const struct cel__decode *d)
{
    return d->count == 0;
}

const char *cel__decode_why(const struct cel__decode *d)
{
    return d->why != NULL ? d->why : "no error";
}

static bool is_bomb(const struct cel__decode *d, const struct layer *l)
{
    return d->limits.ratio != 0 && l->out_bytes > d->limits.ratio_from_bytes &&
           l->out_bytes / d->limits.ratio > l->in_bytes;
}

/* -> bytes moved, in or out. */
static ssize_t step(struct cel__decode *d, struct layer *l, const char *in, size_t in_len,
                    size_t *used, char *out, size_t out_cap, size_t *made)
{
    const char *why = "no memory to decode";
    int r = l->codec->step(l->state, CEL__CODEC_RUN, in, in_len, used, out, out_cap, made, &why);

    if (r < 0) {
        *used = *made = 0;
        return fail(d, r, why);
    }
    l->in_bytes += *used;
    l->out_bytes += *made;
    l->has_ended = r == 1;
    if (is_bomb(d, l)) {
        *made = 0;
        return fail(d, -CEL_ETOOLARGE, "decoded data is far larger than coded data");
    }
    return (ssize_t)(*used + *made);
}

/* Room that the cap on the output leaves, plus one byte to notice that it is exceeded. */
static size_t allowed(const struct cel__decode *d, uint64_t so_far, size_t room)
{
    uint64_t left = d->limits.output_bytes - so_far;

    return d->limits.output_bytes == 0 || room <= left ? room : (size_t)left + 1;
}

/* One layer between what feeds it and what it feeds, either of which may be the caller. */
static ssize_t turn_layer(struct cel__decode *d, unsigned i, const char *in, size_t in_len,
                          size_t *used, char *out, size_t out_cap, size_t *made)
{
    struct pipe *before = i > 0 ? &d->pipes[i - 1] : NULL;
    struct pipe *behind = i + 1 < d->count ? &d->pipes[i] : NULL;
    size_t taken, given;
    ssize_t r;

    if (before != NULL) {
        in = before->bytes + before->from;
        in_len = before->to - before->from;
    }
    if (behind != NULL) {
        if (behind->from == behind->to)
            behind->from = behind->to = 0;
        out = behind->bytes + behind->to;
        out_cap = PIPE_BYTES - behind->to;
    }
    if (out_cap == 0)
        return 0;
    r = step(d, &d->layers[i], in, in_len, &taken, out, out_cap, &given);
    if (before != NULL)
        before->from += taken;
    else
        *used += taken;
    if (behind != NULL)
        behind->to += given;
    else
        *made += given;
    return r;
}

static ssize_t turn(struct cel__decode *d, const char *in, size_t in_len, size_t *used, char *out,
                    size_t out_cap, size_t *made)
{
    ssize_t moved = 0;

    for (unsigned i = 0; i < d->count; i++) {
        ssize_t r =
            turn_layer(d, i, in + *used, in_len - *used, used, out + *made, out_cap - *made, made);

        if (r < 0)
            return r;
        moved += r;
    }
    return moved;
}

static bool has_ended(const struct cel__decode *d)
{
    for (unsigned i = 0; i < d->count; i++)
        if (!d->layers[i].has_ended || (i + 1 < d->count && d->pipes[i].from != d->pipes[i].to))
            return false;
    return d->count != 0;
}

static void pass_by(const char *in, size_t in_len, size_t *used, char *out, size_t out_cap,
                    size_t *made)
{
    *used = *made = cel__min(in_len, out_cap);
    if (*made != 0)
        memcpy(out, in, *made);
}

int cel__decode_step(struct cel__decode *d, const char *in, size_t in_len, size_t *used, char *out,
                     size_t out_cap, size_t *made)
{
    struct layer *last = &d->layers[d->count != 0 ? d->count - 1 : 0];
    uint64_t before = last->out_bytes;
    ssize_t r;

    *used = *made = 0;
    if (d->error != 0)
        return d->error;
    if (in == NULL)
        in = "";
    out_cap = allowed(d, before, out_cap);
    if (d->count == 0) {
        pass_by(in, in_len, used, out, out_cap, made);
        last->out_bytes += *made;
    } else {
        do
            r = turn(d, in, in_len, used, out, out_cap, made);
        while (r > 0 && *made < out_cap);
        if (r < 0)
            return (int)r;
    }
    if (d->limits.output_bytes != 0 && last->out_bytes > d->limits.output_bytes) {
        *made -= (size_t)(last->out_bytes - d->limits.output_bytes);
        return fail(d, -CEL_ETOOLARGE, "decoded data is larger than the limit");
    }
    return has_ended(d);
}

int cel__decode_end(struct cel__decode *d)
{
    if (d->error != 0)
        return d->error;
    if (d->count == 0 || d->layers[0].in_bytes == 0 || has_ended(d))
        return 0;
    return fail(d, -CEL_EDECODE, "coded data ends short");
}

struct cel__encode {
    const struct cel__codec *codec;
    void *state;
};

int cel__encode_new(struct cel__encode **out, enum cel__coding coding)
{
    struct cel__encode *e;
    int r;

    if (codings[coding].encoder == NULL)
        return -EINVAL;
    e = cel__mem_zalloc(sizeof *e);
    if (e == NULL)
        return -ENOMEM;
    e->codec = codings[coding].encoder;
    r = e->codec->open(&e->state, 1);
    if (r < 0) {
        cel__mem_free(e);
        return r;
    }
    *out = e;
    return 0;
}

void cel__encode_free(struct cel__encode *e)
{
    if (e == NULL)
        return;
    e->codec->close(e->state);
    cel__mem_free(e);
}

int cel__encode_step(struct cel__encode *e, enum cel__codec_op op, const char *in, size_t in_len,
                     size_t *used, char *out, size_t out_cap, size_t *made)
{
    const char *why;

    return e->codec->step(e->state, op, in, in_len, used, out, out_cap, made, &why);
}
