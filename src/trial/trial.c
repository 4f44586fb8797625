/* SPDX-License-Identifier: MIT */
/* A run: the machine boots, the first task runs to its end while faults come and, later, do not;
 * then all is closed and counted.
 *
 * Safety first, liveness after: while faults last nothing wrong may happen; when they are over
 * everything must come to an end, which finds what hangs. */
#include "trial/trial.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/report.h"
#include "loop/core.h"
#include "machine/boot.h"
#include "machine/station.h"
#include "machine/recipe.h"
#include "task/dump.h"
#include "task/state.h"

#define CONFIG_MAX 1024

static __thread struct cel__trial *here;

struct cel__trial *cel__trial_here(void)
{
    CEL__ASSERT(here != NULL && "a call of celadon/sim.h outside of cel_sim_run");
    return here;
}

static struct cel__station *host_of_task(struct cel_task *task)
{
    for (struct cel__scope *at = task != NULL ? task->scope : NULL; at != NULL; at = at->parent) {
        if (!(at->flags & CEL__SCOPE_TASK))
            continue;
        CEL__LIST_EACH (node, &here->hosts) {
            const struct cel_sim_host *h = cel__container_of(node, struct cel_sim_host, link);

            if (h->task == cel__task_of_scope(at))
                return h->host;
        }
    }
    return NULL;
}

static struct cel__station *host_here(void)
{
    return host_of_task(cel__task_here());
}

static struct cel__station *host_of(const struct cel_fiber *fiber)
{
    return host_of_task(cel__task_of_fiber((struct cel_fiber *)fiber));
}

static void be_calm(struct cel__trial *t)
{
    struct cel__machine *m = t->machine;

    m->is_calm = true;
    cel__station_calm(m);
    cel__gremlin_stop(m, &t->gremlin);
    cel__machine_unschedule(m, &t->calm);
    if (t->options.patience > 0 && t->impatient.place == 0)
        cel__machine_schedule(m, &t->impatient, m->now + t->options.patience);
}

static void on_calm(struct cel__machine *m, struct cel__happening *event)
{
    be_calm(cel__container_of(event, struct cel__trial, calm));
}

static void on_impatient(struct cel__machine *m, struct cel__happening *event)
{
    cel__container_of(event, struct cel__trial, impatient)->is_over = true;
}

static void begin_faults(struct cel__trial *t)
{
    struct cel__machine *m = t->machine;

    t->calm.run = on_calm;
    t->calm.mark = 51;
    t->impatient.run = on_impatient;
    t->impatient.mark = 52;
    if (t->options.faults_for <= 0) {
        be_calm(t);
        return;
    }
    cel__machine_schedule(m, &t->calm, m->now + t->options.faults_for);
    cel__gremlin_start(m, &t->gremlin);
}

/* The first task's failure, or what kept it from its end. */
static int run_to_end(struct cel__trial *t, void *(*fn)(void *arg), void *arg)
{
    struct cel_task *task =
        cel_spawn_at(fn, arg, &(struct cel_spawn_options){.name = "main"}, "the trial", 0);
    int r = task == NULL ? -ENOMEM : 0;

    while (r >= 0 && !t->is_over && !cel_is_done(task))
        r = cel_loop_turn(t->loop, CEL_FOREVER);
    if (task != NULL && cel_is_done(task)) {
        r = cel_loop_until(t->loop, task, NULL);
        return r == -CEL_EFAILED ? cel_outcome(task) : r;
    }
    if (r >= 0)
        r = -ETIMEDOUT;
    if (r == -EDEADLK || r == -ETIMEDOUT) {
        cel__log(CEL_LOG_ERROR, "%s; still there:",
                 r == -EDEADLK ? "all wait, and nothing can happen any more"
                               : "not at an end long after the last fault");
        cel__dump_loop(t->loop, CEL__REPORT_LOG, NULL, NULL);
    }
    return r;
}

static void fill_report(const struct cel__machine *m, uint64_t seed, struct cel_sim_report *report)
{
    *report = (struct cel_sim_report){.seed = seed,
                                      .hash = m->hash,
                                      .events = m->events,
                                      .switches = m->switches,
                                      .faults = m->faults,
                                      .elapsed = m->now - m->began,
                                      .runs = 1};
}

static void free_hosts(struct cel__trial *t)
{
    struct cel__list *node;

    while ((node = cel__list_pop(&t->hosts)) != NULL)
        cel__machine_release(cel__container_of(node, struct cel_sim_host, link));
}

static int run_on(struct cel__trial *t, uint64_t seed, void *(*fn)(void *arg), void *arg,
                  struct cel_sim_report *report)
{
    int r = cel_loop_new(&t->loop, &(struct cel_loop_options){.backend = "sim"});
    bool is_clean;

    if (r < 0)
        return r;
    begin_faults(t);
    r = run_to_end(t, fn, arg);
    if (!t->machine->is_calm) /* who ends early need not end in the storm */
        be_calm(t);
    cel__station_resume_all(t->machine);
    is_clean = cel_loop_close(t->loop) == 0;
    fill_report(t->machine, seed, report);
    return r == 0 && !is_clean ? -EBUSY : r;
}

static void say_failure(int code, uint64_t seed, const struct cel_sim_options *options)
{
    char config[CONFIG_MAX];

    cel__log(CEL_LOG_ERROR, "the simulation failed: %s; again with CEL_SEED=%llu CEL_CFG=%s",
             cel_strerror(code), (unsigned long long)seed,
             cel__options_format(options, config, sizeof config));
}

int cel__trial_run(uint64_t seed, const struct cel_sim_options *options, void *(*fn)(void *arg),
                   void *arg, struct cel__track *trace, struct cel_sim_report *report)
{
    struct cel__trial trial = {.options = *options};
    int r;

    CEL__ASSERT(here == NULL && cel__loop_here == NULL && "a simulation is run outside of tasks");
    trial.machine = cel__machine_boot(seed, options);
    trial.machine->has_disks = true;
    trial.machine->host_here = host_here;
    trial.machine->host_of = host_of;
    trial.machine->trace = trace;
    cel__list_init(&trial.hosts);
    trial.home = cel__machine_alloc(sizeof *trial.home);
    trial.home->host = trial.machine->home;
    cel__list_append(&trial.hosts, &trial.home->link);
    here = &trial;
    r = run_on(&trial, seed, fn, arg, report);
    here = NULL;
    if (cel__machine_halt(trial.machine) != 0 && r == 0)
        r = -EBUSY;
    free_hosts(&trial);
    if (r < 0)
        say_failure(r, seed, options);
    return r;
}

int64_t cel_sim_now(void)
{
    const struct cel__machine *m = cel__trial_here()->machine;

    return m->now - m->began;
}

void cel_sim_calm(void)
{
    be_calm(cel__trial_here());
}

uint64_t cel_sim_draw(uint64_t bound)
{
    return cel__machine_draw(cel__trial_here()->machine, CEL__DRAW_USER, bound);
}
