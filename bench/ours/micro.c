/* SPDX-License-Identifier: MIT */
/* Tasks without IO: ours_micro yield|spawn|tasks|wake N [TASKS]. */
#include "../report.h"

#include <celadon/task.h>

static long count, width;

static void out_of_memory(void)
{
    fprintf(stderr, "a task could not be made\n");
    exit(1);
}

static struct cel_task *spawn(cel_task_fn *fn, void *arg)
{
    struct cel_task *t = cel_spawn(fn, arg);

    if (t == NULL)
        out_of_memory();
    return t;
}

static struct cel_task **room(long n)
{
    struct cel_task **all = calloc((size_t)n, sizeof *all);

    if (all == NULL)
        out_of_memory();
    return all;
}

static void join(struct cel_task *t)
{
    if (cel_join(t, NULL) < 0) {
        fprintf(stderr, "a task failed\n");
        exit(1);
    }
}

/* yield */

static void *yielder(void *arg)
{
    for (long k = 0; k < count / width; k++)
        cel_yield();
    return arg;
}

static void *run_yield(void *arg)
{
    struct cel_task **all = room(width);
    struct bench_span s = bench_start();

    for (long i = 0; i < width; i++)
        all[i] = spawn(yielder, NULL);
    for (long i = 0; i < width; i++)
        join(all[i]);
    s = bench_stop(s);
    printf("{\"yield\":%.3f}\n", (double)s.cpu / (double)count);
    free(all);
    return arg;
}

/* spawn */

static void *nothing(void *arg)
{
    return arg;
}

static struct bench_span spawn_many(struct cel_task **all, long n, long rounds)
{
    struct bench_span s = bench_start();

    for (long k = 0; k < rounds; k++) {
        for (long i = 0; i < n; i++)
            all[i] = spawn(nothing, NULL);
        for (long i = 0; i < n; i++)
            join(all[i]);
    }
    return bench_stop(s);
}

static void *run_spawn(void *arg)
{
    struct cel_task **all = room(width);
    struct bench_span one, many;

    join(spawn(nothing, NULL));
    one = bench_start();
    for (long i = 0; i < count; i++)
        join(spawn(nothing, NULL));
    one = bench_stop(one);
    spawn_many(all, width, 1);
    many = spawn_many(all, width, count / width);
    printf("{\"one\":%.3f,\"many\":%.3f}\n", (double)one.cpu / (double)count,
           (double)many.cpu / (double)(count / width * width));
    free(all);
    return arg;
}

/* tasks */

static struct cel_future *bell, *leave;
static long woken;

static void *await_bell(void *arg)
{
    if (cel_await(bell, NULL) < 0)
        return NULL;
    woken++;
    return cel_await(leave, NULL) < 0 ? NULL : arg;
}

static void *run_tasks(void *arg)
{
    struct cel_task **all = room(count);
    struct bench_span made, wake, end;
    long before, parked;

    bell = cel_future_new();
    leave = cel_future_new();
    memset(all, 1, (size_t)count * sizeof *all); /* its pages are not the tasks' */
    before = bench_rss_kib();
    made = bench_start();
    for (long i = 0; i < count; i++)
        all[i] = spawn(await_bell, NULL);
    cel_yield();
    made = bench_stop(made);
    parked = bench_rss_kib();

    wake = bench_start();
    cel_future_set(bell, NULL);
    while (woken < count)
        cel_yield();
    wake = bench_stop(wake);
    end = bench_start();
    cel_future_set(leave, NULL);
    for (long i = 0; i < count; i++)
        join(all[i]);
    end = bench_stop(end);
    bench_report_tasks(count, made, parked - before, wake, end);
    cel_future_free(bell);
    cel_future_free(leave);
    free(all);
    return arg;
}

/* wake */

enum { BELLS = 10000 };

static struct cel_future *bells[BELLS];

/* Task i waits for bell i, then for the next one of its own. */
static void *hear_bells(void *arg)
{
    for (struct cel_future **bell = arg; bell < bells + BELLS; bell += width)
        if (cel_await(*bell, NULL) < 0)
            return NULL;
    return arg;
}

static int64_t ring_all(struct cel_task **all)
{
    struct bench_span s;

    for (long i = 0; i < BELLS; i++)
        if ((bells[i] = cel_future_new()) == NULL)
            out_of_memory();
    for (long i = 0; i < width; i++)
        all[i] = spawn(hear_bells, &bells[i]);
    cel_yield();
    s = bench_start();
    for (long i = 0; i < BELLS; i += width) {
        for (long k = 0; k < width; k++)
            cel_future_set(bells[i + k], NULL);
        cel_yield();
    }
    s = bench_stop(s);
    for (long i = 0; i < width; i++)
        join(all[i]);
    for (long i = 0; i < BELLS; i++)
        cel_future_free(bells[i]);
    return s.cpu;
}

static void *run_wake(void *arg)
{
    long rounds = count / BELLS + 1;
    int64_t *ns = calloc((size_t)rounds, sizeof *ns);
    struct cel_task **all = room(width);

    if (ns == NULL || BELLS % width != 0)
        out_of_memory();
    for (long i = 0; i < rounds; i++)
        ns[i] = ring_all(all);
    printf("{\"wake\":%.2f}\n", (double)bench_median(ns, (size_t)rounds) / BELLS);
    free(all);
    free(ns);
    return arg;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    cel_task_fn *fn = strcmp(mode, "yield") == 0   ? run_yield
                      : strcmp(mode, "spawn") == 0 ? run_spawn
                      : strcmp(mode, "tasks") == 0 ? run_tasks
                      : strcmp(mode, "wake") == 0  ? run_wake
                                                   : NULL;

    count = bench_arg(argc, argv, 2, 1000000);
    width = bench_arg(argc, argv, 3, 2);
    if (fn == NULL)
        return 2;
    return cel_run(fn, NULL, NULL) < 0;
}
