/* SPDX-License-Identifier: MIT */
/* A pool that is full is tried again. In a forked child, which has neither pool nor loop, the work
 * is done here and now. */
#include "errand.h"

#include <errno.h>

#include <celadon/base.h>
#include <celadon/offload.h>

#include "pause.h"

#define QUEUE_FULL_PAUSE CEL_MILLISECOND

int cel__green_run(void *(*fn)(void *arg), void *arg)
{
    int saved = errno, r;
    void *unused;

    if (!cel__green_is_home()) {
        (void)fn(arg);
        return 0;
    }
    for (;;) {
        r = cel_offload_await(fn, arg, &unused); /* parks */
        if (r == -EAGAIN)
            r = cel__green_sleep_until(cel_now() + QUEUE_FULL_PAUSE) < 0 ? -ECANCELED : -EAGAIN;
        if (r != -EAGAIN)
            break;
    }
    errno = saved;
    return r;
}

int cel__green_ask(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *result))
{
    int saved = errno, r;
    void *unused;

    if (!cel__green_is_home()) {
        (void)fn(arg);
        return 0;
    }
    for (;;) {
        r = cel_offload_or_abandon(fn, arg, drop, &unused); /* parks */
        if (r != -EAGAIN)
            break;
        r = cel__green_sleep_until(cel_now() + QUEUE_FULL_PAUSE); /* parks */
        if (r < 0) {
            drop(arg, NULL);
            break;
        }
    }
    errno = saved;
    return r;
}
