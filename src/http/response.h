/* SPDX-License-Identifier: MIT */
#ifndef CEL__RESPONSE_H
#define CEL__RESPONSE_H

#include "http/fetch.h"
#include "http/source.h"

/* What cel_response is the face of. One block holds it, its head's bytes and table, its URL, and
 * a small body. */
struct cel__response {
    struct cel_response face; /* first */
    struct cel__h1_head head;
    const char *bytes;    /* the head's */
    struct cel__buf text; /* in the block, or owned */
    bool is_text_inside;
    struct cel_session *session; /* held while source is there */
    struct cel__source *source;  /* of a streamed body; owned */
    struct cel__buf early;       /* of a streamed body: came while the request still went out */
    size_t early_at;             /* of these are given */
    int64_t total;               /* deadline of a streamed body */
    struct cel_hop *history;     /* owned, with its URLs */
};

/* From the head of f's answer, with room inside for `text_cap` bytes of the body. -ENOMEM. */
CEL_NODISCARD int cel__response_new(struct cel__response **out, struct cel__fetch *f,
                                    size_t text_cap);
/* Its source has come to its end. */
void cel__response_end(struct cel__response *r);

#endif
