/* SPDX-License-Identifier: MIT */
/* Foreign descriptors: one direction, both, several of them, and several who wait for one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "celadon/net.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

static void open_pairs(int (*ends)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[i]), 0);
}

static void close_pairs(int (*ends)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
}

static void fill(int fd)
{
    static char bytes[65536];

    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static void drain(int fd)
{
    static char bytes[65536];

    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static void *poke(void *arg)
{
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(write((int)(intptr_t)arg, "x", 1), 1);
    return NULL;
}

IN_TASK(both_directions_are_waited_for_at_once)
{
    int ends[1][2];

    open_pairs(ends, 1);
    assert_int_equal(cel_wait_fd(ends[0][0], POLLIN | POLLOUT), POLLOUT);
    fill(ends[0][0]);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(poke, (void *)(intptr_t)ends[0][1]), 0);
        assert_int_equal(cel_wait_fd(ends[0][0], POLLIN | POLLOUT), POLLIN);
    }
    close_pairs(ends, 1);
}

IN_TASK(first_of_several_ends_the_wait)
{
    enum { MANY = 20 };
    struct pollfd fds[MANY];
    int ends[MANY][2];
    size_t before;

    open_pairs(ends, MANY);
    before = fault_open_fds();
    for (int i = 0; i < MANY; i++)
        fds[i] = (struct pollfd){.fd = i == 3 ? -1 : ends[i][0], .events = POLLIN, .revents = 99};
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_wait_fds(fds, MANY), -ETIMEDOUT);
    assert_int_equal(fds[5].revents, 0);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(poke, (void *)(intptr_t)ends[7][1]), 0);
        assert_int_equal(cel_wait_fds(fds, MANY), 1);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(fds[i].revents, i == 7 ? POLLIN : 0);
    fds[2].events = POLLOUT;
    assert_int_equal(cel_wait_fds(fds, MANY), 2);
    assert_int_equal(fds[2].revents, POLLOUT);
    assert_int_equal(cel_wait_fds(fds, 0), -EINVAL);
    assert_int_equal(cel_wait_fds(&fds[3], 1), -EINVAL);
    fds[3] = (struct pollfd){.fd = ends[7][0], .events = POLLOUT}; /* the same one twice */
    assert_int_equal(cel_wait_fds(&fds[3], 5), 2);
    CEL_SCOPE (s2) {
        cel_scope_cancel(&s2);
        assert_int_equal(cel_wait_fds(fds, MANY), -ECANCELED);
    }
    assert_int_equal(fault_open_fds(), before);
    close_pairs(ends, MANY);
}

static void *wait_in(void *arg)
{
    struct pollfd p = {.fd = (int)(intptr_t)arg, .events = POLLIN};

    return (void *)(intptr_t)cel_wait_fds(&p, 1);
}

static void *drain_soon(void *arg)
{
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    drain((int)(intptr_t)arg);
    return NULL;
}

static void *await_byte(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char byte;

    assert_int_equal(cel_wait_fd(fd, POLLIN), POLLIN);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
    return NULL;
}

/* epoll went on to watch the file by the number of a copy that was closed: the next copy of that
 * number was refused, or not told. */
IN_KERNEL(second_task_waits_for_one_descriptor_again_and_again)
{
    int ends[1][2];

    open_pairs(ends, 1);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(await_byte, (void *)(intptr_t)ends[0][0]), 0);
        assert_int_equal(cel_yield(), 0);
        for (int i = 0; i < 5; i++) {
            struct pollfd one = {.fd = ends[0][0], .events = POLLOUT};

            fill(ends[0][0]);
            assert_int_equal(cel_go(drain_soon, (void *)(intptr_t)ends[0][1]), 0);
            assert_int_equal(cel_wait_fd(ends[0][0], POLLOUT), POLLOUT);
            fill(ends[0][0]);
            assert_int_equal(cel_go(drain_soon, (void *)(intptr_t)ends[0][1]), 0);
            assert_int_equal(cel_wait_fds(&one, 1), 1);
        }
        assert_int_equal(write(ends[0][1], "x", 1), 1);
    }
    close_pairs(ends, 1);
}

IN_TASK(several_tasks_wait_for_one)
{
    struct cel_task *t[3];
    void *n[3];
    int ends[1][2];

    open_pairs(ends, 1);
    for (int i = 0; i < 3; i++)
        t[i] = cel_spawn(wait_in, (void *)(intptr_t)ends[0][0]);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_wait_fd(ends[0][0], POLLOUT), POLLOUT);
    assert_int_equal(write(ends[0][1], "x", 1), 1);
    assert_int_equal(cel_gather(t, 3, n), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal((intptr_t)n[i], 1);
    close_pairs(ends, 1);
}

static int64_t results[3];

static void keep(void *arg, int64_t result)
{
    *(int64_t *)arg = result;
}

/* One record with three ops: none stands in the way of another. */
IN_TASK(polls_of_one_handle_do_not_hold_each_other_up)
{
    struct cel_handle *h;
    struct cel_op *in;
    int ends[1][2];
    char buf[4];

    open_pairs(ends, 1);
    fill(ends[0][0]);
    results[0] = results[1] = results[2] = 0;
    assert_int_equal(cel_handle_open(cel_loop_current(), &h, ends[0][0], false), 0);
    assert_int_equal(cel_op_poll(h, POLLRDHUP, keep, &results[0], &in), 0); /* will not come */
    assert_int_equal(cel_op_poll(h, POLLOUT, keep, &results[1], NULL), 0);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(results[1], 0);
    drain(ends[0][1]);
    while (results[1] == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(results[1], POLLOUT);
    assert_int_equal(write(ends[0][1], "abc", 3), 3);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_op_read(h, buf, sizeof buf, keep, &results[2], NULL), 0);
    while (results[2] == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(results[2], 3);
    assert_int_equal(results[0], 0);
    cel_op_cancel(in);
    while (results[0] == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(results[0], -ECANCELED);
    cel_handle_close(h);
    close_pairs(ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_are_waited_for_at_once),
        cmocka_unit_test(first_of_several_ends_the_wait),
        cmocka_unit_test(second_task_waits_for_one_descriptor_again_and_again),
        cmocka_unit_test(several_tasks_wait_for_one),
        cmocka_unit_test(polls_of_one_handle_do_not_hold_each_other_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
