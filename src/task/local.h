/* SPDX-License-Identifier: MIT */
#ifndef CEL__LOCAL_H
#define CEL__LOCAL_H

#include "task/state.h"

/* For a task that is being made: copies of the current task's values. -ENOMEM: it has none. */
int cel__locals_inherit(struct cel_task *task);
/* Of a task that will not run after all. */
void cel__locals_forget(struct cel_task *task);

#endif
