/* SPDX-License-Identifier: MIT */
/* A pool of green threads: nine jobs, three at a time. Who spawns into a full pool parks until one
 * of its tasks has ended, so that a list of any length never becomes as many tasks. */
#include <stdio.h>

#include <celadon/pool.h>

static int running, most;

static void *job(void *arg)
{
    int r;

    if (++running > most)
        most = running;
    r = cel_sleep(CEL_MILLISECOND);
    running--; /* no lock: nothing else runs between two calls that park */
    return r < 0 ? cel_fail(r, "working") : arg;
}

static void *main_task(void *arg)
{
    struct cel_pool *pool;
    int r = cel_pool_new(&pool, 3);

    if (r < 0)
        return cel_fail(r, "making a pool");
    for (int i = 0; i < 9 && r == 0; i++) {
        r = cel_pool_spawn(pool, job, NULL, NULL); /* parks while three run */
        printf("job %d begins\n", i);
    }
    if (r == 0)
        r = cel_pool_join(pool);
    printf("at most %d at a time\n", most);
    cel_pool_free(pool);
    return r < 0 ? cel_fail(r, "running the jobs") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
