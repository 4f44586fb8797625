/* SPDX-License-Identifier: MIT */
/* Messages from other threads, and loops that close as soon as they have them. */
#include "loop/wake.h"

#include <pthread.h>
#include <sched.h>

#include "loop/world.h"

static struct cel_loop *home;
static int is_replaced, has_come, has_woken, was_early; /* atomic */
static pthread_t poster;

static void set(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

static bool is_set(int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST) != 0;
}

static void come(void *arg)
{
    set(&has_come);
}

/* The poster has put its message where the loop's mark was, and loses its processor before it
 * writes the eventfd. A timer wakes the loop, which takes the message in and is done. */
static ssize_t write_late(int fd, const void *buf, size_t n)
{
    struct cel__sys kernel;
    ssize_t r;

    cel__sys_kernel(&kernel);
    if (!is_replaced || !pthread_equal(pthread_self(), poster))
        return kernel.write(fd, buf, n);
    while (!is_set(&has_come))
        (void)sched_yield();
    for (int i = 0; i < 1000; i++)
        (void)sched_yield(); /* the loop could be gone by now */
    r = kernel.write(fd, buf, n);
    set(&has_woken);
    return r;
}

static int close_noting(int fd)
{
    struct cel__sys kernel;

    cel__sys_kernel(&kernel);
    if (is_replaced && !is_set(&has_woken))
        set(&was_early);
    return kernel.close(fd);
}

static void *post_once(void *arg)
{
    while (!cel__inbox_is_asleep(&home->inbox))
        (void)sched_yield();
    assert_int_equal(cel_loop_call(home, come, NULL), 0);
    return NULL;
}

static void tick(struct cel_timer *timer, void *arg)
{
}

static void turn_until_it_has_come(void)
{
    struct cel_timer timer;

    cel_timer_init(&timer, tick, NULL);
    cel_loop_hold(home);
    while (!is_set(&has_come)) {
        cel_timer_start(home, &timer, CEL_MILLISECOND);
        assert_true(cel_loop_turn(home, CEL_FOREVER) >= 0);
    }
    cel_timer_stop(home, &timer);
    cel_loop_release(home);
}

static void loop_that_closes_waits_for_who_is_about_to_wake_it(void **state)
{
    WORLD(w);
    home = w->loop;
    w->loop = NULL;
    has_come = has_woken = was_early = 0;
    cel__sys.write = write_late;
    cel__sys.close = close_noting;
    is_replaced = 1;
    assert_int_equal(pthread_create(&poster, NULL, post_once, NULL), 0);
    turn_until_it_has_come();
    assert_int_equal(cel_loop_close(home), 0);
    assert_int_equal(pthread_join(poster, NULL), 0);
    is_replaced = 0;
    assert_true(is_set(&has_woken));
    assert_false(is_set(&was_early));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(loop_that_closes_waits_for_who_is_about_to_wake_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
