/* SPDX-License-Identifier: MIT */
/* Runs each play with many seeds: `sweep [PLAY] [SEEDS] [FIRST]`. Prints what it did, and stops at
 * the first seed that fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plays.h"

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 && strcmp(argv[1], "all") != 0 ? argv[1] : NULL;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    int failed = 0;

    for (size_t i = 0; i < play_count; i++) {
        struct cel_sim_report sum;
        double began = seconds(), took;
        int r;

        if (only != NULL && strcmp(only, plays[i].name) != 0)
            continue;
        r = cel_sim_sweep(first, count, NULL, plays[i].run, NULL, &sum);
        took = seconds() - began;
        printf("%-10s %llu seeds, %llu events, %llu switches, %llu faults, %.0f virtual s, %.0f "
               "seeds/min\n",
               plays[i].name, (unsigned long long)sum.runs, (unsigned long long)sum.events,
               (unsigned long long)sum.switches, (unsigned long long)sum.faults,
               (double)sum.elapsed / 1e9, (double)sum.runs / took * 60);
        if (r < 0)
            printf("%s: seed %llu: %s\n", plays[i].name, (unsigned long long)sum.seed,
                   cel_strerror(r));
        failed |= r < 0;
    }
    return failed;
}
