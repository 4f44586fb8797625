/* SPDX-License-Identifier: MIT */
/* Where a result, a cancel and a close meet; and each kind of op as the floors above use it. */
#include <poll.h>
#include <sys/un.h>

#include "loop/world.h"

#define ROUNDS 300

/* Bytes that had come before the cancel are told of or still there, never gone. */
static void read_with_bytes_and_cancelled_keeps_them(void **state)
{
    WORLD(w);
    struct probe read = {0};
    struct cel__fd *f;
    char buf[16];
    int fds[2];

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t n;

        read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = sizeof buf};
        if (i % 3 == 0)
            assert_int_equal(write(fds[1], "bytes", 5), 5);
        probe_start(w, &read);
        if (i % 3 == 1)
            assert_int_equal(write(fds[1], "bytes", 5), 5);
        cel__op_cancel(w->loop, &read.op, -ETIMEDOUT);
        if (i % 3 == 2)
            assert_int_equal(write(fds[1], "bytes", 5), 5);
        n = await(w, &read.outcome);
        assert_true(n == 5 || n == -ETIMEDOUT);
        if (n != 5) {
            read.op =
                (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = sizeof buf};
            assert_int_equal(probe_run(w, &read), 5);
        }
        assert_memory_equal(buf, "bytes", 5);
    }
    cel__fd_close(w->loop, f);
    close(fds[1]);
}

/* Each connection is accepted once: by the cancelled op or by a later one. */
static void accept_with_a_peer_and_cancelled_drops_no_connection(void **state)
{
    WORLD(w);
    struct sockaddr_in at;
    struct probe accept = {0};
    struct cel__fd *f = NULL;
    int accepted = 0;

    assert_int_equal(cel__fd_open(w->loop, &f, make_listener(&at), true), 0);
    fcntl(f->fd, F_SETFL, O_NONBLOCK);
    f->is_listener = 1;
    for (int i = 0; i < ROUNDS / 3; i++) {
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int64_t fd;

        accept.op = (struct cel__op){.kind = CEL__OP_ACCEPT, .fd = f};
        probe_start(w, &accept);
        if (i % 2)
            settle(w);
        assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
        cel__op_cancel(w->loop, &accept.op, -ECANCELED);
        fd = await(w, &accept.outcome);
        assert_true(fd >= 0 || fd == -ECANCELED);
        if (fd < 0) {
            accept.op = (struct cel__op){.kind = CEL__OP_ACCEPT, .fd = f};
            fd = probe_run(w, &accept);
        }
        assert_true(fd >= 0);
        accepted++;
        close((int)fd);
        close(client);
    }
    assert_int_equal(accepted, ROUNDS / 3);
    cel__fd_close(w->loop, f);
}

static void write_cancelled_tells_how_much_went(void **state)
{
    WORLD(w);
    static char bytes[4 << 20];
    struct probe write = {0};
    size_t got = 0;
    char buf[65536];
    ssize_t n;
    int fds[2];

    make_tcp_pair(fds);
    write.op = (struct cel__op){
        .kind = CEL__OP_WRITE, .fd = stream(w, fds[0]), .buf = bytes, .len = sizeof bytes};
    probe_start(w, &write);
    settle(w);
    cel__op_cancel(w->loop, &write.op, -ETIMEDOUT);
    assert_int_equal(await(w, &write.outcome), -ETIMEDOUT);
    cel__fd_close(w->loop, write.op.fd);
    settle(w);
    while ((n = recv(fds[1], buf, sizeof buf, 0)) > 0)
        got += (size_t)n;
    assert_true(got > 0);
    assert_int_equal(got, write.op.moved);
    close(fds[1]);
}

/* After the op has ended nothing lands in its buffer any more. */
static void close_with_a_read_lets_no_byte_land_later(void **state)
{
    WORLD(w);

    for (int reads = 0; reads < 3; reads++) {
        struct probe read = {0};
        char buf[8] = "untouch";
        struct cel__fd *f;
        int fds[2];

        make_tcp_pair(fds);
        f = stream(w, fds[0]);
        for (int i = 0; i < reads; i++) {
            read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = 8};
            assert_int_equal(write(fds[1], "untouch", 8), 8);
            assert_int_equal(probe_run(w, &read), 8);
        }
        read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = 8};
        probe_start(w, &read);
        settle(w);
        cel__fd_close(w->loop, f);
        assert_int_equal(await(w, &read.outcome), -CEL_ECLOSED);
        (void)!send(fds[1], "LATE....", 8, MSG_NOSIGNAL);
        settle(w);
        assert_string_equal(buf, "untouch");
        close(fds[1]);
    }
}

static void close_after_a_cancel_leaves_its_code(void **state)
{
    WORLD(w);
    struct probe read = {0};
    char buf[8];
    int fds[2];

    make_tcp_pair(fds);
    read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = stream(w, fds[0]), .buf = buf, .len = 8};
    probe_start(w, &read);
    settle(w);
    cel__op_cancel(w->loop, &read.op, -ETIMEDOUT);
    cel__fd_close(w->loop, read.op.fd);
    assert_int_equal(await(w, &read.outcome), -ETIMEDOUT);
    close(fds[1]);
}

/* The number of a closed descriptor is free at once for the next; nothing of its past may reach it.
 */
static void descriptor_number_reused_gets_no_stale_event(void **state)
{
    WORLD(w);

    for (int i = 0; i < ROUNDS; i++) {
        struct probe old = {0}, new = {0};
        char a[8], b[8];
        struct cel__fd *f, *g;
        int fds[2], others[2];

        make_pair(fds);
        f = stream(w, fds[0]);
        old.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = a, .len = 8};
        probe_start(w, &old);
        if (i % 2)
            settle(w);
        if (i % 3 == 0)
            assert_int_equal(write(fds[1], "old", 3), 3);
        cel__fd_close(w->loop, f);
        make_pair(others);
        g = stream(w, others[0]);
        new.op = (struct cel__op){.kind = CEL__OP_READ, .fd = g, .buf = b, .len = 8};
        probe_start(w, &new);
        (void)!send(fds[1], "old", 3, MSG_NOSIGNAL);
        assert_int_equal(write(others[1], "fresh", 5), 5);
        assert_int_equal(await(w, &new.outcome), 5);
        assert_memory_equal(b, "fresh", 5);
        if (await(w, &old.outcome) != -CEL_ECLOSED) { /* what came before the close */
            assert_true(old.outcome.result == 3 || old.outcome.result == 6);
            assert_memory_equal(a, "old", 3);
        }
        cel__fd_close(w->loop, g);
        close(fds[1]);
        close(others[1]);
    }
}

static void op_on_a_closing_descriptor_is_refused(void **state)
{
    WORLD(w);
    struct probe read = {0}, late = {0};
    char buf[8];
    int fds[2];
    struct cel__fd *f;

    make_pair(fds);
    f = stream(w, fds[0]);
    read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = 8};
    late.op = read.op;
    probe_start(w, &read);
    settle(w);
    if (strcmp(w->backend, "uring") == 0) { /* there the record outlives the call */
        cel__fd_close(w->loop, f);
        assert_int_equal(cel__op_start(w->loop, &late.op), 1);
        assert_int_equal(late.op.result, -CEL_ECLOSED);
    } else {
        cel__fd_close(w->loop, f);
    }
    assert_int_equal(await(w, &read.outcome), -CEL_ECLOSED);
    close(fds[1]);
}

struct chain {
    struct probe read;
    struct world *w;
    int ended;
};

static void close_within(struct cel__op *op)
{
    struct chain *chain = cel__container_of(op, struct chain, read.op);

    chain->ended++;
    if (!op->fd->is_closing)
        cel__fd_close(chain->w->loop, op->fd);
}

/* The end of one op closes the descriptor under the others. */
static void close_from_within_a_callback_ends_the_rest(void **state)
{
    WORLD(w);
    struct chain chain[3] = {{{{{0}}}}};
    char buf[3][4];
    int fds[2];
    struct cel__fd *f;

    make_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 3; i++) {
        chain[i].w = w;
        chain[i].read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf[i], .len = 4};
        chain[i].read.op.done = close_within;
        assert_int_equal(cel__op_start(w->loop, &chain[i].read.op), 0);
    }
    assert_int_equal(write(fds[1], "123456789012", 12), 12);
    settle(w);
    for (int i = 0; i < 3; i++)
        assert_int_equal(chain[i].ended, 1);
    assert_int_equal(chain[0].read.op.result, 4);
    assert_int_equal(chain[2].read.op.result, -CEL_ECLOSED);
    assert_int_equal(w->loop->fds.live, 0);
    close(fds[1]);
}

static void connect_reaches_or_is_refused(void **state)
{
    WORLD(w);
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int listener = make_listener(&at);

    for (int i = 0; i < 2; i++) {
        struct probe connect = {0};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        connect.op = (struct cel__op){.kind = CEL__OP_CONNECT,
                                      .fd = stream(w, fd),
                                      .addr = (struct sockaddr *)&at,
                                      .addr_len = &len};
        assert_int_equal(probe_run(w, &connect), i == 0 ? 0 : -ECONNREFUSED);
        cel__fd_close(w->loop, connect.op.fd);
        if (i == 0)
            close(listener);
    }
    settle(w);
}

static void connect_to_a_full_unix_listener_says_so(void **state)
{
    WORLD(w);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t len = sizeof at;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t r = 0;

    snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "celadon-test-%d", getpid());
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    for (int i = 0; i < 10 && r == 0; i++) {
        struct probe connect = {0};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        connect.op = (struct cel__op){.kind = CEL__OP_CONNECT,
                                      .fd = stream(w, fd),
                                      .addr = (struct sockaddr *)&at,
                                      .addr_len = &len};
        r = probe_run(w, &connect);
        cel__fd_close(w->loop, connect.op.fd);
    }
    assert_int_equal(r, -EAGAIN);
    close(listener);
    settle(w);
}

static void connect_cancelled_ends_in_its_own_time(void **state)
{
    WORLD(w);
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    int listener = make_listener(&at);

    for (int i = 0; i < 50; i++) {
        struct probe connect = {0};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        connect.op = (struct cel__op){.kind = CEL__OP_CONNECT,
                                      .fd = stream(w, fd),
                                      .addr = (struct sockaddr *)&at,
                                      .addr_len = &len};
        probe_start(w, &connect);
        cel__op_cancel(w->loop, &connect.op, -ECANCELED);
        await(w, &connect.outcome);
        assert_true(connect.outcome.result == 0 || connect.outcome.result == -ECANCELED);
        cel__fd_close(w->loop, connect.op.fd);
    }
    settle(w);
    close(listener);
}

static void loans_come_in_order_and_go_back(void **state)
{
    WORLD(w);
    int fds[2], got = 0;
    struct cel__fd *f;

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 500; i++) {
        struct probe loan = {0};

        loan.op = (struct cel__op){.kind = CEL__OP_LOAN, .fd = f};
        if (i % 2)
            assert_int_equal(write(fds[1], &i, sizeof i), sizeof i);
        probe_start(w, &loan);
        if (i % 2 == 0)
            assert_int_equal(write(fds[1], &i, sizeof i), sizeof i);
        assert_int_equal(await(w, &loan.outcome), sizeof i);
        assert_int_equal(loan.op.loan.len, sizeof i);
        memcpy(&got, loan.op.loan.data, sizeof got);
        assert_int_equal(got, i);
        w->loop->backend->loan_return(w->loop, &loan.op.loan);
    }
    cel__fd_close(w->loop, f);
    close(fds[1]);
    settle(w);
}

static void loan_outlives_its_descriptor(void **state)
{
    WORLD(w);
    struct probe loan[2] = {{{{0}}}};
    int fds[2];
    struct cel__fd *f;

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write(fds[1], "lent", 4), 4);
        loan[i].op = (struct cel__op){.kind = CEL__OP_LOAN, .fd = f};
        assert_int_equal(probe_run(w, &loan[i]), 4);
    }
    cel__fd_close(w->loop, f);
    close(fds[1]);
    settle(w);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(loan[i].op.loan.data, "lent", 4);
        w->loop->backend->loan_return(w->loop, &loan[i].op.loan);
    }
}

static void loan_cancelled_or_at_the_end_lends_nothing(void **state)
{
    WORLD(w);
    int fds[2];
    struct cel__fd *f;

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 4; i++) {
        struct probe loan = {.op = {.kind = CEL__OP_LOAN, .fd = f}};

        probe_start(w, &loan);
        settle(w);
        cel__op_cancel(w->loop, &loan.op, -ECANCELED);
        assert_int_equal(await(w, &loan.outcome), -ECANCELED);
        if (i == 1) {
            assert_int_equal(write(fds[1], "x", 1), 1);
            loan.op = (struct cel__op){.kind = CEL__OP_LOAN, .fd = f};
            assert_int_equal(probe_run(w, &loan), 1);
            w->loop->backend->loan_return(w->loop, &loan.op.loan);
        }
    }
    close(fds[1]);
    struct probe end = {.op = {.kind = CEL__OP_LOAN, .fd = f}};
    assert_int_equal(probe_run(w, &end), 0);
    cel__fd_close(w->loop, f);
    settle(w);
}

static void writev_moves_all_pieces_in_order(void **state)
{
    WORLD(w);
    static char bytes[3][400000], got[1200010];
    struct iovec iov[6] = {
        {(char *)"head:", 5},        {bytes[0], sizeof bytes[0]}, {NULL, 0},
        {bytes[1], sizeof bytes[1]}, {bytes[2], sizeof bytes[2]}, {(char *)":tail", 5}};
    struct probe writev = {0};
    size_t at = 0;
    int fds[2];

    memset(bytes[0], 'a', sizeof bytes[0]);
    memset(bytes[1], 'b', sizeof bytes[1]);
    memset(bytes[2], 'c', sizeof bytes[2]);
    make_tcp_pair(fds);
    writev.op =
        (struct cel__op){.kind = CEL__OP_WRITEV, .fd = stream(w, fds[0]), .iov = iov, .count = 6};
    probe_start(w, &writev);
    for (int i = 0; i < 100000 && at < sizeof got; i++) {
        ssize_t n = recv(fds[1], got + at, cel__min(sizeof got - at, (size_t)9999), MSG_DONTWAIT);

        at += n > 0 ? (size_t)n : 0;
        assert_true(cel_loop_turn(w->loop, n > 0 ? 0 : CEL_MILLISECOND) != -EINVAL);
    }
    assert_int_equal(await(w, &writev.outcome), sizeof got);
    assert_memory_equal(got, "head:aaa", 8);
    assert_memory_equal(got + 5 + 400000 - 1, "abb", 3);
    assert_memory_equal(got + 5 + 800000 - 1, "bcc", 3);
    assert_memory_equal(got + sizeof got - 6, "c:tail", 6);
    cel__fd_close(w->loop, writev.op.fd);
    close(fds[1]);
    settle(w);
}

static void datagrams_keep_their_bounds(void **state)
{
    WORLD(w);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int a = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int b = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct cel__fd *in = NULL, *out = NULL;

    assert_int_equal(bind(a, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(a, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(cel__fd_open(w->loop, &in, a, true), 0);
    assert_int_equal(cel__fd_open(w->loop, &out, b, true), 0);
    for (int i = 0; i < 20; i++) {
        char text[8], buf[64];
        struct iovec to = {buf, sizeof buf}, from = {text, (size_t)snprintf(text, 8, "%d!", i)};
        struct sockaddr_in peer = {0};
        struct msghdr got = {
            .msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &to, .msg_iovlen = 1};
        struct msghdr said = {
            .msg_name = &at, .msg_namelen = sizeof at, .msg_iov = &from, .msg_iovlen = 1};
        struct probe receive = {.op = {.kind = CEL__OP_RECVMSG, .fd = in, .msg = &got}};
        struct probe send = {.op = {.kind = CEL__OP_SENDMSG, .fd = out, .msg = &said}};

        probe_start(w, &receive);
        assert_int_equal(probe_run(w, &send), from.iov_len);
        assert_int_equal(await(w, &receive.outcome), from.iov_len);
        assert_memory_equal(buf, text, from.iov_len);
        assert_int_equal(peer.sin_family, AF_INET);
    }
    cel__fd_close(w->loop, in);
    cel__fd_close(w->loop, out);
}

static void recvmsg_on_a_stream_follows_what_was_read(void **state)
{
    WORLD(w);
    char head[4], rest[2][8];
    int fds[2];
    struct cel__fd *f;

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    for (int i = 0; i < 10; i++) {
        struct iovec iov[2] = {{rest[0], 3}, {rest[1], 8}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        struct probe read = {.op = {.kind = CEL__OP_READ, .fd = f, .buf = head, .len = 4}};
        struct probe receive = {.op = {.kind = CEL__OP_RECVMSG, .fd = f, .msg = &msg}};

        probe_start(w, &read);
        probe_start(w, &receive);
        assert_int_equal(write(fds[1], "headrest", 8), 8);
        assert_int_equal(await(w, &read.outcome), 4);
        assert_int_equal(await(w, &receive.outcome), 4);
        assert_memory_equal(head, "head", 4);
        assert_memory_equal(rest[0], "res", 3);
        assert_memory_equal(rest[1], "t", 1);
    }
    cel__fd_close(w->loop, f);
    close(fds[1]);
    settle(w);
}

static void file_ops_go_to_the_ring_or_are_declined(void **state)
{
    WORLD(w);
    char name[] = "/tmp/celadon-file-XXXXXX", buf[32] = {0};
    struct cel__fd *f = NULL;
    int fd = mkostemp(name, O_CLOEXEC);
    bool has_files = strcmp(w->backend, "uring") == 0;
    struct probe probe = {0};

    unlink(name);
    assert_int_equal(cel__fd_open(w->loop, &f, fd, true), 0);
    probe.op = (struct cel__op){
        .kind = CEL__OP_PWRITE, .fd = f, .buf = (char *)"some text", .len = 9, .offset = 5};
    assert_int_equal(probe_run(w, &probe), has_files ? 9 : -ENOSYS);
    probe.op = (struct cel__op){.kind = CEL__OP_FSYNC, .fd = f};
    assert_int_equal(probe_run(w, &probe), has_files ? 0 : -ENOSYS);
    probe.op = (struct cel__op){
        .kind = CEL__OP_PREAD, .fd = f, .buf = buf, .len = sizeof buf, .offset = 10};
    assert_int_equal(probe_run(w, &probe), has_files ? 4 : -ENOSYS);
    if (has_files)
        assert_string_equal(buf, "text");
    cel__fd_close(w->loop, f);
}

#define BULK (64 * 1024)

static char byte_of(size_t at)
{
    return (char)(at * 31 + (at >> 8) * 7);
}

/* Writes as much as fits of what is still to be said. */
static void say_more(int fd, size_t *said, size_t total)
{
    char piece[8192];
    ssize_t n = 1;

    while (n > 0 && *said < total) {
        size_t len = cel__min(sizeof piece, total - *said);

        for (size_t i = 0; i < len; i++)
            piece[i] = byte_of(*said + i);
        n = send(fd, piece, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        *said += n > 0 ? (size_t)n : 0;
    }
}

static size_t hear_bytes(const char *bytes, int64_t n, size_t heard)
{
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], byte_of(heard + (size_t)i));
    return heard + (size_t)n;
}

/* Small reads, loans and large reads take turns in runs, so a stream goes into bulk and out of it,
 * with receives that stand and that are stopped; no byte is lost, doubled or out of place. */
static void stream_read_in_small_and_in_large_pieces_keeps_its_order(void **state)
{
    static char buf[BULK];
    WORLD(w);
    size_t said = 0, heard = 0, total = 4 * 1024 * 1024;
    struct probe read = {0};
    struct cel__fd *f;
    int fds[2], run = 0, left = 0, kind = 0;

    make_tcp_pair(fds);
    f = stream(w, fds[0]);
    while (heard < total) {
        int64_t n;

        if (left-- == 0) {
            kind = run % 3;
            left = 1 + run++ % 7;
        }
        read.op = (struct cel__op){.kind = kind == 1 ? CEL__OP_LOAN : CEL__OP_READ, .fd = f};
        if (kind != 1) {
            read.op.buf = buf;
            read.op.len = kind == 0 ? 700 : sizeof buf;
        }
        if (run % 2 == 0)
            say_more(fds[1], &said, total);
        probe_start(w, &read);
        say_more(fds[1], &said, cel__min(total, said + (size_t)(run % 5) * 5000 + 1));
        n = await(w, &read.outcome);
        assert_true(n > 0);
        heard = hear_bytes(kind == 1 ? read.op.loan.data : buf, n, heard);
        if (kind == 1)
            w->loop->backend->loan_return(w->loop, &read.op.loan);
    }
    close(fds[1]);
    read.op = (struct cel__op){.kind = CEL__OP_READ, .fd = f, .buf = buf, .len = sizeof buf};
    assert_int_equal(probe_run(w, &read), 0);
    cel__fd_close(w->loop, f);
}

#define CROWD 100

struct guest {
    struct world *w;
    struct cel__op op;
    struct cel__fd *f;
    struct guest *victim; /* whom it closes when its byte comes */
    char byte;
    int ends;
};

static void guest_done(struct cel__op *op)
{
    struct guest *g = op->arg;

    g->ends++;
    if (op->result == 1 && g->victim != NULL) {
        cel__fd_close(g->w->loop, g->victim->f);
        g->victim = NULL;
    }
}

/* More become readable at once than a turn deals with; the first half closes the second half, of
 * which the kernel has told already. */
static void crowd_readable_at_once_is_served_and_may_close_each_other(void **state)
{
    static struct guest guests[CROWD];
    WORLD(w);
    int peers[CROWD], ends = 0, bytes = 0;

    for (int i = 0; i < CROWD; i++) {
        struct guest *g = &guests[i];
        int fds[2];

        make_pair(fds);
        peers[i] = fds[1];
        *g = (struct guest){.w = w, .f = stream(w, fds[0])};
        g->victim = i < CROWD / 2 ? &guests[i + CROWD / 2] : NULL;
        g->op = (struct cel__op){
            .kind = CEL__OP_READ, .fd = g->f, .buf = &g->byte, .len = 1, .done = guest_done};
        g->op.arg = g;
        assert_int_equal(cel__op_start(w->loop, &g->op), 0);
    }
    settle(w);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(write(peers[i], "x", 1), 1);
    for (int turn = 0; turn < 2000 && ends < CROWD; turn++) {
        assert_true(cel_loop_turn(w->loop, CEL_MILLISECOND) >= 0);
        ends = 0;
        for (int i = 0; i < CROWD; i++)
            ends += guests[i].ends;
    }
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(guests[i].ends, 1);
        assert_true(guests[i].op.result == 1 || guests[i].op.result == -CEL_ECLOSED);
        bytes += guests[i].op.result == 1;
        if (i < CROWD / 2) {
            assert_int_equal(guests[i].op.result, 1);
            cel__fd_close(w->loop, guests[i].f);
        }
        close(peers[i]);
    }
    assert_true(bytes >= CROWD / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(read_with_bytes_and_cancelled_keeps_them),
        ON_EACH(accept_with_a_peer_and_cancelled_drops_no_connection),
        ON_EACH(write_cancelled_tells_how_much_went),
        ON_EACH(close_with_a_read_lets_no_byte_land_later),
        ON_EACH(close_after_a_cancel_leaves_its_code),
        ON_EACH(descriptor_number_reused_gets_no_stale_event),
        ON_EACH(op_on_a_closing_descriptor_is_refused),
        ON_EACH(close_from_within_a_callback_ends_the_rest),
        ON_EACH(crowd_readable_at_once_is_served_and_may_close_each_other),
        ON_EACH(stream_read_in_small_and_in_large_pieces_keeps_its_order),
        ON_EACH(connect_reaches_or_is_refused),
        ON_EACH(connect_to_a_full_unix_listener_says_so),
        ON_EACH(connect_cancelled_ends_in_its_own_time),
        ON_EACH(loans_come_in_order_and_go_back),
        ON_EACH(loan_outlives_its_descriptor),
        ON_EACH(loan_cancelled_or_at_the_end_lends_nothing),
        ON_EACH(writev_moves_all_pieces_in_order),
        ON_EACH(datagrams_keep_their_bounds),
        ON_EACH(recvmsg_on_a_stream_follows_what_was_read),
        ON_EACH(file_ops_go_to_the_ring_or_are_declined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
