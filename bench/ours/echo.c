/* SPDX-License-Identifier: MIT */
/* The echo server of the documentation, as it stands there: ours_echo PORT. */
#include <stdio.h>

#include <celadon/net.h>

static void *echo(void *arg)
{
    struct cel_stream *peer = arg;
    char buf[4096];
    ssize_t n;

    while ((n = cel_read(peer, buf, sizeof buf)) > 0)
        if (cel_write(peer, buf, (size_t)n) < 0)
            break;
    cel_close(peer);
    return NULL;
}

static void *serve(void *address)
{
    struct cel_listen_options options = {.backlog = 4096};
    struct cel_listener *door;
    struct cel_stream *peer;
    int r = cel_listen(&door, address, &options);

    if (r < 0)
        return cel_fail(r, "listening on %s", (char *)address);
    while ((r = cel_accept(door, &peer)) == 0)
        if (cel_go(echo, peer) < 0)
            cel_close(peer);
    cel_listener_close(door);
    return cel_fail(r, "accepting");
}

int main(int argc, char **argv)
{
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "7000");
    return cel_run(serve, address, NULL) < 0;
}
