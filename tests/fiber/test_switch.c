/* SPDX-License-Identifier: MIT */
/* What a change of stacks keeps and what it does not mix. */
#include "support/check.h"

#include <string.h>

#include "fiber/sched.h"
#include "fiber/stack.h"

static struct cel__sched sched;

enum rounding { NEAREST, DOWNWARD, UPWARD };

/* fenv.h would need the library of mathematics. */
#if defined(__x86_64__)
static void set_rounding(enum rounding mode)
{
    uint32_t mxcsr = 0x1f80 | (uint32_t)mode << 13;
    uint16_t x87 = (uint16_t)(0x37f | mode << 10);

    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

static enum rounding get_rounding(void)
{
    uint32_t mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    assert_int_equal(mxcsr >> 13 & 3, x87 >> 10 & 3);
    return mxcsr >> 13 & 3;
}
#elif defined(__aarch64__)
static void set_rounding(enum rounding mode)
{
    static const uint64_t bits[] = {[NEAREST] = 0, [UPWARD] = 1, [DOWNWARD] = 2};

    __asm__ volatile("msr fpcr, %0" : : "r"(bits[mode] << 22));
}

static enum rounding get_rounding(void)
{
    static const enum rounding modes[] = {NEAREST, UPWARD, DOWNWARD, NEAREST};
    uint64_t fpcr;

    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return modes[fpcr >> 22 & 3];
}
#endif

static int setup(void **state)
{
    (void)state;
    cel__sched_init(&sched);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cel__sched_fini(&sched);
    set_rounding(NEAREST);
    return 0;
}

static void start(struct cel_fiber *f, void (*entry)(struct cel_fiber *))
{
    assert_int_equal(cel__fiber_init(f, 0, entry), 0);
    cel__sched_ready(&sched, f);
}

/* A quotient that is rounded downwards to the nearest in both formats. */
static __attribute__((noinline)) double seventh(void)
{
    volatile double one = 1, seven = 7;

    return one / seven;
}

static __attribute__((noinline)) long double long_seventh(void)
{
    volatile long double one = 1, seven = 7;

    return one / seven;
}

static void rounds_up(struct cel_fiber *f)
{
    double near = seventh();
    long double long_near = long_seventh();

    (void)f;
    assert_int_equal(get_rounding(), NEAREST);
    set_rounding(UPWARD);
    assert_true(seventh() > near && long_seventh() > long_near);
    for (int i = 0; i < 3; i++) {
        cel__sched_yield(&sched);
        assert_int_equal(get_rounding(), UPWARD);
        assert_true(seventh() > near && long_seventh() > long_near);
    }
}

static void rounds_to_nearest(struct cel_fiber *f)
{
    double near = seventh();
    long double long_near = long_seventh();

    (void)f;
    for (int i = 0; i < 3; i++) {
        cel__sched_yield(&sched);
        assert_int_equal(get_rounding(), NEAREST);
        assert_true(seventh() == near && long_seventh() == long_near);
    }
}

/* Valgrind computes in its own way. */
static void skip_under_valgrind(void)
{
#if CEL__VALGRIND
    if (RUNNING_ON_VALGRIND)
        skip();
#endif
}

static void rounding_mode_belongs_to_one_fiber(void **state)
{
    struct cel_fiber up, near;

    (void)state;
    skip_under_valgrind();
    start(&up, rounds_up);
    start(&near, rounds_to_nearest);
    while (cel__sched_run(&sched, 1))
        assert_int_equal(get_rounding(), NEAREST);
    assert_int_equal(get_rounding(), NEAREST);
}

static void notes_mode(struct cel_fiber *f)
{
    f->line = (int)get_rounding();
}

static void rounding_mode_is_inherited_from_the_maker(void **state)
{
    struct cel_fiber f;

    (void)state;
    set_rounding(DOWNWARD);
    start(&f, notes_mode);
    set_rounding(NEAREST);
    assert_false(cel__sched_run(&sched, 10));
    assert_int_equal(f.line, DOWNWARD);
    assert_int_equal(get_rounding(), NEAREST);
}

/* More values in use over the switch than there are registers, of both kinds. */
static uint64_t churn(uint64_t seed, bool does_yield)
{
    uint64_t a = seed, b = a * 3, c = a * 5, d = a * 7, e = a * 11, g = a * 13;
    double p = (double)a, q = p * 2, r = p * 3, s = p * 5, t = p * 7;

    for (int i = 0; i < 30; i++) {
        a += 1, b += a, c ^= b, d += c, e ^= d, g += e;
        p += 1, q += p, r += q, s += r, t += s;
        if (does_yield)
            cel__sched_yield(&sched);
    }
    return (a ^ b ^ c ^ d ^ e ^ g) + (uint64_t)(p + q + r + s + t);
}

struct churner {
    struct cel_fiber fiber;
    uint64_t seed;
    uint64_t result;
};

static void churns(struct cel_fiber *f)
{
    struct churner *c = cel__container_of(f, struct churner, fiber);

    c->result = churn(c->seed, true);
}

static void churns_elsewhere(struct cel_fiber *f)
{
    struct churner *c = cel__container_of(f, struct churner, fiber);

    cel__sched_yield(&sched);
    c->result = churn(c->seed, true) + 1;
}

static void registers_belong_to_one_fiber(void **state)
{
    struct churner churners[6];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        churners[i].seed = i * 1000003;
        start(&churners[i].fiber, i % 3 == 2 ? churns_elsewhere : churns);
    }
    while (cel__sched_run(&sched, 5))
        ;
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(churners[i].result, churn(churners[i].seed, false) + (i % 3 == 2));
}

/* The same and different places to go on at, and returns below the switch: the paths of the swap.
 */
static int depth_sum(int depth)
{
    volatile int here = depth;

    if (depth == 0)
        return 0;
    if (depth % 2 == 0)
        cel__sched_yield(&sched);
    return depth_sum(depth - 1) + here;
}

static void recurses(struct cel_fiber *f)
{
    for (int depth = 1; depth < 40; depth++)
        assert_int_equal(depth_sum(depth + f->line), (depth + f->line) * (depth + f->line + 1) / 2);
}

static void returns_after_switches_find_their_callers(void **state)
{
    struct cel_fiber fibers[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        start(&fibers[i], recurses);
        fibers[i].line = i;
    }
    while (cel__sched_run(&sched, 100))
        ;
}

static void notes_alignment(struct cel_fiber *f)
{
    _Alignas(16) volatile char local[16];

    f->line = (int)((uintptr_t)__builtin_frame_address(0) % 16 + (uintptr_t)local % 16);
}

static void stack_is_aligned_for_calls(void **state)
{
    struct cel_fiber f;

    (void)state;
    for (int i = 0; i < 20; i++) {
        start(&f, notes_alignment);
        assert_false(cel__sched_run(&sched, 1));
        assert_int_equal(f.line, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(rounding_mode_belongs_to_one_fiber), TEST(rounding_mode_is_inherited_from_the_maker),
        TEST(registers_belong_to_one_fiber),      TEST(returns_after_switches_find_their_callers),
        TEST(stack_is_aligned_for_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
