/* SPDX-License-Identifier: MIT */
#ifndef CEL__CODING_H
#define CEL__CODING_H

/* Content codings: gzip, deflate, br and zstd, alone or in layers.
 *
 * Decoding is driven by its reader: each call makes no more than there is room for, so that a
 * bomb costs time and never memory. Caps on the output and on its ratio to the input end it. */

#include <stdbool.h>
#include <stdint.h>

#include "proto/codec.h"

enum cel__coding {
    CEL__CODING_IDENTITY,
    CEL__CODING_GZIP,
    CEL__CODING_DEFLATE,
    CEL__CODING_BR,
    CEL__CODING_ZSTD,
    CEL__CODING_COUNT
};

/* -> enum cel__coding, -1 when unknown. "x-gzip" is gzip. */
int cel__coding_find(struct cel_str token);
/* "gzip"; static. */
struct cel_str cel__coding_name(enum cel__coding coding);

struct cel__decode_limits {
    uint64_t output_bytes; /* of the last layer; 0: no limit */
    unsigned ratio;        /* output to input of each layer, beyond ratio_from_bytes; 0: none */
    uint64_t ratio_from_bytes;
    unsigned layers; /* <= CEL__DECODE_LAYERS_MAX */
    unsigned members;
};

#define CEL__DECODE_LAYERS_MAX 5

/* 64 MiB, 100 to 1 beyond 1 MiB, 5 layers, 1024 members. */
extern const struct cel__decode_limits cel__decode_limits_default;

struct cel__decode;

/* `header` is the value of Content-Encoding, all its fields joined by commas; empty and identity
 * are fine. limits NULL: the default ones. Owner: the caller, until cel__decode_free.
 * -CEL_EDECODE unknown coding or too many, with *why (may be NULL; static); -ENOMEM. */
CEL_NODISCARD int cel__decode_new(struct cel__decode **out, struct cel_str header,
                                  const struct cel__decode_limits *limits, const char **why);
/* NULL is fine. */
void cel__decode_free(struct cel__decode *d);

/* No coding at all: bytes may go by without it. */
bool cel__decode_is_identity(const struct cel__decode *d);

/* Takes *used of `in` and makes *made <= out_cap bytes. 0: call again, with more input when all of
 * it was used and less than out_cap made. 1: the coded data has ended (more behind it is
 * passed over, but behind zstd only another frame may follow). -CEL_EDECODE broken, -CEL_ETOOLARGE
 * a limit, -ENOMEM: the cause is in cel__decode_why, the bytes made count, further calls give the
 * same. */
CEL_NODISCARD int cel__decode_step(struct cel__decode *d, const char *in, size_t in_len,
                                   size_t *used, char *out, size_t out_cap, size_t *made);

/* When the input has ended and nothing more is made: 0, or -CEL_EDECODE when the data was cut
 * short. Nothing at all is fine: empty bodies often carry the header. */
CEL_NODISCARD int cel__decode_end(struct cel__decode *d);

const char *cel__decode_why(const struct cel__decode *d);

/* One layer of encoding, for answers. Owner: the caller, until cel__encode_free. -EINVAL a coding
 * that is not made here (deflate, identity), -ENOMEM. */
struct cel__encode;

CEL_NODISCARD int cel__encode_new(struct cel__encode **out, enum cel__coding coding);
void cel__encode_free(struct cel__encode *e);
/* 1: all was flushed, or the end was made; 0: call again with the rest and more room.
 * -CEL_EDECODE, -ENOMEM. */
CEL_NODISCARD int cel__encode_step(struct cel__encode *e, enum cel__codec_op op, const char *in,
                                   size_t in_len, size_t *used, char *out, size_t out_cap,
                                   size_t *made);

#endif
