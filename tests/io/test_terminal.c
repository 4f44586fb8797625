/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys.h"
#include "celadon/terminal.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

struct pty {
    int keys; /* what a person types and sees */
    int line; /* what a program has */
};

static struct pty open_pty(void)
{
    struct pty p = {.keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};

    assert_true(p.keys >= 0);
    assert_int_equal(grantpt(p.keys), 0);
    assert_int_equal(unlockpt(p.keys), 0);
    p.line = open(ptsname(p.keys), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p.line >= 0);
    return p;
}

static void close_pty(struct pty p)
{
    close(p.line);
    close(p.keys);
}

static bool is_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void *type_later(void *arg)
{
    assert_int_equal(write(*(int *)arg, "hello\n", 6), 6);
    return NULL;
}

IN_TASK(terminal_is_read_by_lines_and_left_as_it_is)
{
    struct pty p = open_pty();
    struct cel_stream *s;
    char line[16], seen[32];

    assert_true(cel_terminal_is(p.line));
    assert_int_equal(cel_stream_share(&s, p.line), 0);
    CEL_SCOPE (scope) {
        assert_int_equal(cel_go(type_later, &p.keys), 0);
        assert_int_equal(cel_read_line(s, line, sizeof line), 5);
        assert_memory_equal(line, "hello", 5);
    }
    assert_int_equal(read(p.keys, seen, sizeof seen), 7); /* the echo */
    assert_int_equal(cel_write(s, "answer", 6), 6);
    assert_int_equal(read(p.keys, seen, sizeof seen), 6);
    assert_false(is_nonblocking(p.line));
    CEL_SCOPE (late, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_read_line(s, line, sizeof line), -ETIMEDOUT);
    cel_close(s);
    close_pty(p);
}

static void check_pair(int reading, int writing)
{
    static char much[300000], back[300000];
    struct cel_stream *in, *out;
    size_t got = 0;

    for (size_t i = 0; i < sizeof much; i++)
        much[i] = (char)(i * 3 + (i >> 10));
    assert_int_equal(cel_stream_share(&in, reading), 0);
    assert_int_equal(cel_stream_share(&out, writing), 0);
    close(reading); /* ours to close at once */
    close(writing);
    while (got < sizeof much) {
        assert_int_equal(cel_write(out, much + got, 1000), 1000);
        assert_int_equal(cel_read_exactly(in, back + got, 1000), 1000);
        got += 1000;
    }
    assert_memory_equal(much, back, sizeof much);
    CEL_SCOPE (scope, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_read(in, back, 1), -ETIMEDOUT);
    cel_close(out);
    assert_int_equal(cel_read(in, back, 1), 0);
    cel_close(in);
}

IN_TASK(pipe_and_socket_are_shared_without_a_change)
{
    int fds[2], copies[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    copies[0] = dup(fds[0]);
    check_pair(fds[0], fds[1]);
    assert_false(is_nonblocking(copies[0]));
    close(copies[0]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    check_pair(fds[0], fds[1]);
}

IN_TASK(regular_file_is_used_at_its_position)
{
    char path[] = "/tmp/celadon-terminal-XXXXXX", buf[32] = "";
    int fd = mkstemp(path);
    struct cel_stream *s;

    assert_int_equal(write(fd, "before ", 7), 7);
    assert_int_equal(cel_stream_share(&s, fd), 0);
    assert_int_equal(cel_writev(s, (struct iovec[]){{"mi", 2}, {"ddle", 4}}, 2), 6);
    assert_int_equal(write(fd, " after", 6), 6); /* the position moved for all */
    assert_int_equal(pread(fd, buf, sizeof buf, 0), 19);
    assert_string_equal(buf, "before middle after");
    assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
    assert_int_equal(cel_read_exactly(s, buf, 6), 6);
    assert_memory_equal(buf, "middle", 6);
    cel_close(s);
    assert_int_equal(cel_stream_share(&s, 999), -EBADF);
    close(fd);
    unlink(path);
}

IN_TASK(null_device_takes_all_and_has_nothing)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct cel_stream *s;
    char c;

    assert_int_equal(cel_stream_share(&s, fd), 0);
    assert_int_equal(cel_write(s, "x", 1), 1);
    assert_int_equal(cel_read(s, &c, 1), 0);
    cel_close(s);
    close(fd);
}

IN_TASK(terminal_mode_is_entered_and_left)
{
    struct pty p = open_pty();
    struct termios before, now;
    struct cel_terminal_guard *outer, *inner;
    struct cel_stream *s;
    char key;

    assert_int_equal(tcgetattr(p.line, &before), 0);
    assert_int_equal(cel_terminal_enter(&outer, p.line, CEL_TERMINAL_KEYS), 0);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_false(now.c_lflag & (ICANON | ECHO));
    assert_true(now.c_lflag & ISIG);
    assert_int_equal(now.c_oflag, before.c_oflag);
    assert_int_equal(cel_terminal_enter(&inner, p.line, CEL_TERMINAL_RAW), 0);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_false(now.c_lflag & ISIG);
    assert_int_equal(cel_stream_share(&s, p.line), 0);
    assert_int_equal(write(p.keys, "k", 1), 1);
    assert_int_equal(cel_read(s, &key, 1), 1); /* no line is waited for */
    assert_int_equal(key, 'k');
    cel_close(s);
    assert_int_equal(cel_terminal_leave(inner), 0);
    assert_int_equal(cel_terminal_leave(outer), 0);
    assert_int_equal(cel_terminal_leave(NULL), 0);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_int_equal(now.c_lflag, before.c_lflag);
    assert_int_equal(cel_terminal_enter(&outer, p.line, CEL_TERMINAL_NO_ECHO), 0);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_true(now.c_lflag & ICANON && !(now.c_lflag & ECHO));
    assert_int_equal(cel_terminal_leave(outer), 0);
    close_pty(p);
}

static void terminal_is_put_back_at_exit(void **state)
{
    struct pty p = open_pty();
    struct termios before, now;
    struct cel_terminal_guard *g;
    int status;
    pid_t child;

    assert_int_equal(tcgetattr(p.line, &before), 0);
    child = fork();
    if (child == 0)
        exit(cel_terminal_enter(&g, p.line, CEL_TERMINAL_RAW) == 0 ? 7 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_int_equal(now.c_lflag, before.c_lflag);
    close_pty(p);
}

static void reset_and_die(int signo)
{
    (void)cel_terminal_reset();
    (void)raise(signo); /* once more, by default: SA_RESETHAND */
}

/* A program's own handler, which a crash leads to. */
static void terminal_is_put_back_by_a_handler(void **state)
{
    struct pty p = open_pty();
    struct termios before, now;
    struct cel_terminal_guard *g;
    int status;
    pid_t child;

    assert_int_equal(cel_terminal_reset(), 0); /* nothing to do */
    assert_int_equal(tcgetattr(p.line, &before), 0);
    child = fork();
    if (child == 0) {
        (void)sigaction(SIGTERM,
                        &(struct sigaction){.sa_handler = reset_and_die,
                                            .sa_flags = (int)SA_RESETHAND | SA_NODEFER},
                        NULL);
        (void)raise(cel_terminal_enter(&g, p.line, CEL_TERMINAL_RAW) == 0 ? SIGTERM : SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    assert_int_equal(tcgetattr(p.line, &now), 0);
    assert_int_equal(now.c_lflag, before.c_lflag);
    close_pty(p);
}

static struct pty resized;

static void *resize_later(void *arg)
{
    const struct winsize size = {.ws_row = 50, .ws_col = 132};

    raise(SIGWINCH); /* for nothing: it has the same size */
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(ioctl(resized.keys, TIOCSWINSZ, &size), 0);
    raise(SIGWINCH); /* it is not this program's terminal, so nobody else says so */
    return NULL;
}

IN_TASK(terminal_size_is_told_when_it_changes)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct cel_terminal_size now = {0};

    resized = open_pty();
    assert_int_equal(ioctl(resized.keys, TIOCSWINSZ, &size), 0);
    assert_int_equal(cel_terminal_resized(resized.line, &now), 0); /* from nothing known */
    assert_int_equal(now.rows, 24);
    assert_int_equal(now.columns, 80);
    CEL_SCOPE (scope) {
        assert_int_equal(cel_go(resize_later, NULL), 0);
        assert_int_equal(cel_terminal_resized(resized.line, &now), 0);
    }
    assert_int_equal(now.columns, 132);
    close_pty(resized);
}

IN_TASK(what_is_no_terminal_says_so)
{
    struct cel_terminal_size size = {0};
    struct cel_terminal_guard *g;
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_false(cel_terminal_is(fds[0]));
    assert_int_equal(cel_terminal_size(fds[0], &size), -ENOTTY);
    assert_int_equal(cel_terminal_resized(fds[0], &size), -ENOTTY);
    assert_int_equal(cel_terminal_enter(&g, fds[0], CEL_TERMINAL_RAW), -ENOTTY);
    close(fds[0]);
    close(fds[1]);
}

/* ---- failures ---- */

static void *share(void *arg)
{
    struct cel_stream *s[2] = {NULL, NULL};
    int *code = arg, fds[2], pair[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    *code = cel_stream_share(&s[0], fds[1]);
    if (*code == 0)
        *code = cel_stream_share(&s[1], pair[0]);
    for (int i = 0; *code >= 0 && i < 2; i++)
        *code = (int)cel_write(s[i], "x", 1);
    cel_close(s[0]);
    cel_close(s[1]);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(pair[i]);
    }
    return NULL;
}

static int share_once(void *arg)
{
    int code = -EIO, r = cel_run(share, &code, NULL);

    return r < 0 ? r : code;
}

static void sharing_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(share_once, NULL) > 5);
}

/* What cannot be opened anew is used with patience. */
static void *share_a_pipe(void *arg)
{
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    check_pair(fds[0], fds[1]);
    return NULL;
}

static void pipe_that_cannot_be_opened_anew_works(void **state)
{
    const struct sysfault_plan plan = {
        .calls = SYSFAULT_BIT(openat), .error = EACCES, .nth = 1, .times = FAULT_FOREVER};

    sysfault_begin(&plan);
    assert_int_equal(cel_run(share_a_pipe, NULL, NULL), 0);
    assert_true(sysfault_hits() >= 2);
    sysfault_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_is_read_by_lines_and_left_as_it_is),
        cmocka_unit_test(pipe_and_socket_are_shared_without_a_change),
        cmocka_unit_test(regular_file_is_used_at_its_position),
        cmocka_unit_test(null_device_takes_all_and_has_nothing),
        cmocka_unit_test(terminal_mode_is_entered_and_left),
        cmocka_unit_test(terminal_is_put_back_at_exit),
        cmocka_unit_test(terminal_is_put_back_by_a_handler),
        cmocka_unit_test(terminal_size_is_told_when_it_changes),
        cmocka_unit_test(what_is_no_terminal_says_so),
        cmocka_unit_test(sharing_survives_each_failed_allocation),
        cmocka_unit_test(pipe_that_cannot_be_opened_anew_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
