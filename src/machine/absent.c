/* SPDX-License-Identifier: MIT */
#include "machine/absent.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "machine/opened.h"
#include "machine/under.h"

enum kind { PROCESSES, SIGNALS, WATCHES, THREADS, TERMINALS, DESCRIPTORS };

static const char *const words[] = {
    [PROCESSES] =
        "other processes: give what the other one does a host of its own (cel_sim_host_new)",
    [SIGNALS] = "signals: let the play call what a signal would make the program do",
    [WATCHES] = "news of files: ask for their state from time to time (cel_path_stat)",
    [THREADS] = "threads: cel_spawn for what waits, cel_offload for what computes",
    [TERMINALS] = "terminals: give the program a stream in its place (cel_stream_pair)",
    [DESCRIPTORS] = "descriptors of the real kernel",
};

/* Each kind is told once a run. */
static void say(struct cel__machine *m, enum kind kind, const char *what)
{
    if (m->refused & 1u << kind)
        return;
    m->refused |= 1u << kind;
    cel__log(CEL_LOG_ERROR, "ENOSYS: a simulated machine has no %s%s (docs/simulation.md)",
             words[kind], what);
}

/* -> whether the call is refused. */
static bool refuse(enum kind kind)
{
    struct cel__machine *m = cel__machine_here;

    if (m == NULL || !m->is_alone)
        return false;
    say(m, kind, "");
    errno = ENOSYS;
    return true;
}

int cel__absent_descriptor(struct cel__machine *m, int fd)
{
    char path[64], name[128], told[256];
    struct stat st;
    ssize_t n;

    if (!m->is_alone || cel__opened_find(fd) != NULL)
        return 0;
    if (cel__under.fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        return 0; /* nobody waits for those: the pool reads them */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    n = cel__under.readlinkat(AT_FDCWD, path, name, sizeof name - 1);
    name[n > 0 ? n : 0] = '\0';
    (void)snprintf(told, sizeof told, ", and %d is one (%s)", fd, name);
    say(m, DESCRIPTORS, told);
    return -ENOSYS;
}

static pid_t my_posix_spawnp(const char *file, const posix_spawn_file_actions_t *actions,
                             const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
    return refuse(PROCESSES) ? -1 : cel__under.posix_spawnp(file, actions, attr, argv, env);
}

static int my_pidfd_open(pid_t pid, unsigned flags)
{
    return refuse(PROCESSES) ? -1 : cel__under.pidfd_open(pid, flags);
}

static int my_signalfd(int fd, const sigset_t *mask, int flags)
{
    return refuse(SIGNALS) ? -1 : cel__under.signalfd(fd, mask, flags);
}

static int my_inotify_init1(int flags)
{
    return refuse(WATCHES) ? -1 : cel__under.inotify_init1(flags);
}

static int my_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *),
                             void *arg)
{
    return refuse(THREADS) ? ENOSYS : cel__under.pthread_create(out, attr, fn, arg);
}

static int my_tcsetattr(int fd, int when, const struct termios *state)
{
    return refuse(TERMINALS) ? -1 : cel__under.tcsetattr(fd, when, state);
}

void cel__absent_fill(struct cel__sys *table)
{
    table->inotify_init1 = my_inotify_init1;
    table->pidfd_open = my_pidfd_open;
    table->posix_spawnp = my_posix_spawnp;
    table->pthread_create = my_pthread_create;
    table->signalfd = my_signalfd;
    table->tcsetattr = my_tcsetattr;
}
