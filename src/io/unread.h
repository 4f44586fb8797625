/* SPDX-License-Identifier: MIT */
#ifndef CEL__UNREAD_H
#define CEL__UNREAD_H

/* Bytes that have come and that nobody has read: on loan from the loop while they are as they
 * came, in memory of their own when several arrivals had to be joined. Used up, they hold no
 * memory, so an idle stream has none. A zeroed one is empty and valid. */

#include <stddef.h>

#include "celadon/base.h"
#include "loop/op.h"

struct cel__unread {
    char *ptr; /* into own or the loan */
    size_t len;
    char *own; /* NULL: none */
    size_t cap;
    struct cel__loan loan; /* data NULL: none */
};

/* The empty u becomes these bytes. */
void cel__unread_take_loan(struct cel__unread *u, const struct cel__loan *loan);
/* The same with memory of the heap, which is owned from now on. */
void cel__unread_take_own(struct cel__unread *u, char *own, size_t cap, size_t len);
/* Room for `more` bytes behind the last, in memory of its own. -ENOMEM: as before. */
CEL_NODISCARD int cel__unread_reserve(struct cel__unread *u, size_t more);
/* Room there is behind the last; 0 while on loan. */
size_t cel__unread_room(const struct cel__unread *u);
/* Takes n as read; with the last the memory goes. */
void cel__unread_drop(struct cel__unread *u, size_t n);
/* Copies up to len bytes out and drops them. -> how many. */
size_t cel__unread_copy(struct cel__unread *u, void *out, size_t len);
/* Empty again. */
void cel__unread_fini(struct cel__unread *u);

#endif
