/* SPDX-License-Identifier: MIT */
#ifndef CELADON_WRITER_H
#define CELADON_WRITER_H

/* A stream's writing side with a buffer: putting does not park, a task of the library writes behind
 * it, and who puts too much is told to wait. It is for those who must not park, and for many small
 * pieces from several tasks; cel_write needs none of it. All functions belong to the loop's thread.
 */

#include <stddef.h>

#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_writer;

/* Does not park; from a task. Above `high` unwritten bytes (0: 64 KiB) nothing more is taken;
 * cel_writer_drain waits until there are at most `low` (0: a quarter of high). The task that writes
 * belongs to the scope around this call, which must not be left before cel_writer_free; its end
 * waits for what is being written, its cancel ends that. The stream must outlive the writer, and
 * nobody else may write to it. Owner: the caller. -EINVAL low > high, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_writer_new(struct cel_writer **out, struct cel_stream *stream,
                                            size_t low, size_t high);
/* Does not park; by any task or callback of the loop: what becomes of who puts does not touch what
 * was put. Takes a copy of all of the bytes. 0; -EAGAIN more than high are unwritten: nothing was
 * taken, drain first; -ENOMEM nothing was taken; else the error of an earlier write, for good. */
CEL_PUBLIC CEL_NODISCARD int cel_writer_put(struct cel_writer *writer, const void *buf, size_t len);
/* (parks) Until at most `low` bytes are unwritten. 0; -ECANCELED, -ETIMEDOUT: they are written
 * still; else the error of a write: -EPIPE, -ECONNRESET, and, when the writer's scope was
 * cancelled, -ECANCELED for good. */
CEL_PUBLIC CEL_NODISCARD int cel_writer_drain(struct cel_writer *writer);
/* (parks) The same, until all are written. */
CEL_PUBLIC CEL_NODISCARD int cel_writer_flush(struct cel_writer *writer);
/* Unwritten bytes. */
CEL_PUBLIC size_t cel_writer_pending(const struct cel_writer *writer);
/* Does not park. What is unwritten is lost, and the stream may be left with part of it written.
 * Nobody may be parked on it. NULL is fine. */
CEL_PUBLIC void cel_writer_free(struct cel_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
