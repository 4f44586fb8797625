/* SPDX-License-Identifier: MIT */
/* What tasks wait for each other with: ours_sync lock|channel|future N. */
#include "../report.h"

#include <celadon/chan.h>
#include <celadon/shared.h>
#include <celadon/sync.h>

enum { WIDTH = 100, SLOTS = 128 };

static long count;

static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "a call failed\n");
    exit(1);
}

static struct cel_task *spawn(cel_task_fn *fn, void *arg)
{
    struct cel_task *t = cel_spawn(fn, arg);

    must(t != NULL);
    return t;
}

/* lock: taken and released, by a task that has it to itself; and one that other loops may have */

static void *run_lock(void *arg)
{
    static struct cel_shared_lock shared;
    static struct cel_lock lock;
    struct bench_span own = bench_start(), others;

    for (long i = 0; i < count; i++) {
        must(cel_lock_acquire(&lock) == 0);
        cel_lock_release(&lock);
    }
    own = bench_stop(own);
    others = bench_start();
    for (long i = 0; i < count / 10; i++) {
        must(cel_shared_lock_acquire(&shared) == 0);
        cel_shared_lock_release(&shared);
    }
    others = bench_stop(others);
    printf("{\"lock\":%.3f,\"shared\":%.3f}\n", (double)own.cpu / (double)count,
           (double)others.cpu / (double)(count / 10));
    return arg;
}

/* channel: a word from one task to another */

static void *receive(void *arg)
{
    void *word;

    for (long i = 0; i < count; i++)
        must(cel_chan_recv(arg, &word) == 0);
    return NULL;
}

static double send_through(size_t slots)
{
    struct cel_chan *chan;
    struct cel_task *receiver;
    struct bench_span s;
    void *word = NULL;

    must(cel_chan_new(&chan, sizeof word, slots) == 0);
    receiver = spawn(receive, chan);
    s = bench_start();
    for (long i = 0; i < count; i++)
        must(cel_chan_send(chan, &word) == 0);
    must(cel_join(receiver, NULL) == 0);
    s = bench_stop(s);
    cel_chan_free(chan);
    return (double)s.cpu / (double)count;
}

static void *run_channel(void *arg)
{
    double meeting = send_through(0), buffered = send_through(SLOTS);

    printf("{\"rendezvous\":%.3f,\"buffered\":%.3f}\n", meeting, buffered);
    return arg;
}

/* future: set, and the one who awaits it runs and awaits the next */

static struct cel_future **futures;

static void *await_own(void *arg)
{
    for (long i = (long)arg; i < count; i += WIDTH)
        must(cel_await(futures[i], NULL) == 0);
    return NULL;
}

static void *run_future(void *arg)
{
    struct bench_span s;

    count -= count % WIDTH;
    futures = calloc((size_t)count, sizeof *futures);
    must(futures != NULL);
    for (long i = 0; i < count; i++)
        must((futures[i] = cel_future_new()) != NULL);
    for (long i = 0; i < WIDTH; i++)
        (void)spawn(await_own, (void *)i);
    cel_yield();
    s = bench_start();
    for (long i = 0; i < count; i++) {
        cel_future_set(futures[i], NULL);
        if (i % WIDTH == WIDTH - 1)
            cel_yield();
    }
    s = bench_stop(s);
    printf("{\"wake\":%.3f}\n", (double)s.cpu / (double)count);
    return arg; /* the process ends: the futures may stay */
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    cel_task_fn *fn = strcmp(mode, "lock") == 0      ? run_lock
                      : strcmp(mode, "channel") == 0 ? run_channel
                      : strcmp(mode, "future") == 0  ? run_future
                                                     : NULL;

    count = bench_arg(argc, argv, 2, 1000000);
    if (fn == NULL)
        return 2;
    return cel_run(fn, NULL, NULL) < 0;
}
