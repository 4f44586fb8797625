/* SPDX-License-Identifier: MIT */
#include "machine/station.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"

#define PORT_FIRST    32768
#define TAIL_TIMES    20
#define CLOG_MAX      CEL_SECOND
#define LOCAL_LATENCY (5 * CEL_MICROSECOND)

/* One direction between two hosts. */
struct link {
    struct cel__list link;
    struct cel__station *to;
    bool is_cut;       /* by the program */
    int64_t cut_until; /* by chance */
    int64_t clogged_until;
};

struct cel__station *cel__station_new(struct cel__machine *m, const char *name)
{
    struct cel__station *h = cel__machine_alloc(sizeof *h + strlen(name) + 1);

    h->m = m;
    h->id = m->host_count++;
    h->slowness = 1;
    h->port = (uint16_t)(PORT_FIRST + cel__machine_draw(m, CEL__DRAW_NET, 1000));
    cel__list_init(&h->links);
    h->v4 = 10u << 24 | (h->id + 1) / 250 % 250 << 8 | (h->id + 1) % 250;
    snprintf(h->address, sizeof h->address, "10.0.%u.%u", h->v4 >> 8 & 255, h->v4 & 255);
    memcpy(h->name, name, strlen(name) + 1);
    cel__list_append(&m->hosts, &h->link);
    return h;
}

void cel__station_end_all(struct cel__machine *m)
{
    struct cel__list *node, *inner;

    while ((node = cel__list_pop(&m->hosts)) != NULL) {
        struct cel__station *h = cel__container_of(node, struct cel__station, link);

        while ((inner = cel__list_pop(&h->links)) != NULL)
            cel__machine_release(cel__container_of(inner, struct link, link));
        cel__machine_release(h);
    }
}

struct cel__station *cel__station_current(struct cel__machine *m)
{
    struct cel__station *h = m->acting;

    if (h == NULL && m->host_here != NULL)
        h = m->host_here();
    return h != NULL ? h : m->home;
}

/* The IPv4 address in host order, also of a mapped one; 0: any; 127...: the loop, also for ::1. */
static bool v4_of(const struct sockaddr_storage *at, uint32_t *out)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)at;

    if (at->ss_family == AF_INET) {
        *out = ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr);
        return true;
    }
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        memcpy(out, &v6->sin6_addr.s6_addr[12], 4);
        *out = ntohl(*out);
        return true;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        *out = INADDR_ANY;
    else if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
        *out = INADDR_LOOPBACK;
    else
        return false;
    return true;
}

bool cel__address_is_loop(const struct sockaddr_storage *at)
{
    uint32_t v4;

    return v4_of(at, &v4) && v4 >> 24 == 127;
}

bool cel__address_is_any(const struct sockaddr_storage *at)
{
    uint32_t v4;

    return v4_of(at, &v4) && v4 == INADDR_ANY;
}

bool cel__station_has(const struct cel__station *h, const struct sockaddr_storage *at)
{
    uint32_t v4;

    if (!v4_of(at, &v4))
        return false;
    return v4 == INADDR_ANY || v4 >> 24 == 127 || v4 == h->v4;
}

struct cel__station *cel__station_at(struct cel__station *from, const struct sockaddr_storage *at)
{
    if (cel__station_has(from, at))
        return from;
    CEL__LIST_EACH (node, &from->m->hosts) {
        struct cel__station *h = cel__container_of(node, struct cel__station, link);

        if (cel__station_has(h, at))
            return h;
    }
    return NULL;
}

static struct link *link_between(struct cel__station *from, struct cel__station *to)
{
    struct link *l;

    CEL__LIST_EACH (node, &from->links)
        if (cel__container_of(node, struct link, link)->to == to)
            return cel__container_of(node, struct link, link);
    l = cel__machine_alloc(sizeof *l);
    l->to = to;
    cel__list_append(&from->links, &l->link);
    return l;
}

void cel__station_cut(struct cel__station *from, struct cel__station *to, bool is_cut)
{
    struct link *l = link_between(from, to);

    l->is_cut = is_cut;
    if (!is_cut)
        l->cut_until = 0;
}

void cel__station_cut_until(struct cel__station *from, struct cel__station *to, int64_t until)
{
    link_between(from, to)->cut_until = until;
}

void cel__station_clog(struct cel__station *from, struct cel__station *to, int64_t until)
{
    struct link *l = link_between(from, to);

    l->clogged_until = cel__max(l->clogged_until, until);
}

void cel__station_calm(struct cel__machine *m)
{
    CEL__LIST_EACH (node, &m->hosts)
        CEL__LIST_EACH (inner, &cel__container_of(node, struct cel__station, link)->links)
            cel__container_of(inner, struct link, link)->cut_until = 0;
}

static void wake_up(struct cel__machine *m, struct cel__happening *event)
{
}

void cel__station_pause(struct cel__station *h, int64_t duration)
{
    struct cel__machine *m = h->m;

    h->paused_until = cel__max(h->paused_until, m->now + duration);
    m->paused_until = cel__max(m->paused_until, h->paused_until);
    cel__machine_unschedule(m, &h->resume);
    h->resume.run = wake_up;
    h->resume.mark = CEL__MARK_RESUME;
    h->resume.from = h->name;
    cel__machine_schedule(m, &h->resume, h->paused_until);
}

void cel__station_resume_all(struct cel__machine *m)
{
    m->paused_until = 0;
    CEL__LIST_EACH (node, &m->hosts)
        cel__container_of(node, struct cel__station, link)->paused_until = 0;
}

bool cel__station_reaches(struct cel__station *from, struct cel__station *to)
{
    int64_t now = to->m->now;
    const struct link *l;

    if (to->power != CEL__STATION_UP || to->paused_until > now)
        return false;
    if (from == to)
        return true;
    l = link_between(from, to);
    return !l->is_cut && l->cut_until <= now;
}

int64_t cel__station_arrival(struct cel__station *from, struct cel__station *to)
{
    struct cel__machine *m = from->m;
    int64_t latency = m->options.latency;
    struct link *l;

    if (from == to)
        return m->now + LOCAL_LATENCY;
    if (CEL__CHANCE(m, tail))
        latency *= TAIL_TIMES;
    latency = cel__machine_draw_time(m, CEL__DRAW_NET, latency);
    l = link_between(from, to);
    if (CEL__CHANCE(m, clog))
        l->clogged_until = m->now + (int64_t)cel__machine_draw(m, CEL__DRAW_NET, CLOG_MAX);
    return cel__max(m->now, l->clogged_until) + latency;
}
