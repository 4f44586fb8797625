/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHUNKED_H
#define CEL__CHUNKED_H

/* The chunked transfer coding of HTTP/1.1, strictly: sizes of 1 to 16 hex digits, CR LF only,
 * bounded extensions, trailers by the same grammar and limits as heads. Any split of the input
 * gives the same data and the same end. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/h1_head.h"

enum {
    CEL__CHUNKED_EXTENSION_MAX = 256,      /* per chunk */
    CEL__CHUNKED_EXTENSIONS_MAX = 16 << 10 /* per body */
};

struct cel__chunked {
    uint64_t left; /* of the current chunk's data */
    uint32_t extension_bytes;
    uint32_t extensions_bytes;
    uint8_t state;
    uint8_t digits;
    int error;       /* sticky */
    const char *why; /* the error in words; static */
    struct cel__h1_limits limits;
    struct cel__h1_head trailer; /* readable after the end when trailer_bytes is not empty */
    struct cel__buf trailer_bytes;
    struct cel__h1_field *trailer_fields;
};

/* `limits` are those of the trailer section; NULL: the default ones. */
void cel__chunked_init(struct cel__chunked *d, const struct cel__h1_limits *limits);
/* Frees what trailers took. */
void cel__chunked_fini(struct cel__chunked *d);

/* Takes some of `in`: *used bytes. *data gets the piece of the body found there, a slice of `in`,
 * maybe empty. 1: the body has ended (bytes behind *used are the next message's). 0: call again
 * with the rest, or with more when all is used. -CEL_EPROTOCOL, -CEL_ETOOLARGE (d->why), -ENOMEM.
 */
CEL_NODISCARD int cel__chunked_next(struct cel__chunked *d, const char *in, size_t len,
                                    size_t *used, struct cel_str *data);

/* The same for a whole buffer in place: *made bytes of data stand at its begin afterwards, also
 * after an error. 1 as above, else all of `len` was used. */
CEL_NODISCARD int cel__chunked_decode(struct cel__chunked *d, char *bytes, size_t len, size_t *used,
                                      size_t *made);

/* Encoding: the line before `size` > 0 bytes of data; behind them goes CRLF. -> its length. */
#define CEL__CHUNKED_LINE_MAX 18
size_t cel__chunked_line(char out[CEL__CHUNKED_LINE_MAX], uint64_t size);
/* What ends a body without trailers. */
#define CEL__CHUNKED_LAST "0\r\n\r\n"

#endif
