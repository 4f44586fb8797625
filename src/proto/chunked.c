/* SPDX-License-Identifier: MIT */
/* One state per thing expected next. Only DATA and TRAILER take more than one byte at a time:
 *
 *   SIZE_FIRST -> SIZE -> [EXTENSION ->] SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE_FIRST
 *   SIZE_LF with size 0 -> TRAILER_FIRST -> END_LF | TRAILER -> DONE */
#include "proto/chunked.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "proto/h1_parse.h"

enum {
    SIZE_FIRST,
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER,
    END_LF,
    DONE
};

void cel__chunked_init(struct cel__chunked *d, const struct cel__h1_limits *limits)
{
    memset(d, 0, sizeof *d);
    d->limits = limits != NULL ? *limits : cel__h1_limits_default;
}

void cel__chunked_fini(struct cel__chunked *d)
{
    cel__buf_fini(&d->trailer_bytes);
    cel__mem_free(d->trailer_fields);
    d->trailer_fields = NULL;
}

static int fail(struct cel__chunked *d, int code, const char *why)
{
    d->error = code;
    d->why = why;
    return code;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_digit(struct cel__chunked *d, int value)
{
    if (d->digits == 16 || d->left > INT64_MAX >> 4)
        return fail(d, -CEL_EPROTOCOL, "chunk size is too large");
    d->left = d->left << 4 | (unsigned)value;
    d->digits++;
    d->state = SIZE;
    return 0;
}

static int take_size(struct cel__chunked *d, char c)
{
    int value = hex_value(c);

    if (value >= 0)
        return take_digit(d, value);
    if (d->state == SIZE_FIRST)
        return fail(d, -CEL_EPROTOCOL, "chunk size is not a hexadecimal number");
    if (c == '\r') {
        d->state = SIZE_LF;
    } else if (c == ';') {
        d->state = EXTENSION;
        d->extension_bytes = 0;
    } else {
        return fail(d, -CEL_EPROTOCOL, "chunk size is followed by neither CR LF nor an extension");
    }
    return 0;
}

static int take_extension(struct cel__chunked *d, char c)
{
    if (c == '\r') {
        d->state = SIZE_LF;
        return 0;
    }
    if ((c < ' ' && c != '\t') || c == 0x7f)
        return fail(d, -CEL_EPROTOCOL, "byte that a chunk extension may not hold");
    if (++d->extension_bytes > CEL__CHUNKED_EXTENSION_MAX ||
        ++d->extensions_bytes > CEL__CHUNKED_EXTENSIONS_MAX)
        return fail(d, -CEL_ETOOLARGE, "chunk extensions are too long");
    return 0;
}

static int take_line_feed(struct cel__chunked *d, char c)
{
    if (c != '\n')
        return fail(d, -CEL_EPROTOCOL, "CR without LF in the chunked coding");
    if (d->state == END_LF) {
        d->state = DONE;
    } else if (d->state == DATA_LF) {
        d->state = SIZE_FIRST;
        d->digits = 0;
    } else {
        d->state = d->left != 0 ? DATA : TRAILER_FIRST;
    }
    return 0;
}

static int take_byte(struct cel__chunked *d, char c)
{
    switch (d->state) {
    case SIZE_FIRST:
    case SIZE:
        return take_size(d, c);
    case EXTENSION:
        return take_extension(d, c);
    case DATA_CR:
        if (c != '\r')
            return fail(d, -CEL_EPROTOCOL, "chunk is longer than its size");
        d->state = DATA_LF;
        return 0;
    case TRAILER_FIRST:
        CEL__ASSERT(c == '\r');
        d->state = END_LF;
        return 0;
    default:
        return take_line_feed(d, c);
    }
}

static int begin_trailer(struct cel__chunked *d)
{
    if (d->limits.fields == 0)
        return fail(d, -CEL_ETOOLARGE, "too many trailer fields");
    d->trailer_fields = cel__mem_array(d->limits.fields, sizeof *d->trailer_fields);
    if (d->trailer_fields == NULL)
        return fail(d, -ENOMEM, "no memory for trailers");
    cel__h1_head_init(&d->trailer, CEL__H1_TRAILER, d->trailer_fields, d->limits.fields,
                      &d->limits);
    d->state = TRAILER;
    return 0;
}

/* Gathers the section, never more of it than its limit and one byte. */
static ssize_t take_trailer(struct cel__chunked *d, const char *in, size_t len)
{
    size_t had = d->trailer_bytes.len;
    ssize_t r;

    len = cel__min(len, d->limits.head_bytes + 1 - had);
    if (cel__buf_add(&d->trailer_bytes, in, len) < 0)
        return fail(d, -ENOMEM, "no memory for trailers");
    r = cel__h1_parse(&d->trailer, d->trailer_bytes.ptr, d->trailer_bytes.len);
    if (r < 0)
        return fail(d, (int)r, cel__h1_error_text((enum cel__h1_error)d->trailer.error));
    if (r == 0)
        return (ssize_t)len;
    d->trailer_bytes.len = (size_t)r;
    d->state = DONE;
    return r - (ssize_t)had;
}

int cel__chunked_next(struct cel__chunked *d, const char *in, size_t len, size_t *used,
                      struct cel_str *data)
{
    size_t at = 0;
    ssize_t taken;
    int r = d->error;

    *used = 0;
    *data = (struct cel_str){in, 0};
    while (r == 0 && at < len && d->state != DONE && data->len == 0) {
        if (d->state == DATA) {
            *data = (struct cel_str){in + at, cel__min(len - at, d->left)};
            at += data->len;
            d->left -= data->len;
            if (d->left == 0)
                d->state = DATA_CR;
        } else if (d->state == TRAILER) {
            taken = take_trailer(d, in + at, len - at);
            if (taken < 0)
                r = (int)taken;
            else
                at += (size_t)taken;
        } else if (d->state == TRAILER_FIRST && in[at] != '\r') {
            r = begin_trailer(d);
        } else {
            r = take_byte(d, in[at++]);
        }
    }
    *used = at;
    return r < 0 ? r : d->state == DONE;
}

int cel__chunked_decode(struct cel__chunked *d, char *bytes, size_t len, size_t *used, size_t *made)
{
    struct cel_str data;
    size_t taken;
    int r;

    *used = *made = 0;
    do {
        r = cel__chunked_next(d, bytes + *used, len - *used, &taken, &data);
        if (data.len != 0 && data.ptr != bytes + *made)
            memmove(bytes + *made, data.ptr, data.len);
        *made += data.len;
        *used += taken;
    } while (r == 0 && *used < len);
    return r;
}

size_t cel__chunked_line(char out[CEL__CHUNKED_LINE_MAX], uint64_t size)
{
    size_t digits = size != 0 ? (size_t)(67 - __builtin_clzll(size)) / 4 : 1;

    for (size_t i = digits; i-- != 0; size >>= 4)
        out[i] = "0123456789abcdef"[size & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
