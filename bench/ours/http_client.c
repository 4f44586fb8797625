/* SPDX-License-Identifier: MIT */
/* Tasks that share a session: ours_http_client PORT PATH COUNT CONNECTIONS. */
#include "../report.h"

#include <errno.h>

#include <celadon/http.h>
#include <celadon/task.h>

static struct cel_session *web;
static char url[256];
static long left, done;
static size_t bytes_seen;

static void *work(void *arg)
{
    struct cel_response *page;
    int r;

    while (left > 0) {
        left--;
        r = cel_get(web, url, &page);
        if (r < 0)
            return cel_fail(r, "fetching %s", url);
        if (page->status == 200) {
            done++;
            bytes_seen += cel_text(page).len;
        }
        cel_response_free(page);
    }
    return arg;
}

static void *run(void *arg)
{
    long conns = *(long *)arg;
    struct cel_session_options options = {.connections_max = (unsigned)conns};
    struct cel_task *workers[1024];
    int r;

    web = cel_session_new(&options);
    if (web == NULL)
        return cel_fail(-ENOMEM, "opening a session");
    for (long i = 0; i < conns; i++)
        if ((workers[i] = cel_spawn(work, NULL)) == NULL)
            return cel_fail(-ENOMEM, "spawning");
    r = cel_gather(workers, (size_t)conns, NULL);
    if (r < 0)
        return cel_fail_from(workers, (size_t)conns, "working");
    cel_session_free(web);
    return arg;
}

int main(int argc, char **argv)
{
    long conns = bench_arg(argc, argv, 4, 100);
    struct bench_span s;

    if (argc < 3 || conns > 1024)
        return 2;
    snprintf(url, sizeof url, "http://127.0.0.1:%s%s", argv[1], argv[2]);
    left = bench_arg(argc, argv, 3, 1000);
    s = bench_start();
    if (cel_run(run, &conns, NULL) < 0)
        return 1;
    s = bench_stop(s);
    printf("{\"done\":%ld,\"bytes\":%zu,\"cpu_ns\":%lld,\"wall_ns\":%lld,\"peak_kib\":%ld}\n", done,
           bytes_seen, (long long)s.cpu, (long long)s.wall, bench_peak_kib());
}
