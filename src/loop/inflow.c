/* SPDX-License-Identifier: MIT */
/* The receiving side of stream sockets.
 *
 * 1. The first read of a stream is one receive; from the second on a multishot receive stands,
 *    so a connection that is read once has nothing to be cancelled when it closes.
 * 2. The standing receive fills buffers of the kernel's choice, which wait in the port, in
 *    order, until read. While any wait or it stands, no other receive is made: order is kept.
 * 3. It is made only when a reader waits and nothing is unread. Whatever ended it (no buffers,
 *    a full port, a cancel, an overflow), the next reader that must wait brings it back.
 * 4. Out of buffers a reader is served by a receive into its own memory, so no stream waits for
 *    another's reader.
 * 5. A large read goes straight to the reader's memory, past the buffers. A stream that has them
 *    is in bulk: its standing receive is stopped, and its loans are single receives, until
 *    BULK_MEMORY loans in a row were wanted without a large read among them. While the receives
 *    fill what they get, the plain call comes first: the bytes are there, and who need not park
 *    reuses memory that is still cached. */
#include "loop/inflow.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "loop/proactor.h"

#define LARGE       (16 * 1024)
#define BULK_MEMORY 4

static bool is_large(const struct cel__op *op)
{
    return op->kind == CEL__OP_READ && op->len >= LARGE;
}

bool cel__inflow_has_some(const struct cel__port *port)
{
    return port->unread > 0 || port->has_end;
}

static uint32_t buffer_of(const struct io_uring_cqe *cqe)
{
    return cqe->flags >> IORING_CQE_BUFFER_SHIFT;
}

static void append(struct cel__proactor *p, struct cel__port *port, uint32_t id)
{
    if (port->unread++ == 0)
        port->first = id;
    else
        p->buffers.states[port->last].next = id;
    port->last = id;
}

static uint32_t pop(struct cel__proactor *p, struct cel__port *port)
{
    uint32_t id = port->first;

    port->first = p->buffers.states[id].next;
    port->unread--;
    return id;
}

/* Moves unread bytes to `to`. -> how many. */
static size_t copy_out(struct cel__proactor *p, struct cel__port *port, char *to, size_t len)
{
    size_t moved = 0;

    while (moved < len && port->unread > 0) {
        uint32_t id = port->first;
        struct cel__buffer *b = &p->buffers.states[id];
        size_t n = cel__min(len - moved, b->len);

        memcpy(to + moved, cel__buffers_data(&p->buffers, id) + b->at, n);
        moved += n;
        b->at += (uint32_t)n;
        b->len -= (uint32_t)n;
        if (b->len == 0)
            cel__buffers_give(&p->buffers, pop(p, port));
    }
    return moved;
}

static int64_t scatter(struct cel__proactor *p, struct cel__port *port, struct msghdr *msg)
{
    int64_t moved = 0;

    for (size_t i = 0; i < msg->msg_iovlen; i++)
        moved += (int64_t)copy_out(p, port, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
    msg->msg_namelen = 0;
    msg->msg_controllen = 0;
    msg->msg_flags = 0;
    return moved;
}

static int64_t lend(struct cel__proactor *p, struct cel__op *op, uint32_t id)
{
    const struct cel__buffer *b = &p->buffers.states[id];

    op->loan = (struct cel__loan){
        .data = cel__buffers_data(&p->buffers, id) + b->at,
        .len = b->len,
        .id = id,
    };
    return b->len;
}

/* Something is there. */
static int64_t serve(struct cel__proactor *p, struct cel__port *port, struct cel__op *op)
{
    if (port->unread == 0) {
        port->has_end = false; /* told once; the kernel is asked again if need be */
        return port->end;
    }
    switch (op->kind) {
    case CEL__OP_LOAN:
        return lend(p, op, pop(p, port));
    case CEL__OP_RECVMSG:
        return scatter(p, port, op->msg);
    default:
        return (int64_t)copy_out(p, port, op->buf, op->len);
    }
}

/* As many as the streams that stand could want at once, no more. */
static bool has_buffers(struct cel__proactor *p)
{
    if (p->buffers.with_kernel > 0)
        return true;
    if (p->buffers.count >= p->receivers + cel__uring_sizes.buffers_first)
        return false;
    return cel__buffers_grow(&p->buffers);
}

static bool wants_multishot(struct cel__proactor *p, const struct cel__port *port,
                            const struct cel__op *op)
{
    if (!p->ring.has_multishot || op->kind == CEL__OP_RECVMSG || port->reads == 0)
        return false;
    return port->bulk == 0 && has_buffers(p);
}

static int request_loan(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    op->loan = (struct cel__loan){0};
    if (p->ring.has_multishot && has_buffers(p))
        return cel__request_op(loop, op, CEL__USE_SELECT);
    op->loan = (struct cel__loan){
        .data = cel__loan_take(&p->loans),
        .len = CEL__LOAN_SIZE,
        .id = CEL__LOAN_HEAP,
    };
    if (op->loan.data == NULL)
        return -ENOMEM;
    return cel__request_op(loop, op, CEL__USE_DIRECT);
}

static int request(struct cel_loop *loop, struct cel__port *port, struct cel__op *op)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    if (wants_multishot(p, port, op)) {
        if (!port->is_receiver)
            p->receivers++;
        port->is_receiver = true;
        port->fd->has_receiver = 1;
        return cel__request_receive(loop, port);
    }
    if (op->kind == CEL__OP_LOAN)
        return request_loan(loop, op);
    return cel__request_op(loop, op, CEL__USE_DIRECT);
}

static void stop(struct cel_loop *loop, struct cel__port *port)
{
    if (port->receive == CEL__SLOT_NONE || port->is_stopping)
        return;
    port->is_stopping = true;
    cel__request_cancel(loop, port->receive);
}

/* What kind of stream it is, by what is wanted of it. */
static void note_want(struct cel_loop *loop, struct cel__port *port, const struct cel__op *op)
{
    if (is_large(op)) {
        port->bulk = BULK_MEMORY;
        stop(loop, port);
    } else if (port->bulk > 0) {
        port->bulk--;
    }
}

int64_t cel__inflow_try(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__port *port = cel__port_of(op->fd);
    int r = 0;

    if (op->kind == CEL__OP_READ && op->len == 0)
        return 0;
    note_want(loop, port, op);
    if (cel__inflow_has_some(port)) {
        port->reads = 1;
        return serve(cel__proactor_of(loop), port, op);
    }
    if (port->receive != CEL__SLOT_NONE)
        return CEL__NOTHING_YET;
    if (port->has_more && is_large(op)) {
        int64_t n = cel__attempt(op, &cel__proactor_of(loop)->loans);

        port->has_more = n == (int64_t)op->len;
        if (n != CEL__NOTHING_YET)
            return n;
    }
    r = request(loop, port, op);
    return r < 0 ? r : CEL__NOTHING_YET;
}

static int64_t finish_loan(struct cel__proactor *p, struct cel__op *op,
                           const struct io_uring_cqe *cqe)
{
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        cel__buffers_take(&p->buffers, buffer_of(cqe), (uint32_t)cel__max(cqe->res, 0));
        if (cqe->res > 0)
            return lend(p, op, buffer_of(cqe));
        cel__buffers_give(&p->buffers, buffer_of(cqe));
        return cqe->res;
    }
    return cqe->res;
}

/* How much a receive for this op could have brought. */
static size_t room_of(const struct cel__proactor *p, const struct cel__op *op)
{
    if (op->kind == CEL__OP_LOAN)
        return op->loan.id == CEL__LOAN_HEAP ? CEL__LOAN_SIZE : p->buffers.size_bytes;
    return op->kind == CEL__OP_READ ? op->len : SIZE_MAX;
}

int64_t cel__inflow_finish(struct cel_loop *loop, struct cel__op *op,
                           const struct io_uring_cqe *cqe)
{
    struct cel__proactor *p = cel__proactor_of(loop);
    struct cel__port *port = cel__port_of(op->fd);
    bool has_heap = op->kind == CEL__OP_LOAN && op->loan.data != NULL;
    int64_t r = cqe->res;

    if (has_heap && r > 0)
        op->loan.len = (uint32_t)r;
    else if (has_heap)
        cel__loan_give(&p->loans, op->loan.data);
    else if (op->kind == CEL__OP_LOAN)
        r = finish_loan(p, op, cqe);
    if (r <= 0 && op->kind == CEL__OP_LOAN)
        op->loan = (struct cel__loan){0};
    if (r == -ENOBUFS || r == -EINTR || r == -EAGAIN)
        return CEL__NOTHING_YET;
    port->reads = 1;
    port->has_more = r > 0 && (size_t)r == room_of(p, op);
    return r;
}

static void end_multishot(struct cel__proactor *p, struct cel__port *port, int res)
{
    port->receive = CEL__SLOT_NONE;
    if (res > 0 || res == -ENOBUFS || res == -ECANCELED || res == -EINTR || res == -EAGAIN)
        return;
    if (res == -EINVAL || res == -EOPNOTSUPP) {
        p->ring.has_multishot = false; /* this kernel, after all; readers ask one by one */
        return;
    }
    port->has_end = true;
    port->end = res;
}

void cel__inflow_take(struct cel_loop *loop, struct cel__port *port, const struct io_uring_cqe *cqe)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    if (cqe->flags & IORING_CQE_F_BUFFER) {
        cel__buffers_take(&p->buffers, buffer_of(cqe), (uint32_t)cel__max(cqe->res, 0));
        port->has_more = cqe->res == (int)p->buffers.size_bytes;
        if (cqe->res > 0 && !port->fd->is_closing)
            append(p, port, buffer_of(cqe));
        else
            cel__buffers_give(&p->buffers, buffer_of(cqe));
    }
    if (!(cqe->flags & IORING_CQE_F_MORE))
        end_multishot(p, port, cqe->res);
}

void cel__inflow_limit(struct cel_loop *loop, struct cel__port *port)
{
    if (port->unread > cel__uring_sizes.unread_max)
        stop(loop, port);
}

void cel__inflow_drop(struct cel_loop *loop, struct cel__port *port)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    while (port->unread > 0)
        cel__buffers_give(&p->buffers, pop(p, port));
    if (port->receive != CEL__SLOT_NONE)
        cel__request_cancel(loop, port->receive);
}
