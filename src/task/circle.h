/* SPDX-License-Identifier: MIT */
#ifndef CEL__CIRCLE_H
#define CEL__CIRCLE_H

/* Tasks that wait for each other, or for themselves. */

#include "base/report.h"
#include "task/state.h"

/* Tells of each circle once, and how many tasks wait for one from outside. Safe in signal handlers.
 */
void cel__circles_tell(struct cel__report *to, const struct cel__tasks *tasks);

#endif
