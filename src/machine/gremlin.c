/* SPDX-License-Identifier: MIT */
#include "machine/gremlin.h"

#include "base/buggify.h"
#include "machine/diary.h"
#include "machine/station.h"

#define STEP    (100 * CEL_MILLISECOND)
#define CUT_MAX (2 * CEL_SECOND)
#define ACTIVE  4 /* one place in so many is active in a run, */
#define ONE_IN  4 /* and takes its rare path one time in so many */
#define ONE_WAY 3 /* of so many partitions is in one direction only */

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
    if (!cel__diary_fault(m, "buggify", place->file, (int)place->line))
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

static void look(struct cel__machine *m, struct cel__happening *event)
{
    CEL__LIST_EACH (node, &m->hosts)
        CEL__LIST_EACH (other, &m->hosts)
            if (other != node && CEL__CHANCE(m, partition))
                part(m, cel__container_of(node, struct cel__station, link),
                     cel__container_of(other, struct cel__station, link));
    if (!m->is_calm)
        cel__machine_schedule(m, event, m->now + STEP);
}

void cel__gremlin_start(struct cel__machine *m, struct cel__gremlin *g)
{
    cel__buggify = take_rare_path;
    g->event.run = look;
    g->event.mark = CEL__MARK_PARTING;
    if (m->options.partition != 0 && !m->is_calm)
        cel__machine_schedule(m, &g->event, m->now + STEP);
}

void cel__gremlin_stop(struct cel__machine *m, struct cel__gremlin *g)
{
    cel__machine_unschedule(m, &g->event);
}
