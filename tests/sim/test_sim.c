/* SPDX-License-Identifier: MIT */
/* Simulated runs: what the machine does when it is told to, what a run reports, and that a seed
 * decides all of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <celadon/debug.h>
#include <celadon/loop.h>
#include <celadon/net.h>
#include <celadon/offload.h>
#include <celadon/process.h>
#include <celadon/signal.h>
#include <celadon/sim.h>
#include <celadon/task.h>
#include <celadon/watch.h>
#include "support/check.h"

static char told[65536]; /* the log's lines */

static void hear(enum cel_log_level level, const char *line, void *arg)
{
    size_t len = strlen(told);

    snprintf(told + len, sizeof told - len, "%s\n", line);
}

static int quiet(void **state)
{
    told[0] = '\0';
    cel_set_log(hear, NULL);
    unsetenv("CEL_SEED");
    unsetenv("CEL_CFG");
    unsetenv("CEL_FAULTS");
    return 0;
}

static int loud(void **state)
{
    cel_set_log(NULL, NULL);
    unsetenv("CEL_SEED");
    unsetenv("CEL_CFG");
    unsetenv("CEL_FAULTS");
    return 0;
}

static int run_calm(void *(*fn)(void *arg), void *arg, struct cel_sim_report *report)
{
    struct cel_sim_options calm;

    cel_sim_options_calm(&calm);
    return cel_sim_run(7, &calm, fn, arg, report);
}

/* Fails the task: an assertion of cmocka would leave the run without ending it. */
#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond))                                                          \
            return cel_fail(-EPROTO, "%s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)

/* ---- time ---- */

static void *sleep_a_year(void *arg)
{
    int64_t year = 365 * 86400 * CEL_SECOND, began = cel_sim_now();

    CHECK(cel_sleep(year) == 0);
    CHECK(cel_sim_now() - began >= year && cel_sim_now() - began < year + CEL_SECOND);
    return NULL;
}

static void long_sleeps_take_no_time(void **state)
{
    struct cel_sim_report report;
    time_t began = time(NULL);

    assert_int_equal(run_calm(sleep_a_year, NULL, &report), 0);
    assert_true(report.elapsed >= 365 * 86400 * CEL_SECOND);
    assert_true(time(NULL) - began < 60);
}

static void *count_up(void *arg)
{
    for (int i = 0; i < 5; i++)
        cel_yield();
    *(int *)arg += 1;
    CHECK(cel_sleep(CEL_SECOND) == 0);
    *(int *)arg += 1;
    return NULL;
}

static void *settle_and_look(void *arg)
{
    int count = 0;
    struct cel_task *task = cel_spawn(count_up, &count);
    int r = 0;

    CHECK(task != NULL && cel_sim_settle() == 0);
    CHECK(count == 1);
    CHECK(cel_join(task, NULL) == 0 && count == 2);
    CEL_SCOPE (gone, .timeout = 0) {
        cel_scope_cancel(&gone);
        r = cel_sim_settle();
    }
    CHECK(r == -ECANCELED);
    return NULL;
}

static void settle_waits_until_all_are_parked(void **state)
{
    assert_int_equal(run_calm(settle_and_look, NULL, NULL), 0);
}

/* ---- how a run ends ---- */

static void *fail_at_once(void *arg)
{
    return cel_fail(-EDOM, "out of luck");
}

static void *wait_for_nothing(void *arg)
{
    struct cel_future *never = cel_future_new();
    int r;

    CHECK(never != NULL);
    r = cel_await(never, NULL);
    cel_future_free(never);
    return r < 0 ? NULL : arg;
}

static void *sleep_for_ever(void *arg)
{
    while (cel_sleep(CEL_SECOND) == 0)
        continue;
    return NULL;
}

static void *leave_a_listener(void *arg)
{
    static struct cel_listener *door; /* in reach for who looks for leaks */

    CHECK(cel_listen(&door, ":80", NULL) == 0);
    return NULL;
}

static void run_reports_each_kind_of_failure(void **state)
{
    static const struct {
        void *(*fn)(void *arg);
        int code;
        const char *said;
    } ends[] = {{fail_at_once, -EDOM, "the simulation failed: out of luck"},
                {wait_for_nothing, -EDEADLK, "all wait"},
                {sleep_for_ever, -ETIMEDOUT, "patience is over"},
                {leave_a_listener, -EBUSY, "1 left open"}};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct cel_sim_options calm;
        struct cel_sim_report report;

        told[0] = '\0';
        cel_sim_options_calm(&calm);
        calm.patience = ends[i].code == -ETIMEDOUT ? 60 * CEL_SECOND : 0;
        assert_int_equal(cel_sim_run(99, &calm, ends[i].fn, NULL, &report), ends[i].code);
        assert_non_null(strstr(told, "again with CEL_SEED=99 CEL_BUILD=0."));
        assert_non_null(strstr(told, " CEL_CFG=policy=0,"));
        assert_non_null(strstr(told, ends[i].said));
        assert_int_equal(report.seed, 99);
    }
}

static int level; /* that must stay low */

static const char *look_at_level(void *arg)
{
    return level > 2 ? arg : NULL;
}

static void *rise(void *arg)
{
    for (; cel_sleep(CEL_SECOND) == 0; level++)
        cel_sim_note("level %d", level);
    return NULL;
}

static void *rise_under_watch(void *arg)
{
    struct cel_sim_host *far;

    level = 0;
    CHECK(cel_sim_always(look_at_level, "the level is too high") == 0);
    for (int i = 1; i < 8; i++)
        CHECK(cel_sim_always(look_at_level, "never told") == 0);
    CHECK(cel_sim_always(look_at_level, NULL) == -ENOSPC);
    CHECK(cel_sim_host_new(&far, "far", rise, NULL) == 0);
    return rise(NULL);
}

static void invariant_ends_the_run_at_the_step_that_breaks_it(void **state)
{
    struct cel_sim_report report;

    assert_int_equal(run_calm(rise_under_watch, NULL, &report), -EPROTO);
    assert_int_equal(level, 3); /* and not a step further */
    assert_true(report.elapsed < 3 * CEL_SECOND);
    assert_non_null(strstr(told, "the simulation failed: the level is too high"));
    assert_non_null(strstr(told, "far: level 1\n"));
}

/* ---- seeds ---- */

static void *draw_much(void *arg)
{
    for (int i = 0; i < 20; i++)
        cel_sleep((int64_t)cel_sim_draw(1000));
    return NULL;
}

static void same_seed_same_run(void **state)
{
    struct cel_sim_report a, b, c;

    assert_int_equal(cel_sim_run(5, NULL, draw_much, NULL, &a), 0);
    assert_int_equal(cel_sim_run(5, NULL, draw_much, NULL, &b), 0);
    assert_int_equal(cel_sim_run(6, NULL, draw_much, NULL, &c), 0);
    assert_true(a.hash == b.hash && a.elapsed == b.elapsed && a.switches == b.switches);
    assert_true(a.hash != c.hash);
}

static void *depend_on_the_past(void *arg)
{
    static int runs;

    cel_sleep(1000 + ++runs);
    return NULL;
}

static void *ask_libc(void *arg)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    cel_sleep(1 + now.tv_nsec % 1000000);
    return NULL;
}

static void hidden_state_is_found_by_the_second_run(void **state)
{
    assert_int_equal(cel_sim_sweep(1, 5, NULL, depend_on_the_past, NULL, NULL), -EILSEQ);
    assert_non_null(strstr(told, "is not the whole truth"));
    assert_non_null(strstr(told, "the first run: at 1000"));
    assert_non_null(strstr(told, "the second run: at 1000"));
    assert_non_null(strstr(told, "\"main\" runs\n"));
    assert_non_null(strstr(told, "Usual causes: "));
    assert_int_equal(cel_sim_sweep(1, 1, NULL, ask_libc, NULL, NULL), -EILSEQ);
    assert_non_null(strstr(told, "task runs of the trial\n"));
}

static void *fail_for_some(void *arg)
{
    *(unsigned *)arg += 1;
    return cel_sim_draw(10) == 0 ? cel_fail(-EDOM, "bad draw") : NULL;
}

static void sweep_stops_at_the_seed_that_fails_and_the_environment_replays_it(void **state)
{
    struct cel_sim_report sum;
    unsigned runs = 0;
    char seed[32];

    assert_int_equal(cel_sim_sweep(1, 1000, NULL, fail_for_some, &runs, &sum), -EDOM);
    assert_true(sum.runs < 1000 && runs >= sum.runs);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)sum.seed);
    setenv("CEL_SEED", seed, 1);
    runs = 0;
    assert_int_equal(cel_sim_sweep(1, 1000, NULL, fail_for_some, &runs, &sum), -EDOM);
    assert_int_equal(runs, 1);
    setenv("CEL_CFG", "latency=77,policy=2", 1);
    assert_int_equal(cel_sim_run(1, NULL, fail_for_some, &runs, &sum), -EDOM);
    assert_non_null(strstr(told, "policy=2,"));
    assert_non_null(strstr(told, ",latency=77,"));
    setenv("CEL_CFG", "colour=blue", 1);
    assert_int_equal(cel_sim_run(1, NULL, fail_for_some, &runs, &sum), -EINVAL);
}

/* ---- what a simulated machine has not ---- */

static void *compute(void *arg)
{
    return arg;
}

static void *ask_for_the_impossible(void *arg)
{
    static const char *const argv[] = {"true", NULL};
    struct cel_handle *handle;
    struct cel_watch *watch;
    int signo = SIGUSR1, *pipes = arg;

    CHECK(cel_process_run(argv, NULL, NULL, 0, 1, NULL) == -ENOSYS);
    CHECK(cel_signal_wait(&signo, 1) == -ENOSYS);
    CHECK(cel_watch_open(&watch, "/tmp", NULL) == -ENOSYS);
    CHECK(cel_stall_watch(NULL) == -ENOSYS); /* a thread */
    CHECK(cel_handle_open(cel_loop_current(), &handle, pipes[0], false) == -ENOSYS);
    CHECK(cel_offload_await(compute, arg, NULL) == 0); /* the pool is simulated */
    return NULL;
}

static void what_is_not_simulated_is_refused_by_name(void **state)
{
    static const char *const told_of[] = {
        "other processes: ", "signals: ", "news of files: ", "threads: ", "(pipe:["};
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(run_calm(ask_for_the_impossible, pipes, NULL), 0);
    close(pipes[0]);
    close(pipes[1]);
    for (size_t i = 0; i < sizeof told_of / sizeof told_of[0]; i++)
        assert_non_null(strstr(told, told_of[i]));
}

/* ---- what helps to find out ---- */

static void *drop_datagrams(void *arg)
{
    struct sockaddr_storage to = {0};
    struct sockaddr_in *at = (struct sockaddr_in *)&to;
    struct cel_socket *socket;

    at->sin_family = AF_INET;
    at->sin_port = htons(9);
    at->sin_addr.s_addr = htonl(10u << 24 | 1);
    CHECK(cel_udp_open(&socket, "0.0.0.0:0") == 0);
    for (int i = 0; i < 50; i++)
        CHECK(cel_send_to(socket, "x", 1, &to) == 1);
    cel_socket_close(socket);
    return NULL;
}

static void lose_all(struct cel_sim_report *report)
{
    struct cel_sim_options o;

    cel_sim_options_calm(&o);
    o.loss = 1000000;
    o.faults_for = CEL_SECOND;
    assert_int_equal(cel_sim_run(3, &o, drop_datagrams, NULL, report), 0);
}

static void faults_can_be_left_out_by_number(void **state)
{
    struct cel_sim_report all, some, named;

    lose_all(&all);
    assert_true(all.faults >= 50);
    setenv("CEL_FAULTS", "1-3,9,48-", 1);
    lose_all(&some);
    assert_int_equal(some.faults, 4 + all.faults - 47);
    setenv("CEL_FAULTS", "1-", 1);
    lose_all(&named);
    assert_true(named.hash == all.hash && named.faults == all.faults);
    setenv("CEL_FAULTS", "the third", 1);
    lose_all(&named);
    assert_true(named.faults == all.faults);
    assert_non_null(strstr(told, "CEL_FAULTS is 'the third'"));
}

static void *trip(void *arg)
{
    abort();
}

/* -> what it said. */
static void run_in_child(void *(*fn)(void *arg), char *said, size_t cap)
{
    int pipes[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        (void)!cel_sim_run(41, NULL, fn, NULL, NULL);
        _exit(0);
    }
    close(pipes[1]);
    while (len + 1 < cap && (n = read(pipes[0], said + len, cap - len - 1)) > 0)
        len += (size_t)n;
    said[len] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void crash_tells_its_seed_and_takes_its_course(void **state)
{
#if defined(__SANITIZE_THREAD__)
    skip(); /* its view of fibers does not survive the fork */
#endif
    char said[8192];

    run_in_child(trip, said, sizeof said);
    assert_non_null(strstr(said, "again with CEL_SEED=41 CEL_BUILD=0."));
    assert_non_null(strstr(said, "test_sim"));
}

static void all_that_happens_is_written_down_for_who_asks(void **state)
{
    char path[] = "/tmp/celadon-trace-XXXXXX", text[4096];
    int fd = mkstemp(path);
    struct cel_sim_report before, after;
    ssize_t n;

    assert_true(fd >= 0);
    lose_all(&before);
    setenv("CEL_TRACE", path, 1);
    lose_all(&after);
    unsetenv("CEL_TRACE");
    n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    unlink(path);
    assert_non_null(strstr(text, "--- seed 3\n"));
    assert_non_null(strstr(text, "\"main\" runs\n"));
    assert_non_null(strstr(text, "fault 2: loss\n"));
    assert_true(before.hash == after.hash); /* who looks changes nothing */
}

/* ---- the network ---- */

static void *serve_echo(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;
    char byte;

    CHECK(cel_listen(&door, ":7", NULL) == 0);
    while (cel_accept(door, &s) == 0) {
        while (cel_read(s, &byte, 1) == 1)
            if (cel_write(s, &byte, 1) < 0)
                break;
        cel_close(s);
    }
    cel_listener_close(door);
    return NULL;
}

static int echo_once(struct cel_stream *s)
{
    char byte = 'x';
    ssize_t n = cel_write(s, &byte, 1);

    if (n == 1)
        n = cel_read(s, &byte, 1);
    return n == 1 ? 0 : n == 0 ? -CEL_EEOF : (int)n;
}

static int echo_within(struct cel_stream *s, int64_t timeout)
{
    int r = 0;

    CEL_SCOPE (limit, .timeout = timeout) {
        r = echo_once(s);
    }
    return r;
}

static void *part_and_heal(void *arg)
{
    struct cel_sim_host *far, *home = cel_sim_home();
    struct cel_stream *s;

    CHECK(cel_sim_host_new(&far, "far", serve_echo, NULL) == 0);
    CHECK(cel_connect(&s, "far:7", NULL) == 0);
    CHECK(strncmp(cel_stream_peer(s), cel_sim_host_address(far), 8) == 0);
    CHECK(echo_once(s) == 0);
    cel_sim_partition(home, far);
    CHECK(echo_within(s, CEL_SECOND) == -ETIMEDOUT);
    cel_sim_heal(home, far);
    CHECK(cel_sleep(5 * CEL_SECOND) == 0); /* what was under way comes through in the end */
    CHECK(echo_within(s, CEL_SECOND) == 0);
    cel_sim_partition_one_way(far, home);
    CHECK(echo_within(s, CEL_SECOND) == -ETIMEDOUT);
    cel_sim_heal(far, home);
    cel_sim_clog(far, home, CEL_SECOND);
    cel_close(s);
    return NULL;
}

static void partition_parts_until_it_is_healed(void **state)
{
    assert_int_equal(run_calm(part_and_heal, NULL, NULL), 0);
}

static void *crash_and_reboot(void *arg)
{
    struct cel_sim_host *far;
    struct cel_stream *s;

    CHECK(cel_sim_host_new(&far, "far", serve_echo, NULL) == 0);
    CHECK(cel_sim_host_new(&far, "far", serve_echo, NULL) == -EEXIST);
    CHECK(cel_connect(&s, "far:7", NULL) == 0);
    CHECK(echo_once(s) == 0);
    cel_sim_kill(far);
    CHECK(echo_within(s, CEL_SECOND) == -ETIMEDOUT); /* the dead say nothing */
    CHECK(cel_sim_reboot(far) == 0);
    CHECK(echo_within(s, 20 * CEL_SECOND) == -ECONNRESET);
    cel_close(s);
    CHECK(cel_connect(&s, "far:7", NULL) == 0);
    CHECK(echo_once(s) == 0);
    cel_close(s);
    return NULL;
}

static void killed_host_is_silent_and_after_its_reboot_resets(void **state)
{
    assert_int_equal(run_calm(crash_and_reboot, NULL, NULL), 0);
}

static unsigned boots;

static void *count_boots(void *arg)
{
    boots++;
    return sleep_for_ever(NULL);
}

static void *fail_by_chance(void *arg)
{
    struct cel_sim_host *host;

    boots = 0;
    CHECK(cel_sim_host_new(&host, "weak", count_boots, NULL) == 0);
    if (arg != NULL)
        cel_sim_mortal(host);
    CHECK(cel_sleep(60 * CEL_SECOND) == 0);
    cel_sim_calm();
    CHECK(cel_sleep(10 * CEL_SECOND) == 0); /* it is back by then, and stays */
    CHECK(arg == NULL || boots > 10);
    boots = 0;
    CHECK(cel_sleep(60 * CEL_SECOND) == 0 && boots == 0);
    cel_sim_kill(host);
    CHECK(cel_sim_reboot(host) == 0);
    CHECK(cel_sleep(1) == 0 && boots == 1);
    return NULL;
}

static void mortal_host_loses_power_at_moments_of_the_seed(void **state)
{
    struct cel_sim_options o;
    struct cel_sim_report a, b;

    cel_sim_options_calm(&o);
    o.outage = 100000;
    o.faults_for = 1000 * CEL_SECOND;
    assert_int_equal(cel_sim_run(1, &o, fail_by_chance, &o, &a), 0);
    assert_true(a.faults > 10);
    assert_int_equal(cel_sim_run(1, &o, fail_by_chance, &o, &b), 0);
    assert_true(a.hash == b.hash);
    assert_int_equal(cel_sim_run(1, &o, fail_by_chance, NULL, &a), 0);
    assert_int_equal(a.faults, 0); /* who is not mortal is let be */
}

/* With one kind of fault alone, a play goes as it should and the fault does come. */
static void *be_plagued(void *arg)
{
    struct cel_sim_host *far;
    struct cel_stream *s;

    CHECK(cel_sim_host_new(&far, "far", serve_echo, NULL) == 0);
    for (int i = 0; i < 200; i++) {
        CHECK(cel_sleep(100 * CEL_MILLISECOND) == 0);
        CEL_SCOPE (patience, .timeout = 30 * CEL_SECOND) {
            if (cel_connect(&s, "far:7", NULL) == 0) {
                (void)echo_once(s);
                cel_close(s);
            }
        }
    }
    return NULL;
}

static void each_plague_comes(void **state)
{
    static const size_t plagues[] = {
        offsetof(struct cel_sim_options, pause),   offsetof(struct cel_sim_options, slow),
        offsetof(struct cel_sim_options, jump),    offsetof(struct cel_sim_options, swizzle),
        offsetof(struct cel_sim_options, corrupt), offsetof(struct cel_sim_options, bad_name)};

    for (size_t i = 0; i < sizeof plagues / sizeof plagues[0]; i++) {
        struct cel_sim_options o;
        struct cel_sim_report report;

        cel_sim_options_calm(&o);
        *(int64_t *)((char *)&o + plagues[i]) = 900000;
        o.faults_for = 1000 * CEL_SECOND;
        assert_int_equal(cel_sim_run(1, &o, be_plagued, NULL, &report), 0);
        assert_true(report.faults > 0);
    }
}

static void *stand_still(void *arg)
{
    struct cel_sim_host *far;
    struct cel_stream *s;
    int64_t began;

    CHECK(cel_sim_host_new(&far, "far", serve_echo, NULL) == 0);
    CHECK(cel_connect(&s, "far:7", NULL) == 0);
    began = cel_sim_now();
    cel_sim_pause(far, 10 * CEL_SECOND);
    CHECK(echo_once(s) == 0);
    CHECK(cel_sim_now() - began >= 10 * CEL_SECOND);
    cel_close(s);
    return NULL;
}

static void paused_host_answers_when_it_goes_on(void **state)
{
    assert_int_equal(run_calm(stand_still, NULL, NULL), 0);
}

static void *fail_to_connect(void *arg)
{
    struct cel_sim_host *far;
    struct cel_stream *s;
    int64_t began = cel_sim_now();
    int r = 0;

    CHECK(cel_sim_host_new(&far, "far", NULL, NULL) == 0);
    CHECK(cel_connect(&s, "far:7", NULL) == -ECONNREFUSED); /* soon: there is a machine */
    CHECK(cel_sim_now() - began < CEL_SECOND);
    CHECK(cel_connect(&s, "10.9.9.9:7", NULL) == -ETIMEDOUT); /* there is none */
    CHECK(cel_sim_now() - began > 30 * CEL_SECOND);
    CHECK(cel_connect(&s, "nowhere:7", NULL) == -CEL_EDNS);
    CHECK(cel_sim_name("alias", "10.9.9.9") == 0);
    CHECK(cel_sim_name("alias", cel_sim_host_address(far)) == 0);
    CHECK(cel_sim_name("bad", "not an address") == -EINVAL);
    CEL_SCOPE (limit, .timeout = 2 * CEL_SECOND) {
        r = cel_connect(&s, "alias:7", NULL);
    }
    CHECK(r == -ETIMEDOUT);
    CHECK(cel_sim_name("alias", NULL) == 0);
    CHECK(cel_connect(&s, "alias:7", NULL) == -CEL_EDNS);
    return NULL;
}

static void refused_is_told_from_nobody_there(void **state)
{
    assert_int_equal(run_calm(fail_to_connect, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(long_sleeps_take_no_time, quiet, loud),
        cmocka_unit_test_setup_teardown(settle_waits_until_all_are_parked, quiet, loud),
        cmocka_unit_test_setup_teardown(run_reports_each_kind_of_failure, quiet, loud),
        cmocka_unit_test_setup_teardown(invariant_ends_the_run_at_the_step_that_breaks_it, quiet,
                                        loud),
        cmocka_unit_test_setup_teardown(same_seed_same_run, quiet, loud),
        cmocka_unit_test_setup_teardown(hidden_state_is_found_by_the_second_run, quiet, loud),
        cmocka_unit_test_setup_teardown(
            sweep_stops_at_the_seed_that_fails_and_the_environment_replays_it, quiet, loud),
        cmocka_unit_test_setup_teardown(what_is_not_simulated_is_refused_by_name, quiet, loud),
        cmocka_unit_test_setup_teardown(faults_can_be_left_out_by_number, quiet, loud),
        cmocka_unit_test_setup_teardown(crash_tells_its_seed_and_takes_its_course, quiet, loud),
        cmocka_unit_test_setup_teardown(all_that_happens_is_written_down_for_who_asks, quiet, loud),
        cmocka_unit_test_setup_teardown(partition_parts_until_it_is_healed, quiet, loud),
        cmocka_unit_test_setup_teardown(killed_host_is_silent_and_after_its_reboot_resets, quiet,
                                        loud),
        cmocka_unit_test_setup_teardown(mortal_host_loses_power_at_moments_of_the_seed, quiet,
                                        loud),
        cmocka_unit_test_setup_teardown(each_plague_comes, quiet, loud),
        cmocka_unit_test_setup_teardown(paused_host_answers_when_it_goes_on, quiet, loud),
        cmocka_unit_test_setup_teardown(refused_is_told_from_nobody_there, quiet, loud),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
