/* SPDX-License-Identifier: MIT */
#include "machine/power.h"

#include "base/cc.h"

struct cel__disk *cel__power_disk(struct cel__station *h)
{
    if (h->disk == NULL)
        h->disk = cel__disk_new(h);
    return h->disk;
}

void cel__power_fail(struct cel__station *h)
{
    h->power = CEL__STATION_DEAD;
    h->fuse = 0;
    h->life++;
    if (h->disk != NULL)
        cel__disk_crash(h->disk);
}

/* A job of an earlier life does nothing in this one. */
bool cel__power_is_on(struct cel__station *h)
{
    if (h->fuse > 0 && --h->fuse == 0)
        cel__power_fail(h);
    return h->power == CEL__STATION_UP && (h->m->acting != h || h->m->acting_life == h->life);
}

void cel__power_end_all(struct cel__machine *m)
{
    CEL__LIST_EACH (at, &m->hosts) {
        struct cel__station *h = cel__container_of(at, struct cel__station, link);

        cel__disk_free(h->disk);
        h->disk = NULL;
    }
}
