/* SPDX-License-Identifier: MIT */
#ifndef CEL__SCOPE_H
#define CEL__SCOPE_H

#include "task/state.h"

/* Opened where `code` ends what runs. */
void cel__scope_inherit(struct cel__scope *scope, int code);

/* Links a scope into its parent; it inherits the parent's cancellation unless shielded. */
static inline void cel__scope_open(struct cel__scope *scope, struct cel__scope *parent,
                                   struct cel_task *task, uint8_t flags)
{
    *scope = (struct cel__scope){.parent = parent, .task = task, .flags = flags | CEL__SCOPE_OPEN};
    cel__list_init(cel__scope_inner(scope));
    cel__list_append(cel__scope_inner(parent), cel__scope_link(scope));
    if (cel__unlikely(parent->code != 0))
        cel__scope_inherit(scope, parent->code);
}

/* Ends what runs inside: `code` for the scope itself, -ECANCELED for all below that no shield
 * covers. */
void cel__scope_cancel(struct cel__scope *scope, int code);
void cel__scope_join_some(struct cel__scope *scope);

/* (parks) Until every child has ended; frees the handles left. Not to be cancelled: the children
 * are. */
static inline void cel__scope_join(struct cel__scope *scope)
{
    if (!cel__list_is_empty(cel__scope_inner(scope))) /* who runs in it is on its list */
        cel__scope_join_some(scope);                  /* parks */
}

/* A child of `scope` ended with `code` (0: well). `error` (may be NULL) is taken if it is the
 * scope's first. */
void cel__scope_child_ended(struct cel__scope *scope, struct cel_task *child);
static inline void cel__scope_unlink(struct cel__scope *scope)
{
    cel__list_unlink(cel__scope_link(scope));
}

#endif
