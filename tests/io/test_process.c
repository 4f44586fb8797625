/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "celadon/process.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

#define ARGV(...)  ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(cmd) ARGV("sh", "-c", cmd)
#define MAX        (1 << 22)

static struct cel_process *start(const char *const argv[],
                                 const struct cel_process_options *options)
{
    struct cel_process *p;

    assert_int_equal(cel_process_spawn(&p, argv, options), 0);
    return p;
}

static struct cel_output run(const char *const argv[], const struct cel_process_options *options,
                             const char *input)
{
    struct cel_output output;

    assert_int_equal(cel_process_run(argv, options, input, strlen(input), MAX, &output), 0);
    return output;
}

static void handle(int signo, void (*how)(int))
{
    const struct sigaction action = {.sa_handler = how};

    assert_int_equal(sigaction(signo, &action, NULL), 0);
}

static void assert_no_child(void)
{
    siginfo_t info;

    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1);
    assert_int_equal(errno, ECHILD);
}

IN_TASK(process_end_is_told_by_code_or_signal)
{
    struct cel_process *p = start(SHELL("exit 7"), NULL);
    struct cel_exit exit;

    assert_true(cel_process_pid(p) > 0);
    assert_null(cel_process_stdin(p));
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.code, 7);
    assert_int_equal(exit.signo, 0);
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.code, 7);
    assert_false(cel_process_is_running(p));
    assert_int_equal(cel_process_signal(p, SIGTERM), -ESRCH);
    cel_process_close(p);
    p = start(SHELL("kill -TERM $$"), NULL);
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.code, 0);
    assert_int_equal(exit.signo, SIGTERM);
    cel_process_close(p);
    cel_process_close(NULL);
    assert_no_child();
}

IN_TASK(process_that_cannot_start_names_what_failed)
{
    const struct cel_process_options folder = {.cwd = "/no/such/folder"};
    const struct cel_process_options file = {
        .in = {.kind = CEL_STDIO_FILE, .path = "/no/such/input"}};
    const struct cel_process_options bad = {.out = {.kind = CEL_STDIO_STDOUT}};
    struct cel_process *p = NULL;

    assert_int_equal(cel_process_spawn(&p, ARGV("/no/such/program"), NULL), -ENOENT);
    assert_non_null(strstr(cel_last_error()->text, "/no/such/program"));
    assert_string_equal(cel_last_error()->phase, "spawn");
    assert_int_equal(cel_process_spawn(&p, ARGV("no-such-program-in-path"), NULL), -ENOENT);
    assert_int_equal(cel_process_spawn(&p, ARGV("/etc/passwd"), NULL), -EACCES);
    assert_int_equal(cel_process_spawn(&p, ARGV("true"), &folder), -ENOENT);
    assert_non_null(strstr(cel_last_error()->text, "/no/such/folder"));
    assert_int_equal(cel_process_spawn(&p, ARGV("true"), &file), -ENOENT);
    assert_non_null(strstr(cel_last_error()->text, "/no/such/input"));
    assert_int_equal(cel_process_spawn(&p, ARGV("true"), &bad), -EINVAL);
    assert_int_equal(cel_process_spawn(&p, (const char *const[]){NULL}, NULL), -EINVAL);
    assert_null(p);
    assert_no_child();
}

IN_TASK(process_streams_are_what_was_asked_for)
{
    char path[] = "/tmp/celadon-process-XXXXXX", buf[64] = "";
    int fd = mkstemp(path);
    struct cel_process_options o = {.out = {.kind = CEL_STDIO_FILE, .path = path},
                                    .err = {.kind = CEL_STDIO_STDOUT}};
    struct cel_output output = run(SHELL("read x; echo out $x; echo err >&2"), &o, "line\n");

    assert_null(output.out);
    assert_null(output.err);
    assert_int_equal(pread(fd, buf, sizeof buf, 0), 13);
    assert_string_equal(buf, "out line\nerr\n");
    cel_output_free(&output);
    o = (struct cel_process_options){.in = {.kind = CEL_STDIO_FD, .fd = fd},
                                     .err = {.kind = CEL_STDIO_NULL}};
    assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
    output = run(SHELL("cat; echo lost >&2"), &o, "");
    assert_string_equal(output.out, "line\nerr\n");
    assert_int_equal(output.out_len, 9);
    assert_null(output.err);
    cel_output_free(&output);
    output = run(SHELL("echo o; echo e >&2; exit 3"), NULL, "");
    assert_string_equal(output.out, "o\n");
    assert_string_equal(output.err, "e\n");
    assert_int_equal(output.exit.code, 3);
    cel_output_free(&output);
    cel_output_free(NULL);
    close(fd);
    unlink(path);
}

IN_TASK(process_stream_by_stream_talks_line_by_line)
{
    const struct cel_process_options o = {.in = {CEL_STDIO_PIPE}, .out = {CEL_STDIO_PIPE}};
    struct cel_process *p = start(ARGV("cat"), &o);
    char line[16];

    assert_int_equal(cel_write(cel_process_stdin(p), "one\n", 4), 4);
    assert_int_equal(cel_read_until(cel_process_stdout(p), '\n', line, sizeof line), 4);
    assert_memory_equal(line, "one\n", 4);
    assert_true(cel_process_is_running(p));
    cel_process_close_stdin(p);
    cel_process_close_stdin(p);
    assert_null(cel_process_stdin(p));
    assert_int_equal(cel_read(cel_process_stdout(p), line, sizeof line), 0);
    assert_int_equal(cel_process_wait(p, NULL), 0);
    cel_process_close(p);
}

IN_TASK(process_has_the_environment_and_folder_given)
{
    const struct cel_process_options o = {.env = ARGV("A=b c", "PATH=/bin:/usr/bin"), .cwd = "/"};
    struct cel_output output = run(SHELL("env | grep -c .; echo $A; pwd"), &o, "");

    assert_non_null(strstr(output.out, "\nb c\n/\n"));
    cel_output_free(&output);
    assert_int_equal(setenv("CELADON_TEST", "handed down", 1), 0);
    output = run(SHELL("echo $CELADON_TEST"), NULL, "");
    assert_string_equal(output.out, "handed down\n");
    cel_output_free(&output);
}

IN_TASK(process_has_no_descriptor_but_the_standard_ones)
{
    int leaky = open("/dev/null", O_RDONLY);
    struct cel_process_options o = {0};
    struct cel_output output = run(ARGV("ls", "/proc/self/fd"), NULL, "");
    char command[64];

    assert_string_equal(output.out, "0\n1\n2\n3\n"); /* and that of the folder it lists */
    cel_output_free(&output);
    o.keep_fds = true;
    snprintf(command, sizeof command, "test -e /proc/$$/fd/%d && echo kept", leaky);
    output = run(SHELL(command), &o, "");
    assert_string_equal(output.out, "kept\n");
    cel_output_free(&output);
    close(leaky);
}

IN_TASK(process_gets_the_descriptors_handed_down)
{
    struct cel_process_options o = {.fds_count = 2};
    struct cel_output output;
    struct cel_process *p = NULL;
    int fds[2], from[2], to[2];
    char buf[16] = "";

    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    fds[0] = to[0];
    fds[1] = from[1];
    o.fds = fds;
    assert_int_equal(write(to[1], "line\n", 5), 5);
    output = run(SHELL("read x <&3; echo got $x >&4; ls /proc/self/fd | tr '\\n' ' '"), &o, "");
    assert_int_equal(read(from[0], buf, sizeof buf), 9);
    assert_string_equal(buf, "got line\n");
    assert_string_equal(output.out, "0 1 2 3 4 5 "); /* and the folder that it lists */
    cel_output_free(&output);
    fds[1] = 9999;
    assert_int_equal(cel_process_spawn(&p, ARGV("true"), &o), -EBADF);
    for (int i = 0; i < 2; i++) {
        close(from[i]);
        close(to[i]);
    }
}

IN_TASK(process_runs_the_program_under_another_name)
{
    const struct cel_process_options o = {.program = "sh"}, none = {.program = "/no/such"};
    struct cel_output output = run(ARGV("another", "-c", "echo $0"), &o, "");
    struct cel_process *p = NULL;

    assert_string_equal(output.out, "another\n");
    cel_output_free(&output);
    assert_int_equal(cel_process_spawn(&p, ARGV("sh"), &none), -ENOENT);
    assert_non_null(strstr(cel_last_error()->text, "/no/such"));
}

IN_TASK(process_joins_the_group_of_another)
{
    struct cel_process_options o = {.new_group = true}, joins = {0};
    struct cel_process *leader = start(SHELL("sleep 100"), &o), *member, *nobody = NULL;
    struct cel_exit exit;

    joins.join_group = cel_process_pid(leader);
    member = start(SHELL("sleep 100"), &joins);
    assert_int_equal(getpgid(cel_process_pid(member)), cel_process_pid(leader));
    assert_int_equal(cel_process_signal_tree(member, SIGTERM), -EINVAL);
    assert_int_equal(cel_process_signal_tree(leader, SIGTERM), 0);
    assert_int_equal(cel_process_wait(member, &exit), 0);
    assert_int_equal(exit.signo, SIGTERM);
    joins.new_group = true;
    assert_int_equal(cel_process_spawn(&nobody, ARGV("true"), &joins), -EINVAL);
    cel_process_close(member);
    cel_process_close(leader);
}

IN_TASK(process_has_default_signals_and_none_blocked)
{
    struct cel_output output;
    unsigned long blocked = 1, ignored = 0;
    sigset_t some, was;

    sigemptyset(&some);
    sigaddset(&some, SIGINT);
    pthread_sigmask(SIG_BLOCK, &some, &was);
    handle(SIGPIPE, SIG_IGN);
    output = run(ARGV("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"), NULL, "");
    handle(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    assert_int_equal(sscanf(output.out, "SigBlk: %lx SigIgn: %lx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 1UL << (SIGPIPE - 1), 0);
    cel_output_free(&output);
}

IN_TASK(communicate_moves_much_both_ways_without_deadlock)
{
    size_t len = 3 << 20;
    char *input = malloc(len);
    struct cel_output output;

    for (size_t i = 0; i < len; i++)
        input[i] = (char)(i * 31 + (i >> 9));
    assert_int_equal(cel_process_run(SHELL("tee /dev/stderr"), NULL, input, len, MAX, &output), 0);
    assert_int_equal(output.out_len, len);
    assert_int_equal(output.err_len, len);
    assert_memory_equal(output.out, input, len);
    assert_memory_equal(output.err, input, len);
    cel_output_free(&output);
    assert_int_equal(cel_process_run(ARGV("true"), NULL, input, len, MAX, &output), 0);
    assert_int_equal(output.out_len, 0);
    assert_string_equal(output.out, "");
    cel_output_free(&output);
    free(input);
}

IN_TASK(communicate_stops_at_its_limit)
{
    struct cel_output output = {0};

    assert_int_equal(cel_process_run(ARGV("yes"), NULL, NULL, 0, 100000, &output), -CEL_ETOOLARGE);
    assert_null(output.out);
    assert_no_child();
}

IN_TASK(wait_that_expires_leaves_the_child)
{
    struct cel_process *p = start(ARGV("sleep", "100"), NULL);
    struct cel_exit exit;

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_process_wait(p, &exit), -ETIMEDOUT);
    assert_true(cel_process_is_running(p));
    assert_int_equal(cel_process_signal_tree(p, SIGTERM), -EINVAL);
    assert_int_equal(cel_process_signal(p, SIGUSR1), 0);
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.signo, SIGUSR1);
    cel_process_close(p);
}

IN_TASK(run_that_expires_leaves_no_child)
{
    struct cel_output output;

    CEL_SCOPE (s, .timeout = 20 * CEL_MILLISECOND)
        assert_int_equal(cel_process_run(ARGV("sleep", "100"), NULL, NULL, 0, MAX, &output),
                         -ETIMEDOUT);
    assert_no_child();
}

static void *wait_for_it(void *arg)
{
    struct cel_exit exit;

    assert_int_equal(cel_process_wait(arg, &exit), 0);
    return (void *)(intptr_t)exit.code;
}

IN_TASK(process_end_wakes_all_who_wait)
{
    const struct cel_process_options o = {.in = {CEL_STDIO_PIPE}};
    struct cel_process *p = start(SHELL("read x; exit 9"), &o);
    struct cel_task *t[3];
    void *codes[3];

    for (int i = 0; i < 3; i++)
        t[i] = cel_spawn(wait_for_it, p);
    assert_int_equal(cel_yield(), 0);
    cel_process_close_stdin(p);
    assert_int_equal(cel_gather(t, 3, codes), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal((intptr_t)codes[i], 9);
    cel_process_close(p);
}

/* Starts a shell that says when it is ready. */
static struct cel_process *start_ready(const char *script, bool new_group)
{
    const struct cel_process_options o = {.out = {CEL_STDIO_PIPE}, .new_group = new_group};
    struct cel_process *p = start(SHELL(script), &o);
    char line[32];

    assert_true(cel_read_until(cel_process_stdout(p), '\n', line, sizeof line) > 0);
    return p;
}

IN_TASK(stop_asks_first_and_kills_then)
{
    struct cel_process *p =
        start_ready("trap 'exit 5' TERM; echo; while :; do sleep 0.01; done", false);
    struct cel_exit exit;

    assert_int_equal(cel_process_stop(p, 20 * CEL_SECOND, &exit), 0);
    assert_int_equal(exit.code, 5);
    assert_int_equal(cel_process_stop(p, CEL_SECOND, &exit), 0);
    cel_process_close(p);
    p = start_ready("trap '' TERM; echo; while :; do sleep 0.01; done", false);
    assert_int_equal(cel_process_stop(p, 20 * CEL_MILLISECOND, &exit), 0);
    assert_int_equal(exit.signo, SIGKILL);
    cel_process_close(p);
}

IN_TASK(stop_in_a_cancelled_scope_kills_at_once)
{
    struct cel_process *p = start(ARGV("sleep", "100"), NULL);
    struct cel_exit exit;

    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_process_wait(p, &exit), -ECANCELED);
        assert_int_equal(cel_process_stop(p, 100 * CEL_SECOND, &exit), 0);
        assert_int_equal(exit.signo, SIGKILL);
    }
    cel_process_close(p);
}

/* The grandchild holds the pipe: its end is the stream's. */
IN_TASK(stop_ends_the_whole_group)
{
    struct cel_process *p = start_ready("trap '' TERM; sleep 1000 & echo; wait", true);
    struct cel_exit exit;
    char c;

    assert_int_equal(cel_process_signal_tree(p, SIGCONT), 0);
    assert_int_equal(cel_process_stop(p, CEL_MILLISECOND, &exit), 0);
    assert_int_equal(cel_read(cel_process_stdout(p), &c, 1), 0);
    assert_int_equal(cel_process_signal_tree(p, SIGTERM), -ESRCH);
    cel_process_close(p);
}

IN_TASK(process_in_a_new_session_leads_its_group)
{
    const struct cel_process_options o = {.out = {CEL_STDIO_PIPE}, .new_session = true};
    struct cel_process *p = start(SHELL("ps -o pgid= -o sid= -p $$ || echo $$ $$"), &o);
    struct cel_output output;
    int group = 0, session = 0;

    assert_int_equal(cel_process_communicate(p, NULL, 0, MAX, &output), 0);
    assert_int_equal(sscanf(output.out, "%d %d", &group, &session), 2);
    assert_int_equal(group, cel_process_pid(p));
    assert_int_equal(session, cel_process_pid(p));
    cel_output_free(&output);
    cel_process_close(p);
}

IN_TASK(process_closed_while_running_is_killed_and_reaped)
{
    struct cel_process *p = start_ready("sleep 1000 & echo; wait", true);
    siginfo_t info = {0};

    cel_process_close(p);
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(errno, ECHILD);
}

IN_TASK(process_closed_with_the_loop_leaves_no_zombie)
{
    cel_process_close(start(ARGV("sleep", "1000"), NULL));
}

static void no_zombie_is_left(void **state)
{
    assert_no_child();
}

IN_TASK(process_detached_goes_on_and_is_reaped)
{
    const struct cel_process_options o = {.in = {CEL_STDIO_FD, .fd = -1}};
    struct cel_process_options with = o;
    struct cel_process *p;
    int fds[2];
    siginfo_t info = {0};

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    with.in.fd = fds[0];
    p = start(SHELL("read x"), &with);
    close(fds[0]);
    cel_process_detach(p);
    cel_process_detach(NULL);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    assert_int_equal(info.si_pid, 0); /* it lives */
    close(fds[1]);
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
}

IN_TASK(status_that_others_took_is_not_made_up)
{
    struct cel_process *p;
    struct cel_exit exit;

    handle(SIGCHLD, SIG_IGN);
    p = start(ARGV("true"), NULL);
    assert_int_equal(cel_process_wait(p, &exit), -ECHILD);
    assert_int_equal(cel_process_wait(p, &exit), -ECHILD);
    handle(SIGCHLD, SIG_DFL);
    cel_process_close(p);
}

static volatile sig_atomic_t told;

static void count(int signo)
{
    told++;
}

/* The program's own handler goes on hearing of children, and its mask is as it was. */
IN_TASK(sigchld_is_left_to_the_program)
{
    struct sigaction before, now;
    struct cel_process *p;
    sigset_t mask;

    handle(SIGCHLD, count);
    assert_int_equal(sigaction(SIGCHLD, NULL, &before), 0);
    told = 0;
    p = start(ARGV("true"), NULL);
    assert_int_equal(cel_process_wait(p, NULL), 0);
    cel_process_close(p);
    assert_int_equal(told, 1);
    assert_int_equal(sigaction(SIGCHLD, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, before.sa_handler);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGCHLD));
    handle(SIGCHLD, SIG_DFL);
}

static int churned, churn_left;

static void *churn(void *arg)
{
    while (churn_left > 0) {
        struct cel_process *p;
        struct cel_exit exit;

        churn_left--;
        p = start(ARGV("true"), NULL);
        assert_int_equal(cel_process_wait(p, &exit), 0);
        assert_int_equal(exit.code, 0);
        cel_process_close(p);
        churned++;
    }
    return NULL;
}

/* CELADON_CHILDREN=10000 for the whole of it. */
IN_TASK(children_in_number_are_all_told)
{
    const char *want = getenv("CELADON_CHILDREN");
    int count = want != NULL ? (int)strtol(want, NULL, 10) : 100;
    size_t fds;

    churned = 0;
    churn_left = 1;
    churn(NULL); /* what the loop keeps */
    fds = fault_open_fds();
    churn_left = count;
    CEL_SCOPE (s)
        for (int i = 0; i < 8; i++)
            assert_int_equal(cel_go(churn, NULL), 0);
    assert_int_equal(churned, count + 1);
    assert_int_equal(fault_open_fds(), fds);
    assert_no_child();
}

/* ---- failures ---- */

static void *whole_life(void *arg)
{
    const struct cel_process_options o = {
        .in = {CEL_STDIO_PIPE}, .out = {CEL_STDIO_PIPE}, .err = {CEL_STDIO_NULL}, .cwd = "/"};
    struct cel_output output = {0};
    struct cel_process *p;
    int *code = arg;

    *code = cel_process_spawn(&p, ARGV("cat"), &o);
    if (*code < 0)
        return NULL;
    *code = cel_process_communicate(p, "text", 4, 100, &output);
    if (*code == 0)
        assert_string_equal(output.out, "text");
    cel_output_free(&output);
    cel_process_close(p);
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(whole_life, &code, NULL);

    assert_no_child();
    return r < 0 ? r : code;
}

static void process_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(live_once, NULL) > 5);
}

static void process_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(openat) | SYSFAULT_BIT(pipe2) | SYSFAULT_BIT(posix_spawnp) |
                 SYSFAULT_BIT(pidfd_open) | SYSFAULT_BIT(getsockopt)};

    assert_true(fault_every_syscall(&plan, live_once, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_end_is_told_by_code_or_signal),
        cmocka_unit_test(process_that_cannot_start_names_what_failed),
        cmocka_unit_test(process_streams_are_what_was_asked_for),
        cmocka_unit_test(process_stream_by_stream_talks_line_by_line),
        cmocka_unit_test(process_has_the_environment_and_folder_given),
        cmocka_unit_test(process_has_no_descriptor_but_the_standard_ones),
        cmocka_unit_test(process_gets_the_descriptors_handed_down),
        cmocka_unit_test(process_runs_the_program_under_another_name),
        cmocka_unit_test(process_joins_the_group_of_another),
        cmocka_unit_test(process_has_default_signals_and_none_blocked),
        cmocka_unit_test(communicate_moves_much_both_ways_without_deadlock),
        cmocka_unit_test(communicate_stops_at_its_limit),
        cmocka_unit_test(wait_that_expires_leaves_the_child),
        cmocka_unit_test(run_that_expires_leaves_no_child),
        cmocka_unit_test(process_end_wakes_all_who_wait),
        cmocka_unit_test(stop_asks_first_and_kills_then),
        cmocka_unit_test(stop_in_a_cancelled_scope_kills_at_once),
        cmocka_unit_test(stop_ends_the_whole_group),
        cmocka_unit_test(process_in_a_new_session_leads_its_group),
        cmocka_unit_test(process_closed_while_running_is_killed_and_reaped),
        cmocka_unit_test(process_closed_with_the_loop_leaves_no_zombie),
        cmocka_unit_test(no_zombie_is_left),
        cmocka_unit_test(process_detached_goes_on_and_is_reaped),
        cmocka_unit_test(status_that_others_took_is_not_made_up),
        cmocka_unit_test(sigchld_is_left_to_the_program),
        cmocka_unit_test(children_in_number_are_all_told),
        cmocka_unit_test(process_survives_each_failed_allocation),
        cmocka_unit_test(process_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
