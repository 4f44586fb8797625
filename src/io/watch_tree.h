/* SPDX-License-Identifier: MIT */
#ifndef CEL__WATCH_TREE_H
#define CEL__WATCH_TREE_H

/* The folders that one inotify descriptor watches, by the kernel's number for each; and what was
 * found in those that came late. Blocking calls: for a thread of the pool. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"

struct cel__found {
    char *path;
    bool is_folder;
};

struct cel__watch_tree {
    int fd;
    uint32_t mask;
    bool is_recursive;
    char **paths; /* by number; NULL: not watched */
    size_t path_count;
    struct cel__found *found; /* the first `found_at` have been told */
    size_t found_at, found_count, found_cap;
};

/* Watches the path, and what is below if the tree is recursive. is_new: what is below goes to
 * `found`. -> 0; -ENOSPC, -ENOMEM, -errno; what is gone already is no error below the top. */
CEL_NODISCARD int cel__watch_tree_add(struct cel__watch_tree *tree, const char *path, bool is_new);
/* The path's watch, and those below it, go. */
void cel__watch_tree_remove(struct cel__watch_tree *tree, const char *path);
/* The kernel has let go of it. */
void cel__watch_tree_forget(struct cel__watch_tree *tree, int number);
/* NULL: not watched. */
const char *cel__watch_tree_path(const struct cel__watch_tree *tree, int number);
/* Not the descriptor. */
void cel__watch_tree_fini(struct cel__watch_tree *tree);

#endif
