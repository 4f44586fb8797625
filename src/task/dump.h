/* SPDX-License-Identifier: MIT */
#ifndef CEL__DUMP_H
#define CEL__DUMP_H

/* What the tasks of a loop do, as text. Takes no lock, no memory, follows no list that may be half
 * changed: it is called from signal handlers. */

#include "base/report.h"
#include "base/symbols.h"
#include "fiber/frames.h"
#include "task/state.h"

/* Where the thread itself is; zeros: not known. */
struct cel__here {
    uintptr_t pc;
    uintptr_t frame;
    struct cel__extent thread_stack; /* for code that runs outside of tasks */
};

/* "name" (spawned at file:line) */
void cel__report_task(struct cel__report *to, const struct cel_task *task);

/* The whole report of the calling thread's loop, to a descriptor or CEL__REPORT_LOG. `here` may be
 * NULL: nothing runs. */
void cel__dump_loop(struct cel_loop *loop, int fd, const struct cel__here *here);
/* The last events of the trace, if one runs. */
void cel__dump_trace(struct cel__report *to, const struct cel_loop *loop, size_t max);
/* The running task, or the loop itself, with its backtrace. */
void cel__dump_running(struct cel__report *to, struct cel__symbols *known, struct cel_loop *loop,
                       const struct cel__here *here);

#endif
