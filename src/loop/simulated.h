/* SPDX-License-Identifier: MIT */
#ifndef CEL__SIMULATED_H
#define CEL__SIMULATED_H

/* What runs simulations asks of the backend `sim`. */

#include <stdbool.h>

#include "loop/core.h"
#include "machine/station.h"

/* Calls `soon` when no task can run and nothing happens any more at this instant. */
void cel__sim_when_settled(struct cel_loop *loop, struct cel__soon *soon);
/* Takes that back. -> false: too late, it is about to be called. */
bool cel__sim_unsettle(struct cel_loop *loop, struct cel__soon *soon);
/* The host's power fails, perhaps in the middle of a job that somebody there waits for. */
void cel__sim_cut_power(struct cel_loop *loop, struct cel__station *station);

#endif
