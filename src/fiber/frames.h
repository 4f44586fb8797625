/* SPDX-License-Identifier: MIT */
#ifndef CEL__FRAMES_H
#define CEL__FRAMES_H

/* The return addresses on a fiber's stack, innermost first (base/unwind.h). Never reads outside of
 * the stack. Safe in a signal handler of the fiber's thread. */

#include "base/unwind.h"
#include "fiber/fiber.h"

/* Of a suspended fiber. -> how many. */
size_t cel__frames_parked(const struct cel_fiber *f, uintptr_t *out, size_t max);
/* Where the fiber's stack lies; nowhere for a main fiber. */
struct cel__extent cel__frames_extent(const struct cel_fiber *f);

#endif
