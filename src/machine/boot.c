/* SPDX-License-Identifier: MIT */
/* A machine from start to end. */
#include "machine/boot.h"

#include "base/cc.h"
#include "base/map.h"
#include "machine/calls.h"
#include "machine/datagram.h"
#include "machine/opened.h"
#include "machine/power.h"
#include "machine/station.h"
#include "machine/pair.h"
#include "machine/zone.h"

#define START (1000 * CEL_SECOND) /* of the monotonic clock: not 0, which would hide mistakes */
#define EPOCH (INT64_C(1700000000) * CEL_SECOND)

/* What the process draws once, it must draw before the first machine: else that one's later draws
 * would differ from the next one's. */
static void draw_for_good(void)
{
    static bool is_drawn;
    struct cel__map map = {0};

    if (is_drawn)
        return;
    is_drawn = cel__map_put(&map, CEL_LIT("x"), NULL, NULL) == 0;
    cel__map_fini(&map);
}

/* -> how many of them had a number. */
static unsigned end_sockets(struct cel__machine *m)
{
    unsigned left = 0;

    while (!cel__list_is_empty(&m->sockets)) {
        struct cel__socket *s = cel__container_of(m->sockets.next, struct cel__socket, link);

        left += s->fd >= 0;
        cel__datagram_drop_all(s);
        cel__socket_free(s);
    }
    cel__datagram_end_all(m);
    cel__pair_end_all(m);
    return left;
}

struct cel__leftovers cel__machine_leftovers(const struct cel__machine *m)
{
    struct cel__leftovers left = {0};

    CEL__LIST_EACH (node, &m->sockets)
        left.sockets += cel__container_of(node, struct cel__socket, link)->fd >= 0;
    for (size_t fd = 0; fd < m->opened_cap; fd++)
        left.files += m->opened[fd] != NULL;
    return left;
}

/* Whose doing it is, if it is anybody's. */
static const char *name_of_actor(void *arg)
{
    struct cel__machine *m = arg;
    const struct cel__station *h = m->acting;

    if (h == NULL && m->host_here != NULL)
        h = m->host_here();
    return h != NULL ? h->name : NULL;
}

struct cel__machine *cel__machine_boot(uint64_t seed, const struct cel_sim_options *options)
{
    struct cel__machine *m;

    CEL__ASSERT(cel__machine_here == NULL && "one simulated machine a thread");
    draw_for_good();
    cel__calls_install();
    m = cel__machine_alloc(sizeof *m);
    m->now = m->began = START;
    m->epoch = EPOCH - START;
    m->options = *options;
    m->hash = seed;
    m->quirk = seed * UINT64_C(0xd6e8feb86659fd93);
    for (unsigned lane = 0; lane < CEL__DRAW_LANES; lane++)
        cel__rand_seed(&m->rand[lane], seed * CEL__DRAW_LANES + lane);
    cel__list_init(&m->hosts);
    cel__list_init(&m->sockets);
    cel__list_init(&m->pairs);
    cel__list_init(&m->datagrams);
    cel__list_init(&m->news);
    cel__list_init(&m->zone);
    m->diary = cel__machine_alloc(sizeof *m->diary);
    *m->diary = (struct cel__diary){
        .now = &m->now, .began = m->now, .who = name_of_actor, .arg = m, .fd = -1};
    m->home = cel__station_new(m, "home");
    cel__machine_here = m;
    return m;
}

unsigned cel__machine_halt(struct cel__machine *m)
{
    unsigned left;

    if (m == NULL)
        return 0;
    left = end_sockets(m) + cel__opened_end_all(m);
    cel__power_end_all(m);
    cel__station_end_all(m);
    cel__zone_end(m);
    cel__machine_here = NULL;
    cel__machine_release(m->diary);
    cel__machine_release(m->heap);
    cel__machine_release(m->by_fd);
    cel__machine_release(m->opened);
    cel__machine_release(m);
    return left;
}
