/* SPDX-License-Identifier: MIT */
#ifndef CEL__GREMLIN_H
#define CEL__GREMLIN_H

/* Faults that come by themselves while a machine runs: partitions, hosts that stand still, lose
 * their power or their idea of the time, and the rare paths of CEL__BUGGIFY. */

#include "machine/machine.h"

struct cel__gremlin {
    struct cel__happening event; /* looks whom to part */
};

void cel__gremlin_start(struct cel__machine *m, struct cel__gremlin *g);
void cel__gremlin_stop(struct cel__machine *m, struct cel__gremlin *g);

#endif
