/* SPDX-License-Identifier: MIT */
#ifndef CEL__SHUFFLE_H
#define CEL__SHUFFLE_H

/* Ready tasks in a random order, on the real backends, for who asks by CELADON_SHUFFLE=SEED: a
 * program that leans on the order in which tasks happen to run today is found out. The order is the
 * seed's; when tasks become ready is still the kernel's. */

#include "loop/core.h"

/* Looks what the environment says. */
void cel__shuffle_init(struct cel_loop *loop);
/* Runs up to `budget` ready ones. */
void cel__shuffle_run(struct cel_loop *loop, int budget);

#endif
