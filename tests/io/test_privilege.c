/* SPDX-License-Identifier: MIT */
/* A loop made by root keeps no rights when root is given up: rings with a kernel thread, or with
 * registered credentials, would go on as root. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "celadon/celadon.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

#define NOBODY 65534

static char secret[] = "/tmp/celadon-secret-XXXXXX";

static void *try_to_read(void *arg)
{
    struct cel_file *file;
    int r = cel_file_open(&file, secret, O_RDONLY, 0);

    if (r == 0)
        cel_file_close(file);
    return (void *)(intptr_t)r;
}

/* -> what opening says to a task of this loop. */
static int ask(struct cel_loop *loop)
{
    struct cel_task *task = cel_spawn(try_to_read, NULL);
    void *r = NULL;

    if (task == NULL || cel_loop_until(loop, task, &r) != 0)
        return -ECHILD;
    cel_task_free(task);
    return (int)(intptr_t)r;
}

/* In a child: the loop, and a thread of its pool, are there before root is given up. */
static int drop_and_try(void)
{
    struct cel_loop *loop;

    if (cel_loop_new(&loop, NULL) != 0)
        return 1;
    if (ask(loop) != 0)
        return 2; /* root may */
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return 3;
    if (ask(loop) != -EACCES)
        return 4;
    return cel_loop_close(loop) == 0 ? 0 : 5;
}

static void loop_of_root_has_no_rights_after_setuid(void **state)
{
    int fd, status = -1;
    pid_t pid;

    if (geteuid() != 0) {
        print_message("only root can give up root\n");
        skip();
    }
    fd = mkstemp(secret);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0600), 0);
    close(fd);
    pid = fork();
    if (pid == 0)
        _exit(drop_and_try());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    unlink(secret);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- exec ---- */

static void every_descriptor_of_a_loop_is_closed_on_exec(void **state)
{
    struct cel_loop *loop;
    bool was_open[256];
    int own = 0;

    for (int fd = 0; fd < 256; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    assert_int_equal(cel_loop_new(&loop, NULL), 0);
    (void)ask(loop); /* a file, and where need be a thread of the pool */
    for (int fd = 0; fd < 256; fd++) {
        int flags = was_open[fd] ? -1 : fcntl(fd, F_GETFD);

        own += flags >= 0;
        assert_true(flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
    assert_true(own > 0);
    assert_int_equal(cel_loop_close(loop), 0);
}

/* ---- one of each kind ---- */

static struct {
    struct cel_listener *door, *unix_door;
    struct cel_stream *client, *accepted, *a, *b;
    struct cel_socket *socket;
    struct cel_file *file;
    struct cel_dir *dir;
    struct cel_watch *watch;
    struct cel_signals *signals;
    struct cel_process *process;
    int received, taken;
} all;

static void open_accepted(void)
{
    struct cel_stream *second;

    assert_int_equal(cel_listen(&all.door, "127.0.0.1:0", NULL), 0);
    assert_int_equal(cel_listen(&all.unix_door, "unix:@celadon-test-exec", NULL), 0);
    assert_int_equal(cel_connect(&all.client, cel_listener_address(all.door), NULL), 0);
    assert_int_equal(cel_accept(all.door, &all.accepted), 0);
    assert_int_equal(cel_connect(&second, cel_listener_address(all.unix_door), NULL), 0);
    assert_int_equal(cel_accept_fd(all.unix_door, &all.taken), 0);
    cel_close(second);
}

static void open_received(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    size_t count = 1;
    char c;

    assert_int_equal(cel_stream_pair(&all.a, &all.b), 0);
    assert_int_equal(cel_send_fds(all.a, "f", 1, &null, 1), 1);
    assert_int_equal(cel_recv_fds(all.b, &c, 1, &all.received, &count), 1);
    assert_int_equal(count, 1);
    close(null);
}

static void open_one_of_each(void)
{
    static const int signals[] = {SIGUSR1};
    static const char *const cat[] = {"cat", NULL};
    static const struct cel_process_options pipes = {.in = {.kind = CEL_STDIO_PIPE},
                                                     .out = {.kind = CEL_STDIO_PIPE}};
    struct sockaddr_storage at[4];
    size_t count = 4;

    open_accepted();
    open_received();
    assert_int_equal(cel_udp_open(&all.socket, "127.0.0.1:0"), 0);
    assert_int_equal(cel_file_open(&all.file, "/etc/passwd", O_RDONLY, 0), 0);
    assert_int_equal(cel_dir_open(&all.dir, "/etc"), 0);
    assert_int_equal(cel_watch_open(&all.watch, "/tmp", NULL), 0);
    assert_int_equal(cel_signals_open(&all.signals, signals, 1), 0);
    assert_int_equal(cel_process_spawn(&all.process, cat, &pipes), 0);
    assert_int_equal(cel_resolve("localhost", 80, at, &count), 0);
}

static void close_each(void)
{
    close(all.taken);
    close(all.received);
    cel_process_close(all.process);
    cel_signals_close(all.signals);
    cel_watch_close(all.watch);
    cel_dir_close(all.dir);
    cel_file_close(all.file);
    cel_socket_close(all.socket);
    cel_close(all.a);
    cel_close(all.b);
    cel_close(all.client);
    cel_close(all.accepted);
    cel_listener_close(all.door);
    cel_listener_close(all.unix_door);
}

/* -> how many descriptors a program has that this process starts by fork and exec. */
static int inherited(void)
{
    FILE *f = popen("ls /proc/self/fd | wc -l", "r");
    int count = 0;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &count), 1);
    pclose(f);
    return count;
}

IN_KERNEL(program_inherits_no_descriptor_of_any_kind)
{
    int before = inherited(), own = (int)fault_open_fds();

    open_one_of_each();
    assert_true((int)fault_open_fds() >= own + 14); /* they are there */
    assert_int_equal(inherited(), before);
    close_each();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_of_root_has_no_rights_after_setuid),
        cmocka_unit_test(every_descriptor_of_a_loop_is_closed_on_exec),
        cmocka_unit_test(program_inherits_no_descriptor_of_any_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
