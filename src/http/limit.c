/* SPDX-License-Identifier: MIT */
/* One scope instead of one per timeout: a phase costs one move of one timer. The scopes around win:
 * an expiry of theirs reaches the caller as what it is. */
#include "http/limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "task/error.h"

void cel__limit_enter(struct cel__limit *l, int64_t total)
{
    l->total = total;
    l->timeout = CEL_FOREVER;
    l->which = "total";
    cel_scope_enter(&l->scope, NULL);
}

void cel__limit_set(struct cel__limit *l, const char *which, int64_t timeout)
{
    int64_t deadline = CEL_FOREVER;

    if (timeout != CEL_FOREVER)
        deadline = cel__clock_add(cel_now(), timeout);
    l->timeout = timeout;
    l->which = which;
    if (l->total <= deadline) {
        deadline = l->total;
        l->which = "total";
    }
    cel_scope_set_deadline(&l->scope, deadline);
}

void cel__limit_touch(struct cel__limit *l)
{
    if (l->timeout != CEL_FOREVER)
        cel__limit_set(l, l->which, l->timeout);
}

static int raise_timeout(const struct cel__limit *l, const char *phase, const char *what)
{
    if (l->which[0] == 't')
        return cel__raise(-ETIMEDOUT, phase, "%s: the request took longer than its total timeout",
                          what);
    return cel__raise(-ETIMEDOUT, phase, "%s: nothing happened for %" PRId64 " ms (%s timeout)",
                      what, l->timeout / CEL_MILLISECOND, l->which);
}

int64_t cel__limit_leave(struct cel__limit *l, int64_t r, const char *phase, const char *what)
{
    int code;

    cel_scope_leave(&l->scope);
    if (r != -ECANCELED && r != -ETIMEDOUT)
        return r;
    code = cel_checkpoint();
    if (code != 0)
        return code;
    if (r == -ETIMEDOUT && cel_scope_expired(&l->scope))
        return raise_timeout(l, phase, what);
    return r;
}
