/* SPDX-License-Identifier: MIT */
/* The wheel against a sorted list, and timers on a loop. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/rand.h"
#include "loop/timer.h"
#include "loop/world.h"
#include "support/fault.h"

#define MANY 100000

struct shot {
    struct cel__timer timer;
    int64_t deadline;
    int order; /* of arming */
    int64_t fired_at;
    struct cel__wheel *wheel;
    bool is_cancelled;
};

static struct shot shots[MANY];
static const struct shot *fired[MANY];
static int fired_count;
static int64_t clock_now;

static void fire(struct cel__timer *timer)
{
    struct shot *s = cel__container_of(timer, struct shot, timer);

    s->fired_at = clock_now;
    fired[fired_count++] = s;
}

static int by_deadline(const void *a, const void *b)
{
    const struct shot *x = *(const struct shot *const *)a, *y = *(const struct shot *const *)b;

    if (x->deadline != y->deadline)
        return x->deadline < y->deadline ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void arm(struct cel__wheel *w, struct shot *s, int64_t deadline, int order)
{
    *s = (struct shot){.deadline = deadline, .order = order};
    cel__timer_init(&s->timer, fire);
    cel__timer_arm(w, &s->timer, deadline);
}

/* Goes from event to event, as a loop does. */
static void run_dry(struct cel__wheel *w)
{
    while (w->armed > 0) {
        int64_t next = cel__wheel_next(w);

        assert_true(next < INT64_MAX);
        if (next > clock_now)
            clock_now = next;
        cel__wheel_fire(w, clock_now, 1024);
    }
    assert_true(cel__wheel_next(w) == INT64_MAX);
}

static uint64_t seed = 88172645463325252;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Spans from nanoseconds to centuries, so that every level of the wheel is used. */
static int64_t any_delay(void)
{
    unsigned bits = (unsigned)(draw() % 62);

    return (int64_t)(draw() & ((UINT64_C(1) << bits) - 1));
}

static void check_against_sorted(int armed)
{
    static const struct shot *expected[MANY];
    int n = 0;

    for (int i = 0; i < armed; i++)
        if (!shots[i].is_cancelled)
            expected[n++] = &shots[i];
    qsort(expected, (size_t)n, sizeof expected[0], by_deadline);
    assert_int_equal(fired_count, n);
    for (int i = 0; i < n; i++) {
        assert_ptr_equal(fired[i], expected[i]);
        assert_true(fired[i]->fired_at >= fired[i]->deadline);
    }
}

static void wheel_fires_in_the_order_of_deadlines(void **state)
{
    static struct cel__wheel w;

    clock_now = 1234567890123;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < MANY; i++)
        arm(&w, &shots[i], clock_now + any_delay() % (INT64_MAX / 2), i);
    run_dry(&w);
    check_against_sorted(MANY);
    cel__wheel_fini(&w);
}

static void wheel_of_equal_deadlines_keeps_the_order_of_arming(void **state)
{
    static struct cel__wheel w;

    clock_now = 5;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < MANY; i++)
        arm(&w, &shots[i], 1000000000 + (int64_t)(draw() % 3), i);
    run_dry(&w);
    check_against_sorted(MANY);
    cel__wheel_fini(&w);
}

static void wheel_with_cancels_fires_only_the_rest(void **state)
{
    static struct cel__wheel w;
    int armed = 20000;

    clock_now = 99;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < armed; i++) {
        int victim = (int)(draw() % (uint64_t)(i + 1));

        arm(&w, &shots[i], clock_now + any_delay() % (1000 * CEL_SECOND), i);
        if (draw() % 2 && !shots[victim].is_cancelled) {
            cel__timer_cancel(&w, &shots[victim].timer);
            shots[victim].is_cancelled = true;
        }
    }
    run_dry(&w);
    check_against_sorted(armed);
    cel__wheel_fini(&w);
}

static void wheel_asked_early_fires_nothing(void **state)
{
    static struct cel__wheel w;

    clock_now = 0;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < 1000; i++)
        arm(&w, &shots[i], 1 + any_delay() % CEL_SECOND, i);
    while (w.armed > 0) {
        int64_t next = cel__wheel_next(&w);
        int before = fired_count;

        if (next - 1 > clock_now)
            clock_now = next - 1;
        cel__wheel_fire(&w, clock_now, 1024);
        assert_int_equal(fired_count, before);
        clock_now = next;
        cel__wheel_fire(&w, clock_now, 1024);
    }
    check_against_sorted(1000);
    cel__wheel_fini(&w);
}

static void wheel_holds_the_far_future_and_the_past(void **state)
{
    static const int64_t deadlines[] = {INT64_MIN, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    static struct cel__wheel w;

    clock_now = 1000 * CEL_SECOND;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < 6; i++)
        arm(&w, &shots[i], deadlines[i], i);
    cel__wheel_fire(&w, clock_now, 1024);
    assert_int_equal(fired_count, 4);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(fired[i], &shots[i]);
    clock_now = INT64_MAX - 2;
    cel__wheel_fire(&w, clock_now, 1024);
    assert_int_equal(fired_count, 4);
    cel__timer_cancel(&w, &shots[4].timer);
    cel__timer_cancel(&w, &shots[5].timer);
    assert_int_equal(w.armed, 0);
    cel__wheel_fini(&w);
}

static void wheel_fires_no_more_than_it_is_told(void **state)
{
    static struct cel__wheel w;

    clock_now = 0;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < 100; i++)
        arm(&w, &shots[i], 50, i);
    clock_now = CEL_SECOND;
    assert_int_equal(cel__wheel_fire(&w, clock_now, 30), 30);
    assert_int_equal(cel__wheel_next(&w), 0);
    assert_int_equal(cel__wheel_fire(&w, clock_now, 30), 30);
    run_dry(&w);
    check_against_sorted(100);
    cel__wheel_fini(&w);
}

/* Arms half of the timers while there is memory, then the rest, some of both of which are
 * cancelled, and all of it while memory is out. */
static void run_out_of_memory(struct cel__wheel *w, size_t first_failure, int64_t span)
{
    int armed = 3000;

    clock_now = 7 * CEL_SECOND;
    fired_count = 0;
    cel__wheel_init(w, clock_now);
    fault_alloc_begin();
    fault_alloc_arm(first_failure, FAULT_FOREVER);
    for (int i = 0; i < armed; i++)
        arm(w, &shots[i], clock_now + 1 + (int64_t)i * 7919 % armed * span, i);
    for (int i = 0; i < armed; i += 7) {
        cel__timer_cancel(w, &shots[i].timer);
        shots[i].is_cancelled = true;
    }
    fault_alloc_arm(1, FAULT_FOREVER);
    run_dry(w);
    check_against_sorted(armed);
    cel__wheel_fini(w);
    fault_alloc_end();
}

static void wheel_without_memory_keeps_the_order(void **state)
{
    static struct cel__wheel w;

    for (size_t first = 1; first < 6; first++) {
        run_out_of_memory(&w, first, 1);
        run_out_of_memory(&w, first, 12345);
        run_out_of_memory(&w, first, CEL_SECOND);
    }
    run_out_of_memory(&w, 1000, 1); /* a crowd in one tick, and no memory to sort it */
}

static void wheel_that_drained_asks_for_no_more_memory(void **state)
{
    static struct cel__wheel w;

    clock_now = 0;
    cel__wheel_init(&w, clock_now);
    fault_alloc_begin();
    for (int round = 0; round < 20; round++) {
        if (round == 2)
            fault_alloc_arm(1, FAULT_FOREVER);
        fired_count = 0;
        for (int i = 0; i < 1000; i++)
            arm(&w, &shots[i], clock_now + (int64_t)(draw() % CEL_SECOND), i);
        run_dry(&w);
        check_against_sorted(1000);
    }
    cel__wheel_fini(&w);
    assert_int_equal(fault_alloc_hits(), 0);
    fault_alloc_end();
}

static struct shot *quarry;

static void fire_and_cancel(struct cel__timer *timer)
{
    fire(timer);
    if (quarry != NULL) {
        cel__timer_cancel(quarry->wheel, &quarry->timer);
        quarry->is_cancelled = true;
        quarry = NULL;
    }
}

static void wheel_timer_due_and_cancelled_by_another_does_not_fire(void **state)
{
    static struct cel__wheel w;

    clock_now = 0;
    fired_count = 0;
    cel__wheel_init(&w, clock_now);
    for (int i = 0; i < 5; i++)
        arm(&w, &shots[i], 100 + i, i);
    shots[0].timer.fire = fire_and_cancel;
    quarry = &shots[3];
    quarry->wheel = &w;
    clock_now = CEL_SECOND;
    assert_int_equal(cel__wheel_fire(&w, clock_now, 1024), 4);
    assert_false(cel__timer_is_armed(&shots[3].timer));
    check_against_sorted(5);
    cel__wheel_fini(&w);
}

static void note_timer(struct cel_timer *timer, void *arg)
{
    note(arg, cel_now());
}

static void timer_on_a_loop_never_comes_early(void **state)
{
    WORLD(w);
    struct outcome done = {0};
    struct cel_timer timer;
    int64_t start = cel_now();

    cel_timer_init(&timer, note_timer, &done);
    cel_timer_start(w->loop, &timer, 3 * CEL_MILLISECOND + 321);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(done.calls, 1);
    assert_true(done.result >= start + 3 * CEL_MILLISECOND + 321);
}

static void timer_stopped_or_moved_fires_once_at_most(void **state)
{
    WORLD(w);
    struct outcome one = {0}, two = {0};
    struct cel_timer a, b;

    cel_timer_init(&a, note_timer, &one);
    cel_timer_init(&b, note_timer, &two);
    cel_timer_start(w->loop, &a, CEL_MILLISECOND);
    cel_timer_start(w->loop, &a, 2 * CEL_MILLISECOND);
    cel_timer_start(w->loop, &b, CEL_MILLISECOND);
    cel_timer_stop(w->loop, &b);
    cel_timer_stop(w->loop, &b);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(one.calls, 1);
    assert_int_equal(two.calls, 0);
}

static void fire_again(struct cel_timer *timer, void *arg)
{
    int *left = arg;

    if (--*left > 0)
        cel_timer_start(cel_loop_current(), timer, 100 * CEL_MICROSECOND);
}

static void timer_that_starts_itself_goes_on(void **state)
{
    WORLD(w);
    struct cel_timer timer;
    int left = 20;

    cel_timer_init(&timer, fire_again, &left);
    cel_timer_start(w->loop, &timer, 0);
    assert_int_equal(cel_loop_run(w->loop), 0);
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_fires_in_the_order_of_deadlines),
        cmocka_unit_test(wheel_of_equal_deadlines_keeps_the_order_of_arming),
        cmocka_unit_test(wheel_with_cancels_fires_only_the_rest),
        cmocka_unit_test(wheel_asked_early_fires_nothing),
        cmocka_unit_test(wheel_holds_the_far_future_and_the_past),
        cmocka_unit_test(wheel_fires_no_more_than_it_is_told),
        cmocka_unit_test(wheel_without_memory_keeps_the_order),
        cmocka_unit_test(wheel_that_drained_asks_for_no_more_memory),
        cmocka_unit_test(wheel_timer_due_and_cancelled_by_another_does_not_fire),
        ON_EACH(timer_on_a_loop_never_comes_early),
        ON_EACH(timer_stopped_or_moved_fires_once_at_most),
        ON_EACH(timer_that_starts_itself_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
