/* SPDX-License-Identifier: MIT */
#ifndef CEL__WALK_H
#define CEL__WALK_H

/* Paths of a simulated disk. */

#include "machine/disk.h"

#define CEL__NAME_MAX 255

/* Where a path leads. */
struct cel__place {
    struct cel__node *folder;     /* that has, or would have, the name */
    struct cel__node *node;       /* NULL: there is none */
    char name[CEL__NAME_MAX + 1]; /* "": the path ends with a dot, or is "/" */
    bool is_folder_only;          /* a slash follows; what is there may be none all the same */
};

/* How to walk: a link at the end is followed; not even when a slash follows; the path must not lead
 * out of where it began. */
enum { CEL__WALK_FOLLOW = 1, CEL__WALK_NAME = 2, CEL__WALK_BENEATH = 4 };

/* Nothing is created: a name that is missing at the end is told by node NULL. -ENOENT, -ENOTDIR,
 * -ELOOP, -ENAMETOOLONG, -EXDEV out of `from` when it must be beneath. */
CEL_NODISCARD int cel__walk(struct cel__node *from, const char *path, unsigned how,
                            struct cel__place *out);

#endif
