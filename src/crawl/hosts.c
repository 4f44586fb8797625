/* SPDX-License-Identifier: MIT */
#include "crawl/hosts.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void cel__hosts_init(struct cel__hosts *hosts, unsigned per_host)
{
    *hosts = (struct cel__hosts){.per_host = per_host};
    cel__list_init(&hosts->ring);
}

/* "scheme://host:port", without looking further into it: what is no URL at all fails when it is
 * fetched. */
static struct cel_str host_name(const char *url)
{
    const char *colon = strstr(url, "://");
    size_t begin = colon != NULL ? (size_t)(colon - url) + 3 : 0;

    return (struct cel_str){url, begin + strcspn(url + begin, "/?#")};
}

static bool has_room(const struct cel__hosts *hosts, const struct cel__host *host)
{
    return hosts->per_host == 0 || host->active < hosts->per_host;
}

static void settle(struct cel__hosts *hosts, struct cel__host *host)
{
    bool may_start = !cel__list_is_empty(&host->waiting) && has_room(hosts, host);

    if (may_start && cel__list_is_empty(&host->link))
        cel__list_append(&hosts->ring, &host->link);
    else if (!may_start)
        cel__list_unlink(&host->link);
}

static struct cel__host *host_for(struct cel__hosts *hosts, const char *url)
{
    struct cel_str name = host_name(url);
    struct cel__host *host = cel__map_get(&hosts->by_name, name);

    if (host != NULL)
        return host;
    host = cel__mem_zalloc(sizeof *host);
    if (host == NULL)
        return NULL;
    cel__list_init(&host->link);
    cel__list_init(&host->waiting);
    if (cel__map_put(&hosts->by_name, name, host, NULL) < 0) {
        cel__mem_free(host);
        return NULL;
    }
    return host;
}

int cel__hosts_add(struct cel__hosts *hosts, const char *url, size_t index)
{
    struct cel__host *host = host_for(hosts, url);
    struct cel__visit *visit = host != NULL ? cel__mem_zalloc(sizeof *visit) : NULL;

    if (visit == NULL)
        return -ENOMEM;
    visit->url = cel__mem_strdup(url);
    if (visit->url == NULL) {
        cel__mem_free(visit);
        return -ENOMEM;
    }
    visit->host = host;
    visit->index = index;
    cel__list_append(&host->waiting, &visit->link);
    hosts->waiting++;
    settle(hosts, host);
    return 0;
}

struct cel__visit *cel__hosts_take(struct cel__hosts *hosts)
{
    struct cel__list *node = cel__list_pop(&hosts->ring);
    struct cel__host *host;
    struct cel__visit *visit;

    if (node == NULL)
        return NULL;
    host = cel__container_of(node, struct cel__host, link);
    visit = cel__container_of(cel__list_pop(&host->waiting), struct cel__visit, link);
    host->active++;
    hosts->waiting--;
    settle(hosts, host); /* at the ring's end: the other hosts come first */
    return visit;
}

static void visit_free(struct cel__visit *visit)
{
    cel__mem_free(visit->url);
    cel__mem_free(visit);
}

void cel__hosts_end(struct cel__hosts *hosts, struct cel__visit *visit)
{
    struct cel__host *host = visit->host;

    host->active--;
    settle(hosts, host);
    visit_free(visit);
}

void cel__hosts_fini(struct cel__hosts *hosts)
{
    struct cel__map_entry *entry;
    size_t at = 0;

    while ((entry = cel__map_next(&hosts->by_name, &at)) != NULL) {
        struct cel__host *host = entry->value;
        struct cel__list *node;

        while ((node = cel__list_pop(&host->waiting)) != NULL)
            visit_free(cel__container_of(node, struct cel__visit, link));
        cel__mem_free(host);
    }
    cel__map_fini(&hosts->by_name);
}
