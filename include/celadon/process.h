/* SPDX-License-Identifier: MIT */
#ifndef CELADON_PROCESS_H
#define CELADON_PROCESS_H

/* Child processes: started without a shell, talked to by streams, waited for like anything else.
 *
 * A child gets the three standard streams, an empty signal mask, SIGPIPE and SIGXFSZ as they are by
 * default, and no other descriptor unless `keep_fds` says so. Starting it is done on a thread of
 * the loop's pool, because the system call lasts until the child's exec. Its end is seen through a
 * pidfd: SIGCHLD is neither used nor touched, and children of other parts of the program are left
 * alone. Cancelling who waits leaves the child as it is: cel_process_stop ends it, and so does
 * cel_process_close, which leaves no zombie. All functions belong to the loop's thread; what went
 * wrong is told in words by cel_last_error, whose phase is "spawn". */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_process;

enum cel_stdio_kind {
    CEL_STDIO_INHERIT, /* this process's own */
    CEL_STDIO_NULL,    /* /dev/null */
    CEL_STDIO_PIPE,    /* a stream: see cel_process_stdin and its kin */
    CEL_STDIO_FD,      /* `fd`, which stays the caller's */
    CEL_STDIO_FILE,    /* `path`, opened with `flags` and `mode` */
    CEL_STDIO_STDOUT,  /* for the third only: wherever the second goes */
};

/* What one of the child's standard streams is. */
struct cel_stdio {
    enum cel_stdio_kind kind;
    int fd;
    const char *path; /* relative to this process's folder, not to `cwd` */
    int flags;        /* of open(2); 0: read the first; create or empty, and write, the others */
    mode_t mode;      /* of a file that is created; 0: 0666 */
};

/* Whose rights a child has. */
struct cel_identity {
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* beside gid: these and no others */
    size_t groups_count;
};

struct cel_terminal_size;

struct cel_process_options {
    const char *const *env; /* "NAME=value", ended by NULL; NULL: this process's */
    const char *cwd;        /* NULL: this process's */
    struct cel_stdio in, out, err;
    bool new_group;      /* leads a process group, which can be signalled as a whole */
    bool new_session;    /* and a session, without a terminal */
    bool keep_fds;       /* descriptors that are not close-on-exec are handed down */
    const char *program; /* what is run if it is not argv[0]; looked for likewise */
    const int *fds;      /* handed down as descriptors 3, 4, …; they stay the caller's */
    size_t fds_count;
    pid_t join_group;                    /* a process group that it becomes a member of; 0: none */
    const struct cel_identity *identity; /* NULL: this process's; another one takes privileges */
    bool has_umask;
    mode_t umask; /* with has_umask */
    /* A terminal of the child's own, of this size, in a session of its own: it is those of the
     * streams that are CEL_STDIO_INHERIT. See cel_process_terminal. NULL: none */
    const struct cel_terminal_size *terminal;
};

/* How a child ended. */
struct cel_exit {
    int code;         /* of its exit; 0 when a signal ended it */
    int signo;        /* the signal that ended it, or 0 */
    bool dumped_core; /* by that signal */
};

/* (parks) Starts argv[0], looked for in PATH unless it has a slash, with the arguments argv, ended
 * by NULL; options may be NULL. When it returns 0 the program has begun to run. Owner: the caller,
 * until cel_process_close. On error there is no child: -ENOENT, -EACCES and other errors of exec,
 * of `cwd` or of a stream's file (the error's text names which), -EBADF one of `fds`, -EPERM no
 * rights to the identity or group, -EINVAL no argv[0], or a stream that cannot be so, -EAGAIN too
 * many processes, -EMFILE, -ENOMEM, -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_process_spawn(struct cel_process **out, const char *const argv[],
                                               const struct cel_process_options *options);
/* Does not park. The process's id; it names the child until its end has been told. */
CEL_PUBLIC pid_t cel_process_pid(const struct cel_process *process);
/* Each is NULL unless it is a pipe that is open. They are the process's: not to be closed by
 * cel_close. */
CEL_PUBLIC struct cel_stream *cel_process_stdin(const struct cel_process *process);
CEL_PUBLIC struct cel_stream *cel_process_stdout(const struct cel_process *process);
CEL_PUBLIC struct cel_stream *cel_process_stderr(const struct cel_process *process);
/* The other side of the child's terminal (cel_terminal_set_size takes its descriptor): what is
 * written is typed, what is read was shown; it ends when nobody has the terminal open any more.
 * NULL without one. It is the process's. */
CEL_PUBLIC struct cel_stream *cel_process_terminal(const struct cel_process *process);
/* Does not park. The child reads an end. Fine when there is no pipe, or twice. */
CEL_PUBLIC void cel_process_close_stdin(struct cel_process *process);

/* (parks) Until the child has ended; *exit (may be NULL) says how. Several tasks may wait, and
 * asking again gives the same answer. -ECHILD its status cannot be known: the program ignores
 * SIGCHLD, or reaped it elsewhere; -ECANCELED, -ETIMEDOUT: the child goes on; -errno. */
CEL_PUBLIC CEL_NODISCARD int cel_process_wait(struct cel_process *process, struct cel_exit *exit);
/* Does not park. Has not ended, as far as the kernel says now. */
CEL_PUBLIC bool cel_process_is_running(struct cel_process *process);

/* Does not park. Sends the child a signal. -ESRCH it has ended; -EINVAL, -EPERM. */
CEL_PUBLIC CEL_NODISCARD int cel_process_signal(struct cel_process *process, int signo);
/* Does not park. Sends it to each member of the child's group: to it and to those that it started
 * and that stayed in the group. -EINVAL it does not lead a group (new_group, new_session); -ESRCH
 * its end has been told, so the group's number may be another's; -EPERM. */
CEL_PUBLIC CEL_NODISCARD int cel_process_signal_tree(struct cel_process *process, int signo);
/* (parks) SIGTERM to the child, or to its group if it leads one; when it has not ended after
 * `grace` ns, or as soon as a scope around is cancelled, SIGKILL; the members of a group that
 * outlive the child get it too. Not a checkpoint: it also works in a cancelled scope, with no
 * grace. Returns when the child has ended: 0, and *exit (may be NULL); -ECHILD as cel_process_wait.
 * -errno: the kernel has no means to tell of the end, as -ENOMEM; SIGKILL is sent all the same. It
 * may be called again, and cel_process_close works as ever. */
CEL_PUBLIC int cel_process_stop(struct cel_process *process, int64_t grace, struct cel_exit *exit);

/* Does not park. Gives the child up: a running one is killed (with its group, if it leads one) and
 * reaped by the loop. Nobody may be parked on it or its streams. NULL is fine. */
CEL_PUBLIC void cel_process_close(struct cel_process *process);
/* Does not park. The same, but a running child goes on. It is reaped when it ends while the loop is
 * open. */
CEL_PUBLIC void cel_process_detach(struct cel_process *process);

/* What a child wrote, and how it ended. */
struct cel_output {
    char *out; /* NUL behind the end; NULL: its stream was not a pipe */
    char *err;
    size_t out_len, err_len;
    struct cel_exit exit;
};

/* (parks) Writes the input to the child and closes its stdin, reads stdout and stderr to their ends
 * meanwhile, and waits for the child. A child that does not read its input is not an error. Who
 * inherited the child's pipes and lives on keeps it waiting. Owner of what is in *output: the
 * caller, until cel_output_free. -CEL_ETOOLARGE more than max bytes of one; -ENOMEM; -ECANCELED,
 * -ETIMEDOUT, and as cel_process_wait: the child goes on, what was read is lost. */
CEL_PUBLIC CEL_NODISCARD int cel_process_communicate(struct cel_process *process, const void *input,
                                                     size_t len, size_t max,
                                                     struct cel_output *output);
/* (parks) Spawns, communicates, closes. Of the streams in options (may be NULL), stdin is the input
 * (/dev/null if there is none), and stdout and stderr are collected, unless another kind than
 * CEL_STDIO_INHERIT says otherwise. Whatever ends the call, the child has ended: on error it was
 * killed. -EINVAL a child with a terminal. As cel_process_spawn and cel_process_communicate. */
CEL_PUBLIC CEL_NODISCARD int cel_process_run(const char *const argv[],
                                             const struct cel_process_options *options,
                                             const void *input, size_t len, size_t max,
                                             struct cel_output *output);
/* Frees what is in it; NULL and a zeroed one are fine. */
CEL_PUBLIC void cel_output_free(struct cel_output *output);

#ifdef __cplusplus
}
#endif

#endif
