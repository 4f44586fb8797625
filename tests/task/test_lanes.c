/* SPDX-License-Identifier: MIT */
/* The offload pool's lanes: each goes on while the other is full; the one for computing is shared
 * by the loops of the process, and outlives none of them. */
#include <celadon/debug.h>
#include <celadon/offload.h>
#include <celadon/workers.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return arg;
}

static void *name_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return arg;
}

static enum cel_lane other(enum cel_lane lane)
{
    return lane == CEL_LANE_CPU ? CEL_LANE_BLOCKING : CEL_LANE_CPU;
}

/* One thread and room for two in each lane: that lane is filled, the other one still works. */
static void *fill_lane(void *arg)
{
    enum cel_lane lane = (enum cel_lane)(intptr_t)arg;
    struct cel_future *f[8];
    pthread_t thread;
    int taken = 0;

    pthread_mutex_lock(&gate);
    for (int i = 0; i < 8; i++) {
        f[i] = cel_offload_to(lane, wait_at_gate, NULL);
        taken += f[i] != NULL;
    }
    assert_true(taken >= 2 && taken <= 3);
    assert_int_equal(cel_offload_to_await(other(lane), name_thread, &thread, NULL), 0);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 8; i++)
        if (f[i] != NULL) {
            assert_int_equal(cel_await(f[i], NULL), 0);
            cel_future_free(f[i]);
        }
    return NULL;
}

static const struct cel_loop_options narrow = {
    .threads_max = 1, .queue_max = 2, .cpu_threads_max = 1, .cpu_queue_max = 2};

static void full_blocking_lane_does_not_hold_up_computing(void **state)
{
    assert_int_equal(cel_run_with(&narrow, fill_lane, (void *)CEL_LANE_BLOCKING, NULL), 0);
}

static void full_cpu_lane_does_not_hold_up_blocking(void **state)
{
    assert_int_equal(cel_run_with(&narrow, fill_lane, (void *)CEL_LANE_CPU, NULL), 0);
}

enum { COUNT = 3, JOBS = 50 };

static int at_once, most, done; /* atomic */

static void *compute(void *arg)
{
    int now = __atomic_add_fetch(&at_once, 1, __ATOMIC_SEQ_CST);

    if (now > __atomic_load_n(&most, __ATOMIC_SEQ_CST))
        __atomic_store_n(&most, now, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
    sched_yield();
    __atomic_sub_fetch(&at_once, 1, __ATOMIC_SEQ_CST);
    return arg;
}

static void *compute_many(void *arg)
{
    for (int i = 0; i < JOBS; i++)
        if (cel_offload_to_await(CEL_LANE_CPU, compute, NULL, NULL) < 0)
            return cel_fail(-EIO, "computing");
    return arg;
}

static void cpu_lane_is_one_for_all_loops(void **state)
{
    struct cel_workers_options workers = {.count = COUNT, .loop = &narrow};

    at_once = most = done = 0;
    assert_int_equal(cel_run_workers(&workers, compute_many, NULL), 0);
    assert_int_equal(done, COUNT * JOBS);
    assert_int_equal(most, 1); /* one thread, whoever asked */
}

/* A loop that fills its part leaves the others theirs. */
static void *fill_or_use(void *arg)
{
    static int is_full; /* atomic */
    struct cel_future *f[3] = {NULL};
    int taken = 0;

    if (cel_worker_index() != 0) {
        while (__atomic_load_n(&is_full, __ATOMIC_ACQUIRE) == 0)
            (void)cel_sleep(CEL_MILLISECOND);
        f[0] = cel_offload_to(CEL_LANE_CPU, compute, NULL); /* queued behind: not refused */
        __atomic_store_n(&is_full, f[0] != NULL ? 2 : 3, __ATOMIC_RELEASE);
        taken = f[0] != NULL ? cel_await(f[0], NULL) : -EAGAIN;
        cel_future_free(f[0]);
        __atomic_store_n(&is_full, 0, __ATOMIC_RELEASE);
        return taken == 0 ? arg : cel_fail(taken, "the other loop has its own bound");
    }
    pthread_mutex_lock(&gate);
    while ((f[taken] = cel_offload_to(CEL_LANE_CPU, wait_at_gate, NULL)) != NULL)
        if (++taken == 3)
            break;
    __atomic_store_n(&is_full, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&is_full, __ATOMIC_ACQUIRE) == 1)
        (void)cel_sleep(CEL_MILLISECOND);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < taken; i++) {
        (void)!cel_await(f[i], NULL);
        cel_future_free(f[i]);
    }
    return arg;
}

static void cpu_lane_bounds_each_loop_for_itself(void **state)
{
    struct cel_workers_options workers = {.count = 2, .loop = &narrow};

    assert_int_equal(cel_run_workers(&workers, fill_or_use, NULL), 0);
}

static char text[16384];

static long lane_metric(const char *line)
{
    const char *at;

    assert_true(cel_metrics(text, sizeof text) < (int)sizeof text);
    at = strstr(text, line);
    assert_non_null(at);
    return strtol(at + strlen(line), NULL, 10);
}

static void *count_lanes(void *arg)
{
    struct cel_future *f[2];
    pthread_t thread;

    assert_int_equal(lane_metric("celadon_lane_threads{lane=\"cpu\"} "), 0);
    pthread_mutex_lock(&gate);
    f[0] = cel_offload_to(CEL_LANE_CPU, wait_at_gate, NULL);
    while (lane_metric("celadon_lane_jobs_waiting{lane=\"cpu\"} ") != 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    f[1] = cel_offload_to(CEL_LANE_CPU, wait_at_gate, NULL);
    assert_int_equal(lane_metric("celadon_lane_jobs_waiting{lane=\"cpu\"} "), 1);
    assert_int_equal(lane_metric("celadon_lane_jobs_running{lane=\"cpu\"} "), 1);
    assert_int_equal(lane_metric("celadon_lane_jobs_waiting{lane=\"blocking\"} "), 0);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_await(f[i], NULL), 0);
        cel_future_free(f[i]);
    }
    assert_int_equal(cel_offload_await(name_thread, &thread, NULL), 0);
    assert_int_equal(lane_metric("celadon_lane_jobs_ended_total{lane=\"cpu\"} "), 2);
    assert_int_equal(lane_metric("celadon_lane_jobs_ended_total{lane=\"blocking\"} "), 1);
    assert_int_equal(lane_metric("celadon_lane_threads{lane=\"cpu\"} "), 1);
    return NULL;
}

static void metrics_tell_of_each_lane(void **state)
{
    assert_int_equal(cel_run_with(&narrow, count_lanes, NULL, NULL), 0);
}

/* In the child the parent's threads are not there: the lane is made anew. */
static void *fork_and_compute(void *arg)
{
    pthread_t thread;
    int status = -1;
    pid_t child;

    assert_int_equal(cel_offload_to_await(CEL_LANE_CPU, name_thread, &thread, NULL), 0);
    child = fork();
    if (child == 0) {
        struct cel_loop *loop;
        struct cel_future *f;
        int r = cel_loop_new(&loop, NULL);

        f = r == 0 ? cel_offload_to(CEL_LANE_CPU, name_thread, &thread) : NULL;
        while (f != NULL && !cel_is_done(f))
            if (cel_loop_turn(loop, CEL_FOREVER) < 0)
                _exit(3);
        cel_future_free(f);
        _exit(r == 0 && f != NULL && cel_loop_close(loop) == 0 ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return arg;
}

static void cpu_lane_of_a_forked_child_is_its_own(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip(); /* it allows no threads in the child of a fork */
#endif
    assert_int_equal(cel_run(fork_and_compute, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_blocking_lane_does_not_hold_up_computing),
        cmocka_unit_test(full_cpu_lane_does_not_hold_up_blocking),
        cmocka_unit_test(cpu_lane_is_one_for_all_loops),
        cmocka_unit_test(cpu_lane_bounds_each_loop_for_itself),
        cmocka_unit_test(metrics_tell_of_each_lane),
        cmocka_unit_test(cpu_lane_of_a_forked_child_is_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
