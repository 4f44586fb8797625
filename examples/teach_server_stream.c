/* SPDX-License-Identifier: MIT */
/* An answer that takes its time: each connection is a task, so a handler may sleep, read a
 * parameter of its path or of the query, and send piece by piece, while others are served. Stops
 * itself after the number of requests that it is told. */
#include <stdio.h>
#include <stdlib.h>

#include <celadon/server.h>
#include <celadon/task.h>

static struct cel_server *site;
static long left;

static int count_down(struct cel_request *req, struct cel_reply *reply)
{
    const char *who = cel_request_query_param(req, "who");
    char line[64];
    int r = 0;

    for (long n = strtol(cel_param(req, "from"), NULL, 10) % 100; n > 0 && r == 0; n--) {
        if (!cel_reply_has_begun(reply))
            r = cel_reply_begin(reply, 200, "text/plain",
                                -1); /* chunked: its length is not known */
        if (r == 0)
            r = cel_reply_write(reply, line, (size_t)snprintf(line, sizeof line, "%ld…\n", n));
        if (r == 0)
            r = cel_reply_flush(reply); /* the client sees it now */
        if (r == 0)
            r = cel_sleep(CEL_MILLISECOND);
    }
    if (--left == 0)
        cel_server_stop(site); /* this answer is finished first */
    if (r == 0 && !cel_reply_has_begun(reply))
        return cel_reply_text(reply, 400, "from 1 to 99, please\n");
    return r < 0 ? r
                 : cel_reply_write(reply, line,
                                   (size_t)snprintf(line, sizeof line, "lift off, %.40s!\n",
                                                    who != NULL ? who : "world"));
}

static void *serve(void *arg)
{
    int r;

    site = cel_server_new(NULL);
    r = site == NULL ? -ENOMEM : cel_route(site, "GET /count/{from}", count_down, NULL);
    if (r == 0)
        r = cel_server_listen(site, "127.0.0.1:0");
    if (r == 0) {
        printf("http://%s/\n", cel_server_address(site));
        fflush(stdout);
        r = cel_server_run(site);
    }
    cel_server_free(site);
    return r < 0 ? cel_fail(r, "serving") : arg;
}

int main(int argc, char **argv)
{
    left = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    return cel_run(serve, NULL, NULL) < 0;
}
