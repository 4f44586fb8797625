/* SPDX-License-Identifier: MIT */
#ifndef CEL__GUARD_H
#define CEL__GUARD_H

/* What stops a stack from growing into its neighbour.
 *
 * Markers in the page table (Linux 6.13) split no mapping, so a million stacks are a few mappings.
 * Protected pages split, and end at some 32,000 stacks with the usual vm.max_map_count. Beyond that
 * a canary tells of an overflow when it is too late to survive it. */

#include <stdbool.h>
#include <stddef.h>

enum cel__guard_kind { CEL__GUARD_MARKER, CEL__GUARD_PROTECT, CEL__GUARD_CANARY };

/* The best kind that still works, per thread; zeroed: not tried yet. */
struct cel__guards {
    enum cel__guard_kind kind;
    bool is_probed;
};

/* Guards the `len` bytes below a stack; -> the kind it got (with CANARY the stack's lowest word is
 * one now), -ENOMEM. */
int cel__guard_install(struct cel__guards *guards, char *guard, size_t len);

/* `base` is a stack's lowest word. */
void cel__canary_set(char *base);
bool cel__canary_is_whole(const char *base);

#endif
