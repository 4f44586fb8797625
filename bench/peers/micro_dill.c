/* SPDX-License-Identifier: MIT */
/* libdill: micro_dill yield|spawn|tasks|channel N [TASKS].
 * A million of its own stacks need two mappings each, more than Linux grants a process; so those of
 * `tasks` lie in one mapping of ours, by go_mem, without guards. */
#include "../report.h"

#include <libdill.h>
#include <sys/mman.h>

enum { STACK = 64 * 1024 };

static void must(int r)
{
    if (r >= 0)
        return;
    perror("libdill");
    exit(1);
}

static coroutine void take_turns(long n)
{
    for (long i = 0; i < n; i++)
        must(yield());
}

static void run_yield(long n, long tasks)
{
    int all = bundle();
    struct bench_span s;

    must(all);
    s = bench_start();
    for (long i = 0; i < tasks; i++)
        must(bundle_go(all, take_turns(n / tasks)));
    must(bundle_wait(all, -1));
    s = bench_stop(s);
    must(hclose(all));
    printf("{\"yield\":%.3f}\n", (double)s.cpu / (double)n);
}

static coroutine void nothing(void)
{
}

/* A new coroutine runs at once, so there are never many empty ones alive. */
static void run_spawn(long n)
{
    struct bench_span s;
    int all = bundle();

    must(all);
    must(bundle_go(all, nothing()));
    must(bundle_wait(all, -1));
    s = bench_start();
    for (long i = 0; i < n; i++) {
        must(bundle_go(all, nothing()));
        must(bundle_wait(all, -1));
    }
    s = bench_stop(s);
    must(hclose(all));
    printf("{\"one\":%.3f}\n", (double)s.cpu / (double)n);
}

static long woken;

/* EPIPE: it rings. */
static coroutine void await_bell(int bell, int leave)
{
    char byte;

    woken += chrecv(bell, &byte, 1, -1) < 0;
    (void)chrecv(leave, &byte, 1, -1);
}

static void run_tasks(long n)
{
    char *stacks = mmap(NULL, (size_t)n * STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct bench_span spawn, wake, end;
    long before, parked;
    int bell[2], leave[2], all = bundle();

    must(stacks == MAP_FAILED ? -1 : 0);
    must(madvise(stacks, (size_t)n * STACK, MADV_NOHUGEPAGE));
    must(all);
    must(chmake(bell));
    must(chmake(leave));
    before = bench_rss_kib();
    spawn = bench_start();
    for (long i = 0; i < n; i++)
        must(bundle_go_mem(all, await_bell(bell[0], leave[0]), stacks + i * STACK, STACK));
    must(yield());
    spawn = bench_stop(spawn);
    parked = bench_rss_kib();
    wake = bench_start();
    must(chdone(bell[1]));
    while (woken < n)
        must(yield());
    wake = bench_stop(wake);
    end = bench_start();
    must(chdone(leave[1]));
    must(bundle_wait(all, -1));
    end = bench_stop(end);
    bench_report_tasks(n, spawn, parked - before, wake, end);
}

static coroutine void receive(int channel, long n)
{
    void *word;

    for (long i = 0; i < n; i++)
        must(chrecv(channel, &word, sizeof word, -1));
}

/* Its channels have no slots. */
static void run_channel(long n)
{
    struct bench_span s;
    void *word = NULL;
    int ends[2], receiver;

    must(chmake(ends));
    must(receiver = go(receive(ends[0], n)));
    s = bench_start();
    for (long i = 0; i < n; i++)
        must(chsend(ends[1], &word, sizeof word, -1));
    s = bench_stop(s);
    must(hclose(receiver));
    printf("{\"rendezvous\":%.3f}\n", (double)s.cpu / (double)n);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = bench_arg(argc, argv, 2, 1000000), tasks = bench_arg(argc, argv, 3, 2);

    if (strcmp(mode, "yield") == 0)
        run_yield(n, tasks);
    else if (strcmp(mode, "spawn") == 0)
        run_spawn(n);
    else if (strcmp(mode, "tasks") == 0)
        run_tasks(n);
    else if (strcmp(mode, "channel") == 0)
        run_channel(n);
    else
        return 2;
}
