/* SPDX-License-Identifier: MIT */
/* A list of pages on hosts of which some are down, some refuse, some have no name: each is reported
 * once, and what is reported is true. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/crawl.h"
#include "celadon/server.h"
#include "plays.h"

#define HOSTS 4
#define PAGES 16

static bool is_over; /* the storm is: now it must work */

static int on_page(struct cel_request *req, struct cel_reply *reply)
{
    const char *id = cel_param(req, "id");

    if (!is_over && cel_sim_draw(10) == 0)
        return cel_reply_text(reply, 503, "later");
    return cel_reply_text(reply, 200, "<title>%s</title><p>%0*d</p>", id, 900, 7);
}

static void *serve(void *arg)
{
    struct cel_server *server = cel_server_new(NULL);

    if (server == NULL)
        return NULL;
    if (cel_route(server, "GET /{id}", on_page, NULL) == 0)
        while (cel_serve(server, ":80") == -EMFILE && cel_sleep(CEL_MILLISECOND) == 0)
            continue;
    cel_server_free(server);
    return NULL;
}

struct list {
    unsigned asked;
    unsigned reported[PAGES];
    unsigned good, lies;
    char url[64];
};

/* The last host is only a name; the one before refuses. */
static int next(void *arg, const char **url)
{
    struct list *l = arg;

    if (l->asked == PAGES)
        return 0;
    snprintf(l->url, sizeof l->url, "http://host%u/%u", l->asked % (HOSTS + 1), l->asked);
    l->asked++;
    *url = l->url;
    return 1;
}

static void done(void *arg, struct cel_scraped *result)
{
    struct list *l = arg;
    unsigned long id = strtoul(strrchr(result->url, '/') + 1, NULL, 10);
    char title[64];

    l->lies += result->index != id || id >= PAGES;
    if (id < PAGES)
        l->reported[id]++;
    if (result->code != 0) {
        l->lies += result->phase == NULL || result->phase[0] == '\0';
        return;
    }
    l->good++;
    snprintf(title, sizeof title, "<title>%lu</title>", id);
    l->lies += strncmp(cel_text(result->page).ptr, title, strlen(title)) != 0;
    l->lies += id % (HOSTS + 1) >= HOSTS - 1;
}

void *play_scrape(void *arg)
{
    struct list list = {0};
    struct cel_scrape_options options = {.concurrency = 1 + (unsigned)cel_sim_draw(8),
                                         .per_host = (unsigned)cel_sim_draw(3),
                                         .retries = (unsigned)cel_sim_draw(2),
                                         .timeout = CEL_SECOND,
                                         .next = next,
                                         .done = done,
                                         .arg = &list};
    struct cel_scrape_stats stats = {0};
    char name[16];

    is_over = false;
    for (unsigned i = 0; i < HOSTS; i++) {
        struct cel_sim_host *host;

        snprintf(name, sizeof name, "host%u", i);
        HOLDS(cel_sim_host_new(&host, name, i < HOSTS - 1 ? serve : NULL, NULL) == 0);
        if (i == 1 && cel_sim_draw(2) == 0)
            cel_sim_kill(host);
        if (i == 2 && cel_sim_draw(2) == 0)
            cel_sim_pause(host, (int64_t)cel_sim_draw(10 * CEL_SECOND));
    }
    HOLDS(cel_scrape(&options, &stats) == 0);
    HOLDS(list.lies == 0);
    HOLDS(stats.succeeded == list.good && stats.active == 0);
    HOLDS(stats.succeeded + stats.failed == PAGES);
    for (unsigned i = 0; i < PAGES; i++)
        HOLDS(list.reported[i] == 1);
    is_over = true;
    cel_sim_calm();
    HOLDS(cel_sleep(5 * CEL_SECOND) == 0);
    list = (struct list){.asked = 0};
    options.timeout = 5 * CEL_SECOND;
    options.per_host = options.retries = 0;
    options.concurrency = PAGES;
    HOLDS(cel_scrape(&options, &stats) == 0);
    HOLDS(list.lies == 0 && list.reported[0] == 1 && list.reported[PAGES - 1] == 1);
    HOLDS(list.good >= (unsigned)(PAGES / (HOSTS + 1)));
    return NULL;
}
