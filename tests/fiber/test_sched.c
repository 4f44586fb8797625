/* SPDX-License-Identifier: MIT */
#include "support/check.h"

#include <string.h>

#include "fiber/sched.h"

/* What happened, in order. */
static char trace[256];
static struct cel__sched sched;

static void note(const char *what)
{
    assert_true(strlen(trace) + strlen(what) < sizeof trace);
    strcat(trace, what);
}

struct job {
    struct cel_fiber fiber;
    const char *name;
    int rounds;
    struct job *wakes;
};

static void job_yields(struct cel_fiber *f)
{
    struct job *job = (struct job *)f;

    for (int i = 0; i < job->rounds; i++) {
        note(job->name);
        cel__sched_yield(&sched);
    }
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

static void yield_takes_turns_in_order(void **state)
{
    struct job a = {.rounds = 3}, b = {.rounds = 2}, c = {.rounds = 1};

    (void)state;
    start(&a, "a", job_yields);
    start(&b, "b", job_yields);
    start(&c, "c", job_yields);
    assert_false(cel__sched_run(&sched, 1000));
    assert_string_equal(trace, "abcaba");
    assert_true(a.fiber.is_done && b.fiber.is_done && c.fiber.is_done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(yield_takes_turns_in_order, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
