/* SPDX-License-Identifier: MIT */
#ifndef SOAK_OUTCOMES_H
#define SOAK_OUTCOMES_H

/* How an exchange ends: in exactly one of these. */

#include <errno.h>
#include <stdio.h>

#include <celadon/base.h>

enum outcome { OK, REFUSED, RESET, ENDED, TIMED_OUT, UNRESOLVED, WRONG, OTHER, OUTCOMES };

struct outcomes {
    unsigned long begun, ended[OUTCOMES];
    int other_code; /* the last of them */
};

static inline enum outcome outcome_of(int r)
{
    switch (r) {
    case 0:
        return OK;
    case -ECONNREFUSED:
        return REFUSED;
    case -ECONNRESET:
    case -EPIPE:
        return RESET;
    case -CEL_EEOF:
    case -CEL_ETRUNCATED:
        return ENDED;
    case -ETIMEDOUT:
        return TIMED_OUT;
    case -CEL_EDNS:
        return UNRESOLVED;
    case -CEL_EPROTOCOL:
        return WRONG;
    default:
        return OTHER;
    }
}

static inline void outcomes_count(struct outcomes *o, int r)
{
    o->ended[outcome_of(r)]++;
    if (outcome_of(r) == OTHER)
        o->other_code = r;
}

/* Without the braces around. */
static inline void outcomes_print(const struct outcomes *o)
{
    static const char *const names[] = {"ok",        "refused",    "reset", "ended",
                                        "timed_out", "unresolved", "wrong", "other"};

    printf("\"begun\": %lu, \"other_code\": \"%s\", \"ended\": {", o->begun,
           o->other_code != 0 ? cel_errname(o->other_code) : "");
    for (int i = 0; i < OUTCOMES; i++)
        printf("%s\"%s\": %lu", i > 0 ? ", " : "", names[i], o->ended[i]);
    printf("}");
}

#endif
