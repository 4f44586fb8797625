/* SPDX-License-Identifier: MIT */
#ifndef CEL__BODY_H
#define CEL__BODY_H

/* The bytes between a message's head and its end, whichever way the end is told. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/net.h"
#include "http/limit.h"
#include "proto/chunked.h"
#include "proto/h1_head.h"

struct cel__body {
    struct cel_stream *stream;
    uint64_t left;            /* of a body with a length, not counting `piece` */
    uint64_t received;        /* bytes of the body so far */
    struct cel_str piece;     /* in the stream's buffer, not yet taken */
    size_t used;              /* bytes of the stream to be consumed when piece is used up */
    uint8_t kind;             /* enum cel__h1_body */
    bool is_ended;            /* nothing of it is left in the stream */
    struct cel__limit *limit; /* told when what came was framing alone; NULL: none */
    struct cel__chunked chunked;
};

/* The head has been consumed from the stream. */
void cel__body_init(struct cel__body *b, struct cel_stream *stream,
                    const struct cel__h1_head *head);
void cel__body_fini(struct cel__body *b);

/* (parks) The next bytes, where they lie: 1 and a piece, valid until the next call; 0: the end.
 * -CEL_ETRUNCATED: the stream ended before the body did; -CEL_EPROTOCOL, -CEL_ETOOLARGE of chunked,
 * said by cel_last_error; and as cel_peek. */
CEL_NODISCARD int cel__body_peek(struct cel__body *b, struct cel_str *piece);
/* Takes n bytes of the piece as read. */
void cel__body_take(struct cel__body *b, size_t n);
/* (parks) The same by copy: how many, 0: the end. As little as possible is copied. */
CEL_NODISCARD ssize_t cel__body_read(struct cel__body *b, void *buf, size_t cap);

#endif
