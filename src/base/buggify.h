/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUGGIFY_H
#define CEL__BUGGIFY_H

/* Rare paths taken more often, while a simulation says so: if (CEL__BUGGIFY()) takes the slow one.
 * Elsewhere it is a load and a branch that is always predicted. Only for what is right anyway.
 *
 * Each place is known by a record of its own, so that a test can tell which of them no run has ever
 * taken. One in a header has a record for each source file. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cc.h"

struct cel__rare {
    const char *file;
    int64_t line;
    uint64_t taken; /* atomic */
};

/* NULL: never. */
extern bool (*cel__buggify)(struct cel__rare *place);

/* The linker puts the records side by side. */
#define CEL__BUGGIFY()                                                                         \
    (cel__unlikely(cel__buggify != NULL) && cel__buggify(({                                    \
         static struct cel__rare cel__rare_place                                               \
             __attribute__((section("cel_rare"), aligned(8), used)) = {__FILE__, __LINE__, 0}; \
         &cel__rare_place;                                                                     \
     })))

/* All places of this library or program. -> the first of *count. */
struct cel__rare *cel__rare_places(size_t *count);

#endif
