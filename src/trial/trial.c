/* SPDX-License-Identifier: MIT */
/* A run: the machine boots, the first task runs to its end while faults come and, later, do not;
 * then all is closed and counted.
 *
 * Safety first, liveness after: while faults last nothing wrong may happen; when they are over
 * everything must come to an end, which finds what hangs. */
#include "trial/trial.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/report.h"
#include "loop/core.h"
#include "machine/boot.h"
#include "machine/station.h"
#include "task/dump.h"
#include "task/state.h"

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
    t->calm.mark = CEL__MARK_CALM;
    t->impatient.run = on_impatient;
    t->impatient.mark = CEL__MARK_IMPATIENT;
    if (t->options.faults_for <= 0) {
        be_calm(t);
        return;
    }
    cel__machine_schedule(m, &t->calm, m->now + t->options.faults_for);
    cel__gremlin_start(m, &t->gremlin);
}

/* The clock must not go on when it has ended. */
static void has_ended(struct cel__waiter *w)
{
    cel__loop_here->is_awaited = true;
}

static int outcome_of(struct cel__trial *t, struct cel_task *task)
{
    int r;

    if (cel__future_error(&task->future) != NULL)
        t->end.cause = *cel__future_error(&task->future);
    r = cel_loop_until(t->loop, task, NULL);
    return r == -CEL_EFAILED ? cel_outcome(task) : r;
}

static void say_who_waits(struct cel__trial *t, int r)
{
    cel__log(CEL_LOG_ERROR, "%s; still there:",
             r == -EDEADLK ? "all wait, and nothing can happen any more"
                           : "not at an end long after the last fault");
    cel__dump_loop(t->loop, CEL__REPORT_LOG, NULL, NULL);
}

/* The first task's failure, or what kept it from its end. */
static int run_to_end(struct cel__trial *t, void *(*fn)(void *arg), void *arg)
{
    struct cel_task *task =
        cel_spawn_at(fn, arg, &(struct cel_spawn_options){.name = "main"}, "the trial", 0);
    struct cel__waiter waiter = {.wake = has_ended};
    int r = 0;

    if (task == NULL)
        return -ENOMEM;
    cel__list_append(&task->future.waiters, &waiter.link);
    while (r >= 0 && !t->is_over && !cel_is_done(task))
        r = cel_loop_turn(t->loop, CEL_FOREVER);
    cel__list_unlink(&waiter.link);
    if (t->end.broken != NULL)
        return -EPROTO;
    if (cel_is_done(task))
        return outcome_of(t, task);
    if (r >= 0)
        r = -ETIMEDOUT;
    if (r == -EDEADLK || r == -ETIMEDOUT)
        say_who_waits(t, r);
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
    struct cel__leftovers left;

    if (r < 0)
        return r;
    begin_faults(t);
    r = run_to_end(t, fn, arg);
    t->machine->diary->is_closed = true; /* what follows is no cause of it */
    t->machine->look = NULL;
    if (!t->machine->is_calm) /* who ends early need not end in the storm */
        be_calm(t);
    cel__station_resume_all(t->machine);
    t->end.left = cel_loop_close(t->loop);
    fill_report(t->machine, seed, report);
    left = cel__machine_leftovers(t->machine);
    t->end.left += (int)(left.sockets + left.files);
    return r == 0 && t->end.left != 0 ? -EBUSY : r;
}

int cel__trial_run(uint64_t seed, const struct cel_sim_options *options, void *(*fn)(void *arg),
                   void *arg, struct cel__track *trace, struct cel_sim_report *report)
{
    struct cel__trial trial = {.options = *options};
    int r, follower;

    CEL__ASSERT(here == NULL && cel__loop_here == NULL && "a simulation is run outside of tasks");
    follower = cel__verdict_follower(seed);
    trial.machine = cel__machine_boot(seed, options);
    trial.machine->has_disks = true;
    trial.machine->is_alone = true;
    trial.machine->host_here = host_here;
    trial.machine->host_of = host_of;
    trial.machine->trace = trace;
    trial.machine->diary->wanted = cel__verdict_wanted_faults();
    trial.machine->diary->fd = follower;
    cel__list_init(&trial.hosts);
    trial.home = cel__machine_alloc(sizeof *trial.home);
    trial.home->host = trial.machine->home;
    cel__list_append(&trial.hosts, &trial.home->link);
    here = &trial;
    cel__crash_run(seed, &trial.options);
    r = run_on(&trial, seed, fn, arg, report);
    cel__crash_run(seed, NULL);
    here = NULL;
    if (r < 0)
        cel__verdict_say(trial.machine, &trial.end, r, seed);
    (void)cel__machine_halt(trial.machine);
    free_hosts(&trial);
    return r;
}

/* -> whether all holds. */
static bool look_at_invariants(void)
{
    struct cel__trial *t = here;

    for (unsigned i = 0; i < t->invariant_count && !t->is_over; i++) {
        const char *broken = t->invariants[i].check(t->invariants[i].arg);

        if (broken == NULL)
            continue;
        t->end.broken = broken;
        t->is_over = true;
        t->loop->is_awaited = true;
    }
    return !t->is_over;
}

int cel_sim_always(const char *(*check)(void *arg), void *arg)
{
    struct cel__trial *t = cel__trial_here();

    if (t->invariant_count == cel__countof(t->invariants))
        return -ENOSPC;
    t->invariants[t->invariant_count].check = check;
    t->invariants[t->invariant_count++].arg = arg;
    t->machine->look = look_at_invariants;
    return 0;
}

void cel_sim_note(const char *format, ...)
{
    char text[64];
    va_list va;

    va_start(va, format);
    (void)vsnprintf(text, sizeof text, format, va);
    va_end(va);
    cel__diary_say(cel__trial_here()->machine->diary, text);
}

bool cel_sim_is_running(void)
{
    return here != NULL;
}

int64_t cel_sim_wall(void)
{
    struct cel__machine *m = cel__trial_here()->machine;

    return m->now + m->epoch + cel__station_current(m)->skew;
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
