/* SPDX-License-Identifier: MIT */
#ifndef CEL__ABSENT_H
#define CEL__ABSENT_H

/* What a simulated machine has not: real processes, threads, signals, terminals, news of files, and
 * any descriptor of the real kernel that somebody would wait for. Within a run (is_alone) each of
 * them is refused by -ENOSYS, and the log says what to do instead: a run that waited for such
 * things would wait for ever, or replay no more. */

#include "base/sys.h"
#include "machine/machine.h"

void cel__absent_fill(struct cel__sys *table);
/* Somebody wants to wait for a descriptor of the real kernel. -> 0, or -ENOSYS within a run. */
CEL_NODISCARD int cel__absent_descriptor(struct cel__machine *m, int fd);

#endif
