/* SPDX-License-Identifier: MIT */
/* Background threads: work leaves the loop and comes back as a future. */
#include <errno.h>
#include <pthread.h>

#include <celadon/offload.h>
#include "support/check.h"
#include "support/intask.h"

static void *add_one(void *arg)
{
    return (char *)arg + 1;
}

static void *own_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return arg;
}

IN_TASK(offload_result_comes_as_future)
{
    struct cel_future *f = cel_offload(add_one, (void *)41);
    void *value;

    assert_int_equal(cel_await(f, &value), 0);
    assert_ptr_equal(value, (void *)42);
    cel_future_free(f);
}

IN_KERNEL(offload_runs_on_another_thread)
{
    pthread_t where = pthread_self();

    assert_int_equal(cel_offload_await(own_thread, &where, NULL), 0);
    assert_false(pthread_equal(where, pthread_self()));
}

IN_TASK(offload_many_all_come_back)
{
    struct cel_future *f[200];

    for (intptr_t i = 0; i < 200; i++) {
        f[i] = cel_offload(add_one, (void *)i);
        assert_non_null(f[i]);
    }
    assert_int_equal(cel_gather(f, 200, NULL), 0);
    for (intptr_t i = 0; i < 200; i++) {
        assert_ptr_equal(cel_value(f[i]), (void *)(i + 1));
        cel_future_free(f[i]);
    }
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int ran;

static void *wait_at_gate(void *arg)
{
    pthread_mutex_lock(&gate);
    ran++;
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *await_gate(void *arg)
{
    int r = cel_offload_await(wait_at_gate, NULL, NULL);

    return (void *)(intptr_t)r;
}

IN_KERNEL(cancelled_job_that_waits_does_not_run)
{
    struct cel_task *tasks[6];
    void *values[6];
    int ran_before;

    ran = 0;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 6; i++)
        tasks[i] = cel_spawn(await_gate, NULL);
    cel_sleep(20 * CEL_MILLISECOND); /* four run, two wait */
    for (int i = 4; i < 6; i++)
        cel_task_cancel(tasks[i]);
    cel_yield(); /* parks: the two take their jobs back */
    ran_before = ran;
    pthread_mutex_unlock(&gate);
    assert_int_equal(cel_gather(tasks, 6, values), 0);
    assert_int_equal(ran_before, 0);
    assert_int_equal(ran, 4);
    for (int i = 0; i < 6; i++)
        assert_int_equal((intptr_t)values[i], i < 4 ? 0 : -ECANCELED);
}

static int is_working; /* atomic */

static void *work_until_told(void *arg)
{
    __atomic_store_n(&is_working, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *await_work(void *arg)
{
    void *value = NULL;
    int r = cel_offload_await(work_until_told, arg, &value);

    return r == 0 ? value : NULL;
}

IN_KERNEL(running_job_is_awaited_past_a_cancel)
{
    struct cel_task *t;
    void *value = NULL;

    pthread_mutex_lock(&gate);
    t = cel_spawn(await_work, "worked");
    while (!__atomic_load_n(&is_working, __ATOMIC_SEQ_CST))
        cel_sleep(CEL_MILLISECOND);
    cel_task_cancel(t);
    cel_yield();
    assert_false(cel_is_done(t));
    pthread_mutex_unlock(&gate);
    assert_int_equal(cel_join(t, &value), 0);
    assert_string_equal(value, "worked");
}

IN_TASK(future_freed_early_does_no_harm)
{
    struct cel_future *f = cel_offload(add_one, NULL);

    cel_future_free(f);
    assert_int_equal(cel_offload_await(add_one, NULL, NULL), 0);
}

static void full_queue_says_so(void **state)
{
    struct cel_loop *loop;
    struct cel_future *f[8] = {NULL};
    int taken = 0;

    if (is_simulated())
        skip(); /* a job that waits for its own thread */
    assert_int_equal(
        cel_loop_new(&loop, &(struct cel_loop_options){.threads_max = 1, .queue_max = 2}), 0);
    ran = 0;
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 8; i++) {
        f[i] = cel_offload(wait_at_gate, NULL);
        taken += f[i] != NULL;
    }
    pthread_mutex_unlock(&gate);
    assert_true(taken >= 2 && taken <= 3);
    for (int i = 0; i < 8; i++)
        cel_future_free(f[i]);
    assert_int_equal(cel_loop_close(loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offload_result_comes_as_future),
        cmocka_unit_test(offload_runs_on_another_thread),
        cmocka_unit_test(offload_many_all_come_back),
        cmocka_unit_test(cancelled_job_that_waits_does_not_run),
        cmocka_unit_test(running_job_is_awaited_past_a_cancel),
        cmocka_unit_test(future_freed_early_does_no_harm),
        cmocka_unit_test(full_queue_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
