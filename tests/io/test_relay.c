/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "celadon/relay.h"
#include "io/certs.h"
#include "io/pairs.h"
#include "loop/core.h"
#include "support/fault.h"
#include "support/sysfault.h"

#define MUCH ((size_t)(5 << 20) + 12345)

static struct cel_file *make_file(size_t len)
{
    char *bytes = malloc(len);
    struct cel_file *file;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)byte_at(i);
    assert_int_equal(cel_file_temp(&file, NULL), 0);
    assert_int_equal(cel_file_write(file, bytes, len, 0), len);
    free(bytes);
    return file;
}

struct check {
    struct cel_stream *stream;
    size_t at, from; /* the file's place of the next byte, and of the first */
};

static void *check_all(void *arg)
{
    struct check *c = arg;
    static char buf[100000];
    ssize_t n;

    while ((n = cel_read(c->stream, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++, c->at++)
            if ((unsigned char)buf[i] != byte_at(c->at))
                fail_msg("byte %zu is wrong", c->at);
    assert_int_equal(n, 0);
    return NULL;
}

static void send_over(struct joined j)
{
    struct cel_file *file = make_file(MUCH);
    struct check c = {.stream = j.b, .at = 100};

    CEL_SCOPE (s) {
        assert_int_equal(cel_go(check_all, &c), 0);
        assert_int_equal(cel_send_file(j.a, file, 100, 1000), 1000);
        assert_int_equal(cel_stream_written(j.a), 1000);
        assert_int_equal(cel_send_file(j.a, file, 1100, -1), MUCH - 1100);
        assert_int_equal(cel_send_file(j.a, file, MUCH, 10), 0);
        assert_int_equal(cel_send_file(j.a, file, (int64_t)MUCH + 10, 10), 0);
        assert_int_equal(cel_send_file(j.a, file, -1, 10), -EINVAL);
        assert_int_equal(cel_shutdown(j.a), 0);
    }
    assert_int_equal(c.at, MUCH);
    cel_file_close(file);
    part(j);
}

IN_TASK(file_sent_arrives_over_each_kind)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++)
        send_over(join(kind));
}

static void *be_server(void *arg)
{
    const struct cel_tls_options options = {.cert_file = cert_path("good")};
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &options), 0);
    assert_int_equal(cel_stream_start_tls(arg, tls, NULL, true), 0);
    cel_tls_free(tls);
    return NULL;
}

IN_TASK(file_sent_through_tls_is_encrypted)
{
    const struct cel_tls_options options = {.ca_file = cert_path("ca")};
    struct joined j = join(PAIR_TCP);
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &options), 0);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(be_server, j.b), 0);
        assert_int_equal(cel_stream_start_tls(j.a, tls, "good.test", false), 0);
    }
    cel_tls_free(tls);
    send_over(j);
}

IN_TASK(file_sent_to_nobody_is_an_error_and_no_signal)
{
    struct cel_file *file = make_file(MUCH);
    struct joined j = join(PAIR_SOCKETS);

    cel_close(j.b);
    assert_int_equal(cel_send_file(j.a, file, 0, -1), -EPIPE);
    cel_close(j.a);
    cel_file_close(file);
}

IN_TASK(file_sent_to_a_silent_peer_is_cut_short_by_its_deadline)
{
    struct cel_file *file = make_file(MUCH);
    struct joined j = join(PAIR_SOCKETS);
    size_t written;

    CEL_SCOPE (s, .timeout = 20 * CEL_MILLISECOND)
        assert_int_equal(cel_send_file(j.a, file, 0, -1), -ETIMEDOUT);
    written = cel_stream_written(j.a);
    assert_true(written > 0 && written < MUCH);
    cel_close(j.a);
    {
        struct check c = {.stream = j.b};

        check_all(&c);
        assert_int_equal(c.at, written);
    }
    cel_close(j.b);
    cel_file_close(file);
}

IN_TASK(file_sent_into_a_pipe_is_copied)
{
    struct cel_file *file = make_file(1000);
    struct cel_stream *in, *out;
    struct check c;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(cel_stream_open(&in, ends[0], true), 0);
    assert_int_equal(cel_stream_open(&out, ends[1], true), 0);
    assert_int_equal(cel_send_file(out, file, 0, -1), 1000);
    cel_close(out);
    c = (struct check){.stream = in};
    check_all(&c);
    assert_int_equal(c.at, 1000);
    cel_close(in);
    cel_file_close(file);
}

static void *feed(void *arg)
{
    struct cel_file *file = make_file(MUCH);

    assert_int_equal(cel_send_file(arg, file, 0, -1), MUCH);
    assert_int_equal(cel_shutdown(arg), 0);
    cel_file_close(file);
    return NULL;
}

/* source -> x.a x.b -> y.a y.b -> sink */
static void copy_over(struct joined x, struct joined y, bool has_read)
{
    struct check c = {.stream = y.b};
    char first[3];

    CEL_SCOPE (s) {
        assert_int_equal(cel_go(feed, x.a), 0);
        assert_int_equal(cel_go(check_all, &c), 0);
        if (has_read) {
            for (int i = 0; i < 3; i++)
                assert_int_equal(cel_read(x.b, first + i, 1), 1);
            assert_int_equal(cel_write(y.a, first, 3), 3);
        }
        assert_int_equal(cel_copy(x.b, y.a, 1000), 1000);
        assert_int_equal(cel_copy(x.b, y.a, -1), MUCH - 1000 - (has_read ? 3 : 0));
        assert_int_equal(cel_copy(x.b, y.a, -1), 0);
        assert_int_equal(cel_shutdown(y.a), 0);
    }
    assert_int_equal(c.at, MUCH);
    part(x);
    part(y);
}

IN_TASK(copy_moves_every_byte_in_order)
{
    copy_over(join(PAIR_TCP), join(PAIR_TCP), false);
    copy_over(join(PAIR_TCP), join(PAIR_SOCKETS), true);
    copy_over(join(PAIR_UNIX), join(PAIR_TCP), false);
}

static void *echo_reversed(void *arg)
{
    char buf[4];

    assert_int_equal(cel_read_exactly(arg, buf, 4), 4);
    assert_int_equal(cel_read(arg, buf, 1), 0); /* the half-close came through */
    assert_int_equal(cel_write(arg, "dcba", 4), 4);
    assert_int_equal(cel_shutdown(arg), 0);
    return NULL;
}

static void *join_them(void *arg)
{
    struct joined *middle = arg;
    struct cel_piped piped;

    assert_int_equal(cel_pipe_through(middle->a, middle->b, &piped), 0);
    assert_int_equal(piped.a_to_b, 4);
    assert_int_equal(piped.b_to_a, 4);
    return NULL;
}

IN_TASK(pipe_through_keeps_each_direction_to_its_end)
{
    for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
        struct joined x = join(kind), y = join(PAIR_TCP), middle = {x.b, y.a};
        char buf[8];

        CEL_SCOPE (s) {
            assert_int_equal(cel_go(join_them, &middle), 0);
            assert_int_equal(cel_go(echo_reversed, y.b), 0);
            assert_int_equal(cel_write(x.a, "abcd", 4), 4);
            assert_int_equal(cel_shutdown(x.a), 0);
            assert_int_equal(cel_read_exactly(x.a, buf, 4), 4);
            assert_memory_equal(buf, "dcba", 4);
            assert_int_equal(cel_read(x.a, buf, 1), 0);
        }
        part(x);
        part(y);
    }
}

static void *pipe_result(void *arg)
{
    struct joined *middle = arg;

    return (void *)(intptr_t)cel_pipe_through(middle->a, middle->b, NULL);
}

IN_TASK(pipe_through_a_failing_side_ends_both)
{
    struct joined x = join(PAIR_TCP), y = join(PAIR_TCP), middle = {x.b, y.a};
    struct cel_task *t = cel_spawn(pipe_result, &middle);
    struct linger reset = {.l_onoff = 1};
    void *r;

    assert_int_equal(cel_write(x.a, "x", 1), 1);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    setsockopt(cel_stream_fd(y.b), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    cel_close(y.b);
    assert_int_equal(cel_join(t, &r), 0);
    assert_int_equal((intptr_t)r, -ECONNRESET);
    part(x);
    cel_close(y.a);
}

IN_TASK(pipe_through_ends_with_its_scope)
{
    struct joined x = join(PAIR_SOCKETS), y = join(PAIR_SOCKETS);

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_pipe_through(x.b, y.a, NULL), -ETIMEDOUT);
    part(x);
    part(y);
}

/* ---- failures ---- */

static void *relay_all(void *arg)
{
    struct cel_stream *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    struct cel_file *file = NULL;
    int *code = arg;
    int64_t n;

    *code = cel_stream_pair(&a, &b);
    if (*code == 0)
        *code = cel_stream_pair(&c, &d);
    if (*code == 0)
        *code = cel_file_temp(&file, NULL);
    if (*code == 0) {
        n = cel_file_write(file, "some bytes", 10, 0);
        if (n == 10)
            n = cel_send_file(a, file, 0, -1);
        if (n == 10)
            n = cel_copy(b, c, 10);
        *code = n < 0 ? (int)n : 0;
    }
    cel_close(a);
    cel_close(b);
    cel_close(c);
    cel_close(d);
    cel_file_close(file);
    return NULL;
}

static int relay_once(void *arg)
{
    int code = -EIO, r = cel_run(relay_all, &code, NULL);

    return r < 0 ? r : code;
}

static void relay_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(relay_once, NULL) > 5);
}

static void relay_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(pipe2) | SYSFAULT_BIT(splice) |
                                                SYSFAULT_BIT(sendfile) | SYSFAULT_BIT(socketpair)};

    assert_true(fault_every_syscall(&plan, relay_once, NULL) >= 5);
}

/* Where the kernel refuses, bytes are copied. */
static void refused_calls_fall_back_to_copying(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(splice) | SYSFAULT_BIT(sendfile),
                                       .error = EINVAL,
                                       .nth = 1,
                                       .times = FAULT_FOREVER};

    sysfault_begin(&plan);
    assert_int_equal(relay_once(NULL), 0);
    assert_true(sysfault_hits() >= 2);
    sysfault_end();
}

/* As between two sockets that are never empty and never full. */
static ssize_t splice_all_there_is(int in, off_t *in_at, int out, off_t *out_at, size_t len,
                                   unsigned flags)
{
    return (ssize_t)len;
}

/* Moving without end, it lets the others run after each 256 KiB. */
IN_KERNEL(copy_that_never_waits_lets_the_others_run)
{
    const int64_t much = INT64_C(64) << 20;
    const uint32_t shares = (uint32_t)(much / (CEL__CREDIT * CEL__CREDIT_BYTES));
    struct joined from = join(PAIR_SOCKETS), to = join(PAIR_SOCKETS);
    uint32_t turn = cel__loop_here->beat / 2;

    cel__sys.splice = splice_all_there_is;
    assert_int_equal(cel_copy(from.b, to.a, much), much);
    cel__sys_reset();
    assert_in_range(cel__loop_here->beat / 2 - turn, shares - 1, 2 * shares);
    cel_close(from.a);
    cel_close(from.b);
    cel_close(to.a);
    cel_close(to.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_sent_arrives_over_each_kind),
        cmocka_unit_test(file_sent_through_tls_is_encrypted),
        cmocka_unit_test(file_sent_to_nobody_is_an_error_and_no_signal),
        cmocka_unit_test(file_sent_to_a_silent_peer_is_cut_short_by_its_deadline),
        cmocka_unit_test(file_sent_into_a_pipe_is_copied),
        cmocka_unit_test(copy_moves_every_byte_in_order),
        cmocka_unit_test(pipe_through_keeps_each_direction_to_its_end),
        cmocka_unit_test(pipe_through_a_failing_side_ends_both),
        cmocka_unit_test(pipe_through_ends_with_its_scope),
        cmocka_unit_test(relay_survives_each_failed_allocation),
        cmocka_unit_test(relay_survives_each_failed_call),
        cmocka_unit_test(refused_calls_fall_back_to_copying),
        cmocka_unit_test(copy_that_never_waits_lets_the_others_run),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
