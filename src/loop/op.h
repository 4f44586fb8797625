/* SPDX-License-Identifier: MIT */
#ifndef CEL__OP_H
#define CEL__OP_H

/* The in-flight record: one operation given to a backend.
 *
 *   idle --start--> (ended at once: start returns 1, done is not called)
 *        \--------> in flight --terminal event--> ended, done called once
 *
 * 1. An op ends exactly once, at its own terminal event; never inside `cancel`
 *    of the io_uring backend, and `done` is never called from inside `start`.
 * 2. The record and the buffers it names stay valid and untouched until it ends.
 * 3. A result that is there beats a cancel: -ECANCELED means nothing happened. Where
 *    a part was moved before the cancel or error, `moved` says how much. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/list.h"

struct cel_loop;
struct cel__fd;

enum cel__op_kind {
    CEL__OP_READ,    /* buf, len: at least one byte, 0 at the end; sockets, pipes, terminals */
    CEL__OP_LOAN,    /* as READ, into a buffer that the backend lends: op->loan */
    CEL__OP_WRITE,   /* buf, len: all of it, unless .some */
    CEL__OP_WRITEV,  /* iov, count: all of it; the array is used up as it goes */
    CEL__OP_RECVMSG, /* msg */
    CEL__OP_SENDMSG, /* msg: one datagram, or some bytes of a stream */
    CEL__OP_ACCEPT, /* -> new descriptor, non-blocking and close-on-exec; addr, addr_len may be NULL
                     */
    CEL__OP_CONNECT, /* addr, addr_len */
    CEL__OP_POLL,    /* events: POLLIN | POLLOUT | POLLRDHUP -> revents */
    CEL__OP_PREAD,   /* regular files from here on; offset. -ENOSYS: do it on another thread */
    CEL__OP_PWRITE,
    CEL__OP_FSYNC,
    CEL__OP_FDATASYNC,
    CEL__OP_PREADV, /* iov, count: left as they are */
    CEL__OP_PWRITEV,
};

/* Bytes lent by the loop: valid until cel__loan_return. */
struct cel__loan {
    char *data;
    uint32_t len;
    uint32_t id; /* the lender's */
};

struct cel__op {
    struct cel__list link; /* queue of its descriptor, or the backend's */
    struct cel__fd *fd;
    void (*done)(struct cel__op *op); /* on the loop's thread, from a turn */
    void *arg;                        /* of whoever set done */
    int64_t result;                   /* >= 0 or -errno, set when ended */
    size_t moved;                     /* bytes moved so far (WRITE, WRITEV) */
    union {
        struct {
            void *buf;
            size_t len;
        };
        struct {
            struct iovec *iov;
            int count;
        };
        struct msghdr *msg;
        struct {
            struct sockaddr *addr;
            socklen_t *addr_len;
        };
        struct cel__loan loan;
        short events;
    };
    int64_t offset;
    uint32_t slot; /* the backend's identity for it */
    uint8_t kind;
    uint8_t some : 1;         /* WRITE may stop early */
    uint8_t is_in_flight : 1; /* between start and its end */
    uint8_t is_cancelled : 1; /* asked to end */
    int cancel_code;          /* what a cancelled op ends with if nothing happened */
};

/* What it does, for reports; static. */
const char *cel__op_name(const struct cel__op *op);

/* Which side of the descriptor an op waits for. */
static inline bool cel__op_is_write(const struct cel__op *op)
{
    switch (op->kind) {
    case CEL__OP_WRITE:
    case CEL__OP_WRITEV:
    case CEL__OP_SENDMSG:
    case CEL__OP_CONNECT:
        return true;
    default:
        return false;
    }
}

#endif
