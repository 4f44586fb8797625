/* SPDX-License-Identifier: MIT */
/* A list of pages: eight under way at a time, each told exactly once when it ends, a line of JSON
 * for a good one, phase and cause for a bad one. This is `celadon fetch` as a library call. */
#include <stdio.h>

#include <celadon/crawl.h>
#include <celadon/task.h>

static const struct cel_field post[] = {
    {.name = "title", .css = ".post-title"},
    {.name = "words", .css = ".post-content > p", .is_list = true},
    {.name = "date", .css = ".post-date", .attr = "datetime"},
    {0},
};

static int next_url(void *list, const char **url)
{
    char ***rest = list;

    *url = **rest;
    return *url != NULL ? (++*rest, 1) : 0;
}

static void print(void *list, struct cel_scraped *page)
{
    const char *json = page->item != NULL ? cel_item_json(page->item, NULL) : NULL;

    if (json != NULL)
        printf("%s\n", json);
    else
        fprintf(stderr, "%s: %s: %s\n", page->url, page->phase, page->cause);
}

static void *scrape(void *urls)
{
    struct cel_scrape_options options = {
        .concurrency = 8, .next = next_url, .done = print, .arg = &urls};
    struct cel_scrape_stats stats;
    struct cel_fields *fields;
    int r = cel_fields_new(&fields, post, NULL);

    if (r < 0)
        return cel_fail(r, "reading the selectors");
    options.fields = fields;
    r = cel_scrape(&options, &stats);
    cel_fields_free(fields);
    if (r < 0)
        return cel_fail(r, "scraping");
    printf("%zu of %zu pages\n", stats.succeeded, stats.started);
    return NULL;
}

int main(int argc, char **argv)
{
    return cel_run(scrape, argv + 1, NULL) < 0;
}
