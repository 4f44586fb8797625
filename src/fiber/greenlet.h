/* SPDX-License-Identifier: MIT */
#ifndef CEL__GREENLET_H
#define CEL__GREENLET_H

/* What a greenlet has beyond a fiber. Its rules are in greenlet.c. */

#include "fiber/fiber.h"

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

#endif
