/* SPDX-License-Identifier: MIT */
#ifndef CEL__STRICT_H
#define CEL__STRICT_H

/* CELADON_DEBUG=1: what a program does that is allowed and most likely a mistake is logged. */

#include "task/state.h"

/* For a loop whose set of tasks has just been made. */
void cel__strict_begin(struct cel_loop *loop);
void cel__strict_end(struct cel_loop *loop);

/* A record of a task that has ended goes; the scope it belonged to is still there. */
void cel__strict_released(const struct cel_task *task);

/* A parking call returns what the scope was cancelled with. */
void cel__strict_refused(struct cel__scope *scope);

static inline void cel__strict_release(const struct cel__tasks *tasks, const struct cel_task *task)
{
    if (cel__unlikely(tasks->strict != NULL))
        cel__strict_released(task);
}

#endif
