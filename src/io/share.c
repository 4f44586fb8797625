/* SPDX-License-Identifier: MIT */
/* Streams over open files that others share.
 *
 * O_NONBLOCK belongs to the open file and not to the descriptor: set on a terminal it makes the
 * shell's next read fail. So what has a name is opened anew, and the new file is ours. What has
 * none, or is a regular file, whose position must move for all, is read and written by blocking
 * calls: on a thread, after a poll where polling means something, on a copy that outlives the
 * stream. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "celadon/terminal.h"
#include "io/blocking.h"
#include "io/stream.h"
#include "loop/core.h"
#include "task/wait.h"

#define BLOCK 65536

struct patient {
    struct cel_stream stream; /* first: freed as a stream */
    int fd;                   /* for the threads */
    bool can_poll;            /* a regular file is always ready, and then waits for the disk */
};

struct io_job {
    int fd;
    void *buf;
    size_t len;
    bool is_write;
    ssize_t result;
};

static void *do_io(void *arg)
{
    struct io_job *job = arg;

    do
        job->result = job->is_write ? cel__sys.write(job->fd, job->buf, job->len)
                                    : cel__sys.read(job->fd, job->buf, job->len);
    while (job->result < 0 && errno == EINTR);
    if (job->result < 0)
        job->result = -errno;
    return NULL;
}

/* (parks) A pipe that is ready takes PIPE_BUF bytes at once; more might wait in the thread. */
static ssize_t transfer(struct cel_stream *s, void *buf, size_t len, bool is_write)
{
    const struct patient *p = (const struct patient *)s;
    struct io_job job = {.fd = p->fd, .buf = buf, .len = len, .is_write = is_write};
    ssize_t r = s->is_closed ? -CEL_ECLOSED : 0;

    if (r == 0 && p->can_poll) {
        struct cel__op op = {
            .kind = CEL__OP_POLL, .fd = s->fd, .events = is_write ? POLLOUT : POLLIN};

        r = cel__wait_op(&op); /* parks */
        if (is_write)
            job.len = cel__min(len, (size_t)PIPE_BUF);
    }
    if (r < 0)
        return r;
    if (s->is_closed)
        return -CEL_ECLOSED;
    r = cel__blocking_do(do_io, &job); /* parks */
    return r < 0 ? r : job.result;
}

static ssize_t patient_read(struct cel_stream *s, void *buf, size_t len)
{
    return transfer(s, buf, len, false); /* parks */
}

static ssize_t patient_fill(struct cel_stream *s, struct cel__unread *u)
{
    char *block = cel__mem_alloc(BLOCK);
    ssize_t n = block != NULL ? transfer(s, block, BLOCK, false) : -ENOMEM; /* parks */

    if (n > 0)
        cel__unread_take_own(u, block, BLOCK, (size_t)n);
    else
        cel__mem_free(block);
    return n;
}

static ssize_t patient_write(struct cel_stream *s, const void *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = transfer(s, (char *)buf + done, len - done, true); /* parks */

        if (n < 0)
            return n;
        done += (size_t)n;
        s->written += (size_t)n;
    }
    return (ssize_t)len;
}

static ssize_t patient_writev(struct cel_stream *s, struct iovec *iov, int count)
{
    ssize_t total = 0;

    for (int i = 0; i < count; i++) {
        ssize_t n = patient_write(s, iov[i].iov_base, iov[i].iov_len); /* parks */

        if (n < 0)
            return n;
        total += n;
    }
    return total;
}

static int patient_shutdown(struct cel_stream *s)
{
    return cel__sys.shutdown(((struct patient *)s)->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool patient_is_quiet(struct cel_stream *s)
{
    return false;
}

static void patient_farewell(struct cel_stream *s)
{
}

static void patient_fini(struct cel_stream *s)
{
    cel__sys.close(((struct patient *)s)->fd);
}

static const struct cel__transport by_patience = {
    .read = patient_read,
    .fill = patient_fill,
    .write = patient_write,
    .writev = patient_writev,
    .shutdown = patient_shutdown,
    .is_quiet = patient_is_quiet,
    .farewell = patient_farewell,
    .fini = patient_fini,
};

/* Two copies: the loop's, which is closed at once with the stream, and the threads'. */
static int open_patient(struct cel_stream **out, int fd, bool can_poll)
{
    struct patient *p = cel__mem_zalloc(sizeof *p);
    int copy, r = -ENOMEM;

    if (p == NULL)
        return r;
    p->fd = cel__sys.fcntl(fd, F_DUPFD_CLOEXEC, 3);
    copy = p->fd >= 0 ? cel__sys.fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    r = copy >= 0 ? cel__fd_open(cel__loop_here, &p->stream.fd, copy, true) : -errno;
    if (r < 0) {
        if (copy >= 0)
            cel__sys.close(copy);
        if (p->fd >= 0)
            cel__sys.close(p->fd);
        cel__mem_free(p);
        return r;
    }
    p->stream.fd->may_be_copy = 1;
    p->can_poll = can_poll;
    p->stream.via = &by_patience;
    *out = &p->stream;
    return 0;
}

struct reopen_job {
    int fd, flags, result;
};

/* A device may take its time to be opened. */
static void *reopen(void *arg)
{
    struct reopen_job *job = arg;
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", job->fd);
    job->result = cel__sys.openat(AT_FDCWD, path, job->flags, 0);
    if (job->result < 0)
        job->result = -errno;
    return NULL;
}

/* (parks) -> a descriptor of an open file of our own, or why there is none. */
static int open_anew(int fd, int flags)
{
    struct reopen_job job = {.fd = fd,
                             .flags = (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY};
    int r = cel__blocking_do(reopen, &job); /* parks */

    return r < 0 ? r : job.result;
}

int cel_stream_share(struct cel_stream **out, int fd)
{
    int flags = cel__sys.fcntl(fd, F_GETFL, 0), own, r;
    struct stat st;

    if (flags < 0 || cel__sys.fstat(fd, &st) < 0)
        return -errno;
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        return open_patient(out, fd, false);
    if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
        return open_patient(out, fd, true);
    own = open_anew(fd, flags); /* parks */
    if (own == -ECANCELED || own == -ETIMEDOUT || own == -ENOMEM || own == -EMFILE)
        return own;
    if (own < 0)
        return open_patient(out, fd, true);
    r = cel_stream_open(out, own, true);
    if (r < 0)
        cel__sys.close(own);
    return r;
}
