/* SPDX-License-Identifier: MIT */
/* Echo on libev: one watcher per connection, reply written at once. */
#include "../floor/listen.h"
#include "../report.h"

#include <ev.h>

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    char buf[4096];
    ssize_t n = recv(w->fd, buf, sizeof buf, 0);

    (void)events;
    if (n > 0 && send(w->fd, buf, (size_t)n, MSG_NOSIGNAL) == n)
        return;
    ev_io_stop(loop, w);
    close(w->fd);
    free(w);
}

static void on_door(struct ev_loop *loop, ev_io *door, int events)
{
    int fd;

    (void)events;
    while ((fd = accept4(door->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        ev_io *w = malloc(sizeof *w);

        bench_nodelay(fd);
        ev_io_init(w, on_readable, fd, EV_READ);
        ev_io_start(loop, w);
    }
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io door;

    ev_io_init(&door, on_door, bench_listen(bench_arg(argc, argv, 1, 7000), SOCK_NONBLOCK),
               EV_READ);
    ev_io_start(loop, &door);
    ev_run(loop, 0);
}
