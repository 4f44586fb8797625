/* SPDX-License-Identifier: MIT */
#ifndef CEL__POLICY_H
#define CEL__POLICY_H

/* Which ready task runs next in a simulation: the machine's options and draws decide. */

#include <stdint.h>

#include "fiber/sched.h"
#include "machine/machine.h"

/* Zeroed it is empty. Fibers are told apart by address, and numbered in the order of their first
 * appearance: no choice depends on an address. */
struct cel__policy {
    struct cel__known {
        const struct cel_fiber *fiber;
        uint32_t id;
        int64_t priority;          /* the highest runs */
        bool is_new;               /* has not run yet */
        struct cel__station *host; /* whose it is; NULL: nobody's */
    } * known;                     /* open addressing */
    uint32_t cap, count, ids;
    int64_t lowest; /* given to whose priority falls */
};

/* Brings the chosen one to the front. -> what is known of it; NULL: none that is ready may run now.
 */
const struct cel__known *cel__policy_choose(struct cel__policy *p, struct cel__machine *m,
                                            struct cel__sched *s);
void cel__policy_fini(struct cel__policy *p);

#endif
