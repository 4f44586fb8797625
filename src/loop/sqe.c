/* SPDX-License-Identifier: MIT */
#include "loop/sqe.h"

#include <liburing.h>
#include <poll.h>

#include "base/cc.h"
#include "loop/fd.h"
#include "loop/op.h"

#define MOVE_MAX      (1U << 30) /* the kernel moves less than 2 GiB at once */
#define IOV_COUNT_MAX 1024

static void prep_write(struct io_uring_sqe *sqe, const struct cel__op *op)
{
    const char *rest = (const char *)op->buf + op->moved;
    size_t len = cel__min(op->len - op->moved, MOVE_MAX);
    int flags = op->some ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_WAITALL;

    io_uring_prep_send(sqe, op->fd->fd, rest, len, flags);
}

static void prep_writev(struct io_uring_sqe *sqe, const struct cel__op *op, struct msghdr *msg)
{
    *msg = (struct msghdr){
        .msg_iov = op->iov,
        .msg_iovlen = (size_t)cel__min(op->count, IOV_COUNT_MAX),
    };
    io_uring_prep_sendmsg(sqe, op->fd->fd, msg, MSG_NOSIGNAL | MSG_WAITALL);
}

static void prep_file(struct io_uring_sqe *sqe, const struct cel__op *op)
{
    int fd = op->fd->fd;

    switch (op->kind) {
    case CEL__OP_PREAD:
        io_uring_prep_read(sqe, fd, op->buf, (unsigned)cel__min(op->len, MOVE_MAX),
                           (uint64_t)op->offset);
        break;
    case CEL__OP_PWRITE:
        io_uring_prep_write(sqe, fd, op->buf, (unsigned)cel__min(op->len, MOVE_MAX),
                            (uint64_t)op->offset);
        break;
    case CEL__OP_FSYNC:
        io_uring_prep_fsync(sqe, fd, 0);
        break;
    case CEL__OP_FDATASYNC:
        io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
        break;
    case CEL__OP_PREADV:
        io_uring_prep_readv(sqe, fd, op->iov, (unsigned)op->count, (uint64_t)op->offset);
        break;
    case CEL__OP_PWRITEV:
        io_uring_prep_writev(sqe, fd, op->iov, (unsigned)op->count, (uint64_t)op->offset);
        break;
    }
}

void cel__sqe_op(struct io_uring_sqe *sqe, struct cel__op *op, struct msghdr *msg)
{
    int fd = op->fd->fd;

    switch (op->kind) {
    case CEL__OP_READ:
        io_uring_prep_recv(sqe, fd, op->buf, cel__min(op->len, MOVE_MAX), 0);
        break;
    case CEL__OP_LOAN:
        io_uring_prep_recv(sqe, fd, op->loan.data, op->loan.len, 0);
        break;
    case CEL__OP_WRITE:
        prep_write(sqe, op);
        break;
    case CEL__OP_WRITEV:
        prep_writev(sqe, op, msg);
        break;
    case CEL__OP_RECVMSG:
        io_uring_prep_recvmsg(sqe, fd, op->msg, MSG_CMSG_CLOEXEC);
        break;
    case CEL__OP_SENDMSG:
        io_uring_prep_sendmsg(sqe, fd, op->msg, MSG_NOSIGNAL);
        break;
    case CEL__OP_ACCEPT:
        io_uring_prep_accept(sqe, fd, op->addr, op->addr_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        break;
    case CEL__OP_CONNECT:
        io_uring_prep_connect(sqe, fd, op->addr, *op->addr_len);
        break;
    case CEL__OP_POLL:
        io_uring_prep_poll_add(sqe, fd, (unsigned short)op->events);
        break;
    default:
        prep_file(sqe, op);
        break;
    }
}

void cel__sqe_ready(struct io_uring_sqe *sqe, const struct cel__op *op)
{
    io_uring_prep_poll_add(sqe, op->fd->fd, cel__op_is_write(op) ? POLLOUT : POLLIN);
}

void cel__sqe_select(struct io_uring_sqe *sqe, int fd)
{
    io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
}

void cel__sqe_multishot(struct io_uring_sqe *sqe, int fd)
{
    io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
}

void cel__sqe_wake(struct io_uring_sqe *sqe, int fd)
{
    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
}

void cel__sqe_cancel(struct io_uring_sqe *sqe, uint64_t name)
{
    io_uring_prep_cancel64(sqe, name, 0);
}
