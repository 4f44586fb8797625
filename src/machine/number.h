/* SPDX-License-Identifier: MIT */
#ifndef CEL__NUMBER_H
#define CEL__NUMBER_H

/* Numbers for simulated descriptors. */

#include "machine/machine.h"

/* A real descriptor that serves as a number only: closed beneath (under.h) when it is free again.
 * -EMFILE. */
CEL_NODISCARD int cel__number_take(struct cel__machine *m);

#endif
