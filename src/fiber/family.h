/* SPDX-License-Identifier: MIT */
#ifndef CEL__FAMILY_H
#define CEL__FAMILY_H

/* The tree of fibers: greenlets below greenlets, tasks and main fibers. */

#include "fiber/fiber.h"

/* What a greenlet has beyond a fiber. Only greenlets are children, so only they carry the links. */
struct cel__greenlet {
    struct cel_fiber fiber;
    void *(*fn)(void *arg);
    void *arg;
    void *value;                         /* of the first switch */
    struct cel__greenlet *sibling;       /* next child of the same parent */
    struct cel__greenlet **sibling_link; /* what points at us; NULL below no parent */
    struct cel_fiber *ender;             /* who waits in cel_fiber_free for our end, or NULL */
    int raised;                          /* what our end will throw, or 0 */
};

static inline struct cel__greenlet *cel__greenlet_of(struct cel_fiber *f)
{
    return cel__container_of(f, struct cel__greenlet, fiber);
}

/* Puts f, a greenlet, below `parent` (NULL: below none). */
void cel__fiber_adopt(struct cel_fiber *f, struct cel_fiber *parent);

/* The children of f become its parent's. */
void cel__fiber_orphan(struct cel_fiber *f);

#endif
