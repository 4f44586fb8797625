/* SPDX-License-Identifier: MIT */
#ifndef CEL__HOSTS_H
#define CEL__HOSTS_H

/* URLs waiting for their host's turn: a line per host, and a ring of the hosts that may start one.
 * A host that is at its limit leaves the ring until one of its pages ends, so choosing is O(1)
 * however many wait. */

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/map.h"

struct cel__host {
    struct cel__list link;    /* in the ring, while it has a line and room */
    struct cel__list waiting; /* struct cel__visit */
    unsigned active;
};

struct cel__visit {
    struct cel__list link;
    struct cel__host *host;
    char *url;
    size_t index;
};

struct cel__hosts {
    struct cel__map by_name;
    struct cel__list ring;
    unsigned per_host; /* 0: no limit */
    size_t waiting;
};

void cel__hosts_init(struct cel__hosts *hosts, unsigned per_host);
/* Copies the url. -ENOMEM. */
CEL_NODISCARD int cel__hosts_add(struct cel__hosts *hosts, const char *url, size_t index);
/* The next that may start, host by host; it counts as active then. NULL: none may. */
struct cel__visit *cel__hosts_take(struct cel__hosts *hosts);
/* It has ended; frees it. */
void cel__hosts_end(struct cel__hosts *hosts, struct cel__visit *visit);
/* None is active. */
void cel__hosts_fini(struct cel__hosts *hosts);

#endif
