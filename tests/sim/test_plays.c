/* SPDX-License-Identifier: MIT */
/* Each play on many machines. A failure prints the line that replays it; CEL_SEED and CEL_CFG in
 * the environment do so here as well. */
#include <stdlib.h>

#include "plays.h"
#include "support/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEEDS 30
#else
#define SEEDS 300
#endif

static void hold_on_every_machine(void **state)
{
    const struct play *play = *state;
    struct cel_sim_report sum;
    int r = cel_sim_sweep(1, SEEDS, NULL, play->run, NULL, &sum);

    print_message("# %s: %llu seeds, %llu events, %llu faults, %lld virtual s\n", play->name,
                  (unsigned long long)sum.runs, (unsigned long long)sum.events,
                  (unsigned long long)sum.faults, (long long)(sum.elapsed / CEL_SECOND));
    if (r < 0)
        fail_msg("seed %llu: %s", (unsigned long long)sum.seed, cel_strerror(r));
}

/* The lines of what fails by design would bury the one that counts. */
static void say_errors_of_runs(enum cel_log_level level, const char *line, void *arg)
{
    if (level == CEL_LOG_ERROR)
        print_error("%s\n", line);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;

    cel_set_log(say_errors_of_runs, NULL);
    for (; n < play_count; n++)
        tests[n] = (struct CMUnitTest){plays[n].name, hold_on_every_machine, NULL, NULL,
                                       (void *)&plays[n]};
    return _cmocka_run_group_tests("plays", tests, n, NULL, NULL);
}
