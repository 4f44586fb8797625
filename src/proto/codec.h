/* SPDX-License-Identifier: MIT */
#ifndef CEL__CODEC_H
#define CEL__CODEC_H

/* One compression library behind one small face. Each codec lives in the one file that includes
 * its library's header. */

#include <stddef.h>

#include "celadon/base.h"

enum cel__codec_op {
    CEL__CODEC_RUN,
    CEL__CODEC_FLUSH, /* an encoder: all that went in can be decoded */
    CEL__CODEC_FINISH /* an encoder: the end */
};

struct cel__codec {
    /* `max_members`: how many gzip members or zstd frames a decoder takes one behind the other.
     * -ENOMEM. */
    int (*open)(void **state, unsigned max_members);
    /* Takes up to in_len bytes and makes up to out_cap. 1: the stream has ended (an encoder: after
     * FINISH or, all flushed, after FLUSH); 0: goes on; -CEL_EDECODE with *why set (static),
     * -ENOMEM. */
    int (*step)(void *state, enum cel__codec_op op, const char *in, size_t in_len, size_t *used,
                char *out, size_t out_cap, size_t *made, const char **why);
    void (*close)(void *state);
};

extern const struct cel__codec cel__codec_gunzip, cel__codec_inflate, cel__codec_gzip;
extern const struct cel__codec cel__codec_unbrotli, cel__codec_brotli;
extern const struct cel__codec cel__codec_unzstd, cel__codec_zstd;

#endif
