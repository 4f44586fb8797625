/* SPDX-License-Identifier: MIT */
#ifndef CEL__PROACTOR_H
#define CEL__PROACTOR_H

/* What the files of the io_uring backend share: its state, that of a descriptor (a port), and
 * requests to the kernel.
 *
 * A port is held by each of its requests and by each of its ops that is to end in the coming
 * turn; a closing port that nothing holds closes its descriptor and is gone. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "loop/attempt.h"
#include "loop/buffers.h"
#include "loop/core.h"
#include "loop/ring.h"
#include "loop/slots.h"

/* Sizes, which tests make small. */
struct cel__uring_sizes {
    uint32_t sq_entries, cq_entries;
    uint32_t buffers_first, buffers_max, buffer_bytes;
    uint32_t unread_max; /* buffers of one port before its multishot receive is stopped */
};
extern struct cel__uring_sizes cel__uring_sizes;

struct cel__port {
    struct cel__fd *fd; /* first member: see free_ports */
    uint32_t holds;
    uint32_t receive;     /* slot of the multishot receive, or CEL__SLOT_NONE */
    bool is_stopping;     /* it was asked to end */
    bool is_receiver;     /* had one, once */
    bool has_end;         /* after the unread bytes comes... */
    int end;              /* 0: end of stream, or -errno */
    uint32_t reads;       /* served so far, saturating */
    bool has_more;        /* the last receive filled its room: the socket may have more */
    uint8_t bulk;         /* above 0: large reads come here; so many loans in a row say otherwise */
    uint32_t first, last; /* chain of unread buffers */
    uint32_t unread;
    struct msghdr msg; /* of the one writer that the kernel has */
};

struct cel__proactor {
    struct cel__ring ring;
    struct cel__buffers buffers;
    struct cel__slots slots;
    struct cel__loans loans;
    struct cel__list ended; /* ops that end in the coming turn: op->result is set */
    uint32_t backlog_first, backlog_last;
    uint32_t receivers; /* open ports that had a multishot receive */
    uint32_t wake_slot;
    int wake_fd;
    struct cel__port *free_ports;
};

/* Values of op->slot beside real slots. */
#define CEL__OP_QUEUED CEL__SLOT_NONE       /* behind another op, or served by its port */
#define CEL__OP_ENDED  (CEL__SLOT_NONE - 1) /* its end is only to be told */

static inline struct cel__proactor *cel__proactor_of(struct cel_loop *loop)
{
    return loop->backend_data;
}

static inline struct cel__port *cel__port_of(struct cel__fd *f)
{
    return f->backend_data;
}

static inline void cel__port_hold(struct cel__port *port)
{
    port->holds++;
}

/* Of a closing descriptor that the kernel has nothing of any more: closes it. */
void cel__port_end(struct cel_loop *loop, struct cel__port *port);

/* May close the descriptor, and then the port is gone. */
static inline void cel__port_release(struct cel_loop *loop, struct cel__port *port)
{
    CEL__ASSERT(port->holds > 0);
    if (--port->holds == 0 && cel__unlikely(port->fd->is_closing))
        cel__port_end(loop, port);
}

int cel__port_open(struct cel_loop *loop, struct cel__fd *f);
void cel__ports_fini(struct cel__proactor *p);

/* Asks the kernel, with the coming submission. op->slot is set. 0 or -ENOMEM. */
int cel__request_op(struct cel_loop *loop, struct cel__op *op, enum cel__slot_use use);
int cel__request_receive(struct cel_loop *loop, struct cel__port *port);
int cel__request_wake(struct cel_loop *loop);
/* Never fails. */
void cel__request_cancel(struct cel_loop *loop, uint32_t slot);
/* Requests that found the queue full. */
void cel__requests_resend(struct cel_loop *loop);
/* A completion of it came; `last` of that kind. Frees the slot when it was the last of all; the
 * port, if any, must be released by the caller then: -> true. */
bool cel__request_seen(struct cel_loop *loop, uint32_t slot, uint8_t kind);

/* Ends an op from the coming turn: it is on no list but that of its end. */
void cel__op_end_later(struct cel_loop *loop, struct cel__op *op, int64_t result);

#endif
