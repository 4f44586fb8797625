/* SPDX-License-Identifier: MIT */
#ifndef CEL__STREAM_H
#define CEL__STREAM_H

/* What a stream is made of, and the interface that a plain descriptor and TLS have in common. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/net.h"
#include "io/unread.h"
#include "loop/fd.h"

struct cel__tls_link;

/* How the bytes of a stream go. All but the last two park; they check s->is_closed after that. */
struct cel__transport {
    /* At least one byte, at most len; 0: the end. */
    ssize_t (*read)(struct cel_stream *s, void *buf, size_t len);
    /* The empty u gets at least one byte; -> how many, 0: the end. Holds no memory while it waits.
     */
    ssize_t (*fill)(struct cel_stream *s, struct cel__unread *u);
    /* All of it: len. s->written is kept up to date, also when it fails. */
    ssize_t (*write)(struct cel_stream *s, const void *buf, size_t len);
    /* The same; uses the array up as it goes. */
    ssize_t (*writev)(struct cel_stream *s, struct iovec *iov, int count);
    int (*shutdown)(struct cel_stream *s);
    /* Has the peer neither sent nor closed? */
    bool (*is_quiet)(struct cel_stream *s);
    /* Last words, if they go out without waiting; nobody writes. */
    void (*farewell)(struct cel_stream *s);
    /* What goes with the stream's memory; NULL: nothing but what tls_free frees. */
    void (*fini)(struct cel_stream *s);
};

struct cel_stream {
    const struct cel__transport *via;
    struct cel__fd *fd; /* not to be used once is_closed */
    uint8_t is_reading : 1;
    uint8_t is_writing : 1;
    uint8_t is_closed : 1; /* by cel_close; freed when nobody is inside any more */
    uint8_t saw_end : 1;   /* a read has met the end */
    size_t written;        /* of the last write */
    struct cel__unread unread;
    struct cel__tls_link *tls; /* NULL: plain */
    void (*tls_free)(struct cel__tls_link *link);
    char *peer, *local; /* as text, when first asked for */
};

/* A stream over f, which it closes in the end; on error f stays the caller's. -ENOMEM. */
CEL_NODISCARD int cel__stream_new(struct cel_stream **out, struct cel__fd *f);

/* What is unread and at hand, without parking. -> how many; 0: nothing, or a read or peek is
 * needed. */
static inline size_t cel__stream_unread(const struct cel_stream *s, const char **data)
{
    *data = s->unread.ptr;
    return s->unread.len;
}

/* For calls of one side that live in other files; the end as that of cel__stream_end. */
CEL_NODISCARD int cel__stream_begin_read(struct cel_stream *s);
ssize_t cel__stream_end_read(struct cel_stream *s, ssize_t r);
CEL_NODISCARD int cel__stream_begin_write(struct cel_stream *s);
ssize_t cel__stream_end_write(struct cel_stream *s, ssize_t r);
/* For what needs both sides, alone. 0; -ECANCELED, -ETIMEDOUT: do not end it. */
CEL_NODISCARD int cel__stream_begin(struct cel_stream *s);
/* The stream may be gone afterwards. -> r. */
int cel__stream_end(struct cel_stream *s, int r);

/* (parks) Until the descriptor is ready for the events: 0, or why not. */
CEL_NODISCARD int cel__stream_wait(struct cel_stream *s, short events);
/* As many bytes of the pieces as go without waiting, with nobody writing. -> how many; 0: none goes
 * now, or the stream is none that can tell: write instead; -errno. Does not park. */
CEL_NODISCARD ssize_t cel__stream_write_now(struct cel_stream *s, const struct iovec *iov,
                                            int count);
/* Bytes of a regular file, as many as go without waiting, with nobody writing. -> how many; 0: none
 * goes now, or the stream takes no files: write instead; -CEL_ETRUNCATED: the file ends at offset,
 * -errno. Does not park. */
CEL_NODISCARD ssize_t cel__stream_send_file(struct cel_stream *s, int fd, int64_t offset,
                                            size_t len);

extern const struct cel__transport cel__plain;

#endif
