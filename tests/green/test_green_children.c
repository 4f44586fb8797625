/* SPDX-License-Identifier: MIT */
/* Waiting for children from tasks, and what a child of fork or vfork gets that runs on upon its
 * parent's task: blocking calls, as ever. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

/* A child that ends with the code, when the other end of the pipe is closed. */
static pid_t start_child(int *hold, int code)
{
    int ends[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[1]);
        _exit(read(ends[0], &c, 1) == 0 ? code : 99);
    }
    close(ends[0]);
    *hold = ends[1];
    return pid;
}

static void close_it(int fd)
{
    close(fd);
}

IN_TASK(each_wait_for_a_child_parks)
{
    struct rusage usage;
    siginfo_t info = {0};
    int status = 0, hold;
    pid_t pid = start_child(&hold, 1);

    LATER (close_it, hold)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    pid = start_child(&hold, 2);
    LATER (close_it, hold)
        assert_int_equal(wait(&status), pid);
    assert_int_equal(WEXITSTATUS(status), 2);
    pid = start_child(&hold, 3);
    LATER (close_it, hold)
        assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_int_equal(WEXITSTATUS(status), 3);
    pid = start_child(&hold, 4);
    LATER (close_it, hold)
        assert_int_equal(wait3(&status, 0, NULL), pid);
    assert_int_equal(WEXITSTATUS(status), 4);
    pid = start_child(&hold, 5);
    LATER (close_it, hold)
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    assert_int_equal(info.si_pid, pid);
    assert_int_equal(info.si_status, 5);
    pid = start_child(&hold, 6);
    LATER (close_it, hold)
        assert_int_equal(waitid(P_ALL, 0, &info, WEXITED), 0);
    assert_int_equal(info.si_status, 6);
}

IN_TASK(waits_tell_errors_and_do_not_wait_when_told)
{
    int status, hold;
    pid_t pid;

    assert_int_equal(waitpid(getpid(), &status, 0), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(wait(&status), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(waitid(P_PID, (id_t)getpid(), NULL, WEXITED), -1);
    assert_int_equal(errno, ECHILD);
    pid = start_child(&hold, 0);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND) {
        assert_int_equal(waitpid(pid, &status, 0), -1);
        assert_int_equal(errno, ETIMEDOUT);
        assert_int_equal(wait(&status), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    close(hold);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void go_on(int pid)
{
    kill(pid, SIGCONT);
}

IN_TASK(stop_of_a_child_is_told)
{
    int status, hold;
    pid_t pid = start_child(&hold, 0);

    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    LATER (go_on, (int)pid)
        assert_int_equal(waitpid(pid, &status, WCONTINUED), pid);
    assert_true(WIFCONTINUED(status));
    close(hold);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void write_byte(int fd)
{
    assert_int_equal(write(fd, "x", 1), 1);
}

IN_TASK(shell_commands_park)
{
    char command[64], line[16] = "";
    int ends[2], status;
    FILE *stream;

    assert_int_equal(pipe(ends), 0);
    snprintf(command, sizeof command, "head -c 1 <&%d >/dev/null; exit 7", ends[0]);
    LATER (write_byte, ends[1])
        status = system(command);
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_not_equal(system(NULL), 0);
    snprintf(command, sizeof command, "echo said; head -c 1 <&%d >/dev/null; exit 8", ends[0]);
    stream = popen(command, "r");
    assert_non_null(stream);
    assert_non_null(fgets(line, sizeof line, stream));
    assert_string_equal(line, "said\n");
    LATER (write_byte, ends[1])
        status = pclose(stream);
    assert_int_equal(WEXITSTATUS(status), 8);
    close(ends[0]);
    close(ends[1]);
}

/* Signals that the pool's threads have blocked are not blocked in a command. */
IN_TASK(command_has_the_mask_of_its_caller)
{
    assert_int_equal(WTERMSIG(system("kill -TERM $$")), SIGTERM);
}

/* What a forked child does on a task of its parent's: each call would have parked. */
static int live_on(int fd)
{
    struct timespec few = {.tv_nsec = 1000000};
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int status;
    char c = 0;
    pid_t pid;

    if (poll(&one, 1, 60000) != 1 || read(fd, &c, 1) != 1 || c != 'x')
        return 1;
    if (nanosleep(&few, NULL) != 0 || usleep(1000) != 0 || sleep(0) != 0 || poll(&one, 1, 1) != 0)
        return 2;
    pid = fork();
    if (pid == 0)
        _exit(9);
    if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 9)
        return 3;
    for (int i = 0; i < 1000; i++) /* more than any credit */
        if (write(fd, &c, 1) != 1)
            return 4;
    return system("exit 5") == 5 << 8 ? 0 : 5;
}

IN_TASK(forked_child_blocks_as_ever)
{
    int ends[2], status;
    char buf[1000];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    pid = fork();
    if (pid == 0)
        _exit(live_on(ends[1]));
    assert_int_equal(send(ends[0], "x", 1, 0), 1);
    assert_int_equal(recv(ends[0], buf, sizeof buf, MSG_WAITALL), 1000);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    close(ends[0]);
    close(ends[1]);
}

static int turns;
static bool is_over;

static void *take_turns(void *arg)
{
    while (!is_over && cel_sleep(CEL_MICROSECOND) == 0)
        turns++;
    return NULL;
}

/* It shares its parent's memory: another task that it ran would have run in two processes. */
IN_TASK(vforked_child_runs_no_other_task)
{
    struct timespec few = {.tv_nsec = 20000000};
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    is_over = false;
    turns = 0;
    CEL_SCOPE (s) {
        volatile int before;

        assert_int_equal(cel_go(take_turns, NULL), 0);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        before = turns;
        pid = vfork();
        if (pid == 0) {
            (void)nanosleep(&few, NULL);
            for (int i = 0; i < 1000; i++)
                (void)!write(ends[1], "", 0);
            for (int i = 0; i < 1000; i++)
                (void)!write(ends[1], "x", 1);
            _exit(turns == before ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        is_over = true;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    close(ends[0]);
    close(ends[1]);
}

static void *read_one(void *arg)
{
    char c = 0;

    assert_int_equal(read((int)(intptr_t)arg, &c, 1), 1);
    assert_int_equal(c, 'x');
    return NULL;
}

/* What a child closes before its exec is not closed for who waits in its parent. */
IN_TASK(vforked_child_closes_only_its_own)
{
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    CEL_SCOPE (s) {
        assert_int_equal(cel_go(read_one, (void *)(intptr_t)ends[0]), 0);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        pid = vfork();
        if (pid == 0) {
            close(ends[0]);
            dup2(ends[1], ends[0]);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(write(ends[1], "x", 1), 1);
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait_for_a_child_parks),
        cmocka_unit_test(waits_tell_errors_and_do_not_wait_when_told),
        cmocka_unit_test(stop_of_a_child_is_told),
        cmocka_unit_test(shell_commands_park),
        cmocka_unit_test(command_has_the_mask_of_its_caller),
        cmocka_unit_test(forked_child_blocks_as_ever),
        cmocka_unit_test(vforked_child_runs_no_other_task),
        cmocka_unit_test(vforked_child_closes_only_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
