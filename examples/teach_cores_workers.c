/* SPDX-License-Identifier: MIT */
/* Many cores: a loop on each of four threads, which share nothing. The first asks the others to
 * count the primes of their part and awaits the answers as futures of its own loop. */
#include <stdio.h>

#include <celadon/workers.h>

#define LIMIT 20000L

/* On the loop of a worker: every part has its share of small and of large numbers. */
static void *count_primes(void *arg)
{
    long count = 0;

    for (long n = 2 + (long)cel_worker_index(); n < LIMIT; n += cel_worker_count()) {
        long d = 2;

        while (d * d <= n && n % d != 0)
            d++;
        count += d * d > n;
        if (n % 64 == 0 && cel_checkpoint() < 0) /* a computation that can be cancelled */
            return cel_fail(-ECANCELED, "counting");
    }
    return (void *)count;
}

static void *main_task(void *arg)
{
    struct cel_future *counts[4];
    void *values[4];
    long total = 0;
    int r;

    if (cel_worker_index() != 0)
        return NULL; /* its loop goes on answering the first */
    for (unsigned i = 0; i < 4; i++)
        counts[i] = cel_spawn_on(cel_worker_loop(i), count_primes, NULL);
    r = cel_gather(counts, 4, values);
    for (int i = 0; i < 4; i++) {
        if (r == 0)
            total += (long)values[i];
        cel_future_free(counts[i]);
    }
    if (r < 0)
        return cel_fail(r, "asking the others");
    printf("%ld primes below %ld, counted on %u threads\n", total, LIMIT, cel_worker_count());
    return arg;
}

int main(void)
{
    return cel_run_workers(&(struct cel_workers_options){.count = 4}, main_task, NULL) < 0;
}
