/* SPDX-License-Identifier: MIT */
#ifndef CEL__DIR_H
#define CEL__DIR_H

/* Names of a folder, read by blocking calls, a block of entries at a time. */

#include "celadon/file.h"

struct cel__listing {
    int fd; /* not owned */
    size_t at, len;
    _Alignas(16) char block[32768];
};

void cel__listing_init(struct cel__listing *list, int fd);
/* (blocks when the block is used up) 1; 0: no more; -errno. */
CEL_NODISCARD int cel__listing_next(struct cel__listing *list, struct cel_dir_entry *entry);

#endif
