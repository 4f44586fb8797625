/* SPDX-License-Identifier: MIT */
/* A plain epoll HTTP client: C keep-alive connections fetch N pages, one request in flight on each.
 *
 * It knows Content-Length bodies and status 200 only. A body is handed over whole, in the
 * connection's own buffer. Anything unexpected ends the program. */
#ifndef BENCH_FETCH_EPOLL_H
#define BENCH_FETCH_EPOLL_H

#include "listen.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

enum { FETCH_BUF = 160 * 1024, FETCH_MAX = 1024 };

struct fetch_conn {
    int fd;
    size_t have; /* bytes in buf */
    size_t need; /* head + body of the response, 0 until the head is complete */
    size_t head;
    char *buf;
};

struct fetch {
    long port, total;
    int conns;
    int (*path)(char *out, size_t size, long i);
    void (*body)(const char *bytes, size_t len);

    long asked, done;
    int poller;
};

static void fetch_ask(struct fetch *f, struct fetch_conn *c)
{
    char path[256], head[512];
    int n;

    if (f->asked == f->total)
        return;
    f->path(path, sizeof path, f->asked++);
    n = snprintf(head, sizeof head,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nAccept: */*\r\n"
                 "User-Agent: floor\r\n\r\n",
                 path, f->port);
    if (send(c->fd, head, (size_t)n, MSG_NOSIGNAL) != n)
        bench_die("send");
}

static void fetch_open(struct fetch *f, struct fetch_conn *c)
{
    struct sockaddr_in to = bench_loopback(f->port);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->buf = malloc(FETCH_BUF);
    if (c->buf == NULL || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
        bench_die("connect");
    bench_nodelay(c->fd);
    if (epoll_ctl(f->poller, EPOLL_CTL_ADD, c->fd, &ev) < 0)
        bench_die("epoll_ctl");
    fetch_ask(f, c);
}

static void fetch_head(struct fetch_conn *c)
{
    char *end = memmem(c->buf, c->have, "\r\n\r\n", 4), *length;

    if (end == NULL)
        return;
    *end = '\0';
    length = strcasestr(c->buf, "\r\nContent-Length:");
    if (strncmp(c->buf, "HTTP/1.1 200", 12) != 0 || length == NULL) {
        fprintf(stderr, "unexpected response: %.40s\n", c->buf);
        exit(1);
    }
    c->head = (size_t)(end + 4 - c->buf);
    c->need = c->head + strtoul(length + 17, NULL, 10);
    if (c->need > FETCH_BUF)
        bench_die("body too long");
}

static void fetch_read(struct fetch *f, struct fetch_conn *c)
{
    ssize_t n = recv(c->fd, c->buf + c->have, FETCH_BUF - c->have, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        bench_die("recv");
    c->have += (size_t)n;
    if (c->need == 0)
        fetch_head(c);
    if (c->need == 0 || c->have < c->need)
        return;
    f->body(c->buf + c->head, c->need - c->head);
    f->done++;
    c->have = c->need = 0;
    fetch_ask(f, c);
}

static void fetch_run(struct fetch *f)
{
    static struct fetch_conn conns[FETCH_MAX];
    struct epoll_event ev[256];

    f->poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < f->conns && i < FETCH_MAX; i++)
        fetch_open(f, &conns[i]);
    while (f->done < f->total) {
        int n = epoll_wait(f->poller, ev, 256, 10000);

        if (n <= 0)
            bench_die("the server went silent");
        for (int i = 0; i < n; i++)
            fetch_read(f, ev[i].data.ptr);
    }
}

#endif
