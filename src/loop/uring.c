/* SPDX-License-Identifier: MIT */
/* The io_uring backend.
 *
 * 1. All that a turn asks for is submitted by one system call, inside `wait`, and that call is
 *    left out when there is nothing to submit, to fetch or to wait for.
 * 2. Of the ops that need an order (reads among themselves, writes among themselves) the kernel
 *    has only the first of each descriptor; the others queue behind it.
 * 3. Reads and writes of stream sockets ride with the turn's submission. Accepts and datagrams are
 *    tried by the plain call first; what would block goes to the ring. What is not a socket waits
 * by a poll: the ring's answers for pipes differ between kernels, and its writes raise SIGPIPE.
 * 4. An op ends at its own completion, whatever a cancel said; a closing descriptor is closed
 *    when the kernel has nothing of it any more. */
#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "fiber/annotate.h"
#include "loop/inflow.h"
#include "loop/proactor.h"

static void uring_close(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    cel__ring_close(&p->ring);
    if (p->wake_fd >= 0)
        cel__sys.close(p->wake_fd);
    cel__buffers_close(&p->buffers);
    cel__slots_fini(&p->slots);
    cel__loans_fini(&p->loans);
    cel__ports_fini(p);
    cel__mem_free(p);
}

static int uring_open(struct cel_loop *loop)
{
    const struct cel__uring_sizes *sizes = &cel__uring_sizes;
    struct cel__proactor *p = cel__mem_zalloc(sizeof *p);
    int r;

    if (p == NULL)
        return -ENOMEM;
    loop->backend_data = p;
    cel__list_init(&p->ended);
    p->backlog_first = CEL__SLOT_NONE;
    p->wake_fd = -1;
    r = cel__ring_open(&p->ring, sizes->sq_entries, sizes->cq_entries);
    if (r == 0)
        r = cel__buffers_open(&p->buffers, &p->ring, sizes->buffers_first, sizes->buffers_max,
                              sizes->buffer_bytes);
    if (r == 0) {
        p->wake_fd = cel__sys.eventfd(0, O_NONBLOCK | O_CLOEXEC);
        r = p->wake_fd >= 0 ? cel__request_wake(loop) : -errno;
    }
    if (r < 0)
        uring_close(loop);
    return r;
}

static struct cel__list *queue_of(struct cel__op *op)
{
    return cel__op_is_write(op) ? &op->fd->writers : &op->fd->readers;
}

/* Those that go on side by side whatever else is under way. */
static bool is_free(const struct cel__op *op)
{
    return op->kind == CEL__OP_POLL || op->kind >= CEL__OP_PREAD;
}

static struct cel__op *first_ordered(struct cel__list *queue)
{
    CEL__LIST_EACH (node, queue) {
        struct cel__op *op = cel__container_of(node, struct cel__op, link);

        if (!is_free(op))
            return op;
    }
    return NULL;
}

static bool is_inflow(const struct cel__op *op)
{
    return op->fd->is_stream &&
           (op->kind == CEL__OP_READ || op->kind == CEL__OP_LOAN || op->kind == CEL__OP_RECVMSG);
}

static int64_t ask(struct cel_loop *loop, struct cel__op *op, enum cel__slot_use use)
{
    int r = cel__request_op(loop, op, use);

    return r < 0 ? r : CEL__NOTHING_YET;
}

/* The plain call first; what would block waits by a poll, or in the op's own request. */
static int64_t try_then(struct cel_loop *loop, struct cel__op *op, enum cel__slot_use use)
{
    int64_t r = cel__attempt(op, &cel__proactor_of(loop)->loans);

    return r != CEL__NOTHING_YET ? r : ask(loop, op, use);
}

static bool is_moved(struct cel__op *op)
{
    if (op->kind == CEL__OP_WRITE)
        return op->moved == op->len;
    cel__op_advance(op, 0);
    return op->count == 0;
}

static int64_t ask_write(struct cel_loop *loop, struct cel__op *op)
{
    return is_moved(op) ? (int64_t)op->moved : ask(loop, op, CEL__USE_DIRECT);
}

/* A Unix socket's connect may say EAGAIN, which the ring would wait out in its own way. */
static bool is_plain_connect(const struct cel__op *op)
{
    return op->addr->sa_family != AF_INET && op->addr->sa_family != AF_INET6;
}

/* What is unread here no poll of the kernel's will find. */
static int64_t try_poll(struct cel_loop *loop, struct cel__op *op)
{
    op->moved = 0;
    if (op->events & POLLIN && cel__inflow_has_some(cel__port_of(op->fd)))
        return POLLIN;
    return ask(loop, op, CEL__USE_DIRECT);
}

/* The first step of an op whose turn it is: its result, or CEL__NOTHING_YET and its end will come.
 */
static int64_t try(struct cel_loop *loop, struct cel__op *op)
{
    if (is_inflow(op))
        return cel__inflow_try(loop, op);
    switch (op->kind) {
    case CEL__OP_POLL:
        return try_poll(loop, op);
    case CEL__OP_PREAD:
    case CEL__OP_PREADV:
    case CEL__OP_PWRITE:
    case CEL__OP_PWRITEV:
    case CEL__OP_FSYNC:
    case CEL__OP_FDATASYNC:
        return ask(loop, op, CEL__USE_DIRECT);
    case CEL__OP_ACCEPT: /* the ring's own wakes one of the loops that share a listener */
        return try_then(loop, op, CEL__USE_DIRECT);
    case CEL__OP_CONNECT:
        return is_plain_connect(op) ? try_then(loop, op, CEL__USE_READY)
                                    : ask(loop, op, CEL__USE_DIRECT);
    case CEL__OP_WRITE:
    case CEL__OP_WRITEV:
        return op->fd->is_stream ? ask_write(loop, op) : try_then(loop, op, CEL__USE_READY);
    case CEL__OP_SENDMSG:
        return try_then(loop, op, op->fd->is_stream ? CEL__USE_DIRECT : CEL__USE_READY);
    default:
        return try_then(loop, op, CEL__USE_READY);
    }
}

static int uring_start(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__list *queue = queue_of(op);

    op->result = -CEL_ECLOSED;
    if (op->fd->is_closing)
        return 1;
    op->slot = CEL__OP_QUEUED;
    op->is_cancelled = 0;
    if (is_free(op) || first_ordered(queue) == NULL) {
        op->result = try(loop, op);
        if (op->result != CEL__NOTHING_YET)
            return 1;
    }
    op->is_in_flight = 1;
    cel__list_append(queue, &op->link);
    return 0;
}

static void end(struct cel_loop *loop, struct cel__op *op, int64_t result)
{
    cel__list_unlink(&op->link);
    cel__op_end(loop, op, result);
}

/* The port is held by the caller: an op's end may close it. */
static void pump(struct cel_loop *loop, struct cel__list *queue)
{
    struct cel__op *op;

    while ((op = first_ordered(queue)) != NULL && op->slot == CEL__OP_QUEUED) {
        int64_t r = try(loop, op);

        if (r == CEL__NOTHING_YET)
            return;
        end(loop, op, r);
    }
}

static void uring_cancel(struct cel_loop *loop, struct cel__op *op)
{
    if (op->slot == CEL__OP_ENDED)
        return;
    if (op->slot == CEL__OP_QUEUED)
        cel__op_end_later(loop, op, op->cancel_code);
    else
        cel__request_cancel(loop, op->slot);
}

static bool uring_has_input(struct cel_loop *loop, struct cel__fd *f)
{
    return cel__inflow_has_some(cel__port_of(f));
}

static void uring_loan_return(struct cel_loop *loop, const struct cel__loan *loan)
{
    struct cel__proactor *p = cel__proactor_of(loop);

    if (loan->id == CEL__LOAN_HEAP)
        cel__loan_give(&p->loans, loan->data);
    else
        cel__buffers_give(&p->buffers, loan->id);
}

/* -> CEL__NOTHING_YET: the rest is to be sent. */
static int64_t finish_write(struct cel__op *op, int res)
{
    if (res == -EINTR || res == -EAGAIN)
        return CEL__NOTHING_YET;
    if (res < 0)
        return res;
    if (op->kind == CEL__OP_WRITE)
        op->moved += (size_t)res;
    else
        cel__op_advance(op, (size_t)res);
    return is_moved(op) || op->some ? (int64_t)op->moved : CEL__NOTHING_YET;
}

static int64_t finish_poll(const struct cel__op *op, int res)
{
    if (res >= 0 || op->moved != 0)
        return cel__max(res, 0) | (int64_t)op->moved;
    return res;
}

/* Some filesystems refuse to be asked without blocking and cannot be polled either: as on a
 * backend that has no file IO, a thread of the pool must do it. */
static int64_t finish_file(int res)
{
    if (res == -EINTR)
        return CEL__NOTHING_YET;
    return res == -EAGAIN ? -ENOSYS : res;
}

static int64_t finish_direct(struct cel__op *op, int res)
{
    switch (op->kind) {
    case CEL__OP_POLL:
        return finish_poll(op, res);
    case CEL__OP_PREAD:
    case CEL__OP_PREADV:
    case CEL__OP_PWRITE:
    case CEL__OP_PWRITEV:
    case CEL__OP_FSYNC:
        return finish_file(res);
    case CEL__OP_WRITE:
    case CEL__OP_WRITEV:
        return finish_write(op, res);
    case CEL__OP_ACCEPT:
        if (res == -ECONNABORTED)
            return CEL__NOTHING_YET;
        /* fall through */
    default:
        return res == -EINTR || res == -EAGAIN ? CEL__NOTHING_YET : res;
    }
}

static void tell_vector(const struct iovec *iov, size_t count, size_t len)
{
    for (size_t i = 0; i < count && len > 0; i++) {
        size_t n = cel__min(len, iov[i].iov_len);

        cel__annotate_written(iov[i].iov_base, n);
        len -= n;
    }
}

/* Valgrind is told what the ring has brought. Buffers of the kernel's choice it never doubted. */
static void tell_written(const struct cel__op *op, size_t len)
{
    switch (op->kind) {
    case CEL__OP_READ:
    case CEL__OP_PREAD:
        cel__annotate_written(op->buf, len);
        break;
    case CEL__OP_LOAN:
        cel__annotate_written(op->loan.data, len);
        break;
    case CEL__OP_PREADV:
        tell_vector(op->iov, (size_t)op->count, len);
        break;
    case CEL__OP_RECVMSG:
        tell_vector(op->msg->msg_iov, op->msg->msg_iovlen, len);
        cel__annotate_written(op->msg->msg_name, op->msg->msg_namelen);
        cel__annotate_written(op->msg->msg_control, op->msg->msg_controllen);
        break;
    case CEL__OP_ACCEPT:
        if (op->addr != NULL)
            cel__annotate_written(op->addr, *op->addr_len);
        break;
    default:
        break;
    }
}

static int64_t finish(struct cel_loop *loop, struct cel__op *op, uint8_t use,
                      const struct io_uring_cqe *cqe)
{
    int64_t r;

    if (use == CEL__USE_READY)
        r = cqe->res == -ECANCELED ? CEL__NOTHING_YET
                                   : cel__attempt(op, &cel__proactor_of(loop)->loans);
    else if (is_inflow(op))
        r = cel__inflow_finish(loop, op, cqe);
    else
        r = finish_direct(op, cqe->res);
    if (cel__unlikely(cel__proactor_of(loop)->ring.is_watched) && use != CEL__USE_READY && r >= 0)
        tell_written(op, (size_t)r);
    if (op->is_cancelled && (r == CEL__NOTHING_YET || r == -ECANCELED))
        r = op->cancel_code;
    return r;
}

static void on_op(struct cel_loop *loop, struct cel__op *op, uint8_t use,
                  const struct io_uring_cqe *cqe)
{
    struct cel__list *queue = queue_of(op);
    int64_t r = finish(loop, op, use, cqe);

    op->slot = CEL__OP_QUEUED;
    if (r == CEL__NOTHING_YET && is_free(op))
        r = try(loop, op);
    if (r != CEL__NOTHING_YET)
        end(loop, op, r);
    pump(loop, queue);
}

/* A standing receive takes from under a poll what the poll waits for. */
static void tell_polls(struct cel_loop *loop, struct cel__fd *f)
{
    CEL__LIST_EACH (node, &f->readers) {
        struct cel__op *op = cel__container_of(node, struct cel__op, link);

        if (op->kind != CEL__OP_POLL || !(op->events & POLLIN))
            continue;
        op->moved |= POLLIN;
        cel__request_cancel(loop, op->slot);
    }
}

static void on_receive(struct cel_loop *loop, struct cel__port *port,
                       const struct io_uring_cqe *cqe)
{
    CEL__ASSERT(port != NULL && "a standing receive is a port's");
    cel__inflow_take(loop, port, cqe);
    if (port->fd->is_closing)
        return;
    if (cel__inflow_has_some(port))
        tell_polls(loop, port->fd);
    pump(loop, &port->fd->readers);
    cel__inflow_limit(loop, port);
}

static void on_target(struct cel_loop *loop, const struct io_uring_cqe *cqe, struct cel__slot s)
{
    if (s.use == CEL__USE_WAKE) {
        if (!(cqe->flags & IORING_CQE_F_MORE) && cel__request_wake(loop) < 0)
            cel__log(CEL_LOG_ERROR, "out of memory: messages will be late");
    } else if (s.use == CEL__USE_MULTISHOT) {
        on_receive(loop, s.port, cqe);
    } else {
        on_op(loop, s.op, s.use, cqe);
    }
}

static void on_completion(struct cel_loop *loop, const struct io_uring_cqe *cqe)
{
    struct cel__slot *found = cel__slot_find(&cel__proactor_of(loop)->slots, cqe->user_data);
    uint32_t slot = (uint32_t)(cqe->user_data >> 32);
    uint8_t kind = (uint8_t)cqe->user_data;
    struct cel__slot s;
    bool is_over = false;

    if (found == NULL) {
        cel__log(CEL_LOG_ERROR, "the kernel told of a request that was never made or has ended");
        return;
    }
    s = *found;
    if (s.port != NULL)
        cel__port_hold(s.port);
    if (kind == CEL__SLOT_CANCEL || !(cqe->flags & IORING_CQE_F_MORE))
        is_over = cel__request_seen(loop, slot, kind);
    if (kind == CEL__SLOT_TARGET)
        on_target(loop, cqe, s);
    if (s.port != NULL) {
        if (is_over)
            cel__port_release(loop, s.port);
        cel__port_release(loop, s.port);
    }
}

static int uring_attach(struct cel_loop *loop, struct cel__fd *f)
{
    return cel__port_open(loop, f);
}

static void detach_op(struct cel_loop *loop, struct cel__op *op)
{
    if (op->slot == CEL__OP_QUEUED) {
        cel__op_end_later(loop, op, op->is_cancelled ? op->cancel_code : -CEL_ECLOSED);
        return;
    }
    if (!op->is_cancelled)
        op->cancel_code = -CEL_ECLOSED;
    op->is_cancelled = 1;
    cel__request_cancel(loop, op->slot);
}

static void uring_detach(struct cel_loop *loop, struct cel__fd *f)
{
    struct cel__port *port = cel__port_of(f);

    cel__port_hold(port);
    CEL__LIST_EACH_SAFE (reader, &f->readers)
        detach_op(loop, cel__container_of(reader, struct cel__op, link));
    CEL__LIST_EACH_SAFE (writer, &f->writers)
        detach_op(loop, cel__container_of(writer, struct cel__op, link));
    cel__inflow_drop(loop, port);
    cel__port_release(loop, port);
}

/* -> whether there were any. */
static bool end_ended(struct cel_loop *loop)
{
    struct cel__proactor *p = cel__proactor_of(loop);
    struct cel__list batch;
    struct cel__list *node;

    if (cel__list_is_empty(&p->ended))
        return false;
    cel__list_init(&batch);
    cel__list_splice(&batch, &p->ended);
    while ((node = cel__list_pop(&batch)) != NULL) {
        struct cel__op *op = cel__container_of(node, struct cel__op, link);
        struct cel__port *port = cel__port_of(op->fd);

        cel__op_end(loop, op, op->result);
        cel__port_release(loop, port);
    }
    return true;
}

static void reap(struct cel_loop *loop)
{
    struct io_uring_cqe cqe;

    while (cel__ring_take(&cel__proactor_of(loop)->ring, &cqe))
        on_completion(loop, &cqe);
}

/* The kernel takes no more at the moment, and may have nothing to give either: a short wait keeps
 * the processor from spinning on it. */
static int wait_out(struct cel__proactor *p, int r, int64_t timeout)
{
    if (r != -EAGAIN && r != -EBUSY && r != -ENOMEM)
        return r;
    if (timeout > 0 && !cel__ring_has_completion(&p->ring)) {
        struct timespec ms = {.tv_nsec = CEL_MILLISECOND};

        cel__sys.clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL);
    }
    return 0;
}

/* While some requests are still to be sent nobody sleeps: what the others wait for may be among
 * them. */
static int enter(struct cel__proactor *p, int64_t timeout)
{
    bool has_backlog = p->backlog_first != CEL__SLOT_NONE;

    return wait_out(p, cel__ring_enter(&p->ring, has_backlog ? 0 : timeout), timeout);
}

static int64_t timeout_of(struct cel_loop *loop, int64_t until)
{
    if (until <= loop->now)
        return 0;
    if (until == INT64_MAX)
        return INT64_MAX;
    return cel__max(until - cel__clock_monotonic(), 0);
}

/* One enter brings a few dozen completions of deferred work at most; the rest is left for the
 * next turn, when the sockets and buffers of these are still warm in the caches. While the kernel
 * has more, its flag makes the next turn enter too. */
static int uring_wait(struct cel_loop *loop, int64_t until)
{
    struct cel__proactor *p = cel__proactor_of(loop);
    bool has_ended = end_ended(loop);
    int64_t timeout = 0;
    int r = 0;

    cel__requests_resend(loop);
    if (!has_ended && cel__list_is_empty(&p->ended) && !cel__ring_has_completion(&p->ring))
        timeout = timeout_of(loop, until);
    if (timeout > 0 || cel__ring_unsubmitted(&p->ring) > 0 || cel__ring_wants_enter(&p->ring))
        r = enter(p, timeout);
    reap(loop);
    return r;
}

static void uring_wake(struct cel_loop *loop)
{
    uint64_t one = 1;

    while (cel__sys.write(cel__proactor_of(loop)->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* never read: it would take 2^64 messages to fill */
}

static int64_t uring_now(struct cel_loop *loop)
{
    return cel__clock_monotonic();
}

const struct cel__backend cel__uring_backend = {
    .name = "uring",
    .open = uring_open,
    .close = uring_close,
    .attach = uring_attach,
    .detach = uring_detach,
    .start = uring_start,
    .cancel = uring_cancel,
    .has_input = uring_has_input,
    .loan_return = uring_loan_return,
    .wait = uring_wait,
    .wake = uring_wake,
    .now = uring_now,
};
