/* SPDX-License-Identifier: MIT */
#ifndef CEL__CARGO_H
#define CEL__CARGO_H

/* Descriptors that ride with a byte of a stream between Unix sockets. They have their numbers, as
 * copies, from the moment when they are sent. */

#include "base/sys.h"
#include "machine/machine.h"

struct cel__cargo {
    struct cel__list link;
    uint64_t at; /* the byte of the stream */
    unsigned count;
    int fds[];
};

/* Copies of those. -EBADF, -EMFILE. */
CEL_NODISCARD int cel__cargo_pack(struct cel__cargo **out, struct cel__machine *m, const int *fds,
                                  unsigned count);
/* With what is in it. NULL is fine. */
void cel__cargo_drop(struct cel__cargo *cargo);
void cel__cargo_drop_all(struct cel__list *cargos);
/* How many of n bytes from `read` on one reader may take: not beyond the next cargo's byte. */
size_t cel__cargo_limit(const struct cel__list *cargos, uint64_t read, size_t n);
/* Takes the cargo out of the list whose byte has been read; NULL: there is none. */
struct cel__cargo *cel__cargo_land(struct cel__list *cargos, uint64_t read);

#endif
