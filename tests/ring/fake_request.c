/* SPDX-License-Identifier: MIT */
/* What each request does: the plain calls of the machine beneath, tried until one does not block.
 * A transfer takes place when it is tried; that it did is told later, and what a receive has
 * brought lands in its user's memory only then, as late as a kernel may write it. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cc.h"
#include "base/sys.h"
#include "machine/calls.h"
#include "machine/socket.h"
#include "ring/fake_state.h"

#define WAITS       INT32_MIN /* it would block */
#define IMAGE_MAX   4096
#define PIECES_MAX  1024
#define SHOTS_MAX   8
#define REQUEST_MAX 65536 /* what one receive brings at most */

static void *at_address(uint64_t addr)
{
    return (void *)(uintptr_t)addr;
}

/* ---- what its memory was like ---- */

static size_t gather(const struct io_uring_sqe *sqe, char *to, size_t cap)
{
    const struct msghdr *msg = at_address(sqe->addr);
    size_t at = 0;

    for (size_t i = 0; i < msg->msg_iovlen && at < cap; i++) {
        size_t n = cel__min(msg->msg_iov[i].iov_len, cap - at);

        if (n > 0)
            memcpy(to + at, msg->msg_iov[i].iov_base, n);
        at += n;
    }
    return at;
}

static size_t look(const struct io_uring_sqe *sqe, char *to)
{
    size_t n = cel__min(sqe->len, IMAGE_MAX);

    switch (sqe->opcode) {
    case IORING_OP_RECV:
        if (sqe->flags & IOSQE_BUFFER_SELECT)
            return 0;
        /* fall through */
    case IORING_OP_SEND:
    case IORING_OP_WRITE:
        memcpy(to, at_address(sqe->addr), n);
        return n;
    case IORING_OP_SENDMSG:
        return gather(sqe, to, IMAGE_MAX);
    default:
        return 0;
    }
}

static void keep_image(struct fake_request *r)
{
    char now[IMAGE_MAX];

    r->image_len = look(&r->sqe, now);
    if (r->image_len == 0)
        return;
    r->image = cel__machine_alloc(r->image_len);
    memcpy(r->image, now, r->image_len);
}

static void check_image(struct fake_request *r)
{
    char now[IMAGE_MAX];

    if (r->image == NULL)
        return;
    if (look(&r->sqe, now) != r->image_len || memcmp(now, r->image, r->image_len) != 0)
        fake_break("memory of a request of kind %u was changed before its completion was told",
                   r->sqe.opcode);
}

/* ---- completions ---- */

static struct fake_completion *make(struct fake_ring *f, struct fake_request *r, int res,
                                    unsigned flags)
{
    struct fake_completion *c = cel__machine_alloc(sizeof *c);

    c->request = r;
    c->nth = r->made++;
    c->res = res;
    c->flags = flags;
    c->due = fake_chance(f, FAKE_late) ? fake_later(f) : f->machine->now;
    c->due = r->last_due = cel__max(c->due, r->last_due);
    cel__list_append(&f->made, &c->link);
    return c;
}

/* The last one. */
static struct fake_completion *finish(struct fake_ring *f, struct fake_request *r, int res,
                                      unsigned flags)
{
    struct fake_completion *c = make(f, r, res, flags);

    r->is_over = true;
    cel__list_unlink(&r->link);
    cel__list_append(&f->over, &r->link);
    return c;
}

void fake_land(struct fake_completion *c)
{
    if (c->request->is_over && c->nth + 1 == c->request->made)
        check_image(c->request);
    if (c->bytes != NULL)
        fake_memory_put(c->to, c->bytes, (size_t)c->res);
}

void fake_told(struct fake_completion *c)
{
    struct fake_request *r = c->request;

    cel__machine_release(c->bytes);
    cel__machine_release(c);
    r->told++;
    if (!r->is_over || r->told != r->made)
        return;
    cel__list_unlink(&r->link);
    cel__machine_release(r->image);
    cel__machine_release(r);
}

/* ---- each kind ---- */

static int told(int64_t n)
{
    if (n >= 0)
        return (int)n;
    return errno == EAGAIN || errno == EINPROGRESS ? WAITS : -errno;
}

static short events_of(int fd, short wanted)
{
    struct pollfd p = {.fd = fd, .events = wanted};

    if (cel__socket_find(fd) != NULL)
        return cel__calls_poll(fd, wanted);
    return cel__sys_floor.poll(&p, 1, 0) > 0 ? p.revents : 0;
}

static size_t cut(struct fake_ring *f, size_t len)
{
    return len > 1 && fake_chance(f, FAKE_cut) ? 1 + fake_draw(f, len) : len;
}

static void *bounce(size_t *len)
{
    *len = cel__min(*len, REQUEST_MAX);
    return cel__machine_alloc(cel__max(*len, 1));
}

/* Not before the next instant, though it could. */
static void put_off(struct fake_ring *f, struct fake_request *r)
{
    r->start_at = f->machine->now + 1;
}

/* -> false: it has ended, or waits. */
static bool receive_chosen(struct fake_ring *f, struct fake_request *r, bool is_multishot)
{
    const struct fake_buffer *buffer;
    struct fake_completion *c;
    unsigned flags = IORING_CQE_F_BUFFER;
    bool goes_on;
    size_t len;
    char *bytes;
    uint16_t id;
    int n;

    if (events_of(r->sqe.fd, POLLIN) == 0)
        return false;
    if (!fake_buffers_have(&f->buffers) || fake_chance(f, FAKE_no_buffers)) {
        finish(f, r, -ENOBUFS, 0);
        return false;
    }
    buffer =
        &f->buffers.all[f->buffers.shared->bufs[f->buffers.head & (f->buffers.entries - 1)].bid];
    len = cut(f, buffer->len);
    bytes = bounce(&len);
    n = told(cel__sys_floor.recv(r->sqe.fd, bytes, len, MSG_DONTWAIT));
    if (n <= 0 && (n < 0 || !fake_chance(f, FAKE_end_buffer))) {
        cel__machine_release(bytes);
        if (n != WAITS)
            finish(f, r, n, 0);
        return false;
    }
    id = fake_buffers_pick(&f->buffers);
    flags |= (unsigned)id << IORING_CQE_BUFFER_SHIFT;
    goes_on = is_multishot && n > 0 && !fake_chance(f, FAKE_stop);
    c = goes_on ? make(f, r, n, flags | IORING_CQE_F_MORE) : finish(f, r, n, flags);
    c->bytes = bytes;
    c->to = at_address(f->buffers.all[id].addr);
    return goes_on;
}

static void receive(struct fake_ring *f, struct fake_request *r)
{
    bool is_multishot = (r->sqe.ioprio & IORING_RECV_MULTISHOT) != 0;
    size_t len = cut(f, r->sqe.len);
    struct fake_completion *c;
    char *bytes;
    int n;

    if (r->sqe.flags & IOSQE_BUFFER_SELECT) {
        for (int i = 0; i < SHOTS_MAX; i++)
            if (!receive_chosen(f, r, is_multishot))
                return;
        put_off(f, r);
        return;
    }
    bytes = bounce(&len);
    n = told(cel__sys_floor.recv(r->sqe.fd, bytes, len, MSG_DONTWAIT));
    if (n > 0) {
        c = finish(f, r, n, 0);
        c->bytes = bytes;
        c->to = at_address(r->sqe.addr);
        return;
    }
    cel__machine_release(bytes);
    if (n != WAITS)
        finish(f, r, n, 0);
}

/* With MSG_WAITALL it goes on until all is out; what was moved before an error is told first. */
static void go_on_sending(struct fake_ring *f, struct fake_request *r, size_t total, size_t asked,
                          int64_t sent)
{
    int n = told(sent);

    if (n == WAITS)
        return;
    if (n < 0) {
        finish(f, r, r->moved > 0 ? (int)r->moved : n, 0);
        return;
    }
    r->moved += (uint32_t)n;
    if (r->moved >= total || !(r->sqe.msg_flags & MSG_WAITALL) ||
        (asked > (size_t)n && fake_chance(f, FAKE_cut)))
        finish(f, r, (int)r->moved, 0);
    else
        put_off(f, r);
}

static void send_bytes(struct fake_ring *f, struct fake_request *r)
{
    size_t len = cut(f, r->sqe.len - r->moved);

    go_on_sending(f, r, r->sqe.len, len,
                  cel__sys_floor.send(r->sqe.fd, (char *)at_address(r->sqe.addr) + r->moved, len,
                                      MSG_DONTWAIT | MSG_NOSIGNAL));
}

static void send_message(struct fake_ring *f, struct fake_request *r)
{
    struct msghdr msg = *(const struct msghdr *)at_address(r->sqe.addr);
    static struct iovec rest[PIECES_MAX];
    size_t skip = r->moved, total = 0, count = 0;

    for (size_t i = 0; i < msg.msg_iovlen; i++) {
        struct iovec piece = msg.msg_iov[i];
        size_t n = cel__min(skip, piece.iov_len);

        total += piece.iov_len;
        skip -= n;
        rest[count++] = (struct iovec){(char *)piece.iov_base + n, piece.iov_len - n};
    }
    msg.msg_iov = rest;
    msg.msg_iovlen = count;
    if (count > 1 && (r->sqe.msg_flags & MSG_WAITALL) && fake_chance(f, FAKE_cut))
        msg.msg_iovlen = 1 + fake_draw(f, count);
    go_on_sending(f, r, total, total - r->moved,
                  cel__sys_floor.sendmsg(r->sqe.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static int join(struct fake_request *r)
{
    socklen_t len = sizeof(int);
    int n, error = 0;

    if (!r->is_connecting) {
        n = told(cel__sys_floor.connect(r->sqe.fd, at_address(r->sqe.addr), (socklen_t)r->sqe.off));
        r->is_connecting = n == WAITS;
        return n;
    }
    if (events_of(r->sqe.fd, POLLOUT) == 0)
        return WAITS;
    n = told(cel__sys_floor.getsockopt(r->sqe.fd, SOL_SOCKET, SO_ERROR, &error, &len));
    return n < 0 ? n : -error;
}

static void watch(struct fake_ring *f, struct fake_request *r)
{
    bool is_multishot = (r->sqe.len & IORING_POLL_ADD_MULTI) != 0;
    short events = (short)(r->sqe.poll32_events & 0xffff);

    if (is_multishot && !r->is_rung)
        return;
    r->is_rung = false;
    events = events_of(r->sqe.fd, events);
    if (events == 0)
        return;
    if (is_multishot && !fake_chance(f, FAKE_stop))
        make(f, r, events, IORING_CQE_F_MORE);
    else
        finish(f, r, events, 0);
}

/* The rest: one call. */
static int call(const struct io_uring_sqe *sqe)
{
    void *addr = at_address(sqe->addr);
    off_t offset = (off_t)sqe->off;

    switch (sqe->opcode) {
    case IORING_OP_RECVMSG:
        return told(cel__sys_floor.recvmsg(sqe->fd, addr, (int)sqe->msg_flags | MSG_DONTWAIT));
    case IORING_OP_ACCEPT:
        return told(
            cel__sys_floor.accept4(sqe->fd, addr, at_address(sqe->addr2), (int)sqe->accept_flags));
    case IORING_OP_READ:
        return told(cel__sys_floor.pread(sqe->fd, addr, sqe->len, offset));
    case IORING_OP_WRITE:
        return told(cel__sys_floor.pwrite(sqe->fd, addr, sqe->len, offset));
    case IORING_OP_READV:
        return told(cel__sys_floor.preadv(sqe->fd, addr, (int)sqe->len, offset));
    case IORING_OP_WRITEV:
        return told(cel__sys_floor.pwritev(sqe->fd, addr, (int)sqe->len, offset));
    case IORING_OP_FSYNC:
        return told(cel__sys_floor.fsync(sqe->fd));
    default:
        return -EINVAL;
    }
}

/* Does it end with nothing done, as something to be asked for again? */
static bool is_interrupted(struct fake_ring *f, struct fake_request *r)
{
    static const int codes[] = {-EINTR, -EAGAIN};

    switch (r->sqe.opcode) {
    case IORING_OP_ACCEPT:
    case IORING_OP_RECV:
    case IORING_OP_RECVMSG:
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
        break;
    case IORING_OP_READ:
    case IORING_OP_WRITE:
        if (!fake_chance(f, FAKE_interrupt))
            return false;
        finish(f, r, -EINTR, 0);
        return true;
    default:
        return false;
    }
    if (r->moved > 0 || !fake_chance(f, FAKE_interrupt))
        return false;
    if (r->sqe.opcode == IORING_OP_ACCEPT && fake_draw(f, 2))
        finish(f, r, -ECONNABORTED, 0);
    else
        finish(f, r, codes[fake_draw(f, 2)], 0);
    return true;
}

static void attempt(struct fake_ring *f, struct fake_request *r)
{
    int n;

    switch (r->sqe.opcode) {
    case IORING_OP_RECV:
        receive(f, r);
        return;
    case IORING_OP_SEND:
        send_bytes(f, r);
        return;
    case IORING_OP_SENDMSG:
        send_message(f, r);
        return;
    case IORING_OP_POLL_ADD:
        watch(f, r);
        return;
    case IORING_OP_CONNECT:
        n = join(r);
        break;
    default:
        n = call(&r->sqe);
    }
    if (n != WAITS)
        finish(f, r, n, 0);
}

/* ---- cancels ---- */

static struct fake_request *find(struct cel__list *list, uint64_t name)
{
    CEL__LIST_EACH (node, list) {
        struct fake_request *r = cel__container_of(node, struct fake_request, link);

        if (r->sqe.user_data == name)
            return r;
    }
    return NULL;
}

/* A kernel tells what was moved, if anything was. */
static void die(struct fake_ring *f, struct fake_request *r, int code)
{
    bool is_send = r->sqe.opcode == IORING_OP_SEND || r->sqe.opcode == IORING_OP_SENDMSG;

    finish(f, r, is_send && r->moved > 0 ? (int)r->moved : code, 0);
}

/* -> what the cancel is told. */
static int call_off(struct fake_ring *f, uint64_t name)
{
    struct fake_request *r = find(&f->armed, name);
    bool is_poll = r != NULL && r->sqe.opcode == IORING_OP_POLL_ADD;

    if (r == NULL) {
        f->counts.not_found++;
        return -ENOENT;
    }
    if (r->dies_at != INT64_MAX)
        return -EALREADY;
    if (!is_poll && fake_chance(f, FAKE_cancel_late)) {
        f->counts.already++;
        r->dies_at = fake_later(f);
        return -EALREADY;
    }
    if (fake_chance(f, FAKE_cancel_lost)) {
        attempt(f, r);
        if (r->is_over) {
            f->counts.not_found++;
            return -ENOENT;
        }
    }
    die(f, r, -ECANCELED);
    return 0;
}

/* ---- from submission on ---- */

static void check(struct fake_ring *f, const struct io_uring_sqe *sqe)
{
    if (f->is_restricted && !f->allowed[sqe->opcode])
        fake_break("a request of kind %u is not allowed", sqe->opcode);
    if (find(&f->armed, sqe->user_data) != NULL || find(&f->over, sqe->user_data) != NULL)
        fake_break("the name %llx was used again before its end was told",
                   (unsigned long long)sqe->user_data);
}

void fake_submit(struct fake_ring *f, const struct io_uring_sqe *sqe)
{
    struct fake_request *r = cel__machine_alloc(sizeof *r);

    check(f, sqe);
    f->counts.requests++;
    *r = (struct fake_request){
        .sqe = *sqe,
        .start_at = fake_chance(f, FAKE_punt) ? fake_later(f) : f->machine->now,
        .dies_at = INT64_MAX,
        .is_rung = true,
    };
    cel__list_append(&f->armed, &r->link);
    if (sqe->opcode == IORING_OP_ASYNC_CANCEL) {
        finish(f, r, call_off(f, sqe->addr), 0);
        return;
    }
    keep_image(r);
    if (r->start_at <= f->machine->now && !is_interrupted(f, r))
        attempt(f, r);
}

static void go_on(struct fake_ring *f, struct fake_request *r)
{
    if (r->start_at <= f->machine->now)
        attempt(f, r);
    if (!r->is_over && r->dies_at <= f->machine->now)
        die(f, r, fake_draw(f, 2) ? -ECANCELED : -EINTR);
}

void fake_progress(struct fake_ring *f)
{
    struct cel__list batch;
    struct cel__list *node;

    f->looked_at = f->machine->now;
    while (cel__list_pop(&f->machine->news) != NULL)
        continue; /* all are looked at */
    cel__list_init(&batch);
    cel__list_splice(&batch, &f->armed);
    while ((node = cel__list_pop(&batch)) != NULL) {
        struct fake_request *r = cel__container_of(node, struct fake_request, link);

        if (fake_chance(f, FAKE_shuffle) && !cel__list_is_empty(&batch)) { /* another time */
            cel__list_append(&batch, node);
            continue;
        }
        cel__list_append(&f->armed, node);
        go_on(f, r);
    }
}

int64_t fake_next_start(const struct fake_ring *f)
{
    int64_t next = INT64_MAX;

    CEL__LIST_EACH (node, &f->armed) {
        const struct fake_request *r = cel__container_of(node, struct fake_request, link);

        if (r->start_at > f->looked_at)
            next = cel__min(next, r->start_at);
        next = cel__min(next, r->dies_at);
    }
    return next;
}

static bool names(const struct cel__list *list, int fd)
{
    CEL__LIST_EACH (node, list) {
        const struct fake_request *r = cel__container_of(node, struct fake_request, link);

        if (r->sqe.opcode != IORING_OP_ASYNC_CANCEL && r->sqe.fd == fd)
            return true;
    }
    return false;
}

void fake_note_close(struct fake_ring *f, int fd)
{
    if (names(&f->armed, fd) || names(&f->over, fd))
        fake_break("descriptor %d was closed while a request named it", fd);
}

void fake_note_write(struct fake_ring *f, int fd)
{
    CEL__LIST_EACH (node, &f->armed) {
        struct fake_request *r = cel__container_of(node, struct fake_request, link);

        if (r->sqe.opcode == IORING_OP_POLL_ADD && r->sqe.fd == fd)
            r->is_rung = true;
    }
}

static void end_all(struct cel__list *list, bool may_watch)
{
    struct cel__list *node;

    while ((node = cel__list_pop(list)) != NULL) {
        struct fake_request *r = cel__container_of(node, struct fake_request, link);
        bool is_watch = r->sqe.opcode == IORING_OP_POLL_ADD && r->sqe.len & IORING_POLL_ADD_MULTI;

        if (!may_watch || !is_watch)
            fake_break("the ring was closed while a request of kind %u was out", r->sqe.opcode);
        cel__machine_release(r->image);
        cel__machine_release(r);
    }
}

static void drop_all(struct cel__list *list)
{
    struct cel__list *node;

    while ((node = cel__list_pop(list)) != NULL) {
        struct fake_completion *c = cel__container_of(node, struct fake_completion, link);

        cel__machine_release(c->bytes);
        cel__machine_release(c);
    }
}

void fake_end_requests(struct fake_ring *f)
{
    drop_all(&f->made);
    drop_all(&f->overflow);
    end_all(&f->armed, true);
    end_all(&f->over, true);
}
