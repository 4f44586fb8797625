/* SPDX-License-Identifier: MIT */
#ifndef CEL__SOURCE_H
#define CEL__SOURCE_H

/* A response's body on its way from the connection to whoever reads it: framing off, decoded,
 * within limits; at its end the connection goes back. */

#include "http/body.h"
#include "http/limit.h"
#include "http/places.h"
#include "proto/coding.h"

struct cel__source {
    struct cel__conn *conn; /* NULL when it was given back */
    struct cel__body body;
    struct cel__decode *decode; /* NULL: as it comes */
    bool wants_input;           /* decode has nothing left to give */
    uint64_t yielded_at;        /* bytes given when the others last ran */
    int64_t read_timeout;
    uint64_t given;    /* bytes to the reader */
    uint64_t body_max; /* of `given` */
    bool may_keep;     /* the connection, after the end of the body */
    bool is_held; /* the request still goes out: the connection stays, a cancel breaks nothing */
    bool is_over;
    int failed; /* sticky */
};

struct cel__source_options {
    int64_t read_timeout;
    uint64_t body_max;
    unsigned ratio_max;
    bool no_decoding;
    bool may_keep;
    bool is_held;
    const char *head_bytes; /* what `head` is about; still in the stream */
    size_t head_len;
};

/* Takes the connection over, in every case, and the head off it. -CEL_EDECODE: a coding that
 * is not known, -ENOMEM. */
CEL_NODISCARD int cel__source_init(struct cel__source *s, struct cel__conn *conn,
                                   const struct cel__h1_head *head,
                                   const struct cel__source_options *options);
/* (parks) How many bytes, 0: the end, or the errors of a body. limit NULL: somebody else sets it.
 */
CEL_NODISCARD ssize_t cel__source_read(struct cel__source *s, struct cel__limit *limit, void *buf,
                                       size_t cap);
/* (parks) The next bytes behind what is in `out`: as above. */
CEL_NODISCARD ssize_t cel__source_read_more(struct cel__source *s, struct cel__limit *limit,
                                            struct cel__buf *out);
/* (parks) All of it behind what is in `out`. */
CEL_NODISCARD int cel__source_read_all(struct cel__source *s, struct cel__limit *limit,
                                       struct cel__buf *out);
/* The request has gone out, or been given up: is_held ends, and the connection goes where it would
 * have gone meanwhile. */
void cel__source_let_go(struct cel__source *s, bool may_keep);
/* The connection goes back if the body has ended, else it is closed. Twice is fine. */
void cel__source_fini(struct cel__source *s);

#endif
