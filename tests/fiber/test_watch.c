/* SPDX-License-Identifier: MIT */
/* Stack overflows, each in a child process: they are caught, named, and end in an abort. */
#include "support/check.h"

#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cc.h"
#include "base/mem.h"
#include "celadon/fiber.h"
#include "fiber/sched.h"

#define NAME "greedy"

static volatile char sink;

static void handle(int number, void (*handler)(int))
{
    sigaction(number, &(struct sigaction){.sa_handler = handler}, NULL);
}

/* --- shapes of overflow --- */

static CEL__NOINLINE int recurse(int n)
{
    volatile char frame[200];

    frame[n % 200] = (char)n;
    return n == 0 ? 0 : recurse(n - 1) + frame[n % 200];
}

static void *overflows_by_recursion(void *arg)
{
    sink = (char)recurse(1000000);
    return arg;
}

static CEL__NOINLINE void big_frame(void)
{
    char frame[100 << 10];

    __asm__ volatile("" : : "r"(frame) : "memory"); /* keeps the frame */
    ((volatile char *)frame)[0] = 1;
}

static void *overflows_by_a_big_frame(void *arg)
{
    big_frame();
    return arg;
}

static void *overflows_by_alloca(void *arg)
{
    /* lint: banned: what is tested */
    volatile char *room = alloca((size_t)(uintptr_t)arg);

    room[0] = 1;
    sink = room[0];
    return arg;
}

static void *writes_to_null(void *arg)
{
    *(volatile char *)arg = 1;
    return NULL;
}

/* --- children --- */

struct outcome {
    int status;
    char text[4096];
};

static int next_line;

static void run_fiber(void *(*fn)(void *arg), void *arg)
{
    struct cel_fiber_options options = {
        .name = NAME, .file = "somewhere.c", .line = next_line, .stack_bytes = 32 << 10};
    struct cel_fiber *f;

    if (cel_stack_watch() < 0 || cel_fiber_new_with(&f, fn, arg, &options) < 0)
        _exit(2);
    cel_fiber_switch(f, NULL);
    _exit(0);
}

static void in_child(struct outcome *out, void (*body)(void))
{
    int fds[2];
    size_t len = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        handle(SIGABRT, SIG_DFL);
        handle(SIGSEGV, SIG_DFL);
        dup2(fds[1], STDERR_FILENO);
        body();
        _exit(0);
    }
    close(fds[1]);
    while ((n = read(fds[0], out->text + len, sizeof out->text - 1 - len)) > 0)
        len += (size_t)n;
    out->text[len] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &out->status, 0), child);
}

static void check_report(const struct outcome *out, const char *name)
{
    if (!WIFSIGNALED(out->status) || WTERMSIG(out->status) != SIGABRT)
        print_message("status %x, stderr: %s\n", (unsigned)out->status, out->text);
    assert_true(WIFSIGNALED(out->status));
    assert_int_equal(WTERMSIG(out->status), SIGABRT);
    assert_non_null(strstr(out->text, "stack overflow"));
    assert_non_null(strstr(out->text, name));
    assert_non_null(strstr(out->text, "32 KiB"));
    assert_non_null(strstr(out->text, "somewhere.c:42"));
}

static void recursion_child(void)
{
    run_fiber(overflows_by_recursion, NULL);
}

static void recursion_is_reported_by_name(void **state)
{
    struct outcome out;

    (void)state;
    next_line = 42;
    in_child(&out, recursion_child);
    check_report(&out, "\"" NAME "\"");
}

static void big_frame_child(void)
{
    run_fiber(overflows_by_a_big_frame, NULL);
}

static void frame_larger_than_the_stack_is_reported(void **state)
{
    struct outcome out;

    (void)state;
    next_line = 42;
    in_child(&out, big_frame_child);
    check_report(&out, "\"" NAME "\"");
}

static void alloca_child(void)
{
    run_fiber(overflows_by_alloca, (void *)(uintptr_t)(80 << 10));
}

static void alloca_beyond_the_stack_is_reported(void **state)
{
    struct outcome out;

    (void)state;
    next_line = 42;
    in_child(&out, alloca_child);
    check_report(&out, "\"" NAME "\"");
}

static void task_entry(struct cel_fiber *f)
{
    (void)f;
    sink = (char)recurse(1000000);
}

static void task_child(void)
{
    struct cel__sched sched;
    struct cel_fiber f;

    cel__sched_init(&sched);
    if (cel_stack_watch() < 0 || cel__fiber_init(&f, 32 << 10, task_entry) < 0)
        _exit(2);
    f.name = "task";
    f.file = "somewhere.c";
    f.line = 42;
    cel__sched_ready(&sched, &f);
    cel__sched_run(&sched, 1);
}

static void overflow_in_a_task_is_reported(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, task_child);
    check_report(&out, "\"task\"");
}

static void *overflows_in_thread(void *arg)
{
    run_fiber(overflows_by_recursion, arg);
    return NULL;
}

static void thread_child(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, overflows_in_thread, NULL) != 0)
        _exit(2);
    pthread_join(thread, NULL);
}

static void overflow_in_a_second_thread_is_reported(void **state)
{
    struct outcome out;

    (void)state;
    next_line = 42;
    in_child(&out, thread_child);
    check_report(&out, "\"" NAME "\"");
}

/* --- other faults --- */

static void earlier_handler(int signal)
{
    (void)signal;
    _exit(77);
}

static void earlier_handler_child(void)
{
    handle(SIGSEGV, earlier_handler);
    run_fiber(writes_to_null, (void *)(uintptr_t)64);
}

static void other_fault_goes_to_the_earlier_handler(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, earlier_handler_child);
    assert_true(WIFEXITED(out.status));
    assert_int_equal(WEXITSTATUS(out.status), 77);
    assert_string_equal(out.text, "");
}

static void earlier_action(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    _exit(info->si_addr == (void *)(uintptr_t)64 ? 78 : 79);
}

static void earlier_action_child(void)
{
    struct sigaction action = {.sa_sigaction = earlier_action, .sa_flags = SA_SIGINFO};

    sigaction(SIGSEGV, &action, NULL);
    run_fiber(writes_to_null, (void *)(uintptr_t)64);
}

static void other_fault_keeps_its_address(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, earlier_action_child);
    assert_true(WIFEXITED(out.status));
    assert_int_equal(WEXITSTATUS(out.status), 78);
}

static void null_child(void)
{
    run_fiber(writes_to_null, (void *)(uintptr_t)64);
}

static void other_fault_kills_by_default(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, null_child);
    assert_true(WIFSIGNALED(out.status));
    assert_int_equal(WTERMSIG(out.status), SIGSEGV);
    assert_null(strstr(out.text, "overflow"));
}

static void raised_child(void)
{
    handle(SIGSEGV, earlier_handler);
    if (cel_stack_watch() < 0)
        _exit(2);
    raise(SIGSEGV);
}

static void raised_signal_is_no_overflow(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, raised_child);
    assert_true(WIFEXITED(out.status));
    assert_int_equal(WEXITSTATUS(out.status), 77);
}

static void raised_by_default_child(void)
{
    if (cel_stack_watch() < 0)
        _exit(2);
    raise(SIGSEGV);
}

static void raised_signal_kills_by_default(void **state)
{
    struct outcome out;

    (void)state;
    in_child(&out, raised_by_default_child);
    assert_true(WIFSIGNALED(out.status));
    assert_int_equal(WTERMSIG(out.status), SIGSEGV);
}

/* --- the watch itself --- */

static void watch_keeps_a_signal_stack_that_is_there(void **state)
{
    static char room[64 << 10];
    stack_t mine = {.ss_sp = room, .ss_size = sizeof room};
    stack_t before, now;

    (void)state;
    assert_int_equal(sigaltstack(NULL, &before), 0);
    assert_int_equal(sigaltstack(&mine, NULL), 0);
    assert_int_equal(cel_stack_watch(), 0);
    assert_int_equal(cel_stack_watch(), 0);
    assert_int_equal(sigaltstack(NULL, &now), 0);
    assert_ptr_equal(now.ss_sp, room);
    assert_int_equal(sigaltstack(&before, NULL), 0);
}

static void *no_alloc(size_t size, void *arg)
{
    (void)size;
    (void)arg;
    return NULL;
}

static void *no_realloc(void *p, size_t size, void *arg)
{
    (void)p;
    return no_alloc(size, arg);
}

static void no_free(void *p, void *arg)
{
    (void)p;
    (void)arg;
}

static void *watches_without_memory(void *result)
{
    stack_t off = {.ss_flags = SS_DISABLE};

    sigaltstack(&off, NULL); /* a sanitizer gave one */
    *(int *)result = cel_stack_watch();
    return NULL;
}

static void watch_without_memory_fails(void **state)
{
    const struct cel_allocator none = {no_alloc, no_realloc, no_free, NULL};
    pthread_t thread;
    int r = 0;

    (void)state;
    cel_set_allocator(&none);
    assert_int_equal(pthread_create(&thread, NULL, watches_without_memory, &r), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    cel_set_allocator(NULL);
    assert_int_equal(r, -ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursion_is_reported_by_name),
        cmocka_unit_test(frame_larger_than_the_stack_is_reported),
        cmocka_unit_test(alloca_beyond_the_stack_is_reported),
        cmocka_unit_test(overflow_in_a_task_is_reported),
        cmocka_unit_test(overflow_in_a_second_thread_is_reported),
        cmocka_unit_test(other_fault_goes_to_the_earlier_handler),
        cmocka_unit_test(other_fault_keeps_its_address),
        cmocka_unit_test(other_fault_kills_by_default),
        cmocka_unit_test(raised_signal_is_no_overflow),
        cmocka_unit_test(raised_signal_kills_by_default),
        cmocka_unit_test(watch_keeps_a_signal_stack_that_is_there),
        cmocka_unit_test(watch_without_memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
