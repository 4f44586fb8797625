/* SPDX-License-Identifier: MIT */
/* The least that two threads can do, without loops and tasks: cores_threads wake N WAY | ports N.
 *
 * hot: each looks at a word that the other writes; cold: each sleeps in the kernel until the other
 * wakes it, by a futex, an eventfd that is read, or one that epoll waits for (WAY: futex, read,
 * epoll); on two cores, and with both on one, where no core has to be woken. ports: a ring under a
 * mutex, with conditions for empty and full. */
#include "../report.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STRETCHES = 51, SLOTS = 1024, SENDERS = 3 };

enum way { BY_LOOKING, BY_FUTEX, BY_READ, BY_EPOLL };

static long count;
static cpu_set_t may; /* before any pinning: a thread inherits its maker's */
static enum way way;
static int fds[2], polls[2];
static struct {
    int word; /* atomic */
    char apart[124];
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
    cpu_set_t one;

    nth %= CPU_COUNT(&may);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && nth-- == 0)
            CPU_SET(cpu, &one);
    must(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
}

static void say(int to, int what)
{
    uint64_t one = 1;

    __atomic_store_n(&words[to].word, what, __ATOMIC_RELEASE);
    if (way == BY_FUTEX)
        must(syscall(SYS_futex, &words[to].word, FUTEX_WAKE_PRIVATE, 1, NULL) >= 0);
    else if (way != BY_LOOKING)
        must(write(fds[to], &one, sizeof one) == sizeof one);
}

static void sleep_until(int me, int what)
{
    int now = __atomic_load_n(&words[me].word, __ATOMIC_ACQUIRE);
    struct epoll_event event;
    uint64_t n;

    if (way == BY_FUTEX && now != what)
        (void)syscall(SYS_futex, &words[me].word, FUTEX_WAIT_PRIVATE, now, NULL);
    else if (way == BY_READ)
        must(read(fds[me], &n, sizeof n) == sizeof n);
    else if (way == BY_EPOLL)
        must(epoll_wait(polls[me], &event, 1, -1) == 1);
}

static void hear(int me, int what)
{
    for (long i = 1;
         way == BY_LOOKING && __atomic_load_n(&words[me].word, __ATOMIC_ACQUIRE) != what; i++)
        if (i % 20000 == 0)
            (void)sched_yield(); /* others may have the other's core */
    if (way == BY_LOOKING)
        return;
    do
        sleep_until(me, what);
    while (__atomic_load_n(&words[me].word, __ATOMIC_ACQUIRE) != what);
}

static void *answer(void *arg)
{
    pin(*(int *)arg);
    for (long i = 1; i <= count; i++) {
        hear(1, (int)i);
        say(0, (int)i);
    }
    return arg;
}

static double wake(enum way by, int other_core)
{
    int64_t took[STRETCHES];
    long rounds = count / STRETCHES, n = 0;
    pthread_t thread;

    way = by;
    count = rounds * STRETCHES;
    words[0].word = words[1].word = 0;
    must(pthread_create(&thread, NULL, answer, &other_core) == 0);
    for (int i = 0; i < STRETCHES; i++) {
        int64_t from = bench_wall_ns();

        for (long j = 0; j < rounds; j++) {
            say(1, (int)++n);
            hear(0, (int)n);
        }
        took[i] = bench_wall_ns() - from;
    }
    pthread_join(thread, NULL);
    return (double)bench_median(took, STRETCHES) / (double)(2 * rounds);
}

static enum way way_named(const char *name)
{
    if (strcmp(name, "futex") == 0)
        return BY_FUTEX;
    return strcmp(name, "read") == 0 ? BY_READ : BY_EPOLL;
}

static void open_ways(void)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    for (int i = 0; i < 2; i++) {
        must((fds[i] = eventfd(0, EFD_CLOEXEC)) >= 0);
        must((polls[i] = epoll_create1(EPOLL_CLOEXEC)) >= 0);
        must(epoll_ctl(polls[i], EPOLL_CTL_ADD, fds[i], &event) == 0);
    }
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
    must(sched_getaffinity(0, sizeof may, &may) == 0);
    if (strcmp(mode, "wake") == 0) {
        enum way by = way_named(argc > 3 ? argv[3] : "");
        double hot, cold;

        open_ways();
        pin(0);
        hot = wake(BY_LOOKING, 1);
        count /= 10;
        cold = wake(by, 1);
        printf("{\"hot\":%.1f,\"cold\":%.1f,\"near\":%.1f}\n", hot, cold, wake(by, 0));
    } else if (strcmp(mode, "ports") == 0) {
        double one = ports(1);

        printf("{\"one\":%.1f,\"many\":%.1f}\n", one, ports(SENDERS));
    } else {
        return 2;
    }
    return 0;
}
