/* SPDX-License-Identifier: MIT */
/* A loop made by root keeps no rights when root is given up: rings with a kernel thread, or with
 * registered credentials, would go on as root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "celadon/file.h"
#include "celadon/loop.h"
#include "celadon/task.h"
#include "support/check.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loop_of_root_has_no_rights_after_setuid),
        cmocka_unit_test(every_descriptor_of_a_loop_is_closed_on_exec),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
