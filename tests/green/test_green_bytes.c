/* SPDX-License-Identifier: MIT */
/* Bytes by libc's calls, from tasks: they park, move what a blocking call moves, and leave
 * non-blocking descriptors and other threads alone. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

/* A kernel before 6.4, which knows no RWF_NOWAIT for pipes: the program's own functions come before
 * libc's for libceladon-green too. */
static bool is_old_kernel;
#define EXPORTED __attribute__((visibility("default")))

EXPORTED ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t at, int flags)
{
    if (!is_old_kernel)
        return syscall(SYS_preadv2, fd, iov, (long)count, (long)at, 0L, (long)flags);
    errno = EOPNOTSUPP;
    return -1;
}

EXPORTED ssize_t pwritev2(int fd, const struct iovec *iov, int count, off_t at, int flags)
{
    if (!is_old_kernel)
        return syscall(SYS_pwritev2, fd, iov, (long)count, (long)at, 0L, (long)flags);
    errno = EOPNOTSUPP;
    return -1;
}

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

static void say_x(int fd)
{
    assert_int_equal(send(fd, "x", 1, MSG_DONTWAIT), 1);
}

static void write_y(int fd)
{
    assert_int_equal(write(fd, "y", 1), 1);
}

static void close_it(int fd)
{
    close(fd);
}

static void assert_blocking(int fd)
{
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

static void green_is_active_when_linked_first(void **state)
{
    assert_true(cel_green_is_active());
}

typedef ssize_t get_fn(int fd, char *buf, size_t len);

static ssize_t by_read(int fd, char *buf, size_t len)
{
    return read(fd, buf, len);
}
static ssize_t by_readv(int fd, char *buf, size_t len)
{
    return readv(fd, &(struct iovec){buf, len}, 1);
}
static ssize_t by_recv(int fd, char *buf, size_t len)
{
    return recv(fd, buf, len, 0);
}
static ssize_t by_recvfrom(int fd, char *buf, size_t len)
{
    return recvfrom(fd, buf, len, 0, NULL, NULL);
}
static ssize_t by_recvmsg(int fd, char *buf, size_t len)
{
    struct iovec iov = {buf, len};

    return recvmsg(fd, &(struct msghdr){.msg_iov = &iov, .msg_iovlen = 1}, 0);
}
static get_fn *const gets_of_sockets[] = {by_read, by_readv, by_recv, by_recvfrom, by_recvmsg};
enum { GETS = sizeof gets_of_sockets / sizeof *gets_of_sockets };

IN_TASK(each_receive_parks_until_a_byte_comes)
{
    for (int i = 0; i < GETS; i++) {
        int ends[2], before = parks_seen;
        char c = 0;

        open_pair(ends, SOCK_STREAM);
        LATER (say_x, ends[1]) {
            assert_int_equal(gets_of_sockets[i](ends[0], &c, 1), 1);
            assert_int_equal(parks_seen, before + 1);
        }
        assert_int_equal(c, 'x');
        assert_blocking(ends[0]);
        LATER (close_it, ends[1])
            assert_int_equal(gets_of_sockets[i](ends[0], &c, 1), 0);
        close(ends[0]);
    }
}

IN_TASK(each_read_of_a_pipe_parks)
{
    int ends[2];
    char c = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    LATER (write_y, ends[1])
        assert_int_equal(read(ends[0], &c, 1), 1);
    assert_int_equal(c, 'y');
    LATER (write_y, ends[1])
        assert_int_equal(by_readv(ends[0], &c, 1), 1);
    assert_blocking(ends[0]);
    LATER (close_it, ends[1])
        assert_int_equal(read(ends[0], &c, 1), 0);
    close(ends[0]);
}

static void count_up(int fd)
{
    uint64_t one = 1;

    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
}

IN_TASK(reading_an_eventfd_parks)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    uint64_t value = 0;

    LATER (count_up, fd)
        assert_int_equal(read(fd, &value, sizeof value), sizeof value);
    assert_int_equal(value, 1);
    close(fd);
}

IN_TASK(non_blocking_descriptors_pass_through)
{
    int ends[2], pipes[2];
    char c;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    for (int i = 0; i < GETS; i++) {
        assert_int_equal(gets_of_sockets[i](ends[0], &c, 1), -1);
        assert_int_equal(errno, EAGAIN);
    }
    while (write(ends[0], much, MUCH) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    close_pair(ends);
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    assert_int_equal(read(pipes[0], &c, 1), -1);
    assert_int_equal(errno, EAGAIN);
    while (write(pipes[1], much, MUCH) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
    close_pair(pipes);
    open_pair(ends, SOCK_STREAM);
    assert_int_equal(recv(ends[0], &c, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    close_pair(ends);
}

IN_TASK(errors_are_those_of_libc)
{
    int ends[2], file = open("/dev/null", O_RDWR | O_CLOEXEC);
    char c;

    assert_int_equal(read(-1, &c, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(recv(file, &c, 1, 0), -1);
    assert_int_equal(errno, ENOTSOCK);
    assert_int_equal(read(file, &c, 1), 0);
    assert_int_equal(write(file, "x", 1), 1);
    close(file);
    open_pair(ends, SOCK_STREAM);
    close(ends[1]);
    assert_int_equal(send(ends[0], "x", 1, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[0]);
}

static void set_limit(int fd, int option, int us)
{
    struct timeval limit = {.tv_usec = us};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit), 0);
}

IN_TASK(receive_timeout_says_eagain)
{
    int ends[2];
    char c;

    open_pair(ends, SOCK_STREAM);
    set_limit(ends[0], SO_RCVTIMEO, 2000);
    for (int i = 0; i < GETS; i++) {
        errno = 0;
        assert_int_equal(gets_of_sockets[i](ends[0], &c, 1), -1);
        assert_int_equal(errno, EAGAIN);
    }
    close_pair(ends);
}

IN_TASK(send_timeout_tells_what_had_gone)
{
    int ends[2];
    ssize_t n;

    open_pair(ends, SOCK_STREAM);
    set_limit(ends[0], SO_SNDTIMEO, 2000);
    n = send(ends[0], much, MUCH, 0);
    assert_in_range(n, 1, MUCH - 1);
    assert_int_equal(send(ends[0], much, MUCH, 0), -1);
    assert_int_equal(errno, EAGAIN);
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

typedef ssize_t put_fn(int fd, const char *buf, size_t len);

static ssize_t by_write(int fd, const char *buf, size_t len)
{
    return write(fd, buf, len);
}
static ssize_t by_writev(int fd, const char *buf, size_t len)
{
    struct iovec iov[12];

    for (int i = 0; i < 12; i++)
        iov[i] = (struct iovec){(char *)buf + (size_t)i * 1000, 1000};
    iov[11].iov_len = len - 11000;
    return writev(fd, iov, 12);
}
static ssize_t by_send(int fd, const char *buf, size_t len)
{
    return send(fd, buf, len, 0);
}
static ssize_t by_sendto(int fd, const char *buf, size_t len)
{
    return sendto(fd, buf, len, 0, NULL, 0);
}
static ssize_t by_sendmsg(int fd, const char *buf, size_t len)
{
    struct iovec iov[2] = {{(char *)buf, 5}, {(char *)buf + 5, len - 5}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n = sendmsg(fd, &msg, 0);

    assert_int_equal(iov[0].iov_len, 5); /* the caller's pieces are as they were */
    return n;
}
static put_fn *const puts_of_sockets[] = {by_write, by_writev, by_send, by_sendto, by_sendmsg};

static void move_much(put_fn *put, const int ends[2])
{
    for (int i = 0; i < MUCH; i++)
        much[i] = (char)rand();
    memset(got, 0, MUCH);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(take_all, (void *)(intptr_t)ends[0]), 0);
        assert_int_equal(put(ends[1], much, MUCH), MUCH);
        assert_blocking(ends[1]);
    }
    assert_memory_equal(much, got, MUCH);
}

IN_TASK(each_send_goes_out_whole)
{
    for (int i = 0; i < 5; i++) {
        int ends[2];

        open_pair(ends, SOCK_STREAM);
        move_much(puts_of_sockets[i], ends);
        close_pair(ends);
    }
}

IN_TASK(each_write_to_a_pipe_goes_out_whole)
{
    for (int i = 0; i < 2; i++) {
        int ends[2];

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        move_much(puts_of_sockets[i], ends);
        close_pair(ends);
    }
}

IN_TASK(pipes_of_old_kernels_work_too)
{
    is_old_kernel = true;
    each_read_of_a_pipe_parks_body();
    reading_an_eventfd_parks_body();
    non_blocking_descriptors_pass_through_body();
    each_write_to_a_pipe_goes_out_whole_body();
    is_old_kernel = false;
}

static void say_rest(int fd)
{
    assert_int_equal(send(fd, "cdef", 4, 0), 4);
}

IN_TASK(waitall_waits_for_all)
{
    int ends[2];
    char buf[7] = "";

    open_pair(ends, SOCK_STREAM);
    assert_int_equal(send(ends[1], "ab", 2, 0), 2);
    LATER (say_rest, ends[1])
        assert_int_equal(recv(ends[0], buf, 6, MSG_WAITALL), 6);
    assert_string_equal(buf, "abcdef");
    assert_int_equal(send(ends[1], "ab", 2, 0), 2);
    LATER (close_it, ends[1])
        assert_int_equal(recv(ends[0], buf, 6, MSG_WAITALL), 2);
    close(ends[0]);
}

IN_TASK(datagram_keeps_its_sender)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {0};
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof at;
    char buf[8];

    assert_int_equal(bind(a, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(a, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(sendto(b, "hello", 5, 0, (struct sockaddr *)&at, len), 5);
    len = sizeof from;
    assert_int_equal(recvfrom(a, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 5);
    assert_int_equal(len, sizeof from);
    assert_int_equal(from.sin_family, AF_INET);
    assert_int_not_equal(from.sin_port, 0);
    close(a);
    close(b);
}

static void take_one(int fd)
{
    char c;

    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 1);
}

/* The kernel calls such a sender writable whatever the receiver's queue. */
IN_TASK(unix_datagram_to_a_full_queue_parks)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int to = socket(AF_UNIX, SOCK_DGRAM, 0), from = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t len = sizeof at;

    assert_int_equal(bind(to, (struct sockaddr *)&at, sizeof at.sun_family), 0);
    assert_int_equal(getsockname(to, (struct sockaddr *)&at, &len), 0);
    while (sendto(from, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&at, len) == 1)
        continue;
    assert_int_equal(errno, EAGAIN);
    LATER (take_one, to)
        assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&at, len), 1);
    set_limit(from, SO_SNDTIMEO, 5000);
    assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&at, len), -1);
    assert_int_equal(errno, EAGAIN);
    close(to);
    close(from);
}

static struct cel_task *victim;

static void cancel_victim(int unused)
{
    cel_task_cancel(victim);
}

static void *read_until_cancelled(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char c;

    assert_int_equal(read(fd, &c, 1), -1);
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(recv(fd, &c, 1, 0), -1); /* and so does each later one */
    assert_int_equal(errno, ECANCELED);
    return NULL;
}

IN_TASK(cancel_ends_a_parked_call)
{
    int ends[2], pipes[2];

    open_pair(ends, SOCK_STREAM);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    victim = cel_spawn(read_until_cancelled, (void *)(intptr_t)ends[0]);
    LATER (cancel_victim, 0)
        assert_int_equal(cel_join(victim, NULL), 0);
    close_pair(ends);
    close_pair(pipes);
}

IN_TASK(deadline_ends_a_parked_call)
{
    int ends[2];
    char c;

    open_pair(ends, SOCK_STREAM);
    set_limit(ends[0], SO_RCVTIMEO, 900000);
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(read(ends[0], &c, 1), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    close_pair(ends);
}

IN_TASK(cancelled_task_still_gets_what_is_there)
{
    int ends[2];
    char c = 0;

    open_pair(ends, SOCK_STREAM);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(send(ends[1], "x", 1, 0), 1);
        assert_int_equal(read(ends[0], &c, 1), 1);
        assert_int_equal(read(ends[0], &c, 1), -1);
        assert_int_equal(errno, ECANCELED);
    }
    close_pair(ends);
}

static void *read_in_thread(void *arg)
{
    char c = 0;

    assert_int_equal(read((int)(intptr_t)arg, &c, 1), 1);
    return (void *)(intptr_t)c;
}

/* Not in a task: these block as ever. */
static void other_threads_block_as_ever(void **state)
{
    pthread_t thread;
    void *result;
    int ends[2];

    open_pair(ends, SOCK_STREAM);
    assert_int_equal(pthread_create(&thread, NULL, read_in_thread, (void *)(intptr_t)ends[0]), 0);
    assert_int_equal(write(ends[1], "t", 1), 1);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((intptr_t)result, 't');
    close_pair(ends);
}

IN_TASK(tasks_that_never_wait_let_others_run)
{
    int ends[2], rounds = 0, before = parks_seen;
    char c;

    open_pair(ends, SOCK_STREAM);
    LATER (say_x, ends[0]) {
        while (parks_seen == before) {
            assert_int_equal(write(ends[1], "z", 1), 1);
            assert_int_equal(read(ends[0], &c, 1), 1);
            rounds++;
        }
    }
    assert_true(rounds > 0);
    close_pair(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_is_active_when_linked_first),
        cmocka_unit_test(each_receive_parks_until_a_byte_comes),
        cmocka_unit_test(each_read_of_a_pipe_parks),
        cmocka_unit_test(reading_an_eventfd_parks),
        cmocka_unit_test(non_blocking_descriptors_pass_through),
        cmocka_unit_test(errors_are_those_of_libc),
        cmocka_unit_test(receive_timeout_says_eagain),
        cmocka_unit_test(send_timeout_tells_what_had_gone),
        cmocka_unit_test(each_send_goes_out_whole),
        cmocka_unit_test(each_write_to_a_pipe_goes_out_whole),
        cmocka_unit_test(pipes_of_old_kernels_work_too),
        cmocka_unit_test(waitall_waits_for_all),
        cmocka_unit_test(datagram_keeps_its_sender),
        cmocka_unit_test(unix_datagram_to_a_full_queue_parks),
        cmocka_unit_test(cancel_ends_a_parked_call),
        cmocka_unit_test(deadline_ends_a_parked_call),
        cmocka_unit_test(cancelled_task_still_gets_what_is_there),
        cmocka_unit_test(other_threads_block_as_ever),
        cmocka_unit_test(tasks_that_never_wait_let_others_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
