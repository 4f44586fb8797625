/* SPDX-License-Identifier: MIT */
#ifndef CEL__DECODE_H
#define CEL__DECODE_H

/* Bytes of any encoding to UTF-8, in pieces of any size: what comes out does not
 * depend on where the input was split. What is broken becomes U+FFFD, and how many
 * bytes that takes is the encoding standard's: an ASCII byte is never part of it, so
 * that no markup is swallowed. A byte order mark is a character here; who knows
 * that it is a mark skips it before. */

#include "base/buf.h"
#include "html/decoder.h"

void cel__decoder_init(struct cel__decoder *d, enum cel__encoding encoding);
/* Appends the characters that the bytes complete. With is_last no more bytes follow, and the
 * decoder is as new. -ENOMEM, after which only init is allowed. */
CEL_NODISCARD int cel__decoder_feed(struct cel__decoder *d, struct cel_str bytes, bool is_last,
                                    struct cel__buf *out);

/* All at once. -ENOMEM. */
CEL_NODISCARD int cel__decode(enum cel__encoding encoding, struct cel_str bytes,
                              struct cel__buf *out);

#endif
