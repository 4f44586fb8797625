/* SPDX-License-Identifier: MIT */
#ifndef CEL__BOOT_H
#define CEL__BOOT_H

#include "machine/machine.h"

/* The thread's machine from now on, with one host, home. options are copied. */
struct cel__machine *cel__machine_boot(uint64_t seed, const struct cel_sim_options *options);
/* NULL is fine. -> sockets and files that were still open. */
unsigned cel__machine_halt(struct cel__machine *m);

#endif
