/* SPDX-License-Identifier: MIT */
#ifndef CEL__POWER_H
#define CEL__POWER_H

/* The power of a simulated host, and what its disk has after a loss of it. */

#include "machine/disk.h"

/* The host's disk, from the first use on. */
struct cel__disk *cel__power_disk(struct cel__station *h);
/* Its power fails, and its disk forgets what it had not been told to keep. Its life is over. */
void cel__power_fail(struct cel__station *h);
/* May who acts for it now use its disk? */
bool cel__power_is_on(struct cel__station *h);
/* The disks of all hosts go. */
void cel__power_end_all(struct cel__machine *m);

#endif
