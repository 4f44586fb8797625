/* SPDX-License-Identifier: MIT */
#ifndef CEL__OPTIONS_H
#define CEL__OPTIONS_H

/* The options of a simulation as text: "policy=1,latency=50000,...". */

#include <stddef.h>

#include "celadon/sim.h"

/* -> out, all options in it. */
char *cel__options_format(const struct cel_sim_options *o, char *out, size_t cap);
/* Sets those that are named. -EINVAL: not like that; out may be half changed. */
CEL_NODISCARD int cel__options_parse(struct cel_sim_options *o, const char *text);

#endif
