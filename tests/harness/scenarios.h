/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCENARIOS_H
#define TESTS_SCENARIOS_H

/* Small pieces of work over the whole library, each a task that releases all it made, whatever ends
 * it. They return NULL; what went wrong is in *code when it is not one of the codes that a fault or
 * a cancel explains. */

#include <stdbool.h>
#include <stddef.h>

#include "celadon/task.h"

struct scenario {
    const char *name;
    cel_task_fn *run;
    bool uses_pool;    /* makes system calls on the pool's threads */
    bool needs_kernel; /* not for a simulated machine: signals, processes, raw descriptors */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* The group's setup and teardown: what the scenarios share. */
int scenarios_open(void **state);
int scenarios_close(void **state);

#endif
