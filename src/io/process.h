/* SPDX-License-Identifier: MIT */
#ifndef CEL__PROCESS_H
#define CEL__PROCESS_H

/* A child process: running -> ended, not told -> told. It keeps its number until its end has been
 * told (the kernel: reaped), so only before that may the number be used. */

#include "celadon/process.h"
#include "loop/core.h"

struct cel_process {
    pid_t pid;
    struct cel__fd *fd; /* the pidfd: readable when it has ended; NULL once the loop closes */
    struct cel_stream *pipes[3];
    struct cel_stream *terminal;
    bool leads_group;
    bool is_told;
    int lost; /* 0, or why `exit` is not known */
    struct cel_exit exit;
    /* Given up: */
    struct cel__list link; /* of the loop's such children */
    struct cel__op op;
    bool is_killed;
};

/* Blocks. The side of a new terminal that is this process's, and the path of the child's. *fd may
 * have to be closed after an error, too. */
CEL_NODISCARD int cel__process_terminal_open(int *fd, char *path, size_t size,
                                             const struct cel_process_options *options);
/* fd is the process's p from now on, unless it fails. */
CEL_NODISCARD int cel__process_terminal_take(struct cel_process *p, int fd);
/* The loop can reap what is given up from now on. -ENOMEM. */
CEL_NODISCARD int cel__process_prepare(void);
/* SIGKILL, and blocks until it has ended. For a child that nobody has seen yet. */
void cel__process_end(pid_t pid);

#endif
