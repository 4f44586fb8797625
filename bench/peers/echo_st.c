/* SPDX-License-Identifier: MIT */
/* Echo on State Threads: one green thread per connection, on its epoll event system. */
#include "../floor/listen.h"
#include "../report.h"

#include <st.h>

static void *echo(void *arg)
{
    st_netfd_t peer = arg;
    char buf[4096];
    ssize_t n;

    while ((n = st_read(peer, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0)
        if (st_write(peer, buf, (size_t)n, ST_UTIME_NO_TIMEOUT) != n)
            break;
    st_netfd_close(peer);
    return NULL;
}

int main(int argc, char **argv)
{
    int fd = bench_listen(bench_arg(argc, argv, 1, 7000), 0);
    st_netfd_t door, peer;

    st_set_eventsys(ST_EVENTSYS_ALT);
    if (st_init() < 0)
        bench_die("st_init");
    door = st_netfd_open_socket(fd);
    while ((peer = st_accept(door, NULL, NULL, ST_UTIME_NO_TIMEOUT)) != NULL) {
        bench_nodelay(st_netfd_fileno(peer));
        st_thread_create(echo, peer, 0, 64 * 1024);
    }
    bench_die("st_accept");
}
