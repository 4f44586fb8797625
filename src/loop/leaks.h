/* SPDX-License-Identifier: MIT */
#ifndef CEL__LEAKS_H
#define CEL__LEAKS_H

/* What a program left behind in a loop that is being closed, beside tasks and descriptors: timers
 * that nobody stopped, jobs that nobody gave up. To be asked when no task is left and before what
 * is left ends by itself. */

#include "loop/core.h"

/* Names each in the log. -> how many. */
unsigned cel__leaks_tell(struct cel_loop *loop);

#endif
