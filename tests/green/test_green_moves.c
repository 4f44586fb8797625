/* SPDX-License-Identifier: MIT */
/* Batches of messages, and bytes that the kernel moves by itself, from tasks. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

enum { MUCH = 1 << 20 };
static char much[MUCH], got[MUCH];

static void open_pair(int ends[2], int type)
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void assert_blocking(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

/* ---- batches ---- */

static char text[4][8];
static struct iovec pieces[4];
static struct mmsghdr messages[4];

static void begin_messages(void)
{
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 4; i++) {
        pieces[i] = (struct iovec){text[i], sizeof text[i]};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

static void say_two(int fd)
{
    assert_int_equal(send(fd, "three", 5, 0), 5);
    assert_int_equal(send(fd, "four", 4, 0), 4);
}

IN_TASK(recvmmsg_parks_until_all_have_come)
{
    int ends[2];

    open_pair(ends, SOCK_DGRAM);
    begin_messages();
    assert_int_equal(send(ends[1], "one", 3, 0), 3);
    assert_int_equal(send(ends[1], "two", 3, 0), 3);
    LATER (say_two, ends[1])
        assert_int_equal(recvmmsg(ends[0], messages, 4, 0, NULL), 4);
    assert_int_equal(messages[0].msg_len, 3);
    assert_int_equal(messages[2].msg_len, 5);
    assert_memory_equal(text[3], "four", 4);
    assert_blocking(ends[0]);
    close_pair(ends);
}

static void say_one(int fd)
{
    assert_int_equal(send(fd, "one", 3, 0), 3);
}

IN_TASK(recvmmsg_for_one_returns_what_is_there)
{
    int ends[2];

    open_pair(ends, SOCK_DGRAM);
    begin_messages();
    LATER (say_one, ends[1])
        assert_int_equal(recvmmsg(ends[0], messages, 4, MSG_WAITFORONE, NULL), 1);
    assert_memory_equal(text[0], "one", 3);
    assert_int_equal(recvmmsg(ends[0], messages, 4, MSG_DONTWAIT, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    close_pair(ends);
}

IN_TASK(recvmmsg_limits_pass)
{
    struct timespec few = {.tv_nsec = 2000000};
    struct timeval short_time = {.tv_usec = 2000};
    int ends[2];

    open_pair(ends, SOCK_DGRAM);
    begin_messages();
    assert_int_equal(send(ends[1], "one", 3, 0), 3);
    assert_int_equal(recvmmsg(ends[0], messages, 4, 0, &few), 1);
    assert_int_equal(few.tv_sec + few.tv_nsec, 0);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time);
    assert_int_equal(recvmmsg(ends[0], messages, 4, 0, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(recvmmsg(ends[0], messages, 4, 0, NULL), -1);
        assert_int_equal(errno, ECANCELED);
    }
    assert_int_equal(recvmmsg(-1, messages, 4, 0, NULL), -1);
    assert_int_equal(errno, EBADF);
    close_pair(ends);
}

static void *take_all(void *arg)
{
    size_t have = 0;

    while (have < MUCH) {
        ssize_t n = read((int)(intptr_t)arg, got + have, MUCH - have);

        assert_true(n > 0);
        have += (size_t)n;
    }
    return NULL;
}

static void begin_much(void)
{
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)rand();
    memset(got, 0, MUCH);
}

IN_TASK(sendmmsg_on_a_stream_keeps_the_order)
{
    int ends[2];

    open_pair(ends, SOCK_STREAM);
    begin_messages();
    begin_much();
    for (size_t i = 0; i < 4; i++)
        pieces[i] = (struct iovec){much + i * (MUCH / 4), MUCH / 4};
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(take_all, (void *)(intptr_t)ends[0]), 0);
        assert_int_equal(sendmmsg(ends[1], messages, 4, 0), 4);
    }
    assert_int_equal(messages[3].msg_len, MUCH / 4);
    assert_memory_equal(much, got, MUCH);
    close_pair(ends);
}

/* ---- what the kernel moves ---- */

static int file_of_much(void)
{
    char path[] = "/tmp/green-moves-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    begin_much();
    assert_int_equal(write(fd, much, MUCH), MUCH);
    return fd;
}

IN_TASK(sendfile_parks_and_sends_the_whole)
{
    off_t at = 0;
    int ends[2], file = file_of_much();

    open_pair(ends, SOCK_STREAM);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(take_all, (void *)(intptr_t)ends[0]), 0);
        assert_int_equal(sendfile(ends[1], file, &at, MUCH), MUCH);
    }
    assert_int_equal(at, MUCH);
    assert_memory_equal(much, got, MUCH);
    assert_blocking(ends[1]);
    assert_int_equal(sendfile(ends[1], file, &at, 10), 0); /* the file's end */
    close_pair(ends);
    close(file);
}

IN_TASK(sendfile_tells_what_had_gone_and_passes_through)
{
    struct timeval short_time = {.tv_usec = 2000};
    off_t at = 0;
    ssize_t n;
    int ends[2], file = file_of_much();

    open_pair(ends, SOCK_STREAM);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &short_time, sizeof short_time);
    n = sendfile(ends[1], file, &at, MUCH);
    assert_in_range(n, 1, MUCH - 1);
    assert_int_equal(at, n);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    assert_int_equal(sendfile(ends[1], file, &at, MUCH), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close_pair(ends);
    close(file);
}

static void say_five(int fd)
{
    assert_int_equal(send(fd, "hello", 5, 0), 5);
}

IN_TASK(splice_parks_for_its_source)
{
    int ends[2], pipes[2];
    char buf[8];

    open_pair(ends, SOCK_STREAM);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    LATER (say_five, ends[1])
        assert_int_equal(splice(ends[0], NULL, pipes[1], NULL, 100, 0), 5);
    assert_int_equal(read(pipes[0], buf, sizeof buf), 5);
    assert_blocking(ends[0]);
    assert_blocking(pipes[1]);
    assert_int_equal(splice(ends[0], NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK), -1);
    assert_int_equal(errno, EAGAIN);
    close_pair(ends);
    close_pair(pipes);
}

static void drain_pipe(int fd)
{
    assert_true(read(fd, got, MUCH) > 0);
}

IN_TASK(splice_and_tee_park_for_room)
{
    int from[2], to[2];

    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    assert_int_equal(pipe2(to, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(to[1], much, 4096) > 0)
        continue;
    fcntl(to[1], F_SETFL, 0);
    assert_int_equal(write(from[1], "hello", 5), 5);
    LATER (drain_pipe, to[0])
        assert_int_equal(tee(from[0], to[1], 5, 0), 5);
    LATER (drain_pipe, to[0])
        assert_int_equal(splice(from[0], NULL, to[1], NULL, 5, 0), 5);
    assert_blocking(to[1]);
    close_pair(from);
    close_pair(to);
}

IN_TASK(splice_ends_with_its_scope)
{
    int from[2], to[2];

    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(splice(from[0], NULL, to[1], NULL, 5, 0), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    close_pair(from);
    close_pair(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recvmmsg_parks_until_all_have_come),
        cmocka_unit_test(recvmmsg_for_one_returns_what_is_there),
        cmocka_unit_test(recvmmsg_limits_pass),
        cmocka_unit_test(sendmmsg_on_a_stream_keeps_the_order),
        cmocka_unit_test(sendfile_parks_and_sends_the_whole),
        cmocka_unit_test(sendfile_tells_what_had_gone_and_passes_through),
        cmocka_unit_test(splice_parks_for_its_source),
        cmocka_unit_test(splice_and_tee_park_for_room),
        cmocka_unit_test(splice_ends_with_its_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
