/* SPDX-License-Identifier: MIT */
/* The article's scraper: fetches all URLs at once, selects four fields from each page, prints them
 * as one JSON object keyed by URL. Its two defects are not repeated: each result knows its URL, and
 * a page that lacks a field, or fails, does not take the others along. */
#include <stdio.h>
#include <stdlib.h>

#include <celadon/crawl.h>
#include <celadon/task.h>

static const struct cel_field post[] = {
    {.name = "title", .css = ".post-title"},
    {.name = "content", .css = ".post-content > p", .join = "\n"},
    {.name = "author", .css = ".author-name"},
    {.name = "date", .css = ".post-date", .attr = "datetime"},
    {0},
};

struct target {
    struct cel_session *web;
    const char *url;
    struct cel_item *item;
};

static void *scrape(void *arg)
{
    struct target *t = arg;
    struct cel_response *page;
    struct cel_html *doc;
    int r = cel_get(t->web, t->url, &page);

    if (r < 0)
        return cel_fail(r, "%s", t->url);
    doc = cel_html(page);
    t->item = cel_extract(doc, post);
    cel_html_free(doc);
    cel_response_free(page);
    if (t->item == NULL)
        return cel_fail(-ENOMEM, "%s", t->url);
    return t;
}

/* -> whether all of it could be written. */
static bool print(const struct target *targets, size_t count)
{
    const char *before = "{", *json;

    for (size_t i = 0; i < count; i++) {
        if (targets[i].item == NULL)
            continue;
        json = cel_item_json(targets[i].item, NULL);
        if (json == NULL)
            return false;
        printf("%s\"%s\": %s", before, targets[i].url, json);
        before = ",\n ";
    }
    return puts(before[0] == '{' ? "{}" : "}") >= 0 && fflush(stdout) == 0;
}

struct job {
    size_t count;
    struct target *targets;
    struct cel_task **tasks;
    int *outcomes;
    bool all_well;
};

static void *scrape_all(void *arg)
{
    struct job *job = arg;
    struct cel_session *web = cel_session_new(NULL); /* closed when the block is left */
    CEL_DEFER((void (*)(void *))cel_session_free, web);
    int r;

    if (web == NULL)
        return cel_fail(-ENOMEM, "scraping");
    for (size_t i = 0; i < job->count; i++) {
        job->targets[i].web = web;
        job->tasks[i] = cel_spawn(scrape, &job->targets[i]);
    }
    r = cel_gather_outcomes(job->tasks, job->count, NULL, job->outcomes);
    if (r < 0)
        return cel_fail(r, "scraping");
    for (size_t i = 0; i < job->count; i++) {
        if (job->outcomes[i] == 0)
            continue;
        fprintf(stderr, "%s: %s\n", job->targets[i].url, cel_strerror(job->outcomes[i]));
        job->all_well = false;
    }
    return print(job->targets, job->count) ? NULL : cel_fail(-EIO, "printing");
}

int main(int argc, char **argv)
{
    struct job job = {.count = (size_t)argc - 1, .all_well = true};
    int r = -1;

    if (argc < 2) {
        fprintf(stderr, "usage: %s URL…\n", argv[0]);
        return 2;
    }
    job.targets = calloc(job.count, sizeof *job.targets);
    job.tasks = calloc(job.count, sizeof(struct cel_task *));
    job.outcomes = calloc(job.count, sizeof *job.outcomes);
    for (size_t i = 0; i < job.count && job.targets != NULL; i++)
        job.targets[i].url = argv[i + 1];
    if (job.targets != NULL && job.tasks != NULL && job.outcomes != NULL)
        r = cel_run(scrape_all, &job, NULL);
    for (size_t i = 0; i < job.count && job.targets != NULL; i++)
        cel_item_free(job.targets[i].item);
    free(job.targets);
    free(job.tasks);
    free(job.outcomes);
    return r < 0 ? 1 : job.all_well ? 0 : 3;
}
