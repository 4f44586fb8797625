/* SPDX-License-Identifier: MIT */
/* libuv's timers: timers_libuv timers N. The same steps as timers_libev; libuv rounds to ms. */
#include "../report.h"

#include <unistd.h>

#include <uv.h>

enum { PASSES = 5 };

static long fired;

static void on_timer(uv_timer_t *t)
{
    (void)t;
    fired++;
}

int main(int argc, char **argv)
{
    long n = bench_arg(argc, argv, 2, 1000000);
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *all = calloc((size_t)n, sizeof *all);
    uint64_t *after = calloc((size_t)n, sizeof *after);
    int64_t add[PASSES], cancel[PASSES];
    struct bench_span s, both;
    uint64_t seed = 88172645463325252u;

    for (long i = 0; i < n; i++) {
        after[i] = 1000 + bench_rand(&seed) % 60000;
        uv_timer_init(loop, &all[i]);
    }
    uv_update_time(loop);
    for (int pass = 0; pass < PASSES; pass++) {
        s = bench_start();
        for (long i = 0; i < n; i++)
            uv_timer_start(&all[i], on_timer, after[i], 0);
        add[pass] = bench_stop(s).cpu;
        s = bench_start();
        for (long i = 0; i < n; i++)
            uv_timer_stop(&all[i]);
        cancel[pass] = bench_stop(s).cpu;
    }

    for (long i = 0; i < n; i++)
        after[i] = bench_rand(&seed) % 1000;
    uv_update_time(loop);
    s = bench_start();
    for (long i = 0; i < n; i++)
        uv_timer_start(&all[i], on_timer, after[i], 0);
    uv_run(loop, UV_RUN_DEFAULT);
    both = bench_stop(s);

    uv_update_time(loop);
    for (long i = 0; i < n; i++)
        uv_timer_start(&all[i], on_timer, after[i], 0);
    usleep(1100000); /* all are due before the first fires */
    s = bench_start();
    uv_run(loop, UV_RUN_DEFAULT);
    s = bench_stop(s);
    if (fired != 2 * n)
        return 1;
    printf("{\"add\":%.2f,\"cancel\":%.2f,\"rearm_and_fire\":%.2f,\"fire\":%.2f}\n",
           (double)bench_median(add, PASSES) / (double)n,
           (double)bench_median(cancel, PASSES) / (double)n, (double)both.cpu / (double)n,
           (double)s.cpu / (double)n);
}
