/* SPDX-License-Identifier: MIT */
/* Our timers: ours_timers timers N. The same steps as peers/timers_libev.c. */
#include "../report.h"

#include <unistd.h>

#include <celadon/loop.h>

enum { PASSES = 5 };

static long fired;

static void on_timer(struct cel_timer *t, void *arg)
{
    (void)t, (void)arg;
    fired++;
}

static void draw(int64_t *due, long n, int64_t from, int64_t span, uint64_t *seed)
{
    for (long i = 0; i < n; i++)
        due[i] = from + (int64_t)(bench_rand(seed) % (uint64_t)span);
}

/* So that all are due before the first fires, and none waits for the clock. */
static void sleep_past(const int64_t *due, long n, int64_t after)
{
    int64_t last = 0;

    for (long i = 0; i < n; i++)
        last = due[i] > last ? due[i] : last;
    while (cel_now() <= last + after)
        usleep(100000);
}

int main(int argc, char **argv)
{
    long n = bench_arg(argc, argv, 2, 1000000);
    struct cel_timer *all = calloc((size_t)n, sizeof *all);
    int64_t *due = calloc((size_t)n, sizeof *due);
    uint64_t seed = 88172645463325252u;
    int64_t add[PASSES], cancel[PASSES];
    struct bench_span s, both;
    struct cel_loop *loop;

    if (all == NULL || due == NULL || cel_loop_new(&loop, NULL) < 0)
        return 1;
    for (long i = 0; i < n; i++)
        cel_timer_init(&all[i], on_timer, NULL);

    draw(due, n, cel_now() + CEL_SECOND, 60 * CEL_SECOND, &seed);
    for (int pass = 0; pass < PASSES; pass++) {
        s = bench_start();
        for (long i = 0; i < n; i++)
            cel_timer_start_at(loop, &all[i], due[i]);
        add[pass] = bench_stop(s).cpu;
        s = bench_start();
        for (long i = 0; i < n; i++)
            cel_timer_stop(loop, &all[i]);
        cancel[pass] = bench_stop(s).cpu;
    }

    draw(due, n, cel_now(), CEL_SECOND, &seed);
    s = bench_start();
    for (long i = 0; i < n; i++)
        cel_timer_start_at(loop, &all[i], due[i]);
    if (cel_loop_run(loop) < 0)
        return 1;
    both = bench_stop(s);

    for (long i = 0; i < n; i++)
        cel_timer_start_at(loop, &all[i], due[i] + CEL_SECOND);
    sleep_past(due, n, CEL_SECOND);
    s = bench_start();
    if (cel_loop_run(loop) < 0)
        return 1;
    s = bench_stop(s);
    if (fired != 2 * n)
        return 1;
    printf("{\"add\":%.2f,\"cancel\":%.2f,\"rearm_and_fire\":%.2f,\"fire\":%.2f}\n",
           (double)bench_median(add, PASSES) / (double)n,
           (double)bench_median(cancel, PASSES) / (double)n, (double)both.cpu / (double)n,
           (double)s.cpu / (double)n);
    cel_loop_close(loop);
}
