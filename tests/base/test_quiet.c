/* SPDX-License-Identifier: MIT */
/* A broken pipe raises nothing, and what was pending or blocked before stays so. */
#include "base/quiet.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"

static ssize_t write_to_nobody(void)
{
    struct cel__quiet quiet;
    int fds[2];
    ssize_t n;

    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    cel__quiet_begin(&quiet);
    n = cel__quiet_end(&quiet, write(fds[1], "x", 1));
    close(fds[1]);
    return n;
}

static bool is_blocked(void)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, SIGPIPE);
}

static bool is_pending(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGPIPE);
}

static void quiet_call_tells_what_it_came_to(void **state)
{
    struct cel__quiet quiet;

    cel__quiet_begin(&quiet);
    assert_true(is_blocked());
    assert_int_equal(cel__quiet_end(&quiet, 7), 7);
    assert_false(is_blocked());
    cel__quiet_begin(&quiet);
    errno = EAGAIN;
    assert_int_equal(cel__quiet_end(&quiet, -1), -EAGAIN);
}

static void broken_pipe_raises_nothing(void **state)
{
    assert_int_equal(write_to_nobody(), -EPIPE); /* else the program ends here */
    assert_false(is_pending());
    assert_false(is_blocked());
}

static void blocked_signal_stays_blocked_and_is_not_left_pending(void **state)
{
    sigset_t pipe_only, before;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    assert_int_equal(write_to_nobody(), -EPIPE);
    assert_true(is_blocked());
    assert_false(is_pending());
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void pending_signal_of_others_stays(void **state)
{
    static const struct timespec at_once;
    sigset_t pipe_only, before;

    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    assert_int_equal(pthread_kill(pthread_self(), SIGPIPE), 0);
    assert_int_equal(write_to_nobody(), -EPIPE);
    assert_true(is_pending());
    assert_int_equal(sigtimedwait(&pipe_only, NULL, &at_once), SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet_call_tells_what_it_came_to),
        cmocka_unit_test(broken_pipe_raises_nothing),
        cmocka_unit_test(blocked_signal_stays_blocked_and_is_not_left_pending),
        cmocka_unit_test(pending_signal_of_others_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
