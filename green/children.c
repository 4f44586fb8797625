/* SPDX-License-Identifier: MIT */
/* wait and its kin, system and pclose. A child that is named is waited for by a pidfd; "any child"
 * has nothing that tells, so it is asked for again after a while. SIGCHLD is not touched. What libc
 * waits for inside (system, pclose) is done by a thread of the pool. */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <celadon/base.h>

#include "errand.h"
#include "real.h"
#include "pause.h"

/* How the next change of a child is awaited. */
struct vigil {
    int pidfd; /* -1: none */
    int64_t pause;
};

/* Only the end of one child can be seen by a descriptor. */
static struct vigil begin_vigil(pid_t pid, int options)
{
    struct vigil v = {.pidfd = -1};
    int saved = errno;

    if (pid > 0 && !(options & (WSTOPPED | WCONTINUED)))
        v.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    errno = saved;
    return v;
}

static void end_vigil(const struct vigil *v)
{
    int saved = errno;

    if (v->pidfd >= 0)
        (void)cel__green_real()->close(v->pidfd);
    errno = saved;
}

/* (parks) A child that has ended and is not ours to take (a tracer's, a thread's) is asked about
 * again after a while. */
static int keep_vigil(struct vigil *v)
{
    int r = 1;

    if (v->pidfd >= 0 && v->pause == 0)
        r = cel__green_wait(v->pidfd, POLLIN, CEL_FOREVER); /* parks */
    if (v->pidfd >= 0 && v->pause == 0 && r == 1) {
        v->pause = CEL_MICROSECOND;
        return 0;
    }
    return r < 0 ? r : cel__green_back_off(&v->pause); /* parks */
}

/* (parks) */
static pid_t wait_for(pid_t pid, int *status, int options, struct rusage *usage)
{
    struct vigil v = begin_vigil(pid, options);
    pid_t got;
    int r = 0;

    do {
        got = cel__green_real()->wait4(pid, status, options | WNOHANG, usage);
        if (got == 0)
            r = keep_vigil(&v); /* parks */
    } while (got == 0 && r == 0);
    end_vigil(&v);
    return r < 0 ? cel__green_result(r) : got;
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    if (!GREEN_MAY_PARK() || options & WNOHANG)
        return cel__green_real()->wait4(pid, status, options, usage);
    return wait_for(pid, status, options, usage); /* parks */
}

pid_t wait3(int *status, int options, struct rusage *usage)
{
    if (!GREEN_MAY_PARK() || options & WNOHANG)
        return cel__green_real()->wait4(-1, status, options, usage);
    return wait_for(-1, status, options, usage); /* parks */
}

pid_t waitpid(pid_t pid, int *status, int options)
{
    if (!GREEN_MAY_PARK() || options & WNOHANG)
        return cel__green_real()->wait4(pid, status, options, NULL);
    return wait_for(pid, status, options, NULL); /* parks */
}

pid_t wait(int *status)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->wait4(-1, status, 0, NULL);
    return wait_for(-1, status, 0, NULL); /* parks */
}

pid_t __waitpid(pid_t pid, int *status, int options) __attribute__((alias("waitpid")));
pid_t __wait(int *status) __attribute__((alias("wait")));

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    siginfo_t own, *to = info != NULL ? info : &own;
    struct vigil v;
    int r = 0;

    if (!GREEN_MAY_PARK() || options & WNOHANG)
        return cel__green_real()->waitid(type, id, info, options);
    v = begin_vigil(type == P_PID ? (pid_t)id : -1, options);
    while (r == 0) {
        to->si_pid = 0;
        r = cel__green_real()->waitid(type, id, to, options | WNOHANG) < 0 ? -errno : 0;
        if (r < 0 || to->si_pid != 0)
            break;
        r = keep_vigil(&v); /* parks */
    }
    end_vigil(&v);
    return cel__green_result(r);
}

/* ---- what libc waits for inside ---- */

struct shell {
    const char *command;
    FILE *stream;
    sigset_t mask; /* of the caller, which the command is to have */
    int result, error;
};

static void *run_shell(void *arg)
{
    struct shell *shell = arg;
    sigset_t before;

    pthread_sigmask(SIG_SETMASK, &shell->mask, &before);
    shell->result = cel__green_real()->system(shell->command);
    shell->error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return NULL;
}

static void *close_pipe(void *arg)
{
    struct shell *shell = arg;

    shell->result = cel__green_real()->pclose(shell->stream);
    shell->error = errno;
    return NULL;
}

int system(const char *command)
{
    struct shell shell = {.command = command};
    int r;

    if (!GREEN_MAY_PARK() || command == NULL)
        return cel__green_real()->system(command);
    pthread_sigmask(SIG_SETMASK, NULL, &shell.mask);
    r = cel__green_run(run_shell, &shell); /* parks */
    if (r < 0)
        return cel__green_result(r);
    if (shell.result < 0)
        errno = shell.error;
    return shell.result;
}

/* The stream is gone afterwards in any case: who is cancelled waits as libc does. */
int pclose(FILE *stream)
{
    struct shell shell = {.stream = stream};

    if (!GREEN_MAY_PARK() || cel__green_run(close_pipe, &shell) < 0) /* parks */
        return cel__green_real()->pclose(stream);
    if (shell.result < 0)
        errno = shell.error;
    return shell.result;
}
