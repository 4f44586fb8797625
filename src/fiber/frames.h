/* SPDX-License-Identifier: MIT */
#ifndef CEL__FRAMES_H
#define CEL__FRAMES_H

/* The return addresses on a fiber's stack, innermost first, by the chain of frame pointers. Never
 * reads outside of the stack: code built without frame pointers ends the chain, or hides frames.
 * Safe in a signal handler of the fiber's thread. */

#include <stddef.h>
#include <stdint.h>

#include "fiber/fiber.h"

struct cel__extent {
    uintptr_t low, high;
};

/* Of a suspended fiber. -> how many. */
size_t cel__frames_parked(const struct cel_fiber *f, uintptr_t *out, size_t max);
/* From a frame pointer on a stack between two addresses, and an address to begin with (0: none). */
size_t cel__frames_from(struct cel__extent stack, uintptr_t pc, uintptr_t frame, uintptr_t *out,
                        size_t max);
/* Where the fiber's stack lies; nowhere for a main fiber. */
struct cel__extent cel__frames_extent(const struct cel_fiber *f);

#endif
