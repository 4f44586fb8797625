/* SPDX-License-Identifier: MIT */
#ifndef CEL__LINGER_H
#define CEL__LINGER_H

/* Looking for messages for a while before sleeping, as long as that is worth it. */

#include <stdbool.h>
#include <stdint.h>

struct cel_loop;

/* Is it worth looking before this sleep? Counts the sleep. */
bool cel__linger_wants(struct cel_loop *loop);
/* Looks for messages, and at the kernel now and then, until something is to be done, `until` has
 * come or the loop's `spin` is over. 0 or -errno of the backend. Whether something came tells the
 * loop. */
int cel__linger(struct cel_loop *loop, int64_t until);
/* A sleep that began at `from` is over, with or without a message. */
void cel__linger_slept(struct cel_loop *loop, int64_t from);

#endif
