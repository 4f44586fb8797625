/* SPDX-License-Identifier: MIT */
#ifndef TESTS_ABORT_H
#define TESTS_ABORT_H

/* Mistakes of the programmer, which must end the program. */

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "celadon/task.h"
#include "support/check.h"

/* fn(arg), in a loop of a process of its own, aborts. Called where no loop is. */
static inline void expect_abort(cel_task_fn *fn, void *arg)
{
#if defined(__SANITIZE_THREAD__)
    skip(); /* its view of the fibers does not survive the fork */
#endif
    pid_t pid;
    int status;

    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        (void)sigaction(SIGABRT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        (void)!cel_run(fn, arg, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

#endif
