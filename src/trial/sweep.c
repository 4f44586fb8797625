/* SPDX-License-Identifier: MIT */
/* Many seeds, and the check that a seed decides everything: some runs are made twice. */
#include <errno.h>
#include <stdlib.h>

#include "base/cc.h"
#include "base/log.h"
#include "machine/recipe.h"
#include "trial/program.h"
#include "trial/trial.h"

#define TWICE_EVERY 20

struct program {
    const struct cel_sim_options *options; /* NULL: drawn */
    void *(*fn)(void *arg);
    void *arg;
};

/* -> whether the environment names a seed. */
static bool environment_seed(uint64_t *seed)
{
    const char *text = getenv("CEL_SEED");

    if (text == NULL)
        return false;
    *seed = strtoull(text, NULL, 10);
    return true;
}

static int options_for(struct cel_sim_options *out, uint64_t seed,
                       const struct cel_sim_options *wanted)
{
    const char *text = getenv("CEL_CFG");
    int r = 0;

    if (wanted != NULL)
        *out = *wanted;
    else
        cel_sim_options_draw(out, seed);
    if (text != NULL)
        r = cel__options_parse(out, text);
    if (r < 0)
        cel__log(CEL_LOG_ERROR, "CEL_CFG is not understood: %s", text);
    return r;
}

static int run_traced(uint64_t seed, const struct program *program, struct cel__track *trace,
                      struct cel_sim_report *report)
{
    struct cel_sim_options options;
    int r = options_for(&options, seed, program->options);

    if (r < 0)
        return r;
    return cel__trial_run(seed, &options, program->fn, program->arg, trace, report);
}

static void begin(void)
{
    cel__program_note();
    cel__verdict_check_build();
    cel__crash_watch();
}

int cel_sim_run(uint64_t seed, const struct cel_sim_options *options, void *(*fn)(void *arg),
                void *arg, struct cel_sim_report *report)
{
    struct program program = {options, fn, arg};
    struct cel_sim_report own = {0};

    int r;

    (void)environment_seed(&seed);
    begin();
    r = run_traced(seed, &program, NULL, report != NULL ? report : &own);
    cel__crash_unwatch();
    return r;
}

/* -> -EILSEQ when the second run took another way than the first. */
static int run_twice(uint64_t seed, const struct program *program, struct cel_sim_report *report)
{
    struct cel__track trace = {.on_differing = cel__verdict_keep};
    struct cel_sim_report second;
    int r = run_traced(seed, program, &trace, report);

    if (r == 0) {
        trace.is_checking = true;
        r = run_traced(seed, program, &trace, &second);
    }
    if (r == 0 && (trace.differs || second.hash != report->hash)) {
        cel__verdict_say_difference(&trace, seed);
        r = -EILSEQ;
    }
    cel__machine_release(trace.steps);
    return r;
}

static void add(struct cel_sim_report *sum, const struct cel_sim_report *one)
{
    sum->seed = one->seed;
    sum->hash = one->hash;
    sum->events += one->events;
    sum->switches += one->switches;
    sum->faults += one->faults;
    sum->elapsed += one->elapsed;
    sum->runs++;
}

int cel_sim_sweep(uint64_t first, uint64_t count, const struct cel_sim_options *options,
                  void *(*fn)(void *arg), void *arg, struct cel_sim_report *report)
{
    struct program program = {options, fn, arg};
    struct cel_sim_report sum = {0}, one = {0};
    int r = 0;

    if (environment_seed(&first))
        count = 1;
    begin();
    for (uint64_t i = 0; i < count && r == 0; i++) {
        if (i % TWICE_EVERY == 0)
            r = run_twice(first + i, &program, &one);
        else
            r = run_traced(first + i, &program, NULL, &one);
        one.seed = first + i;
        add(&sum, &one);
    }
    cel__crash_unwatch();
    if (report != NULL)
        *report = sum;
    return r;
}
