/* SPDX-License-Identifier: MIT */
/* Every scenario, cancelled at every point where one of its tasks can stand, and failed at every
 * allocation and system call.
 *
 * The driver runs one slice of one task at a time, so it can stop between any two: a cancel there
 * meets a task that is parked, or one whose result is there but which has not run yet. After each
 * run all tasks have ended, nothing is allocated, no descriptor is open. CELADON_SCENARIO=name_kind
 * runs one test alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/scenarios.h"
#include "loop/core.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/sysfault.h"

#define PATIENCE (40 * CEL_MILLISECOND) /* when a failure has left one side of a talk alone */

enum mode { CANCEL, EXPIRE, MODES };
static const char *const mode_names[] = {"cancel", "expire"};

struct subject {
    const struct scenario *scenario;
    struct cel_scope scope;
    bool is_in;
    bool has_patience; /* ends by itself after that */
};

static void *subject_main(void *arg)
{
    struct subject *s = arg;

    cel_scope_enter(&s->scope, NULL);
    if (s->has_patience)
        cel_scope_set_deadline(&s->scope, cel_now() + PATIENCE);
    s->is_in = true;
    (void)s->scenario->run(NULL);
    s->is_in = false;
    (void)cel_scope_leave(&s->scope);
    return NULL;
}

static void strike(struct subject *s, struct cel_task *task, enum mode mode)
{
    if (mode == CANCEL)
        cel_task_cancel(task);
    else if (s->is_in)
        cel_scope_set_deadline(&s->scope, 1);
}

/* -> slices it took; *code gets what went wrong. at 0: nobody strikes. */
static size_t run(struct subject s, enum mode mode, size_t at, int *code)
{
    struct cel_loop *loop;
    struct cel_task *task;
    size_t slices = 0;
    int left;

    *code = cel_loop_new(&loop, NULL);
    if (*code < 0)
        return 0;
    task = cel_spawn(subject_main, &s);
    if (task == NULL)
        *code = -ENOMEM;
    while (task != NULL && !cel_is_done(task) && *code >= 0) {
        if (++slices == at)
            strike(&s, task, mode);
        if (cel__sched_has_ready(&loop->sched))
            (void)cel__sched_run(&loop->sched, 1);
        else
            *code = cel_loop_turn(loop, CEL_FOREVER);
        assert_true(slices < 1000000);
    }
    if (*code > 0 || (task != NULL && cel_is_done(task)))
        *code = 0;
    cel_task_free(task);
    left = cel_loop_close(loop);
    if (left != 0 && *code == 0)
        *code = -EBUSY;
    return slices;
}

static size_t run_once(const struct scenario *scenario, enum mode mode, size_t at, int *code)
{
    return run((struct subject){.scenario = scenario}, mode, at, code);
}

static void check_run(const struct scenario *scenario, enum mode mode, size_t at)
{
    size_t blocks = fault_alloc_live(), fds = fault_open_fds();
    int code;

    alarm(20);
    (void)run_once(scenario, mode, at, &code);
    alarm(0);
    if (code != 0 || fault_alloc_live() != blocks || fault_open_fds() != fds)
        fail_msg("%s:%s:%zu: %s, %zd blocks and %zd descriptors left", scenario->name,
                 mode_names[mode], at, cel_errname(code), (ssize_t)(fault_alloc_live() - blocks),
                 (ssize_t)(fault_open_fds() - fds));
}

static void cancel_at_every_point(void **state)
{
    const struct scenario *scenario = *state;
    size_t points, runs = 0;
    int code;

    fault_alloc_begin();
    (void)run_once(scenario, CANCEL, 0, &code); /* what the libraries keep for good */
    points = run_once(scenario, CANCEL, 0, &code);
    assert_int_equal(code, 0);
    for (enum mode mode = CANCEL; mode < MODES; mode++)
        for (size_t at = 1; at <= points; at++, runs++)
            check_run(scenario, mode, at);
    check_run(scenario, CANCEL, 0);
    fault_alloc_end();
    print_message("# %s: %zu points, %zu runs\n", scenario->name, points, runs);
}

static int whole(void *arg)
{
    int code;

    (void)run((struct subject){.scenario = arg, .has_patience = true}, CANCEL, 0, &code);
    return code;
}

static void fail_every_allocation(void **state)
{
    assert_true(fault_every_alloc(whole, *state) > 0);
}

static void fail_every_call(void **state)
{
    (void)fault_every_syscall(NULL, whole, *state);
}

static void noise_changes_nothing(void **state)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        const struct sysfault_plan plan = {
            .seed = seed, .eintr_percent = 20, .short_write_percent = 20};
        int code;

        sysfault_begin(&plan);
        (void)run_once(*state, CANCEL, 0, &code);
        sysfault_end();
        assert_int_equal(code, 0);
    }
}

#define KINDS          4
#define ALLOWED_TO_ALL 2
#define CALLS          3

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void **state);
    } kinds[KINDS] = {{"cancel", cancel_at_every_point},
                      {"alloc", fail_every_allocation},
                      {"noise", noise_changes_nothing},
                      {"call", fail_every_call}};
    struct CMUnitTest *tests = calloc(scenario_count * KINDS, sizeof *tests);
    const char *only = getenv("CELADON_SCENARIO");
    size_t n = 0;

    if (tests == NULL)
        return 1;
    for (size_t i = 0; i < scenario_count; i++)
        for (size_t k = 0; k < KINDS; k++) {
            char *name = NULL;

            if (k >= ALLOWED_TO_ALL && scenarios[i].leaves_thread)
                continue; /* the injector is for the loop's thread alone */
            if (k == CALLS && scenarios[i].is_long)
                continue;
            if (asprintf(&name, "%s_%s", scenarios[i].name, kinds[k].name) < 0)
                return 1;
            if (only != NULL && strcmp(only, name) != 0)
                continue;
            tests[n++] = (struct CMUnitTest){name, kinds[k].run, NULL, NULL, (void *)&scenarios[i]};
        }
    return _cmocka_run_group_tests("points", tests, n, NULL, NULL);
}
