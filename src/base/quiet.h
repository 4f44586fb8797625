/* SPDX-License-Identifier: MIT */
#ifndef CEL__QUIET_H
#define CEL__QUIET_H

/* Without SIGPIPE: for the calls that cannot be told not to raise it. */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct cel__quiet {
    sigset_t pipe_only, before;
    bool was_pending;
};

/* Holds the signal back, in this thread, until the end. */
void cel__quiet_begin(struct cel__quiet *q);
/* Takes away the signal that the call between has raised, and no other. n is what the call
 * returned. -> n, or -errno for -1. */
ssize_t cel__quiet_end(struct cel__quiet *q, ssize_t n);

#endif
