/* SPDX-License-Identifier: MIT */
/* Futures that other threads complete: kept, failed, dropped, given up before, kept too late. */
#include <celadon/workers.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

static void *keep_it(void *arg)
{
    assert_int_equal(cel_promise_set(arg, "kept"), 0);
    return NULL;
}

static void *fail_it(void *arg)
{
    assert_int_equal(cel_promise_fail(arg, -ENOTTY, "no %s", "terminal"), 0);
    return NULL;
}

static void *drop_it(void *arg)
{
    cel_promise_drop(arg);
    return NULL;
}

static void on_thread(void *(*fn)(void *arg), void *arg, pthread_t *thread)
{
    assert_int_equal(pthread_create(thread, NULL, fn, arg), 0);
}

/* -> as cel_await. */
static int await_from(void *(*fn)(void *arg), void **value, int *code)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);
    pthread_t thread;
    int r;

    assert_non_null(p);
    on_thread(fn, p, &thread);
    r = cel_await(f, value);
    *code = cel_outcome(f);
    cel_future_free(f);
    pthread_join(thread, NULL);
    return r;
}

IN_TASK(promise_kept_by_a_thread_ends_the_future)
{
    void *value = NULL;
    int code;

    assert_int_equal(await_from(keep_it, &value, &code), 0);
    assert_string_equal(value, "kept");
}

IN_TASK(promise_failed_by_a_thread_fails_with_its_words)
{
    int code;

    assert_int_equal(await_from(fail_it, NULL, &code), -CEL_EFAILED);
    assert_int_equal(code, -ENOTTY);
    assert_string_equal(cel_last_error()->text, "no terminal");
}

IN_TASK(promise_dropped_fails)
{
    int code;

    cel_promise_drop(NULL);
    assert_int_equal(await_from(drop_it, NULL, &code), -CEL_EFAILED);
    assert_int_equal(code, -EOWNERDEAD);
}

IN_TASK(promise_kept_on_its_own_loop_ends_the_future)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);
    void *value = NULL;

    assert_true(cel_promise_is_wanted(p));
    assert_int_equal(cel_promise_set(p, "here"), 0);
    assert_false(cel_is_done(f)); /* as every message, it comes with a turn */
    assert_int_equal(cel_await(f, &value), 0);
    assert_string_equal(value, "here");
    cel_future_free(f);
}

IN_TASK(promise_whose_future_was_cancelled_is_unwanted_and_may_be_kept)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);

    assert_int_equal(cel_future_cancel(f), 0);
    assert_false(cel_promise_is_wanted(p));
    assert_int_equal(cel_promise_fail(p, -EIO, "nobody reads this"), 0);
    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_outcome(f), -ECANCELED);
    cel_future_free(f);
}

IN_TASK(promise_whose_future_was_freed_may_be_kept)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);

    cel_future_free(f);
    assert_false(cel_promise_is_wanted(p));
    assert_int_equal(cel_promise_set(p, "nobody"), 0);
}

IN_TASK(promise_whose_future_was_freed_with_the_message_under_way)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);

    assert_int_equal(cel_promise_fail(p, -EIO, "under way"), 0);
    cel_future_free(f);
    assert_int_equal(cel_yield(), 0);
}

IN_TASK(promise_kept_after_the_loop_has_ended_the_future_itself)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);
    void *value = NULL;

    assert_int_equal(cel_future_set(f, "first"), 0);
    assert_int_equal(cel_promise_set(p, "second"), 0);
    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_await(f, &value), 0);
    assert_string_equal(value, "first");
    cel_future_free(f);
}

static void promise_kept_when_the_loop_has_closed_is_refused(void **state)
{
    struct cel_promise *wanted, *given_up, *dropped;
    struct cel_future *f, *unused;
    struct cel_loop *loop;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    wanted = cel_promise_new(&f);
    given_up = cel_promise_new(&unused);
    cel_future_free(unused);
    dropped = cel_promise_new(&unused);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_int_equal(cel_outcome(f), -CEL_ECLOSED);
    assert_false(cel_promise_is_wanted(wanted));
    assert_int_equal(cel_promise_set(wanted, "late"), -CEL_ECLOSED);
    assert_int_equal(cel_promise_fail(given_up, -EIO, "late"), -CEL_ECLOSED);
    cel_promise_drop(dropped);
    cel_future_free(f);
    cel_future_free(unused);
}

static void promise_sent_before_the_close_arrives(void **state)
{
    struct cel_promise *p;
    struct cel_future *f;
    struct cel_loop *loop;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    p = cel_promise_new(&f);
    assert_int_equal(cel_promise_set(p, "in time"), 0);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_string_equal(cel_value(f), "in time");
    cel_future_free(f);
}

/* The loop waits for what is wanted, and for nothing else. */
static void promise_given_up_lets_the_loop_end(void **state)
{
    struct cel_promise *p;
    struct cel_future *f;
    struct cel_loop *loop;

    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    p = cel_promise_new(&f);
    assert_int_equal(cel_loop_turn(loop, 0), 0);
    cel_future_free(f);
    assert_int_equal(cel_loop_turn(loop, 0), -EDEADLK);
    assert_int_equal(cel_loop_close(loop), 0);
    assert_int_equal(cel_promise_set(p, NULL), -CEL_ECLOSED);
}

/* Loops close while threads keep their promises: whichever comes first, all is freed once. */
enum { RACES = 300, EACH = 8 };

static int go; /* atomic */

static void *keep_all(void *arg)
{
    struct cel_promise **p = arg;

    while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
        continue;
    for (int i = 0; i < EACH; i++)
        if (i % 3 == 0)
            (void)cel_promise_fail(p[i], -EIO, "racing");
        else
            (void)cel_promise_set(p[i], "x");
    return NULL;
}

static void promises_kept_while_the_loop_closes(void **state)
{
    for (int n = 0; n < RACES; n++) {
        struct cel_promise *p[EACH];
        struct cel_future *f[EACH];
        struct cel_loop *loop;
        pthread_t thread;

        go = 0;
        assert_int_equal(cel_loop_new(&loop, NULL), 0);
        for (int i = 0; i < EACH; i++)
            assert_non_null(p[i] = cel_promise_new(&f[i]));
        on_thread(keep_all, p, &thread);
        __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
        for (int i = 0; i < EACH; i += 2)
            cel_future_free(f[i]);
        assert_int_equal(cel_loop_close(loop), 0);
        for (int i = 1; i < EACH; i += 2) {
            assert_true(cel_is_done(f[i]));
            cel_future_free(f[i]);
        }
        pthread_join(thread, NULL);
    }
}

static void *keep_many(void *arg)
{
    struct cel_promise **p = arg;

    for (long i = 0; i < 1000; i++)
        assert_int_equal(cel_promise_set(p[i], (void *)i), 0);
    return NULL;
}

IN_TASK(promises_of_one_thread_arrive_in_order)
{
    static struct cel_promise *p[1000];
    static struct cel_future *f[1000];
    pthread_t thread;

    for (int i = 0; i < 1000; i++)
        assert_non_null(p[i] = cel_promise_new(&f[i]));
    on_thread(keep_many, p, &thread);
    assert_int_equal(cel_await(f[999], NULL), 0);
    for (long i = 0; i < 1000; i++) {
        assert_ptr_equal(cel_value(f[i]), i);
        cel_future_free(f[i]);
    }
    pthread_join(thread, NULL);
}

static void promise_without_memory_is_none(void **state)
{
    struct cel_future *f;
    struct cel_promise *p = NULL;
    struct cel_loop *loop;
    size_t nth = 0;

    fault_alloc_begin();
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    while (p == NULL) {
        fault_alloc_arm(++nth, FAULT_ONCE);
        p = cel_promise_new(&f);
        assert_int_equal(fault_alloc_hits(), p == NULL);
    }
    fault_alloc_arm(0, FAULT_ONCE);
    assert_int_equal(nth, 3); /* its list failed, then the record, then none */
    assert_int_equal(cel_promise_set(p, NULL), 0);
    assert_int_equal(cel_loop_close(loop), 0);
    cel_future_free(f);
    assert_int_equal(fault_alloc_live(), 0);
    fault_alloc_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promise_kept_by_a_thread_ends_the_future),
        cmocka_unit_test(promise_failed_by_a_thread_fails_with_its_words),
        cmocka_unit_test(promise_dropped_fails),
        cmocka_unit_test(promise_kept_on_its_own_loop_ends_the_future),
        cmocka_unit_test(promise_whose_future_was_cancelled_is_unwanted_and_may_be_kept),
        cmocka_unit_test(promise_whose_future_was_freed_may_be_kept),
        cmocka_unit_test(promise_whose_future_was_freed_with_the_message_under_way),
        cmocka_unit_test(promise_kept_after_the_loop_has_ended_the_future_itself),
        cmocka_unit_test(promise_kept_when_the_loop_has_closed_is_refused),
        cmocka_unit_test(promise_sent_before_the_close_arrives),
        cmocka_unit_test(promise_given_up_lets_the_loop_end),
        cmocka_unit_test(promises_kept_while_the_loop_closes),
        cmocka_unit_test(promises_of_one_thread_arrive_in_order),
        cmocka_unit_test(promise_without_memory_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
