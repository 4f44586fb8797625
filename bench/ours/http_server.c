/* SPDX-License-Identifier: MIT */
/* "Hello, World!" by a route and a handler: ours_http_server PORT. */
#include <errno.h>
#include <stdio.h>

#include <celadon/server.h>
#include <celadon/task.h>

static const char body[] = "Hello, World!";

static int hello(struct cel_request *req, struct cel_reply *reply)
{
    (void)req;
    return cel_reply_bytes(reply, 200, "text/plain", body, sizeof body - 1);
}

static void *serve(void *address)
{
    struct cel_server_options options = {.listen.backlog = 4096};
    struct cel_server *site = cel_server_new(&options);
    int r;

    if (site == NULL)
        return cel_fail(-ENOMEM, "making the server");
    r = cel_route(site, "GET /", hello, NULL);
    if (r == 0)
        r = cel_serve(site, address);
    cel_server_free(site);
    return cel_fail(r, "serving on %s", (char *)address);
}

int main(int argc, char **argv)
{
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "8080");
    return cel_run(serve, address, NULL) < 0;
}
