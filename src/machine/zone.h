/* SPDX-License-Identifier: MIT */
#ifndef CEL__ZONE_H
#define CEL__ZONE_H

/* The names that exist on a simulated network. */

#include <sys/socket.h>

#include "machine/machine.h"

#define CEL__ZONE_ADDRESSES 8

struct cel__name {
    struct cel__list link;
    size_t count;
    struct sockaddr_storage at[CEL__ZONE_ADDRESSES];
    char name[];
};

/* One address more. NULL: none any more. -EINVAL, -ENOSPC. */
CEL_NODISCARD int cel__zone_add(struct cel__machine *m, const char *name, const char *address);
/* NULL: no such name. "localhost" always exists. */
const struct cel__name *cel__zone_find(struct cel__machine *m, const char *name);
void cel__zone_end(struct cel__machine *m);

#endif
