/* SPDX-License-Identifier: MIT */
/* Fetching a list: a task per page, started as the limits allow.
 *
 * 1. Every URL that was taken from the list is reported exactly once.
 * 2. At most `concurrency` pages are under way, and at most WINDOW URLs are read ahead while their
 *    hosts are busy, so a long list does not lie in memory.
 * 3. A page's document lives only while its fields are taken: parsing does not park. */
#include "celadon/crawl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "celadon/task.h"
#include "crawl/hosts.h"
#include "crawl/page.h"
#include "task/wait.h"

#define WINDOW          4096
#define RETRY_AFTER_MAX CEL_MINUTE

struct scrape {
    const struct cel_scrape_options *options;
    struct cel_session *session;
    struct cel__hosts hosts;
    struct cel__waitq ended; /* the one who starts pages waits here */
    struct cel__rand jitter;
    struct cel_scrape_stats *stats;
    size_t next_index;
    bool list_is_over;
};

struct visit_task {
    struct scrape *s;
    struct cel__visit *visit;
};

/* ---- one page ---- */

static bool may_pass(int code, int status)
{
    switch (code) {
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -ECONNABORTED:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ETIMEDOUT:
    case -EPIPE:
    case -CEL_EEOF:
    case -CEL_ETRUNCATED:
        return true;
    case -CEL_ESTATUS:
        return status == 429 || status == 502 || status == 503 || status == 504;
    default:
        return false;
    }
}

/* Seconds only; a date is as good as none for a wait of a minute at most. */
static int64_t retry_after(const struct cel_response *page)
{
    uint64_t seconds;

    if (page == NULL || cel__str_to_u64(cel_response_header(page, "Retry-After"), &seconds) < 0)
        return 0;
    return cel__min((int64_t)cel__min(seconds, UINT64_C(60)) * CEL_SECOND, RETRY_AFTER_MAX);
}

static int64_t pause_before(struct scrape *s, unsigned attempt, const struct cel_response *page)
{
    int64_t base = s->options->backoff != 0 ? s->options->backoff : 500 * CEL_MILLISECOND;
    int64_t pause = base << cel__min(attempt - 1, 10u);

    pause = pause / 2 + (int64_t)cel__rand_below(&s->jitter, (uint64_t)pause / 2 + 1);
    return cel__max(pause, retry_after(page));
}

static void note_failure(struct cel_scraped *result, int code, const char *phase, char *cause,
                         size_t cap)
{
    const struct cel_error *error = cel_last_error();

    result->code = code;
    result->phase = phase;
    if (phase == NULL && error->code == code) {
        result->phase = error->phase;
        snprintf(cause, cap, "%s", error->text);
    } else if (cause[0] == '\0') {
        snprintf(cause, cap, "%s", cel_strerror(code));
    }
    if (result->phase == NULL)
        result->phase = "fetch";
    result->cause = cause;
}

/* (parks) One attempt. 0 or the code; *page is set when there was an answer. */
static int attempt(struct scrape *s, const char *url, struct cel_response **page)
{
    const struct cel_scrape_options *o = s->options;
    int64_t timeout = o->timeout != 0 ? o->timeout : 30 * CEL_SECOND;
    const struct cel_fetch_options fetch = {.timeouts.total = timeout};

    *page = NULL;
    return cel_fetch(s->session, url, &fetch, page); /* parks */
}

static int check_status(struct scrape *s, struct cel_response *page, char *cause, size_t cap)
{
    if (page->status < 400 || s->options->accepts_any_status)
        return 0;
    snprintf(cause, cap, "the server answered %d %.*s", page->status, CEL_STR(page->reason));
    return -CEL_ESTATUS;
}

/* (parks) */
static int extract(struct scrape *s, const struct cel_response *page, struct cel_scraped *result)
{
    const struct cel_fields *fields = s->options->fields;

    if (fields == NULL)
        return 0;
    return cel__page_scan(page, &s->options->html, fields, &result->item,
                          &result->truncated); /* parks */
}

/* (parks) Attempts until one succeeds or no further one is due. */
static struct cel_response *fetch(struct scrape *s, struct cel_scraped *result, char *cause,
                                  size_t cap)
{
    struct cel_response *page;

    for (;;) {
        int code = attempt(s, result->url, &page); /* parks */
        bool is_last;

        result->attempts++;
        cause[0] = '\0';
        if (code < 0)
            note_failure(result, code, NULL, cause, cap);
        if (page != NULL) {
            result->status = page->status;
            code = check_status(s, page, cause, cap);
            result->code = code;
            if (code < 0)
                note_failure(result, code, "status", cause, cap);
        }
        is_last = result->attempts > s->options->retries || !may_pass(code, result->status);
        if (code == 0 || is_last || cel_checkpoint() < 0)
            return page;
        s->stats->retried++;
        code = cel_sleep(pause_before(s, result->attempts, page)); /* parks */
        if (code < 0)
            return page; /* the failure before is the one to report */
        cel_response_free(page);
    }
}

static void report(struct scrape *s, struct cel_scraped *result)
{
    if (result->code < 0)
        s->stats->failed++;
    else
        s->stats->succeeded++;
    s->stats->body_bytes += result->body_bytes;
    s->options->done(s->options->arg, result);
    cel_item_free(result->item);
}

static void *visit_main(void *arg)
{
    struct visit_task *v = arg;
    struct scrape *s = v->s;
    char cause[sizeof((struct cel_error *)0)->text] = "";
    struct cel_scraped result = {.index = v->visit->index, .url = v->visit->url, .cause = ""};
    int64_t start = cel_now();
    struct cel_response *page = fetch(s, &result, cause, sizeof cause); /* parks */
    int r;

    if (page != NULL) {
        result.final_url = page->url;
        result.body_bytes = cel_text(page).len;
    }
    if (page != NULL && result.code == 0) {
        result.page = page;
        r = extract(s, page, &result);
        if (r < 0)
            note_failure(&result, r, "parse", cause, sizeof cause);
    }
    result.elapsed = cel_now() - start;
    s->stats->active--;
    report(s, &result);
    cel_response_free(page);
    cel__hosts_end(&s->hosts, v->visit);
    cel__mem_free(v);
    (void)cel__waitq_wake_one(&s->ended);
    return NULL;
}

/* ---- the list ---- */

/* (parks) */
static int read_ahead(struct scrape *s)
{
    const char *url;

    while (!s->list_is_over && s->hosts.waiting < WINDOW && cel__list_is_empty(&s->hosts.ring)) {
        int r;

        r = s->options->next(s->options->arg, &url); /* parks */
        if (r != 1) {
            s->list_is_over = true;
            return r;
        }
        r = cel__hosts_add(&s->hosts, url, s->next_index);
        if (r < 0)
            return r;
        s->next_index++;
    }
    return 0;
}

static int start_visit(struct scrape *s, struct cel__visit *visit)
{
    struct visit_task *v = cel__mem_alloc(sizeof *v);

    if (v == NULL)
        return -ENOMEM;
    *v = (struct visit_task){s, visit};
    if (cel_go(visit_main, v) < 0) {
        cel__mem_free(v);
        return -ENOMEM;
    }
    s->stats->started++;
    s->stats->active++;
    return 0;
}

/* Taken from the list but never begun: reported all the same. */
static void report_unstarted(struct scrape *s, struct cel__visit *visit, int code)
{
    struct cel_scraped result = {.index = visit->index,
                                 .url = visit->url,
                                 .code = code,
                                 .phase = "start",
                                 .cause = cel_strerror(code)};

    s->stats->started++;
    report(s, &result);
    cel__hosts_end(&s->hosts, visit);
}

/* (parks) */
static int start_all(struct scrape *s)
{
    unsigned max = s->options->concurrency != 0 ? s->options->concurrency : 64;

    for (;;) {
        struct cel__visit *visit;
        int r = read_ahead(s); /* parks */

        if (r < 0)
            return r;
        visit = s->stats->active < max ? cel__hosts_take(&s->hosts) : NULL;
        if (visit == NULL && s->stats->active == 0 && s->list_is_over)
            return 0;
        if (visit == NULL) {
            r = cel__waitq_park(&s->ended); /* parks */
            if (r < 0)
                return r;
            continue;
        }
        r = start_visit(s, visit);
        if (r < 0) {
            report_unstarted(s, visit, r);
            return r;
        }
    }
}

static void report_rest(struct scrape *s, int code)
{
    struct cel__visit *visit;

    s->hosts.per_host = 0;
    while ((visit = cel__hosts_take(&s->hosts)) != NULL)
        report_unstarted(s, visit, code);
}

int cel_scrape(const struct cel_scrape_options *options, struct cel_scrape_stats *stats)
{
    struct cel_scrape_stats own_stats;
    struct scrape s = {.options = options, .session = options->session};
    int64_t start = cel_now();
    uint64_t seed;
    int r = 0;

    if (options->next == NULL || options->done == NULL)
        return -EINVAL;
    s.stats = stats != NULL ? stats : &own_stats;
    *s.stats = (struct cel_scrape_stats){0};
    r = cel__rand_secure(&seed, sizeof seed);
    if (r < 0)
        return r;
    if (s.session == NULL)
        s.session = cel_session_new(&options->session_options);
    if (s.session == NULL)
        return -ENOMEM;
    cel__rand_seed(&s.jitter, seed);
    cel__hosts_init(&s.hosts, options->per_host);
    cel__waitq_init(&s.ended);
    s.ended.what = "a page to end";
    CEL_SCOPE (pages)
        r = start_all(&s); /* parks; the scope's end waits for the pages under way */
    report_rest(&s, r);
    cel__hosts_fini(&s.hosts);
    if (options->session == NULL)
        cel_session_free(s.session);
    s.stats->elapsed = cel_now() - start;
    return r;
}
