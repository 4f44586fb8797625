/* SPDX-License-Identifier: MIT */
#ifndef CEL__CREW_H
#define CEL__CREW_H

#include "celadon/pool.h"
#include "task/state.h"

/* (parks, unless `is_try`) cel_pool_spawn_at into a scope (NULL: the one around). */
int cel__crew_spawn(struct cel_pool *pool, struct cel__scope *scope, bool is_try, cel_task_fn *fn,
                    void *arg, struct cel_task **task, const char *file, int line);

#endif
