/* SPDX-License-Identifier: MIT */
/* Streams over a descriptor as it is: sockets, pipes, terminals. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/address.h"
#include "io/stream.h"
#include "loop/core.h"
#include "task/wait.h"

static ssize_t plain_read(struct cel_stream *s, void *buf, size_t len)
{
    struct cel__op op = {.kind = CEL__OP_READ, .fd = s->fd, .buf = buf, .len = len};

    return s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */
}

static ssize_t plain_fill(struct cel_stream *s, struct cel__unread *u)
{
    struct cel__op op = {.kind = CEL__OP_LOAN, .fd = s->fd};
    ssize_t n = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    if (n > 0)
        cel__unread_take_loan(u, &op.loan);
    return n;
}

static ssize_t plain_write(struct cel_stream *s, const void *buf, size_t len)
{
    struct cel__op op = {.kind = CEL__OP_WRITE, .fd = s->fd, .buf = (void *)buf, .len = len};
    ssize_t n = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    s->written += op.moved;
    return n;
}

static ssize_t plain_writev(struct cel_stream *s, struct iovec *iov, int count)
{
    struct cel__op op = {.kind = CEL__OP_WRITEV, .fd = s->fd, .iov = iov, .count = count};
    ssize_t n = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    s->written += op.moved;
    return n;
}

static int plain_shutdown(struct cel_stream *s)
{
    return cel__sys.shutdown(s->fd->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool plain_is_quiet(struct cel_stream *s)
{
    const struct cel__backend *backend = cel__loop_here->backend;
    char byte;

    if (!s->fd->is_stream)
        return false;
    if (backend->has_input != NULL && backend->has_input(cel__loop_here, s->fd))
        return false;
    return cel__sys.recv(s->fd->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void plain_farewell(struct cel_stream *s)
{
}

const struct cel__transport cel__plain = {
    .read = plain_read,
    .fill = plain_fill,
    .write = plain_write,
    .writev = plain_writev,
    .shutdown = plain_shutdown,
    .is_quiet = plain_is_quiet,
    .farewell = plain_farewell,
};

int cel__stream_wait(struct cel_stream *s, short events)
{
    struct cel__op op = {.kind = CEL__OP_POLL, .fd = s->fd, .events = events};
    int64_t r = s->is_closed ? -CEL_ECLOSED : cel__wait_op(&op); /* parks */

    return r < 0 ? (int)r : 0;
}

ssize_t cel__stream_write_now(struct cel_stream *s, const struct iovec *iov, int count)
{
    const struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t n;

    CEL__ASSERT(!s->is_writing && "one task at a time writes to a stream");
    if (s->via != &cel__plain || !s->fd->is_stream)
        return 0;
    do
        n = cel__sys.sendmsg(s->fd->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    return n;
}

int cel__stream_new(struct cel_stream **out, struct cel__fd *f)
{
    struct cel_stream *s = cel__mem_zalloc(sizeof *s);

    if (s == NULL)
        return -ENOMEM;
    s->via = &cel__plain;
    s->fd = f;
    *out = s;
    return 0;
}

/* A connected stream socket's; closes it on error. */
static int stream_of_socket(struct cel_stream **out, int fd)
{
    struct cel__fd *f;
    int r = cel__fd_open(cel__loop_here, &f, fd, true);

    if (r < 0) {
        cel__sys.close(fd);
        return r;
    }
    f->is_stream = 1;
    f->what = "stream";
    r = cel__stream_new(out, f);
    if (r < 0)
        cel__fd_close(cel__loop_here, f);
    return r;
}

int cel_stream_open(struct cel_stream **out, int fd, bool owns)
{
    int flags = cel__sys.fcntl(fd, F_GETFL, 0), type = 0, r;
    socklen_t len = sizeof type;
    struct cel__fd *f;

    if (flags < 0 || (!(flags & O_NONBLOCK) && cel__sys.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        return -errno;
    r = cel__fd_open(cel__loop_here, &f, fd, owns);
    if (r < 0)
        return r;
    if (cel__sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
        f->is_stream = type == SOCK_STREAM;
    f->may_be_copy = 1;
    f->what = "stream";
    r = cel__stream_new(out, f);
    if (r < 0) {
        f->owns = 0;
        cel__fd_close(cel__loop_here, f);
    }
    return r;
}

int cel_stream_pair(struct cel_stream **a, struct cel_stream **b)
{
    struct cel_stream *first, *second;
    int fds[2], r;

    if (cel__sys.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    r = stream_of_socket(&first, fds[0]);
    if (r < 0) {
        cel__sys.close(fds[1]);
        return r;
    }
    r = stream_of_socket(&second, fds[1]);
    if (r < 0) {
        cel_close(first);
        return r;
    }
    *a = first;
    *b = second;
    return 0;
}

int cel_stream_pipe(struct cel_stream **reader, struct cel_stream **writer)
{
    struct cel_stream *from = NULL;
    int fds[2], r;

    if (cel__sys.pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return -errno;
    r = cel_stream_open(&from, fds[0], true);
    if (r < 0) {
        cel__sys.close(fds[0]);
        cel__sys.close(fds[1]);
        return r;
    }
    r = cel_stream_open(writer, fds[1], true);
    if (r < 0) {
        cel__sys.close(fds[1]);
        cel_close(from);
        return r;
    }
    *reader = from;
    return 0;
}

int cel_stream_fd(const struct cel_stream *s)
{
    return s->fd->fd;
}

static const char *name_of(char **cache, int fd,
                           int (*ask)(int fd, struct sockaddr *addr, socklen_t *len))
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char text[CEL__ADDRESS_MAX];

    if (*cache != NULL)
        return *cache;
    if (ask(fd, (struct sockaddr *)&address, &len) < 0)
        return "";
    cel__address_trim(&address, len);
    *cache = cel__mem_strdup(cel_address_format(&address, text, sizeof text));
    return *cache != NULL ? *cache : "";
}

const char *cel_stream_peer(struct cel_stream *s)
{
    return name_of(&s->peer, s->fd->fd, cel__sys.getpeername);
}

const char *cel_stream_local(struct cel_stream *s)
{
    return name_of(&s->local, s->fd->fd, cel__sys.getsockname);
}
