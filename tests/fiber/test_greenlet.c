/* SPDX-License-Identifier: MIT */
/* The rules of greenlets, one test each. */
#include "support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "celadon/fiber.h"

static char trace[256];

static void note(const char *what)
{
    size_t len = strlen(trace);

    assert_true(len + strlen(what) < sizeof trace);
    memcpy(trace + len, what, strlen(what) + 1);
}

static int setup(void **state)
{
    (void)state;
    trace[0] = '\0';
    return 0;
}

static void *ptr(intptr_t n)
{
    return (void *)n;
}

static intptr_t num(void *p)
{
    return (intptr_t)p;
}

/* --- bodies --- */

static void *returns_arg(void *arg)
{
    note("r");
    return arg;
}

/* Answers each value with its double until 0 comes. */
static void *doubles(void *arg)
{
    intptr_t n = num(cel_fiber_value());

    (void)arg;
    while (n != 0)
        n = num(cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), ptr(2 * n)));
    return ptr(-1);
}

/* Suspends itself into its parent once, then returns how that ended. */
static void *suspends(void *arg)
{
    note("s");
    cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), arg);
    note("e");
    return ptr(cel_fiber_thrown());
}

/* Suspends, then passes on what is thrown in, as a Python function does that has no handler. */
static void *propagates(void *arg)
{
    cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), arg);
    note("p");
    return cel_fiber_raise(cel_fiber_thrown());
}

static void *raises(void *arg)
{
    note("!");
    return cel_fiber_raise((int)num(arg));
}

static void *switches_to(void *arg)
{
    note("(");
    arg = cel_fiber_switch(arg, ptr(5));
    note(")");
    return arg;
}

/* --- switch --- */

static void switch_first_starts_fn_with_its_arg(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, ptr(7));

    (void)state;
    assert_string_equal(trace, "");
    assert_int_equal(num(cel_fiber_switch(f, ptr(1))), 7);
    assert_string_equal(trace, "r");
    assert_true(cel_fiber_is_dead(f));
    assert_int_equal(cel_fiber_free(f), 0);
}

static void switch_carries_values_both_ways(void **state)
{
    struct cel_fiber *f = cel_fiber_new(doubles, NULL);

    (void)state;
    for (intptr_t n = 1; n < 100; n++)
        assert_int_equal(num(cel_fiber_switch(f, ptr(n))), 2 * n);
    assert_int_equal(num(cel_fiber_switch(f, NULL)), -1);
    assert_int_equal(cel_fiber_free(f), 0);
}

static void *reads_value(void *arg)
{
    (void)arg;
    return cel_fiber_value();
}

static void value_of_first_switch_is_readable_inside(void **state)
{
    struct cel_fiber *f = cel_fiber_new(reads_value, NULL);

    (void)state;
    assert_null(cel_fiber_value());
    assert_int_equal(num(cel_fiber_switch(f, ptr(11))), 11);
    cel_fiber_free(f);
}

static void switch_to_self_returns_value_at_once(void **state)
{
    (void)state;
    assert_int_equal(num(cel_fiber_switch(cel_fiber_current(), ptr(3))), 3);
    assert_int_equal(cel_fiber_thrown(), 0);
}

static void *switches_to_self(void *arg)
{
    return cel_fiber_switch(cel_fiber_current(), arg);
}

static void switch_to_self_inside_a_fiber_returns_value_at_once(void **state)
{
    struct cel_fiber *f = cel_fiber_new(switches_to_self, ptr(4));

    (void)state;
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 4);
    cel_fiber_free(f);
}

static void switch_to_dead_returns_value_when_the_caller_is_the_parent(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(num(cel_fiber_switch(f, ptr(9))), 9);
    assert_int_equal(cel_fiber_thrown(), 0);
    cel_fiber_free(f);
}

static void switch_to_dead_lands_in_nearest_live_ancestor(void **state)
{
    struct cel_fiber *dead = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *f = cel_fiber_new(switches_to, dead);

    (void)state;
    cel_fiber_switch(dead, NULL);
    trace[0] = '\0';
    /* f's switch to the dead one lands here, in the dead one's parent, and f stays suspended. */
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 5);
    assert_string_equal(trace, "(");
    assert_true(cel_fiber_is_active(f));
    assert_int_equal(num(cel_fiber_switch(f, ptr(6))), 6);
    assert_string_equal(trace, "()");
    cel_fiber_free(f);
    cel_fiber_free(dead);
}

/* --- the tree --- */

static void finish_goes_to_parent(void **state)
{
    struct cel_fiber *parent = cel_fiber_new(suspends, NULL);
    struct cel_fiber *child = cel_fiber_new(returns_arg, ptr(8));

    (void)state;
    cel_fiber_switch(parent, NULL);
    assert_int_equal(cel_fiber_set_parent(child, parent), 0);
    /* child ends into parent, parent ends into us. */
    assert_int_equal(num(cel_fiber_switch(child, NULL)), 0);
    assert_string_equal(trace, "sre");
    assert_true(cel_fiber_is_dead(parent));
    cel_fiber_free(child);
    cel_fiber_free(parent);
}

static void finish_skips_dead_ancestors(void **state)
{
    struct cel_fiber *dead = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *child = cel_fiber_new(returns_arg, ptr(8));

    (void)state;
    assert_int_equal(cel_fiber_set_parent(child, dead), 0);
    cel_fiber_switch(dead, NULL);
    assert_int_equal(num(cel_fiber_switch(child, NULL)), 8);
    assert_ptr_equal(cel_fiber_parent(child), dead);
    cel_fiber_free(child);
    cel_fiber_free(dead);
}

static void finish_starts_an_unstarted_parent(void **state)
{
    struct cel_fiber *parent = cel_fiber_new(reads_value, NULL);
    struct cel_fiber *child = cel_fiber_new(returns_arg, ptr(8));

    (void)state;
    assert_int_equal(cel_fiber_set_parent(child, parent), 0);
    assert_int_equal(num(cel_fiber_switch(child, NULL)), 8);
    assert_true(cel_fiber_is_dead(parent));
    cel_fiber_free(child);
    cel_fiber_free(parent);
}

static void finish_goes_on_when_the_parent_was_freed(void **state)
{
    struct cel_fiber *parent = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *child = cel_fiber_new(suspends, NULL);

    (void)state;
    cel_fiber_switch(child, NULL);
    assert_int_equal(cel_fiber_set_parent(child, parent), 0);
    assert_int_equal(cel_fiber_free(parent), 0);
    assert_ptr_equal(cel_fiber_parent(child), cel_fiber_current());
    cel_fiber_switch(child, NULL);
    assert_true(cel_fiber_is_dead(child));
    cel_fiber_free(child);
}

static void *nests(void *arg)
{
    intptr_t depth = num(arg);
    struct cel_fiber *child;
    intptr_t sum;

    if (depth == 0)
        return ptr(0);
    child = cel_fiber_new(nests, ptr(depth - 1));
    assert_ptr_equal(cel_fiber_parent(child), cel_fiber_current());
    sum = depth + num(cel_fiber_switch(child, NULL));
    assert_int_equal(cel_fiber_free(child), 0);
    return ptr(sum);
}

static void nested_fibers_end_into_each_other(void **state)
{
    (void)state;
    assert_int_equal(num(nests(ptr(50))), 50 * 51 / 2);
}

/* A ring of three, in which each starts the next without going back to its parent. */
static struct cel_fiber *ring[3];

static void *ring_body(void *arg)
{
    intptr_t me = num(arg);

    for (int i = 0; i < 3; i++) {
        note(me == 0 ? "a" : me == 1 ? "b" : "c");
        cel_fiber_switch(ring[(me + 1) % 3], NULL);
    }
    return NULL;
}

static void siblings_switch_without_their_parent(void **state)
{
    (void)state;
    for (intptr_t i = 0; i < 3; i++)
        ring[i] = cel_fiber_new(ring_body, ptr(i));
    cel_fiber_switch(ring[0], NULL);
    /* After three rounds `a` returns to us; the others wait in their third switch. */
    assert_string_equal(trace, "abcabcabc");
    assert_true(cel_fiber_is_dead(ring[0]));
    assert_true(cel_fiber_is_active(ring[1]) && cel_fiber_is_active(ring[2]));
    for (int i = 0; i < 3; i++)
        assert_true(cel_fiber_free(ring[i]) >= 0);
}

static void parent_defaults_to_current(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_ptr_equal(cel_fiber_parent(f), cel_fiber_current());
    assert_null(cel_fiber_parent(cel_fiber_current()));
    cel_fiber_free(f);
}

static void parent_option_is_taken(void **state)
{
    struct cel_fiber *parent = cel_fiber_new(suspends, NULL);
    struct cel_fiber *child;

    (void)state;
    assert_int_equal(cel_fiber_new_with(&child, returns_arg, NULL,
                                        &(struct cel_fiber_options){.parent = parent}),
                     0);
    assert_ptr_equal(cel_fiber_parent(child), parent);
    cel_fiber_free(child);
    cel_fiber_free(parent);
}

static void set_parent_refuses_cycles(void **state)
{
    struct cel_fiber *a = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *b = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_int_equal(cel_fiber_set_parent(b, a), 0);
    assert_int_equal(cel_fiber_set_parent(a, b), -ELOOP);
    assert_int_equal(cel_fiber_set_parent(a, a), -ELOOP);
    assert_ptr_equal(cel_fiber_parent(a), cel_fiber_current());
    cel_fiber_free(a);
    cel_fiber_free(b);
}

static void set_parent_refuses_null_and_main(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_int_equal(cel_fiber_set_parent(f, NULL), -EINVAL);
    assert_int_equal(cel_fiber_set_parent(cel_fiber_current(), f), -EINVAL);
    cel_fiber_free(f);
}

static void set_parent_refuses_the_dead(void **state)
{
    struct cel_fiber *dead = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *other;

    (void)state;
    cel_fiber_switch(dead, NULL);
    assert_int_equal(cel_fiber_set_parent(f, dead), -ESRCH);
    assert_int_equal(
        cel_fiber_new_with(&other, returns_arg, NULL, &(struct cel_fiber_options){.parent = dead}),
        -ESRCH);
    cel_fiber_free(f);
    cel_fiber_free(dead);
}

/* --- throw --- */

static void throw_ends_the_pending_switch_with_the_code(void **state)
{
    struct cel_fiber *f = cel_fiber_new(suspends, ptr(1));

    (void)state;
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 1);
    /* It handles the throw and returns, so it is an ordinary switch for us. */
    assert_int_equal(num(cel_fiber_throw(f, -EIO)), -EIO);
    assert_int_equal(cel_fiber_thrown(), 0);
    cel_fiber_free(f);
}

static void thrown_is_forgotten_by_the_next_switch(void **state)
{
    struct cel_fiber *f = cel_fiber_new(raises, ptr(-EIO));
    struct cel_fiber *g = cel_fiber_new(returns_arg, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_thrown(), -EIO);
    cel_fiber_switch(g, NULL);
    assert_int_equal(cel_fiber_thrown(), 0);
    cel_fiber_free(f);
    cel_fiber_free(g);
}

static void raise_lands_as_a_throw_in_the_parent(void **state)
{
    struct cel_fiber *f = cel_fiber_new(raises, ptr(-EPERM));

    (void)state;
    assert_null(cel_fiber_switch(f, NULL));
    assert_int_equal(cel_fiber_thrown(), -EPERM);
    assert_true(cel_fiber_is_dead(f));
    cel_fiber_free(f);
}

static void throw_unhandled_passes_through_every_ancestor(void **state)
{
    struct cel_fiber *outer = cel_fiber_new(propagates, NULL);
    struct cel_fiber *inner = cel_fiber_new(propagates, NULL);

    (void)state;
    cel_fiber_switch(outer, NULL);
    cel_fiber_switch(inner, NULL);
    assert_int_equal(cel_fiber_set_parent(inner, outer), 0);
    assert_null(cel_fiber_throw(inner, -EDOM));
    assert_int_equal(cel_fiber_thrown(), -EDOM);
    assert_string_equal(trace, "pp");
    assert_true(cel_fiber_is_dead(outer) && cel_fiber_is_dead(inner));
    cel_fiber_free(outer);
    cel_fiber_free(inner);
}

static void throw_into_self_arrives_at_once(void **state)
{
    (void)state;
    assert_null(cel_fiber_throw(cel_fiber_current(), -EIO));
    assert_int_equal(cel_fiber_thrown(), -EIO);
}

static void throw_into_unstarted_kills_it_and_lands_in_its_parent(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_null(cel_fiber_throw(f, -EIO));
    assert_int_equal(cel_fiber_thrown(), -EIO);
    assert_string_equal(trace, "");
    assert_true(cel_fiber_is_dead(f));
    cel_fiber_free(f);
}

static void throw_into_unstarted_kills_its_unstarted_parents_too(void **state)
{
    struct cel_fiber *outer = cel_fiber_new(returns_arg, NULL);
    struct cel_fiber *inner = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_int_equal(cel_fiber_set_parent(inner, outer), 0);
    assert_null(cel_fiber_throw(inner, -EIO));
    assert_int_equal(cel_fiber_thrown(), -EIO);
    assert_string_equal(trace, "");
    assert_true(cel_fiber_is_dead(outer) && cel_fiber_is_dead(inner));
    cel_fiber_free(inner);
    cel_fiber_free(outer);
}

static void throw_exit_into_unstarted_is_returned(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_ptr_equal(cel_fiber_throw(f, CEL_FIBER_EXIT), CEL_FIBER_EXIT_VALUE);
    assert_int_equal(cel_fiber_thrown(), 0);
    assert_string_equal(trace, "");
    cel_fiber_free(f);
}

static void throw_exit_into_unstarted_starts_its_unstarted_parent(void **state)
{
    struct cel_fiber *outer = cel_fiber_new(reads_value, NULL);
    struct cel_fiber *inner = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_int_equal(cel_fiber_set_parent(inner, outer), 0);
    assert_ptr_equal(cel_fiber_throw(inner, CEL_FIBER_EXIT), CEL_FIBER_EXIT_VALUE);
    cel_fiber_free(inner);
    cel_fiber_free(outer);
}

static void throw_into_dead_lands_in_nearest_live_ancestor(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_null(cel_fiber_throw(f, -EIO));
    assert_int_equal(cel_fiber_thrown(), -EIO);
    cel_fiber_free(f);
}

static void throw_exit_into_dead_is_returned(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_ptr_equal(cel_fiber_throw(f, CEL_FIBER_EXIT), CEL_FIBER_EXIT_VALUE);
    assert_int_equal(cel_fiber_thrown(), 0);
    cel_fiber_free(f);
}

static void exit_unhandled_is_swallowed_and_returned(void **state)
{
    struct cel_fiber *f = cel_fiber_new(propagates, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_ptr_equal(cel_fiber_throw(f, CEL_FIBER_EXIT), CEL_FIBER_EXIT_VALUE);
    assert_int_equal(cel_fiber_thrown(), 0);
    assert_true(cel_fiber_is_dead(f));
    cel_fiber_free(f);
}

static void exit_may_be_handled(void **state)
{
    struct cel_fiber *f = cel_fiber_new(suspends, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(num(cel_fiber_throw(f, CEL_FIBER_EXIT)), CEL_FIBER_EXIT);
    cel_fiber_free(f);
}

static void *raises_then_thinks_better(void *arg)
{
    cel_fiber_raise(-EIO);
    cel_fiber_raise(0);
    return arg;
}

static void raise_zero_takes_it_back(void **state)
{
    struct cel_fiber *f = cel_fiber_new(raises_then_thinks_better, ptr(2));

    (void)state;
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 2);
    assert_int_equal(cel_fiber_thrown(), 0);
    cel_fiber_free(f);
}

/* --- state --- */

static struct cel_fiber *watched;

static void *looks_at_itself(void *arg)
{
    assert_ptr_equal(cel_fiber_current(), watched);
    assert_true(cel_fiber_is_active(watched) && !cel_fiber_is_dead(watched));
    return arg;
}

static void active_and_dead_follow_the_life(void **state)
{
    (void)state;
    watched = cel_fiber_new(looks_at_itself, NULL);
    assert_true(!cel_fiber_is_active(watched) && !cel_fiber_is_dead(watched));
    cel_fiber_switch(watched, NULL);
    assert_true(!cel_fiber_is_active(watched) && cel_fiber_is_dead(watched));
    cel_fiber_free(watched);
    assert_true(cel_fiber_is_active(cel_fiber_current()));
    assert_false(cel_fiber_is_dead(cel_fiber_current()));
}

static void name_is_kept(void **state)
{
    struct cel_fiber *f;

    (void)state;
    assert_int_equal(
        cel_fiber_new_with(&f, returns_arg, NULL, &(struct cel_fiber_options){.name = "worker"}),
        0);
    assert_string_equal(cel_fiber_name(f), "worker");
    assert_string_equal(cel_fiber_name(cel_fiber_current()), "main");
    cel_fiber_free(f);
    f = cel_fiber_new(returns_arg, NULL);
    assert_string_equal(cel_fiber_name(f), "");
    cel_fiber_free(f);
}

static void *uses_much_stack(void *arg)
{
    volatile char room[1 << 20];

    room[0] = room[sizeof room - 1] = 1;
    return arg;
}

static void stack_option_gives_room(void **state)
{
    struct cel_fiber *f;

    (void)state;
    assert_int_equal(cel_fiber_new_with(&f, uses_much_stack, ptr(1),
                                        &(struct cel_fiber_options){.stack_bytes = 1200 << 10}),
                     0);
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 1);
    cel_fiber_free(f);
    assert_int_equal(cel_fiber_new_with(&f, uses_much_stack, NULL,
                                        &(struct cel_fiber_options){.stack_bytes = 9 << 20}),
                     -EINVAL);
}

/* --- free --- */

static void free_unstarted_never_runs_it(void **state)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    (void)state;
    assert_int_equal(cel_fiber_free(f), 0);
    assert_string_equal(trace, "");
    assert_int_equal(cel_fiber_free(NULL), 0);
}

static void free_suspended_throws_exit_first(void **state)
{
    struct cel_fiber *f = cel_fiber_new(propagates, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_free(f), 1);
    assert_string_equal(trace, "p");
    assert_int_equal(cel_fiber_thrown(), 0);
}

static void free_suspended_returns_to_who_frees_not_to_the_parent(void **state)
{
    struct cel_fiber *parent = cel_fiber_new(suspends, NULL);
    struct cel_fiber *f = cel_fiber_new(propagates, NULL);

    (void)state;
    cel_fiber_switch(parent, NULL);
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_set_parent(f, parent), 0);
    assert_int_equal(cel_fiber_free(f), 1);
    assert_true(cel_fiber_is_active(parent));
    assert_int_equal(cel_fiber_free(parent), 1);
    assert_string_equal(trace, "spe");
}

static void *stays(void *arg)
{
    struct cel_fiber *parent = cel_fiber_parent(cel_fiber_current());

    while (cel_fiber_switch(parent, NULL) == NULL)
        note("x");
    return arg;
}

static void free_refused_by_a_fiber_that_stays(void **state)
{
    struct cel_fiber *f = cel_fiber_new(stays, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_free(f), -EBUSY);
    assert_int_equal(cel_fiber_free(f), -EBUSY);
    assert_string_equal(trace, "xx");
    assert_true(cel_fiber_is_active(f));
    cel_fiber_switch(f, ptr(1));
    assert_int_equal(cel_fiber_free(f), 0);
}

static void *fails_in_cleanup(void *arg)
{
    cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), arg);
    return cel_fiber_raise(-ENOSPC);
}

static void free_tells_what_the_cleanup_raised(void **state)
{
    struct cel_fiber *f = cel_fiber_new(fails_in_cleanup, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_free(f), 1);
    assert_int_equal(cel_fiber_thrown(), -ENOSPC);
}

static void *frees_current(void *arg)
{
    assert_int_equal(cel_fiber_free(cel_fiber_current()), -EBUSY);
    return arg;
}

static void free_refuses_current_and_main(void **state)
{
    struct cel_fiber *f = cel_fiber_new(frees_current, NULL);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(cel_fiber_free(cel_fiber_current()), -EBUSY);
    cel_fiber_free(f);
}

static void *frees(void *arg)
{
    note("f");
    assert_int_equal(cel_fiber_free(arg), 1);
    note("g");
    return NULL;
}

/* An ancestor waits in its switch to us; freeing it ends it and comes back. */
static void *starts_child_that_frees_it(void *arg)
{
    struct cel_fiber *child = cel_fiber_new(frees, cel_fiber_current());

    *(struct cel_fiber **)arg = child;
    cel_fiber_switch(child, NULL);
    assert_int_equal(cel_fiber_thrown(), CEL_FIBER_EXIT);
    note("u");
    return NULL;
}

static void free_of_an_ancestor_unwinds_it_and_returns(void **state)
{
    struct cel_fiber *child = NULL;
    struct cel_fiber *f = cel_fiber_new(starts_child_that_frees_it, &child);

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_string_equal(trace, "fug");
    assert_true(cel_fiber_is_dead(child));
    assert_int_equal(cel_fiber_free(child), 0);
}

/* --- threads --- */

static void *in_thread(void *arg)
{
    struct cel_fiber *foreign = arg;
    struct cel_fiber *own = cel_fiber_new(returns_arg, ptr(1));
    struct cel_fiber *f;

    assert_null(cel_fiber_switch(foreign, NULL));
    assert_int_equal(cel_fiber_thrown(), -CEL_ETHREAD);
    assert_null(cel_fiber_throw(foreign, -EIO));
    assert_int_equal(cel_fiber_thrown(), -CEL_ETHREAD);
    assert_int_equal(cel_fiber_free(foreign), -CEL_ETHREAD);
    assert_int_equal(cel_fiber_set_parent(foreign, own), -CEL_ETHREAD);
    assert_int_equal(cel_fiber_set_parent(own, foreign), -CEL_ETHREAD);
    assert_int_equal(
        cel_fiber_new_with(&f, returns_arg, NULL, &(struct cel_fiber_options){.parent = foreign}),
        -CEL_ETHREAD);
    assert_int_equal(num(cel_fiber_switch(own, NULL)), 1);
    assert_int_equal(cel_fiber_free(own), 0);
    return NULL;
}

static void *switches_first_thing(void *arg)
{
    assert_null(cel_fiber_switch(arg, NULL));
    assert_int_equal(cel_fiber_thrown(), -CEL_ETHREAD);
    return NULL;
}

static void switch_across_threads_is_an_error(void **state)
{
    struct cel_fiber *f = cel_fiber_new(suspends, NULL);
    pthread_t thread;

    (void)state;
    cel_fiber_switch(f, NULL);
    assert_int_equal(pthread_create(&thread, NULL, switches_first_thing, f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, in_thread, f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(cel_fiber_is_active(f));
    assert_int_equal(cel_fiber_free(f), 1);
}

static void *leaves_dead(void *arg)
{
    struct cel_fiber *f = cel_fiber_new(returns_arg, NULL);

    cel_fiber_switch(f, NULL);
    *(struct cel_fiber **)arg = f;
    return NULL;
}

static void dead_fiber_outlives_its_thread(void **state)
{
    struct cel_fiber *f = NULL;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, leaves_dead, &f), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(cel_fiber_is_dead(f));
    assert_null(cel_fiber_parent(f));
    assert_int_equal(cel_fiber_free(f), 0);
}

/* --- memory --- */

static int allocations_left;

static void *counted_alloc(size_t size, void *arg)
{
    (void)arg;
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *counted_realloc(void *p, size_t size, void *arg)
{
    (void)arg;
    return allocations_left-- > 0 ? realloc(p, size) : NULL;
}

static void counted_free(void *p, void *arg)
{
    (void)arg;
    free(p);
}

/* In a thread of its own, whose pools are empty. */
static void *meets_each_failure(void *arg)
{
    const struct cel_allocator allocator = {counted_alloc, counted_realloc, counted_free, NULL};
    struct cel_fiber *f;
    int n = 0;

    cel_set_allocator(&allocator);
    do {
        allocations_left = n++;
        f = cel_fiber_new(returns_arg, ptr(1));
    } while (f == NULL && n < 10);
    assert_int_equal(num(cel_fiber_switch(f, NULL)), 1);
    cel_fiber_free(f);
    *(int *)arg = n;
    return NULL;
}

static void new_meets_each_allocation_failure(void **state)
{
    pthread_t thread;
    int attempts = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, meets_each_failure, &attempts), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    cel_set_allocator(NULL);
    assert_int_equal(attempts, 3); /* the record, the slab, none */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(switch_first_starts_fn_with_its_arg),
        TEST(switch_carries_values_both_ways),
        TEST(value_of_first_switch_is_readable_inside),
        TEST(switch_to_self_returns_value_at_once),
        TEST(switch_to_self_inside_a_fiber_returns_value_at_once),
        TEST(switch_to_dead_returns_value_when_the_caller_is_the_parent),
        TEST(switch_to_dead_lands_in_nearest_live_ancestor),
        TEST(finish_goes_to_parent),
        TEST(finish_skips_dead_ancestors),
        TEST(finish_starts_an_unstarted_parent),
        TEST(finish_goes_on_when_the_parent_was_freed),
        TEST(nested_fibers_end_into_each_other),
        TEST(siblings_switch_without_their_parent),
        TEST(parent_defaults_to_current),
        TEST(parent_option_is_taken),
        TEST(set_parent_refuses_cycles),
        TEST(set_parent_refuses_null_and_main),
        TEST(set_parent_refuses_the_dead),
        TEST(throw_ends_the_pending_switch_with_the_code),
        TEST(thrown_is_forgotten_by_the_next_switch),
        TEST(raise_lands_as_a_throw_in_the_parent),
        TEST(throw_unhandled_passes_through_every_ancestor),
        TEST(throw_into_self_arrives_at_once),
        TEST(throw_into_unstarted_kills_it_and_lands_in_its_parent),
        TEST(throw_into_unstarted_kills_its_unstarted_parents_too),
        TEST(throw_exit_into_unstarted_is_returned),
        TEST(throw_exit_into_unstarted_starts_its_unstarted_parent),
        TEST(throw_into_dead_lands_in_nearest_live_ancestor),
        TEST(throw_exit_into_dead_is_returned),
        TEST(exit_unhandled_is_swallowed_and_returned),
        TEST(exit_may_be_handled),
        TEST(raise_zero_takes_it_back),
        TEST(active_and_dead_follow_the_life),
        TEST(name_is_kept),
        TEST(stack_option_gives_room),
        TEST(free_unstarted_never_runs_it),
        TEST(free_suspended_throws_exit_first),
        TEST(free_suspended_returns_to_who_frees_not_to_the_parent),
        TEST(free_refused_by_a_fiber_that_stays),
        TEST(free_tells_what_the_cleanup_raised),
        TEST(free_refuses_current_and_main),
        TEST(free_of_an_ancestor_unwinds_it_and_returns),
        TEST(switch_across_threads_is_an_error),
        TEST(dead_fiber_outlives_its_thread),
        TEST(new_meets_each_allocation_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
