/* SPDX-License-Identifier: MIT */
/* Sends back whatever it reads: one task per connection, straight-line code.
 *
 *   echo_server [ADDRESS]      default 127.0.0.1:7000 */
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

static void *serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *peer;
    int r = cel_listen(&door, arg, NULL);

    if (r < 0)
        return cel_fail(r, "cannot listen");
    fprintf(stderr, "echoing on %s\n", cel_listener_address(door));
    while ((r = cel_accept(door, &peer)) == 0)
        if (cel_go(echo, peer) < 0)
            cel_close(peer); /* no memory for one more */
    cel_listener_close(door);
    return cel_fail(r, "accepting");
}

int main(int argc, char **argv)
{
    return cel_run(serve, argc > 1 ? argv[1] : (char *)"127.0.0.1:7000", NULL) < 0;
}
