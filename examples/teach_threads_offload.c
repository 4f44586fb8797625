/* SPDX-License-Identifier: MIT */
/* Work that computes goes to a thread and comes back as a future; the loop goes on meanwhile. Four
 * parts of one sum run on the threads of the pool while a task of the loop keeps ticking. */
#include <stdio.h>

#include <celadon/offload.h>

struct part {
    long from, to, sum;
};

/* On a thread of the pool: no loop, no tasks here, and nobody else has this part. */
static void *add_up(void *arg)
{
    struct part *p = arg;

    for (long n = p->from; n < p->to; n++)
        p->sum += n;
    return p;
}

static long ticks;

static void *tick(void *arg)
{
    while (cel_yield() == 0)
        ticks++;
    return arg; /* cancelled: the sum is there */
}

static void *main_task(void *arg)
{
    struct part parts[4];
    struct cel_future *sums[4];
    struct cel_task *ticking = cel_spawn(tick, NULL);
    long total = 0;
    int r;

    for (int i = 0; i < 4; i++) {
        parts[i] = (struct part){i * 1000000L, (i + 1) * 1000000L, 0};
        sums[i] = cel_offload(add_up, &parts[i]);
    }
    r = cel_gather_outcomes(sums, 4, NULL, NULL); /* all have ended: parts may go */
    cel_task_cancel(ticking);
    for (int i = 0; i < 4; i++) {
        total += parts[i].sum;
        cel_future_free(sums[i]);
    }
    printf("%ld\nthe loop %s\n", total, ticks > 0 ? "ran meanwhile" : "stood still");
    return r < 0 ? cel_fail(r, "adding up") : arg;
}

int main(void)
{
    return cel_run(main_task, NULL, NULL) < 0;
}
