/* SPDX-License-Identifier: MIT */
#ifndef CEL__TRIAL_H
#define CEL__TRIAL_H

/* One run of a program on a simulated machine. */

#include <stdbool.h>

#include "celadon/sim.h"
#include "celadon/task.h"
#include "machine/gremlin.h"
#include "machine/machine.h"
#include "trial/verdict.h"

struct cel__trial {
    struct cel__machine *machine;
    struct cel_loop *loop;
    struct cel_sim_options options;
    struct cel__gremlin gremlin;
    struct cel__happening calm;      /* the faults end */
    struct cel__happening impatient; /* time is over */
    bool is_over;
    struct {
        const char *(*check)(void *arg);
        void *arg;
    } invariants[8];
    unsigned invariant_count;
    struct cel__verdict end;
    struct cel__list hosts; /* struct cel_sim_host */
    struct cel_sim_host *home;
};

/* A machine's host and the program that runs on it. */
struct cel_sim_host {
    struct cel__list link;
    struct cel__station *host;
    void *(*fn)(void *arg);
    void *arg;
    struct cel_task *task; /* NULL: none runs */
    bool is_coming_back;   /* after a loss of power by chance */
};

/* The run under way in this thread; there must be one. */
struct cel__trial *cel__trial_here(void);
/* Runs once. report is filled; trace may be NULL. */
CEL_NODISCARD int cel__trial_run(uint64_t seed, const struct cel_sim_options *options,
                                 void *(*fn)(void *arg), void *arg, struct cel__track *trace,
                                 struct cel_sim_report *report);

#endif
