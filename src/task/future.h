/* SPDX-License-Identifier: MIT */
#ifndef CEL__FUTURE_H
#define CEL__FUTURE_H

#include "task/state.h"

static inline void cel__future_init(struct cel_future *f)
{
    *f = (struct cel_future){.state = CEL__PENDING};
    cel__list_init(&f->waiters);
}

/* Ends it and wakes who waits. `error` is owned; NULL is fine. */
void cel__future_end(struct cel_future *f, void *value, int code, struct cel_error *error);
/* (parks) 0 when done; what the scopes around say otherwise, unless shielded. */
int cel__future_wait(struct cel_future *f, bool is_shielded);
/* Reads a done future for the current task: 0 and the value, or -CEL_EFAILED and the error moved to
 * it. */
int cel__future_take(struct cel_future *f, void **value);

#endif
