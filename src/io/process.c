/* SPDX-License-Identifier: MIT */
/* Starting a child.
 *
 * 1. All that can fail by a path of its own is opened here and not in the child, so that an error
 *    has a name: what is left for the child to fail at is its exec.
 * 2. The child's ends lie above the standard streams, so no order of copying them can lose one.
 * 3. Everything is close-on-exec, and posix_spawn closes the rest: a child has what it was given.
 *    It is posix_spawn, and not fork, because that copies no page tables and runs no code of ours
 * in the child; and not vfork, whose child would return into a task's stack. */
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "io/blocking.h"
#include "io/identity.h"
#include "task/error.h"
#include "task/wait.h"

#define FIRST_OTHER 3 /* descriptor behind the standard streams */
#define FDS_MAX     1024

struct start {
    const char *const *argv;
    const struct cel_process_options *options;
    int theirs[3]; /* -1: inherited */
    int ours[3];   /* -1: not a pipe */
    int cwd;
    int *handed; /* copies of options->fds */
    size_t handed_count;
    int terminal; /* our side of it */
    char terminal_path[32];
    int floor; /* above all numbers that the child is given; one below it is the terminal's */
    pid_t pid;
    int pidfd;
    int result;
    const char *what; /* failed; NULL: nothing that has a name */
};

static void drop(int *fd)
{
    if (*fd >= 0)
        cel__sys.close(*fd);
    *fd = -1;
}

static void drop_ours(struct start *s)
{
    for (int i = 0; i < 3; i++)
        drop(&s->ours[i]);
    drop(&s->terminal);
}

/* -> the descriptor above what the child is given; the one given is used up. */
static int lift(const struct start *s, int fd)
{
    int copy;

    if (fd < 0)
        return -errno;
    if (fd >= s->floor)
        return fd;
    copy = cel__sys.fcntl(fd, F_DUPFD_CLOEXEC, s->floor);
    if (copy < 0)
        copy = -errno;
    cel__sys.close(fd);
    return copy;
}

static int open_path(struct start *s, const char *path, int flags, mode_t mode)
{
    int fd = lift(s, cel__sys.openat(AT_FDCWD, path, flags | O_CLOEXEC | O_NOCTTY, mode));

    if (fd < 0)
        s->what = path;
    return fd;
}

static int open_pipe(struct start *s, int which)
{
    int fds[2], r;

    if (cel__sys.pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    r = lift(s, fds[which == 0 ? 0 : 1]);
    s->ours[which] = fds[which == 0 ? 1 : 0];
    return r;
}

static int open_stream(struct start *s, int which, const struct cel_stdio *io)
{
    int flags = which == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    int fd;

    switch (io->kind) {
    case CEL_STDIO_INHERIT:
        return -1;
    case CEL_STDIO_NULL:
        return open_path(s, "/dev/null", O_RDWR, 0);
    case CEL_STDIO_PIPE:
        return open_pipe(s, which);
    case CEL_STDIO_FD:
        fd = cel__sys.fcntl(io->fd, F_DUPFD_CLOEXEC, s->floor);
        return fd < 0 ? -errno : fd;
    case CEL_STDIO_FILE:
        return open_path(s, io->path, io->flags != 0 ? io->flags : flags,
                         io->mode != 0 ? io->mode : 0666);
    default:
        return which == 2 ? -1 : -EINVAL;
    }
}

static int copy_handed(struct start *s)
{
    size_t count = s->options->fds_count;

    if (count == 0)
        return 0;
    s->handed = cel__mem_alloc(count * sizeof *s->handed);
    if (s->handed == NULL)
        return -ENOMEM;
    for (; s->handed_count < count; s->handed_count++) {
        int fd = cel__sys.fcntl(s->options->fds[s->handed_count], F_DUPFD_CLOEXEC, s->floor);

        if (fd < 0)
            return -errno;
        s->handed[s->handed_count] = fd;
    }
    return 0;
}

static int open_rest(struct start *s)
{
    int r = copy_handed(s);

    if (r == 0 && s->options->terminal != NULL)
        r = cel__process_terminal_open(&s->terminal, s->terminal_path, sizeof s->terminal_path,
                                       s->options);
    return r;
}

static int open_all(struct start *s)
{
    const struct cel_stdio *io[] = {&s->options->in, &s->options->out, &s->options->err};

    for (int i = 0; i < 3; i++) {
        bool is_kept =
            io[i]->kind == CEL_STDIO_INHERIT || (i == 2 && io[i]->kind == CEL_STDIO_STDOUT);
        int fd = is_kept ? -1 : open_stream(s, i, io[i]);

        if (fd < 0 && !is_kept)
            return fd;
        s->theirs[i] = fd;
    }
    if (s->options->cwd != NULL) {
        s->cwd = open_path(s, s->options->cwd, O_PATH | O_DIRECTORY, 0);
        if (s->cwd < 0)
            return s->cwd;
    }
    return open_rest(s);
}

/* The first terminal that the leader of a session opens is its controlling one. */
static int plan_terminal(const struct start *s, posix_spawn_file_actions_t *todo)
{
    const struct cel_stdio *io[] = {&s->options->in, &s->options->out, &s->options->err};
    int at = s->floor - 1;
    int r = posix_spawn_file_actions_addopen(todo, at, s->terminal_path, O_RDWR, 0);

    for (int i = 0; r == 0 && i < 3; i++)
        if (io[i]->kind == CEL_STDIO_INHERIT)
            r = posix_spawn_file_actions_adddup2(todo, at, i);
    return r == 0 ? posix_spawn_file_actions_addclose(todo, at) : r;
}

/* -> 0 or -errno, as all that libc has for it. */
static int plan(const struct start *s, posix_spawn_file_actions_t *todo)
{
    int r = s->terminal >= 0 ? plan_terminal(s, todo) : 0;

    for (int i = 0; r == 0 && i < 3; i++)
        if (s->theirs[i] >= 0)
            r = posix_spawn_file_actions_adddup2(todo, s->theirs[i], i);
    if (r == 0 && s->options->err.kind == CEL_STDIO_STDOUT)
        r = posix_spawn_file_actions_adddup2(todo, 1, 2);
    for (size_t i = 0; r == 0 && i < s->handed_count; i++)
        r = posix_spawn_file_actions_adddup2(todo, s->handed[i], FIRST_OTHER + (int)i);
    if (r == 0 && s->cwd >= 0)
        r = posix_spawn_file_actions_addfchdir_np(todo, s->cwd);
    if (r == 0 && !s->options->keep_fds)
        r = posix_spawn_file_actions_addclosefrom_np(todo, FIRST_OTHER + (int)s->handed_count);
    return -r;
}

static void set_up(const struct start *s, posix_spawnattr_t *attr)
{
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, reset;

    sigemptyset(&none);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    sigaddset(&reset, SIGXFSZ);
    if (s->options->new_session || s->options->terminal != NULL)
        flags |= POSIX_SPAWN_SETSID;
    else if (s->options->new_group || s->options->join_group > 0)
        flags |= POSIX_SPAWN_SETPGROUP; /* its own: the group is 0 by default */
    if (!s->options->new_group)
        posix_spawnattr_setpgroup(attr, s->options->join_group);
    posix_spawnattr_setflags(attr, flags);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &reset);
}

/* What is given to posix_spawn. */
struct launch {
    struct start *start;
    const posix_spawn_file_actions_t *todo;
    const posix_spawnattr_t *attr;
    int result;
};

static void spawn_it(void *arg)
{
    struct launch *l = arg;
    struct start *s = l->start;
    char *const *env = s->options->env != NULL ? (char *const *)s->options->env : environ;
    const char *program = s->options->program != NULL ? s->options->program : s->argv[0];

    s->pid = cel__sys.posix_spawnp(program, l->todo, l->attr, (char *const *)s->argv, env);
    if (s->pid >= 0)
        return;
    l->result = -errno;
    s->what = program;
}

static int spawn_as_told(struct start *s, const posix_spawn_file_actions_t *todo,
                         const posix_spawnattr_t *attr)
{
    struct launch l = {.start = s, .todo = todo, .attr = attr};
    int r = 0;

    if (s->options->identity != NULL || s->options->has_umask)
        r = cel__identity_run(s->options, spawn_it, &l);
    else
        spawn_it(&l);
    return r < 0 ? r : l.result;
}

static int launch(struct start *s)
{
    posix_spawn_file_actions_t todo;
    posix_spawnattr_t attr;
    int r = -posix_spawn_file_actions_init(&todo);

    if (r < 0)
        return r;
    r = plan(s, &todo);
    if (r == 0)
        r = -posix_spawnattr_init(&attr);
    if (r == 0) {
        set_up(s, &attr);
        r = spawn_as_told(s, &todo, &attr);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&todo);
    return r;
}

/* On a thread of the pool. */
static void *do_start(void *arg)
{
    struct start *s = arg;

    s->result = open_all(s);
    if (s->result == 0)
        s->result = launch(s);
    for (int i = 0; i < 3; i++)
        drop(&s->theirs[i]);
    drop(&s->cwd);
    for (size_t i = 0; i < s->handed_count; i++)
        drop(&s->handed[i]);
    cel__mem_free(s->handed);
    if (s->result == 0) {
        s->pidfd = cel__sys.pidfd_open(s->pid, 0);
        if (s->pidfd < 0 && errno != ESRCH) {
            s->result = -errno;
            cel__process_end(s->pid);
        }
    }
    if (s->result < 0)
        drop_ours(s);
    return NULL;
}

static int take_pipes(struct cel_process *p, struct start *s)
{
    for (int i = 0; i < 3; i++) {
        int r = s->ours[i] >= 0 ? cel_stream_open(&p->pipes[i], s->ours[i], true) : 0;

        if (r < 0)
            return r;
        s->ours[i] = -1;
    }
    if (s->terminal >= 0) {
        int r = cel__process_terminal_take(p, s->terminal);

        if (r < 0)
            return r;
        s->terminal = -1;
    }
    return 0;
}

/* The child runs. On error it and p are gone. */
static int take_child(struct cel_process *p, struct start *s)
{
    int r = 0;

    p->pid = s->pid;
    p->is_told = s->pidfd < 0; /* SIGCHLD is ignored, and it has ended already */
    p->lost = p->is_told ? -ECHILD : 0;
    if (!p->is_told)
        r = cel__fd_open(cel__loop_here, &p->fd, s->pidfd, true);
    if (r < 0) {
        cel__process_end(s->pid);
        cel__sys.close(s->pidfd);
        cel__mem_free(p);
    } else {
        r = take_pipes(p, s);
        if (r < 0)
            cel_process_close(p);
    }
    drop_ours(s);
    return r;
}

static bool is_sane(const char *const argv[], const struct cel_process_options *o)
{
    if (argv == NULL || argv[0] == NULL || o->fds_count > FDS_MAX)
        return false;
    return o->join_group == 0 ||
           (o->join_group > 0 && !o->new_group && !o->new_session && o->terminal == NULL);
}

int cel_process_spawn(struct cel_process **out, const char *const argv[],
                      const struct cel_process_options *options)
{
    static const struct cel_process_options none;
    struct start s = {.argv = argv,
                      .options = options != NULL ? options : &none,
                      .theirs = {-1, -1, -1},
                      .ours = {-1, -1, -1},
                      .cwd = -1,
                      .terminal = -1};
    struct cel_process *p;
    int r = cel__process_prepare();

    if (!is_sane(argv, s.options))
        return -EINVAL;
    s.floor = FIRST_OTHER + (int)s.options->fds_count + 1;
    p = r == 0 ? cel__mem_zalloc(sizeof *p) : NULL;
    if (p == NULL)
        return -ENOMEM;
    cel__list_init(&p->link);
    p->leads_group = s.options->new_group || s.options->new_session || s.options->terminal != NULL;
    r = cel__blocking_do(do_start, &s); /* parks */
    if (r == 0 && s.result < 0)
        r = s.what != NULL ? cel__raise(s.result, "spawn", "%s: %s", s.what, cel_strerror(s.result))
                           : cel__raise(s.result, "spawn", "%s", cel_strerror(s.result));
    if (r < 0) {
        cel__mem_free(p);
        return r;
    }
    r = take_child(p, &s);
    if (r == 0)
        *out = p;
    return r;
}

pid_t cel_process_pid(const struct cel_process *p)
{
    return p->pid;
}

struct cel_stream *cel_process_stdin(const struct cel_process *p)
{
    return p->pipes[0];
}

struct cel_stream *cel_process_stdout(const struct cel_process *p)
{
    return p->pipes[1];
}

struct cel_stream *cel_process_stderr(const struct cel_process *p)
{
    return p->pipes[2];
}

void cel_process_close_stdin(struct cel_process *p)
{
    cel_close(p->pipes[0]);
    p->pipes[0] = NULL;
}
