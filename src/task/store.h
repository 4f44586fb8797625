/* SPDX-License-Identifier: MIT */
#ifndef CEL__STORE_H
#define CEL__STORE_H

/* Items in the order in which a queue gives them out. It grows by doubling; room that was there
 * once stays, so a push after a pop cannot fail. */

#include <stdint.h>

#include "celadon/queue.h"

struct cel__stored {
    void *item;
    uint64_t number; /* of its coming, for equal priorities */
};

struct cel__store {
    struct cel__stored *items; /* a ring from head on, or a heap from 0 on */
    size_t count, head, room;
    uint64_t pushed;
    enum cel_queue_order order;
    int (*compare)(const void *a, const void *b);
};

/* -ENOMEM. */
CEL_NODISCARD int cel__store_push(struct cel__store *s, void *item);
/* Not from an empty one. */
void *cel__store_first(const struct cel__store *s);
/* The same, and takes it out. */
void *cel__store_pop(struct cel__store *s);
void cel__store_fini(struct cel__store *s);

#endif
