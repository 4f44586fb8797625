/* SPDX-License-Identifier: MIT */
/* poll, select, epoll_wait and the sleep family from tasks. Limits that pass are told by their
 * result, and by the clock only as "not before". */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"
#include "support/fault.h"

static int pairs[3][2];

static void open_pairs(void)
{
    for (int i = 0; i < 3; i++)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]), 0);
}

static void close_pairs(void)
{
    for (int i = 0; i < 3; i++) {
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}

static void say_x(int fd)
{
    assert_int_equal(send(fd, "x", 1, MSG_DONTWAIT), 1);
}

static void nothing(int fd)
{
}

static void green_is_active_when_linked_first(void **state)
{
    assert_true(cel_green_is_active());
}

static void fill(struct pollfd fds[5])
{
    fds[0] = (struct pollfd){.fd = pairs[0][0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = -1, .events = POLLIN, .revents = 77};
    fds[2] = (struct pollfd){.fd = pairs[1][0], .events = POLLIN};
    fds[3] = (struct pollfd){.fd = pairs[1][0], .events = POLLIN}; /* twice is allowed */
    fds[4] = (struct pollfd){.fd = pairs[2][0], .events = 0};
}

IN_TASK(poll_parks_until_one_of_several_is_ready)
{
    struct pollfd fds[5];

    open_pairs();
    fill(fds);
    LATER (say_x, pairs[1][1])
        assert_int_equal(poll(fds, 5, -1), 2);
    assert_int_equal(fds[0].revents, 0);
    assert_int_equal(fds[1].revents, 0);
    assert_int_equal(fds[2].revents, POLLIN);
    assert_int_equal(fds[3].revents, POLLIN);
    assert_int_equal(fds[4].revents, 0);
    close_pairs();
}

IN_TASK(ppoll_parks_and_tells_a_hang_up)
{
    struct pollfd fds[5];
    struct timespec minute = {.tv_sec = 60};

    open_pairs();
    fill(fds);
    LATER (nothing, 0) {
        shutdown(pairs[2][1], SHUT_RDWR);
        assert_int_equal(ppoll(fds, 5, &minute, NULL), 1);
    }
    assert_int_equal(fds[4].revents, POLLHUP);
    close_pairs();
}

IN_TASK(poll_limits_pass)
{
    struct pollfd one = {.events = POLLIN, .revents = 9};
    struct timespec few = {.tv_nsec = 2000000};
    int64_t begin = cel_now();

    open_pairs();
    one.fd = pairs[0][0];
    assert_int_equal(poll(&one, 1, 0), 0);
    LATER (nothing, 0)
        assert_int_equal(poll(&one, 1, 2), 0);
    assert_int_equal(one.revents, 0);
    assert_int_equal(ppoll(&one, 1, &few, NULL), 0);
    assert_int_equal(poll(NULL, 0, 2), 0);
    assert_true(cel_now() - begin >= 6 * CEL_MILLISECOND);
    one.fd = 1000000;
    assert_int_equal(poll(&one, 1, -1), 1);
    assert_int_equal(one.revents, POLLNVAL);
    few.tv_nsec = -1;
    assert_int_equal(ppoll(&one, 1, &few, NULL), -1);
    assert_int_equal(errno, EINVAL);
    close_pairs();
}

IN_TASK(poll_ends_with_its_scope)
{
    struct pollfd one = {.events = POLLIN};

    open_pairs();
    one.fd = pairs[0][0];
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(poll(&one, 1, 60000), -1);
        assert_int_equal(errno, ETIMEDOUT);
        assert_int_equal(poll(NULL, 0, -1), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(poll(&one, 1, 60000), -1);
        assert_int_equal(errno, ECANCELED);
        assert_int_equal(send(pairs[0][1], "x", 1, 0), 1);
        assert_int_equal(poll(&one, 1, 60000), 1); /* what is there is told */
    }
    close_pairs();
}

static void sets_of(fd_set *in, fd_set *out, fd_set *except)
{
    FD_ZERO(in);
    FD_ZERO(out);
    FD_ZERO(except);
    for (int i = 0; i < 3; i++) {
        FD_SET(pairs[i][0], in);
        FD_SET(pairs[i][0], except);
    }
}

IN_TASK(select_parks_and_tells_its_sets)
{
    struct timeval minute = {.tv_sec = 60};
    struct timespec hour = {.tv_sec = 3600};
    fd_set in, out, except;
    int top;

    open_pairs();
    top = pairs[2][1] + 1;
    sets_of(&in, &out, &except);
    LATER (say_x, pairs[1][1])
        assert_int_equal(select(top, &in, &out, &except, &minute), 1);
    assert_true(FD_ISSET(pairs[1][0], &in));
    assert_false(FD_ISSET(pairs[0][0], &in));
    assert_false(FD_ISSET(pairs[1][0], &except));
    assert_true(minute.tv_sec < 60); /* what is left */
    FD_SET(pairs[0][0], &out);
    assert_int_equal(select(top, &in, &out, NULL, NULL), 2);
    sets_of(&in, &out, &except);
    FD_CLR(pairs[1][0], &in);
    LATER (say_x, pairs[2][1])
        assert_int_equal(pselect(top, &in, NULL, NULL, &hour, NULL), 1);
    assert_true(FD_ISSET(pairs[2][0], &in));
    close_pairs();
}

IN_TASK(select_limit_passes)
{
    struct timeval few = {.tv_usec = 2000}, nap = {.tv_usec = 1000};
    fd_set in, out, except;

    open_pairs();
    sets_of(&in, &out, &except);
    assert_int_equal(select(pairs[2][1] + 1, &in, NULL, NULL, &few), 0);
    assert_false(FD_ISSET(pairs[0][0], &in));
    assert_int_equal(few.tv_sec + few.tv_usec, 0);
    LATER (nothing, 0)
        assert_int_equal(select(0, NULL, NULL, NULL, &nap), 0);
    close_pairs();
    FD_ZERO(&in);
    FD_SET(pairs[0][0], &in);
    assert_int_equal(select(pairs[2][1] + 1, &in, NULL, NULL, NULL), -1);
    assert_int_equal(errno, EBADF);
}

IN_TASK(hang_up_that_select_does_not_tell_is_no_busy_loop)
{
    struct timeval few = {.tv_usec = 20000};
    fd_set except;

    open_pairs();
    shutdown(pairs[0][1], SHUT_RDWR);
    FD_ZERO(&except);
    FD_SET(pairs[0][0], &except);
    LATER (nothing, 0)
        assert_int_equal(select(pairs[0][0] + 1, NULL, NULL, &except, &few), 0);
    close_pairs();
}

IN_TASK(epoll_wait_parks)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42}, got = {0};
    int ep = epoll_create1(EPOLL_CLOEXEC);

    open_pairs();
    assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, pairs[0][0], &event), 0);
    assert_int_equal(epoll_wait(ep, &got, 1, 2), 0);
    LATER (say_x, pairs[0][1])
        assert_int_equal(epoll_wait(ep, &got, 1, -1), 1);
    assert_int_equal(got.data.u64, 42);
    assert_int_equal(epoll_pwait(ep, &got, 1, -1, NULL), 1);
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        char c;

        assert_int_equal(recv(pairs[0][0], &c, 1, 0), 1);
        assert_int_equal(epoll_wait(ep, &got, 1, -1), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    close(ep);
    close_pairs();
}

IN_TASK(each_sleep_parks_for_at_least_its_time)
{
    struct timespec few = {.tv_nsec = 2000000}, at;
    int64_t begin = cel_now();
    int before = parks_seen;

    LATER (nothing, 0)
        assert_int_equal(nanosleep(&few, NULL), 0);
    LATER (nothing, 0)
        assert_int_equal(usleep(2000), 0);
    LATER (nothing, 0)
        assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &few, NULL), 0);
    assert_int_equal(parks_seen, before + 3);
    assert_true(cel_now() - begin >= 6 * CEL_MILLISECOND);
    assert_int_equal(sleep(0), 0);
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += 2000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    LATER (nothing, 0)
        assert_int_equal(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL), 0);
    at.tv_sec -= 100;
    assert_int_equal(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL), 0);
    few.tv_nsec = 1000000000;
    assert_int_equal(nanosleep(&few, NULL), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &few, NULL), EINVAL);
}

IN_TASK(cancelled_sleeps_tell_what_is_left)
{
    struct timespec minute = {.tv_sec = 60}, left = {0};

    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(nanosleep(&minute, &left), -1);
        assert_int_equal(errno, ETIMEDOUT);
        assert_int_equal(left.tv_sec, 59);
        assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &minute, NULL), ETIMEDOUT);
        assert_int_equal(usleep(100), -1);
        assert_int_equal(sleep(60), 60);
        assert_int_equal(errno, ETIMEDOUT);
    }
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(nanosleep(&minute, NULL), -1);
        assert_int_equal(errno, ECANCELED);
    }
}

/* What waits for many descriptors needs memory: without it the call fails, and says so. */
static void *poll_many(void *arg)
{
    struct pollfd fds[20];
    int *code = arg, r;

    for (int i = 0; i < 20; i++)
        fds[i] = (struct pollfd){.fd = pairs[i % 3][0], .events = POLLIN};
    r = poll(fds, 20, 1);
    *code = r < 0 ? -errno : r;
    return NULL;
}

static int poll_once(void *arg)
{
    int code = 0, r = cel_run(poll_many, &code, NULL);

    return r < 0 ? r : code;
}

static void failed_allocations_are_told(void **state)
{
    open_pairs();
    assert_true(fault_every_alloc(poll_once, NULL) > 3);
    close_pairs();
}

/* Outside of tasks nobody else could run: the thread sleeps. */
static void other_threads_sleep_as_ever(void **state)
{
    struct timespec few = {.tv_nsec = 1000000};
    struct timeval short_time = {.tv_usec = 1000};
    int64_t begin = cel_now();

    assert_int_equal(nanosleep(&few, NULL), 0);
    assert_int_equal(usleep(1000), 0);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, 0, &few, NULL), 0);
    assert_int_equal(poll(NULL, 0, 1), 0);
    assert_int_equal(select(0, NULL, NULL, NULL, &short_time), 0);
    assert_int_equal(sleep(0), 0);
    assert_true(cel_now() - begin >= 5 * CEL_MILLISECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_is_active_when_linked_first),
        cmocka_unit_test(poll_parks_until_one_of_several_is_ready),
        cmocka_unit_test(ppoll_parks_and_tells_a_hang_up),
        cmocka_unit_test(poll_limits_pass),
        cmocka_unit_test(poll_ends_with_its_scope),
        cmocka_unit_test(select_parks_and_tells_its_sets),
        cmocka_unit_test(select_limit_passes),
        cmocka_unit_test(hang_up_that_select_does_not_tell_is_no_busy_loop),
        cmocka_unit_test(epoll_wait_parks),
        cmocka_unit_test(each_sleep_parks_for_at_least_its_time),
        cmocka_unit_test(cancelled_sleeps_tell_what_is_left),
        cmocka_unit_test(failed_allocations_are_told),
        cmocka_unit_test(other_threads_sleep_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
