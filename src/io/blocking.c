/* SPDX-License-Identifier: MIT */
#include "io/blocking.h"

#include <errno.h>

#include "celadon/offload.h"
#include "loop/core.h"
#include "loop/pool.h"

#define QUEUE_RETRY CEL_MILLISECOND

/* A queue that is full drains; one that nobody works at does not. */
static bool has_threads(void)
{
    struct cel__lane_state lane;

    if (cel__loop_here->backend->later != NULL)
        return true; /* the loop itself does the work */
    cel__pool_look(cel__loop_here, CEL_LANE_BLOCKING, &lane);
    return lane.threads > 0;
}

int cel__blocking_do(void *(*fn)(void *arg), void *arg)
{
    for (;;) {
        int r = cel_offload_await(fn, arg, NULL); /* parks */

        if (r != -EAGAIN || !has_threads())
            return r;
        r = cel_sleep(QUEUE_RETRY); /* parks */
        if (r < 0)
            return r;
    }
}
