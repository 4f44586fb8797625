/* SPDX-License-Identifier: MIT */
#include "loop/attempt.h"

#include <errno.h>
#include <poll.h>

#include "base/buggify.h"
#include "base/cc.h"
#include "base/mem.h"
#include "base/quiet.h"
#include "base/sys.h"
#include "loop/fd.h"

#define LOANS_KEPT_MAX 64
#define IOV_COUNT_MAX  1024

void *cel__loan_take(struct cel__loans *loans)
{
    void *loan = loans->free;

    if (loan == NULL)
        return cel__mem_alloc(CEL__LOAN_SIZE);
    loans->free = *(void **)loan;
    loans->free_count--;
    return loan;
}

void cel__loan_give(struct cel__loans *loans, void *loan)
{
    if (loans->free_count >= LOANS_KEPT_MAX) {
        cel__mem_free(loan);
        return;
    }
    *(void **)loan = loans->free;
    loans->free = loan;
    loans->free_count++;
}

void cel__loans_fini(struct cel__loans *loans)
{
    while (loans->free != NULL)
        cel__mem_free(cel__loan_take(loans));
}

/* Must be tried again at once: no new edge will tell. */
#define INTERRUPTED (CEL__NOTHING_YET + 1)

static CEL__NOINLINE int64_t failure(void)
{
    if (errno == EAGAIN)
        return CEL__NOTHING_YET;
    return errno == EINTR ? INTERRUPTED : -errno;
}

static inline int64_t result_of(ssize_t n)
{
    return cel__likely(n >= 0) ? n : failure();
}

/* A pipe's write must not raise SIGPIPE. */
static CEL__NOINLINE int64_t write_quietly(int fd, const struct iovec *iov, int count)
{
    struct cel__quiet quiet;
    ssize_t n;

    cel__quiet_begin(&quiet);
    n = cel__quiet_end(&quiet, cel__sys.writev(fd, iov, count));
    if (n >= 0)
        return n;
    errno = (int)-n;
    return result_of(-1);
}

static int64_t read_once(struct cel__fd *f, void *buf, size_t len)
{
    if (!f->is_stream)
        return result_of(cel__sys.read(f->fd, buf, len));
    return result_of(cel__sys.recv(f->fd, buf, len, 0));
}

static int64_t try_loan(struct cel__op *op, struct cel__loans *loans)
{
    char *loan = cel__loan_take(loans);
    int64_t n;

    if (loan == NULL)
        return -ENOMEM;
    n = read_once(op->fd, loan, CEL__BUGGIFY() ? 1 : CEL__LOAN_SIZE);
    if (n <= 0)
        cel__loan_give(loans, loan);
    else
        op->loan = (struct cel__loan){.data = loan, .len = (uint32_t)n, .id = CEL__LOAN_HEAP};
    return n;
}

static int64_t write_once(struct cel__fd *f, struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = (size_t)count};

    if (!f->is_stream)
        return write_quietly(f->fd, iov, count);
    if (count == 1)
        return result_of(cel__sys.send(f->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL));
    return result_of(cel__sys.sendmsg(f->fd, &msg, MSG_NOSIGNAL));
}

static int64_t try_write(struct cel__op *op)
{
    while (op->moved < op->len) {
        struct iovec rest = {(char *)op->buf + op->moved, op->len - op->moved};
        int64_t n = write_once(op->fd, &rest, 1);

        if (n < 0)
            return n;
        op->moved += (size_t)n;
        if (op->some)
            break;
    }
    return (int64_t)op->moved;
}

void cel__op_advance(struct cel__op *op, size_t n)
{
    op->moved += n;
    while (op->count > 0 && n >= op->iov->iov_len) {
        n -= op->iov->iov_len;
        op->iov++;
        op->count--;
    }
    if (op->count > 0) {
        op->iov->iov_base = (char *)op->iov->iov_base + n;
        op->iov->iov_len -= n;
    }
}

static CEL__NOINLINE int64_t try_writev(struct cel__op *op)
{
    cel__op_advance(op, 0);
    while (op->count > 0) {
        int64_t n = write_once(op->fd, op->iov, cel__min(op->count, IOV_COUNT_MAX));

        if (n < 0)
            return n;
        cel__op_advance(op, (size_t)n);
    }
    return (int64_t)op->moved;
}

static CEL__NOINLINE int64_t try_connect(struct cel__op *op)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (op->moved == 0) {
        if (cel__sys.connect(op->fd->fd, op->addr, *op->addr_len) == 0)
            return 0;
        if (errno != EINPROGRESS && errno != EINTR)
            return -errno; /* EAGAIN too: a Unix listener's queue is full */
        op->moved = 1;
        return CEL__NOTHING_YET;
    }
    if (cel__sys.getsockopt(op->fd->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

/* For ever readable files poll says so at once. */
static CEL__NOINLINE int64_t try_poll(struct cel__op *op)
{
    struct pollfd p = {.fd = op->fd->fd, .events = op->events};

    if (cel__sys.poll(&p, 1, 0) < 0)
        return result_of(-1);
    return p.revents != 0 ? p.revents : CEL__NOTHING_YET;
}

static CEL__NOINLINE int64_t try_accept(struct cel__op *op)
{
    int64_t n = result_of(
        cel__sys.accept4(op->fd->fd, op->addr, op->addr_len, SOCK_NONBLOCK | SOCK_CLOEXEC));

    return n == -ECONNABORTED ? INTERRUPTED : n;
}

static int64_t attempt(struct cel__op *op, struct cel__loans *loans)
{
    switch (op->kind) {
    case CEL__OP_READ:
        return read_once(op->fd, op->buf, op->len);
    case CEL__OP_LOAN:
        return try_loan(op, loans);
    case CEL__OP_WRITE:
        return try_write(op);
    case CEL__OP_WRITEV:
        return try_writev(op);
    case CEL__OP_RECVMSG:
        return result_of(cel__sys.recvmsg(op->fd->fd, op->msg, MSG_CMSG_CLOEXEC));
    case CEL__OP_SENDMSG:
        return result_of(cel__sys.sendmsg(op->fd->fd, op->msg, MSG_NOSIGNAL));
    case CEL__OP_ACCEPT:
        return try_accept(op);
    case CEL__OP_CONNECT:
        return try_connect(op);
    case CEL__OP_POLL:
        return try_poll(op);
    }
    return -ENOSYS;
}

/* By a signal, before it has done anything. A connect goes on behind it. */
static bool is_interrupted(const struct cel__op *op)
{
    if (!CEL__BUGGIFY() || op->kind == CEL__OP_CONNECT)
        return false;
    errno = EINTR;
    return true;
}

int64_t cel__attempt(struct cel__op *op, struct cel__loans *loans)
{
    int64_t n;

    do
        n = is_interrupted(op) ? failure() : attempt(op, loans);
    while (cel__unlikely(n == INTERRUPTED));
    return n;
}
