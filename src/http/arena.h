/* SPDX-License-Identifier: MIT */
#ifndef CEL__ARENA_H
#define CEL__ARENA_H

/* Memory that is freed all at once. A zeroed arena is empty and valid. */

#include <stddef.h>

#include "celadon/base.h"

struct cel__arena_block;

struct cel__arena {
    struct cel__arena_block *blocks;
    char *at, *end;
};

/* Aligned for anything; NULL when memory is out. */
void *cel__arena_alloc(struct cel__arena *arena, size_t size_bytes);
/* NUL-terminated copy. */
char *cel__arena_copy(struct cel__arena *arena, struct cel_str s);
void cel__arena_clear(struct cel__arena *arena);

#endif
