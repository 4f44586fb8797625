/* SPDX-License-Identifier: MIT */
/* Streams: reading, peeking, writing, ending. Most bodies run over a socket pair, TCP and Unix. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/sys.h"
#include "io/pairs.h"
#include "support/fault.h"

#define BIG (3 * 1024 * 1024 + 17)

struct transfer {
    struct cel_stream *stream;
    size_t size, piece;
    int64_t pause;
    ssize_t result;
};

static void *send_all(void *arg)
{
    struct transfer *t = arg;
    unsigned char *bytes = malloc(t->size);

    for (size_t k = 0; k < t->size; k++)
        bytes[k] = byte_at(k);
    t->result = cel_write(t->stream, bytes, t->size);
    if (t->result == (ssize_t)t->size)
        assert_int_equal(cel_shutdown(t->stream), 0);
    free(bytes);
    return NULL;
}

static size_t receive_all(struct cel_stream *s, size_t piece, int64_t pause)
{
    unsigned char *buf = malloc(piece);
    size_t total = 0;
    ssize_t n;

    while ((n = cel_read(s, buf, piece)) > 0) {
        for (ssize_t k = 0; k < n; k++)
            if (buf[k] != byte_at(total + (size_t)k))
                fail_msg("byte %zu is wrong", total + (size_t)k);
        total += (size_t)n;
        if (pause > 0 && total % 65536 < (size_t)n)
            assert_int_equal(cel_sleep(pause), 0);
    }
    assert_int_equal(n, 0);
    free(buf);
    return total;
}

static void check_transfer(enum pair_kind kind, size_t size, size_t piece, int64_t pause)
{
    struct joined j = join(kind);
    struct transfer t = {.stream = j.a, .size = size};
    struct cel_task *task = cel_spawn(send_all, &t);

    assert_non_null(task);
    assert_int_equal(receive_all(j.b, piece, pause), size);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(t.result, size);
    part(j);
}

IN_TASK(write_big_arrives_whole)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++)
        check_transfer(kind, BIG, 65536, 0);
}

IN_TASK(write_big_to_slow_reader_arrives_whole)
{
    check_transfer(PAIR_SOCKETS, 600000, 1000, CEL_MILLISECOND);
    check_transfer(PAIR_TCP, 600000, 1000, CEL_MILLISECOND);
}

IN_TASK(read_of_small_pieces_keeps_order)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++)
        for (size_t piece = 1; piece <= 700; piece += 233)
            check_transfer(kind, 40000, piece, 0);
}

static void *echo(void *arg)
{
    char buf[4096];
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        assert_int_equal(cel_write(arg, buf, (size_t)n), n);
    return NULL;
}

static ssize_t send_at_once(int fd, const void *buf, size_t len, int flags)
{
    return (ssize_t)len;
}

static bool has_written;

static void *writes_pieces(void *arg)
{
    static char piece[256 * 1024];

    for (int i = 0; i < 64; i++)
        assert_int_equal(cel_write(arg, piece, sizeof piece), sizeof piece);
    has_written = true;
    return NULL;
}

/* To a peer that takes all at once a writer never parks: few large pieces must not keep the others
 * waiting as long as 64 small ones may, for each takes its time to be copied. */
IN_TASK(writer_of_large_pieces_lets_others_run)
{
    struct joined j = join(PAIR_SOCKETS);
    ssize_t (*send_before)(int fd, const void *buf, size_t len, int flags) = cel__sys.send;
    unsigned turns = 0;

    if (strcmp(cel_loop_backend(cel_loop_current()), "uring") == 0) {
        part(j); /* each write parks there: it rides with the turn's submission */
        return;
    }
    has_written = false;
    cel__sys.send = send_at_once;
    CEL_SCOPE (both) {
        assert_int_equal(cel_go(writes_pieces, j.a), 0);
        while (!has_written) {
            assert_int_equal(cel_yield(), 0);
            turns++;
        }
    }
    cel__sys.send = send_before;
    assert_true(turns >= 64);
    part(j);
}

IN_TASK(echo_answers_each_message)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined j = join(kind);
        struct cel_task *task = cel_spawn(echo, j.b);
        char out[64], in[64];

        for (int i = 0; i < 200; i++) {
            memset(out, i, sizeof out);
            assert_int_equal(cel_write(j.a, out, sizeof out), sizeof out);
            assert_int_equal(cel_stream_written(j.a), sizeof out);
            assert_int_equal(cel_read_exactly(j.a, in, sizeof in), sizeof in);
            assert_memory_equal(in, out, sizeof in);
        }
        assert_int_equal(cel_shutdown(j.a), 0);
        assert_int_equal(cel_join(task, NULL), 0);
        part(j);
    }
}

IN_TASK(writev_many_pieces_arrive_in_order)
{
    struct joined j = join(PAIR_TCP);
    struct iovec iov[200];
    char bytes[200], got[400];

    for (int i = 0; i < 200; i++) {
        bytes[i] = (char)i;
        iov[i] = (struct iovec){&bytes[i], i % 3 == 0 ? 0 : 1};
    }
    assert_int_equal(cel_writev(j.a, iov, 200), 133);
    assert_int_equal(cel_stream_written(j.a), 133);
    assert_int_equal(iov[1].iov_len, 1);
    assert_int_equal(cel_read_exactly(j.b, got, 133), 133);
    for (int i = 0, at = 0; i < 200; i++)
        if (i % 3 != 0)
            assert_int_equal((unsigned char)got[at++], i);
    part(j);
}

IN_TASK(read_exactly_short_leaves_bytes_unread)
{
    char buf[2000];

    for (size_t want = 10; want <= sizeof buf; want += 1990) {
        struct joined j = join(PAIR_TCP);

        assert_int_equal(cel_write(j.a, "abcdefg", 7), 7);
        assert_int_equal(cel_shutdown(j.a), 0);
        assert_int_equal(cel_read_exactly(j.b, buf, want), -CEL_EEOF);
        assert_int_equal(cel_read(j.b, buf, sizeof buf), 7);
        assert_memory_equal(buf, "abcdefg", 7);
        assert_int_equal(cel_read(j.b, buf, sizeof buf), 0);
        part(j);
    }
}

IN_TASK(read_exactly_out_of_time_leaves_bytes_unread)
{
    struct joined j = join(PAIR_TCP);
    char buf[2000];
    ssize_t r = 0;

    assert_int_equal(cel_write(j.a, "abcdefg", 7), 7);
    CEL_SCOPE (s, .timeout = 10 * CEL_MILLISECOND)
        r = cel_read_exactly(j.b, buf, sizeof buf);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&s));
    assert_int_equal(cel_write(j.a, "hij", 3), 3);
    assert_int_equal(cel_read_exactly(j.b, buf, 10), 10);
    assert_memory_equal(buf, "abcdefghij", 10);
    part(j);
}

IN_TASK(read_until_gives_lines)
{
    struct joined j = join(PAIR_TCP);
    char buf[16];

    assert_int_equal(cel_write(j.a, "one\ntwo\n\nlast", 13), 13);
    assert_int_equal(cel_shutdown(j.a), 0);
    assert_int_equal(cel_read_until(j.b, '\n', buf, sizeof buf), 4);
    assert_memory_equal(buf, "one\n", 4);
    assert_int_equal(cel_read_until(j.b, '\n', buf, 4), 4);
    assert_memory_equal(buf, "two\n", 4);
    assert_int_equal(cel_read_until(j.b, '\n', buf, sizeof buf), 1);
    assert_int_equal(cel_read_until(j.b, '\n', buf, 4), -CEL_ETOOLARGE);
    assert_int_equal(cel_read_until(j.b, '\n', buf, sizeof buf), -CEL_EEOF);
    assert_int_equal(cel_read(j.b, buf, sizeof buf), 4);
    assert_memory_equal(buf, "last", 4);
    assert_int_equal(cel_read_until(j.b, '\n', buf, sizeof buf), 0);
    part(j);
}

static void *drip(void *arg)
{
    for (char c = 'a'; c <= 'j'; c++) {
        assert_int_equal(cel_write(arg, &c, 1), 1);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    }
    return NULL;
}

IN_TASK(peek_waits_for_contiguous_bytes)
{
    struct joined j = join(PAIR_TCP);
    struct cel_task *task = cel_spawn(drip, j.a);
    const char *data;
    ssize_t n = cel_peek(j.b, &data, 1);

    assert_true(n >= 1);
    assert_int_equal(data[0], 'a');
    n = cel_peek(j.b, &data, 6);
    assert_true(n >= 6);
    assert_memory_equal(data, "abcdef", 6);
    cel_consume(j.b, 4);
    n = cel_peek(j.b, &data, 6);
    assert_true(n >= 6);
    assert_memory_equal(data, "efghij", 6);
    cel_consume(j.b, 6);
    assert_int_equal(cel_join(task, NULL), 0);
    part(j);
}

IN_TASK(peek_more_than_one_loan_is_joined)
{
    struct joined j = join(PAIR_TCP);
    struct transfer t = {.stream = j.a, .size = 500000};
    struct cel_task *task = cel_spawn(send_all, &t);
    const char *data;
    ssize_t n = cel_peek(j.b, &data, 300000);

    assert_true(n >= 300000);
    for (size_t k = 0; k < 300000; k++)
        if ((unsigned char)data[k] != byte_at(k))
            fail_msg("byte %zu is wrong", k);
    cel_consume(j.b, 299999);
    n = cel_peek(j.b, &data, 200002);
    assert_int_equal(n, 200001); /* the end came first */
    assert_int_equal((unsigned char)data[200000], byte_at(499999));
    cel_consume(j.b, 200001);
    assert_int_equal(cel_peek(j.b, &data, 1), 0);
    assert_int_equal(cel_peek(j.b, &data, (16 << 20) + 1), -CEL_ETOOLARGE);
    assert_int_equal(cel_join(task, NULL), 0);
    part(j);
}

IN_TASK(shutdown_keeps_the_other_direction)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined j = join(kind);
        char buf[8];

        assert_int_equal(cel_shutdown(j.a), 0);
        assert_int_equal(cel_read(j.b, buf, sizeof buf), 0);
        assert_int_equal(cel_write(j.b, "late", 4), 4);
        assert_int_equal(cel_read(j.a, buf, sizeof buf), 4);
        assert_int_equal(cel_write(j.a, "x", 1), -EPIPE);
        assert_int_equal(cel_stream_written(j.a), 0);
        part(j);
    }
}

IN_KERNEL(read_after_reset_says_so)
{
    struct joined j = join(PAIR_TCP);
    struct linger at_once = {1, 0};
    char buf[8];

    assert_int_equal(cel_write(j.b, "x", 1), 1);
    setsockopt(cel_stream_fd(j.b), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    cel_close(j.b);
    j.b = NULL;
    while (cel_read(j.a, buf, sizeof buf) == 1)
        continue;
    assert_int_equal(cel_write(j.a, "x", 1), -EPIPE);
    part(j);
}

struct parked {
    struct cel_stream *stream;
    ssize_t result;
    size_t written;
    bool writes;
};

static void *park_on(void *arg)
{
    static char block[1 << 20];
    struct parked *p = arg;
    char buf[64];

    if (!p->writes) {
        p->result = cel_read(p->stream, buf, sizeof buf);
        return NULL;
    }
    do
        p->result = cel_write(p->stream, block, sizeof block);
    while (p->result > 0);
    if (p->result != -CEL_ECLOSED)
        p->written = cel_stream_written(p->stream);
    return NULL;
}

IN_TASK(close_ends_a_parked_read_and_write)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined j = join(kind);
        struct parked reader = {.stream = j.a}, writer = {.stream = j.a, .writes = true};
        struct cel_task *tasks[] = {cel_spawn(park_on, &reader), cel_spawn(park_on, &writer)};

        assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
        cel_close(j.a);
        assert_int_equal(cel_gather(tasks, 2, NULL), 0);
        assert_int_equal(reader.result, -CEL_ECLOSED);
        assert_int_equal(writer.result, -CEL_ECLOSED);
        cel_close(j.b);
    }
}

IN_TASK(cancel_ends_a_parked_read_and_nothing_is_lost)
{
    struct joined j = join(PAIR_TCP);
    struct parked reader = {.stream = j.a};
    struct cel_task *task = cel_spawn(park_on, &reader);
    char buf[8];

    assert_int_equal(cel_sleep(2 * CEL_MILLISECOND), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(reader.result, -ECANCELED);
    assert_int_equal(cel_write(j.b, "still", 5), 5);
    assert_int_equal(cel_read_exactly(j.a, buf, 5), 5);
    assert_memory_equal(buf, "still", 5);
    part(j);
}

/* Bytes and cancel in the same turn: whichever way it goes, the byte is not lost. */
IN_TASK(cancel_beside_a_result_loses_no_byte)
{
    struct joined j = join(PAIR_TCP);

    for (int i = 0; i < 50; i++) {
        struct parked reader = {.stream = j.a};
        struct cel_task *task = cel_spawn(park_on, &reader);
        char byte = (char)i, got = 0;

        assert_int_equal(cel_yield(), 0);
        assert_int_equal(cel_write(j.b, &byte, 1), 1);
        cel_task_cancel(task);
        assert_int_equal(cel_join(task, NULL), 0);
        if (reader.result == 1)
            continue;
        assert_int_equal(reader.result, -ECANCELED);
        assert_int_equal(cel_read(j.a, &got, 1), 1);
        assert_int_equal(got, byte);
    }
    part(j);
}

static void *drain(void *arg)
{
    static char buf[65536];
    size_t total = 0;
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        total += (size_t)n;
    return (void *)total;
}

IN_TASK(cancel_of_a_write_tells_how_much_went_out)
{
    enum { SIZE = 8 << 20 };

    for (int kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined j = join(kind);
        char *block = calloc(1, SIZE);
        size_t written;
        ssize_t r = 0;
        void *got;
        struct cel_task *task;

        CEL_SCOPE (s, .timeout = 5 * CEL_MILLISECOND)
            r = cel_write(j.a, block, SIZE);
        assert_int_equal(r, -ETIMEDOUT);
        written = cel_stream_written(j.a);
        assert_in_range(written, 1, SIZE - 1);
        assert_int_equal(cel_shutdown(j.a), 0);
        task = cel_spawn(drain, j.b);
        assert_int_equal(cel_join(task, &got), 0);
        assert_int_equal((size_t)got, written);
        free(block);
        part(j);
    }
}

IN_TASK(call_in_a_cancelled_scope_has_no_effect)
{
    struct joined j = join(PAIR_TCP);
    const char *data;
    char buf[8];

    assert_int_equal(cel_write(j.a, "here", 4), 4);
    assert_int_equal(cel_peek(j.b, &data, 4), 4);
    CEL_SCOPE (s, .timeout = 0) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_read(j.b, buf, sizeof buf), -ECANCELED);
        assert_int_equal(cel_write(j.b, buf, sizeof buf), -ECANCELED);
        assert_int_equal(cel_shutdown(j.b), -ECANCELED);
    }
    assert_int_equal(cel_read(j.b, buf, sizeof buf), 4);
    CEL_SCOPE (t, .timeout = 2 * CEL_MILLISECOND)
        assert_int_equal(cel_read(j.a, buf, sizeof buf), -ETIMEDOUT);
    part(j);
}

IN_TASK(stream_is_quiet_until_the_peer_does_something)
{
    for (int kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined j = join(kind);
        char buf[8];

        assert_true(cel_stream_is_quiet(j.a));
        for (int i = 0; i < 4; i++) { /* over and over: io_uring reads ahead from the second on */
            assert_int_equal(cel_write(j.b, "ab", 2), 2);
            assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
            assert_false(cel_stream_is_quiet(j.a));
            assert_int_equal(cel_read(j.a, buf, 1), 1);
            assert_false(cel_stream_is_quiet(j.a));
            assert_int_equal(cel_read(j.a, buf, 1), 1);
            assert_true(cel_stream_is_quiet(j.a));
        }
        cel_close(j.b);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        assert_false(cel_stream_is_quiet(j.a));
        cel_close(j.a);
    }
}

IN_TASK(stream_names_its_ends)
{
    struct joined j = join(PAIR_TCP);

    assert_string_equal(cel_stream_peer(j.a), cel_stream_local(j.b));
    assert_string_equal(cel_stream_local(j.a), cel_stream_peer(j.b));
    assert_memory_equal(cel_stream_peer(j.a), "127.0.0.1:", 10);
    assert_string_equal(cel_stream_alpn(j.a), "");
    part(j);
}

IN_TASK(pipe_carries_bytes_and_raises_no_signal)
{
    struct cel_stream *in, *out;
    int fds[2];
    char buf[8];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(cel_stream_open(&in, fds[0], true), 0);
    assert_int_equal(cel_stream_open(&out, fds[1], true), 0);
    assert_int_equal(cel_write(out, "pipe", 4), 4);
    assert_int_equal(cel_read(in, buf, sizeof buf), 4);
    assert_memory_equal(buf, "pipe", 4);
    assert_string_equal(cel_stream_peer(in), "");
    cel_close(in);
    assert_int_equal(cel_write(out, "x", 1), -EPIPE); /* the default action would end us */
    cel_close(out);
}

IN_TASK(pipe_not_owned_stays_open)
{
    struct cel_stream *in;
    int fds[2];
    char byte;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(cel_stream_open(&in, fds[0], false), 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    assert_int_equal(cel_read(in, &byte, 1), 1);
    cel_close(in);
    assert_true(fcntl(fds[0], F_GETFD) >= 0);
    close(fds[0]);
    close(fds[1]);
}

/* Nothing comes, and a read ends by its deadline. */
static void check_silent(struct cel_stream *s)
{
    char c;

    CEL_SCOPE (patience, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_read(s, &c, 1), -ETIMEDOUT);
}

/* Somebody closes the descriptor of a stream: who uses it is told, who waits is not kept beyond its
 * deadline, and nobody else notices. */
IN_KERNEL(stream_closed_behind_its_back_says_so)
{
    struct joined j = join(PAIR_TCP), parked = join(PAIR_TCP), other = join(PAIR_TCP);
    char buf[4];
    ssize_t n = 0;

    close(cel_stream_fd(j.a));
    assert_int_equal(cel_read(j.a, buf, 1), -EBADF);
    assert_int_equal(cel_write(j.a, "x", 1), -EBADF);
    cel_close(j.a);
    assert_int_equal(cel_read(j.b, buf, 1), 0);
    cel_close(j.b);
    check_silent(parked.a);
    close(cel_stream_fd(parked.a));
    CEL_SCOPE (patience, .timeout = CEL_MILLISECOND)
        n = cel_read(parked.a, buf, 1);
    assert_true(n == -EBADF || n == -ETIMEDOUT); /* epoll does not tell */
    part(parked);
    assert_int_equal(cel_write(other.a, "good", 4), 4);
    assert_int_equal(cel_read_exactly(other.b, buf, 4), 4);
    part(other);
}

/* A copy keeps the socket open, and in epoll's list: what comes for it is no stream's any more,
 * also when its place and its number are another's. */
IN_KERNEL(stream_whose_socket_lives_on_in_a_copy_is_gone)
{
    struct joined j = join(PAIR_TCP), heir;
    int number = cel_stream_fd(j.a), copy = dup(number);
    char buf[8];

    check_silent(j.a); /* it is watched now */
    cel_close(j.a);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    heir = join(PAIR_SOCKETS);
    assert_true(cel_stream_fd(heir.a) == number || cel_stream_fd(heir.b) == number);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cel_write(j.b, "old", 3), 3);
        check_silent(heir.a);
        check_silent(heir.b);
        assert_int_equal(read(copy, buf, sizeof buf), 3);
        assert_memory_equal(buf, "old", 3);
    }
    part(heir);
    cel_close(j.b);
    close(copy);
}

struct waiting {
    int fd, result;
    short events;
};

static void *wait_for_fd(void *arg)
{
    struct waiting *w = arg;

    w->result = cel_wait_fd(w->fd, w->events);
    return NULL;
}

/* The two sides of one descriptor, as a library with one connection has it. */
IN_TASK(wait_fd_twice_on_one_descriptor)
{
    int fds[2];
    struct waiting in, out;
    struct cel_task *tasks[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    while (send(fds[0], &in, sizeof in, MSG_NOSIGNAL) > 0)
        continue;
    in = (struct waiting){.fd = fds[0], .events = POLLIN};
    out = (struct waiting){.fd = fds[0], .events = POLLOUT};
    tasks[0] = cel_spawn(wait_for_fd, &in);
    tasks[1] = cel_spawn(wait_for_fd, &out);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(send(fds[1], "x", 1, 0), 1);
    assert_int_equal(cel_await(tasks[0], NULL), 0);
    assert_int_equal(in.result, POLLIN);
    while (recv(fds[1], &(char[4096]){0}, 4096, MSG_DONTWAIT) > 0)
        continue;
    assert_int_equal(cel_await(tasks[1], NULL), 0);
    assert_int_equal(out.result, POLLOUT);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND) {
        assert_int_equal(recv(fds[0], &(char){0}, 1, 0), 1);
        assert_int_equal(cel_wait_fd(fds[0], POLLIN), -ETIMEDOUT);
    }
    assert_int_equal(cel_wait_fd(-1, POLLIN) < 0, 1);
    close(fds[0]);
    close(fds[1]);
}

static void *fill_pipe(void *arg)
{
    static char much[200000];

    assert_int_equal(cel_write(arg, much, sizeof much), sizeof much);
    cel_close(arg);
    return NULL;
}

IN_KERNEL(stream_pipe_goes_one_way)
{
    struct cel_stream *reader, *writer;
    char buf[4096];
    ssize_t n, total = 0;

    assert_int_equal(cel_stream_pipe(&reader, &writer), 0);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(fill_pipe, writer), 0);
        while ((n = cel_read(reader, buf, sizeof buf)) > 0)
            total += n;
        assert_int_equal(n, 0);
    }
    assert_int_equal(total, 200000);
    cel_close(reader);
    assert_int_equal(cel_stream_pipe(&reader, &writer), 0);
    cel_close(reader);
    assert_int_equal(cel_write(writer, "x", 1), -EPIPE);
    cel_close(writer);
}

static int pipe_once(void *arg)
{
    struct cel_stream *reader, *writer;
    struct cel_loop *loop;
    int r = cel_loop_new(&loop, NULL);

    if (r < 0)
        return r;
    r = cel_stream_pipe(&reader, &writer);
    if (r == 0) {
        cel_close(reader);
        cel_close(writer);
    }
    assert_int_equal(cel_loop_close(loop), 0);
    return r;
}

static void stream_pipe_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(pipe_once, NULL) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_big_arrives_whole),
        cmocka_unit_test(write_big_to_slow_reader_arrives_whole),
        cmocka_unit_test(read_of_small_pieces_keeps_order),
        cmocka_unit_test(writer_of_large_pieces_lets_others_run),
        cmocka_unit_test(echo_answers_each_message),
        cmocka_unit_test(writev_many_pieces_arrive_in_order),
        cmocka_unit_test(read_exactly_short_leaves_bytes_unread),
        cmocka_unit_test(read_exactly_out_of_time_leaves_bytes_unread),
        cmocka_unit_test(read_until_gives_lines),
        cmocka_unit_test(peek_waits_for_contiguous_bytes),
        cmocka_unit_test(peek_more_than_one_loan_is_joined),
        cmocka_unit_test(shutdown_keeps_the_other_direction),
        cmocka_unit_test(read_after_reset_says_so),
        cmocka_unit_test(close_ends_a_parked_read_and_write),
        cmocka_unit_test(cancel_ends_a_parked_read_and_nothing_is_lost),
        cmocka_unit_test(cancel_beside_a_result_loses_no_byte),
        cmocka_unit_test(cancel_of_a_write_tells_how_much_went_out),
        cmocka_unit_test(call_in_a_cancelled_scope_has_no_effect),
        cmocka_unit_test(stream_is_quiet_until_the_peer_does_something),
        cmocka_unit_test(stream_names_its_ends),
        cmocka_unit_test(pipe_carries_bytes_and_raises_no_signal),
        cmocka_unit_test(pipe_not_owned_stays_open),
        cmocka_unit_test(stream_closed_behind_its_back_says_so),
        cmocka_unit_test(stream_whose_socket_lives_on_in_a_copy_is_gone),
        cmocka_unit_test(stream_pipe_goes_one_way),
        cmocka_unit_test(stream_pipe_survives_each_failed_allocation),
        cmocka_unit_test(wait_fd_twice_on_one_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
