/* SPDX-License-Identifier: MIT */
/* ns per head for each scanner of the HTTP/1 parser, beside llhttp in strict mode where that is
 * built in. Usage: h1_parse [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cc.h"
#include "base/clock.h"
#include "proto/h1_parse.h"

#ifdef HAVE_LLHTTP
#include <llhttp.h>
#endif

static const char short_request[] = "GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n";

static const char browser_request[] =
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n"
    "Host: www.kittyhell.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Keep-Alive: 115\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; id=xxxxxxxx\r\n\r\n";

static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Sun, 22 Nov 2026 21:15:00 GMT\r\n"
                               "Content-Type: text/html; charset=utf-8\r\n"
                               "Content-Length: 19660\r\n"
                               "Last-Modified: Sun, 22 Nov 2026 20:00:00 GMT\r\n"
                               "Connection: keep-alive\r\n"
                               "ETag: \"692223a0-4ccc\"\r\n"
                               "Accept-Ranges: bytes\r\n\r\n";

enum { BATCHES = 40 };

struct work {
    const char *what;
    enum cel__h1_kind kind;
    const char *text;
    size_t len;
};

static void ours(const struct cel__h1_scan *scan, const struct work *w, long rounds)
{
    struct cel__h1_field fields[100];
    struct cel__h1_head h;

    for (long i = 0; i < rounds; i++) {
        cel__h1_head_init(&h, w->kind, fields, 100, NULL);
        if (cel__h1_parse_by(scan, &h, w->text, w->len) != (ssize_t)w->len)
            abort();
        __asm__ volatile("" ::: "memory");
    }
}

/* scan is NULL. */
static void theirs(const struct cel__h1_scan *scan, const struct work *w, long rounds)
{
#ifdef HAVE_LLHTTP
    llhttp_settings_t settings;
    llhttp_t parser;

    llhttp_settings_init(&settings);
    for (long i = 0; i < rounds; i++) {
        llhttp_init(&parser, w->kind == CEL__H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
        if (llhttp_execute(&parser, w->text, w->len) != HPE_OK)
            abort();
    }
#endif
}

/* ns a head in the best of many batches: others share this machine. */
static double best(void (*run)(const struct cel__h1_scan *, const struct work *, long),
                   const struct cel__h1_scan *scan, const struct work *w, long rounds)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < BATCHES; i++) {
        int64_t begin = cel__clock_monotonic();

        run(scan, w, rounds / BATCHES);
        least = cel__min(least, cel__clock_monotonic() - begin);
    }
    return (double)least / (double)(rounds / BATCHES);
}

static void report(const char *what, const char *who, double ns)
{
    printf("%-16s %-14s %8.1f ns\n", what, who, ns);
}

int main(int argc, char **argv)
{
    static const struct work works[] = {
        {"request-short", CEL__H1_REQUEST, short_request, sizeof short_request - 1},
        {"request-browser", CEL__H1_REQUEST, browser_request, sizeof browser_request - 1},
        {"response", CEL__H1_RESPONSE, response, sizeof response - 1},
    };
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 400000;
    const struct cel__h1_scan *scan;

    if (rounds < BATCHES)
        return 2;
    for (size_t i = 0; i < cel__countof(works); i++) {
        printf("%s: %zu bytes\n", works[i].what, works[i].len);
        for (unsigned n = 0; (scan = cel__h1_scan_nth(n)) != NULL; n++)
            report(works[i].what, scan->name, best(ours, scan, &works[i], rounds));
#ifdef HAVE_LLHTTP
        report(works[i].what, "llhttp-strict", best(theirs, NULL, &works[i], rounds));
#endif
    }
    return 0;
}
