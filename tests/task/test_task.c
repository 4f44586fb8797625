/* SPDX-License-Identifier: MIT */
/* Tasks, futures and waiting for several: what asyncio's users rely on. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <celadon/task.h>
#include "support/check.h"
#include "support/intask.h"

static char trace[256];

static void note(char c)
{
    size_t n = strlen(trace);

    trace[n] = c;
    trace[n + 1] = '\0';
}

static void *note_and_return(void *arg)
{
    note(*(char *)arg);
    return arg;
}

static void *sleep_ms(void *arg)
{
    int r = cel_sleep((intptr_t)arg * CEL_MILLISECOND);

    return r < 0 ? cel_fail(r, "sleeping") : arg;
}

static void *fail_after_ms(void *arg)
{
    int r = cel_sleep((intptr_t)arg * CEL_MILLISECOND);

    return cel_fail(r < 0 ? r : -EIO, "planned after %d ms", (int)(intptr_t)arg);
}

IN_TASK(spawn_never_switches)
{
    struct cel_task *t;

    trace[0] = '\0';
    t = cel_spawn(note_and_return, "b");
    note('a');
    assert_int_equal(cel_join(t, NULL), 0);
    assert_string_equal(trace, "ab");
}

IN_TASK(join_gives_the_value)
{
    void *value = NULL;

    assert_int_equal(cel_join(cel_spawn(sleep_ms, (void *)3), &value), 0);
    assert_ptr_equal(value, (void *)3);
}

IN_TASK(join_of_failed_task_gives_code_and_words)
{
    struct cel_task *t = cel_spawn(fail_after_ms, (void *)1);

    assert_int_equal(cel_await(t, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t), -EIO);
    assert_int_equal(cel_last_error()->code, -EIO);
    assert_string_equal(cel_last_error()->text, "planned after 1 ms: Input/output error");
    cel_task_free(t);
}

static void *wrap_failure(void *arg)
{
    int r = cel_join(cel_spawn(fail_after_ms, (void *)1), NULL);

    assert_int_equal(r, -CEL_EFAILED);
    return cel_fail(cel_last_error()->code, "outer");
}

IN_TASK(failure_keeps_its_cause_when_passed_on)
{
    assert_int_equal(cel_join(cel_spawn(wrap_failure, NULL), NULL), -CEL_EFAILED);
    assert_string_equal(cel_last_error()->text, "outer: planned after 1 ms: Input/output error");
}

IN_TASK(await_twice_gives_the_same_value)
{
    struct cel_task *t = cel_spawn(sleep_ms, (void *)1);
    void *value = NULL;

    assert_int_equal(cel_await(t, NULL), 0);
    assert_int_equal(cel_await(t, &value), 0);
    assert_ptr_equal(value, (void *)1);
    assert_ptr_equal(cel_value(t), (void *)1);
}

static void *await_it(void *arg)
{
    void *value;
    int r = cel_await((struct cel_future *)arg, &value);

    if (r == 0)
        note(*(char *)value);
    return r < 0 ? cel_fail(r, "awaiting") : value;
}

IN_TASK(future_wakes_many_in_order)
{
    struct cel_future *f = cel_future_new();
    struct cel_task *t[3];

    trace[0] = '\0';
    for (int i = 0; i < 3; i++)
        t[i] = cel_spawn(await_it, f);
    cel_yield();
    assert_false(cel_is_done(f));
    assert_int_equal(cel_future_set(f, "x"), 0);
    assert_int_equal(cel_future_set(f, "y"), -EALREADY);
    assert_int_equal(cel_gather(t, 3, NULL), 0);
    assert_string_equal(trace, "xxx");
    cel_future_free(f);
}

IN_TASK(future_cancel_reaches_who_waits)
{
    struct cel_future *f = cel_future_new();
    struct cel_task *t = cel_spawn(await_it, f);

    cel_yield();
    assert_int_equal(cel_future_cancel(f), 0);
    assert_int_equal(cel_await(t, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t), -CEL_EFAILED);
    assert_int_equal(cel_outcome(f), -ECANCELED);
    cel_future_free(f);
}

IN_TASK(future_failure_carries_words)
{
    struct cel_future *f = cel_future_new();

    cel_future_fail(f, -ENOENT, "no %s", "luck");
    assert_int_equal(cel_await(f, NULL), -CEL_EFAILED);
    assert_string_equal(cel_last_error()->text, "no luck");
    cel_future_free(f);
}

static void note_done(void *arg)
{
    note(*(char *)arg);
}

IN_TASK(callback_runs_in_a_turn_not_inside_set)
{
    struct cel_future *f = cel_future_new();

    trace[0] = '\0';
    assert_int_equal(cel_on_done(f, note_done, "c"), 0);
    cel_future_set(f, NULL);
    assert_string_equal(trace, "");
    cel_sleep(CEL_MILLISECOND);
    assert_string_equal(trace, "c");
    cel_future_free(f);
}

IN_TASK(gather_keeps_order_of_arguments)
{
    struct cel_task *t[20];
    void *values[20];

    for (intptr_t i = 0; i < 20; i++)
        t[i] = cel_spawn(sleep_ms, (void *)(20 - i));
    assert_int_equal(cel_gather(t, 20, values), 0);
    for (intptr_t i = 0; i < 20; i++)
        assert_ptr_equal(values[i], (void *)(20 - i));
}

IN_TASK(gather_fails_fast_and_ends_the_others)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)60000), cel_spawn(fail_after_ms, (void *)1),
                            cel_spawn(sleep_ms, (void *)60000)};

    assert_int_equal(cel_gather(t, 3, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    assert_int_equal(cel_outcome(t[1]), -EIO);
    assert_int_equal(cel_outcome(t[2]), -ECANCELED);
    assert_int_equal(cel_last_error()->code, -EIO);
}

static void *gather_and_pass_on(void *arg)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)60000),
                            cel_spawn(fail_after_ms, (void *)1)};

    assert_int_equal(cel_gather(t, 2, NULL), -CEL_EFAILED);
    return cel_fail_from(t, 2, "gathering");
}

IN_TASK(fail_from_names_the_cause_not_who_was_cancelled_for_it)
{
    struct cel_task *t = cel_spawn(gather_and_pass_on, NULL);

    assert_int_equal(cel_await(t, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t), -EIO);
    assert_string_equal(cel_last_error()->text,
                        "gathering: planned after 1 ms: Input/output error");
}

IN_TASK(gather_outcomes_collects_failures)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)2), cel_spawn(fail_after_ms, (void *)1)};
    void *values[2];
    int outcomes[2];

    assert_int_equal(cel_gather_outcomes(t, 2, values, outcomes), 0);
    assert_ptr_equal(values[0], (void *)2);
    assert_int_equal(outcomes[0], 0);
    assert_int_equal(outcomes[1], -EIO);
}

IN_TASK(gather_of_nothing_is_done)
{
    struct cel_task *t[1] = {NULL};

    assert_int_equal(cel_gather(t, 0, NULL), 0);
}

IN_TASK(gather_past_its_deadline_ends_all)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)60000), cel_spawn(sleep_ms, (void *)60000)};
    int r = 0;

    CEL_SCOPE (brief, .timeout = 5 * CEL_MILLISECOND)
        r = cel_gather(t, 2, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    assert_int_equal(cel_outcome(t[1]), -ECANCELED);
}

IN_TASK(wait_first_returns_with_the_others_running)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)60000), cel_spawn(sleep_ms, (void *)1)};

    assert_int_equal(cel_wait(t, 2, CEL_WAIT_FIRST), 1);
    assert_false(cel_is_done(t[0]));
    assert_true(cel_is_done(t[1]));
    cel_task_cancel(t[0]);
}

IN_TASK(wait_first_error_passes_over_successes)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)1), cel_spawn(fail_after_ms, (void *)5),
                            cel_spawn(sleep_ms, (void *)60000)};

    assert_int_equal(cel_wait(t, 3, CEL_WAIT_FIRST_ERROR), 2);
    assert_false(cel_is_done(t[2]));
    cel_task_cancel(t[2]);
}

IN_TASK(wait_past_deadline_cancels_nobody)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)20)};
    int r = 0;

    CEL_SCOPE (brief, .timeout = CEL_MILLISECOND)
        r = cel_wait(t, 1, CEL_WAIT_ALL);
    assert_int_equal(r, -ETIMEDOUT);
    assert_int_equal(cel_await(t[0], NULL), 0);
}

IN_TASK(completed_come_in_order_of_completion)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)30), cel_spawn(sleep_ms, (void *)1),
                            cel_spawn(sleep_ms, (void *)15)};
    struct cel_completed *c;

    assert_int_equal(cel_completed_new(&c, t, 3), 0);
    assert_int_equal(cel_completed_next(c), 1);
    assert_int_equal(cel_completed_next(c), 2);
    assert_int_equal(cel_completed_next(c), 0);
    assert_int_equal(cel_completed_next(c), -ENOENT);
    cel_completed_free(c);
}

IN_TASK(sleep_is_never_early)
{
    for (int64_t ns = 1; ns < 40 * CEL_MILLISECOND; ns = ns * 3 + 7) {
        int64_t start = cel_now();

        assert_int_equal(cel_sleep(ns), 0);
        assert_true(cel_now() - start >= ns);
    }
}

IN_TASK(sleepers_wake_in_order_of_deadline)
{
    struct cel_task *t[3];
    struct cel_completed *c;

    t[0] = cel_spawn(sleep_ms, (void *)6);
    t[1] = cel_spawn(sleep_ms, (void *)4);
    t[2] = cel_spawn(sleep_ms, (void *)2);
    assert_int_equal(cel_completed_new(&c, t, 3), 0);
    for (int expected = 2; expected >= 0; expected--)
        assert_int_equal(cel_completed_next(c), expected);
    cel_completed_free(c);
}

static void *yield_noting(void *arg)
{
    for (int i = 0; i < 3; i++) {
        note(*(char *)arg);
        cel_yield();
    }
    return NULL;
}

IN_TASK(yield_takes_turns)
{
    struct cel_task *t[2];

    trace[0] = '\0';
    t[0] = cel_spawn(yield_noting, "a");
    t[1] = cel_spawn(yield_noting, "b");
    assert_int_equal(cel_gather(t, 2, NULL), 0);
    assert_string_equal(trace, "ababab");
}

static int freed;

static void count(void *arg)
{
    freed += *(int *)arg;
}

static void *defer_twice(void *arg)
{
    static int one = 1, ten = 10;
    static struct cel_at_end node;
    CEL_DEFER(count, &one);

    cel_task_at_end(&node, count, &ten);
    if (cel_sleep(CEL_MINUTE) < 0)
        return NULL;
    return arg;
}

IN_TASK(cleanup_runs_when_a_task_is_cancelled)
{
    struct cel_task *t = cel_spawn(defer_twice, NULL);

    freed = 0;
    cel_yield();
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), 0);
    assert_int_equal(freed, 11);
}

static void *never(void *arg)
{
    struct cel_future *f = arg;

    return cel_await(f, NULL) < 0 ? NULL : arg;
}

static void run_reports_deadlock(void **state)
{
    struct cel_loop *loop;
    struct cel_task *t;
    struct cel_future *f;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    f = cel_future_new();
    t = cel_spawn(never, f);
    assert_int_equal(cel_loop_until(loop, t, NULL), -EDEADLK);
    assert_int_equal(cel_loop_close(loop), 0);
    cel_future_free(f);
}

static void call_nothing(void *arg, int signo)
{
}

static void until_returns_though_something_is_still_watched(void **state)
{
    struct cel_loop *loop;
    struct cel_signal *signal;
    struct cel_task *t;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_signal_start(loop, &signal, SIGUSR1, call_nothing, NULL), 0);
    t = cel_spawn(note_and_return, "u");
    assert_int_equal(cel_loop_until(loop, t, NULL), 0);
    cel_signal_stop(signal);
    assert_int_equal(cel_loop_close(loop), 0);
}

static void *background(void *arg)
{
    *(int *)arg = cel_sleep(CEL_MINUTE);
    return NULL;
}

static void background_task_is_cancelled_at_close(void **state)
{
    struct cel_loop *loop;
    int result = 1;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_background(background, &result), 0);
    assert_true(cel_loop_turn(loop, 0) >= 0);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_int_equal(result, -ECANCELED);
}

struct waits {
    int result;  /* of the task's sleep; 1: it has not ended */
    int in_vain; /* waits in the kernel after that */
};

static void note_wait(void *arg)
{
    struct waits *w = arg;

    w->in_vain += w->result != 1;
}

static void never_fires(struct cel_timer *timer, void *arg)
{
    fail();
}

/* It waited out its grace when something else could still have come. */
static void close_is_over_with_the_last_task(void **state)
{
    struct waits waits = {.result = 1};
    const struct cel_loop_options options = {.before_block = note_wait, .hook_arg = &waits};
    struct cel_timer timer;
    struct cel_loop *loop;

    if (is_simulated())
        skip(); /* no wait takes time there */
    assert_int_equal(cel_loop_new(&loop, &options), 0);
    cel_timer_init(&timer, never_fires, NULL);
    cel_timer_start(loop, &timer, CEL_MINUTE);
    assert_int_equal(cel_background(background, &waits.result), 0);
    assert_true(cel_loop_turn(loop, 0) >= 0);
    assert_int_equal(cel_loop_close(loop), 1); /* the timer */
    assert_int_equal(waits.result, -ECANCELED);
    assert_int_equal(waits.in_vain, 0);
}

static void *nobody_joins(void *arg)
{
    for (int i = 0; i < 5000; i++)
        assert_int_equal(cel_go(sleep_ms, (void *)1), 0);
    return NULL;
}

static void *spawn_and_leave(void *arg)
{
    nobody_joins(arg);
    return cel_spawn(sleep_ms, (void *)2) != NULL ? arg : NULL;
}

IN_TASK(task_ends_after_its_children)
{
    assert_int_equal(cel_join(cel_spawn(spawn_and_leave, NULL), NULL), 0);
}

static void *set_soon(void *arg)
{
    cel_future_set(arg, arg);
    return NULL;
}

IN_TASK(result_beats_a_cancel_that_comes_with_it)
{
    struct cel_future *f = cel_future_new();
    struct cel_task *waits = cel_spawn(await_it, f);
    void *value = NULL;

    cel_yield();
    cel_future_set(f, "z");
    cel_task_cancel(waits);
    assert_int_equal(cel_join(waits, &value), 0);
    assert_string_equal(value, "z");
    cel_future_free(f);
    assert_int_equal(cel_go(set_soon, f = cel_future_new()), 0);
    assert_int_equal(cel_await_shielded(f, NULL), 0);
    cel_future_free(f);
}

static void *cross_call(void *arg);

static void loop_belongs_to_its_thread(void **state)
{
    struct cel_loop *loop, *second;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_loop_new(&second, NULL), -EBUSY);
    assert_ptr_equal(cel_loop_current(), loop);
    assert_ptr_equal(cross_call(loop), (void *)(intptr_t)-CEL_ETHREAD);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_null(cel_loop_current());
}

#include <pthread.h>

static void *turn_from_thread(void *arg)
{
    return (void *)(intptr_t)cel_loop_turn(arg, 0);
}

static void *cross_call(void *arg)
{
    pthread_t thread;
    void *result;

    assert_int_equal(pthread_create(&thread, NULL, turn_from_thread, arg), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    return result;
}

/* What a spawn gives when memory is out. */
static struct cel_task *const lost = NULL;

static void set_flag(void *flag)
{
    *(bool *)flag = true;
}

IN_TASK(null_counts_as_failed_with_enomem)
{
    bool was_called = false;
    void *value = trace;

    assert_int_equal(cel_await(lost, &value), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ENOMEM);
    assert_int_equal(cel_await_shielded(lost, &value), -CEL_EFAILED);
    assert_int_equal(cel_join(NULL, &value), -CEL_EFAILED);
    assert_ptr_equal(value, trace);
    assert_true(cel_is_done(lost));
    assert_int_equal(cel_outcome(lost), -ENOMEM);
    assert_null(cel_value(lost));
    assert_null(cel_ensure(lost));
    assert_int_equal(cel_on_done(lost, set_flag, &was_called), 0);
    assert_false(was_called);
    assert_int_equal(cel_sleep(1), 0);
    assert_true(was_called);
}

IN_TASK(null_may_be_set_cancelled_named_and_freed)
{
    assert_int_equal(cel_future_set(NULL, "x"), -EALREADY);
    assert_int_equal(cel_future_fail(NULL, -EIO, "x"), -EALREADY);
    assert_int_equal(cel_future_cancel(NULL), -EALREADY);
    cel_task_cancel(NULL);
    cel_task_set_name(NULL, "x");
    assert_string_equal(cel_task_name(NULL), "task");
    assert_false(cel_task_is_cancelled(NULL));
    cel_future_free(NULL);
    cel_task_free(NULL);
}

static void *gather_with_lost(void *arg)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)60000), lost};

    assert_int_equal(cel_gather(t, 2, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    return cel_fail_from(t, 2, "gathering");
}

IN_TASK(gather_with_null_fails_and_ends_the_others)
{
    struct cel_task *t = cel_spawn(gather_with_lost, NULL);

    assert_int_equal(cel_await(t, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(t), -ENOMEM);
    assert_memory_equal(cel_last_error()->text, "gathering: ", 11);
    cel_task_free(t);
}

IN_TASK(null_among_many_is_told_by_each_kind_of_waiting)
{
    struct cel_task *t[] = {cel_spawn(sleep_ms, (void *)1), lost, cel_spawn(sleep_ms, (void *)1)};
    struct cel_completed *c;
    void *values[3] = {NULL, trace, NULL};
    int outcomes[3];

    assert_int_equal(cel_wait(t, 3, CEL_WAIT_FIRST), 1);
    assert_int_equal(cel_wait(t, 3, CEL_WAIT_FIRST_ERROR), 1);
    assert_int_equal(cel_completed_new(&c, t, 3), 0);
    assert_int_equal(cel_completed_next(c), 1);
    assert_int_equal(cel_completed_next(c), 0);
    assert_int_equal(cel_completed_next(c), 2);
    assert_int_equal(cel_completed_next(c), -ENOENT);
    cel_completed_free(c);
    assert_int_equal(cel_wait(t, 3, CEL_WAIT_ALL), 3);
    assert_int_equal(cel_gather_outcomes(t, 3, values, outcomes), 0);
    assert_int_equal(outcomes[0], 0);
    assert_int_equal(outcomes[1], -ENOMEM);
    assert_null(values[1]);
    assert_ptr_equal(values[2], (void *)1);
}

IN_TASK(null_tells_of_a_cancel_first)
{
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_await(lost, NULL), -ECANCELED);
        assert_int_equal(cel_gather(&lost, 1, NULL), -ECANCELED);
        assert_int_equal(cel_await_shielded(lost, NULL), -CEL_EFAILED);
    }
}

static void until_of_null_is_a_failure(void **state)
{
    struct cel_loop *loop;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    assert_int_equal(cel_loop_until(loop, lost, NULL), -CEL_EFAILED);
    assert_int_equal(cel_loop_close(loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawn_never_switches),
        cmocka_unit_test(join_gives_the_value),
        cmocka_unit_test(join_of_failed_task_gives_code_and_words),
        cmocka_unit_test(failure_keeps_its_cause_when_passed_on),
        cmocka_unit_test(await_twice_gives_the_same_value),
        cmocka_unit_test(future_wakes_many_in_order),
        cmocka_unit_test(future_cancel_reaches_who_waits),
        cmocka_unit_test(future_failure_carries_words),
        cmocka_unit_test(callback_runs_in_a_turn_not_inside_set),
        cmocka_unit_test(gather_keeps_order_of_arguments),
        cmocka_unit_test(gather_fails_fast_and_ends_the_others),
        cmocka_unit_test(fail_from_names_the_cause_not_who_was_cancelled_for_it),
        cmocka_unit_test(gather_outcomes_collects_failures),
        cmocka_unit_test(gather_of_nothing_is_done),
        cmocka_unit_test(gather_past_its_deadline_ends_all),
        cmocka_unit_test(wait_first_returns_with_the_others_running),
        cmocka_unit_test(wait_first_error_passes_over_successes),
        cmocka_unit_test(wait_past_deadline_cancels_nobody),
        cmocka_unit_test(completed_come_in_order_of_completion),
        cmocka_unit_test(sleep_is_never_early),
        cmocka_unit_test(sleepers_wake_in_order_of_deadline),
        cmocka_unit_test(yield_takes_turns),
        cmocka_unit_test(cleanup_runs_when_a_task_is_cancelled),
        cmocka_unit_test(run_reports_deadlock),
        cmocka_unit_test(until_returns_though_something_is_still_watched),
        cmocka_unit_test(background_task_is_cancelled_at_close),
        cmocka_unit_test(close_is_over_with_the_last_task),
        cmocka_unit_test(task_ends_after_its_children),
        cmocka_unit_test(result_beats_a_cancel_that_comes_with_it),
        cmocka_unit_test(loop_belongs_to_its_thread),
        cmocka_unit_test(null_counts_as_failed_with_enomem),
        cmocka_unit_test(null_may_be_set_cancelled_named_and_freed),
        cmocka_unit_test(gather_with_null_fails_and_ends_the_others),
        cmocka_unit_test(null_among_many_is_told_by_each_kind_of_waiting),
        cmocka_unit_test(null_tells_of_a_cancel_first),
        cmocka_unit_test(until_of_null_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
