/* SPDX-License-Identifier: MIT */
/* Bytes moved without being looked at.
 *
 * 1. splice takes them from a socket into a pipe and from the pipe to the other socket, 40 %
 * cheaper than copying them through memory. It is done where nothing of the stream is unread and no
 *    receive of the ring stands: what such a one has taken in splice does not see.
 * 2. Neither splice nor sendfile can be told not to raise SIGPIPE: it is held back around them.
 * 3. sendfile may wait for the disk, so it is done by a thread, on a copy of the descriptor: the
 *    stream may be closed meanwhile. */
#include "celadon/relay.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/file.h"
#include "io/stream.h"
#include "task/wait.h"

#define PIPE_BYTES (256 * 1024)
#define JOB_BYTES  (1 << 20) /* of one visit to a thread */
#define BLOCK      65536
#define TURNS      16 /* pieces in a row, before the others have their turn */

/* ---- without SIGPIPE ---- */

struct quiet {
    sigset_t pipe_only, before;
    bool was_pending;
};

static void quiet_begin(struct quiet *q)
{
    sigset_t pending;

    sigemptyset(&q->pipe_only);
    sigaddset(&q->pipe_only, SIGPIPE);
    sigpending(&pending);
    q->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &q->pipe_only, &q->before);
}

/* -> n, with -errno for -1. */
static ssize_t quiet_end(struct quiet *q, ssize_t n)
{
    struct timespec at_once = {0};

    if (n < 0)
        n = -errno;
    if (n == -EPIPE && !q->was_pending)
        cel__sys.sigtimedwait(&q->pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
    return n;
}

static ssize_t move_quietly(int in, int out, size_t len)
{
    struct quiet q;

    quiet_begin(&q);
    return quiet_end(&q,
                     cel__sys.splice(in, NULL, out, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

/* (parks) 0, or why not. */
static int wait_ready(struct cel_stream *s, short events)
{
    struct cel__op op = {.kind = CEL__OP_POLL, .fd = s->fd, .events = events};
    int64_t r = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    return r < 0 ? (int)r : 0;
}

/* ---- one way ---- */

struct flow {
    struct cel_stream *from, *to;
    int pipe[2];
    uint64_t moved, max;
};

static bool can_splice(const struct flow *f)
{
    return f->from->via == &cel__plain && f->to->via == &cel__plain && f->from->fd->is_stream &&
           f->to->fd->is_stream && !f->from->fd->has_receiver && f->from->unread.len == 0;
}

/* (parks) A piece by way of memory. -> its length; 0: the end. */
static ssize_t copy_piece(struct flow *f)
{
    const char *data;
    ssize_t n = cel_peek(f->from, &data, 1), r; /* parks */

    if (n <= 0)
        return n;
    n = (ssize_t)cel__min((uint64_t)n, f->max - f->moved);
    r = cel_write(f->to, data, (size_t)n); /* parks */
    if (r < 0)
        return r;
    cel_consume(f->from, (size_t)n);
    f->moved += (uint64_t)n;
    return n;
}

/* (parks) All that is in the pipe. */
static int empty_pipe(struct flow *f, size_t len)
{
    while (len > 0) {
        ssize_t n = f->to->is_closed ? -CEL_ECLOSED : move_quietly(f->pipe[0], f->to->fd->fd, len);

        if (n == -EAGAIN)
            n = wait_ready(f->to, POLLOUT); /* parks */
        else if (n > 0)
            f->moved += (uint64_t)n;
        if (n == -EINTR)
            continue;
        if (n < 0)
            return (int)n;
        len -= (size_t)n;
    }
    return 0;
}

/* (parks) A piece by way of the pipe. -> its length; 0: the end. */
static ssize_t splice_piece(struct flow *f)
{
    for (;;) {
        size_t len = (size_t)cel__min((uint64_t)PIPE_BYTES, f->max - f->moved);
        ssize_t n =
            f->from->is_closed ? -CEL_ECLOSED : move_quietly(f->from->fd->fd, f->pipe[1], len);
        int r;

        if (n == 0)
            f->from->saw_end = 1;
        if (n == -EAGAIN)
            n = wait_ready(f->from, POLLIN); /* parks */
        else if (n >= 0)
            return n > 0 && (r = empty_pipe(f, (size_t)n)) < 0 ? r : n; /* parks */
        if (n < 0 && n != -EINTR)
            return n;
    }
}

/* (parks) */
static ssize_t pieces(struct flow *f, ssize_t (*piece)(struct flow *f))
{
    ssize_t n = 1;

    for (unsigned i = 1; n > 0 && f->moved < f->max; i++) {
        n = piece(f); /* parks */
        if (n > 0 && i % TURNS == 0)
            n = cel_yield() < 0 ? cel_checkpoint() : n; /* parks */
    }
    return n < 0 ? n : 0;
}

/* (parks) */
static ssize_t splice_all(struct flow *f)
{
    ssize_t r = cel__stream_begin_read(f->from), w;

    if (r < 0)
        return r;
    w = f->to != f->from ? cel__stream_begin_write(f->to) : -EINVAL;
    if (w < 0)
        return cel__stream_end_read(f->from, w);
    if (cel__sys.pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) < 0) {
        r = -errno;
    } else {
        (void)cel__sys.fcntl(f->pipe[1], F_SETPIPE_SZ,
                             PIPE_BYTES); /* where it is refused: smaller pieces */
        r = pieces(f, splice_piece);      /* parks */
        cel__sys.close(f->pipe[0]);
        cel__sys.close(f->pipe[1]);
    }
    f->to->written = f->moved;
    r = cel__stream_end_write(f->to, r);
    return cel__stream_end_read(f->from, r);
}

/* (parks) What is unread goes first; then by the kernel where it can. */
static ssize_t run_flow(struct flow *f)
{
    ssize_t r;

    while (f->from->unread.len > 0 && f->moved < f->max) {
        r = copy_piece(f); /* parks */
        if (r < 0)
            return r;
    }
    r = can_splice(f) ? splice_all(f) : -EINVAL;     /* parks */
    return r == -EINVAL ? pieces(f, copy_piece) : r; /* parks */
}

int64_t cel_copy(struct cel_stream *from, struct cel_stream *to, int64_t max)
{
    struct flow f = {.from = from, .to = to, .max = max < 0 ? UINT64_MAX : (uint64_t)max};
    ssize_t r = cel_checkpoint();

    if (r == 0)
        r = run_flow(&f); /* parks */
    return r < 0 ? r : (int64_t)f.moved;
}

/* ---- both ways ---- */

static void *one_way(void *arg)
{
    struct flow *f = arg;
    ssize_t r = run_flow(f); /* parks */

    if (r == 0)
        r = cel_shutdown(f->to); /* parks */
    if (r == -ENOTSOCK || r == -ENOTCONN)
        r = 0; /* nothing to shut down, or gone already */
    return r < 0 && cel_checkpoint() == 0 ? cel_fail((int)r, "relaying") : NULL;
}

int cel_pipe_through(struct cel_stream *a, struct cel_stream *b, struct cel_piped *piped)
{
    struct flow there = {.from = a, .to = b, .max = UINT64_MAX};
    struct flow back = {.from = b, .to = a, .max = UINT64_MAX};
    struct cel_scope group;
    int r = cel_checkpoint(), failed;

    cel_scope_enter(&group, &(struct cel_scope_options){.is_group = true});
    if (r == 0)
        r = cel_go(one_way, &there);
    if (r == 0)
        r = cel_go(one_way, &back);
    if (r < 0)
        cel_scope_cancel(&group);
    failed = cel_scope_leave(&group); /* parks */
    if (piped != NULL)
        *piped = (struct cel_piped){there.moved, back.moved};
    if (r == 0)
        r = failed != 0 ? failed : cel_checkpoint();
    return r;
}

/* ---- files ---- */

struct send_job {
    int out, in;
    int64_t offset, left;
    ssize_t result; /* 0: the file ended; -EAGAIN: the socket is full */
    uint64_t moved;
};

static void *send_some(void *arg)
{
    struct send_job *job = arg;
    uint64_t stop = job->moved + JOB_BYTES;

    do {
        off_t at = job->offset;
        struct quiet q;

        quiet_begin(&q);
        job->result = quiet_end(
            &q, cel__sys.sendfile(job->out, job->in, &at, (size_t)cel__min(job->left, JOB_BYTES)));
        if (job->result > 0) {
            job->offset += job->result;
            job->left -= job->result;
            job->moved += (uint64_t)job->result;
        }
    } while ((job->result > 0 && job->left > 0 && job->moved < stop) || job->result == -EINTR);
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
            r = wait_ready(s, POLLOUT); /* parks */
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

    if (s->via == &cel__plain && s->fd->is_stream) {
        job->out = cel__sys.fcntl(s->fd->fd, F_DUPFD_CLOEXEC, 3);
        if (job->out < 0)
            return -errno;
        r = send_by_kernel(s, job); /* parks */
        cel__sys.close(job->out);
    }
    if (r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP)
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
