/* SPDX-License-Identifier: MIT */
/* What a program forgot is counted and named when its loop closes; what it gave up is not. */
#include <celadon/celadon.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/check.h"

static char logged[1 << 14];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t len = strlen(logged);

    snprintf(logged + len, sizeof logged - len, "%s\n", line);
}

static void says(const char *what)
{
    if (strstr(logged, what) == NULL)
        fail_msg("'%s' is not in: %s", what, logged);
}

/* Runs fn as the only task of a loop. -> what closing the loop counts. */
static int left_by(cel_task_fn *fn, void *arg)
{
    struct cel_loop *loop;
    struct cel_task *task;
    int left;

    logged[0] = '\0';
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    task = cel_spawn(fn, arg);
    assert_non_null(task);
    assert_int_equal(cel_loop_until(loop, task, NULL), 0);
    cel_task_free(task);
    cel_set_log(keep_log, NULL);
    left = cel_loop_close(loop);
    cel_set_log(NULL, NULL);
    return left;
}

static void *forget_nothing(void *arg)
{
    return arg;
}

static void clean_loop_counts_nothing(void **state)
{
    assert_int_equal(left_by(forget_nothing, NULL), 0);
    assert_string_equal(logged, "");
}

static void ring(struct cel_timer *timer, void *arg)
{
    fail_msg("it is an hour away");
}

static struct cel_timer timers[3];

static void *forget_timers(void *arg)
{
    for (int i = 0; i < 3; i++) {
        cel_timer_init(&timers[i], ring, NULL);
        cel_timer_start(cel_loop_current(), &timers[i], (i + 1) * 3600 * CEL_SECOND);
    }
    cel_timer_stop(cel_loop_current(), &timers[1]);
    return arg;
}

static void armed_timers_are_counted_and_named(void **state)
{
    char name[64];

    assert_int_equal(left_by(forget_timers, NULL), 2);
    snprintf(name, sizeof name, "the timer at %p was left armed", (void *)&timers[0]);
    says(name);
    snprintf(name, sizeof name, "the timer at %p was left armed", (void *)&timers[2]);
    says(name);
}

static struct cel_future *job;
static int pipe_fds[2];

static void *wait_for_byte(void *arg)
{
    char c;

    return read(pipe_fds[0], &c, 1) == 1 ? arg : NULL;
}

/* The job ends when the loop, which waits for it, has been told of it. */
static void write_byte(enum cel_log_level level, const char *line, void *arg)
{
    keep_log(level, line, arg);
    if (strstr(line, "jobs were left") != NULL)
        assert_int_equal(write(pipe_fds[1], "x", 1), 1);
}

static void *forget_job(void *arg)
{
    job = cel_offload(wait_for_byte, NULL);
    return job != NULL ? arg : cel_fail(-ENOMEM, "offload");
}

static void jobs_under_way_are_counted(void **state)
{
    struct cel_loop *loop;
    struct cel_task *task;

    logged[0] = '\0';
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    task = cel_spawn(forget_job, NULL);
    assert_int_equal(cel_loop_until(loop, task, NULL), 0);
    cel_task_free(task);
    cel_set_log(write_byte, NULL);
    assert_int_equal(cel_loop_close(loop), 1);
    cel_set_log(NULL, NULL);
    says("1 jobs were left under way");
    assert_true(cel_is_done(job));
    cel_future_free(job);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void *give_job_up(void *arg)
{
    job = cel_offload(wait_for_byte, NULL);
    if (job == NULL)
        return cel_fail(-ENOMEM, "offload");
    cel_future_free(job);
    return write(pipe_fds[1], "x", 1) == 1 ? arg : cel_fail(-EIO, "write");
}

static void jobs_given_up_are_not_counted(void **state)
{
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(left_by(give_job_up, NULL), 0);
    assert_string_equal(logged, "");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* What is forgotten on purpose stays in reach, for those who look for leaks in earnest. */
static struct cel_stream *streams[2], *stream;

static void *forget_stream(void *arg)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(cel_stream_open(&stream, fds[0], true), 0);
    streams[streams[0] != NULL] = stream;
    *(int *)arg = fds[1];
    return arg;
}

static void streams_left_open_are_counted_and_named(void **state)
{
    int far;

    assert_int_equal(left_by(forget_stream, &far), 1);
    says(" (stream) was left open, with nobody waiting");
    close(far);
}

static struct cel_tls *tls;

static void *forget_tls(void *arg)
{
    assert_non_null(forget_stream(arg));
    close(*(int *)arg);
    assert_int_equal(cel_tls_new(&tls, NULL), 0);
    assert_true(cel_stream_start_tls(stream, tls, "host.example", false) < 0); /* nobody is there */
    return arg;
}

static void tls_sessions_left_open_are_counted_and_named(void **state)
{
    int far;

    assert_int_equal(left_by(forget_tls, &far), 1);
    says(" (TLS session) was left open");
    cel_tls_free(tls);
}

static void on_read(void *arg, int64_t result)
{
    *(int64_t *)arg = result;
}

static struct cel_handle *handle;
static int64_t result;
static char byte;

static void *forget_op(void *arg)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(cel_handle_open(cel_loop_current(), &handle, fds[0], true), 0);
    assert_int_equal(cel_op_read(handle, &byte, 1, on_read, &result, NULL), 0);
    *(int *)arg = fds[1];
    return arg;
}

static void operations_left_in_flight_are_ended_and_named(void **state)
{
    int far;

    assert_int_equal(left_by(forget_op, &far), 1);
    says(" was left open, with operations waiting");
    assert_int_equal(result, -CEL_ECLOSED);
    close(far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_loop_counts_nothing),
        cmocka_unit_test(armed_timers_are_counted_and_named),
        cmocka_unit_test(jobs_under_way_are_counted),
        cmocka_unit_test(jobs_given_up_are_not_counted),
        cmocka_unit_test(streams_left_open_are_counted_and_named),
        cmocka_unit_test(tls_sessions_left_open_are_counted_and_named),
        cmocka_unit_test(operations_left_in_flight_are_ended_and_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
