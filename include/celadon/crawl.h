/* SPDX-License-Identifier: MIT */
#ifndef CELADON_CRAWL_H
#define CELADON_CRAWL_H

/* Many pages at once: fetch a list of URLs, select fields from each, report every one exactly once,
 * good or bad. One page's failure never touches another's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"
#include "celadon/html.h"
#include "celadon/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The page as a document, by the encoding that its Content-Type names. Owner: the caller. NULL when
 * memory is out. Does not park. */
CEL_PUBLIC CEL_NODISCARD struct cel_html *cel_html(const struct cel_response *page);

/* What became of one URL. Everything in it is gone when the callback returns, but the item may be
 * taken: set `item` to NULL and free it yourself. */
struct cel_scraped {
    size_t index;          /* place in the list, from 0 */
    const char *url;       /* as it was given */
    int code;              /* 0, or the negative code of the failure */
    const char *phase;     /* of the failure: "url", "dns", "connect", "tls", "headers", "status",
                              "body", "parse", … */
    const char *cause;     /* of the failure, in words; "" without one */
    int status;            /* of the last answer; 0: there was none */
    const char *final_url; /* behind redirects; NULL: there was no answer */
    unsigned attempts;
    int64_t elapsed;       /* ns, over all attempts */
    size_t body_bytes;     /* decoded */
    const char *truncated; /* NULL, or the limit that cut the document: see cel_html_truncated */
    struct cel_item *item; /* NULL after a failure, or without fields */
    const struct cel_response *page; /* NULL after a failure */
};

struct cel_scrape_options {
    struct cel_session *session; /* NULL: one of its own, made of: */
    struct cel_session_options session_options;
    const struct cel_fields *fields; /* NULL: fetch only */
    struct cel_html_options html;    /* charset is taken from each answer unless it is set here */
    unsigned concurrency;            /* pages under way; 0: 64 */
    unsigned per_host;               /* of these to one host and port; 0: no such limit */
    unsigned retries; /* after the first attempt, for failures that may pass: no connection, reset,
                         time-outs, statuses 429, 502, 503, 504 */
    int64_t backoff;  /* before the first retry, ns, doubled for each further; 0: 500 ms. A
                         Retry-After  of up to a minute is obeyed */
    int64_t timeout;  /* ns, for each attempt; 0: 30 s */
    bool accepts_any_status; /* else 400 and above is a failure */
    /* The next URL: 1 and *url (valid until the next call), or 0 at the end; a negative code ends
     * the scrape with it when those under way are done. Called as there is room, by the task that
     * scrapes; it may park, and pages under way go on meanwhile. */
    int (*next)(void *arg, const char **url);
    /* Once for each URL, in the order in which they end. Does not park. */
    void (*done)(void *arg, struct cel_scraped *result);
    void *arg;
};

struct cel_scrape_stats {
    size_t started, succeeded, failed, retried; /* URLs; the last: attempts beyond the first */
    size_t active;                              /* now */
    uint64_t body_bytes;
    int64_t elapsed;
};

/* (parks) Until each URL was reported. When it is cancelled or past a deadline those under way are
 * reported with that code, and the rest of the list is not asked for. stats (may be NULL) is kept
 * up to date all along, for a progress line. 0 also when URLs failed; -EINVAL no next or done,
 * -ENOMEM, -ECANCELED, -ETIMEDOUT, and what `next` gave. */
CEL_PUBLIC CEL_NODISCARD int cel_scrape(const struct cel_scrape_options *options,
                                        struct cel_scrape_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
