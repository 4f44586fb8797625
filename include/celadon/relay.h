/* SPDX-License-Identifier: MIT */
#ifndef CELADON_RELAY_H
#define CELADON_RELAY_H

/* Bytes on their way from one place to another that the program does not look at. The kernel moves
 * them by itself (sendfile, splice) where both sides are plain; through TLS, and from or to a file
 * as a stream, they are copied. All functions belong to the loop's thread. */

#include <stdint.h>

#include "celadon/file.h"
#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (parks) Writes `len` bytes of the file from offset on (-1: all there are) to the stream. -> how
 * many; fewer than len only when the file ends before. What went out before an error is told by
 * cel_stream_written. As cel_write and cel_file_read; -EINVAL a negative offset. */
CEL_PUBLIC CEL_NODISCARD int64_t cel_send_file(struct cel_stream *stream, struct cel_file *file,
                                               int64_t offset, int64_t len);

/* (parks) Moves bytes until `from` ends or `max` (-1: no limit) have been moved; ends neither
 * stream. -> how many. After an error or a cancel some bytes may have been read that were not
 * written. As cel_read of one and cel_write of the other. */
CEL_PUBLIC CEL_NODISCARD int64_t cel_copy(struct cel_stream *from, struct cel_stream *to,
                                          int64_t max);

/* How much went each way. */
struct cel_piped {
    uint64_t a_to_b, b_to_a;
};

/* (parks) Joins two streams: what comes from one goes to the other, both ways at once, until both
 * have ended. When one ends, the other is shut down for writing (cel_shutdown) and goes on in the
 * other direction. When one way fails the other is ended too: the first failure is returned, and
 * both streams can only be closed. Nobody else may use them. *piped (may be NULL) is set in any
 * case. -ENOMEM, -ECANCELED, -ETIMEDOUT, and as cel_copy. */
CEL_PUBLIC CEL_NODISCARD int cel_pipe_through(struct cel_stream *a, struct cel_stream *b,
                                              struct cel_piped *piped);

#ifdef __cplusplus
}
#endif

#endif
