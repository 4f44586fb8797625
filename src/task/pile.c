/* SPDX-License-Identifier: MIT */
/* A pile: jobs in order, in a pool that may be shared with others. */
#include <errno.h>

#include "base/mem.h"
#include "task/jobs.h"

struct cel_pile {
    struct cel__jobs jobs;
    struct cel_pool *pool; /* may be NULL */
};

int cel_pile_new(struct cel_pile **out, struct cel_pool *pool)
{
    struct cel_pile *pile = cel__mem_zalloc(sizeof *pile);

    if (pile == NULL)
        return -ENOMEM;
    pile->pool = pool;
    cel__jobs_init(&pile->jobs, false);
    *out = pile;
    return 0;
}

int cel_pile_spawn(struct cel_pile *pile, cel_task_fn *fn, void *arg)
{
    int r = cel_checkpoint();

    return r < 0 ? r : cel__jobs_begin(&pile->jobs, pile->pool, fn, arg); /* parks */
}

int cel_pile_next(struct cel_pile *pile, void **value)
{
    return cel__jobs_take(&pile->jobs, value); /* parks */
}

void cel_pile_free(struct cel_pile *pile)
{
    if (pile == NULL)
        return;
    cel__jobs_end(&pile->jobs); /* parks */
    cel__mem_free(pile);
}
