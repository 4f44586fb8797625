/* SPDX-License-Identifier: MIT */
/* HTTP client on libcurl's multi interface: client_libcurl PORT PATH COUNT CONNECTIONS.
 * curl_multi_poll, which measured faster here than the socket interface. */
#include "../report.h"

#include <curl/curl.h>

static size_t bytes_seen;

static size_t count_body(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes, (void)arg;
    bytes_seen += size * n;
    return size * n;
}

static CURL *make_easy(const char *url)
{
    CURL *e = curl_easy_init();

    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, count_body);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FAILONERROR, 1L);
    return e;
}

static void run(CURLM *multi, const char *url, long total, int conns)
{
    long asked = 0, done = 0;
    int running, left;
    CURLMsg *m;

    for (; asked < conns && asked < total; asked++)
        curl_multi_add_handle(multi, make_easy(url));
    while (done < total) {
        curl_multi_perform(multi, &running);
        while ((m = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *e = m->easy_handle;

            if (m->data.result != CURLE_OK) {
                fprintf(stderr, "%s\n", curl_easy_strerror(m->data.result));
                exit(1);
            }
            done++;
            curl_multi_remove_handle(multi, e);
            if (asked < total) {
                asked++;
                curl_multi_add_handle(multi, e);
            }
        }
        if (done < total)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

int main(int argc, char **argv)
{
    long total = bench_arg(argc, argv, 3, 1000);
    int conns = (int)bench_arg(argc, argv, 4, 100);
    struct bench_span s;
    CURLM *multi;
    char url[256];

    if (argc < 3)
        return 2;
    snprintf(url, sizeof url, "http://127.0.0.1:%s%s", argv[1], argv[2]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)conns);
    s = bench_start();
    run(multi, url, total, conns);
    s = bench_stop(s);
    printf("{\"done\":%ld,\"bytes\":%zu,\"cpu_ns\":%lld,\"wall_ns\":%lld,\"peak_kib\":%ld}\n",
           total, bytes_seen, (long long)s.cpu, (long long)s.wall, bench_peak_kib());
}
