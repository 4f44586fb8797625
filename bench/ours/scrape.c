/* SPDX-License-Identifier: MIT */
/* The article's scraper: ours_scrape PORT PAGES COUNT CONNECTIONS. */
#include "../report.h"

#include <errno.h>

#include <celadon/html.h>
#include <celadon/http.h>
#include <celadon/task.h>

static const struct cel_field post[] = {
    {"title", ".post-title"},
    {"content", ".post-content > p", .join = "\n"},
    {"author", ".author-name"},
    {"date", ".post-date", .attr = "datetime"},
    {0},
};

static struct cel_session *web;
static struct cel_fields *fields;
static const char *port;
static long pages, total, asked, done;
static size_t sums[4];

static int take(const struct cel_response *page)
{
    struct cel_str text = cel_text(page);
    struct cel_item *item;
    int r = cel_fields_scan(fields, text.ptr, text.len, NULL, &item, NULL);

    if (r < 0)
        return r;
    for (size_t i = 0; i < 4; i++)
        sums[i] += cel_item_get(item, post[i].name).len;
    cel_item_free(item);
    done++;
    return 0;
}

static void *work(void *arg)
{
    struct cel_response *page;
    char url[128];
    int r;

    while (asked < total) {
        snprintf(url, sizeof url, "http://127.0.0.1:%s/pages/%04ld.html", port, asked++ % pages);
        r = cel_get(web, url, &page);
        if (r < 0)
            return cel_fail(r, "fetching %s", url);
        r = take(page);
        cel_response_free(page);
        if (r < 0)
            return cel_fail(r, "reading %s", url);
    }
    return arg;
}

static void *run(void *arg)
{
    long conns = *(long *)arg;
    struct cel_session_options options = {.connections_max = (unsigned)conns};
    struct cel_task *workers[1024];

    web = cel_session_new(&options);
    if (web == NULL || cel_fields_new(&fields, post, NULL) < 0)
        return cel_fail(-ENOMEM, "opening a session");
    for (long i = 0; i < conns; i++)
        if ((workers[i] = cel_spawn_with(work, NULL, .stack_size_bytes = 128 * 1024)) == NULL)
            return cel_fail(-ENOMEM, "spawning");
    if (cel_gather(workers, (size_t)conns, NULL) < 0)
        return cel_fail_from(workers, (size_t)conns, "working");
    cel_fields_free(fields);
    cel_session_free(web);
    return arg;
}

int main(int argc, char **argv)
{
    long conns = bench_arg(argc, argv, 4, 100);
    struct bench_span s;

    if (argc < 4 || conns > 1024)
        return 2;
    port = argv[1];
    pages = bench_arg(argc, argv, 2, 1);
    total = bench_arg(argc, argv, 3, 1000);
    s = bench_start();
    if (cel_run(run, &conns, NULL) < 0)
        return 1;
    s = bench_stop(s);
    printf("{\"done\":%ld,\"title\":%zu,\"content\":%zu,\"author\":%zu,\"date\":%zu,"
           "\"cpu_ns\":%lld,\"wall_ns\":%lld,\"peak_kib\":%ld}\n",
           done, sums[0], sums[1], sums[2], sums[3], (long long)s.cpu, (long long)s.wall,
           bench_peak_kib());
}
