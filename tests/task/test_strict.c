/* SPDX-License-Identifier: MIT */
/* CELADON_DEBUG=1: a task that was cancelled and does not take notice. */
#include <celadon/celadon.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static char logged[1 << 14];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t len = strlen(logged);

    snprintf(logged + len, sizeof logged - len, "%s\n", line);
}

static void run_strictly(cel_task_fn *fn, int *calls)
{
    logged[0] = '\0';
    setenv("CELADON_DEBUG", "1", 1);
    cel_set_log(keep_log, NULL);
    assert_int_equal(cel_run(fn, calls, NULL), 0);
    cel_set_log(NULL, NULL);
    unsetenv("CELADON_DEBUG");
}

static unsigned reports(void)
{
    unsigned n = 0;

    for (const char *at = logged; (at = strstr(at, "goes on in a scope that has ended")); at++)
        n++;
    return n;
}

__attribute__((noinline)) static void be_deaf(int calls)
{
    for (int i = 0; i < calls; i++)
        assert_int_equal(cel_sleep(CEL_SECOND), -ECANCELED);
    __asm__ volatile("");
}

static void *swallow(void *arg)
{
    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        be_deaf(*(int *)arg);
    }
    return arg;
}

static void *swallow_in_scopes(void *arg)
{
    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        for (int i = 0; i < *(int *)arg; i++) {
            CEL_SCOPE (again, .timeout = CEL_SECOND)
                be_deaf(1);
        }
    }
    return arg;
}

static void *swallow_at_locks(void *arg)
{
    struct cel_lock lock = CEL_LOCK_INIT;

    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        for (int i = 0; i < *(int *)arg; i++)
            assert_int_equal(cel_lock_acquire(&lock), -ECANCELED);
    }
    return arg;
}

static void *clean_up_under_shields(void *arg)
{
    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        for (int i = 0; i < *(int *)arg; i++) {
            CEL_SCOPE (shield, .is_shielded = true)
                assert_int_equal(cel_sleep(1), 0);
        }
    }
    return arg;
}

/* Each scope is another cancel. */
static void *is_cancelled_often(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++) {
        CEL_SCOPE (scope) {
            cel_scope_cancel(&scope);
            be_deaf(1);
        }
    }
    return arg;
}

static void swallowed_cancel_is_reported_once_with_a_backtrace(void **state)
{
    int calls = 1000;

    run_strictly(swallow, &calls);
    assert_int_equal(reports(), 1);
    assert_non_null(strstr(logged, "main (spawned by cel_run)"));
    assert_non_null(strstr(logged, "more than 100 calls returned ECANCELED"));
    assert_non_null(strstr(logged, " be_deaf+0x"));
}

static void swallowed_cancel_of_a_hundred_calls_is_allowed(void **state)
{
    int calls = 100;

    run_strictly(swallow, &calls);
    assert_int_equal(reports(), 0);
    calls++;
    run_strictly(swallow, &calls);
    assert_int_equal(reports(), 1);
}

static void swallowed_cancel_is_seen_through_inner_scopes(void **state)
{
    int calls = 101;

    run_strictly(swallow_in_scopes, &calls);
    assert_int_equal(reports(), 1);
}

static void swallowed_cancel_is_seen_at_free_locks(void **state)
{
    int calls = 101;

    run_strictly(swallow_at_locks, &calls);
    assert_int_equal(reports(), 1);
}

static void cleaning_up_under_shields_is_no_swallowing(void **state)
{
    int calls = 300;

    run_strictly(clean_up_under_shields, &calls);
    assert_int_equal(reports(), 0);
    run_strictly(is_cancelled_often, &calls);
    assert_int_equal(reports(), 0);
}

static void swallowed_cancel_without_debug_mode_is_silent(void **state)
{
    int calls = 1000;

    logged[0] = '\0';
    cel_set_log(keep_log, NULL);
    assert_int_equal(cel_run(swallow, &calls, NULL), 0);
    cel_set_log(NULL, NULL);
    assert_string_equal(logged, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swallowed_cancel_is_reported_once_with_a_backtrace),
        cmocka_unit_test(swallowed_cancel_of_a_hundred_calls_is_allowed),
        cmocka_unit_test(swallowed_cancel_is_seen_through_inner_scopes),
        cmocka_unit_test(swallowed_cancel_is_seen_at_free_locks),
        cmocka_unit_test(cleaning_up_under_shields_is_no_swallowing),
        cmocka_unit_test(swallowed_cancel_without_debug_mode_is_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
