/* SPDX-License-Identifier: MIT */
#ifndef CEL__BOOT_H
#define CEL__BOOT_H

#include "machine/machine.h"

/* The thread's machine from now on, with one host, home. options are copied. */
struct cel__machine *cel__machine_boot(uint64_t seed, const struct cel_sim_options *options);
/* What has a number and was not closed. */
struct cel__leftovers {
    unsigned sockets, files;
};

struct cel__leftovers cel__machine_leftovers(const struct cel__machine *m);
/* NULL is fine. -> sockets and files that were still open. */
unsigned cel__machine_halt(struct cel__machine *m);

#endif
