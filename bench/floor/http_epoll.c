/* SPDX-License-Identifier: MIT */
/* The epoll floor of the HTTP server workload: no HTTP at all, only the work nobody can avoid.
 *
 * It looks for the blank line that ends a head, answers each with the same canned bytes, and
 * sends the answers of one read in one write. */
#include "../report.h"
#include "listen.h"

#include <sys/epoll.h>

enum { BATCH = 256, CHUNK = 16384, MAX_FD = 4096 };

static const char reply[] = "HTTP/1.1 200 OK\r\n"
                            "Server: floor\r\n"
                            "Date: Sun, 22 Nov 2026 21:15:00 GMT\r\n"
                            "Content-Type: text/plain\r\n"
                            "Content-Length: 13\r\n"
                            "\r\n"
                            "Hello, World!";

static struct peer {
    size_t held; /* bytes of an unfinished head at the start of buf */
    char buf[CHUNK];
} * peers[MAX_FD];

static char replies[CHUNK / 4 * sizeof reply];
static int poller;
static int door;

static void watch(int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev) < 0)
        bench_die("epoll_ctl");
}

static void admit(void)
{
    int fd;

    while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD)
            bench_die("too many connections");
        if (peers[fd] == NULL && (peers[fd] = malloc(sizeof *peers[fd])) == NULL)
            bench_die("memory");
        peers[fd]->held = 0;
        bench_nodelay(fd);
        watch(fd);
    }
}

/* Returns the bytes of replies queued for the heads that buf completes. */
static size_t take_heads(struct peer *p, size_t have)
{
    char *at = p->buf, *end;
    size_t out = 0;

    while ((end = memmem(at, have, "\r\n\r\n", 4)) != NULL) {
        have -= (size_t)(end + 4 - at);
        at = end + 4;
        memcpy(replies + out, reply, sizeof reply - 1);
        out += sizeof reply - 1;
    }
    memmove(p->buf, at, have);
    p->held = have;
    return out;
}

static void answer(int fd)
{
    struct peer *p = peers[fd];
    ssize_t n = recv(fd, p->buf + p->held, CHUNK - p->held, 0);
    size_t out;

    if (n <= 0) {
        close(fd);
        return;
    }
    out = take_heads(p, p->held + (size_t)n);
    if (out > 0 && send(fd, replies, out, MSG_NOSIGNAL) != (ssize_t)out)
        close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event ev[BATCH];

    door = bench_listen(bench_arg(argc, argv, 1, 8080), SOCK_NONBLOCK);
    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(door);

    for (;;) {
        int n = epoll_wait(poller, ev, BATCH, -1);

        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == door)
                admit();
            else
                answer(ev[i].data.fd);
    }
}
