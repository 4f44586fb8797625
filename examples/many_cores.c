/* SPDX-License-Identifier: MIT */
/* An HTTP server on every core: many_cores [ADDRESS]. Each worker has its own loop, server and
 * listener; GET /primes/N counts on the lane for computing, so its loop goes on meanwhile. */
#include <celadon/offload.h>
#include <celadon/server.h>
#include <celadon/workers.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *count_primes(void *arg)
{
    long below = (long)(intptr_t)arg, count = 0;

    for (long n = 2; n < below; n++) {
        long d = 2;

        while (d * d <= n && n % d != 0)
            d++;
        count += d * d > n;
    }
    return (void *)(intptr_t)count;
}

static int primes(struct cel_request *req, struct cel_reply *reply)
{
    long below = strtol(cel_param(req, "n"), NULL, 10);
    void *count = NULL;
    int r;

    if (below < 0 || below > 1000000)
        return cel_reply_text(reply, 400, "say a number up to 1000000\n");
    r = cel_offload_to_await(CEL_LANE_CPU, count_primes, (void *)(intptr_t)below,
                             &count); /* parks */
    if (r < 0)
        return r;
    return cel_reply_text(reply, 200, "%ld primes, says worker %u\n", (long)(intptr_t)count,
                          cel_worker_index());
}

static int add_routes(struct cel_server *server, void *arg)
{
    return cel_route(server, "GET /primes/{n}", primes, NULL);
}

static void tell(const char *address, void *arg)
{
    printf("http://%s/primes/10000\n", address);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct cel_serve_workers_options options = {
        .setup = add_routes, .on_listening = tell, .stops_on_signals = true};
    int r = cel_serve_workers(argc > 1 ? argv[1] : "127.0.0.1:8080", &options);

    if (r < 0)
        fprintf(stderr, "many_cores: %s\n", cel_strerror(r));
    return r < 0;
}
