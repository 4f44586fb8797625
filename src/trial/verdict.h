/* SPDX-License-Identifier: MIT */
#ifndef CEL__VERDICT_H
#define CEL__VERDICT_H

/* What a failed run tells, and how it is had again. */

#include "machine/machine.h"

/* "CEL_SEED=... CEL_BUILD=... CEL_CFG=... ./program", as a shell takes it; out has room for
 * CEL__REPLAY_MAX. -> out. */
char *cel__verdict_replay(uint64_t seed, const struct cel_sim_options *options, char *out);
/* How a run has failed, beside its code. */
struct cel__verdict {
    const char *broken;     /* what an invariant has said; NULL: none has */
    struct cel_error cause; /* what the first task failed with; code 0: it did not */
    int left;               /* that was not closed */
};

/* Logs that, what happened last, and how to run it again. The machine is still there. */
void cel__verdict_say(const struct cel__machine *m, const struct cel__verdict *v, int code,
                      uint64_t seed);
/* A second run goes another way here: what happened last is kept for when it has ended. */
void cel__verdict_keep(struct cel__machine *m);
/* Then: where the two parted, and what is known to make runs part. */
void cel__verdict_say_difference(const struct cel__track *trace, uint64_t seed);
/* The faults that CEL_FAULTS lets happen; NULL: all. */
const char *cel__verdict_wanted_faults(void);
/* A descriptor to which all that happens is to be written, as CEL_TRACE says; -1: nobody wants it.
 * Before the machine is booted. */
int cel__verdict_follower(uint64_t seed);
/* Another build than the one that CEL_BUILD names? Says so, once. */
void cel__verdict_check_build(void);

/* A run that a signal ends (a crash, an abort, ^C) tells how to have it again too, before the
 * signal does what it did. Both, always. */
void cel__crash_watch(void);
void cel__crash_unwatch(void);
/* This thread's run from now on; options NULL: none. */
void cel__crash_run(uint64_t seed, const struct cel_sim_options *options);

#define CEL__REPLAY_MAX 2048

#endif
