/* SPDX-License-Identifier: MIT */
#ifndef CEL__JOBS_H
#define CEL__JOBS_H

/* Tasks whose results are taken one by one, in the order in which they were begun or in which they
 * end. They belong to the scope around the place where the set was made. */

#include "celadon/pool.h"
#include "task/place.h"

struct cel__jobs {
    struct cel__list running; /* in the order of their beginning */
    struct cel__list ended;   /* of their end; used only when `is_unordered` */
    struct cel_line reader;
    struct cel__scope *scope;
    size_t count; /* begun and not taken */
    bool is_unordered;
};

void cel__jobs_init(struct cel__jobs *jobs, bool is_unordered);
/* (parks when there is a pool) -ENOMEM, -ECANCELED, -ETIMEDOUT: it was not begun. */
CEL_NODISCARD int cel__jobs_begin(struct cel__jobs *jobs, struct cel_pool *pool, cel_task_fn *fn,
                                  void *arg);
/* (parks) The next result. 0 and *value (may be NULL); -CEL_EFAILED; -ENOENT: there are no jobs;
 * -ECANCELED, -ETIMEDOUT: none was taken. */
CEL_NODISCARD int cel__jobs_take(struct cel__jobs *jobs, void **value);
/* (parks) Cancels those that run and waits for their end, shielded. */
void cel__jobs_end(struct cel__jobs *jobs);

#endif
