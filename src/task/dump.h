/* SPDX-License-Identifier: MIT */
#ifndef CEL__DUMP_H
#define CEL__DUMP_H

/* What the tasks of a loop do, as text. Takes no lock, no memory, follows no list that may be half
 * changed: it is called from signal handlers. */

#include "celadon/debug.h"
#include "task/tell.h"

/* The whole report of the calling thread's loop, to a descriptor or CEL__REPORT_LOG. `here` may be
 * NULL: nothing runs. options may be NULL. */
void cel__dump_loop(struct cel_loop *loop, int fd, const struct cel__here *here,
                    const struct cel_dump_options *options);
/* The last events of the trace, if one runs. */
void cel__dump_trace(struct cel__report *to, const struct cel_loop *loop, size_t max);

#endif
