/* SPDX-License-Identifier: MIT */
#ifndef CEL__RUN_H
#define CEL__RUN_H

#include "task/state.h"

/* Turns the loop until the task has ended; reports a deadlock, and a failure, in the log. 0 and
 * *result (may be NULL); -CEL_EFAILED or the code the task failed with; -EDEADLK; -errno of a turn.
 */
CEL_NODISCARD int cel__run_main(struct cel_loop *loop, struct cel_task *task, void **result);

#endif
