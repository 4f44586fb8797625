/* SPDX-License-Identifier: MIT */
/* Files to sockets without a copy, by sendfile.
 *
 * It waits for the disk where the pages are not there. Who cannot know has it done by a thread, on
 * a copy of the descriptor, since the stream may be closed meanwhile; who sends a file again and
 * again, as the HTTP server does, has it done here and now. */
#include "celadon/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/quiet.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/file.h"
#include "io/stream.h"

#define JOB_BYTES (1 << 20) /* of one visit to a thread */
#define BLOCK     65536

/* -> how many; 0: the file has ended; -EAGAIN: the socket is full; -errno. */
static ssize_t send_once(int out, int in, int64_t offset, size_t len)
{
    struct cel__quiet quiet;
    off_t at = offset;
    ssize_t n;

    cel__quiet_begin(&quiet);
    do
        n = cel__sys.sendfile(out, in, &at, len);
    while (n < 0 && errno == EINTR);
    return cel__quiet_end(&quiet, n);
}

/* The file system, or what is not quite a socket, cannot; by reading it may work. */
static bool is_refused(ssize_t r)
{
    return r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP;
}

static bool takes_files(const struct cel_stream *s)
{
    return s->via == &cel__plain && s->fd->is_stream;
}

ssize_t cel__stream_send_file(struct cel_stream *s, int fd, int64_t offset, size_t len)
{
    ssize_t n;

    if (!takes_files(s))
        return 0;
    n = send_once(s->fd->fd, fd, offset, len);
    if (n == 0)
        return -CEL_ETRUNCATED;
    return n == -EAGAIN || is_refused(n) ? 0 : n;
}

/* ---- by a thread ---- */

struct send_job {
    int out, in;
    int64_t offset, left;
    ssize_t result; /* 0: the file ended; -EAGAIN: the socket is full */
    uint64_t moved;
};

/* As much as goes: for about a megabyte. */
static void *send_some(void *arg)
{
    struct send_job *job = arg;
    uint64_t stop = job->moved + JOB_BYTES;

    do {
        job->result =
            send_once(job->out, job->in, job->offset, (size_t)cel__min(job->left, JOB_BYTES));
        if (job->result > 0) {
            job->offset += job->result;
            job->left -= job->result;
            job->moved += (uint64_t)job->result;
        }
    } while (job->result > 0 && job->left > 0 && job->moved < stop);
    return NULL;
}

/* (parks) */
static ssize_t send_by_kernel(struct cel_stream *s, struct send_job *job)
{
    while (job->left > 0) {
        ssize_t r = s->is_closed ? -CEL_ECLOSED : cel__blocking_do(send_some, job); /* parks */

        s->written = job->moved;
        if (r == 0)
            r = job->result;
        if (r == -EAGAIN)
            r = cel__stream_wait(s, POLLOUT); /* parks */
        else if (r == 0)
            break; /* the file has ended */
        if (r < 0)
            return r;
    }
    return (ssize_t)job->moved;
}

/* (parks) */
static ssize_t send_by_hand(struct cel_stream *s, struct cel_file *file, struct send_job *job)
{
    char *block = cel__mem_alloc(BLOCK);
    ssize_t n = block != NULL ? 1 : -ENOMEM;

    while (n > 0 && job->left > 0) {
        n = cel_file_read(file, block, (size_t)cel__min(job->left, BLOCK), job->offset); /* parks */
        if (n > 0 && s->is_closed)
            n = -CEL_ECLOSED;
        if (n > 0)
            n = s->via->write(s, block, (size_t)n); /* parks */
        if (n > 0) {
            job->offset += n;
            job->left -= n;
            job->moved += (uint64_t)n;
        }
    }
    cel__mem_free(block);
    return n < 0 ? n : (ssize_t)job->moved;
}

/* (parks) */
static ssize_t send_file(struct cel_stream *s, struct cel_file *file, struct send_job *job)
{
    ssize_t r = -EINVAL;

    if (takes_files(s)) {
        job->out = cel__sys.fcntl(s->fd->fd, F_DUPFD_CLOEXEC, 3);
        if (job->out < 0)
            return -errno;
        r = send_by_kernel(s, job); /* parks */
        cel__sys.close(job->out);
    }
    if (is_refused(r))
        r = send_by_hand(s, file, job); /* parks */
    return r;
}

int64_t cel_send_file(struct cel_stream *s, struct cel_file *file, int64_t offset, int64_t len)
{
    struct send_job job = {.in = file->fd->fd, .offset = offset};
    int code;

    if (offset < 0)
        return -EINVAL;
    job.left = len < 0 ? INT64_MAX - offset : len;
    code = cel__stream_begin_write(s);
    if (code < 0)
        return code;
    return cel__stream_end_write(s, send_file(s, file, &job)); /* parks */
}
