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
    bool leaves_thread; /* uses the thread pool */
    bool is_long;       /* too many system calls to fail each within the suite's time */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
