/* SPDX-License-Identifier: MIT */
/* The epoll backend: readiness turned into completions.
 *
 * 1. The plain non-blocking call comes first, unless the last one drained the descriptor;
 *    only when it says EAGAIN does the op wait.
 * 2. A descriptor is registered when it first has to wait, for both directions, edge-triggered,
 *    once for life. `ready` remembers the edges. A short read of a stream means it is drained:
 *    what comes later makes a new edge (epoll(7)). Once the end was reported no new edge may
 *    come, so from then on `ready` stays set.
 * 3. An event names slot and generation; one of an earlier life is dropped. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

#define EVENTS_MAX     512
#define LOAN_SIZE      (16 * 1024)
#define LOANS_KEPT_MAX 64
#define WAKE_NAME      UINT64_MAX
#define NOTHING_YET    INT64_MIN /* an attempt that must wait */

struct reactor {
    int ep;
    int wake_fd;
    void *free_loans; /* linked through their first word */
    unsigned free_loan_count;
    struct epoll_event events[EVENTS_MAX];
};

static int epoll_open(struct cel_loop *loop)
{
    struct reactor *data = cel__mem_zalloc(sizeof *data);
    struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_NAME};
    int r;

    if (data == NULL)
        return -ENOMEM;
    data->wake_fd = -1;
    data->ep = cel__sys.epoll_create1(EPOLL_CLOEXEC);
    if (data->ep < 0)
        goto fail;
    data->wake_fd = cel__sys.eventfd(0, O_NONBLOCK | O_CLOEXEC);
    if (data->wake_fd < 0 || cel__sys.epoll_ctl(data->ep, EPOLL_CTL_ADD, data->wake_fd, &wake) < 0)
        goto fail;
    loop->backend_data = data;
    return 0;

fail:
    r = -errno;
    if (data->ep >= 0)
        cel__sys.close(data->ep);
    if (data->wake_fd >= 0)
        cel__sys.close(data->wake_fd);
    cel__mem_free(data);
    return r;
}

static void epoll_close(struct cel_loop *loop)
{
    struct reactor *data = loop->backend_data;

    while (data->free_loans != NULL) {
        void *loan = data->free_loans;

        data->free_loans = *(void **)loan;
        cel__mem_free(loan);
    }
    cel__sys.close(data->ep);
    cel__sys.close(data->wake_fd);
    cel__mem_free(data);
}

static int epoll_attach(struct cel_loop *loop, struct cel__fd *f)
{
    return 0; /* registered when it first waits */
}

static int enlist(struct cel_loop *loop, struct cel__fd *f)
{
    struct reactor *data = loop->backend_data;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = (uint64_t)f->generation << 32 | f->slot,
    };

    if (f->is_registered)
        return 0;
    if (cel__sys.epoll_ctl(data->ep, EPOLL_CTL_ADD, f->fd, &event) < 0)
        return -errno;
    f->is_registered = 1;
    return 0;
}

static void *loan_take(struct reactor *data)
{
    void *loan = data->free_loans;

    if (loan == NULL)
        return cel__mem_alloc(LOAN_SIZE);
    data->free_loans = *(void **)loan;
    data->free_loan_count--;
    return loan;
}

static void loan_give(struct reactor *data, void *loan)
{
    if (data->free_loan_count >= LOANS_KEPT_MAX) {
        cel__mem_free(loan);
        return;
    }
    *(void **)loan = data->free_loans;
    data->free_loans = loan;
    data->free_loan_count++;
}

static void epoll_loan_return(struct cel_loop *loop, const struct cel__loan *loan)
{
    loan_give(loop->backend_data, loan->data);
}

static int64_t result_of(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EINTR ? NOTHING_YET : -errno;
}

/* A pipe's write must not raise SIGPIPE, and the program's handling of it is not ours to change. */
static int64_t write_quietly(int fd, const struct iovec *iov, int count)
{
    struct timespec at_once = {0};
    sigset_t pipe_only, before, pending;
    bool was_pending;
    int64_t n;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    n = result_of(cel__sys.writev(fd, iov, count));
    if (n == -EPIPE && !was_pending)
        sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

static int64_t read_once(struct cel__fd *f, void *buf, size_t len)
{
    int64_t n;

    if (!f->is_stream)
        return result_of(cel__sys.read(f->fd, buf, len));
    n = result_of(cel__sys.recv(f->fd, buf, len, 0));
    if (n > 0 && (size_t)n < len && !f->saw_end)
        f->ready &= (uint8_t)~CEL__FD_IN;
    return n;
}

static int64_t try_loan(struct cel_loop *loop, struct cel__op *op)
{
    char *loan = loan_take(loop->backend_data);
    int64_t n;

    if (loan == NULL)
        return -ENOMEM;
    n = read_once(op->fd, loan, LOAN_SIZE);
    if (n <= 0)
        loan_give(loop->backend_data, loan);
    else
        op->loan = (struct cel__loan){.data = loan, .len = (uint32_t)n};
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

static void iov_advance(struct cel__op *op, size_t n)
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

static int64_t try_writev(struct cel__op *op)
{
    iov_advance(op, 0); /* past empty pieces */
    while (op->count > 0) {
        int64_t n = write_once(op->fd, op->iov, cel__min(op->count, 1024));

        if (n < 0)
            return n;
        iov_advance(op, (size_t)n);
    }
    return (int64_t)op->moved;
}

static int64_t try_connect(struct cel__op *op)
{
    socklen_t len = sizeof(int);
    int error = 0;

    if (op->moved == 0) {
        if (cel__sys.connect(op->fd->fd, op->addr, *op->addr_len) == 0)
            return 0;
        if (errno != EINPROGRESS && errno != EINTR)
            return errno == EAGAIN ? -EAGAIN : -errno; /* EAGAIN: a Unix listener's queue is full */
        op->moved = 1;
        return NOTHING_YET;
    }
    if (cel__sys.getsockopt(op->fd->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

/* For ever readable files poll says so at once. */
static int64_t try_poll(struct cel__op *op)
{
    struct pollfd p = {.fd = op->fd->fd, .events = op->events};

    if (poll(&p, 1, 0) < 0)
        return -errno;
    return p.revents != 0 ? p.revents : NOTHING_YET;
}

static int64_t try_accept(struct cel__op *op)
{
    int64_t n = result_of(
        cel__sys.accept4(op->fd->fd, op->addr, op->addr_len, SOCK_NONBLOCK | SOCK_CLOEXEC));

    return n == -ECONNABORTED ? NOTHING_YET : n;
}

static int64_t attempt(struct cel_loop *loop, struct cel__op *op)
{
    switch (op->kind) {
    case CEL__OP_READ:
        return read_once(op->fd, op->buf, op->len);
    case CEL__OP_LOAN:
        return try_loan(loop, op);
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

static struct cel__list *queue_of(struct cel__op *op)
{
    return cel__op_is_write(op) ? &op->fd->writers : &op->fd->readers;
}

/* ECONNABORTED and EINTR must be tried again at once: no new edge will tell. */
static bool must_retry(const struct cel__op *op)
{
    return errno == EINTR || (op->kind == CEL__OP_ACCEPT && errno == ECONNABORTED);
}

static int64_t attempt_until_blocked(struct cel_loop *loop, struct cel__op *op)
{
    int64_t n;

    do {
        errno = 0;
        n = attempt(loop, op);
    } while (n == NOTHING_YET && must_retry(op) && op->kind != CEL__OP_CONNECT);
    return n;
}

static int epoll_start(struct cel_loop *loop, struct cel__op *op)
{
    struct cel__fd *f = op->fd;
    struct cel__list *queue = queue_of(op);
    uint8_t side = queue == &f->writers ? CEL__FD_OUT : CEL__FD_IN;
    int r;

    if (op->kind >= CEL__OP_PREAD)
        return -ENOSYS;
    op->result = -CEL_ECLOSED;
    if (f->is_closing)
        return 1;
    if (cel__list_is_empty(queue) && (f->ready & side || op->kind == CEL__OP_POLL)) {
        op->result = attempt_until_blocked(loop, op);
        if (op->result != NOTHING_YET)
            return 1;
        if (op->kind != CEL__OP_POLL)
            f->ready &= (uint8_t)~side;
    }
    r = enlist(loop, f);
    if (r < 0) {
        op->result = r;
        return 1;
    }
    op->is_in_flight = 1;
    op->is_cancelled = 0;
    cel__list_append(queue, &op->link);
    return 0;
}

static void end(struct cel_loop *loop, struct cel__op *op, int64_t result)
{
    cel__list_unlink(&op->link);
    cel__op_end(loop, op, result);
}

static void epoll_cancel(struct cel_loop *loop, struct cel__op *op)
{
    end(loop, op, op->cancel_code);
}

/* A poll consumes nothing, so it neither needs nor clears the memory of an edge. */
static void pump(struct cel_loop *loop, struct cel__fd *f, struct cel__list *queue, uint8_t side)
{
    while (!cel__list_is_empty(queue)) {
        struct cel__op *op = cel__container_of(queue->next, struct cel__op, link);
        bool is_poll = op->kind == CEL__OP_POLL;
        int64_t n;

        if (!is_poll && !(f->ready & side))
            return;
        n = attempt_until_blocked(loop, op);
        if (n != NOTHING_YET) {
            end(loop, op, n);
            continue;
        }
        if (!is_poll)
            f->ready &= (uint8_t)~side;
        return;
    }
}

static void on_event(struct cel_loop *loop, const struct epoll_event *event)
{
    struct cel__fd *f =
        cel__fd_find(loop, (uint32_t)event->data.u64, (uint32_t)(event->data.u64 >> 32));

    if (f == NULL)
        return;
    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        f->saw_end = 1;
        f->ready |= CEL__FD_IN | CEL__FD_OUT;
    }
    if (event->events & EPOLLIN)
        f->ready |= CEL__FD_IN;
    if (event->events & EPOLLOUT)
        f->ready |= CEL__FD_OUT;
    pump(loop, f, &f->readers, CEL__FD_IN);
    pump(loop, f, &f->writers, CEL__FD_OUT);
}

static void drain_wake(struct reactor *data)
{
    uint64_t count;

    while (cel__sys.read(data->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

static void epoll_detach(struct cel_loop *loop, struct cel__fd *f)
{
    struct reactor *data = loop->backend_data;
    struct cel__list *queues[] = {&f->readers, &f->writers};

    for (int i = 0; i < 2; i++)
        while (!cel__list_is_empty(queues[i]))
            end(loop, cel__container_of(queues[i]->next, struct cel__op, link), -CEL_ECLOSED);
    if (f->is_registered && !f->owns)
        cel__sys.epoll_ctl(data->ep, EPOLL_CTL_DEL, f->fd, NULL);
    if (f->owns)
        cel__sys.close(f->fd);
    cel__fd_release(loop, f);
}

static int epoll_wait_turn(struct cel_loop *loop, int64_t until)
{
    struct reactor *data = loop->backend_data;
    struct timespec timeout = {0}, *limit = &timeout;
    int n;

    if (until == INT64_MAX) {
        limit = NULL;
    } else if (until > loop->now) {
        int64_t left = until - cel__clock_monotonic();

        if (left > 0)
            timeout = (struct timespec){left / CEL_SECOND, left % CEL_SECOND};
    }
    n = cel__sys.epoll_pwait2(data->ep, data->events, EVENTS_MAX, limit, NULL);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        if (data->events[i].data.u64 == WAKE_NAME)
            drain_wake(data);
        else
            on_event(loop, &data->events[i]);
    }
    return 0;
}

static void epoll_wake(struct cel_loop *loop)
{
    struct reactor *data = loop->backend_data;
    uint64_t one = 1;

    while (cel__sys.write(data->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* EAGAIN: the counter is full, so the loop will wake anyway */
}

static int64_t epoll_now(struct cel_loop *loop)
{
    return cel__clock_monotonic();
}

const struct cel__backend cel__epoll_backend = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .attach = epoll_attach,
    .detach = epoll_detach,
    .start = epoll_start,
    .cancel = epoll_cancel,
    .loan_return = epoll_loan_return,
    .wait = epoll_wait_turn,
    .wake = epoll_wake,
    .now = epoll_now,
};
