/* SPDX-License-Identifier: MIT */
#ifndef CEL__SCOPE_H
#define CEL__SCOPE_H

#include "task/state.h"

/* Links a scope into its parent; it inherits the parent's cancellation unless shielded. */
void cel__scope_open(struct cel__scope *scope, struct cel__scope *parent, struct cel_task *task,
                     uint8_t flags);
/* Ends what runs inside: `code` for the scope itself, -ECANCELED for all below that no shield
 * covers. */
void cel__scope_cancel(struct cel__scope *scope, int code);
/* (parks) Until every child has ended; frees the handles left. Not to be cancelled: the children
 * are. */
void cel__scope_join(struct cel__scope *scope);
/* A child of `scope` ended with `code` (0: well). `error` (may be NULL) is taken if it is the
 * scope's first. */
void cel__scope_child_ended(struct cel__scope *scope, struct cel_task *child);
static inline void cel__scope_unlink(struct cel__scope *scope)
{
    cel__list_unlink(cel__scope_link(scope));
}

#endif
