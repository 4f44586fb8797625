/* SPDX-License-Identifier: MIT */
/* The switch as a jump: it mixes with the other ways to go to a fiber, and keeps what they keep. */
#include "support/check.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/cc.h"
#include "fiber/frames.h"
#include "fiber/hop.h"
#include "fiber/sched.h"

#if defined(CEL__FIBER_HOPS) != CEL__HOPS
#error "the header and the library disagree"
#endif

#define FIBERS 5
#define STEPS  200000

static struct cel_fiber *fibers[FIBERS + 1];
static uint32_t seed;
static void *expected;
static int expected_code;
static long steps;

static uint32_t dice(void)
{
    seed = seed * 1103515245u + 12345;
    return seed >> 16;
}

static void *go(int self, int to)
{
    expected = (void *)(uintptr_t)(dice() + 1);
    expected_code = 0;
    switch (to != self ? dice() % 8 : 7) {
    case 0:
        expected_code = -1 - (int)(dice() % 100);
        return cel_fiber_throw(fibers[to], expected_code);
    case 1:
        return (cel_fiber_switch)(fibers[to], expected);
    default:
        return cel_fiber_switch(fibers[to], expected);
    }
}

/* Anywhere, in any way; what comes back is what the last one to go sent. */
static CEL__NOINLINE void step(int self)
{
    long a = dice(), b = dice(), c = dice(), d = dice(), e = dice();
    double x = (double)a * 1.5;
    long double y = (long double)b / 3;
    void *got = go(self, (int)(dice() % (FIBERS + 1)));

    assert_ptr_equal(cel_fiber_current(), fibers[self]);
    assert_int_equal(cel_fiber_thrown(), expected_code);
    assert_ptr_equal(got, expected_code == 0 ? expected : NULL);
    assert_true(x == (double)a * 1.5 && y == (long double)b / 3);
    assert_true(a >= 0 && c >= 0 && d >= 0 && e >= 0);
    steps++;
}

static void *wander(void *arg)
{
    int self = (int)(intptr_t)arg;

    cel_fiber_switch(fibers[0], NULL);
    while (steps < STEPS)
        step(self);
    while (cel_fiber_thrown() != CEL_FIBER_EXIT) {
        expected_code = 0;
        cel_fiber_switch(fibers[0], expected);
    }
    return NULL;
}

static void hop_mixes_with_calls_and_throws(void **state)
{
    (void)state;
    seed = 1;
    steps = 0;
    fibers[0] = cel_fiber_current();
    for (int i = 1; i <= FIBERS; i++) {
        fibers[i] = cel_fiber_new(wander, (void *)(intptr_t)i);
        assert_non_null(fibers[i]);
        cel_fiber_switch(fibers[i], NULL);
    }
    while (steps < STEPS)
        step(0);
    for (int i = 1; i <= FIBERS; i++) {
        expected_code = CEL_FIBER_EXIT;
        assert_int_equal(cel_fiber_free(fibers[i]), 1);
    }
}

/* --- what is left alone --- */

static struct cel_fiber *main_fiber;

static void *echo(void *arg)
{
    (void)arg;
    while (cel_fiber_thrown() != CEL_FIBER_EXIT)
        cel_fiber_switch(main_fiber, NULL);
    return NULL;
}

/* Calls nothing that its compiler knows of, so its locals may lie below its stack pointer. */
static CEL__NOINLINE long leaf(struct cel_fiber *f, long n)
{
    volatile long room[12];
    long sum = 0;

    for (int i = 0; i < 12; i++)
        room[i] = n + i;
    cel_fiber_switch(f, NULL);
    for (int i = 0; i < 12; i++)
        sum += room[i] - n;
    return sum;
}

static void *leaf_entry(void *arg)
{
    return (void *)leaf(main_fiber, (long)(intptr_t)arg);
}

static void hop_leaves_the_red_zone_alone(void **state)
{
    struct cel_fiber *f;

    (void)state;
    main_fiber = cel_fiber_current();
    f = cel_fiber_new(echo, NULL);
    assert_int_equal(leaf(f, 1000), 66);
    assert_int_equal(leaf(f, 1000), 66);
    assert_int_equal(cel_fiber_free(f), 1);

    f = cel_fiber_new(leaf_entry, (void *)5); /* what a hop suspended, a throw resumes */
    cel_fiber_switch(f, NULL);
    assert_ptr_equal(cel_fiber_throw(f, -7), (void *)66);
    assert_int_equal(cel_fiber_free(f), 0);
}

#if defined(__x86_64__)
static uint32_t control(void)
{
    uint32_t mxcsr;
    uint16_t x87;

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    return (mxcsr >> 13 & 3) << 2 | (x87 >> 10 & 3);
}

static void set_control(uint32_t mode)
{
    uint32_t mxcsr = 0x1f80 | (mode >> 2) << 13;
    uint16_t x87 = (uint16_t)(0x37f | (mode & 3) << 10);

    __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(mxcsr), "m"(x87));
}

static void *rounds(void *arg)
{
    (void)arg;
    for (uint32_t mode = 1; cel_fiber_thrown() != CEL_FIBER_EXIT; mode = (mode + 5) % 16) {
        set_control(mode);
        cel_fiber_switch(main_fiber, NULL);
        if (control() != mode)
            return (void *)1;
    }
    return NULL;
}

static void hop_keeps_each_fibers_rounding(void **state)
{
    struct cel_fiber *f;

    (void)state;
    main_fiber = cel_fiber_current();
    f = cel_fiber_new(rounds, NULL);
    for (uint32_t i = 0; i < 40; i++) {
        set_control(i * 3 % 16);
        assert_null(cel_fiber_switch(f, NULL));
        assert_int_equal(control(), i * 3 % 16);
    }
    set_control(0);
    assert_int_equal(cel_fiber_free(f), 1);
    assert_int_equal(control(), 0);
}
#endif

/* --- where it begins --- */

static void *gives_back(void *arg)
{
    struct cel_fiber *to = arg;
    void *value = cel_fiber_value();

    while (cel_fiber_thrown() != CEL_FIBER_EXIT)
        value = cel_fiber_switch(to, value);
    return NULL;
}

static void *first_of_a_thread(void *other)
{
    void *got = cel_fiber_switch(other, NULL); /* before this thread has anything of fibers */

    return got == NULL && cel_fiber_thrown() == -CEL_ETHREAD ? other : NULL;
}

static void hop_on_a_new_thread_is_refused_a_strange_fiber(void **state)
{
    struct cel_fiber *f = cel_fiber_new(gives_back, cel_fiber_current());
    pthread_t thread;
    void *result;

    (void)state;
    assert_ptr_equal(cel_fiber_switch(f, f), f);
    assert_ptr_equal(cel_fiber_switch(f, state), state); /* from here on suspended by a hop */
    assert_int_equal(pthread_create(&thread, NULL, first_of_a_thread, f), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, f);
    assert_ptr_equal(cel_fiber_switch(f, &f), &f);
    assert_int_equal(cel_fiber_free(f), 1);
}

static struct cel__sched sched;
static struct cel_fiber tasks[2];
static struct cel_fiber *inner[2];

static void *parks_below(void *arg)
{
    struct cel_fiber *task = arg;

    for (long i = 0; i < 3; i++) {
        cel__sched_yield(&sched);
        assert_ptr_equal(cel_fiber_switch(task, (void *)i), &sched);
    }
    return NULL;
}

static void has_a_greenlet(struct cel_fiber *self)
{
    struct cel_fiber **f = &inner[self - tasks];

    *f = cel_fiber_new(parks_below, self);
    for (long i = 0; i < 3; i++)
        assert_ptr_equal(cel_fiber_switch(*f, &sched), (void *)i);
    assert_null(cel_fiber_switch(*f, &sched));
    assert_int_equal(cel_fiber_free(*f), 0);
}

static void hop_into_a_task_of_another_is_refused_and_into_its_own_works(void **state)
{
    (void)state;
    cel__sched_init(&sched);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel__fiber_init(&tasks[i], 0, has_a_greenlet), 0);
        cel__sched_ready(&sched, &tasks[i]);
    }
    assert_true(cel__sched_run(&sched, 1));
    assert_null(cel_fiber_switch(&tasks[0], NULL)); /* parked in its greenlet */
    assert_int_equal(cel_fiber_thrown(), -EBUSY);
    while (cel__sched_run(&sched, 1))
        continue;
    assert_true(tasks[0].is_done && tasks[1].is_done);
    cel__sched_fini(&sched);
}

static void hop_is_seen_by_who_walks_the_frames(void **state)
{
    struct cel_fiber *f;
    uintptr_t frames[8];

    (void)state;
    main_fiber = cel_fiber_current();
    f = cel_fiber_new(echo, NULL);
    cel_fiber_switch(f, NULL);
    cel_fiber_switch(f, NULL);
    assert_int_equal(f->hop_on != 0, CEL__HOPS);
    assert_true(cel__frames_parked(f, frames, 8) >= 2);
    if (CEL__HOPS)
        assert_true(frames[0] - (uintptr_t)echo < 512);
    assert_int_equal(cel_fiber_free(f), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hop_mixes_with_calls_and_throws),
        cmocka_unit_test(hop_leaves_the_red_zone_alone),
#if defined(__x86_64__)
        cmocka_unit_test(hop_keeps_each_fibers_rounding),
#endif
        cmocka_unit_test(hop_on_a_new_thread_is_refused_a_strange_fiber),
        cmocka_unit_test(hop_into_a_task_of_another_is_refused_and_into_its_own_works),
        cmocka_unit_test(hop_is_seen_by_who_walks_the_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
