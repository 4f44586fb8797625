/* SPDX-License-Identifier: MIT */
/* One fiber switch, from four call sites on each side: ours_switch switch N. */
#include "../report.h"

#include <celadon/fiber.h>

static struct cel_fiber *here, *there;

static void *other(void *arg)
{
    (void)arg;
    for (;;) {
        cel_fiber_switch(here, NULL);
        cel_fiber_switch(here, NULL);
        cel_fiber_switch(here, NULL);
        cel_fiber_switch(here, NULL);
    }
}

int main(int argc, char **argv)
{
    long n = bench_arg(argc, argv, 2, 8000000) / 8;
    struct bench_span s;

    here = cel_fiber_current();
    there = cel_fiber_new(other, NULL);
    if (there == NULL)
        return 1;
    s = bench_start();
    for (long i = 0; i < n; i++) {
        cel_fiber_switch(there, NULL);
        cel_fiber_switch(there, NULL);
        cel_fiber_switch(there, NULL);
        cel_fiber_switch(there, NULL);
    }
    s = bench_stop(s);
    printf("{\"switch\":%.3f}\n", (double)s.cpu / (double)(n * 8));
    fflush(stdout);
    _Exit(0); /* the fiber's loop has no end */
}
