/* SPDX-License-Identifier: MIT */
#ifndef CEL__LAYOUT_H
#define CEL__LAYOUT_H

/* Where a debugger finds what, without debug information (cel__debug_layout, exported, so that a
 * stripped library has it too): names with offsets, sizes and numbers.
 * tools/celadon-gdb.py reads it from the process or the core at hand, and so fits whatever library
 * that was built with. The version grows when an entry changes its meaning or goes. */

#include <stdint.h>

#include "celadon/debug.h"

#define CEL__LAYOUT_VERSION 1

struct cel__layout_entry {
    char name[44]; /* inline, so that a reader needs one look at the memory */
    uint32_t value;
};

struct cel__layout {
    char magic[8];
    uint32_t version;
    uint32_t count;
    const struct cel__layout_entry *entries;
    const void *loops; /* the list's head */
};

#endif
