/* SPDX-License-Identifier: MIT */
#ifndef CEL__TELL_H
#define CEL__TELL_H

/* One task, one scope, and what runs, in words. Allocates nothing, follows no list that may be half
 * changed: also for signal handlers. */

#include "base/report.h"
#include "base/symbols.h"
#include "base/unwind.h"
#include "task/state.h"

/* Where the thread itself is. */
struct cel__here {
    struct cel__unwind at;
    struct cel__extent thread_stack; /* for code that runs outside of tasks; zeros: not known */
};

bool cel__is_running(const struct cel_loop *loop, const struct cel_task *task);
bool cel__is_parked(const struct cel_loop *loop, const struct cel_task *task);
/* Nanoseconds from the fiber's `since` to the report's instant. */
int64_t cel__parked_for(const struct cel__report *to, uint32_t since);

/* "name" (spawned at file:line) */
void cel__report_task(struct cel__report *to, const struct cel_task *task);
/* ": parked sleeping, 12 s left; for 1.250 s" */
void cel__report_state(struct cel__report *to, const struct cel_loop *loop,
                       const struct cel_task *task);
/* "scope, cancelled, deadline in 12 s", or the task's name. */
void cel__report_scope(struct cel__report *to, const struct cel__scope *scope);
/* The running task, or the loop itself, with its backtrace. */
void cel__report_running(struct cel__report *to, struct cel__symbols *known, struct cel_loop *loop,
                         const struct cel__here *here);
/* That of this thread, to standard error: what an assertion says before the end. */
void cel__report_mistake(void);

#endif
