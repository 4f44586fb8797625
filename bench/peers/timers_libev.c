/* SPDX-License-Identifier: MIT */
/* libev's timers: timers_libev timers N. Adds N due in 1 to 61 s, stops all, adds all again due
 * within a second and lets them fire; then once more, running the loop when all are overdue. */
#include "../report.h"

#include <unistd.h>

#include <ev.h>

enum { PASSES = 5 };

static long fired;

static void on_timer(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop, (void)t, (void)events;
    fired++;
}

int main(int argc, char **argv)
{
    long n = bench_arg(argc, argv, 2, 1000000);
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_timer *all = calloc((size_t)n, sizeof *all);
    double *after = calloc((size_t)n, sizeof *after);
    int64_t add[PASSES], cancel[PASSES];
    struct bench_span s, both;
    uint64_t seed = 88172645463325252u;

    for (long i = 0; i < n; i++) {
        after[i] = 1 + (double)(bench_rand(&seed) % 60000000) / 1e6;
        ev_timer_init(&all[i], on_timer, 0, 0);
    }
    ev_now_update(loop);
    for (int pass = 0; pass < PASSES; pass++) {
        s = bench_start();
        for (long i = 0; i < n; i++) {
            ev_timer_set(&all[i], after[i], 0);
            ev_timer_start(loop, &all[i]);
        }
        add[pass] = bench_stop(s).cpu;
        s = bench_start();
        for (long i = 0; i < n; i++)
            ev_timer_stop(loop, &all[i]);
        cancel[pass] = bench_stop(s).cpu;
    }

    for (long i = 0; i < n; i++)
        after[i] = (double)(bench_rand(&seed) % 1000000) / 1e6;
    ev_now_update(loop);
    s = bench_start();
    for (long i = 0; i < n; i++) {
        ev_timer_set(&all[i], after[i], 0);
        ev_timer_start(loop, &all[i]);
    }
    ev_run(loop, 0);
    both = bench_stop(s);

    ev_now_update(loop);
    for (long i = 0; i < n; i++) {
        ev_timer_set(&all[i], after[i], 0);
        ev_timer_start(loop, &all[i]);
    }
    usleep(1100000); /* all are due before the first fires */
    s = bench_start();
    ev_run(loop, 0);
    s = bench_stop(s);
    if (fired != 2 * n)
        return 1;
    printf("{\"add\":%.2f,\"cancel\":%.2f,\"rearm_and_fire\":%.2f,\"fire\":%.2f}\n",
           (double)bench_median(add, PASSES) / (double)n,
           (double)bench_median(cancel, PASSES) / (double)n, (double)both.cpu / (double)n,
           (double)s.cpu / (double)n);
}
