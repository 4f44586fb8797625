/* SPDX-License-Identifier: MIT */
/* Each program on many fake rings. A failure prints its seed, which `make ring PROGRAM=... SEEDS=1
 * FIRST=...` runs again. */
#include "ring/programs.h"
#include "support/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEEDS 30
#else
#define SEEDS 300
#endif

static void hold_on_every_ring(void **state)
{
    const struct program *p = *state;
    struct fake_counts sum = {0};

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        if (program_run(p, seed, &sum) < 0)
            fail_msg("%s: seed %llu", p->name, (unsigned long long)seed);
    assert_true(sum.completions > 0);
}

static void *depend_on_the_past(void *arg)
{
    static int runs;

    HOLDS(cel_sleep(1000 + ++runs) == 0);
    return NULL;
}

static void hidden_state_is_found_by_the_second_run(void **state)
{
    static const struct program hidden = {"hidden", depend_on_the_past, false};
    int differing = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        int r = program_run(&hidden, seed, NULL);

        assert_true(r == 0 || r == -EILSEQ);
        differing += r == -EILSEQ;
    }
    assert_int_equal(differing, 4); /* of every tenth */
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;

    program_count_memory();
    for (; n < program_count; n++)
        tests[n] = (struct CMUnitTest){programs[n].name, hold_on_every_ring, NULL, NULL,
                                       (void *)&programs[n]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(hidden_state_is_found_by_the_second_run);
    return _cmocka_run_group_tests("ring", tests, n, NULL, NULL);
}
