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

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;

    program_count_memory();
    for (; n < program_count; n++)
        tests[n] = (struct CMUnitTest){programs[n].name, hold_on_every_ring, NULL, NULL,
                                       (void *)&programs[n]};
    return _cmocka_run_group_tests("ring", tests, n, NULL, NULL);
}
