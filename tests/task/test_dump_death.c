/* SPDX-License-Identifier: MIT */
/* Signals that a program does not survive, where it has asked for a dump on them: a child dies, and
 * tells before. */
#include <celadon/debug.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <celadon/celadon.h>
#include <celadon/sync.h>

#include "support/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

static char text[1 << 18];

static const int *volatile nowhere = (const int *)8;

__attribute__((noipa)) static int read_through(const int *p)
{
    int n = *(const volatile int *)p;

    __asm__ volatile("" : "+r"(n));
    return n;
}

static void *fault(void *arg)
{
    return read_through(nowhere) ? arg : NULL;
}

static void *give_up(void *arg)
{
    abort();
    return arg;
}

__attribute__((noipa)) static int descend(int depth)
{
    volatile char room[4096] = {0};

    room[depth % 4096] = 1;
    return depth == 0 ? room[0] : descend(depth - 1) + room[1];
}

static void *overflow(void *arg)
{
    return descend(1 << 20) == 1 ? arg : NULL;
}

static void *keep_a_lock(void *arg)
{
    static struct cel_lock lock;

    return cel_lock_acquire(&lock) == 0 ? arg : NULL;
}

struct play {
    int signo;
    cel_task_fn *fn;
};

static void *play_main(void *arg)
{
    const struct play *play = arg;

    for (int i = 0; i < 2; i++) /* twice is once */
        if (play->signo != 0 && cel_dump_on_signal(play->signo) < 0)
            _exit(2);
    CEL_SCOPE (scope)
        if (cel_spawn_with(play->fn, NULL, .name = "doomed") == NULL)
            _exit(3);
    return arg;
}

/* -> the signal that the child died of; what it said is in `text`. */
static int die_in_child(int signo, cel_task_fn *fn)
{
    struct play play = {signo, fn};
    int fd = memfd_create("words", MFD_CLOEXEC), status;
    ssize_t n;
    pid_t pid;

    assert_true(fd >= 0);
    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct sigaction usual = {.sa_handler = SIG_DFL};
        const struct rlimit none = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)sigaction(SIGSEGV, &usual, NULL); /* cmocka has taken it */
        (void)sigaction(SIGABRT, &usual, NULL);
        if (dup2(fd, STDERR_FILENO) < 0)
            _exit(4);
        (void)!cel_run(play_main, &play, NULL);
        _exit(5);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    n = pread(fd, text, sizeof text - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void says(const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("'%s' is not in:\n%s", what, text);
}

#define NEED_PLAIN_SIGNALS()                                              \
    do {                                                                  \
        if (IS_SANITIZED) {                                               \
            print_message("needs signals that no sanitizer has taken\n"); \
            skip();                                                       \
        }                                                                 \
    } while (0)

static void death_by_fault_is_told_with_the_task(void **state)
{
    NEED_PLAIN_SIGNALS();
    assert_int_equal(die_in_child(SIGSEGV, fault), SIGSEGV);
    says("celadon: SIGSEGV, the address is 0x8\n");
    says("running: \"doomed\" (spawned at ");
    says("    #0 read_through+0x");
    says("    #1 fault+0x");
    says("\"main\" (spawned by cel_run): parked for 1 tasks of a scope to end");
    says("celadon: end of the dump\n");
}

static void death_by_abort_is_told_with_the_task(void **state)
{
    NEED_PLAIN_SIGNALS();
    assert_int_equal(die_in_child(SIGABRT, give_up), SIGABRT);
    says("celadon: SIGABRT\n");
    says("running: \"doomed\" (spawned at ");
    says(" give_up+0x");
    says("celadon: end of the dump\n");
}

static void death_by_overflow_is_named_too(void **state)
{
    NEED_PLAIN_SIGNALS();
    assert_int_equal(die_in_child(SIGSEGV, overflow), SIGABRT);
    says("celadon: SIGSEGV, the address is 0x");
    says("celadon: end of the dump\n");
    says("celadon: stack overflow in fiber \"doomed\": its stack of 64 KiB is used up; made at ");
}

static void overflow_tells_where(void **state)
{
    NEED_PLAIN_SIGNALS();
    assert_int_equal(die_in_child(0, overflow), SIGABRT);
    says("celadon: stack overflow in fiber \"doomed\": its stack of 64 KiB is used up; made at ");
    says("    #0 descend+0x");
    says("    #15 descend+0x");
}

static void assertion_names_the_task(void **state)
{
    NEED_PLAIN_SIGNALS();
    assert_int_equal(die_in_child(0, keep_a_lock), SIGABRT);
    says("assertion failed: ");
    says("a task ended holding a lock");
    says("celadon: running: \"doomed\" (spawned at ");
    says(" cel__ctx_entry+0x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_by_fault_is_told_with_the_task),
        cmocka_unit_test(death_by_abort_is_told_with_the_task),
        cmocka_unit_test(death_by_overflow_is_named_too),
        cmocka_unit_test(overflow_tells_where),
        cmocka_unit_test(assertion_names_the_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
