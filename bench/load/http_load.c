/* SPDX-License-Identifier: MIT */
/* Closed-loop HTTP/1.1 load: http_load PORT CONNECTIONS DEPTH WARMUP_MS MEASURE_MS [SERVER_PID
 * [PATH]].
 *
 * Each connection sends DEPTH requests in one write, reads until all DEPTH responses are
 * complete, and sends the next batch. Responses must be 200 with a Content-Length. The head of
 * a response is parsed once per length and text: when the next one repeats it, a comparison does.
 * The server's CPU clock is read at the two ends of the measured stretch. */
#include "../floor/listen.h"
#include "histogram.h"
#include "server_cpu.h"

#include <errno.h>
#include <sys/epoll.h>

enum { MAX_CONNS = 4096, MAX_DEPTH = 64, CHUNK = 65536, BATCH = 256 };

struct conn {
    int fd;
    int owed;    /* responses still missing from this batch */
    size_t have; /* bytes of an unfinished response in buf */
    int64_t sent_at;
    char buf[CHUNK];
};

static struct conn *conns[MAX_CONNS];
static struct hist latency;
static char batch[MAX_DEPTH * 512];
static size_t batch_len;
static int depth;
static int poller;

static void ask(struct conn *c)
{
    c->owed = depth;
    c->sent_at = bench_wall_ns();
    if (send(c->fd, batch, batch_len, MSG_NOSIGNAL) != (ssize_t)batch_len)
        bench_die("send");
}

static size_t bad_response(const char *at)
{
    fprintf(stderr, "unexpected response: %.60s\n", at);
    exit(1);
}

/* The whole length of the response at `at`, 0 while its head is incomplete. */
static size_t response_len(char *at, size_t have)
{
    static char known[1024];
    static size_t known_head, known_all;
    char *end, *length;

    if (known_head > 0 && have >= known_head && memcmp(at, known, known_head) == 0)
        return known_all;
    end = memmem(at, have, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    *end = '\0';
    length = strcasestr(at, "\r\nContent-Length:");
    if (strncmp(at, "HTTP/1.1 200", 12) != 0 || length == NULL)
        return bad_response(at);
    *end = '\r';
    known_head = (size_t)(end + 4 - at);
    known_all = known_head + strtoul(length + 17, NULL, 10);
    if (known_head > sizeof known || known_all > CHUNK)
        return bad_response(at);
    memcpy(known, at, known_head);
    return known_all;
}

/* Takes complete responses out of the buffer; returns how many. */
static int take(struct conn *c)
{
    size_t at = 0, len;
    int taken = 0;

    while (at < c->have) {
        len = response_len(c->buf + at, c->have - at);
        if (len == 0 || len > c->have - at)
            break;
        at += len;
        taken++;
    }
    c->have -= at;
    memmove(c->buf, c->buf + at, c->have);
    return taken;
}

static int hear(struct conn *c)
{
    ssize_t n = recv(c->fd, c->buf + c->have, CHUNK - c->have, MSG_DONTWAIT);
    int taken;

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        bench_die("a connection ended");
    c->have += (size_t)n;
    taken = take(c);
    c->owed -= taken;
    if (c->owed < 0)
        bad_response("one more than asked for");
    return taken;
}

static void open_all(long port, int count)
{
    struct sockaddr_in to = bench_loopback(port);

    for (int i = 0; i < count; i++) {
        struct conn *c = conns[i] = malloc(sizeof *c);
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

        if (c == NULL)
            bench_die("memory");
        c->have = 0;
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
            bench_die("connect");
        bench_nodelay(c->fd);
        if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &ev) < 0)
            bench_die("epoll_ctl");
    }
}

static uint64_t drive(int64_t until)
{
    struct epoll_event ev[BATCH];
    uint64_t replies = 0;

    while (bench_wall_ns() < until) {
        int n = epoll_wait(poller, ev, BATCH, 5000);

        if (n <= 0)
            bench_die("the server went silent");
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;

            replies += (uint64_t)hear(c);
            if (c->owed > 0)
                continue;
            hist_add(&latency, bench_wall_ns() - c->sent_at);
            ask(c);
        }
    }
    return replies;
}

static void write_batch(long port, const char *path)
{
    for (int i = 0; i < depth; i++)
        batch_len +=
            (size_t)snprintf(batch + batch_len, sizeof batch - batch_len,
                             "GET %.200s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\n\r\n", path, port);
}

int main(int argc, char **argv)
{
    long port = bench_arg(argc, argv, 1, 8080), pid = bench_arg(argc, argv, 6, 0);
    int count = (int)bench_arg(argc, argv, 2, 64);
    long warm_ms = bench_arg(argc, argv, 4, 200), measure_ms = bench_arg(argc, argv, 5, 1000);
    struct bench_span mine;
    int64_t theirs;
    uint64_t replies;

    depth = (int)bench_arg(argc, argv, 3, 1);
    if (count < 1 || count > MAX_CONNS || depth < 1 || depth > MAX_DEPTH)
        return 2;
    write_batch(port, argc > 7 ? argv[7] : "/");
    poller = epoll_create1(EPOLL_CLOEXEC);
    open_all(port, count);
    for (int i = 0; i < count; i++)
        ask(conns[i]);
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
