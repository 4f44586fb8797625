/* SPDX-License-Identifier: MIT */
/* What the parsers' programs share: the pages in memory, passes over them for some milliseconds,
 * and one line of JSON with the median of the passes. Usage of each: MODE MILLISECONDS FILE... */
#ifndef BENCH_HTML_PAGES_H
#define BENCH_HTML_PAGES_H

#include "../report.h"

#define HTML_PASSES 1000

struct html_page {
    char *bytes;
    size_t len;
};

static struct html_page *html_pages;
static size_t html_page_count, html_total;

/* More than was true in the measured stretch must never be printed: whatever fails ends it. */
static inline void html_check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static inline void html_read(struct html_page *page, const char *path)
{
    FILE *f = fopen(path, "rb");
    long len;

    html_check(f != NULL && fseek(f, 0, SEEK_END) == 0, path);
    len = ftell(f);
    rewind(f);
    page->bytes = malloc((size_t)len + 1);
    html_check(page->bytes != NULL, "no memory");
    page->len = (size_t)len;
    html_check(fread(page->bytes, 1, page->len, f) == page->len, path);
    page->bytes[len] = '\0';
    fclose(f);
    html_total += page->len;
}

typedef void html_parse_fn(const struct html_page *page);

static inline void html_pass(html_parse_fn *parse)
{
    for (size_t i = 0; i < html_page_count; i++)
        parse(&html_pages[i]);
}

static inline int64_t html_median_pass(html_parse_fn *parse, long milliseconds)
{
    static int64_t took[HTML_PASSES];
    int64_t until = bench_cpu_ns() + milliseconds * 1000000;
    size_t n = 0;

    do {
        int64_t from = bench_cpu_ns();

        html_pass(parse);
        took[n++] = bench_cpu_ns() - from;
    } while (n < HTML_PASSES && bench_cpu_ns() < until);
    return bench_median(took, n);
}

static inline void html_open(int argc, char **argv)
{
    html_check(argc > 3, "usage: MODE MILLISECONDS FILE...");
    html_page_count = (size_t)argc - 3;
    html_pages = calloc(html_page_count, sizeof *html_pages);
    html_check(html_pages != NULL, "no memory");
    for (size_t i = 0; i < html_page_count; i++)
        html_read(&html_pages[i], argv[3 + i]);
}

/* The first pass tells what memory grows by, and warms up. Bytes of the heap at its fullest
 * and of the finished trees are -1 where nobody counts them. */
static inline int html_measure(char **argv, html_parse_fn *parse, long heap, long kept)
{
    long before = bench_rss_kib();
    int64_t ns;

    html_pass(parse);
    before = bench_peak_kib() - before;
    ns = html_median_pass(parse, strtol(argv[2], NULL, 10));
    printf("{\"bytes\":%zu,\"cpu_ns\":%lld,\"grown_kib\":%ld,\"heap\":%ld,\"kept\":%ld}\n",
           html_total, (long long)ns, before, heap, kept);
    return 0;
}

#endif
