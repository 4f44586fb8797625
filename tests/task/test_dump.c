/* SPDX-License-Identifier: MIT */
/* The dump, the deadlock's report, the watchdog: each is asked about a situation that stands still,
 * and its text is read back. */
#include <celadon/debug.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <celadon/net.h>
#include <celadon/offload.h>

#include "support/check.h"
#include "support/intask.h"

static char text[1 << 20];

/* What has been written to a memory file, as a string. */
static void read_back(int fd)
{
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    assert_true(n >= 0);
    text[n] = '\0';
}

static void dump_here_with(const struct cel_dump_options *options)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(cel_dump_with(fd, options), 0);
    read_back(fd);
    close(fd);
}

static void dump_here(void)
{
    int fd = memfd_create("dump", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(cel_dump(fd), 0);
    read_back(fd);
    close(fd);
}

/* The line of the dump that is about the task: "task 0x… "name" (spawned at …". */
static const char *line_of(const char *task)
{
    static char line[512];
    char quoted[64];

    snprintf(quoted, sizeof quoted, " \"%s\" (spawned at ", task);
    for (const char *at = text; (at = strstr(at, "\ntask 0x")) != NULL; at++) {
        size_t address = strlen("task ") + strcspn(at + 1 + strlen("task "), " ");

        snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
        if (strncmp(line + address, quoted, strlen(quoted)) == 0)
            return line;
    }
    fail_msg("no task %s in\n%s", task, text);
    return NULL;
}

static void says(const char *task, const char *what)
{
    const char *line = line_of(task);

    if (strstr(line, what) == NULL)
        fail_msg("'%s' is not in: %s", what, line);
}

static void *sleeper(void *arg)
{
    CEL_SCOPE (scope, .timeout = 1000 * CEL_SECOND)
        (void)cel_sleep(500 * CEL_SECOND);
    return arg;
}

static void *awaiter(void *arg)
{
    return cel_await((struct cel_future *)arg, NULL) < 0 ? NULL : arg;
}

static void *joiner(void *arg)
{
    return cel_await((struct cel_task *)arg, NULL) < 0 ? NULL : arg;
}

static void *gatherer(void *arg)
{
    return cel_gather((struct cel_future **)arg, 2, NULL) < 0 ? NULL : arg;
}

static void *reader(void *arg)
{
    char c;

    return cel_read(arg, &c, 1) <= 0 ? NULL : arg;
}

static void *never(void *arg)
{
    return arg;
}

IN_TASK(dump_tells_what_each_task_waits_for)
{
    struct cel_future *f = cel_future_new();
    struct cel_future *several[2] = {f, cel_future_new()};
    struct cel_stream *here, *there;
    struct cel_task *sleeping, *unstarted;
    char descriptor[64];
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(cel_stream_open(&here, fds[0], true), 0);
    assert_int_equal(cel_stream_open(&there, fds[1], true), 0);
    CEL_SCOPE (scope) {
        sleeping = cel_spawn_with(sleeper, NULL, .name = "sleeping");
        assert_non_null(sleeping);
        assert_non_null(cel_spawn_with(awaiter, f, .name = "awaiting"));
        assert_non_null(cel_spawn_with(joiner, sleeping, .name = "joining"));
        assert_non_null(cel_spawn_with(gatherer, several, .name = "gathering"));
        assert_non_null(cel_spawn_with(reader, here, .name = "reading"));
        assert_int_equal(cel_yield(), 0);
        unstarted = cel_spawn_with(never, NULL, .name = "unstarted");
        assert_non_null(unstarted);
        dump_here();
        says("sleeping", "parked sleeping, ");
        says("awaiting", "parked awaiting a future");
        says("joining", "parked awaiting \"sleeping\" (spawned at ");
        says("gathering", "2 of 2 are pending");
        snprintf(descriptor, sizeof descriptor, "read on descriptor %d;", fds[0]);
        says("reading", descriptor);
        says("unstarted", ": not started");
        assert_non_null(strstr(text, "running: \"task\" (spawned at "));
        assert_non_null(strstr(text, "in scope, deadline in "));
        assert_null(strstr(text, "these wait for each other"));
        cel_scope_cancel(&scope);
    }
    cel_close(here);
    cel_close(there);
    cel_future_free(several[0]);
    cel_future_free(several[1]);
}

IN_TASK(dump_tells_a_cancelled_scope)
{
    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(never, NULL, .name = "doomed"));
        cel_scope_cancel(&scope);
        dump_here();
        says("doomed", ": not started");
        assert_non_null(strstr(text, "in doomed, cancelled < scope, cancelled"));
    }
}

static void dump_without_a_loop_is_refused(void **state)
{
    assert_int_equal(cel_dump(STDERR_FILENO), -ENODEV);
    assert_int_equal(cel_dump_with(STDERR_FILENO, NULL), -ENODEV);
    assert_int_equal(cel_dump_on_signal(SIGUSR2), -ENODEV);
    assert_int_equal(cel_stall_watch(NULL), -ENODEV);
    assert_int_equal(cel_stall_count(), 0);
    cel_stall_unwatch();
}

IN_TASK(dump_of_many_tasks_names_each_once)
{
    struct cel_future *f = cel_future_new();
    unsigned count = 0;

    CEL_SCOPE (scope) {
        for (int i = 0; i < 200; i++)
            assert_non_null(cel_spawn_with(awaiter, f, .name = "one of many"));
        assert_int_equal(cel_yield(), 0);
        dump_here_with(&(struct cel_dump_options){.every_task = true});
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    for (const char *at = text; (at = strstr(at, "\"one of many\"")) != NULL; at++)
        count++;
    assert_int_equal(count, 200);
    cel_future_free(f);
}

/* ---- what goes to standard error ---- */

static int real_stderr;
static int caught;

static void catch_stderr(void)
{
    caught = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(caught >= 0);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(caught, STDERR_FILENO) >= 0);
}

static void give_stderr_back(void)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    close(real_stderr);
    read_back(caught);
    close(caught);
}

static void give_signal_back(int signo)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};

    assert_int_equal(sigaction(signo, &usual, NULL), 0);
}

/* Function names are told where this program's own symbols can be read. */
__attribute__((noinline)) static void *named_function(void *arg)
{
    void *r = cel_sleep(1000 * CEL_SECOND) == 0 ? arg : NULL;

    __asm__ volatile("" : "+r"(r)); /* or the call above becomes a jump */
    return r;
}

IN_TASK(signal_makes_the_loop_dump_with_function_names)
{
    assert_int_equal(cel_dump_on_signal(SIGUSR2), 0);
    assert_int_equal(cel_dump_on_signal(SIGUSR2), 0); /* twice is once */
    CEL_SCOPE (scope) {
        assert_non_null(cel_spawn_with(named_function, NULL, .name = "named"));
        assert_int_equal(cel_yield(), 0);
        catch_stderr();
        assert_int_equal(raise(SIGUSR2), 0);
        give_stderr_back();
        says("named", "parked sleeping");
        assert_non_null(strstr(text, " named_function+0x"));
        assert_non_null(strstr(text, "celadon: end of the dump\n"));
        cel_scope_cancel(&scope);
    }
    give_signal_back(SIGUSR2);
}

struct other {
    struct cel_loop *loop;
    int ready;
    int stop;
};

static void *wait_for_stop(void *arg)
{
    struct other *o = arg;

    if (cel_dump_on_signal(SIGUSR2) < 0)
        return cel_fail(-EINVAL, "registering");
    __atomic_store_n(&o->ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&o->stop, __ATOMIC_ACQUIRE))
        if (cel_sleep(CEL_MILLISECOND) < 0)
            break;
    return arg;
}

static void *run_other(void *arg)
{
    return cel_run(wait_for_stop, arg, NULL) == 0 ? arg : NULL;
}

static bool is_in_text(const char *what)
{
    read_back(caught);
    return strstr(text, what) != NULL;
}

IN_TASK(signal_reaches_the_loops_of_other_threads)
{
    struct other other = {0};
    struct cel_future *thread = cel_offload(run_other, &other);

    assert_non_null(thread);
    assert_int_equal(cel_dump_on_signal(SIGUSR2), 0);
    while (!__atomic_load_n(&other.ready, __ATOMIC_ACQUIRE))
        assert_int_equal(cel_yield(), 0);
    catch_stderr();
    assert_int_equal(raise(SIGUSR2), 0);
    while (!is_in_text("\"main\" (spawned by cel_run)"))
        assert_int_equal(cel_yield(), 0);
    assert_true(is_in_text("\"task\" (spawned at "));
    __atomic_store_n(&other.stop, 1, __ATOMIC_RELEASE);
    assert_int_equal(cel_await(thread, NULL), 0);
    give_stderr_back();
    cel_future_free(thread);
    give_signal_back(SIGUSR2);
}

/* ---- deadlock ---- */

static char logged[1 << 16];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t at = strlen(logged);

    snprintf(logged + at, sizeof logged - at, "%s\n", line);
}

static struct cel_task *left, *right;

static void *await_right(void *arg)
{
    return cel_await(right, NULL) < 0 ? NULL : arg;
}

static void *await_left(void *arg)
{
    return cel_await(left, NULL) < 0 ? NULL : arg;
}

static void *embrace(void *arg)
{
    left = cel_spawn_with(await_right, NULL, .name = "left");
    right = cel_spawn_with(await_left, NULL, .name = "right");
    return left != NULL && right != NULL && cel_join(left, NULL) < 0 ? NULL : arg;
}

static void deadlock_report_marks_the_circle(void **state)
{
    const char *circle;

    logged[0] = '\0';
    cel_set_log(keep_log, NULL);
    assert_int_equal(cel_run(embrace, NULL, NULL), -EDEADLK);
    cel_set_log(NULL, NULL);
    circle = strstr(logged, "these wait for each other:");
    assert_non_null(circle);
    assert_non_null(strstr(circle, "\"left\" (spawned at "));
    assert_non_null(strstr(circle, "is awaiting \"left\" (spawned at "));
    assert_non_null(strstr(circle, "is awaiting \"right\" (spawned at "));
    assert_null(strstr(circle, "\"main\""));
}

/* ---- stalls ---- */

__attribute__((noinline)) static void hog_the_loop(void)
{
    uint64_t before = cel_stall_count();

    while (cel_stall_count() == before)
        continue;
}

IN_TASK(stall_is_counted_and_names_the_culprit)
{
    struct cel_stall_options options = {.warn_after = 2 * CEL_MILLISECOND, .signo = SIGUSR1};

    assert_int_equal(cel_stall_watch(&options), 0);
    assert_int_equal(cel_stall_watch(&options), -EALREADY);
    cel_task_set_name(cel_task_current(), "hog");
    catch_stderr();
    hog_the_loop();
    while (!is_in_text("stall: a turn of the loop"))
        continue;
    give_stderr_back();
    assert_non_null(strstr(text, "running: \"hog\" (spawned at "));
    assert_true(cel_stall_count() >= 1);
    cel_stall_unwatch();
    assert_int_equal(cel_stall_count(), 0);
    give_signal_back(SIGUSR1);
}

IN_TASK(stall_watch_ends_with_its_loop)
{
    assert_int_equal(cel_stall_watch(NULL), 0);
    assert_int_equal(cel_yield(), 0);
}

/* ---- the trace and the metrics ---- */

static void trace_here(void)
{
    int fd = memfd_create("trace", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(cel_trace_dump(fd), 0);
    read_back(fd);
    close(fd);
}

IN_TASK(trace_keeps_events_in_their_order)
{
    const char *spawn, *park, *end;
    struct cel_task *task;

    assert_int_equal(cel_trace_dump(STDERR_FILENO), -ENODEV);
    assert_int_equal(cel_trace_start(0), 0);
    assert_int_equal(cel_trace_start(0), -EALREADY);
    task = cel_spawn(never, NULL);
    assert_non_null(task);
    assert_int_equal(cel_join(task, NULL), 0);
    trace_here();
    spawn = strstr(text, "task_spawn  task 0x");
    park = strstr(text, "task_park  task 0x");
    end = strstr(text, "task_end  task 0x");
    assert_true(spawn != NULL && park != NULL && end != NULL);
    assert_true(spawn < park && park < end);
    assert_non_null(strstr(park, "  awaiting \n"));
    dump_here();
    assert_non_null(strstr(text, "the last events:\n"));
    cel_trace_stop();
    cel_trace_stop();
    assert_int_equal(cel_trace_dump(STDERR_FILENO), -ENODEV);
}

IN_TASK(trace_forgets_the_oldest)
{
    unsigned lines = 0;

    assert_int_equal(cel_trace_start(1), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(cel_sleep(1), 0);
    trace_here();
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 64); /* the least that is kept */
}

/* The number behind a metric's name; -1 when it is not there. */
static long long metric(const char *name)
{
    size_t len = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at += len)
        if ((at == text || at[-1] == '\n') && at[len] == ' ')
            return strtoll(at + len, NULL, 10);
    return -1;
}

IN_TASK(metrics_count_what_happened)
{
    int len = cel_metrics(text, sizeof text);
    char few[16];

    assert_true(len > 0 && (size_t)len == strlen(text));
    assert_int_equal(metric("celadon_tasks"), 1);
    assert_int_equal(metric("celadon_events_total{event=\"task_spawn\"}"), -1);
    assert_int_equal(cel_trace_start(0), 0);
    CEL_SCOPE (scope) {
        for (int i = 0; i < 7; i++)
            assert_non_null(cel_spawn(never, NULL));
        assert_true(cel_metrics(text, sizeof text) > len);
        assert_int_equal(metric("celadon_tasks"), 8);
    }
    assert_int_equal(cel_sleep(1), 0);
    assert_true(cel_metrics(text, sizeof text) > 0);
    assert_int_equal(metric("celadon_tasks"), 1);
    assert_int_equal(metric("celadon_events_total{event=\"task_spawn\"}"), 7);
    assert_int_equal(metric("celadon_events_total{event=\"task_end\"}"), 7);
    assert_int_equal(metric("celadon_events_total{event=\"timers_fire\"}"), 1);
    assert_true(metric("celadon_loop_lag_seconds_count") >= 1);
    assert_int_equal(metric("celadon_loop_lag_seconds_count"),
                     metric("celadon_loop_lag_seconds_bucket{le=\"+Inf\"}"));
    assert_true(cel_metrics(few, sizeof few) > (int)sizeof few);
    assert_int_equal(strlen(few), sizeof few - 1);
}

/* Each sample belongs to the family announced right before it; counters end in _total, durations
 * are in seconds, the histogram's buckets only grow. */
IN_TASK(metrics_follow_the_conventions)
{
    char family[64] = "", type[16] = "", *at = text, *line;
    long long before = 0;

    assert_int_equal(cel_trace_start(0), 0);
    assert_int_equal(cel_sleep(1), 0);
    assert_true(cel_metrics(text, sizeof text) < (int)sizeof text);
    while ((line = strsep(&at, "\n")) != NULL && *line != '\0') {
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line, "# HELP %63s", family), 1);
            assert_non_null(strchr(line + 7, ' '));
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_int_equal(strncmp(line + 7, family, strlen(family)), 0);
            assert_int_equal(sscanf(line + 7 + strlen(family), "%15s", type), 1);
            assert_int_equal(strcmp(type, "counter") == 0, strstr(family, "_total") != NULL);
            assert_int_equal(strcmp(type, "histogram") == 0, strstr(family, "_seconds") != NULL);
        } else {
            assert_int_equal(strncmp(line, family, strlen(family)), 0);
            assert_int_equal(strspn(line, "abcdefghijklmnopqrstuvwxyz_"), strcspn(line, " {"));
            if (strstr(line, "_bucket{") == NULL)
                continue;
            assert_true(strtoll(strrchr(line, ' '), NULL, 10) >= before);
            before = strtoll(strrchr(line, ' '), NULL, 10);
        }
    }
    assert_true(before >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_tells_what_each_task_waits_for),
        cmocka_unit_test(dump_tells_a_cancelled_scope),
        cmocka_unit_test(dump_without_a_loop_is_refused),
        cmocka_unit_test(dump_of_many_tasks_names_each_once),
        cmocka_unit_test(signal_makes_the_loop_dump_with_function_names),
        cmocka_unit_test(signal_reaches_the_loops_of_other_threads),
        cmocka_unit_test(deadlock_report_marks_the_circle),
        cmocka_unit_test(stall_is_counted_and_names_the_culprit),
        cmocka_unit_test(stall_watch_ends_with_its_loop),
        cmocka_unit_test(trace_keeps_events_in_their_order),
        cmocka_unit_test(trace_forgets_the_oldest),
        cmocka_unit_test(metrics_count_what_happened),
        cmocka_unit_test(metrics_follow_the_conventions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
