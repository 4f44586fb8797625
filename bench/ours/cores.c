/* SPDX-License-Identifier: MIT */
/* What loops on different cores say to each other: ours_cores wake N | ports N.
 *
 * wake: a token goes to and fro between two pinned loops; hot: both look for messages before they
 * sleep; cold: each sleeps in the kernel until the other's message comes; near: so, too, but both
 * loops are on one core, so that no core has to be woken. Wall time of one way, the
 * median of many short stretches. ports: messages through a port, from one loop and from three. */
#include "../report.h"

#include <celadon/workers.h>
#include <sched.h>

enum { STRETCHES = 51, SLOTS = 1024, SENDERS = 3 };

static long count;
static struct cel_port *ports[2];
static int ready; /* atomic */
static double result;

static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "a call failed\n");
    exit(1);
}

/* Nobody begins before all ports are there. */
static void meet(void)
{
    int all = (int)cel_worker_count();

    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < all)
        must(cel_sleep(CEL_MILLISECOND) == 0);
}

/* ---- wake ---- */

static void to_and_fro(unsigned me, long rounds)
{
    void *token = NULL;

    for (long i = 0; i < rounds; i++) {
        if (me == 0)
            must(cel_port_send(ports[1], &token) == 0);
        must(cel_port_receive(ports[me], &token) == 0);
        if (me == 1)
            must(cel_port_send(ports[0], &token) == 0);
    }
}

static void *run_wake(void *arg)
{
    unsigned me = cel_worker_index();
    long rounds = count / STRETCHES;
    int64_t took[STRETCHES];

    must(cel_port_new(&ports[me], sizeof(void *), SLOTS) == 0);
    meet();
    to_and_fro(me, rounds);
    for (int i = 0; i < STRETCHES; i++) {
        int64_t from = bench_wall_ns();

        to_and_fro(me, rounds);
        took[i] = bench_wall_ns() - from;
    }
    if (me == 0)
        result = (double)bench_median(took, STRETCHES) / (double)(2 * rounds);
    return NULL;
}

/* ---- ports ---- */

static void *run_ports(void *arg)
{
    unsigned me = cel_worker_index(), senders = cel_worker_count() - 1;
    long each = count / senders;
    void *word = NULL;
    int64_t from;

    if (me == 0)
        must(cel_port_new(&ports[0], sizeof word, SLOTS) == 0);
    meet();
    from = bench_wall_ns();
    for (long i = 0; me != 0 && i < each; i++)
        must(cel_port_send(ports[0], &word) == 0);
    for (long i = 0; me == 0 && i < each * senders; i++)
        must(cel_port_receive(ports[0], &word) == 0);
    if (me == 0)
        result = (double)(bench_wall_ns() - from) / (double)(each * senders);
    return NULL;
}

static double run(cel_task_fn *fn, unsigned workers, int64_t spin)
{
    struct cel_loop_options loop = {.spin = spin};
    struct cel_workers_options options = {
        .count = workers, .is_pinned = workers == 2, .loop = &loop};

    ready = 0;
    must(cel_run_workers(&options, fn, NULL) == 0);
    cel_port_free(ports[0]);
    cel_port_free(ports[1]);
    ports[0] = ports[1] = NULL;
    return result;
}

/* All that follows is on the first core. */
static void stay_on_one(void)
{
    cpu_set_t may, one;
    int cpu = 0;

    must(sched_getaffinity(0, sizeof may, &may) == 0);
    while (!CPU_ISSET(cpu, &may))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    must(sched_setaffinity(0, sizeof one, &one) == 0);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    count = bench_arg(argc, argv, 2, 1000000);
    if (strcmp(mode, "wake") == 0) {
        double hot = run(run_wake, 2, CEL_MILLISECOND), cold;

        count /= 10;
        cold = run(run_wake, 2, 0);
        stay_on_one();
        printf("{\"hot\":%.1f,\"cold\":%.1f,\"near\":%.1f}\n", hot, cold, run(run_wake, 2, 0));
    } else if (strcmp(mode, "ports") == 0) {
        double one = run(run_ports, 2, 0);

        printf("{\"one\":%.1f,\"many\":%.1f}\n", one, run(run_ports, 1 + SENDERS, 0));
    } else {
        return 2;
    }
    return 0;
}
