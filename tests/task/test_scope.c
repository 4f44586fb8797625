/* SPDX-License-Identifier: MIT */
/* Scopes: deadlines, cancellation, shields, groups. Named rules are those of
 * docs/design/cancellation.md. */
#include <errno.h>

#include <celadon/task.h>
#include "support/check.h"
#include "support/intask.h"

static void *sleep_forever(void *arg)
{
    int r = cel_sleep(CEL_MINUTE);

    if (arg != NULL)
        *(int *)arg = r;
    return r < 0 ? cel_fail(r, "sleeping") : arg;
}

IN_TASK(deadline_ends_a_sleep)
{
    int r = 0;

    CEL_SCOPE (s, .timeout = 2 * CEL_MILLISECOND)
        r = cel_sleep(CEL_MINUTE);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&s));
    assert_int_equal(cel_sleep(1), 0);
}

IN_TASK(deadline_unused_leaves_no_trace)
{
    CEL_SCOPE (s, .timeout = CEL_MINUTE)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_false(cel_scope_expired(&s));
}

IN_TASK(code_is_level_triggered_until_the_scope_is_left)
{
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND) {
        assert_int_equal(cel_sleep(CEL_MINUTE), -ETIMEDOUT);
        assert_int_equal(cel_sleep(1), -ETIMEDOUT);
        assert_int_equal(cel_yield(), -ETIMEDOUT);
        assert_int_equal(cel_checkpoint(), -ETIMEDOUT);
    }
    assert_int_equal(cel_checkpoint(), 0);
}

IN_TASK(outer_deadline_wins_over_inner)
{
    int inner_result = 0, outer_result = 0;
    bool inner_expired = true;

    CEL_SCOPE (outer, .timeout = 2 * CEL_MILLISECOND) {
        CEL_SCOPE (inner, .timeout = CEL_MINUTE)
            inner_result = cel_sleep(CEL_MINUTE);
        inner_expired = cel_scope_expired(&inner);
        outer_result = cel_checkpoint();
    }
    assert_int_equal(inner_result, -ECANCELED);
    assert_false(inner_expired);
    assert_int_equal(outer_result, -ETIMEDOUT);
    assert_true(cel_scope_expired(&outer));
}

IN_TASK(inner_deadline_leaves_outer_alone)
{
    CEL_SCOPE (outer, .timeout = CEL_MINUTE) {
        CEL_SCOPE (inner, .timeout = CEL_MILLISECOND)
            assert_int_equal(cel_sleep(CEL_MINUTE), -ETIMEDOUT);
        assert_true(cel_scope_expired(&inner));
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    }
    assert_false(cel_scope_expired(&outer));
}

IN_TASK(deadline_reaches_children)
{
    int result = 0;

    CEL_SCOPE (s, .timeout = 2 * CEL_MILLISECOND)
        assert_non_null(cel_spawn(sleep_forever, &result));
    assert_int_equal(result, -ECANCELED);
    assert_true(cel_scope_expired(&s));
}

IN_TASK(scope_waits_for_children)
{
    int64_t start = cel_now();
    int result;

    CEL_SCOPE (s) {
        assert_non_null(cel_spawn(sleep_forever, &result));
        cel_yield();
        cel_scope_cancel(&s);
    }
    assert_true(cel_now() - start < CEL_MINUTE);
}

IN_TASK(cancel_reaches_grandchildren)
{
    int results[3] = {0};

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            assert_non_null(cel_spawn(sleep_forever, &results[i]));
        cel_yield();
        cel_scope_cancel(&s);
        cel_scope_cancel(&s);
        assert_int_equal(cel_checkpoint(), -ECANCELED);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(results[i], -ECANCELED);
}

static void *shielded_cleanup(void *arg)
{
    int *results = arg;

    results[0] = cel_sleep(CEL_MINUTE);
    CEL_SCOPE (shield, .is_shielded = true)
        results[1] = cel_sleep(CEL_MILLISECOND);
    results[2] = cel_sleep(CEL_MILLISECOND);
    return NULL;
}

IN_TASK(shield_lets_cleanup_wait)
{
    int results[3] = {1, 1, 1};
    struct cel_task *t = cel_spawn(shielded_cleanup, results);

    cel_yield();
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), 0);
    assert_int_equal(results[0], -ECANCELED);
    assert_int_equal(results[1], 0);
    assert_int_equal(results[2], -ECANCELED);
}

IN_TASK(shield_is_bounded_by_its_own_deadline)
{
    CEL_SCOPE (shield, .is_shielded = true, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_sleep(CEL_MINUTE), -ETIMEDOUT);
}

static void *fail_soon(void *arg)
{
    cel_sleep(CEL_MILLISECOND);
    return cel_fail(-EIO, "first to fail");
}

IN_TASK(group_cancels_siblings_of_the_first_failure)
{
    int sibling = 0, own = 0;

    CEL_SCOPE (group, .is_group = true) {
        assert_non_null(cel_spawn(sleep_forever, &sibling));
        assert_non_null(cel_spawn(fail_soon, NULL));
        own = cel_sleep(CEL_MINUTE);
    }
    assert_int_equal(sibling, -ECANCELED);
    assert_int_equal(own, -ECANCELED);
    assert_int_equal(cel_scope_error(&group), -EIO);
    assert_string_equal(cel_last_error()->text, "first to fail: Input/output error");
    assert_int_equal(cel_checkpoint(), 0);
}

IN_TASK(plain_scope_lets_siblings_of_a_failure_run)
{
    struct cel_task *t = NULL;

    CEL_SCOPE (s) {
        t = cel_spawn(fail_soon, NULL);
        assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
        assert_int_equal(cel_outcome(t), -EIO);
    }
    assert_int_equal(cel_scope_error(&s), 0);
}

static void *return_from_scope(void *arg)
{
    CEL_SCOPE (s, .timeout = CEL_MINUTE) {
        if (arg == NULL)
            return "early";
        cel_yield();
    }
    return "late";
}

IN_TASK(return_inside_leaves_the_scope)
{
    void *value = NULL;

    assert_int_equal(cel_join(cel_spawn(return_from_scope, NULL), &value), 0);
    assert_string_equal(value, "early");
}

IN_TASK(deadline_can_be_moved)
{
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND) {
        cel_scope_set_deadline(&s, CEL_FOREVER);
        assert_int_equal(cel_sleep(3 * CEL_MILLISECOND), 0);
        cel_scope_set_deadline(&s, cel_now() + CEL_MILLISECOND);
        assert_int_equal(cel_sleep(CEL_MINUTE), -ETIMEDOUT);
    }
}

IN_TASK(deadline_in_the_past_ends_the_first_call)
{
    CEL_SCOPE (s, .deadline = 1)
        assert_int_equal(cel_sleep(1), -ETIMEDOUT);
}

static void *starts_cancelled(void *arg)
{
    *(int *)arg = cel_checkpoint();
    return NULL;
}

IN_TASK(task_spawned_into_a_cancelled_scope_starts_and_sees_it)
{
    int seen = 0;

    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_non_null(cel_spawn(starts_cancelled, &seen));
    }
    assert_int_equal(seen, -ECANCELED);
}

static void *nest(void *arg)
{
    intptr_t depth = (intptr_t)arg;

    if (depth == 0)
        return sleep_forever(NULL);
    if (cel_go(nest, (void *)(depth - 1)) < 0)
        return cel_fail(-ENOMEM, "nesting");
    return NULL;
}

IN_TASK(cancel_walks_deep_trees_without_recursion)
{
    struct cel_task *t = cel_spawn(nest, (void *)5000);

    for (int i = 0; i < 5100; i++)
        cel_yield();
    assert_false(cel_is_done(t));
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_ends_a_sleep),
        cmocka_unit_test(deadline_unused_leaves_no_trace),
        cmocka_unit_test(code_is_level_triggered_until_the_scope_is_left),
        cmocka_unit_test(outer_deadline_wins_over_inner),
        cmocka_unit_test(inner_deadline_leaves_outer_alone),
        cmocka_unit_test(deadline_reaches_children),
        cmocka_unit_test(scope_waits_for_children),
        cmocka_unit_test(cancel_reaches_grandchildren),
        cmocka_unit_test(shield_lets_cleanup_wait),
        cmocka_unit_test(shield_is_bounded_by_its_own_deadline),
        cmocka_unit_test(group_cancels_siblings_of_the_first_failure),
        cmocka_unit_test(plain_scope_lets_siblings_of_a_failure_run),
        cmocka_unit_test(return_inside_leaves_the_scope),
        cmocka_unit_test(deadline_can_be_moved),
        cmocka_unit_test(deadline_in_the_past_ends_the_first_call),
        cmocka_unit_test(task_spawned_into_a_cancelled_scope_starts_and_sees_it),
        cmocka_unit_test(cancel_walks_deep_trees_without_recursion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
