/* SPDX-License-Identifier: MIT */
/* State Threads: micro_st yield|spawn|tasks N [TASKS].
 * Its 1.9 has no yield; a ring of condition variables hands the turn on instead. */
#include "../report.h"

#include <st.h>

enum { STACK = 64 * 1024 };

static st_cond_t *ring;
static long ring_len, turns_left;

static void *take_turns(void *arg)
{
    long me = (long)arg;

    while (turns_left > 0) {
        turns_left--;
        st_cond_signal(ring[(me + 1) % ring_len]);
        st_cond_wait(ring[me]);
    }
    st_cond_signal(ring[(me + 1) % ring_len]);
    return NULL;
}

static void run_yield(long n, long tasks)
{
    st_thread_t *all = calloc((size_t)tasks, sizeof *all);
    struct bench_span s;

    ring = calloc((size_t)tasks, sizeof *ring);
    ring_len = tasks;
    turns_left = n;
    for (long i = 0; i < tasks; i++)
        ring[i] = st_cond_new();
    for (long i = 0; i < tasks; i++)
        all[i] = st_thread_create(take_turns, (void *)i, 1, STACK);
    s = bench_start();
    for (long i = 0; i < tasks; i++)
        st_thread_join(all[i], NULL);
    s = bench_stop(s);
    printf("{\"yield\":%.3f}\n", (double)s.cpu / (double)n);
}

static void *nothing(void *arg)
{
    return arg;
}

static void run_spawn(long n, long alive)
{
    st_thread_t *all = calloc((size_t)alive, sizeof *all);
    struct bench_span one, many = {0};

    st_thread_join(st_thread_create(nothing, NULL, 1, STACK), NULL);
    one = bench_start();
    for (long i = 0; i < n; i++)
        st_thread_join(st_thread_create(nothing, NULL, 1, STACK), NULL);
    one = bench_stop(one);
    for (long round = 0; round <= n / alive; round++) {
        if (round == 1) /* the first one warms up */
            many = bench_start();
        for (long i = 0; i < alive; i++)
            all[i] = st_thread_create(nothing, NULL, 1, STACK);
        for (long i = 0; i < alive; i++)
            st_thread_join(all[i], NULL);
    }
    many = bench_stop(many);
    printf("{\"one\":%.3f,\"many\":%.3f}\n", (double)one.cpu / (double)n,
           (double)many.cpu / (double)(n / alive * alive));
}

static st_cond_t bell, leave;
static long woken;

static void *await_bell(void *arg)
{
    st_cond_wait(bell);
    woken++;
    st_cond_wait(leave);
    return arg;
}

static void run_tasks(long n)
{
    st_thread_t *all = calloc((size_t)n, sizeof *all);
    struct bench_span spawn, wake, end;
    long before, parked;

    bell = st_cond_new();
    leave = st_cond_new();
    before = bench_rss_kib();
    spawn = bench_start();
    for (long i = 0; i < n; i++)
        if ((all[i] = st_thread_create(await_bell, NULL, 1, STACK)) == NULL) {
            fprintf(stderr, "thread %ld of %ld could not be made\n", i, n);
            exit(1);
        }
    st_usleep(1);
    spawn = bench_stop(spawn);
    parked = bench_rss_kib();
    wake = bench_start();
    st_cond_broadcast(bell);
    while (woken < n)
        st_usleep(0);
    wake = bench_stop(wake);
    end = bench_start();
    st_cond_broadcast(leave);
    for (long i = 0; i < n; i++)
        st_thread_join(all[i], NULL);
    end = bench_stop(end);
    bench_report_tasks(n, spawn, parked - before, wake, end);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = bench_arg(argc, argv, 2, 1000000), tasks = bench_arg(argc, argv, 3, 2);

    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_init() < 0)
        return 1;
    if (strcmp(mode, "yield") == 0)
        run_yield(n, tasks);
    else if (strcmp(mode, "spawn") == 0)
        run_spawn(n, tasks);
    else if (strcmp(mode, "tasks") == 0)
        run_tasks(n);
    else
        return 2;
}
