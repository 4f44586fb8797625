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
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "loop/attempt.h"
#include "loop/core.h"

#define EVENTS_MAX   256
#define TURN_EVENTS  16
#define WAKE_NAME    UINT64_MAX
#define GLANCE_AFTER (10 * CEL_MICROSECOND)

struct reactor {
    int ep;
    int wake_fd;
    struct cel__loans loans;
    int fetched, at;  /* events from the kernel, and how many of them are dealt with */
    int64_t asked_at; /* when the kernel was */
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

    cel__loans_fini(&data->loans);
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

static void epoll_loan_return(struct cel_loop *loop, const struct cel__loan *loan)
{
    struct reactor *data = loop->backend_data;

    cel__loan_give(&data->loans, loan->data);
}

static struct cel__list *queue_of(struct cel__op *op)
{
    return cel__op_is_write(op) ? &op->fd->writers : &op->fd->readers;
}

/* A short read of a stream means that it is drained. */
static int64_t attempt(struct cel_loop *loop, struct cel__op *op)
{
    struct reactor *data = loop->backend_data;
    struct cel__fd *f = op->fd;
    int64_t n = cel__attempt(op, &data->loans);

    if (n > 0 && f->is_stream && !f->saw_end) {
        if (op->kind == CEL__OP_READ && (size_t)n < op->len)
            f->ready &= (uint8_t)~CEL__FD_IN;
        if (op->kind == CEL__OP_LOAN && n < CEL__LOAN_SIZE)
            f->ready &= (uint8_t)~CEL__FD_IN;
    }
    return n;
}

/* Polls stand outside of the order: whoever waits behind one may go on before it. */
static bool has_ordered(const struct cel__list *queue)
{
    CEL__LIST_EACH (node, queue)
        if (cel__container_of(node, struct cel__op, link)->kind != CEL__OP_POLL)
            return true;
    return false;
}

static bool may_try(const struct cel__op *op, const struct cel__list *queue, uint8_t side)
{
    if (op->kind == CEL__OP_POLL)
        return true;
    return op->fd->ready & side && (cel__list_is_empty(queue) || !has_ordered(queue));
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
    if (may_try(op, queue, side)) {
        op->result = attempt(loop, op);
        if (op->result != CEL__NOTHING_YET)
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

/* The first op of the queue that ends now, and its result; NULL: none does. A poll consumes
 * nothing, so it neither needs nor clears the memory of an edge, nor holds up those behind it. */
static struct cel__op *first_done(struct cel_loop *loop, struct cel__fd *f, struct cel__list *queue,
                                  uint8_t side, int64_t *result)
{
    bool is_stuck = false;

    CEL__LIST_EACH (node, queue) {
        struct cel__op *op = cel__container_of(node, struct cel__op, link);
        bool is_poll = op->kind == CEL__OP_POLL;

        if (!is_poll && (is_stuck || !(f->ready & side)))
            continue;
        *result = attempt(loop, op);
        if (*result != CEL__NOTHING_YET)
            return op;
        is_stuck |= !is_poll;
        if (!is_poll)
            f->ready &= (uint8_t)~side;
    }
    return NULL;
}

static void pump(struct cel_loop *loop, struct cel__fd *f, struct cel__list *queue, uint8_t side)
{
    struct cel__op *op;
    int64_t result;

    while ((op = first_done(loop, f, queue, side, &result)) != NULL)
        end(loop, op, result);
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

static const struct cel__op *reader_at(struct cel_loop *loop, const struct epoll_event *event)
{
    const struct cel__fd *f = cel__fd_at(loop, (uint32_t)event->data.u64);

    if (f == NULL || f->fd < 0 || cel__list_is_empty(&f->readers))
        return NULL;
    return cel__container_of(f->readers.next, struct cel__op, link);
}

/* Among a thousand descriptors, what an event leads to has left the caches. The kernel's call for
 * one event takes long enough to fetch, of the events to come, first the record, then its
 * reader's op, then the memory that this reads to. */
static void fetch_ahead(struct cel_loop *loop, const struct epoll_event *events, int left)
{
    const struct cel__op *op;

    if (left > 3)
        __builtin_prefetch(cel__fd_at(loop, (uint32_t)events[3].data.u64));
    op = left > 2 ? reader_at(loop, &events[2]) : NULL;
    if (op != NULL)
        for (size_t at = 0; at < sizeof *op; at += 64)
            __builtin_prefetch((const char *)op + at);
    op = left > 1 ? reader_at(loop, &events[1]) : NULL;
    if (op != NULL && op->kind == CEL__OP_READ)
        __builtin_prefetch(op->buf, 1);
}

static int fetch_events(struct cel_loop *loop, int64_t until)
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
    data->at = 0;
    data->fetched = n;
    data->asked_at = loop->now;
    return 0;
}

/* A loop with work of its own asks every few microseconds: each time costs a system call. */
static bool is_asked_lately(const struct cel_loop *loop, int64_t until)
{
    const struct reactor *data = loop->backend_data;

    return until == CEL__GLANCE && loop->now - data->asked_at < GLANCE_AFTER;
}

/* A turn deals with a few events: what a request is answered from is still in the caches when its
 * task runs, and the kernel's part of the socket when it is sent. The rest waits for the next turn,
 * which asks the kernel only when none is left. */
static int epoll_wait_turn(struct cel_loop *loop, int64_t until)
{
    struct reactor *data = loop->backend_data;
    bool is_due = data->at == data->fetched && !is_asked_lately(loop, until);
    int r = is_due ? fetch_events(loop, until) : 0;
    int stop = cel__min(data->fetched, data->at + TURN_EVENTS);

    while (data->at < stop) {
        const struct epoll_event *event = &data->events[data->at];

        fetch_ahead(loop, event, data->fetched - data->at);
        data->at++;
        if (event->data.u64 != WAKE_NAME) /* which has done what it is for */
            on_event(loop, event);
    }
    return r;
}

static void epoll_wake(struct cel_loop *loop)
{
    struct reactor *data = loop->backend_data;
    uint64_t one = 1;

    while (cel__sys.write(data->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue; /* never read: it would take 2^64 messages to fill */
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
