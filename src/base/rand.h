/* SPDX-License-Identifier: MIT */
#ifndef CEL__RAND_H
#define CEL__RAND_H

/* A seedable generator (xoshiro256**) for choices that must replay, and the
 * kernel's randomness for what must not be guessed. */

#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

struct cel__rand {
    uint64_t s[4];
};

void cel__rand_seed(struct cel__rand *r, uint64_t seed);
uint64_t cel__rand_next(struct cel__rand *r);
/* 0 <= result < bound; bound > 0. */
uint64_t cel__rand_below(struct cel__rand *r, uint64_t bound);
/* Unguessable bytes. 0 or -errno. */
CEL_NODISCARD int cel__rand_secure(void *out, size_t len);

#endif
