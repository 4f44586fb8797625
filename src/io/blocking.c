/* SPDX-License-Identifier: MIT */
#include "io/blocking.h"

#include <errno.h>

#include "celadon/offload.h"

#define QUEUE_RETRY CEL_MILLISECOND

int cel__blocking_do(void *(*fn)(void *arg), void *arg)
{
    for (;;) {
        int r = cel_offload_await(fn, arg, NULL); /* parks */

        if (r != -EAGAIN)
            return r;
        r = cel_sleep(QUEUE_RETRY); /* parks */
        if (r < 0)
            return r;
    }
}
