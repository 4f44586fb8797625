/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "fiber/annotate.h"
#include "fiber/stack.h"

#define GUARD_INSTALL 102

static struct cel__stacks all;
static int owner;

/* --- a kernel to order --- */

static struct {
    int calls;
    int fail_at; /* the n-th call fails, counted from 1; 0: none */
    int madvise_errno, mprotect_errno;
    bool is_deaf; /* takes every advice and follows none, as an emulator does */
    int dontneed_calls, mprotect_calls;
} kernel;
static int warnings;

static bool fails(void)
{
    return ++kernel.calls == kernel.fail_at;
}

static void *odd_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fails()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return mmap(addr, len, prot, flags, fd, offset);
}

static int odd_madvise(void *addr, size_t len, int advice)
{
    if (advice == MADV_DONTNEED)
        kernel.dontneed_calls++;
    if (kernel.is_deaf && advice != MADV_DONTNEED)
        return 0;
    if (fails() || (advice == GUARD_INSTALL && kernel.madvise_errno != 0)) {
        errno = kernel.madvise_errno != 0 ? kernel.madvise_errno : ENOMEM;
        return -1;
    }
    return madvise(addr, len, advice);
}

static int odd_mprotect(void *addr, size_t len, int prot)
{
    kernel.mprotect_calls++;
    if (fails() || kernel.mprotect_errno != 0) {
        errno = kernel.mprotect_errno != 0 ? kernel.mprotect_errno : ENOMEM;
        return -1;
    }
    return mprotect(addr, len, prot);
}

static void count_warning(enum cel_log_level level, const char *line, void *arg)
{
    (void)arg;
    if (level == CEL_LOG_WARN && strstr(line, "guard") != NULL)
        warnings++;
}

static int setup(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    warnings = 0;
    cel_set_log(count_warning, NULL);
    cel__sys.mmap = odd_mmap;
    cel__sys.madvise = odd_madvise;
    cel__sys.mprotect = odd_mprotect;
    cel__stacks_init(&all);
    return 0;
}

static int teardown(void **state)
{
    size_t busy = cel__stacks_fini(&all);

    (void)state;
    cel__sys_reset();
    cel_set_log(NULL, NULL);
    return busy == 0 ? 0 : -1;
}

static struct cel__stack *get(size_t size)
{
    struct cel__stack *stack = cel__stack_get(&all, size, &owner);

    assert_non_null(stack);
    return stack;
}

static size_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size, resident;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
    fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void handle(int number, void (*handler)(int))
{
    sigaction(number, &(struct sigaction){.sa_handler = handler}, NULL);
}

/* -> the signal that writing at p ends a child with, 0 for none. */
static int signal_of_write(char *p)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        handle(SIGSEGV, SIG_DFL);
        *(volatile char *)p = 1;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) != 0 ? SIGSEGV : 0;
}

static void check_guard(struct cel__stack *stack)
{
    char *base = cel__stack_base(stack);

    assert_int_equal(signal_of_write(base), 0);
    assert_int_equal(signal_of_write(stack->top - 1), 0);
    assert_int_equal(signal_of_write(base - 1), SIGSEGV);
    assert_int_equal(signal_of_write(base - CEL__STACK_GUARD), SIGSEGV);
}

/* --- sizes --- */

static void get_rounds_sizes_up_to_a_power_of_two(void **state)
{
    static const size_t sizes[][2] = {{0, 64 << 10},        {1, 16 << 10},
                                      {16 << 10, 16 << 10}, {(16 << 10) + 1, 32 << 10},
                                      {100000, 128 << 10},  {128 << 10, 128 << 10},
                                      {5 << 20, 8 << 20},   {8 << 20, 8 << 20}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct cel__stack *stack = get(sizes[i][0]);

        assert_int_equal(cel__stack_size(stack), sizes[i][1]);
        memset(cel__stack_base(stack), 1, (size_t)(stack->top - cel__stack_base(stack)));
        cel__stack_put(&all, stack);
    }
    assert_null(cel__stack_get(&all, CEL__STACK_MAX + 1, &owner));
    assert_null(cel__stack_get(&all, SIZE_MAX, &owner));
}

static void put_then_get_returns_the_same(void **state)
{
    struct cel__stack *a = get(0), *b = get(0), *other_size = get(16 << 10);

    (void)state;
    cel__stack_put(&all, a);
    cel__stack_put(&all, b);
    cel__stack_put(&all, other_size);
    assert_ptr_equal(get(0), b);
    assert_ptr_equal(get(0), a);
    assert_ptr_equal(get(16 << 10), other_size);
    cel__stack_put(&all, a);
    cel__stack_put(&all, b);
    cel__stack_put(&all, other_size);
}

/* --- guards --- */

static void guard_is_there_on_every_size(void **state)
{
    (void)state;
    for (size_t size = CEL__STACK_MIN; size <= CEL__STACK_MAX; size *= 2) {
        struct cel__stack *stack = get(size), *next = get(size);

        check_guard(stack);
        check_guard(next);
        cel__stack_put(&all, stack);
        cel__stack_put(&all, next);
    }
}

static void guard_falls_back_to_protection(void **state)
{
    struct cel__stack *stack;

    (void)state;
    kernel.madvise_errno = EINVAL;
    stack = get(0);
    assert_int_equal(all.guards.kind, CEL__GUARD_PROTECT);
    assert_int_equal(kernel.mprotect_calls, 1);
    check_guard(stack);
    cel__stack_put(&all, stack);
    assert_int_equal(warnings, 0);
}

static void guard_that_does_not_hold_is_found_out(void **state)
{
    struct cel__stack *stack;

    (void)state;
    kernel.is_deaf = true;
    stack = get(0);
    assert_int_equal(all.guards.kind, CEL__GUARD_PROTECT);
    check_guard(stack);
    cel__stack_put(&all, stack);
}

static void guard_falls_back_to_a_canary_with_one_warning(void **state)
{
    struct cel__stack *stacks[3];

    (void)state;
    kernel.madvise_errno = EINVAL;
    kernel.mprotect_errno = ENOMEM;
    for (int i = 0; i < 3; i++)
        stacks[i] = get(0);
    assert_int_equal(warnings, 1);
    assert_int_equal(all.guards.kind, CEL__GUARD_CANARY);
    for (int i = 0; i < 3; i++) {
        assert_true(cel__canary_is_whole(cel__stack_base(stacks[i])));
        cel__stack_put(&all, stacks[i]);
    }
}

static void canary_overwritten_aborts_at_put(void **state)
{
    struct cel__stack *stack;
    int status;
    pid_t child;

    (void)state;
    kernel.madvise_errno = EINVAL;
    kernel.mprotect_errno = ENOMEM;
    stack = get(0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        assert_non_null(freopen("/dev/null", "w", stderr));
        handle(SIGABRT, SIG_DFL);
        cel__stack_base(stack)[3] ^= 1;
        cel__stack_put(&all, stack);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cel__stack_put(&all, stack);
}

static void guard_without_memory_fails_the_get(void **state)
{
    (void)state;
    kernel.madvise_errno = ENOMEM;
    assert_null(cel__stack_get(&all, 0, &owner));
    kernel.madvise_errno = 0;
    cel__stack_put(&all, get(0));
    assert_true(all.guards.kind != CEL__GUARD_CANARY);
}

static void guarding_finds_the_stack_of_an_address(void **state)
{
    struct cel__stack *a = get(0), *b = get(0);
    char *base = cel__stack_base(b);

    (void)state;
    assert_ptr_equal(cel__stack_guarding(&all, base - 1), b);
    assert_ptr_equal(cel__stack_guarding(&all, base - CEL__STACK_GUARD), b);
    assert_null(cel__stack_guarding(&all, base));
    assert_null(cel__stack_guarding(&all, b->top - 1));
    assert_null(cel__stack_guarding(&all, &owner));
    assert_null(cel__stack_guarding(&all, NULL));
    cel__stack_put(&all, a);
    cel__stack_put(&all, b);
}

/* --- giving back --- */

#define MANY (CEL__TSAN ? 1500 : 5000) /* TSan makes heavy fibers */

static struct cel__stack *many[MANY];

static void get_many_touched(void)
{
    for (int i = 0; i < MANY; i++) {
        many[i] = get(0);
        many[i]->top[-1] = 1;
    }
}

static void put_beyond_the_watermark_gives_pages_back(void **state)
{
    size_t before = resident_bytes();
    size_t used;

    (void)state;
    get_many_touched();
    used = resident_bytes() - before;
    assert_true(used >= MANY * (size_t)4096);
    for (int i = 0; i < MANY; i++)
        cel__stack_put(&all, many[i]);
    /* A sanitizer keeps memory of its own for each, and qemu-user ignores some advice. */
    if (!CEL__ANNOTATED && getenv("CELADON_EMULATED") == NULL)
        assert_true(resident_bytes() - before < used / 3);
    /* Neighbours go together: far fewer calls than stacks. */
    assert_true(kernel.dontneed_calls < 100);
}

static void put_in_any_order_keeps_the_books(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 3; round++) {
        get_many_touched();
        for (int i = MANY - 1; i > 0; i--) {
            int j = rand_r(&seed) % (i + 1);
            struct cel__stack *swap = many[i];

            many[i] = many[j];
            many[j] = swap;
        }
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(many[i]->top[-1], 1);
            many[i]->top[-1] = 0;
            cel__stack_put(&all, many[i]);
        }
    }
}

static void free_slabs_go_back_to_the_system(void **state)
{
    struct cel__stack_pool *pool = &all.pools[2];
    size_t peak;

    (void)state;
    get_many_touched();
    peak = pool->slot_count;
    assert_true(peak >= MANY);
    for (int i = 0; i < MANY; i++)
        cel__stack_put(&all, many[i]);
    assert_true(pool->slot_count < peak);
    assert_true(pool->warm_count <= pool->warm_max);
}

static void put_never_takes_the_pages_of_the_stack_put(void **state)
{
    (void)state;
    get_many_touched();
    for (int i = 0; i < MANY; i++) {
        cel__stack_put(&all, many[i]);
        assert_int_equal(many[i]->top[-1], 1);
    }
}

static void get_and_put(int count)
{
    for (int i = 0; i < count; i++)
        many[i] = get(0);
    for (int i = 0; i < count; i++)
        cel__stack_put(&all, many[i]);
}

/* What is used again and again stays warm, in whatever order it comes back. */
static void pool_of_a_program_that_swings_keeps_what_it_needs(void **state)
{
    int calls;

    (void)state;
    for (int round = 0; round < 3; round++) {
        get_and_put(MANY);
        for (int i = 0; i < MANY; i++)
            many[i] = get(0);
        for (int i = MANY - 1; i >= 0; i--)
            cel__stack_put(&all, many[i]);
    }
    calls = kernel.calls;
    for (int round = 0; round < 3; round++)
        get_and_put(MANY);
    assert_int_equal(kernel.calls, calls);
}

static void pool_of_a_program_that_calms_down_shrinks(void **state)
{
    struct cel__stack_pool *pool = &all.pools[2];

    (void)state;
    for (int round = 0; round < 4; round++)
        get_and_put(MANY);
    assert_true(pool->warm_count > pool->warm_least);
    for (int i = 0; i < 100 * MANY && pool->warm_max > pool->warm_least; i++)
        get_and_put(3);
    assert_int_equal(pool->warm_max, pool->warm_least);
    assert_true(pool->warm_count <= pool->warm_least);
}

static void fini_counts_what_is_in_use(void **state)
{
    struct cel__stack *a = get(0), *b = get(1 << 20);

    (void)state;
    assert_int_equal(cel__stacks_fini(&all), 2);
    cel__stack_put(&all, a);
    assert_int_equal(cel__stacks_fini(&all), 1);
    cel__stack_put(&all, b);
    assert_int_equal(cel__stacks_fini(&all), 0);
}

/* --- failures --- */

static void scarce_address_space_gives_smaller_slabs(void **state)
{
    (void)state;
    kernel.fail_at = 1; /* the mapping of sixteen; the one of eight succeeds */
    cel__stack_put(&all, get(0));
    assert_int_equal(all.pools[2].slot_count, 8);
}

/* Each system call fails once, in turn; a get then either fails whole or works whole. */
static void each_failing_call_leaves_the_pool_usable(void **state)
{
    (void)state;
    for (int n = 1; n < 20; n++) {
        struct cel__stack *stack;

        kernel.calls = 0;
        kernel.fail_at = n;
        stack = cel__stack_get(&all, 256 << 10, &owner);
        kernel.fail_at = 0;
        if (stack != NULL) {
            stack->top[-1] = 1;
            cel__stack_put(&all, stack);
        }
        stack = get(256 << 10);
        if (all.guards.kind != CEL__GUARD_CANARY) /* the fallback when mprotect fails */
            check_guard(stack);
        cel__stack_put(&all, stack);
        assert_int_equal(cel__stacks_fini(&all), 0);
        cel__stacks_init(&all);
    }
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

static void get_without_heap_fails_and_unmaps(void **state)
{
    const struct cel_allocator none = {no_alloc, no_realloc, no_free, NULL};

    (void)state;
    cel_set_allocator(&none);
    assert_null(cel__stack_get(&all, 0, &owner));
    cel_set_allocator(NULL);
    assert_int_equal(all.pools[2].slot_count, 0);
    cel__stack_put(&all, get(0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(get_rounds_sizes_up_to_a_power_of_two),
        TEST(put_then_get_returns_the_same),
        TEST(guard_is_there_on_every_size),
        TEST(guard_falls_back_to_protection),
        TEST(guard_that_does_not_hold_is_found_out),
        TEST(guard_falls_back_to_a_canary_with_one_warning),
        TEST(canary_overwritten_aborts_at_put),
        TEST(guard_without_memory_fails_the_get),
        TEST(guarding_finds_the_stack_of_an_address),
        TEST(put_beyond_the_watermark_gives_pages_back),
        TEST(put_in_any_order_keeps_the_books),
        TEST(free_slabs_go_back_to_the_system),
        TEST(put_never_takes_the_pages_of_the_stack_put),
        TEST(pool_of_a_program_that_swings_keeps_what_it_needs),
        TEST(pool_of_a_program_that_calms_down_shrinks),
        TEST(fini_counts_what_is_in_use),
        TEST(scarce_address_space_gives_smaller_slabs),
        TEST(each_failing_call_leaves_the_pool_usable),
        TEST(get_without_heap_fails_and_unmaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
