/* SPDX-License-Identifier: MIT */
/* The least that two threads can do, without loops and tasks: cores_threads wake N | ports N.
 *
 * hot: each looks at a word that the other writes; cold: each reads an eventfd that the other
 * writes. ports: a ring under a mutex, with conditions for empty and full. */
#include "../report.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STRETCHES = 51, SLOTS = 1024, SENDERS = 3 };

static long count;
static bool is_hot;
static int fds[2];
static struct {
    long word; /* atomic */
    char apart[120];
} words[2];

static void must(bool ok)
{
    if (ok)
        return;
    fprintf(stderr, "a call failed\n");
    exit(1);
}

static void pin(int nth)
{
    cpu_set_t may, one;

    must(sched_getaffinity(0, sizeof may, &may) == 0);
    nth %= CPU_COUNT(&may);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && nth-- == 0)
            CPU_SET(cpu, &one);
    must(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
}

static void say(int to, long what)
{
    uint64_t one = 1;

    if (is_hot)
        __atomic_store_n(&words[to].word, what, __ATOMIC_RELEASE);
    else
        must(write(fds[to], &one, sizeof one) == sizeof one);
}

static void hear(int me, long what)
{
    uint64_t n;

    if (!is_hot)
        must(read(fds[me], &n, sizeof n) == sizeof n);
    for (long i = 1; is_hot && __atomic_load_n(&words[me].word, __ATOMIC_ACQUIRE) != what; i++)
        if (i % 20000 == 0)
            (void)sched_yield(); /* others may have the other's core */
}

static void *answer(void *arg)
{
    pin(1);
    for (long i = 1; i <= count; i++) {
        hear(1, i);
        say(0, i);
    }
    return arg;
}

static double wake(bool hot)
{
    int64_t took[STRETCHES];
    long rounds = count / STRETCHES, n = 0;
    pthread_t thread;

    is_hot = hot;
    count = rounds * STRETCHES;
    words[0].word = words[1].word = 0;
    must(pthread_create(&thread, NULL, answer, NULL) == 0);
    for (int i = 0; i < STRETCHES; i++) {
        int64_t from = bench_wall_ns();

        for (long j = 0; j < rounds; j++) {
            say(1, ++n);
            hear(0, n);
        }
        took[i] = bench_wall_ns() - from;
    }
    pthread_join(thread, NULL);
    return (double)bench_median(took, STRETCHES) / (double)(2 * rounds);
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t has_message, has_room;
    void *slots[SLOTS];
    unsigned head, used;
} ring = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, 0};

static void *put_all(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        pthread_mutex_lock(&ring.lock);
        while (ring.used == SLOTS)
            pthread_cond_wait(&ring.has_room, &ring.lock);
        ring.slots[(ring.head + ring.used) % SLOTS] = arg;
        if (ring.used++ == 0)
            pthread_cond_signal(&ring.has_message);
        pthread_mutex_unlock(&ring.lock);
    }
    return NULL;
}

static double ports(int senders)
{
    pthread_t threads[SENDERS];
    long each = count / senders, all = each * senders;
    int64_t from = bench_wall_ns();

    for (int i = 0; i < senders; i++)
        must(pthread_create(&threads[i], NULL, put_all, (void *)each) == 0);
    for (long i = 0; i < all; i++) {
        pthread_mutex_lock(&ring.lock);
        while (ring.used == 0)
            pthread_cond_wait(&ring.has_message, &ring.lock);
        ring.head = (ring.head + 1) % SLOTS;
        if (ring.used-- == SLOTS)
            pthread_cond_broadcast(&ring.has_room);
        pthread_mutex_unlock(&ring.lock);
    }
    for (int i = 0; i < senders; i++)
        pthread_join(threads[i], NULL);
    return (double)(bench_wall_ns() - from) / (double)all;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";

    count = bench_arg(argc, argv, 2, 1000000);
    must((fds[0] = eventfd(0, EFD_CLOEXEC)) >= 0 && (fds[1] = eventfd(0, EFD_CLOEXEC)) >= 0);
    if (strcmp(mode, "wake") == 0) {
        double hot;

        pin(0);
        hot = wake(true);
        count /= 10;
        printf("{\"hot\":%.1f,\"cold\":%.1f}\n", hot, wake(false));
    } else if (strcmp(mode, "ports") == 0) {
        double one = ports(1);

        printf("{\"one\":%.1f,\"many\":%.1f}\n", one, ports(SENDERS));
    } else {
        return 2;
    }
    return 0;
}
