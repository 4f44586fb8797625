/* SPDX-License-Identifier: MIT */
/* Reading and writing, whatever the bytes go through.
 *
 * 1. Unread bytes come before anything new, so no call reads past what another left.
 * 2. A big destination is read into directly; a small one through what is unread, so that
 *    small reads do not cost a system call each.
 * 3. Whoever is inside holds the memory: cel_close ends the waiting, the last one out frees. */
#include "io/stream.h"

#include <errno.h>
#include <string.h>

#include "base/buggify.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"
#include "task/wait.h"

#define DIRECT_MIN 512 /* destinations from here on are read into directly */
#define PEEK_MAX   (16 * 1024 * 1024)
#define JOIN_MIN   4096
#define IOV_CHUNK  64

static void stream_free(struct cel_stream *s)
{
    if (s->tls != NULL)
        s->tls_free(s->tls);
    if (s->via->fini != NULL)
        s->via->fini(s);
    cel__unread_fini(&s->unread);
    cel__mem_free(s->peer);
    cel__mem_free(s->local);
    cel__mem_free(s);
}

static CEL__NOINLINE ssize_t left_behind(struct cel_stream *s, ssize_t r)
{
    if (!s->is_reading && !s->is_writing)
        stream_free(s);
    return r;
}

static inline int begin_read(struct cel_stream *s)
{
    int code = cel__checkpoint(cel__task_parking());

    CEL__ASSERT(!s->is_reading && "one task at a time reads a stream");
    if (code == 0)
        s->is_reading = 1;
    return code;
}

static inline ssize_t end_read(struct cel_stream *s, ssize_t r)
{
    s->is_reading = 0;
    return cel__unlikely(s->is_closed) ? left_behind(s, r) : r;
}

static inline int begin_write(struct cel_stream *s)
{
    int code = cel__checkpoint(cel__task_parking());

    CEL__ASSERT(!s->is_writing && "one task at a time writes to a stream");
    s->written = 0;
    if (code == 0)
        s->is_writing = 1;
    return code;
}

static inline ssize_t end_write(struct cel_stream *s, ssize_t r)
{
    s->is_writing = 0;
    return cel__unlikely(s->is_closed) ? left_behind(s, r) : r;
}

int cel__stream_begin_read(struct cel_stream *s)
{
    return begin_read(s);
}

ssize_t cel__stream_end_read(struct cel_stream *s, ssize_t r)
{
    return end_read(s, r);
}

int cel__stream_begin_write(struct cel_stream *s)
{
    return begin_write(s);
}

ssize_t cel__stream_end_write(struct cel_stream *s, ssize_t r)
{
    return end_write(s, r);
}

int cel__stream_begin(struct cel_stream *s)
{
    int code = begin_read(s);

    if (code == 0) {
        CEL__ASSERT(!s->is_writing && "one task at a time writes to a stream");
        s->is_writing = 1;
    }
    return code;
}

int cel__stream_end(struct cel_stream *s, int r)
{
    s->is_reading = s->is_writing = 0;
    return cel__unlikely(s->is_closed) ? (int)left_behind(s, r) : r;
}

static CEL__NOINLINE ssize_t met_end(struct cel_stream *s, ssize_t r)
{
    s->saw_end = 1;
    return r;
}

/* (parks) More bytes behind those that are unread already. */
static ssize_t join(struct cel_stream *s, size_t more)
{
    size_t room = CEL__BUGGIFY() ? more : cel__max(more, (size_t)JOIN_MIN);
    int r = cel__unread_reserve(&s->unread, room);
    ssize_t n;

    if (r < 0)
        return r;
    n = s->via->read(s, s->unread.ptr + s->unread.len, cel__unread_room(&s->unread)); /* parks */
    if (n > 0)
        s->unread.len += (size_t)n;
    return n;
}

/* (parks) Until min bytes are unread, or the end. -> how many are. */
static ssize_t gather(struct cel_stream *s, size_t min)
{
    while (s->unread.len < min) {
        ssize_t n = s->unread.len == 0 ? s->via->fill(s, &s->unread)
                                       : join(s, min - s->unread.len); /* parks */

        if (n < 0)
            return n;
        if (n == 0)
            return met_end(s, (ssize_t)s->unread.len);
    }
    return (ssize_t)s->unread.len;
}

static ssize_t read_some(struct cel_stream *s, void *buf, size_t len)
{
    ssize_t n;

    if (s->unread.len == 0) {
        if (len >= DIRECT_MIN && !CEL__BUGGIFY()) {
            n = s->via->read(s, buf, len); /* parks */
            return cel__likely(n != 0) ? n : met_end(s, 0);
        }
        n = s->via->fill(s, &s->unread); /* parks */
        if (n <= 0)
            return n < 0 ? n : met_end(s, 0);
    }
    return (ssize_t)cel__unread_copy(&s->unread, buf, len);
}

ssize_t cel_read(struct cel_stream *s, void *buf, size_t len)
{
    int code = begin_read(s);

    if (code < 0)
        return code;
    return end_read(s, len > 0 ? read_some(s, buf, len) : 0); /* parks */
}

/* What had come before a wait failed becomes unread again. */
static ssize_t put_back(struct cel_stream *s, const void *buf, size_t len, ssize_t why)
{
    if (len == 0)
        return why;
    if (cel__unread_reserve(&s->unread, len) < 0)
        return -ENOMEM;
    memcpy(s->unread.ptr, buf, len);
    s->unread.len = len;
    return why;
}

static ssize_t read_all(struct cel_stream *s, char *buf, size_t len)
{
    size_t have;
    ssize_t n;

    if (len < DIRECT_MIN) {
        n = gather(s, len); /* parks */
        if (n < (ssize_t)len)
            return n < 0 ? n : -CEL_EEOF;
        return (ssize_t)cel__unread_copy(&s->unread, buf, len);
    }
    have = cel__unread_copy(&s->unread, buf, len);
    while (have < len) {
        n = s->via->read(s, buf + have, len - have); /* parks */
        if (n <= 0)
            return put_back(s, buf, have, n < 0 ? n : met_end(s, -CEL_EEOF));
        have += (size_t)n;
    }
    return (ssize_t)len;
}

ssize_t cel_read_exactly(struct cel_stream *s, void *buf, size_t len)
{
    int code = begin_read(s);

    if (code < 0)
        return code;
    return end_read(s, read_all(s, buf, len)); /* parks */
}

static ssize_t read_line(struct cel_stream *s, char delimiter, void *buf, size_t cap)
{
    size_t seen = 0;

    while (seen < cap) {
        ssize_t have = gather(s, seen + 1); /* parks */
        size_t end;
        char *at;

        if (have < 0)
            return have;
        if ((size_t)have == seen)
            return have == 0 ? 0 : -CEL_EEOF;
        end = cel__min((size_t)have, cap);
        at = memchr(s->unread.ptr + seen, delimiter, end - seen);
        if (at != NULL)
            return (ssize_t)cel__unread_copy(&s->unread, buf, (size_t)(at + 1 - s->unread.ptr));
        seen = end;
    }
    return -CEL_ETOOLARGE;
}

ssize_t cel_read_until(struct cel_stream *s, char delimiter, void *buf, size_t cap)
{
    int code = begin_read(s);

    if (code < 0)
        return code;
    return end_read(s, read_line(s, delimiter, buf, cap)); /* parks */
}

ssize_t cel_peek(struct cel_stream *s, const char **data, size_t min)
{
    int code = begin_read(s);
    ssize_t n;

    if (code < 0)
        return code;
    n = min <= PEEK_MAX ? gather(s, cel__max(min, (size_t)1)) : -CEL_ETOOLARGE; /* parks */
    if (cel__unlikely(s->is_closed))
        return end_read(s, -CEL_ECLOSED); /* the bytes go with the stream */
    if (n >= 0)
        *data = s->unread.ptr;
    return end_read(s, n);
}

void cel_consume(struct cel_stream *s, size_t n)
{
    cel__unread_drop(&s->unread, n);
}

int cel_stream_feed(struct cel_stream *s, const void *bytes, size_t len)
{
    size_t cap = len + s->unread.len;
    char *own;

    CEL__ASSERT(!s->is_reading && "nobody reads a stream that is fed");
    if (len == 0)
        return 0;
    own = cel__mem_alloc(cap);
    if (own == NULL)
        return -ENOMEM;
    memcpy(own, bytes, len);
    if (s->unread.len > 0)
        memcpy(own + len, s->unread.ptr, s->unread.len);
    cel__unread_fini(&s->unread);
    cel__unread_take_own(&s->unread, own, cap, cap);
    return 0;
}

bool cel_stream_at_end(const struct cel_stream *s)
{
    return s->saw_end && s->unread.len == 0;
}

ssize_t cel_write(struct cel_stream *s, const void *buf, size_t len)
{
    int code = begin_write(s);

    if (code < 0)
        return code;
    return end_write(s, s->via->write(s, buf, len)); /* parks */
}

/* In pieces of IOV_CHUNK, because the transport uses up the array that it is given. */
static ssize_t write_pieces(struct cel_stream *s, const struct iovec *iov, int count)
{
    struct iovec copy[IOV_CHUNK];
    ssize_t total = 0;

    while (count > 0) {
        int now = cel__min(count, IOV_CHUNK);
        ssize_t n;

        memcpy(copy, iov, (size_t)now * sizeof *iov);
        n = s->via->writev(s, copy, now); /* parks */
        if (n < 0)
            return n;
        total += n;
        iov += now;
        count -= now;
    }
    return total;
}

ssize_t cel_writev(struct cel_stream *s, const struct iovec *iov, int count)
{
    int code = begin_write(s);

    if (code < 0)
        return code;
    return end_write(s, write_pieces(s, iov, count)); /* parks */
}

size_t cel_stream_written(const struct cel_stream *s)
{
    return s->written;
}

int cel_shutdown(struct cel_stream *s)
{
    int code = begin_write(s);

    if (code < 0)
        return code;
    return (int)end_write(s, s->via->shutdown(s)); /* parks */
}

bool cel_stream_is_quiet(struct cel_stream *s)
{
    return s->unread.len == 0 && !s->is_reading && !s->is_writing && s->via->is_quiet(s);
}

static void close_quietly(struct cel_stream *s)
{
    s->is_closed = 1;
    cel__fd_close(cel__loop_here, s->fd);
    if (!s->is_reading && !s->is_writing)
        stream_free(s);
}

void cel_close(struct cel_stream *s)
{
    if (s == NULL)
        return;
    CEL__ASSERT(!s->is_closed && "a stream is closed once");
    if (!s->is_writing)
        s->via->farewell(s);
    close_quietly(s);
}

void cel_stream_abort(struct cel_stream *s)
{
    const struct linger at_once = {.l_onoff = 1};

    if (s == NULL)
        return;
    CEL__ASSERT(!s->is_closed && "a stream is closed once");
    cel__sys.setsockopt(s->fd->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_quietly(s);
}
