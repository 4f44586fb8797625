/* SPDX-License-Identifier: MIT */
/* When a loop looks for messages before it sleeps, and how often it asks the kernel meanwhile. */
#include "loop/linger.h"

#include "loop/world.h"

#define SPIN CEL_SECOND

static int64_t frozen; /* what the clock says */
static int asked;      /* how often epoll was */

static int frozen_clock(clockid_t id, struct timespec *ts)
{
    *ts = (struct timespec){frozen / CEL_SECOND, frozen % CEL_SECOND};
    return 0;
}

static int count_asked(int ep, struct epoll_event *events, int max, const struct timespec *limit,
                       const sigset_t *mask)
{
    struct cel__sys kernel;

    cel__sys_kernel(&kernel);
    asked++;
    return kernel.epoll_pwait2(ep, events, max, limit, mask);
}

static void nothing(void *arg)
{
}

static void post(struct world *w)
{
    assert_int_equal(cel_loop_call(w->loop, nothing, NULL), 0);
}

/* Looks once, in vain, without it taking any time. */
static void miss(struct world *w)
{
    w->loop->options.spin = 1;
    assert_true(cel__linger_wants(w->loop));
    assert_int_equal(cel__linger(w->loop, CEL_FOREVER), 0);
    w->loop->options.spin = SPIN;
}

/* -> how many sleeps go by before one is looked before. */
static int sleeps_without(struct world *w)
{
    int n = 0;

    while (!cel__linger_wants(w->loop) && n < 1000)
        n++;
    return n;
}

static void loop_that_was_not_asked_to_never_looks(void **state)
{
    WORLD(w);
    assert_false(cel__linger_wants(w->loop));
}

static void looking_in_vain_becomes_rare(void **state)
{
    WORLD(w);
    static const int without[] = {1, 3, 7, 15, 31, 63, 63, 63};

    for (size_t i = 0; i < cel__countof(without); i++) {
        miss(w);
        assert_int_equal(sleeps_without(w), without[i]);
    }
}

static void message_found_makes_it_look_each_time(void **state)
{
    WORLD(w);
    miss(w);
    sleeps_without(w);
    miss(w);
    sleeps_without(w);
    post(w);
    assert_int_equal(cel__linger(w->loop, CEL_FOREVER), 0);
    assert_int_equal(sleeps_without(w), 0);
    assert_true(cel_loop_turn(w->loop, 0) >= 0);
}

static void sleep_cut_short_by_a_message_makes_it_look_again(void **state)
{
    WORLD(w);
    miss(w);
    post(w);
    cel__linger_slept(w->loop, cel_now() - 2 * SPIN); /* looking would not have found it */
    assert_int_equal(sleeps_without(w), 1);
    miss(w);
    cel__linger_slept(w->loop, cel_now());
    assert_int_equal(sleeps_without(w), 0);
    assert_true(cel_loop_turn(w->loop, 0) >= 0);
    miss(w);
    cel__linger_slept(w->loop, cel_now()); /* something else ended this one */
    assert_int_equal(sleeps_without(w), 1);
}

static void looking_ends_with_the_next_timer_and_counts_for_nothing(void **state)
{
    WORLD(w);
    w->loop->options.spin = 1000 * SPIN;
    assert_int_equal(cel__linger(w->loop, w->loop->now), 0);
    assert_int_equal(sleeps_without(w), 0);
}

static void looking_takes_in_what_the_kernel_has(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    struct cel_handle *handle;
    int fds[2];
    char byte;

    make_pair(fds);
    assert_int_equal(cel_handle_open(w->loop, &handle, fds[0], true), 0);
    assert_int_equal(cel_op_read(handle, &byte, 1, note, &o, NULL), 0);
    assert_true(cel_loop_turn(w->loop, 0) >= 0); /* it waits now */
    assert_int_equal(write(fds[1], "x", 1), 1);
    w->loop->options.spin = SPIN;
    assert_int_equal(cel__linger(w->loop, CEL_FOREVER), 0);
    assert_int_equal(sleeps_without(w), 0); /* it was not in vain */
    assert_int_equal(await(w, &o), 1);
    cel_handle_close(handle);
    settle(w);
    close(fds[1]);
}

static void post_again(void *arg)
{
    if (*(int *)arg > 0)
        assert_int_equal(cel_loop_call(cel_loop_current(), post_again, arg), 0);
    --*(int *)arg;
}

/* Each turn finds a message, and makes the next. */
static void turn_busily(struct world *w, int turns)
{
    int left = turns;

    post_again(&left);
    while (left >= 0)
        assert_true(cel_loop_turn(w->loop, CEL_FOREVER) >= 0);
}

static void busy_loop_asks_the_kernel_now_and_then(void **state)
{
    WORLD(w);
    struct outcome o = {0};
    struct cel_handle *handle;
    int fds[2];
    char byte;

    make_pair(fds);
    assert_int_equal(cel_handle_open(w->loop, &handle, fds[0], true), 0);
    assert_int_equal(cel_op_read(handle, &byte, 1, note, &o, NULL), 0);
    assert_true(cel_loop_turn(w->loop, 0) >= 0);
    frozen = cel_now();
    cel__sys.clock_gettime = frozen_clock;
    cel__sys.epoll_pwait2 = count_asked;
    asked = 0;
    assert_int_equal(write(fds[1], "x", 1), 1);
    turn_busily(w, 1000);
    assert_true(asked <= 1); /* io_uring has its own ways to know, which cost nothing */
    frozen += CEL_MILLISECOND;
    turn_busily(w, 3);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.result, 1);
    cel__sys_reset();
    cel_handle_close(handle);
    settle(w);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(loop_that_was_not_asked_to_never_looks),
        ON_EACH(looking_in_vain_becomes_rare),
        ON_EACH(message_found_makes_it_look_each_time),
        ON_EACH(sleep_cut_short_by_a_message_makes_it_look_again),
        ON_EACH(looking_ends_with_the_next_timer_and_counts_for_nothing),
        ON_EACH(looking_takes_in_what_the_kernel_has),
        ON_EACH(busy_loop_asks_the_kernel_now_and_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
