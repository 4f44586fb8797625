/* SPDX-License-Identifier: MIT */
/* Runs each play with many seeds: `sweep [PLAY] [SEEDS] [FIRST]`. Prints what it did, and stops at
 * the first seed that fails. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plays.h"

/* What a run leaves behind in memory is counted. */

static long blocks;

static void *count_alloc(size_t size, void *arg)
{
    void *ptr = malloc(size);

    blocks += ptr != NULL;
    return ptr;
}

static void *count_realloc(void *old, size_t size, void *arg)
{
    void *ptr = realloc(old, size);

    blocks += old == NULL && ptr != NULL;
    return ptr;
}

static void count_free(void *ptr, void *arg)
{
    blocks -= ptr != NULL;
    free(ptr);
}

/* Does each further run of the seed leave more behind? One alone may fill what is kept for good. */
static bool leaks(const struct play *play, uint64_t seed)
{
    struct cel_sim_report report;

    for (int i = 0; i < 3; i++) {
        long before = blocks;

        if (cel_sim_run(seed, NULL, play->run, NULL, &report) < 0 || blocks == before)
            return false;
    }
    return true;
}

/* -> the failure of the first seed that fails. */
static int sweep(const struct play *play, uint64_t first, uint64_t count,
                 struct cel_sim_report *sum)
{
    struct cel_sim_report one;
    int r = 0;

    *sum = (struct cel_sim_report){0};
    for (uint64_t seed = first; r == 0 && seed < first + count; seed++) {
        long before = blocks;

        r = seed % 20 == 0 ? cel_sim_sweep(seed, 1, NULL, play->run, NULL, &one)
                           : cel_sim_run(seed, NULL, play->run, NULL, &one);
        if (r == 0 && blocks != before && leaks(play, seed))
            r = -EUCLEAN;
        sum->seed = seed;
        sum->events += one.events;
        sum->switches += one.switches;
        sum->faults += one.faults;
        sum->elapsed += one.elapsed;
        sum->runs++;
    }
    return r;
}

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
    static const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};
    int failed = 0;

    cel_set_allocator(&counting);
    for (size_t i = 0; i < play_count; i++) {
        struct cel_sim_report sum;
        double began = seconds(), took;
        int r;

        if (only != NULL && strcmp(only, plays[i].name) != 0)
            continue;
        r = sweep(&plays[i], first, count, &sum);
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
