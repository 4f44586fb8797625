/* SPDX-License-Identifier: MIT */
/* The epoll floor of the HTTP client workload: http_client_epoll PORT PATH COUNT CONNECTIONS. */
#include "../report.h"
#include "fetch_epoll.h"

static const char *wanted;
static size_t bytes_seen;

static int same_path(char *out, size_t size, long i)
{
    (void)i;
    return snprintf(out, size, "%s", wanted);
}

static void count_body(const char *bytes, size_t len)
{
    (void)bytes;
    bytes_seen += len;
}

int main(int argc, char **argv)
{
    struct fetch f = {.port = bench_arg(argc, argv, 1, 8080),
                      .total = bench_arg(argc, argv, 3, 1000),
                      .conns = (int)bench_arg(argc, argv, 4, 100),
                      .path = same_path,
                      .body = count_body};
    struct bench_span s;

    if (argc < 3)
        return 2;
    wanted = argv[2];
    s = bench_start();
    fetch_run(&f);
    s = bench_stop(s);
    printf("{\"done\":%ld,\"bytes\":%zu,\"cpu_ns\":%lld,\"wall_ns\":%lld,\"peak_kib\":%ld}\n",
           f.done, bytes_seen, (long long)s.cpu, (long long)s.wall, bench_peak_kib());
}
