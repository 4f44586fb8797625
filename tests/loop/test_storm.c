/* SPDX-License-Identifier: MIT */
/* Random opens, reads, loans, polls, cancels and closes on a few descriptors whose numbers are
 * reused all the time. Every byte a stream delivers is the next of its own life, every op ends
 * once, and in the end nothing is left; with small rings, and with calls that fail, too. */
#include <poll.h>

#include "base/rand.h"
#include "loop/world.h"

#define STREAMS 8
#define OPS     4

struct life;

struct storm_op {
    struct cel__op op;
    struct life *life;
    bool is_busy;
    char buf[300];
};

struct life {
    struct world *w;
    struct cel__fd *f; /* NULL: not open */
    int peer;
    bool was_closed;
    uint32_t said, heard; /* bytes of this life */
    unsigned serial;
    struct storm_op ops[OPS];
};

static struct life lives[STREAMS];
static uint64_t seed;
static unsigned serials;
static long ended, heard_total;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % below;
}

static char byte_at(const struct life *l, uint32_t at)
{
    return (char)(at * 7 + l->serial * 131 + (at >> 8));
}

static void check_bytes(struct life *l, const char *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], byte_at(l, l->heard + (uint32_t)i));
    l->heard += (uint32_t)n;
    heard_total += n;
    assert_true(l->heard <= l->said);
}

static void storm_done(struct cel__op *op)
{
    struct storm_op *o = cel__container_of(op, struct storm_op, op);
    struct life *l = o->life;

    assert_true(o->is_busy);
    o->is_busy = false;
    ended++;
    if (op->result <= 0) {
        assert_true(op->result == -ECANCELED || op->result == -CEL_ECLOSED || op->result == 0 ||
                    op->result == -ENOMEM);
        if (op->result == 0)
            assert_int_equal(l->peer, -1);
        return;
    }
    if (op->kind == CEL__OP_POLL)
        return;
    if (op->kind == CEL__OP_LOAN) {
        check_bytes(l, op->loan.data, op->result);
        l->w->loop->backend->loan_return(l->w->loop, &op->loan);
    } else {
        check_bytes(l, o->buf, op->result);
    }
}

static void open_life(struct world *w, struct life *l)
{
    int fds[2];

    for (int i = 0; i < OPS; i++)
        if (l->ops[i].is_busy)
            return; /* of the life before */
    if (draw(4))
        make_pair(fds);
    else
        make_tcp_pair(fds);
    *l = (struct life){.w = w, .peer = fds[1], .serial = ++serials};
    l->f = stream(w, fds[0]);
}

static void say(struct life *l)
{
    char text[2000];
    uint32_t n = 1 + draw(draw(8) ? 100 : sizeof text);
    ssize_t sent;

    for (uint32_t i = 0; i < n; i++)
        text[i] = byte_at(l, l->said + i);
    sent = send(l->peer, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    l->said += sent > 0 ? (uint32_t)sent : 0;
}

/* Reads end in the order they were begun only among themselves, so one kind is in flight at a
 * time; polls may stand beside. */
static void begin(struct life *l)
{
    struct storm_op *o = &l->ops[draw(OPS)];
    int r;

    if (o->is_busy)
        return;
    o->life = l;
    o->is_busy = true;
    switch (draw(5)) {
    case 0:
        o->op = (struct cel__op){.kind = CEL__OP_POLL, .events = POLLIN};
        break;
    case 1:
    case 2:
        o->op = (struct cel__op){.kind = CEL__OP_LOAN};
        break;
    default:
        o->op = (struct cel__op){.kind = CEL__OP_READ, .buf = o->buf, .len = 1 + draw(300)};
    }
    o->op.fd = l->f;
    o->op.done = storm_done;
    cel__list_init(&o->op.link);
    r = cel__op_start(l->w->loop, &o->op);
    if (r < 0)
        o->op.result = r;
    if (r != 0)
        storm_done(&o->op);
}

static void cancel_one(struct life *l)
{
    struct storm_op *o = &l->ops[draw(OPS)];

    if (o->is_busy)
        cel__op_cancel(l->w->loop, &o->op, -ECANCELED);
}

static void hang_up(struct life *l)
{
    if (l->peer >= 0)
        close(l->peer);
    l->peer = -1;
}

static void close_life(struct life *l)
{
    cel__fd_close(l->w->loop, l->f);
    l->f = NULL;
    hang_up(l);
}

static void act(struct world *w, struct life *l)
{
    uint32_t what = draw(100);

    if (l->f == NULL)
        open_life(w, l);
    else if (what < 35 && l->peer >= 0)
        say(l);
    else if (what < 80)
        begin(l);
    else if (what < 92)
        cancel_one(l);
    else if (what < 94)
        hang_up(l);
    else if (what < 97)
        close_life(l);
}

static void storm(struct world *w, uint64_t with_seed, int steps)
{
    seed = with_seed;
    memset(lives, 0, sizeof lives);
    ended = heard_total = 0;
    cel_loop_hold(w->loop);
    for (int i = 0; i < steps; i++) {
        act(w, &lives[draw(STREAMS)]);
        if (draw(3) == 0)
            assert_true(cel_loop_turn(w->loop, draw(50) ? 0 : 10 * CEL_MICROSECOND) >= 0);
    }
    for (int i = 0; i < STREAMS; i++)
        if (lives[i].f != NULL)
            close_life(&lives[i]);
    cel_loop_release(w->loop);
    assert_int_equal(cel_loop_run(w->loop), 0);
    for (int i = 0; i < STREAMS; i++)
        for (int k = 0; k < OPS; k++)
            assert_false(lives[i].ops[k].is_busy);
    assert_int_equal(w->loop->fds.live, 0);
    assert_int_equal(w->loop->ops_in_flight, 0);
    assert_true(ended > steps / 10 && heard_total > steps);
}

static void storm_of_usual_size_ends_clean(void **state)
{
    WORLD(w);

    for (uint64_t s = 1; s <= 4; s++)
        storm(w, s * 7919, 10000);
}

static void storm_on_small_rings_ends_clean(void **state)
{
    WORLD(w);
    const struct cel__uring_sizes usual = cel__uring_sizes;
    const struct cel_loop_options options = {.backend = w->backend};

    for (uint64_t s = 1; s <= 4; s++) {
        assert_int_equal(cel_loop_close(w->loop), 0);
        cel__uring_sizes = (struct cel__uring_sizes){.sq_entries = 4,
                                                     .cq_entries = 8,
                                                     .buffers_first = 1,
                                                     .buffers_max = s % 2 ? 1 : 4,
                                                     .buffer_bytes = 64,
                                                     .unread_max = 1};
        assert_int_equal(cel_loop_new(&w->loop, &options), 0);
        storm(w, s * 104729, 10000);
    }
    cel__uring_sizes = usual;
}

static const struct cel__sys *kernel;
static uint64_t weather;

static bool is_struck(int one, int other)
{
    weather ^= weather << 13;
    weather ^= weather >> 7;
    weather ^= weather << 17;
    if ((weather >> 40) % 5 != 0)
        return false;
    errno = (weather >> 20) % 2 ? one : other;
    return true;
}

static ssize_t recv_or_not(int fd, void *buf, size_t len, int flags)
{
    return is_struck(EINTR, EINTR) ? -1 : kernel->recv(fd, buf, len, flags);
}

static int epoll_wait_or_not(int ep, struct epoll_event *events, int max,
                             const struct timespec *timeout, const sigset_t *mask)
{
    return is_struck(EINTR, EINTR) ? -1 : kernel->epoll_pwait2(ep, events, max, timeout, mask);
}

static int enter_or_not(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                        void *arg, size_t arg_size)
{
    if (is_struck(min_complete > 0 ? EINTR : EAGAIN, EBUSY))
        return -1;
    return kernel->io_uring_enter(fd, to_submit, min_complete, flags, arg, arg_size);
}

static void storm_among_failing_calls_ends_clean(void **state)
{
    WORLD(w);
    static struct cel__sys before;

    before = cel__sys;
    kernel = &before;
    weather = 424243;
    cel__sys.recv = recv_or_not;
    cel__sys.epoll_pwait2 = epoll_wait_or_not;
    cel__sys.io_uring_enter = enter_or_not;
    storm(w, 15485863, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(storm_of_usual_size_ends_clean),
        ON_EACH(storm_on_small_rings_ends_clean),
        ON_EACH(storm_among_failing_calls_ends_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
