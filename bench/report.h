/* SPDX-License-Identifier: MIT */
/* What every measured C program shares: three clocks and one way to report.
 *
 * A program prints exactly one line of JSON on stdout: its counts, and the figures it took
 * itself over the measured stretch only, so that start-up and clean-up never count. CPU time is
 * that of the whole process, kernel side included. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline int64_t bench_clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t bench_cpu_ns(void)
{
    return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static inline int64_t bench_wall_ns(void)
{
    return bench_clock_ns(CLOCK_MONOTONIC);
}

/* A line of /proc/self/status in KiB. getrusage would count what the parent held before exec. */
static inline long bench_status_kib(const char *key)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

static inline long bench_peak_kib(void)
{
    return bench_status_kib("VmHWM");
}

static inline long bench_rss_kib(void)
{
    return bench_status_kib("VmRSS");
}

static inline long bench_arg(int argc, char **argv, int i, long fallback)
{
    return argc > i ? strtol(argv[i], NULL, 10) : fallback;
}

struct bench_span {
    int64_t cpu, wall;
};

static inline struct bench_span bench_start(void)
{
    return (struct bench_span){bench_cpu_ns(), bench_wall_ns()};
}

static inline struct bench_span bench_stop(struct bench_span from)
{
    return (struct bench_span){bench_cpu_ns() - from.cpu, bench_wall_ns() - from.wall};
}

static inline int bench_compare_(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* What `tasks` prints: nanoseconds and bytes of each of n tasks. */
static inline void bench_report_tasks(long n, struct bench_span spawn, long kib,
                                      struct bench_span wake, struct bench_span end)
{
    printf("{\"spawn\":%.1f,\"bytes\":%.1f,\"wake\":%.1f,\"end\":%.1f}\n",
           (double)spawn.cpu / (double)n, (double)kib * 1024 / (double)n,
           (double)wake.cpu / (double)n, (double)end.cpu / (double)n);
}

/* For stretches so short that one interruption would spoil them. */
static inline int64_t bench_median(int64_t *values, size_t n)
{
    qsort(values, n, sizeof *values, bench_compare_);
    return values[n / 2];
}

/* xorshift: the same numbers in every program. */
static inline uint64_t bench_rand(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
