/* SPDX-License-Identifier: MIT */
#ifndef CEL__MAP_H
#define CEL__MAP_H

/* Byte strings to pointers. Keys are copied; they are hashed by SipHash-1-3
 * with a key drawn once per process, so a peer cannot aim collisions.
 * A zeroed map is empty and valid. Walks are in insertion order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

struct cel__map_entry {
    struct cel_str key; /* owned by the map */
    void *value;
    uint64_t hash;
    bool is_live;
};

struct cel__map {
    struct cel__map_entry *entries; /* in insertion order, with tombstones */
    size_t used;                    /* entries taken, tombstones included */
    size_t live;
    uint32_t *index; /* open addressing into entries, +1; 0 is free */
    size_t slots;    /* power of two, or 0 */
};

void *cel__map_get(const struct cel__map *m, struct cel_str key);
/* Sets or replaces; *old (may be NULL) gets what stood there. -ENOMEM, map as before. */
CEL_NODISCARD int cel__map_put(struct cel__map *m, struct cel_str key, void *value, void **old);
/* -> the removed value or NULL. */
void *cel__map_remove(struct cel__map *m, struct cel_str key);
/* Next live entry at or behind *at (start with 0), or NULL. Removing is allowed while walking. */
struct cel__map_entry *cel__map_next(const struct cel__map *m, size_t *at);
/* Frees keys and tables, not the values. */
void cel__map_fini(struct cel__map *m);

#endif
