/* SPDX-License-Identifier: MIT */
/* The first of several, and the end of the others: who loses is cancelled and awaited, so that what
 * they work on may lie on the caller's stack. */
#include "celadon/compose.h"

#include <errno.h>

#include "task/future.h"
#include "task/wait.h"

static void end_losers(union cel_awaitables x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x.futures[i] != NULL && x.futures[i]->is_task)
            cel_task_cancel(x.tasks[i]);
    for (size_t i = 0; i < n; i++) {
        if (x.futures[i] == NULL || !x.futures[i]->is_task)
            continue;
        (void)cel__future_wait(x.futures[i], true); /* parks */
        x.futures[i]->was_awaited = 1;
    }
}

/* (parks) -> the index of the winner, or how the race ended. */
static int run_race(struct cel_completed *order, union cel_awaitables x, bool is_success)
{
    int last = -1;

    for (;;) {
        int i = cel_completed_next(order); /* parks */

        if (i == -ENOENT)
            return last; /* all have failed: the last one tells why */
        if (i < 0 || !is_success || cel_outcome(x.futures[i]) == 0)
            return i;
        last = i;
    }
}

static int race(union cel_awaitables x, size_t n, void **value, bool is_success)
{
    struct cel_completed *order;
    int i, r = cel_checkpoint();

    CEL__ASSERT(n > 0 && n <= INT32_MAX);
    if (r == 0) {
        r = cel_completed_new(&order, x, n);
        if (r < 0)
            return r;
        r = i = run_race(order, x, is_success); /* parks */
        cel_completed_free(order);
        if (i >= 0)
            r = cel__future_take(x.futures[i], value) < 0 ? -CEL_EFAILED : i;
    }
    end_losers(x, n); /* parks */
    return r;
}

int(cel_race)(union cel_awaitables x, size_t n, void **value)
{
    return race(x, n, value, false); /* parks */
}

int(cel_race_success)(union cel_awaitables x, size_t n, void **value)
{
    return race(x, n, value, true); /* parks */
}
