/* SPDX-License-Identifier: MIT */
/* Each attempt is non-blocking by a flag of its own (MSG_DONTWAIT, RWF_NOWAIT), not of the
 * descriptor, whose O_NONBLOCK belongs to the program and to all who share the open file.
 *
 * 1. What is sent goes out whole, as from a blocking call; when it ends early for whatever reason,
 *    what had gone is returned, and the reason is found by the next call.
 * 2. Kernels before 6.4 have no RWF_NOWAIT for pipes. There a poll says that the call will not
 *    block, and no task runs in between; another thread or process may. A pipe that is writable
 *    takes PIPE_BUF bytes at once, so no more are offered. */
#include "transfer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "real.h"
#include "pause.h"

#define FEW 8

typedef ssize_t attempt_fn(int fd, struct msghdr *msg, int flags);

/* What is left of a caller's pieces, which are not to be changed. */
struct rest {
    struct iovec few[FEW], *iov;
    bool is_begun;
};

static bool is_terminal(int fd)
{
    int saved = errno;
    bool is = isatty(fd);

    errno = saved;
    return is;
}

enum cel__green_kind cel__green_kind(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return CEL__GREEN_OTHER;
    if (S_ISSOCK(st.st_mode))
        return CEL__GREEN_SOCKET;
    if (S_ISCHR(st.st_mode))
        return is_terminal(fd) ? CEL__GREEN_TERMINAL : CEL__GREEN_OTHER;
    return S_ISFIFO(st.st_mode) || (st.st_mode & S_IFMT) == 0 ? CEL__GREEN_PIPE : CEL__GREEN_OTHER;
}

static size_t size_of(const struct msghdr *msg)
{
    size_t size = 0;

    for (size_t i = 0; i < msg->msg_iovlen; i++)
        size += msg->msg_iov[i].iov_len;
    return size;
}

/* false: memory is out, errno as it was. */
static bool begin_rest(struct rest *rest, struct msghdr *msg)
{
    int saved = errno;

    if (rest->is_begun)
        return true;
    rest->iov = rest->few;
    if (msg->msg_iovlen > FEW)
        rest->iov = calloc(msg->msg_iovlen, sizeof *rest->iov);
    errno = saved;
    if (rest->iov == NULL)
        return false;
    memcpy(rest->iov, msg->msg_iov, msg->msg_iovlen * sizeof *rest->iov);
    msg->msg_iov = rest->iov;
    rest->is_begun = true;
    return true;
}

static void end_rest(struct rest *rest)
{
    if (rest->is_begun && rest->iov != rest->few)
        free(rest->iov);
}

static void advance(struct msghdr *msg, size_t n)
{
    while (msg->msg_iovlen > 0 && n >= msg->msg_iov->iov_len) {
        n -= msg->msg_iov->iov_len;
        msg->msg_iov++;
        msg->msg_iovlen--;
    }
    if (n > 0) {
        msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
        msg->msg_iov->iov_len -= n;
    }
}

/* (parks) One attempt after the other until one has an answer. A Unix socket for datagrams that is
 * not connected is writable always, whatever the receiver's queue: then after a while. */
static ssize_t once(attempt_fn *attempt, struct cel__green_pause *pause, struct msghdr *msg,
                    int flags)
{
    int64_t rest = 0;

    for (int i = 0;; i++) {
        ssize_t n = attempt(pause->fd, msg, flags);
        int r;

        if (n >= 0 || errno != EAGAIN)
            return n;
        r = cel__green_pause(pause); /* parks */
        if (r == 0 && i > 0 && pause->events == POLLOUT)
            r = cel__green_back_off(&rest); /* parks */
        if (r < 0)
            return cel__green_result(r);
    }
}

/* (parks) Until all of it has moved. Control data goes with the first piece, and a SIGPIPE only to
 * who could not send a single byte. */
static ssize_t whole(attempt_fn *attempt, struct cel__green_pause *pause, const struct msghdr *msg,
                     int flags)
{
    size_t total = size_of(msg), done = 0;
    struct msghdr left = *msg;
    struct rest rest = {0};
    ssize_t n;

    for (;;) {
        n = once(attempt, pause, &left, flags); /* parks */
        if (n <= 0)
            break;
        done += (size_t)n;
        if (done >= total || !begin_rest(&rest, &left))
            break;
        advance(&left, (size_t)n);
        left.msg_control = NULL;
        left.msg_controllen = 0;
        flags |= MSG_NOSIGNAL;
    }
    end_rest(&rest);
    return done > 0 ? (ssize_t)done : n;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static ssize_t try_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return cel__green_real()->recvmsg(fd, msg, flags | MSG_DONTWAIT);
}

static ssize_t try_sendmsg(int fd, struct msghdr *msg, int flags)
{
    return cel__green_real()->sendmsg(fd, msg, flags | MSG_DONTWAIT);
}

/* What came beside the first bytes is told of the whole. */
static ssize_t receive_all(struct cel__green_pause *pause, struct msghdr *msg, int flags)
{
    struct msghdr first = *msg, more = *msg;
    struct rest rest = {0};
    ssize_t n = once(try_recvmsg, pause, &first, flags), next; /* parks */

    msg->msg_namelen = first.msg_namelen;
    msg->msg_controllen = first.msg_controllen;
    msg->msg_flags = first.msg_flags;
    if (n <= 0 || (size_t)n >= size_of(msg) || !begin_rest(&rest, &more))
        return n;
    advance(&more, (size_t)n);
    more.msg_name = NULL;
    more.msg_namelen = 0;
    more.msg_control = NULL;
    more.msg_controllen = 0;
    next = whole(try_recvmsg, pause, &more, flags); /* parks */
    end_rest(&rest);
    return next > 0 ? n + next : n;
}

ssize_t cel__green_receive(int fd, struct msghdr *msg, int flags)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLIN, .option = SO_RCVTIMEO};

    if (flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB) ||
        (flags & MSG_PEEK && flags & MSG_WAITALL))
        return cel__green_real()->recvmsg(fd, msg, flags);
    cel__green_credit(); /* parks */
    if (flags & MSG_WAITALL && is_stream(fd))
        return receive_all(&pause, msg, flags);   /* parks */
    return once(try_recvmsg, &pause, msg, flags); /* parks */
}

ssize_t cel__green_send(int fd, const struct msghdr *msg, int flags)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLOUT, .option = SO_SNDTIMEO};

    if (flags & (MSG_DONTWAIT | MSG_FASTOPEN))
        return cel__green_real()->sendmsg(fd, msg, flags);
    cel__green_credit();                           /* parks */
    return whole(try_sendmsg, &pause, msg, flags); /* parks */
}

/* 1: the next call on fd does not block; 0 and EAGAIN, or -1. */
static int is_ready(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    int r = cel__green_real()->poll(&one, 1, 0);

    if (r == 0)
        errno = EAGAIN;
    return r;
}

static ssize_t try_read(int fd, struct msghdr *msg, int flags)
{
    ssize_t n = preadv2(fd, msg->msg_iov, (int)msg->msg_iovlen, -1, RWF_NOWAIT);

    if (n >= 0 || errno != EOPNOTSUPP)
        return n;
    if (is_ready(fd, POLLIN) <= 0)
        return -1;
    return cel__green_real()->readv(fd, msg->msg_iov, (int)msg->msg_iovlen);
}

static ssize_t try_write(int fd, struct msghdr *msg, int flags)
{
    ssize_t n = pwritev2(fd, msg->msg_iov, (int)msg->msg_iovlen, -1, RWF_NOWAIT);

    if (n >= 0 || errno != EOPNOTSUPP)
        return n;
    if (is_ready(fd, POLLOUT) <= 0)
        return -1;
    if (size_of(msg) <= PIPE_BUF)
        return cel__green_real()->writev(fd, msg->msg_iov, (int)msg->msg_iovlen);
    n = msg->msg_iov->iov_len < PIPE_BUF ? (ssize_t)msg->msg_iov->iov_len : PIPE_BUF;
    return cel__green_real()->write(fd, msg->msg_iov->iov_base, (size_t)n);
}

ssize_t cel__green_pipe_read(int fd, const struct iovec *iov, int count)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLIN};
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    cel__green_credit();                    /* parks */
    return once(try_read, &pause, &msg, 0); /* parks */
}

ssize_t cel__green_pipe_write(int fd, const struct iovec *iov, int count)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLOUT};
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    cel__green_credit();                      /* parks */
    return whole(try_write, &pause, &msg, 0); /* parks */
}
