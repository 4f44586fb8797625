/* SPDX-License-Identifier: MIT */
/* Ops as the floors above the backend start them, which reaches what no stream does: several reads
 * of one descriptor in a queue, polls beside them, closes amid all that. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cc.h"
#include "base/sys.h"
#include "loop/core.h"
#include "machine/machine.h"
#include "ring/programs.h"

/* ---- ops: random ones on streams whose numbers are reused all the time ---- */

#define STREAMS 6
#define OPS     5
#define STEPS   1500

struct life;

struct work {
    struct cel__op op;
    struct life *life;
    bool is_busy;
    struct msghdr msg;
    struct iovec iov[2];
    char buf[300];
};

struct life {
    struct cel__fd *f; /* NULL: not open */
    int peer;          /* -1: it has hung up */
    unsigned serial;
    size_t said, heard;
    struct work works[OPS];
};

static struct life lives[STREAMS];
static unsigned serials;
static const char *wrong; /* what did not hold; NULL: all did */

static void note_wrong(bool holds, const char *what)
{
    if (!holds && wrong == NULL)
        wrong = what;
}

static void check_bytes(struct life *l, const char *bytes, size_t n)
{
    for (size_t k = 0; k < n; k++)
        note_wrong(bytes[k] == ring_byte(l->serial, l->heard + k), "a byte");
    l->heard += n;
    note_wrong(l->heard <= l->said, "more than was said");
}

static void check_result(struct work *w)
{
    struct life *l = w->life;
    int64_t n = w->op.result;
    size_t first = cel__min((size_t)cel__max(n, 0), w->iov[0].iov_len);

    if (n == 0 && w->op.kind != CEL__OP_POLL)
        note_wrong(l->peer == -1 && (l->heard == l->said || l->f == NULL), "an early end");
    if (n <= 0) {
        note_wrong(n == 0 || n == -ECANCELED || n == -CEL_ECLOSED, "a failure");
        return;
    }
    switch (w->op.kind) {
    case CEL__OP_POLL:
        note_wrong(!(n & ~(POLLIN | POLLHUP | POLLERR | POLLRDHUP)), "an event");
        note_wrong(l->said > 0 || l->peer == -1, "an event of nothing");
        break;
    case CEL__OP_LOAN:
        check_bytes(l, w->op.loan.data, (size_t)n);
        cel__loop_here->backend->loan_return(cel__loop_here, &w->op.loan);
        break;
    case CEL__OP_RECVMSG:
        check_bytes(l, w->iov[0].iov_base, first);
        check_bytes(l, w->iov[1].iov_base, (size_t)n - first);
        break;
    default:
        check_bytes(l, w->buf, (size_t)n);
    }
}

static void work_done(struct cel__op *op)
{
    struct work *w = cel__container_of(op, struct work, op);

    note_wrong(w->is_busy, "an op ended twice");
    w->is_busy = false;
    check_result(w);
}

static int open_life(struct life *l)
{
    int fds[2], r;

    for (int i = 0; i < OPS; i++)
        if (l->works[i].is_busy)
            return 0; /* of the life before */
    if (cel__sys.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    *l = (struct life){.peer = fds[1], .serial = ++serials};
    r = cel__fd_open(cel__loop_here, &l->f, fds[0], true);
    if (r == 0)
        l->f->is_stream = 1;
    return r;
}

static void say(struct life *l)
{
    char text[1000];
    size_t n = 1 + ring_draw(ring_draw(8) ? 60 : sizeof text);
    ssize_t sent;

    for (size_t k = 0; k < n; k++)
        text[k] = ring_byte(l->serial, l->said + k);
    sent = cel__sys.send(l->peer, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    l->said += sent > 0 ? (size_t)sent : 0;
}

static void begin(struct life *l)
{
    struct work *w = &l->works[ring_draw(OPS)];
    size_t len = 1 + ring_draw(sizeof w->buf);
    int r;

    if (w->is_busy)
        return;
    w->life = l;
    w->is_busy = true;
    w->iov[0] = (struct iovec){w->buf, len / 2};
    w->iov[1] = (struct iovec){w->buf + len / 2, len - len / 2};
    w->msg = (struct msghdr){.msg_iov = w->iov, .msg_iovlen = 2};
    switch (ring_draw(6)) {
    case 0:
        w->op = (struct cel__op){.kind = CEL__OP_POLL, .events = POLLIN};
        break;
    case 1:
    case 2:
        w->op = (struct cel__op){.kind = CEL__OP_LOAN};
        break;
    case 3:
        w->op = (struct cel__op){.kind = CEL__OP_RECVMSG, .msg = &w->msg};
        break;
    default:
        w->op = (struct cel__op){.kind = CEL__OP_READ, .buf = w->buf, .len = len};
    }
    w->op.fd = l->f;
    w->op.done = work_done;
    cel__list_init(&w->op.link);
    r = cel__op_start(cel__loop_here, &w->op);
    if (r < 0)
        w->op.result = r;
    if (r != 0)
        work_done(&w->op);
}

static void cancel_one(struct life *l)
{
    struct work *w = &l->works[ring_draw(OPS)];

    if (w->is_busy)
        cel__op_cancel(cel__loop_here, &w->op, -ECANCELED);
}

static void hang_up(struct life *l)
{
    if (l->peer >= 0)
        cel__sys.close(l->peer);
    l->peer = -1;
}

static void close_life(struct life *l)
{
    cel__fd_close(cel__loop_here, l->f);
    l->f = NULL;
    hang_up(l);
}

static int act(struct life *l)
{
    uint64_t what = ring_draw(100);

    if (l->f == NULL)
        return open_life(l);
    if (what < 35 && l->peer >= 0)
        say(l);
    else if (what < 80)
        begin(l);
    else if (what < 92)
        cancel_one(l);
    else if (what < 94)
        hang_up(l);
    else if (what < 97)
        close_life(l);
    return 0;
}

void *program_ops(void *arg)
{
    memset(lives, 0, sizeof lives);
    wrong = NULL;
    serials = 0;
    for (int i = 0; i < STEPS && wrong == NULL; i++) {
        HOLDS(act(&lives[ring_draw(STREAMS)]) == 0);
        if (ring_draw(3) == 0)
            HOLDS(cel_sleep((int64_t)ring_draw(3 * CEL_MICROSECOND)) == 0);
    }
    for (int i = 0; i < STREAMS; i++)
        if (lives[i].f != NULL)
            close_life(&lives[i]);
    for (int i = 0; i < 100000 && cel__loop_here->fds.closing != 0; i++)
        HOLDS(cel_sleep(CEL_MICROSECOND) == 0);
    if (wrong != NULL)
        return cel_fail(-EPROTO, "%s is wrong", wrong);
    for (int i = 0; i < STREAMS * OPS; i++)
        HOLDS(!lives[i / OPS].works[i % OPS].is_busy);
    HOLDS(cel__loop_here->fds.live == 0 && cel__loop_here->ops_in_flight == 0);
    return NULL;
}

/* ---- files: reads and writes at places, beside each other ---- */

#define PLACES 16
#define PLACE  500
#define PASSES 4

struct place {
    struct work work;
    unsigned nth, pass;
    bool is_read, is_over;
};

static struct place places[PLACES];
static struct cel__fd *file;
static unsigned running;

static void place_next(struct place *p);

static void place_done(struct cel__op *op)
{
    place_next(cel__container_of(op, struct place, work.op));
}

static void place_start(struct place *p, struct cel__op op)
{
    struct work *w = &p->work;
    int r;

    w->iov[0] = (struct iovec){w->buf, 100};
    w->iov[1] = (struct iovec){w->buf + 100, sizeof w->buf - 100};
    w->op = op;
    w->op.fd = file;
    w->op.offset = (int64_t)p->nth * PLACE;
    w->op.done = place_done;
    cel__list_init(&w->op.link);
    r = cel__op_start(cel__loop_here, &w->op);
    if (r < 0)
        w->op.result = r;
    if (r != 0)
        place_next(p);
    else if (ring_draw(4) == 0)
        cel__op_cancel(cel__loop_here, &w->op, -ECANCELED);
}

static char place_byte(const struct place *p, size_t k)
{
    return ring_byte(p->nth * PASSES + p->pass, k);
}

static void place_write(struct place *p)
{
    struct work *w = &p->work;

    p->is_read = false;
    for (size_t k = 0; k < sizeof w->buf; k++)
        w->buf[k] = place_byte(p, k);
    if (ring_draw(2))
        place_start(p,
                    (struct cel__op){.kind = CEL__OP_PWRITE, .buf = w->buf, .len = sizeof w->buf});
    else
        place_start(p, (struct cel__op){.kind = CEL__OP_PWRITEV, .iov = w->iov, .count = 2});
}

static void place_read(struct place *p)
{
    struct work *w = &p->work;

    p->is_read = true;
    memset(w->buf, 0, sizeof w->buf);
    if (ring_draw(2))
        place_start(p,
                    (struct cel__op){.kind = CEL__OP_PREAD, .buf = w->buf, .len = sizeof w->buf});
    else
        place_start(p, (struct cel__op){.kind = CEL__OP_PREADV, .iov = w->iov, .count = 2});
}

/* What was called off, or done in part, is asked for again. */
static void place_next(struct place *p)
{
    const struct work *w = &p->work;
    int64_t n = w->op.result;

    note_wrong(n == -ECANCELED || (n > 0 && n <= (int64_t)sizeof w->buf), "a file's result");
    if (n < (int64_t)sizeof w->buf && wrong == NULL) {
        if (p->is_read)
            place_read(p);
        else
            place_write(p);
        return;
    }
    if (!p->is_read) {
        place_read(p);
        return;
    }
    for (size_t k = 0; k < sizeof w->buf; k++)
        note_wrong(w->buf[k] == place_byte(p, k), "a file's byte");
    if (++p->pass < PASSES)
        place_write(p);
    else
        running--;
}

void *program_files(void *arg)
{
    int fd = memfd_create("places", MFD_CLOEXEC);

    wrong = NULL;
    HOLDS(fd >= 0);
    HOLDS(cel__fd_open(cel__loop_here, &file, fd, true) == 0);
    running = PLACES;
    for (unsigned i = 0; i < PLACES; i++) {
        places[i] = (struct place){.nth = i};
        place_write(&places[i]);
    }
    for (int i = 0; i < 100000 && running > 0 && wrong == NULL; i++)
        HOLDS(cel_sleep(10 * CEL_MICROSECOND) == 0);
    cel__fd_close(cel__loop_here, file);
    if (wrong != NULL)
        return cel_fail(-EPROTO, "%s is wrong", wrong);
    HOLDS(running == 0);
    return NULL;
}

/* ---- wakes: another thread's mail comes while the loop sleeps in the ring ---- */

#define LETTERS 30
#define LATEST  (300 * CEL_MILLISECOND)

struct letter {
    struct cel__happening event;
    struct cel__post post;
    struct cel_loop *loop;
    int64_t sent_at;
    bool has_come;
};

static struct letter letters[LETTERS];
static unsigned arrived;

static void open_letter(struct cel__post *post)
{
    struct letter *l = cel__container_of(post, struct letter, post);

    note_wrong(!l->has_come, "a letter came twice");
    note_wrong(cel__machine_here->now < l->sent_at + LATEST, "a letter was left lying");
    l->has_come = true;
    arrived++;
}

static void send_letter(struct cel__machine *m, struct cel__happening *event)
{
    struct letter *l = cel__container_of(event, struct letter, event);

    l->sent_at = m->now;
    cel__loop_post(l->loop, &l->post);
}

void *program_wakes(void *arg)
{
    struct cel__machine *m = cel__machine_here;
    int64_t last = m->now;

    wrong = NULL;
    arrived = 0;
    cel_loop_hold(cel__loop_here);
    for (unsigned i = 0; i < LETTERS; i++) {
        letters[i] = (struct letter){
            .event.run = send_letter, .post.run = open_letter, .loop = cel__loop_here};
        last += (int64_t)ring_draw(ring_draw(2)   ? 100
                                   : ring_draw(2) ? CEL_MILLISECOND
                                                  : CEL_SECOND);
        cel__machine_schedule(m, &letters[i].event, last);
    }
    for (unsigned i = 0; i < 1000 && m->now < last + CEL_SECOND; i++) {
        HOLDS(cel_sleep(ring_draw(2) ? (int64_t)ring_draw(CEL_MILLISECOND) : CEL_SECOND) == 0);
        if (m->now >
            last + 20 * CEL_MILLISECOND) /* each woke the loop, at the latest by its turn */
            break;
    }
    cel_loop_release(cel__loop_here);
    HOLDS(wrong == NULL && arrived == LETTERS);
    return NULL;
}

/* ---- datagrams: each comes once and whole, in its order, though receivers are called off ---- */

#define GRAMS 60

static struct cel_socket *mouth, *ear;
static unsigned grams;

static void *hear(void *arg)
{
    char buf[400];
    ssize_t n;

    while (grams < GRAMS) {
        n = cel_recv_from(ear, buf, sizeof buf, NULL);
        if (n == -ECANCELED)
            return NULL;
        HOLDS(n == 1 + (ssize_t)grams * 6);
        for (ssize_t k = 0; k < n; k++)
            HOLDS(buf[k] == ring_byte(grams, (size_t)k));
        grams++;
    }
    return NULL;
}

static void *speak(void *arg)
{
    struct sockaddr_storage to;
    char buf[400];

    HOLDS(cel_address_parse(cel_socket_address(ear), &to) == 0);
    for (unsigned i = 0; i < GRAMS; i++) {
        size_t len = 1 + i * 6;

        for (size_t k = 0; k < len; k++)
            buf[k] = ring_byte(i, k);
        HOLDS(cel_send_to(mouth, buf, len, &to) == (ssize_t)len);
        ring_pause();
    }
    return NULL;
}

void *program_datagrams(void *arg)
{
    struct cel_task *speaker, *hearer;

    grams = 0;
    HOLDS(cel_udp_open(&ear, "127.0.0.1:0") == 0);
    HOLDS(cel_udp_open(&mouth, "127.0.0.1:0") == 0);
    speaker = cel_spawn(speak, NULL);
    do {
        hearer = cel_spawn(hear, NULL);
        ring_pause();
        if (ring_draw(2))
            cel_task_cancel(hearer);
        HOLDS(cel_join(hearer, NULL) == 0);
    } while (grams < GRAMS);
    HOLDS(cel_join(speaker, NULL) == 0);
    cel_socket_close(mouth);
    cel_socket_close(ear);
    return NULL;
}
