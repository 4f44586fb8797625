/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fiber/sched.h"
#include "fiber/thread.h"

static char trace[512];
static struct cel__sched sched;

static void note(const char *what)
{
    size_t len = strlen(trace);

    assert_true(len + strlen(what) < sizeof trace);
    memcpy(trace + len, what, strlen(what) + 1);
}

struct job {
    struct cel_fiber fiber;
    const char *name;
    int rounds;
    struct job *peer;
    struct cel_fiber *greenlet;
};

static struct job *job_of(struct cel_fiber *f)
{
    return cel__container_of(f, struct job, fiber);
}

static int setup(void **state)
{
    (void)state;
    trace[0] = '\0';
    cel__sched_init(&sched);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cel__sched_fini(&sched);
    return 0;
}

static void start(struct job *job, const char *name, void (*entry)(struct cel_fiber *))
{
    assert_int_equal(cel__fiber_init(&job->fiber, 0, entry), 0);
    job->name = name;
    cel__sched_ready(&sched, &job->fiber);
}

static void run(void)
{
    while (cel__sched_run(&sched, 1000))
        ;
}

/* --- order --- */

static void yields(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    for (int i = 0; i < job->rounds; i++) {
        note(job->name);
        cel__sched_yield(&sched);
    }
}

static void yield_takes_turns_in_order(void **state)
{
    struct job a = {.rounds = 3}, b = {.rounds = 2}, c = {.rounds = 1};

    (void)state;
    start(&a, "a", yields);
    start(&b, "b", yields);
    start(&c, "c", yields);
    assert_true(cel__sched_has_ready(&sched));
    assert_false(cel__sched_run(&sched, 1000));
    assert_false(cel__sched_has_ready(&sched));
    assert_string_equal(trace, "abcaba");
    assert_true(a.fiber.is_done && b.fiber.is_done && c.fiber.is_done);
}

static void yield_alone_goes_on(void **state)
{
    struct job a = {.rounds = 5};

    (void)state;
    start(&a, "a", yields);
    run();
    assert_string_equal(trace, "aaaaa");
}

static void readies_peer_then_yields(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    note(job->name);
    cel__sched_ready(&sched, &job->peer->fiber);
    assert_true(cel__sched_has_ready(&sched));
    cel__sched_yield(&sched);
    note(job->name);
}

static void ready_before_a_yield_runs_before_the_yielder(void **state)
{
    struct job a = {.rounds = 1}, b = {.rounds = 1}, c = {.rounds = 1};

    (void)state;
    assert_int_equal(cel__fiber_init(&c.fiber, 0, yields), 0);
    c.name = "c";
    a.peer = &c;
    start(&a, "a", readies_peer_then_yields);
    start(&b, "b", yields);
    run();
    assert_string_equal(trace, "abca");
}

static void parks_between(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    for (int i = 0; i < job->rounds; i++) {
        note(job->name);
        cel__sched_park(&sched);
    }
    note("]");
}

static void park_stays_until_ready(void **state)
{
    struct job a = {.rounds = 2};

    (void)state;
    start(&a, "a", parks_between);
    assert_false(cel__sched_run(&sched, 10));
    assert_string_equal(trace, "a");
    assert_false(cel__sched_run(&sched, 10));
    cel__sched_ready(&sched, &a.fiber);
    assert_false(cel__sched_run(&sched, 10));
    assert_string_equal(trace, "aa");
    cel__sched_ready(&sched, &a.fiber);
    assert_false(cel__sched_run(&sched, 10));
    assert_string_equal(trace, "aa]");
    assert_true(a.fiber.is_done);
}

static void wakes_peer_and_parks(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    for (int i = 0; i < job->rounds; i++) {
        note(job->name);
        if (job->peer->fiber.link == NULL && !job->peer->fiber.is_done)
            cel__sched_ready(&sched, &job->peer->fiber);
        if (i + 1 < job->rounds)
            cel__sched_park(&sched);
    }
}

static void park_hands_over_directly(void **state)
{
    struct job a = {.rounds = 4}, b = {.rounds = 4};

    (void)state;
    a.peer = &b;
    b.peer = &a;
    start(&a, "a", wakes_peer_and_parks);
    start(&b, "b", wakes_peer_and_parks);
    assert_false(cel__sched_run(&sched, 8)); /* exactly as many switches as there are runs */
    assert_string_equal(trace, "abababab");
}

/* --- budget --- */

static void run_returns_when_the_budget_is_used_up(void **state)
{
    struct job a = {.rounds = 4}, b = {.rounds = 4};

    (void)state;
    start(&a, "a", yields);
    start(&b, "b", yields);
    assert_true(cel__sched_run(&sched, 3));
    assert_string_equal(trace, "aba");
    assert_true(cel__sched_run(&sched, 1));
    assert_string_equal(trace, "abab");
    run();
    assert_string_equal(trace, "abababab");
}

static void run_without_ready_fibers_does_nothing(void **state)
{
    (void)state;
    assert_false(cel__sched_run(&sched, 1));
}

/* --- the end --- */

static void empty(struct cel_fiber *f)
{
    (void)f;
}

static void notes_exit(struct cel_fiber *f)
{
    assert_true(f->is_done);
    assert_non_null(f->stack);
    assert_ptr_equal(sched.current, f);
    note("x");
    if (job_of(f)->peer != NULL)
        cel__sched_ready(&sched, &job_of(f)->peer->fiber);
}

static void exit_calls_on_exit_on_its_own_stack(void **state)
{
    struct job a = {0}, b = {.rounds = 1};

    (void)state;
    start(&b, "b", parks_between);
    run();
    start(&a, "a", empty);
    a.fiber.on_exit = notes_exit;
    a.peer = &b;
    run();
    assert_string_equal(trace, "bx]");
    assert_null(a.fiber.stack);
}

static void exit_returns_the_stack_at_once(void **state)
{
    struct job a = {0}, b = {0};
    struct cel__stack *stack;

    (void)state;
    start(&a, "a", empty);
    stack = a.fiber.stack;
    run();
    start(&b, "b", empty);
    assert_ptr_equal(b.fiber.stack, stack);
    run();
}

static void frees_peer(struct cel_fiber *f)
{
    free(job_of(f)->peer);
    note("f");
}

static void exit_lets_the_next_free_its_memory(void **state)
{
    struct job *a = calloc(1, sizeof *a);
    struct job b = {.peer = a};

    (void)state;
    start(a, "a", empty);
    start(&b, "b", frees_peer);
    run();
    assert_string_equal(trace, "f");
}

static void fini_gives_back_what_never_ran(void **state)
{
    struct job a = {0}, b = {0};
    struct cel__stack *stack;

    (void)state;
    assert_int_equal(cel__fiber_init(&a.fiber, 0, empty), 0);
    stack = a.fiber.stack;
    cel__fiber_fini(&a.fiber);
    start(&b, "b", empty);
    assert_ptr_equal(b.fiber.stack, stack);
    run();
}

static void init_with_too_large_a_stack_fails(void **state)
{
    struct job a;

    (void)state;
    assert_int_equal(cel__fiber_init(&a.fiber, CEL__STACK_MAX + 1, empty), -ENOMEM);
}

/* --- hooks --- */

static void traces_switch(struct cel__sched *s, struct cel_fiber *from, struct cel_fiber *to)
{
    assert_ptr_equal(s, &sched);
    note(from != NULL ? job_of(from)->name : "-");
    note(">");
    note(to != NULL ? job_of(to)->name : "-");
    note(" ");
}

static void on_switch_sees_every_switch(void **state)
{
    struct job a = {0}, b = {0};

    (void)state;
    sched.on_switch = traces_switch;
    start(&a, "a", empty);
    start(&b, "b", empty);
    run();
    assert_string_equal(trace, "->a a>b b>- ");
}

/* --- greenlets inside tasks --- */

static void *parks_as_greenlet(void *arg)
{
    struct cel_fiber *self = cel_fiber_current();

    note("g");
    cel__sched_park(&sched);
    assert_ptr_equal(cel_fiber_current(), self);
    note("h");
    cel__sched_yield(&sched);
    assert_ptr_equal(cel_fiber_current(), self);
    note("i");
    return arg;
}

static void runs_greenlet(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    assert_ptr_equal(cel_fiber_current(), f);
    job->greenlet = cel_fiber_new(parks_as_greenlet, job);
    assert_ptr_equal(cel_fiber_switch(job->greenlet, NULL), job);
    assert_ptr_equal(cel_fiber_current(), f);
    assert_int_equal(cel_fiber_free(job->greenlet), 0);
    job->greenlet = NULL;
    note("t");
}

static void park_in_a_greenlet_parks_the_task(void **state)
{
    struct job a = {0}, b = {.rounds = 1};

    (void)state;
    start(&a, "a", runs_greenlet);
    start(&b, "b", yields);
    run();
    assert_string_equal(trace, "gb");
    cel__sched_ready(&sched, &a.fiber);
    run();
    assert_string_equal(trace, "gbhit");
    assert_true(a.fiber.is_done);
}

static void intrudes(struct cel_fiber *f)
{
    struct job *victim = job_of(f)->peer;

    assert_null(cel_fiber_switch(victim->greenlet, NULL));
    assert_int_equal(cel_fiber_thrown(), -EBUSY);
    assert_null(cel_fiber_switch(&victim->fiber, NULL));
    assert_int_equal(cel_fiber_thrown(), -EBUSY);
    assert_null(cel_fiber_throw(&victim->fiber, -EIO));
    assert_int_equal(cel_fiber_thrown(), -EBUSY);
    assert_int_equal(cel_fiber_free(victim->greenlet), -EBUSY);
    assert_null(cel_fiber_switch(sched.hub, NULL));
    assert_int_equal(cel_fiber_thrown(), -EBUSY);
    note("n");
}

static void switch_into_another_task_is_refused(void **state)
{
    struct job a = {0}, b = {.peer = &a};

    (void)state;
    start(&a, "a", runs_greenlet);
    start(&b, "b", intrudes);
    run();
    assert_string_equal(trace, "gn");
    cel__sched_ready(&sched, &a.fiber);
    run();
    assert_string_equal(trace, "gnhit");
}

static void *back_to_the_task(void *arg)
{
    struct job *job = arg;

    note("1");
    assert_int_equal((intptr_t)cel_fiber_switch(&job->fiber, (void *)1), 2);
    note("2");
    return (void *)3;
}

static void talks_with_greenlet(struct cel_fiber *f)
{
    struct cel_fiber *g = cel_fiber_new(back_to_the_task, job_of(f));

    assert_int_equal((intptr_t)cel_fiber_switch(g, NULL), 1);
    cel__sched_yield(&sched);
    assert_int_equal((intptr_t)cel_fiber_switch(g, (void *)2), 3);
    assert_int_equal(cel_fiber_free(g), 0);
}

static void greenlet_switches_to_its_own_task(void **state)
{
    struct job a = {0};

    (void)state;
    start(&a, "a", talks_with_greenlet);
    run();
    assert_string_equal(trace, "12");
}

static struct cel_fiber *left_behind;

static void *waits_in_switch(void *arg)
{
    cel_fiber_switch(cel_fiber_parent(cel_fiber_current()), arg);
    note("w");
    return (void *)5;
}

static void leaves_greenlet(struct cel_fiber *f)
{
    (void)f;
    left_behind = cel_fiber_new(waits_in_switch, NULL);
    cel_fiber_switch(left_behind, NULL);
}

static void takes_greenlet_over(struct cel_fiber *f)
{
    (void)f;
    assert_null(cel_fiber_parent(left_behind));
    assert_int_equal((intptr_t)cel_fiber_switch(left_behind, NULL), 5);
    note("o");
}

static void orphan_of_a_finished_task_ends_into_the_root(void **state)
{
    struct job a = {0}, b = {0};

    (void)state;
    start(&a, "a", leaves_greenlet);
    start(&b, "b", takes_greenlet_over);
    run();
    assert_string_equal(trace, "wo");
    assert_int_equal(cel_fiber_free(left_behind), 0);
}

/* --- nesting, many --- */

static void *runs_inner_sched(void *arg)
{
    struct cel__sched inner;
    struct job job = {.name = "i", .rounds = 2};

    (void)arg;
    cel__sched_init(&inner);
    assert_int_equal(cel__fiber_init(&job.fiber, 0, empty), 0);
    cel__sched_ready(&inner, &job.fiber);
    assert_false(cel__sched_run(&inner, 10));
    assert_true(job.fiber.is_done);
    cel__sched_fini(&inner);
    return NULL;
}

static void runs_inner_from_task(struct cel_fiber *f)
{
    (void)f;
    runs_inner_sched(NULL);
    cel__sched_yield(&sched);
    note("n");
}

static void run_nests_in_a_task_and_in_a_greenlet(void **state)
{
    struct job a = {0};
    struct cel_fiber *g = cel_fiber_new(runs_inner_sched, NULL);

    (void)state;
    cel_fiber_switch(g, NULL);
    assert_int_equal(cel_fiber_free(g), 0);
    start(&a, "a", runs_inner_from_task);
    run();
    assert_string_equal(trace, "n");
}

static void *own_sched(void *arg)
{
    struct cel__sched own;
    struct job jobs[10] = {0};

    cel__sched_init(&own);
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 10; i++) {
            assert_int_equal(cel__fiber_init(&jobs[i].fiber, 0, empty), 0);
            cel__sched_ready(&own, &jobs[i].fiber);
        }
        while (cel__sched_run(&own, 7))
            ;
    }
    cel__sched_fini(&own);
    return arg;
}

static void each_thread_has_its_own(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, own_sched, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- the tired --- */

static void tires(struct cel_fiber *f)
{
    struct job *job = job_of(f);

    for (int i = 0; i < job->rounds; i++) {
        note(job->name);
        cel__sched_tire(&sched);
    }
}

static void tired_run_only_when_recalled(void **state)
{
    struct job a = {.rounds = 1}, b = {.rounds = 1};

    (void)state;
    start(&a, "a", tires);
    start(&b, "b", yields);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "ab");
    assert_true(b.fiber.is_done && !a.fiber.is_done);
    assert_true(cel__sched_has_ready(&sched));
    assert_false(cel__sched_run(&sched, 1000));
    assert_false(a.fiber.is_done);
    cel__sched_recall(&sched, 1);
    assert_false(cel__sched_run(&sched, 1000));
    assert_true(a.fiber.is_done);
    assert_false(cel__sched_has_ready(&sched));
}

static void recall_takes_the_longest_tired_behind_the_ready(void **state)
{
    struct job a = {.rounds = 2}, b = {.rounds = 2}, c = {.rounds = 2}, d = {.rounds = 1};

    (void)state;
    start(&a, "a", tires);
    start(&b, "b", tires);
    start(&c, "c", tires);
    assert_false(cel__sched_run(&sched, 1000));
    start(&d, "d", yields);
    cel__sched_recall(&sched, 2);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "abcdab");
    cel__sched_recall(&sched, 2); /* c, who has waited longest, and a */
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "abcdabc");
    cel__sched_recall(&sched, 1000);
    assert_false(cel__sched_run(&sched, 1000));
    assert_true(a.fiber.is_done && b.fiber.is_done && c.fiber.is_done && d.fiber.is_done);
}

static void ready_tired_stands_behind_the_tired(void **state)
{
    struct job a = {.rounds = 2}, b = {.rounds = 1}, c = {.rounds = 1};

    (void)state;
    start(&a, "a", tires);
    assert_false(cel__sched_run(&sched, 1000));
    assert_int_equal(cel__fiber_init(&b.fiber, 0, yields), 0);
    b.name = "b";
    cel__sched_ready_tired(&sched, &b.fiber);
    start(&c, "c", yields);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "ac");
    cel__sched_recall(&sched, 2);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "acab");
    cel__sched_recall(&sched, 1);
    assert_false(cel__sched_run(&sched, 1000));
}

static void *tires_in_greenlet(void *arg)
{
    note("g");
    cel__sched_tire(&sched);
    note("h");
    return arg;
}

static void tires_by_greenlet(struct cel_fiber *f)
{
    struct cel_fiber *g = cel_fiber_new(tires_in_greenlet, NULL);

    (void)f;
    cel_fiber_switch(g, NULL);
    assert_int_equal(cel_fiber_free(g), 0);
    note("t");
}

static void tired_in_a_greenlet_goes_on_there(void **state)
{
    struct job a = {0}, b = {.rounds = 1};

    (void)state;
    start(&a, "a", tires_by_greenlet);
    start(&b, "b", yields);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "gb");
    cel__sched_recall(&sched, 1);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "gbht");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(yield_takes_turns_in_order),
        TEST(yield_alone_goes_on),
        TEST(ready_before_a_yield_runs_before_the_yielder),
        TEST(park_stays_until_ready),
        TEST(park_hands_over_directly),
        TEST(run_returns_when_the_budget_is_used_up),
        TEST(run_without_ready_fibers_does_nothing),
        TEST(exit_calls_on_exit_on_its_own_stack),
        TEST(exit_returns_the_stack_at_once),
        TEST(exit_lets_the_next_free_its_memory),
        TEST(fini_gives_back_what_never_ran),
        TEST(init_with_too_large_a_stack_fails),
        TEST(on_switch_sees_every_switch),
        TEST(park_in_a_greenlet_parks_the_task),
        TEST(switch_into_another_task_is_refused),
        TEST(greenlet_switches_to_its_own_task),
        TEST(orphan_of_a_finished_task_ends_into_the_root),
        TEST(run_nests_in_a_task_and_in_a_greenlet),
        TEST(each_thread_has_its_own),
        TEST(tired_run_only_when_recalled),
        TEST(recall_takes_the_longest_tired_behind_the_ready),
        TEST(ready_tired_stands_behind_the_tired),
        TEST(tired_in_a_greenlet_goes_on_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
