/* SPDX-License-Identifier: MIT */
/* Requests to the kernel, each with a slot, and what holds a port: see the header.
 *
 * A request that finds the queue full flushes it; when the kernel takes nothing at the moment,
 * the slot waits in the backlog, in order, for the coming turns. So starting fails only for want
 * of memory, and cancelling never. */
#include "loop/proactor.h"

#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"
#include "loop/sqe.h"

struct cel__uring_sizes cel__uring_sizes = {
    .sq_entries = 1024,
    .cq_entries = 4096,
    .buffers_first = 64,
    .buffers_max = 4096,
    .buffer_bytes = 16 * 1024,
    .unread_max = 16,
};

static struct cel__slot *at(struct cel__proactor *p, uint32_t slot)
{
    return &p->slots.all[slot];
}

static struct io_uring_sqe *next_sqe(struct cel__proactor *p)
{
    struct io_uring_sqe *sqe = cel__ring_sqe(&p->ring);

    if (cel__likely(sqe != NULL))
        return sqe;
    cel__ring_flush(&p->ring);
    return cel__ring_sqe(&p->ring);
}

static void fill(struct cel__proactor *p, struct io_uring_sqe *sqe, struct cel__slot *s)
{
    switch (s->use) {
    case CEL__USE_READY:
        cel__sqe_ready(sqe, s->op);
        break;
    case CEL__USE_DIRECT:
        cel__sqe_op(sqe, s->op, &s->port->msg);
        break;
    case CEL__USE_SELECT:
        cel__sqe_select(sqe, s->port->fd->fd);
        break;
    case CEL__USE_MULTISHOT:
        cel__sqe_multishot(sqe, s->port->fd->fd);
        break;
    case CEL__USE_WAKE:
        cel__sqe_wake(sqe, p->wake_fd);
        break;
    }
}

static bool send_target(struct cel__proactor *p, uint32_t slot)
{
    struct io_uring_sqe *sqe = next_sqe(p);

    if (sqe == NULL)
        return false;
    fill(p, sqe, at(p, slot));
    sqe->user_data = cel__slot_name(&p->slots, slot, CEL__SLOT_TARGET);
    return true;
}

static bool send_cancel(struct cel__proactor *p, uint32_t slot)
{
    struct io_uring_sqe *sqe = next_sqe(p);

    if (sqe == NULL)
        return false;
    cel__sqe_cancel(sqe, cel__slot_name(&p->slots, slot, CEL__SLOT_TARGET));
    sqe->user_data = cel__slot_name(&p->slots, slot, CEL__SLOT_CANCEL);
    return true;
}

static bool resend(struct cel__proactor *p, uint32_t slot)
{
    if (at(p, slot)->unsent & CEL__SLOT_TARGET && !send_target(p, slot))
        return false;
    at(p, slot)->unsent &= (uint8_t)~CEL__SLOT_TARGET;
    if (at(p, slot)->unsent & CEL__SLOT_CANCEL && !send_cancel(p, slot))
        return false;
    at(p, slot)->unsent = 0;
    return true;
}

void cel__requests_resend(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    while (p->backlog_first != CEL__SLOT_NONE) {
        uint32_t slot = p->backlog_first, next = at(p, slot)->next;

        if (!resend(p, slot))
            return;
        p->backlog_first = next;
    }
}

static void put_off(struct cel__proactor *p, uint32_t slot, uint8_t kind)
{
    bool is_there = at(p, slot)->unsent != 0;

    at(p, slot)->unsent |= kind;
    if (is_there)
        return;
    at(p, slot)->next = CEL__SLOT_NONE;
    if (p->backlog_first == CEL__SLOT_NONE)
        p->backlog_first = slot;
    else
        at(p, p->backlog_last)->next = slot;
    p->backlog_last = slot;
}

static void post(struct cel__proactor *p, uint32_t slot, uint8_t kind)
{
    bool is_sent = false;

    at(p, slot)->awaited |= kind;
    if (p->backlog_first == CEL__SLOT_NONE)
        is_sent = kind == CEL__SLOT_TARGET ? send_target(p, slot) : send_cancel(p, slot);
    if (!is_sent)
        put_off(p, slot, kind);
}

static uint32_t request(struct cel__proactor *p, struct cel__op *op, struct cel__port *port,
                        enum cel__slot_use use)
{
    uint32_t slot = cel__slot_new(&p->slots);

    if (slot == CEL__SLOT_NONE)
        return slot;
    at(p, slot)->op = op;
    at(p, slot)->port = port;
    at(p, slot)->use = (uint8_t)use;
    if (port != NULL)
        cel__port_hold(port);
    post(p, slot, CEL__SLOT_TARGET);
    return slot;
}

int cel__request_op(struct cel_loop *loop, struct cel__op *op, enum cel__slot_use use)
{
    op->slot = request(cel__proactor_of(loop), op, cel__port_of(op->fd), use);
    return op->slot != CEL__SLOT_NONE ? 0 : -ENOMEM;
}

int cel__request_receive(struct cel_loop *loop, struct cel__port *port)
{
    port->receive = request(cel__proactor_of(loop), NULL, port, CEL__USE_MULTISHOT);
    port->is_stopping = false;
    return port->receive != CEL__SLOT_NONE ? 0 : -ENOMEM;
}

int cel__request_wake(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    p->wake_slot = request(p, NULL, NULL, CEL__USE_WAKE);
    return p->wake_slot != CEL__SLOT_NONE ? 0 : -ENOMEM;
}

void cel__request_cancel(struct cel_loop *loop, uint32_t slot)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    if (!(at(p, slot)->awaited & CEL__SLOT_CANCEL))
        post(p, slot, CEL__SLOT_CANCEL);
}

bool cel__request_seen(struct cel_loop *loop, uint32_t slot, uint8_t kind)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    if (kind == CEL__SLOT_TARGET)
        at(p, slot)->op = NULL;
    at(p, slot)->awaited &= (uint8_t)~kind;
    if (at(p, slot)->awaited != 0)
        return false;
    cel__slot_free(&p->slots, slot);
    return true;
}

int cel__port_open(struct cel_loop *loop, struct cel__fd *f)
{
    struct cel__proactor *p = cel__proactor_of(loop);
    struct cel__port *port = p->free_ports;

    if (port != NULL)
        p->free_ports = *(struct cel__port **)port;
    else
        port = cel__mem_alloc(sizeof *port);
    if (port == NULL)
        return -ENOMEM;
    *port = (struct cel__port){.fd = f, .receive = CEL__SLOT_NONE};
    f->backend_data = port;
    return 0;
}

void cel__port_end(struct cel_loop *loop, struct cel__port *port)
{
    struct cel__proactor *p = cel__proactor_of(loop);
    struct cel__fd *f = port->fd;

    if (port->is_receiver)
        p->receivers--;
    *(struct cel__port **)port = p->free_ports;
    p->free_ports = port;
    f->backend_data = NULL;
    if (f->owns)
        cel__sys.close(f->fd);
    cel__fd_release(loop, f);
}

void cel__ports_fini(struct cel__proactor *p)
{
    while (p->free_ports != NULL) {
        struct cel__port *port = p->free_ports;

        p->free_ports = *(struct cel__port **)port;
        cel__mem_free(port);
    }
}

void cel__op_end_later(struct cel_loop *loop, struct cel__op *op, int64_t result)
{
    cel__list_unlink(&op->link);
    op->slot = CEL__OP_ENDED;
    op->result = result;
    cel__port_hold(cel__port_of(op->fd));
    cel__list_append(&cel__proactor_of(loop)->ended, &op->link);
}
