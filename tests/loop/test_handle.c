/* SPDX-License-Identifier: MIT */
/* IO by completion callback, one body for both backends. */
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/un.h>

#include "loop/world.h"

#define BIG (1 << 20)

static void read_of_waiting_bytes_gets_them(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    char buf[16];
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "hello", 5), 5);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
    assert_int_equal(o.calls, 0); /* never from within the call */
    assert_int_equal(await(w, &o), 5);
    assert_memory_equal(buf, "hello", 5);
    cel_handle_close(h);
    close(fds[1]);
}

static void read_before_the_bytes_waits_for_them(void **state)
{
    WORLD(w);
    char buf[4];
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 20; i++) {
        struct outcome o = {0};

        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
        settle(w);
        assert_int_equal(o.calls, 0);
        assert_int_equal(write(fds[1], &i, sizeof i), sizeof i);
        assert_int_equal(await(w, &o), sizeof i);
        assert_memory_equal(buf, &i, sizeof i);
    }
    cel_handle_close(h);
    close(fds[1]);
}

static void read_smaller_than_what_came_leaves_the_rest(void **state)
{
    WORLD(w);
    char buf[64] = {0};
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "abcdefghijklmnopqrstuvwxyz", 26), 26);
    for (int at = 0; at < 26;) {
        struct outcome o = {0};

        assert_int_equal(cel_op_read(h, buf + at, 3, note, &o, NULL), 0);
        at += (int)await(w, &o);
    }
    assert_string_equal(buf, "abcdefghijklmnopqrstuvwxyz");
    cel_handle_close(h);
    close(fds[1]);
}

static void read_at_the_end_returns_zero_each_time(void **state)
{
    WORLD(w);
    char buf[8];
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    shutdown(fds[1], SHUT_WR);
    for (int i = 0; i < 4; i++) {
        struct outcome o = {0};

        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
        assert_int_equal(await(w, &o), i == 0);
    }
    cel_handle_close(h);
    close(fds[1]);
}

static void read_after_a_reset_tells_it(void **state)
{
    WORLD(w);
    const struct linger at_once = {.l_onoff = 1};
    struct outcome first = {0}, second = {0}, third = {0};
    char buf[8];
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &first, NULL), 0);
    assert_int_equal(await(w, &first), 1);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &second, NULL), 0);
    settle(w);
    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fds[1]);
    assert_int_equal(await(w, &second), -ECONNRESET);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &third, NULL), 0);
    assert_int_equal(await(w, &third), 0);
    cel_handle_close(h);
}

static void reads_of_one_handle_are_served_in_order(void **state)
{
    WORLD(w);
    struct outcome o[3] = {{0}};
    char buf[3];
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cel_op_read(h, &buf[i], 1, note, &o[i], NULL), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(await(w, &o[i]), 1);
    assert_memory_equal(buf, "abc", 3);
    cel_handle_close(h);
    close(fds[1]);
}

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 31 + (i >> 8) * 7);
}

/* A peer that reads in its own time: -> bytes taken, each checked. */
static size_t drain_some(int fd, size_t at, size_t max)
{
    unsigned char buf[5000];
    ssize_t n = recv(fd, buf, cel__min(sizeof buf, max), MSG_DONTWAIT);

    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(buf[i], pattern(at + (size_t)i));
    return n > 0 ? (size_t)n : 0;
}

static void write_larger_than_the_socket_takes_moves_all(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    unsigned char *bytes = malloc(BIG);
    size_t got = 0;
    int fds[2];
    struct cel_handle *h;

    for (size_t i = 0; i < BIG; i++)
        bytes[i] = pattern(i);
    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_write(h, bytes, BIG, note, &o, NULL), 0);
    for (int i = 0; i < 100000 && got < BIG; i++) {
        got += drain_some(fds[1], got, BIG);
        assert_true(cel_loop_turn(w->loop, o.calls ? 0 : CEL_MILLISECOND) != -EINVAL);
    }
    assert_int_equal(got, BIG);
    assert_int_equal(await(w, &o), BIG);
    cel_handle_close(h);
    close(fds[1]);
    free(bytes);
}

static void writes_of_one_handle_do_not_mix(void **state)
{
    WORLD(w);
    struct outcome o[4] = {{0}};
    size_t part = BIG / 4, got = 0;
    unsigned char *bytes = malloc(BIG);
    int fds[2];
    struct cel_handle *h;

    for (size_t i = 0; i < BIG; i++)
        bytes[i] = pattern(i);
    make_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 4; i++)
        assert_int_equal(cel_op_write(h, bytes + (size_t)i * part, part, note, &o[i], NULL), 0);
    for (int i = 0; i < 100000 && got < BIG; i++) {
        got += drain_some(fds[1], got, BIG);
        assert_true(cel_loop_turn(w->loop, o[3].calls ? 0 : CEL_MILLISECOND) != -EINVAL);
    }
    assert_int_equal(got, BIG);
    for (int i = 0; i < 4; i++)
        assert_int_equal(await(w, &o[i]), part);
    cel_handle_close(h);
    close(fds[1]);
    free(bytes);
}

static void write_of_nothing_ends_at_once(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_write(h, "", 0, note, &o, NULL), 0);
    assert_int_equal(await(w, &o), 0);
    cel_handle_close(h);
    close(fds[1]);
}

static void on_sigpipe(int signo)
{
    fail_msg("SIGPIPE was raised");
}

static void write_to_nobody_fails_without_a_signal(void **state)
{
    WORLD(w);
    const struct sigaction watched = {.sa_handler = on_sigpipe};
    struct sigaction before;
    int ends[2], fds[2];

    assert_int_equal(sigaction(SIGPIPE, &watched, &before), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    make_pair(fds);
    for (int i = 0; i < 2; i++) {
        int *pair = i == 0 ? ends : fds;
        struct outcome o = {0};
        struct cel_handle *h = handle(w, pair[1]);

        close(pair[0]);
        assert_int_equal(cel_op_write(h, "x", 1, note, &o, NULL), 0);
        assert_int_equal(await(w, &o), -EPIPE);
        cel_handle_close(h);
    }
    sigaction(SIGPIPE, &before, NULL);
}

static void pipe_carries_bytes_both_ways_of_waiting(void **state)
{
    WORLD(w);
    struct outcome r = {0}, o = {0}, end = {0};
    static char big[200000], buf[200000];
    size_t got = 0;
    int ends[2];
    struct cel_handle *in, *out;

    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)pattern(i);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    in = handle(w, ends[0]);
    out = handle(w, ends[1]);
    assert_int_equal(cel_op_read(in, buf, sizeof buf, note, &r, NULL), 0);
    settle(w);
    assert_int_equal(cel_op_write(out, big, sizeof big, note, &o, NULL), 0);
    got = (size_t)await(w, &r);
    while (got < sizeof big) {
        struct outcome more = {0};

        assert_int_equal(cel_op_read(in, buf + got, sizeof buf - got, note, &more, NULL), 0);
        got += (size_t)await(w, &more);
    }
    assert_int_equal(await(w, &o), sizeof big);
    assert_memory_equal(buf, big, sizeof big);
    cel_handle_close(out);
    assert_int_equal(cel_op_read(in, buf, sizeof buf, note, &end, NULL), 0);
    assert_int_equal(await(w, &end), 0);
    cel_handle_close(in);
}

static void eventfd_read_waits_for_its_count(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    uint64_t count = 0, three = 3;
    int fd = eventfd(0, EFD_CLOEXEC);
    struct cel_handle *h = handle(w, fd);

    assert_int_equal(cel_op_read(h, &count, sizeof count, note, &o, NULL), 0);
    settle(w);
    assert_int_equal(o.calls, 0);
    assert_int_equal(write(fd, &three, sizeof three), sizeof three);
    assert_int_equal(await(w, &o), sizeof count);
    assert_int_equal(count, 3);
    cel_handle_close(h);
}

static void accept_gives_a_closed_on_exec_unblocking_descriptor(void **state)
{
    WORLD(w);
    struct sockaddr_in at;
    struct cel_handle *h = handle(w, make_listener(&at));

    for (int i = 0; i < 5; i++) {
        struct outcome o = {0};
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

        if (i % 2)
            assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
        assert_int_equal(cel_op_accept(h, note, &o, NULL), 0);
        if (i % 2 == 0) {
            settle(w);
            assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
        }
        fd = (int)await(w, &o);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
        close(client);
    }
    cel_handle_close(h);
}

static void poll_tells_what_is_ready(void **state)
{
    WORLD(w);
    struct outcome out = {0}, in = {0}, hup = {0};
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_poll(h, POLLOUT, note, &out, NULL), 0);
    assert_int_equal(await(w, &out), POLLOUT);
    assert_int_equal(cel_op_poll(h, POLLIN, note, &in, NULL), 0);
    settle(w);
    assert_int_equal(in.calls, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(await(w, &in), POLLIN);
    close(fds[1]);
    assert_int_equal(cel_op_poll(h, POLLIN, note, &hup, NULL), 0);
    assert_true(await(w, &hup) & POLLIN);
    cel_handle_close(h);
}

/* Whatever the backend has fetched already counts as readable. */
static void poll_beside_reads_sees_each_byte(void **state)
{
    WORLD(w);
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 10; i++) {
        struct outcome ready = {0}, first = {0}, second = {0};
        char a, b;

        if (i % 2)
            assert_int_equal(write(fds[1], "ab", 2), 2);
        assert_int_equal(cel_op_poll(h, POLLIN, note, &ready, NULL), 0);
        settle(w);
        if (i % 2 == 0)
            assert_int_equal(write(fds[1], "ab", 2), 2);
        assert_int_equal(await(w, &ready), POLLIN);
        assert_int_equal(cel_op_read(h, &a, 1, note, &first, NULL), 0);
        assert_int_equal(await(w, &first), 1);
        ready = (struct outcome){0};
        assert_int_equal(cel_op_poll(h, POLLIN, note, &ready, NULL), 0);
        assert_int_equal(await(w, &ready), POLLIN);
        assert_int_equal(cel_op_read(h, &b, 1, note, &second, NULL), 0);
        assert_int_equal(await(w, &second), 1);
        assert_int_equal(a, 'a');
        assert_int_equal(b, 'b');
    }
    cel_handle_close(h);
    close(fds[1]);
}

/* The read brings in more than it takes, behind the back of the poll that began before it. */
static void poll_before_a_smaller_read_sees_the_rest(void **state)
{
    WORLD(w);
    struct outcome first = {0}, ready = {0}, second = {0};
    char c;
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(cel_op_read(h, &c, 1, note, &first, NULL), 0);
    assert_int_equal(await(w, &first), 1);
    assert_int_equal(cel_op_poll(h, POLLIN, note, &ready, NULL), 0);
    settle(w);
    assert_int_equal(cel_op_read(h, &c, 1, note, &second, NULL), 0);
    settle(w);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    assert_int_equal(await(w, &second), 1);
    assert_int_equal(await(w, &ready), POLLIN);
    cel_handle_close(h);
    close(fds[1]);
}

static void poll_beside_a_read_that_takes_all_sees_the_rest(void **state)
{
    WORLD(w);
    struct outcome first = {0}, second = {0}, ready = {0};
    char c;
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(cel_op_read(h, &c, 1, note, &first, NULL), 0);
    assert_int_equal(await(w, &first), 1);
    settle(w);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    assert_int_equal(cel_op_read(h, &c, 1, note, &second, NULL), 0);
    assert_int_equal(cel_op_poll(h, POLLIN, note, &ready, NULL), 0);
    assert_int_equal(await(w, &second), 1);
    assert_int_equal(await(w, &ready), POLLIN);
    cel_handle_close(h);
    close(fds[1]);
}

static void poll_cancelled_ends_so(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    struct cel_op *op;
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_poll(h, POLLIN, note, &o, &op), 0);
    settle(w);
    cel_op_cancel(op);
    assert_int_equal(await(w, &o), -ECANCELED);
    cel_handle_close(h);
    close(fds[1]);
}

static void read_cancelled_loses_nothing(void **state)
{
    WORLD(w);
    char buf[8];
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 10; i++) {
        struct outcome cancelled = {0}, o = {0};
        struct cel_op *op;

        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &cancelled, &op), 0);
        if (i % 2)
            settle(w);
        cel_op_cancel(op);
        cel_op_cancel(op);
        assert_int_equal(cancelled.calls, 0);
        assert_int_equal(await(w, &cancelled), -ECANCELED);
        assert_int_equal(write(fds[1], "kept", 4), 4);
        settle(w);
        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
        assert_int_equal(await(w, &o), 4);
        assert_memory_equal(buf, "kept", 4);
    }
    cel_handle_close(h);
    close(fds[1]);
}

/* No other event comes to help. */
static void read_cancelled_ends_though_nothing_happens(void **state)
{
    WORLD(w);
    char buf[8];
    int fds[2];
    struct cel_handle *h;

    make_tcp_pair(fds);
    h = handle(w, fds[0]);
    for (int i = 0; i < 5; i++) {
        struct outcome o = {0}, cancelled = {0};
        struct cel_op *op;

        assert_int_equal(write(fds[1], "x", 1), 1);
        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
        assert_int_equal(await(w, &o), 1);
        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &cancelled, &op), 0);
        settle(w);
        cel_op_cancel(op);
        while (cancelled.calls == 0)
            assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
        assert_int_equal(cancelled.result, -ECANCELED);
    }
    cel_handle_close(h);
    close(fds[1]);
}

static void write_cancelled_in_the_middle_tells_so(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    static char bytes[8 * BIG];
    struct cel_op *op;
    size_t got = 0;
    char buf[65536];
    ssize_t n;
    int fds[2];
    struct cel_handle *h;

    make_pair(fds);
    h = handle(w, fds[0]);
    assert_int_equal(cel_op_write(h, bytes, sizeof bytes, note, &o, &op), 0);
    settle(w);
    cel_op_cancel(op);
    assert_int_equal(await(w, &o), -ECANCELED);
    while ((n = recv(fds[1], buf, sizeof buf, MSG_DONTWAIT)) > 0)
        got += (size_t)n;
    assert_true(got > 0 && got < sizeof bytes);
    settle(w);
    assert_int_equal(recv(fds[1], buf, sizeof buf, MSG_DONTWAIT), -1); /* nothing more comes */
    cel_handle_close(h);
    close(fds[1]);
}

static void close_ends_what_is_in_flight(void **state)
{
    WORLD(w);
    static char bytes[8 * BIG];
    struct outcome reads[2] = {{0}}, writes[2] = {{0}}, ready = {0}, pipe_read = {0}, in = {0};
    char buf[2][8], from_pipe[8];
    struct sockaddr_in at;
    int fds[2], ends[2];
    struct cel_handle *h, *listener, *p;

    make_pair(fds);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    h = handle(w, fds[0]);
    p = handle(w, ends[0]);
    listener = handle(w, make_listener(&at));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_op_read(h, buf[i], 8, note, &reads[i], NULL), 0);
        assert_int_equal(cel_op_write(h, bytes, sizeof bytes, note, &writes[i], NULL), 0);
    }
    assert_int_equal(cel_op_poll(h, POLLIN, note, &ready, NULL), 0);
    assert_int_equal(cel_op_read(p, from_pipe, 8, note, &pipe_read, NULL), 0);
    assert_int_equal(cel_op_accept(listener, note, &in, NULL), 0);
    settle(w);
    cel_handle_close(h);
    cel_handle_close(p);
    cel_handle_close(listener);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(await(w, &reads[i]), -CEL_ECLOSED);
        assert_int_equal(await(w, &writes[i]), -CEL_ECLOSED);
    }
    assert_int_equal(await(w, &ready), -CEL_ECLOSED);
    assert_int_equal(await(w, &pipe_read), -CEL_ECLOSED);
    assert_int_equal(await(w, &in), -CEL_ECLOSED);
    settle(w);
    assert_int_equal(w->loop->fds.live, 0);
    close(fds[1]);
    close(ends[1]);
}

static void close_reaches_the_peer_at_once(void **state)
{
    WORLD(w);
    char buf[8], c;
    int fds[2];
    struct cel_handle *h;

    for (int reads = 0; reads < 3; reads++) {
        struct outcome o = {0};

        make_tcp_pair(fds);
        h = handle(w, fds[0]);
        for (int i = 0; i < reads; i++) {
            struct outcome each = {0};

            assert_int_equal(write(fds[1], "x", 1), 1);
            assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &each, NULL), 0);
            assert_int_equal(await(w, &each), 1);
        }
        assert_int_equal(cel_op_read(h, buf, sizeof buf, note, &o, NULL), 0);
        settle(w);
        cel_handle_close(h);
        assert_int_equal(await(w, &o), -CEL_ECLOSED);
        settle(w);
        assert_int_equal(recv(fds[1], &c, 1, MSG_DONTWAIT), 0);
        close(fds[1]);
    }
}

static void close_at_once_and_again_leaves_nothing(void **state)
{
    WORLD(w);

    for (int i = 0; i < 50; i++) {
        int fds[2];
        struct cel_handle *a, *b;

        make_tcp_pair(fds);
        a = handle(w, fds[0]);
        b = handle(w, fds[1]);
        cel_handle_close(a);
        cel_handle_close(b);
    }
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(w->loop->fds.live, 0);
    cel_handle_close(NULL);
}

struct hello {
    struct cel_handle *h;
    char buf[8];
    int left;
    bool hears_the_end; /* the other one hangs up */
};

static void say_again(void *arg, int64_t result);

static void heard(void *arg, int64_t result)
{
    struct hello *s = arg;

    s->left--;
    assert_int_equal(result, s->left == 0 && s->hears_the_end ? 0 : 2);
    if (s->left == 0)
        cel_handle_close(s->h);
    else
        assert_int_equal(cel_op_write(s->h, "hi", 2, say_again, s, NULL), 0);
}

static void say_again(void *arg, int64_t result)
{
    struct hello *s = arg;

    assert_int_equal(result, 2);
    assert_int_equal(cel_op_read(s->h, s->buf, sizeof s->buf, heard, s, NULL), 0);
}

static void handles_talking_to_each_other_end_the_loop(void **state)
{
    WORLD(w);
    struct hello a = {.left = 300, .hears_the_end = true}, b = {.left = 300};
    int fds[2];

    make_tcp_pair(fds);
    a.h = handle(w, fds[0]);
    b.h = handle(w, fds[1]);
    say_again(&b, 2);
    assert_int_equal(cel_op_write(a.h, "hi", 2, say_again, &a, NULL), 0);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(a.left + b.left, 0);
}

static void loop_closed_with_open_handles_counts_them(void **state)
{
    WORLD(w);
    struct cel_loop_options options = {.backend = w->backend};
    struct outcome o = {0}, big = {0};
    static char bytes[8 * BIG];
    char buf[8];
    int fds[2];

    make_pair(fds);
    struct cel_handle *a = handle(w, fds[0]), *b = handle(w, fds[1]);

    assert_int_equal(cel_op_read(a, buf, sizeof buf, note, &o, NULL), 0);
    assert_int_equal(cel_op_write(a, bytes, sizeof bytes, note, &big, NULL), 0);
    settle(w);
    assert_int_equal(cel_loop_close(w->loop), 2);
    /* its other end is closed in the same turn, which some kernels see first */
    assert_true(o.result == -CEL_ECLOSED || o.result == -ECONNRESET);
    assert_int_equal(o.calls + big.calls, 2);
    cel__mem_free(a); /* their memory is the program's */
    cel__mem_free(b);
    assert_int_equal(cel_loop_new(&w->loop, &options), 0);
}

static void loop_with_nothing_to_wait_for_says_so(void **state)
{
    WORLD(w);

    assert_int_equal(cel_loop_turn(w->loop, CEL_FOREVER), -EDEADLK);
    cel_loop_hold(w->loop);
    assert_int_equal(cel_loop_turn(w->loop, CEL_MILLISECOND), 0);
    cel_loop_release(w->loop);
    assert_int_equal(cel_loop_run(w->loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(read_of_waiting_bytes_gets_them),
        ON_EACH(read_before_the_bytes_waits_for_them),
        ON_EACH(read_smaller_than_what_came_leaves_the_rest),
        ON_EACH(read_at_the_end_returns_zero_each_time),
        ON_EACH(read_after_a_reset_tells_it),
        ON_EACH(reads_of_one_handle_are_served_in_order),
        ON_EACH(write_larger_than_the_socket_takes_moves_all),
        ON_EACH(writes_of_one_handle_do_not_mix),
        ON_EACH(write_of_nothing_ends_at_once),
        ON_EACH(write_to_nobody_fails_without_a_signal),
        ON_EACH(pipe_carries_bytes_both_ways_of_waiting),
        ON_EACH(eventfd_read_waits_for_its_count),
        ON_EACH(accept_gives_a_closed_on_exec_unblocking_descriptor),
        ON_EACH(poll_tells_what_is_ready),
        ON_EACH(poll_beside_reads_sees_each_byte),
        ON_EACH(poll_before_a_smaller_read_sees_the_rest),
        ON_EACH(poll_beside_a_read_that_takes_all_sees_the_rest),
        ON_EACH(poll_cancelled_ends_so),
        ON_EACH(read_cancelled_loses_nothing),
        ON_EACH(read_cancelled_ends_though_nothing_happens),
        ON_EACH(write_cancelled_in_the_middle_tells_so),
        ON_EACH(close_ends_what_is_in_flight),
        ON_EACH(close_reaches_the_peer_at_once),
        ON_EACH(close_at_once_and_again_leaves_nothing),
        ON_EACH(handles_talking_to_each_other_end_the_loop),
        ON_EACH(loop_closed_with_open_handles_counts_them),
        ON_EACH(loop_with_nothing_to_wait_for_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
