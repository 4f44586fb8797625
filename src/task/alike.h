/* SPDX-License-Identifier: MIT */
#ifndef CEL__ALIKE_H
#define CEL__ALIKE_H

/* Which tasks wait in the same way: spawned at the same line, parked in the same kind of wait, with
 * the same frames. A report tells one of them and counts the others. Allocates nothing, so only so
 * many ways are told apart; tasks of the others are each by itself. */

#include "task/state.h"

#define CEL__ALIKE_MAX 64

struct cel__alike {
    uint64_t key;
    const struct cel_task *told; /* the one that has waited longest */
    unsigned count;              /* 0: the place is free */
    uint32_t since;              /* when the last of them was parked */
};

struct cel__alikes {
    struct cel__alike all[CEL__ALIKE_MAX];
};

/* What tasks that wait in the same way have in common; frames are those of the parked task. */
uint64_t cel__alike_key(const struct cel_task *task, const uintptr_t *frames, size_t count);
void cel__alikes_add(struct cel__alikes *alikes, const struct cel_task *task, uint64_t key);
/* NULL: no place was left for these. */
const struct cel__alike *cel__alikes_find(const struct cel__alikes *alikes, uint64_t key);

#endif
