/* SPDX-License-Identifier: MIT */
#ifndef CEL__TREE_H
#define CEL__TREE_H

/* The tree of fibers: greenlets below greenlets, tasks and main fibers. */

#include "fiber/fiber.h"

/* Puts f, a greenlet, below `parent` (NULL: below none). */
void cel__fiber_adopt(struct cel_fiber *f, struct cel_fiber *parent);

/* The children of f become its parent's. */
void cel__fiber_orphan(struct cel_fiber *f);

#endif
