/* SPDX-License-Identifier: MIT */
/* The epoll floor of the echo workload: level-triggered, wait, read, write, nothing else.
 *
 * Requests are small and the load is a closed loop, so a reply always fits the socket's buffer;
 * a short write ends the connection and the load tool then fails loudly. */
#include "../report.h"
#include "listen.h"

#include <sys/epoll.h>

enum { BATCH = 256, CHUNK = 4096 };

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
        bench_nodelay(fd);
        watch(fd);
    }
}

static void answer(int fd)
{
    char buf[CHUNK];
    ssize_t n = recv(fd, buf, sizeof buf, 0);

    if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
        close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event ev[BATCH];

    door = bench_listen(bench_arg(argc, argv, 1, 7000), SOCK_NONBLOCK);
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
