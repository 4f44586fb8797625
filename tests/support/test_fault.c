/* SPDX-License-Identifier: MIT */
/* The injectors themselves: that each event is met, that leaks are seen, that random is seeded. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/sysfault.h"

static int three_blocks(void *arg)
{
    void *a = cel__mem_alloc(8), *b = NULL, *c = NULL;
    int r = -ENOMEM;

    if (a != NULL && (b = cel__mem_zalloc(8)) != NULL && (c = cel__mem_realloc(NULL, 8)) != NULL)
        r = 0;
    cel__mem_free(c);
    cel__mem_free(b);
    cel__mem_free(a);
    return r;
}

static void alloc_loop_fails_each_block_in_turn(void **state)
{
    assert_int_equal(fault_every_alloc(three_blocks, NULL), 3);
}

static void alloc_once_and_forever_differ(void **state)
{
    void *first, *second, *third;

    fault_alloc_begin();
    fault_alloc_arm(2, FAULT_ONCE);
    first = cel__mem_alloc(1), second = cel__mem_alloc(1), third = cel__mem_alloc(1);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    assert_int_equal(fault_alloc_live(), 2);
    cel__mem_free(first);
    cel__mem_free(third);
    fault_alloc_arm(1, FAULT_FOREVER);
    first = cel__mem_alloc(1), second = cel__mem_alloc(1);
    assert_null(first);
    assert_null(second);
    assert_int_equal(fault_alloc_hits(), 2);
    assert_int_equal(fault_alloc_live(), 0);
    fault_alloc_end();
}

static int pipe_and_byte(void *arg)
{
    int fds[2];
    char byte = 'x';
    int r = 0;

    if (cel__sys.pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    if (cel__sys.write(fds[1], &byte, 1) < 0 || cel__sys.read(fds[0], &byte, 1) < 0)
        r = -errno;
    cel__sys.close(fds[0]);
    cel__sys.close(fds[1]);
    return r;
}

static void syscall_loop_fails_each_call_in_turn(void **state)
{
    assert_int_equal(fault_every_syscall(NULL, pipe_and_byte, NULL), 3);
}

static void syscall_plan_chooses_calls_and_error(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(read), .error = EBADF, .nth = 1};
    size_t hits;
    int r;

    sysfault_begin(&plan);
    r = pipe_and_byte(NULL);
    hits = sysfault_hits();
    sysfault_end();
    assert_int_equal(r, -EBADF);
    assert_int_equal(hits, 1);
    assert_int_equal(pipe_and_byte(NULL), 0);
}

static void close_that_fails_still_closes(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(close), .error = EIO, .nth = 1};
    size_t before = fault_open_fds();
    int fds[2], r, error;

    assert_int_equal(cel__sys.pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fault_open_fds(), before + 2);
    sysfault_begin(&plan);
    r = cel__sys.close(fds[0]);
    error = errno;
    sysfault_end();
    assert_int_equal(r, -1);
    assert_int_equal(error, EIO);
    cel__sys.close(fds[1]);
    assert_int_equal(fault_open_fds(), before);
}

/* How many calls it takes to move `len` bytes, and in *trace a digest of their sizes. */
static size_t copy_through_pipe(const struct sysfault_plan *plan, size_t len, uint64_t *trace)
{
    char out[512] = {0}, in[512];
    size_t written = 0, got = 0, steps = 0;
    int fds[2];

    assert_int_equal(cel__sys.pipe2(fds, O_CLOEXEC), 0);
    sysfault_begin(plan);
    for (*trace = 0; got < len; steps++) {
        ssize_t n = written < len ? cel__sys.write(fds[1], out, len - written)
                                  : cel__sys.read(fds[0], in, len - got);

        *trace = *trace * 31 + (uint64_t)n;
        if (n > 0 && written < len)
            written += (size_t)n;
        else if (n > 0)
            got += (size_t)n;
        else if (errno != EINTR)
            break;
    }
    sysfault_end();
    cel__sys.close(fds[0]);
    cel__sys.close(fds[1]);
    assert_int_equal(got, len);
    return steps;
}

static void random_faults_replay_from_their_seed(void **state)
{
    struct sysfault_plan plan = {
        .seed = 7, .eintr_percent = 20, .short_read_percent = 50, .short_write_percent = 50};
    uint64_t plain, first, again, other;

    assert_int_equal(copy_through_pipe(NULL, 512, &plain), 2);
    assert_true(copy_through_pipe(&plan, 512, &first) > 4);
    copy_through_pipe(&plan, 512, &again);
    assert_true(first == again);
    plan.seed = 8;
    copy_through_pipe(&plan, 512, &other);
    assert_true(first != other);
}

static void table_has_no_entry_without_injector(void **state)
{
    struct cel__sys real, ours;
    void *a, *b;

    cel__sys_reset();
    real = cel__sys;
    sysfault_begin(NULL);
    ours = cel__sys;
    sysfault_end();
    for (size_t at = 0; at < sizeof real; at += sizeof a) {
        memcpy(&a, (char *)&real + at, sizeof a);
        memcpy(&b, (char *)&ours + at, sizeof b);
        if (a == b)
            fail_msg("entry %zu of struct cel__sys has no wrapper: add it to SYSFAULT_CALLS",
                     at / sizeof a);
    }
}

static void *kept;
static int kept_fd;

static int leaks_a_block(void *arg)
{
    kept = cel__mem_alloc(8);
    return kept != NULL ? 0 : -ENOMEM;
}

static int leaks_a_descriptor(void *arg)
{
    void *ptr = cel__mem_alloc(8);

    kept_fd = dup(STDOUT_FILENO);
    cel__mem_free(ptr);
    return ptr != NULL ? 0 : -ENOMEM;
}

static int always_fails(void *arg)
{
    return -EIO;
}

static void loop_over_leaking_block(void **state)
{
    fault_every_alloc(leaks_a_block, NULL);
}

static void loop_over_leaking_descriptor(void **state)
{
    fault_every_alloc(leaks_a_descriptor, NULL);
}

static void loop_over_failing_scenario(void **state)
{
    fault_every_alloc(always_fails, NULL);
}

/* In a child, whose report goes nowhere: how many of these tests fail? */
static int failures(const struct CMUnitTest *test)
{
    const struct CMUnitTest tests[] = {*test};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        _exit(cmocka_run_group_tests(tests, NULL, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void loop_sees_leaks_and_failures(void **state)
{
    const struct CMUnitTest bad[] = {
        cmocka_unit_test(loop_over_leaking_block),
        cmocka_unit_test(loop_over_leaking_descriptor),
        cmocka_unit_test(loop_over_failing_scenario),
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(failures(&bad[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_loop_fails_each_block_in_turn),
        cmocka_unit_test(alloc_once_and_forever_differ),
        cmocka_unit_test(syscall_loop_fails_each_call_in_turn),
        cmocka_unit_test(syscall_plan_chooses_calls_and_error),
        cmocka_unit_test(close_that_fails_still_closes),
        cmocka_unit_test(random_faults_replay_from_their_seed),
        cmocka_unit_test(loop_sees_leaks_and_failures),
        cmocka_unit_test(table_has_no_entry_without_injector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
