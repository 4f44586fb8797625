/* SPDX-License-Identifier: MIT */
/* The metrics of several workers as one text, held against the rules of the format. */
#include <celadon/debug.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/celadon.h>
#include <celadon/sync.h>
#include <celadon/workers.h>

#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

#define WORKERS 3

static char text[1 << 16];
static int written;

/* Each worker: as many tasks more as its index says; the first asks, and then all may go. */
static int ready;   /* atomic */
static int is_over; /* atomic */

static void *linger(void *arg)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE))
        if (cel_sleep(CEL_MILLISECOND) < 0)
            break;
    return arg;
}

static void *ask_for_metrics(void *arg)
{
    CEL_SCOPE (scope) {
        for (unsigned i = 0; i < cel_worker_index(); i++)
            if (cel_spawn(linger, NULL) == NULL)
                return cel_fail(-ENOMEM, "spawning");
        if (cel_worker_index() == 1 && cel_trace_start(0) < 0)
            return cel_fail(-ENOMEM, "tracing");
        __atomic_add_fetch(&ready, 1, __ATOMIC_ACQ_REL);
        if (cel_worker_index() != 0) {
            (void)linger(NULL);
        } else {
            while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < WORKERS)
                if (cel_sleep(CEL_MILLISECOND) < 0)
                    break;
            written = cel_metrics_workers(text, sizeof text);
            __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
        }
    }
    return arg;
}

static bool has_line(const char *line)
{
    const char *at = strstr(text, line);

    return at != NULL && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

/* Each family is announced once, before all its samples, which stand together; no sample twice. */
static void check_rules(void)
{
    static char copy[sizeof text];
    char *at = copy, *line, family[64] = "";
    const char *lines[1024];
    unsigned count = 0;

    memcpy(copy, text, sizeof copy);
    while ((line = strsep(&at, "\n")) != NULL && *line != '\0') {
        char announced[80], name[64];

        if (sscanf(line, "# HELP %63s", name) == 1) {
            snprintf(announced, sizeof announced, "# HELP %s ", name);
            assert_null(strstr(strstr(text, announced) + 1, announced));
            snprintf(family, sizeof family, "%s", name);
            continue;
        }
        if (sscanf(line, "# TYPE %63s", name) == 1) {
            assert_string_equal(name, family);
            continue;
        }
        assert_int_equal(strncmp(line, family, strlen(family)), 0);
        assert_non_null(strrchr(line, ' '));
        *strrchr(line, ' ') = '\0'; /* what is left is the series */
        for (unsigned i = 0; i < count; i++)
            assert_string_not_equal(lines[i], line);
        assert_true(count < 1024);
        lines[count++] = line;
    }
    assert_true(count > 0);
}

static void metrics_of_workers_are_told_apart(void **state)
{
    struct cel_workers_options options = {.count = WORKERS};

    if (is_simulated()) {
        skip(); /* one thread */
    }
    ready = is_over = 0;
    assert_int_equal(cel_run_workers(&options, ask_for_metrics, NULL), 0);
    assert_true(written > 0 && (size_t)written == strlen(text));
    /* The main task, those it spawned, and the one that counts. */
    assert_true(has_line("celadon_tasks{worker=\"0\"} 2"));
    assert_true(has_line("celadon_tasks{worker=\"1\"} 3"));
    assert_true(has_line("celadon_tasks{worker=\"2\"} 4"));
    assert_true(has_line("celadon_lane_threads{worker=\"2\",lane=\"cpu\"} 0"));
    assert_true(has_line("celadon_stalls_total{worker=\"2\"} 0"));
    assert_non_null(strstr(text, "celadon_events_total{worker=\"1\",event=\"task_spawn\"} "));
    assert_null(strstr(text, "celadon_events_total{worker=\"0\""));
    assert_non_null(strstr(text, "celadon_loop_lag_seconds_bucket{worker=\"1\",le=\"+Inf\"} "));
    assert_non_null(strstr(text, "celadon_loop_lag_seconds_sum{worker=\"1\"} "));
    check_rules();
}

IN_TASK(metrics_without_workers_are_those_of_the_loop)
{
    static char other[sizeof text];

    assert_int_equal(cel_trace_start(0), 0);
    assert_int_equal(cel_metrics_workers(text, sizeof text), cel_metrics(other, sizeof other));
    assert_string_equal(text, other);
    assert_true(has_line("celadon_tasks 1"));
    assert_true(has_line("celadon_stalls_total 0"));
    check_rules();
    cel_trace_stop();
}

IN_TASK(metrics_asked_for_in_a_cancelled_scope_are_not_gathered)
{
    CEL_SCOPE (scope) {
        cel_scope_cancel(&scope);
        assert_int_equal(cel_metrics_workers(text, sizeof text), -ECANCELED);
    }
}

/* ---- a worker that does not answer at once, and shortage ---- */

#define COUNT 2

static int is_busy;    /* atomic: the other worker's loop stands */
static int may_answer; /* atomic */

static void *ask_in_scope(void *arg)
{
    *(int *)arg = cel_metrics_workers(text, sizeof text);
    return arg;
}

static void ask_and_cancel(int *result)
{
    CEL_SCOPE (scope) {
        struct cel_task *asker = cel_spawn(ask_in_scope, result);

        assert_non_null(asker);
        for (int i = 0; i < 20; i++) {
            CEL_SCOPE (shield, .is_shielded = true)
                (void)cel_yield();
            if (i == 10)
                cel_scope_cancel(&scope);
        }
        assert_false(cel_is_done(asker));
        __atomic_store_n(&may_answer, 1, __ATOMIC_RELEASE);
    }
}

static void *cancel_who_asks(void *arg)
{
    if (cel_worker_index() == 1) {
        __atomic_store_n(&is_busy, 1, __ATOMIC_RELEASE);
        while (!__atomic_load_n(&may_answer, __ATOMIC_ACQUIRE))
            sched_yield();
    } else {
        while (!__atomic_load_n(&is_busy, __ATOMIC_ACQUIRE))
            sched_yield();
        ask_and_cancel(arg);
    }
    return arg;
}

static void metrics_wait_for_a_worker_whatever_is_cancelled(void **state)
{
    struct cel_workers_options options = {.count = COUNT};
    int result = 0;

    if (is_simulated()) {
        skip(); /* one thread */
    }
    is_busy = may_answer = 0;
    assert_int_equal(cel_run_workers(&options, cancel_who_asks, &result), 0);
    assert_true(result > 0 && (size_t)result == strlen(text));
    assert_true(
        has_line("celadon_tasks{worker=\"1\"} 1")); /* its main has ended: the one that counts */
}

static void *ask_short_of_memory(void *arg)
{
    int r = cel_worker_index() == 0 ? cel_metrics_workers(text, sizeof text) : 1;

    return r > 0 ? arg : cel_fail(r, "asking");
}

static int ask_once(void *arg)
{
    struct cel_workers_options options = {.count = COUNT};
    int r = cel_run_workers(&options, ask_short_of_memory, arg);

    return r < 0 ? r : 0;
}

static void keep_quiet(enum cel_log_level level, const char *line, void *arg)
{
}

static void metrics_of_workers_survive_every_allocation_that_fails(void **state)
{
    if (is_simulated()) {
        skip();
    }
    cel_set_log(keep_quiet, NULL);
    assert_true(fault_every_alloc(ask_once, text) > 5);
    cel_set_log(NULL, NULL);
}

/* Where each loop chooses by itself, one that was short of memory for a ring has epoll, and its
 * neighbour a ring: they must still wake each other. */
static void workers_of_unlike_backends_wake_each_other(void **state)
{
    const char *name = getenv("CELADON_BACKEND");
    char *backend;

    if (is_simulated()) {
        skip();
    }
    backend = name != NULL ? strdup(name) : NULL;
    unsetenv("CELADON_BACKEND");
    cel_set_log(keep_quiet, NULL);
    assert_true(fault_every_alloc(ask_once, text) > 5);
    cel_set_log(NULL, NULL);
    if (backend != NULL)
        setenv("CELADON_BACKEND", backend, 1);
    free(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_of_workers_are_told_apart),
        cmocka_unit_test(metrics_wait_for_a_worker_whatever_is_cancelled),
        cmocka_unit_test(metrics_of_workers_survive_every_allocation_that_fails),
        cmocka_unit_test(workers_of_unlike_backends_wake_each_other),
        cmocka_unit_test(metrics_without_workers_are_those_of_the_loop),
        cmocka_unit_test(metrics_asked_for_in_a_cancelled_scope_are_not_gathered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
