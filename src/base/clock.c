/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

#include "base/sys.h"
#include "celadon/base.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    cel__sys.clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * CEL_SECOND + ts.tv_nsec;
}

int64_t cel__clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t cel__clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
