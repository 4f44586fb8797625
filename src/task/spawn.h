/* SPDX-License-Identifier: MIT */
#ifndef CEL__SPAWN_H
#define CEL__SPAWN_H

#include "task/state.h"

/* cel_spawn_at into a scope that may be another than the one around (NULL: that one). It must be
 * open, and of this loop. */
CEL_NODISCARD struct cel_task *cel__task_spawn(struct cel__scope *scope, cel_task_fn *fn, void *arg,
                                               const struct cel_spawn_options *options,
                                               const char *file, int line);

#endif
