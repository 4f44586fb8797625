/* SPDX-License-Identifier: MIT */
/* Closed-loop echo load: echo_load PORT CONNECTIONS WARMUP_MS MEASURE_MS [SERVER_PID [BYTES]].
 *
 * Every connection has one message in flight; the reply is compared byte for byte and the next
 * message leaves at once. All connections are open before the warm-up begins, and the server's
 * CPU clock is read at the two ends of the measured stretch, so neither connecting nor
 * warming up counts. One line of JSON goes to stdout. */
#include "../floor/listen.h"
#include "histogram.h"
#include "server_cpu.h"

#include <errno.h>
#include <sys/epoll.h>

enum { MAX_CONNS = 20000, MAX_BYTES = 65536, BATCH = 256 };

struct conn {
    int fd;
    int got; /* bytes of the reply in hand */
    int64_t sent_at;
    uint64_t serial;
};

static struct conn conns[MAX_CONNS];
static struct hist latency;
static char message[MAX_BYTES];
static int bytes = 64;
static int poller;

/* The serial number at the front makes each message differ from the one before. */
static void say(struct conn *c)
{
    c->serial++;
    c->got = 0;
    memcpy(message, &c->serial, sizeof c->serial);
    c->sent_at = bench_wall_ns();
    if (send(c->fd, message, (size_t)bytes, MSG_NOSIGNAL) != bytes)
        bench_die("send");
}

static void check(struct conn *c, const char *reply, int n)
{
    memcpy(message, &c->serial, sizeof c->serial);
    if (n > bytes - c->got || memcmp(reply, message + c->got, (size_t)n) != 0) {
        fprintf(stderr, "the reply differs from the message\n");
        exit(1);
    }
}

/* 1 when a reply became complete. */
static int hear(struct conn *c)
{
    char reply[MAX_BYTES];
    ssize_t n = recv(c->fd, reply, sizeof reply, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        bench_die("a connection ended");
    check(c, reply, (int)n);
    c->got += (int)n;
    return c->got == bytes;
}

static void open_all(long port, int count)
{
    struct sockaddr_in to = bench_loopback(port);

    for (int i = 0; i < count; i++) {
        struct conn *c = &conns[i];
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
            bench_die("connect");
        bench_nodelay(c->fd);
        if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &ev) < 0)
            bench_die("epoll_ctl");
    }
}

/* Runs the loop until the clock passes `until`; returns the replies completed. */
static uint64_t drive(int64_t until)
{
    struct epoll_event ev[BATCH];
    uint64_t replies = 0;

    for (;;) {
        int n = epoll_wait(poller, ev, BATCH, 5000);
        int64_t now;

        if (n <= 0)
            bench_die("the server went silent");
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            if (!hear(c))
                continue;
            hist_add(&latency, bench_wall_ns() - c->sent_at);
            replies++;
            say(c);
        }
        now = bench_wall_ns();
        if (now >= until)
            return replies;
    }
}

int main(int argc, char **argv)
{
    int count = (int)bench_arg(argc, argv, 2, 50);
    long warm_ms = bench_arg(argc, argv, 3, 200), measure_ms = bench_arg(argc, argv, 4, 1000);
    long pid = bench_arg(argc, argv, 5, 0);
    struct bench_span mine;
    int64_t theirs;
    uint64_t replies;

    bytes = (int)bench_arg(argc, argv, 6, 64);
    if (count < 1 || count > MAX_CONNS || bytes < 8 || bytes > MAX_BYTES)
        return 2;
    memset(message, 'x', sizeof message);
    poller = epoll_create1(EPOLL_CLOEXEC);
    open_all(bench_arg(argc, argv, 1, 7000), count);
    for (int i = 0; i < count; i++)
        say(&conns[i]);
    drive(bench_wall_ns() + warm_ms * 1000000);

    memset(&latency, 0, sizeof latency);
    theirs = server_cpu_ns(pid);
    mine = bench_start();
    replies = drive(mine.wall + measure_ms * 1000000);
    mine = bench_stop(mine);
    theirs = server_cpu_ns(pid) - theirs;

    printf("{\"done\":%llu,\"wall_ns\":%lld,\"load_cpu_ns\":%lld,\"server_cpu_ns\":%lld,"
           "\"p50_ns\":%.0f,\"p99_ns\":%.0f}\n",
           (unsigned long long)replies, (long long)mine.wall, (long long)mine.cpu,
           (long long)theirs, hist_quantile(&latency, 0.5), hist_quantile(&latency, 0.99));
}
