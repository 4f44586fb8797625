/* SPDX-License-Identifier: MIT */
#include "machine/gremlin.h"

#include "base/buggify.h"
#include "base/cc.h"
#include "machine/station.h"

#define STEP      (100 * CEL_MILLISECOND)
#define CUT_MAX   (2 * CEL_SECOND)
#define CLOG_MAX  CEL_SECOND
#define PAUSE_MAX CEL_SECOND
#define ACTIVE    4 /* one place in so many is active in a run, */
#define ONE_IN    4 /* and takes its rare path one time in so many */
#define ONE_WAY   3 /* of so many partitions is in one direction only */

static uint64_t place_hash(const char *file, int64_t line)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) + (uint64_t)line;

    while (*file != '\0')
        h = (h ^ (unsigned char)*file++) * UINT64_C(0x100000001b3);
    return h;
}

/* A place is active by the hash of its name and of the run. */
static bool take_rare_path(struct cel__rare *place)
{
    struct cel__machine *m = cel__machine_here;
    uint64_t h;

    if (m == NULL || m->is_calm || m->options.buggify == 0)
        return false;
    h = (place_hash(place->file, place->line) ^ m->quirk) * UINT64_C(0x9e3779b97f4a7c15);
    if ((h >> 32) % ACTIVE != 0)
        return false;
    if (cel__machine_draw(m, CEL__DRAW_FAULT, ONE_IN) != 0)
        return false;
    if (!cel__machine_fault(m, "buggify", place->file, (int)place->line))
        return false;
    __atomic_add_fetch(&place->taken, 1, __ATOMIC_RELAXED);
    return true;
}

static void part(struct cel__machine *m, struct cel__station *a, struct cel__station *b)
{
    int64_t until = m->now + (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, CUT_MAX);

    cel__station_cut_until(a, b, until);
    if (cel__machine_draw(m, CEL__DRAW_FAULT, ONE_WAY) != 0)
        cel__station_cut_until(b, a, until);
}

/* An instant before the next look. */
static int64_t soon(struct cel__machine *m)
{
    return m->now + (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, STEP);
}

static void clog_host(struct cel__machine *m, struct cel__happening *event)
{
    struct cel__station *h = cel__container_of(event, struct cel__station, clog);
    int64_t until = m->now + (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, CLOG_MAX);

    CEL__LIST_EACH (node, &m->hosts) {
        struct cel__station *other = cel__container_of(node, struct cel__station, link);

        if (other == h)
            continue;
        cel__station_clog(h, other, until);
        cel__station_clog(other, h, until);
    }
}

/* Some hosts are cut off one after the other, and come back in another order. */
static void swizzle(struct cel__machine *m)
{
    CEL__LIST_EACH (node, &m->hosts) {
        struct cel__station *h = cel__container_of(node, struct cel__station, link);

        if (cel__machine_draw(m, CEL__DRAW_FAULT, 2) == 0 || h->clog.place != 0)
            continue;
        h->clog.run = clog_host;
        h->clog.mark = CEL__MARK_CLOG;
        h->clog.from = h->name;
        cel__machine_schedule(m, &h->clog, soon(m));
    }
}

static void lose_power(struct cel__machine *m, struct cel__happening *event)
{
    struct cel__station *h = cel__container_of(event, struct cel__station, outage);

    if (h->power == CEL__STATION_UP)
        m->on_outage(h);
}

/* By a millisecond to two hours, in either direction. */
static int64_t draw_jump(struct cel__machine *m)
{
    int64_t by = INT64_C(1) << (20 + cel__machine_draw(m, CEL__DRAW_FAULT, 24));

    return cel__machine_draw(m, CEL__DRAW_FAULT, 2) == 0 ? -by : by;
}

static void plague(struct cel__machine *m, struct cel__station *h)
{
    if (h != m->home && CEL__CHANCE(m, pause))
        cel__station_pause(h, (int64_t)cel__machine_draw(m, CEL__DRAW_FAULT, PAUSE_MAX));
    if (CEL__CHANCE(m, jump))
        h->skew += draw_jump(m);
    if (!h->is_mortal || h->outage.place != 0 || h->power != CEL__STATION_UP ||
        !CEL__CHANCE(m, outage))
        return;
    h->outage.run = lose_power;
    h->outage.mark = CEL__MARK_OUTAGE;
    h->outage.from = h->name;
    cel__machine_schedule(m, &h->outage, soon(m));
}

static void look(struct cel__machine *m, struct cel__happening *event)
{
    CEL__LIST_EACH (node, &m->hosts) {
        struct cel__station *h = cel__container_of(node, struct cel__station, link);

        CEL__LIST_EACH (other, &m->hosts)
            if (other != node && CEL__CHANCE(m, partition))
                part(m, h, cel__container_of(other, struct cel__station, link));
        plague(m, h);
    }
    if (CEL__CHANCE(m, swizzle))
        swizzle(m);
    if (!m->is_calm)
        cel__machine_schedule(m, event, m->now + STEP);
}

static bool has_work(const struct cel_sim_options *o)
{
    return (o->partition | o->pause | o->jump | o->outage | o->swizzle) != 0;
}

void cel__gremlin_start(struct cel__machine *m, struct cel__gremlin *g)
{
    cel__buggify = take_rare_path;
    g->event.run = look;
    g->event.mark = CEL__MARK_PARTING;
    if (has_work(&m->options) && !m->is_calm)
        cel__machine_schedule(m, &g->event, m->now + STEP);
}

void cel__gremlin_stop(struct cel__machine *m, struct cel__gremlin *g)
{
    cel__machine_unschedule(m, &g->event);
    CEL__LIST_EACH (node, &m->hosts) {
        struct cel__station *h = cel__container_of(node, struct cel__station, link);

        cel__machine_unschedule(m, &h->outage);
        cel__machine_unschedule(m, &h->clog);
    }
}
