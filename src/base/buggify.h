/* SPDX-License-Identifier: MIT */
#ifndef CEL__BUGGIFY_H
#define CEL__BUGGIFY_H

/* Rare paths taken more often, while a simulation says so: if (CEL__BUGGIFY()) takes the slow one.
 * Elsewhere it is a load and a branch that is always predicted. Only for what is right anyway. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cc.h"

/* NULL: never. */
extern bool (*cel__buggify)(const char *file, int line);

#define CEL__BUGGIFY() (cel__unlikely(cel__buggify != NULL) && cel__buggify(__FILE__, __LINE__))

#endif
