/* SPDX-License-Identifier: MIT */
#ifndef CEL__ELSEWHERE_H
#define CEL__ELSEWHERE_H

/* Tasks that one loop asked another to run; for who ends their futures and loops. */

#include "task/state.h"

/* The future of cel_spawn_on: asks for the task's cancellation. */
void cel__elsewhere_cancel(struct cel_future *f);
/* Given up by its owner. */
void cel__elsewhere_free(struct cel_future *f);

#endif
