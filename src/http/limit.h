/* SPDX-License-Identifier: MIT */
#ifndef CEL__LIMIT_H
#define CEL__LIMIT_H

/* The timeouts of one call, as one scope whose deadline moves from phase to phase. */

#include <stdbool.h>
#include <stdint.h>

#include "celadon/task.h"

struct cel__limit {
    struct cel_scope scope;
    int64_t total;     /* absolute; CEL_FOREVER: none */
    int64_t timeout;   /* of the phase, ns; CEL_FOREVER: none */
    const char *which; /* timeout that is set: "total", "connect", "read" */
};

/* Opens the scope; no deadline is set until the first phase. */
void cel__limit_enter(struct cel__limit *l, int64_t total);
/* The deadline is `timeout` from now, or the total if that is sooner. `which` is static. */
void cel__limit_set(struct cel__limit *l, const char *which, int64_t timeout);
/* Something has happened: the phase's time begins anew. */
void cel__limit_touch(struct cel__limit *l);
/* Leaves the scope; r is what the work in it came to. -> r, or what the scopes around have to say
 * about an r of -ECANCELED, or -ETIMEDOUT in words for `phase` and `what` (whom it was about). */
int64_t cel__limit_leave(struct cel__limit *l, int64_t r, const char *phase, const char *what);

#endif
