/* SPDX-License-Identifier: MIT */
#ifndef CEL__ALIVE_H
#define CEL__ALIVE_H

/* The loops of the process, for those who look from outside: a debugger on a live process or a
 * core. Nobody inside walks them, so only opening and closing a loop take the lock. */

#include "loop/core.h"

/* Links of struct cel_loop, `alive`. */
extern struct cel__list cel__loops_alive;

void cel__loop_appear(struct cel_loop *loop);
void cel__loop_vanish(struct cel_loop *loop);
/* In the child of a fork: the loops are the parent's, and so may be the lock's holder. */
void cel__loops_forget(void);

#endif
