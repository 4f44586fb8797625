/* SPDX-License-Identifier: MIT */
/* Servers against each other in short bursts that alternate:
 * pairs echo|http CONNECTIONS BURST_MS ROUNDS PORT PID PORT PID [PORT PID...].
 *
 * All servers run all the time and have their connections; in each round every one of them is
 * loaded for one burst, closed loop, one message in flight per connection, and the others wait. A
 * third of a burst warms up; over the rest the server's CPU clock is read, until the last reply is
 * in. So the two figures of a ratio are milliseconds apart, and what disturbs the machine for
 * longer disturbs both. The order within a round is drawn anew.
 *
 * Printed: the median CPU time of each server per request, and for each but the first the first
 * one's share of it: the median of the rounds' ratios and its quartiles. */
#include "../floor/listen.h"
#include "server_cpu.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>

enum { MAX_SERVERS = 8, MAX_CONNS = 4096, MAX_ROUNDS = 1000, MAX_REPLY = 4096, BATCH = 256 };

struct conn {
    int fd;
    size_t got; /* bytes of the reply in hand */
};

struct server {
    long port, pid;
    int poller;
    size_t reply_len; /* as the first one was */
    struct conn conns[MAX_CONNS];
    int owed;                   /* replies under way */
    int64_t picos[MAX_ROUNDS];  /* CPU time per request */
    int64_t shares[MAX_ROUNDS]; /* the first server's, in millionths of this one's */
};

static struct server servers[MAX_SERVERS];
static int server_count, conn_count;
static bool is_http;
static char message[256];
static size_t message_len;

static void say(struct server *s, struct conn *c)
{
    c->got = 0;
    s->owed++;
    if (send(c->fd, message, message_len, MSG_NOSIGNAL) != (ssize_t)message_len)
        bench_die("send");
}

static void bad(const char *reply)
{
    fprintf(stderr, "unexpected reply: %.60s\n", reply);
    exit(1);
}

/* Of a whole first reply. */
static size_t length_of(char *reply, size_t len)
{
    char *end, *length;

    if (!is_http)
        return message_len;
    reply[len] = '\0';
    end = strstr(reply, "\r\n\r\n");
    length = strcasestr(reply, "\r\nContent-Length:");
    if (end == NULL || length == NULL)
        bad(reply);
    return (size_t)(end + 4 - reply) + strtoul(length + 17, NULL, 10);
}

static void check(const struct server *s, const struct conn *c, const char *reply, size_t n)
{
    if (c->got + n > s->reply_len)
        bad(reply);
    if (!is_http && memcmp(reply, message + c->got, n) != 0)
        bad(reply);
    if (is_http && c->got == 0 && memcmp(reply, "HTTP/1.1 200", 12) != 0)
        bad(reply);
}

/* -> whether its reply is complete. */
static bool hear(struct server *s, struct conn *c)
{
    char reply[MAX_REPLY + 1];
    ssize_t n = recv(c->fd, reply, MAX_REPLY, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        bench_die("a connection ended");
    if (s->reply_len == 0)
        s->reply_len = length_of(reply, (size_t)n);
    check(s, c, reply, (size_t)n);
    c->got += (size_t)n;
    return c->got == s->reply_len;
}

static void open_all(struct server *s)
{
    struct sockaddr_in to = bench_loopback(s->port);

    s->poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < conn_count; i++) {
        struct conn *c = &s->conns[i];
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
            bench_die("connect");
        bench_nodelay(c->fd);
        if (epoll_ctl(s->poller, EPOLL_CTL_ADD, c->fd, &ev) < 0)
            bench_die("epoll_ctl");
    }
}

/* Takes replies in and asks anew until the clock passes `until`, then takes in the rest if it is
 * the end. -> how many came. */
static int64_t drive(struct server *s, int64_t until, bool is_end)
{
    struct epoll_event ev[BATCH];
    int64_t replies = 0;
    bool goes_on = true;

    while (goes_on || (is_end && s->owed > 0)) {
        int n = epoll_wait(s->poller, ev, BATCH, 5000);

        if (n <= 0)
            bench_die("the server went silent");
        for (int i = 0; i < n; i++) {
            if (!hear(s, ev[i].data.ptr))
                continue;
            replies++;
            s->owed--;
            if (goes_on)
                say(s, ev[i].data.ptr);
        }
        goes_on = goes_on && bench_wall_ns() < until;
    }
    return replies;
}

static void burst(struct server *s, int round, int64_t span)
{
    int64_t began = bench_wall_ns(), replies, cpu;

    for (int i = 0; i < conn_count; i++)
        say(s, &s->conns[i]);
    drive(s, began + span / 3, false);
    cpu = server_cpu_ns(s->pid);
    replies = drive(s, began + span, true);
    s->picos[round] = (server_cpu_ns(s->pid) - cpu) * 1000 / replies;
}

static void compare(struct server *s, int rounds)
{
    for (int i = 0; i < rounds; i++)
        s->shares[i] = servers[0].picos[i] * 1000000 / (s->picos[i] > 0 ? s->picos[i] : 1);
    qsort(s->shares, (size_t)rounds, sizeof s->shares[0], bench_compare_);
}

static void print_all(int rounds)
{
    printf("{\"rounds\":%d,\"shares\":[", rounds);
    for (int i = 1; i < server_count; i++) {
        const int64_t *at = servers[i].shares;

        compare(&servers[i], rounds);
        printf("%s{\"median\":%.4f,\"low\":%.4f,\"high\":%.4f}", i > 1 ? "," : "",
               (double)at[rounds / 2] / 1e6, (double)at[rounds / 4] / 1e6,
               (double)at[rounds * 3 / 4] / 1e6);
    }
    printf("],\"us\":[");
    for (int i = 0; i < server_count; i++)
        printf("%s%.3f", i > 0 ? "," : "",
               (double)bench_median(servers[i].picos, (size_t)rounds) / 1e6);
    printf("]}\n");
}

/* In an order of its own: whoever came before another each time would leave it the same caches. */
static void run_round(int round, int64_t span)
{
    static uint64_t dice = 88172645463325252;
    int order[MAX_SERVERS];

    for (int i = 0; i < server_count; i++) {
        int at = (int)(bench_rand(&dice) % (uint64_t)(i + 1));

        order[i] = order[at];
        order[at] = i;
    }
    for (int i = 0; i < server_count; i++)
        burst(&servers[order[i]], round, span);
}

int main(int argc, char **argv)
{
    int64_t span = bench_arg(argc, argv, 3, 20) * 1000000;
    int rounds = (int)bench_arg(argc, argv, 4, 100);

    is_http = argc > 1 && strcmp(argv[1], "http") == 0;
    conn_count = (int)bench_arg(argc, argv, 2, 50);
    server_count = (argc - 5) / 2;
    if (conn_count < 1 || conn_count > MAX_CONNS || rounds < 1 || rounds > MAX_ROUNDS ||
        server_count < 2 || server_count > MAX_SERVERS)
        return 2;
    memset(message, 'x', 64);
    message_len = 64;
    if (is_http)
        message_len =
            (size_t)snprintf(message, sizeof message, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    for (int i = 0; i < server_count; i++) {
        servers[i].port = bench_arg(argc, argv, 5 + 2 * i, 0);
        servers[i].pid = bench_arg(argc, argv, 6 + 2 * i, 0);
        open_all(&servers[i]);
    }
    for (int round = -2; round < rounds; round++) /* the first ones teach it the replies */
        run_round(round > 0 ? round : 0, span);
    print_all(rounds);
}
