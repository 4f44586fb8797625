/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "celadon/signal.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

static const int both[] = {SIGUSR1, SIGUSR2};

static bool is_blocked(int signo)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, signo);
}

IN_TASK(signals_are_told_in_order_and_once)
{
    struct cel_signals *s;

    assert_int_equal(cel_signals_open(&s, both, 2), 0);
    assert_true(is_blocked(SIGUSR1));
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(cel_signals_next(s), SIGUSR2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cel_signals_next(s), SIGUSR1);
    CEL_SCOPE (scope, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_signals_next(s), -ETIMEDOUT);
    cel_signals_close(s);
    cel_signals_close(NULL);
    assert_false(is_blocked(SIGUSR1));
}

IN_TASK(signals_that_come_between_waits_are_kept)
{
    struct cel_signals *s;

    assert_int_equal(cel_signals_open(&s, both, 2), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_signals_next(s), SIGUSR1);
    assert_int_equal(cel_signals_next(s), SIGUSR2);
    cel_signals_close(s);
}

static void *wait_one(void *arg)
{
    return (void *)(intptr_t)cel_signals_next(arg);
}

static void *wait_alone(void *arg)
{
    return (void *)(intptr_t)cel_signal_wait(arg, 2);
}

IN_TASK(signals_go_one_to_each_who_waits)
{
    struct cel_signals *s;
    struct cel_task *t[2];
    void *got[2];

    assert_int_equal(cel_signals_open(&s, both, 2), 0);
    for (int i = 0; i < 2; i++)
        t[i] = cel_spawn(wait_one, s);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(cel_gather(t, 2, got), 0);
    assert_int_equal((intptr_t)got[0] + (intptr_t)got[1], SIGUSR1 + SIGUSR2);
    cel_signals_close(s);
}

IN_TASK(signal_wait_watches_while_it_waits)
{
    struct cel_task *t[2];
    void *got[2];

    for (int i = 0; i < 2; i++)
        t[i] = cel_spawn(wait_alone, (void *)both);
    assert_int_equal(cel_yield(), 0);
    assert_true(is_blocked(SIGUSR2));
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(cel_gather(t, 2, got), 0);
    assert_int_equal((intptr_t)got[0], SIGUSR2);
    assert_int_equal((intptr_t)got[1], SIGUSR2);
    assert_false(is_blocked(SIGUSR2));
}

IN_TASK(signals_that_cannot_be_watched_are_refused)
{
    const int mixed[] = {SIGUSR1, SIGKILL};
    struct cel_signals *s;

    assert_int_equal(cel_signals_open(&s, mixed, 2), -EINVAL);
    assert_false(is_blocked(SIGUSR1));
    assert_int_equal(cel_signals_open(&s, mixed, 0), -EINVAL);
    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        assert_int_equal(cel_signal_wait(both, 2), -ECANCELED);
    }
}

static void *watch(void *arg)
{
    struct cel_signals *s;
    int *code = arg;

    *code = cel_signals_open(&s, both, 2);
    if (*code < 0)
        return NULL;
    raise(SIGUSR1);
    *code = cel_signals_next(s);
    cel_signals_close(s);
    return NULL;
}

static int watch_once(void *arg)
{
    int code = -EIO, r = cel_run(watch, &code, NULL);

    return r < 0 ? r : code;
}

static void signals_survive_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(watch_once, NULL) > 3);
}

/* ---- closing ---- */

struct closing {
    bool has_begun;
    int64_t since, longest; /* in the kernel */
};

static void before_block(void *arg)
{
    struct closing *c = arg;

    c->since = cel_now();
}

static void after_block(void *arg)
{
    struct closing *c = arg;

    if (c->has_begun && cel_now() - c->since > c->longest)
        c->longest = cel_now() - c->since;
}

static void *wait_for_one(void *arg)
{
    *(int *)arg = cel_signal_wait(both, 2); /* parks */
    return NULL;
}

static int last_result;

static void *leave_a_waiter(void *arg)
{
    assert_int_equal(cel_background(wait_for_one, &last_result), 0);
    cel_sleep(CEL_MILLISECOND); /* parks */
    ((struct closing *)arg)->has_begun = true;
    return NULL;
}

/* The loop slept for all of its five seconds when its last task had ended, while the watching of
 * signals was still in flight. */
static void loop_closes_at_once_when_its_last_task_has_ended(void **state)
{
    struct closing c = {0};
    struct cel_loop_options options = {
        .before_block = before_block, .after_block = after_block, .hook_arg = &c};

    last_result = 0;
    assert_int_equal(cel_run_with(&options, leave_a_waiter, &c, NULL), 0);
    assert_int_equal(last_result, -ECANCELED);
    assert_true(c.has_begun);
    assert_true(c.longest < 4 * CEL_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_told_in_order_and_once),
        cmocka_unit_test(signals_that_come_between_waits_are_kept),
        cmocka_unit_test(signals_go_one_to_each_who_waits),
        cmocka_unit_test(signal_wait_watches_while_it_waits),
        cmocka_unit_test(signals_that_cannot_be_watched_are_refused),
        cmocka_unit_test(signals_survive_each_failed_allocation),
        cmocka_unit_test(loop_closes_at_once_when_its_last_task_has_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
