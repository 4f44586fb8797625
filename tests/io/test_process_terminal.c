/* SPDX-License-Identifier: MIT */
/* Children in terminals of their own. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "celadon/process.h"
#include "celadon/terminal.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

#define ARGV(...)  ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(cmd) ARGV("sh", "-c", cmd)

static struct cel_process *start(const char *command, const struct cel_terminal_size *size)
{
    const struct cel_process_options o = {.terminal = size};
    struct cel_process *p;

    assert_int_equal(cel_process_spawn(&p, SHELL(command), &o), 0);
    assert_non_null(cel_process_terminal(p));
    return p;
}

static void assert_line(struct cel_process *p, const char *text)
{
    char line[256];
    ssize_t n = cel_read_line(cel_process_terminal(p), line, sizeof line - 1);

    assert_true(n >= 0);
    line[n] = '\0';
    assert_string_equal(line, text);
}

static void assert_ends(struct cel_process *p, int code)
{
    struct cel_exit exit;
    char c;

    assert_int_equal(cel_read(cel_process_terminal(p), &c, 1), 0);
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.code, code);
    cel_process_close(p);
}

IN_TASK(child_talks_in_a_terminal_of_its_own)
{
    const struct cel_terminal_size size = {33, 111};
    struct cel_process *p =
        start("test -t 0 && test -t 1 && test -t 2 && stty size && stty -echo && echo ready && "
              "read line && echo got $line && echo tty >/dev/tty; exit 5",
              &size);

    assert_line(p, "33 111");
    assert_line(p, "ready");
    assert_int_equal(cel_write(cel_process_terminal(p), "hello\n", 6), 6);
    assert_line(p, "got hello");
    assert_line(p, "tty"); /* it is the controlling one */
    assert_ends(p, 5);
}

/* Who runs the suite in the background has it ignored, and a child inherits that. */
static int hear_sigint(void **state)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};

    return sigaction(SIGINT, &usual, NULL);
}

IN_TASK(control_c_interrupts_the_child)
{
    const struct cel_terminal_size size = {0};
    struct cel_process *p = start("stty -echo; echo ready; exec sleep 100", &size);
    struct cel_exit exit;

    assert_line(p, "ready");
    assert_int_equal(cel_write(cel_process_terminal(p), "\x03", 1), 1);
    assert_int_equal(cel_process_wait(p, &exit), 0);
    assert_int_equal(exit.signo, SIGINT);
    cel_process_close(p);
}

IN_TASK(new_size_is_told_to_the_child)
{
    const struct cel_terminal_size size = {0}, larger = {50, 200};
    struct cel_process *p = start("trap 'stty size; exit 3' WINCH; stty size; "
                                  "while :; do sleep 0.01; done",
                                  &size);
    struct cel_terminal_size now;
    int fd = cel_stream_fd(cel_process_terminal(p));

    assert_line(p, "24 80");
    assert_int_equal(cel_terminal_set_size(fd, &larger), 0);
    assert_int_equal(cel_terminal_size(fd, &now), 0);
    assert_int_equal(now.rows, 50);
    assert_line(p, "50 200");
    assert_ends(p, 3);
    assert_int_equal(cel_terminal_set_size(-1, &larger), -EBADF);
}

IN_TASK(streams_that_are_asked_for_are_no_terminal)
{
    const struct cel_terminal_size size = {0};
    const struct cel_process_options o = {.terminal = &size, .out = {CEL_STDIO_PIPE}};
    struct cel_output output;
    struct cel_process *p;

    assert_int_equal(cel_process_spawn(&p, SHELL("test -t 1 || tty"), &o), 0);
    assert_int_equal(cel_process_communicate(p, NULL, 0, 1000, &output), 0);
    assert_non_null(strstr(output.out, "/dev/pts/"));
    cel_output_free(&output);
    cel_process_close(p);
    assert_int_equal(cel_process_run(SHELL("tty"), &o, "", 0, 100, &output), -EINVAL);
}

/* A hang-up reaches who leads the session, and nobody is left. */
IN_TASK(process_closed_ends_its_whole_terminal)
{
    const struct cel_terminal_size size = {0};
    struct cel_process *p = start("sleep 100 & echo ready; wait", &size);

    assert_line(p, "ready");
    cel_process_close(p);
}

IN_TASK(terminal_belongs_to_the_identity)
{
    const struct cel_terminal_size size = {0};
    const struct cel_identity nobody = {.uid = 65534, .gid = 65534};
    const struct cel_process_options o = {.terminal = &size, .identity = &nobody};
    struct cel_process *p;

    if (geteuid() != 0)
        return;
    assert_int_equal(cel_process_spawn(&p, SHELL("stat -c %u $(tty)"), &o), 0);
    assert_line(p, "65534");
    assert_ends(p, 0);
}

static void *live(void *arg)
{
    const struct cel_terminal_size size = {0};
    const struct cel_process_options o = {.terminal = &size};
    struct cel_process *p;

    *(int *)arg = cel_process_spawn(&p, SHELL("exit 0"), &o);
    if (*(int *)arg < 0)
        return NULL;
    *(int *)arg = cel_process_wait(p, NULL);
    cel_process_close(p);
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(live, &code, NULL);

    return r < 0 ? r : code;
}

static void terminal_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(live_once, NULL) > 3);
}

static void terminal_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(openat) | SYSFAULT_BIT(ptsname) |
                                                SYSFAULT_BIT(tcsetwinsize)};

    assert_true(fault_every_syscall(&plan, live_once, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_talks_in_a_terminal_of_its_own),
        cmocka_unit_test(control_c_interrupts_the_child),
        cmocka_unit_test(new_size_is_told_to_the_child),
        cmocka_unit_test(streams_that_are_asked_for_are_no_terminal),
        cmocka_unit_test(process_closed_ends_its_whole_terminal),
        cmocka_unit_test(terminal_belongs_to_the_identity),
        cmocka_unit_test(terminal_survives_each_failed_allocation),
        cmocka_unit_test(terminal_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, hear_sigint, NULL);
}
