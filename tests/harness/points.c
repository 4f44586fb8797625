/* SPDX-License-Identifier: MIT */
/* Every scenario, cancelled at every point where one of its tasks can stand, and failed at every
 * allocation and system call; those of the pool's threads in a pass of their own.
 *
 * The driver runs one slice of one task at a time, so it can stop between any two: a cancel there
 * meets a task that has not begun, one that is parked, or one whose result is there but which has
 * not run yet. It strikes in six ways; the later ones meet tasks that are cleaning up. After each
 * run all tasks have ended, nothing is allocated, no descriptor is open. At the end it is held
 * that each place that was seen to allocate, and each system call that was made, has failed; and
 * what has been seen is written down for test_points.py, which knows of all programs' scenarios.
 * CELADON_SCENARIO=name_kind runs one test alone. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fiber/thread.h"
#include "harness/reach.h"
#include "harness/scenarios.h"
#include "loop/core.h"
#include "loop/proactor.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sites.h"
#include "support/sysfault.h"

#define MANY_POINTS 40
#define PATIENCE    (40 * CEL_MILLISECOND) /* when a failure has left one side of a talk alone */

enum mode {
    CANCEL,
    EXPIRE,     /* the deadline of the scope around */
    BOTH,       /* the two at the same moment */
    AGAIN,      /* a cancel there and between all later slices */
    BY_ANOTHER, /* by a message from another thread */
    CLOSE,      /* the loop is closed */
    MODES
};
static const char *const mode_names[] = {"cancel", "expire",     "both",
                                         "again",  "by_another", "close"};

struct subject {
    const struct scenario *scenario;
    struct cel_scope scope;
    bool is_in;
    bool has_patience; /* ends by itself after that */
    bool was_cut;      /* and did */
    struct cel_task *task;
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
    s->was_cut = s->has_patience && cel_scope_expired(&s->scope);
    return NULL;
}

static void cancel_by_message(void *arg)
{
    struct subject *s = arg;

    if (s->task != NULL)
        cel_task_cancel(s->task);
}

struct message {
    struct cel_loop *loop;
    struct subject *subject;
    int result;
};

static void *post(void *arg)
{
    struct message *m = arg;

    m->result = cel_loop_call(m->loop, cancel_by_message, m->subject);
    return NULL;
}

static void cancel_from_a_thread(struct subject *s, struct cel_loop *loop)
{
    struct message m = {.loop = loop, .subject = s};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, post, &m), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(m.result, 0);
}

static void strike(struct subject *s, struct cel_loop *loop, enum mode mode)
{
    reach_note_strike();
    if ((mode == EXPIRE || mode == BOTH) && s->is_in)
        cel_scope_set_deadline(&s->scope, 1);
    if (mode == BY_ANOTHER)
        cancel_from_a_thread(s, loop);
    else if (mode != EXPIRE && mode != CLOSE)
        cel_task_cancel(s->task);
}

static bool is_time(size_t slices, size_t at, enum mode mode)
{
    return slices == at || (mode == AGAIN && at > 0 && slices > at);
}

/* Each run asks for its stacks anew, so that this can fail too. */
static void drop_stacks(void)
{
    struct cel__stacks *stacks = &cel__thread()->stacks;

    assert_int_equal(cel__stacks_fini(stacks), 0);
    cel__stacks_init(stacks);
}

static int step(struct cel_loop *loop)
{
    int r = 0;

    if (loop->sched.tail != NULL) /* the tired only in a turn */
        (void)cel__sched_run(&loop->sched, 1);
    else
        r = cel_loop_turn(loop, CEL_FOREVER);
    reach_note_slice();
    return r < 0 ? r : 0;
}

/* -> slices it took; *code gets what went wrong. at 0: nobody strikes. */
static size_t run(struct subject *s, enum mode mode, size_t at, int *code)
{
    struct cel_loop *loop;
    size_t slices = 0;
    int left;

    drop_stacks();
    *code = cel_loop_new(&loop, NULL);
    if (*code < 0)
        return 0;
    s->task = cel_spawn(subject_main, s);
    if (s->task == NULL)
        *code = -ENOMEM;
    while (s->task != NULL && !cel_is_done(s->task) && *code == 0) {
        if (is_time(++slices, at, mode))
            strike(s, loop, mode);
        if (slices == at && mode == CLOSE)
            break;
        *code = step(loop);
        assert_true(slices < 1000000);
    }
    if (s->task != NULL && cel_is_done(s->task))
        *code = 0;
    cel_task_free(s->task);
    s->task = NULL;
    left = cel_loop_close(loop);
    drop_stacks();
    if (left != 0 && *code == 0)
        *code = -EBUSY;
    return slices;
}

static size_t run_once(const struct scenario *scenario, enum mode mode, size_t at, int *code)
{
    return run(&(struct subject){.scenario = scenario}, mode, at, code);
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

/* The later ways take turns along a scenario of many points: a run of one takes milliseconds. */
static bool is_turn(enum mode mode, size_t at, size_t points)
{
    return mode <= EXPIRE || points <= MANY_POINTS || at % (MODES - BOTH) == mode - BOTH;
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
        for (size_t at = 1; at <= points; at++)
            if (is_turn(mode, at, points)) {
                check_run(scenario, mode, at);
                runs++;
            }
    check_run(scenario, CANCEL, 0);
    fault_alloc_end();
    print_message("# %s: %zu points, %zu runs\n", scenario->name, points, runs);
}

static int whole(void *arg)
{
    struct subject s = {.scenario = arg, .has_patience = true};
    int code;

    (void)run(&s, CANCEL, 0, &code);
    return code == 0 && s.was_cut ? 1 : code;
}

static void fail_every_allocation(void **state)
{
    assert_true(fault_every_alloc_at(whole, *state, sites_note) > 0);
}

static void fail_every_call(void **state)
{
    static const struct sysfault_plan own = {.threads = SYSFAULT_OWN};

    assert_true(fault_every_syscall(&own, whole, *state) > 0);
}

static void fail_every_call_of_the_pool(void **state)
{
    /* Not the write that wakes the loop: on an eventfd it does not fail, and whether it is needed
     * is chance, by which the count of the others would shift. */
    static const struct sysfault_plan others = {.threads = SYSFAULT_OTHERS,
                                                .calls = (((sysfault_set)1 << SYSFAULT_COUNT) - 1) &
                                                         ~SYSFAULT_BIT(write)};

    (void)fault_every_syscall(&others, whole, *state);
}

static void every_place_that_allocates_has_failed(void **state)
{
    size_t count;

    assert_int_equal(sites_report(&count), 0);
    assert_true(count > 10);
}

static void every_call_that_was_made_has_failed(void **state)
{
    size_t never = 0, reached = 0;

    for (int i = 0; i < SYSFAULT_COUNT; i++) {
        struct sysfault_tally t = sysfault_tally((enum sysfault_call)i);

        if (!t.may_fail)
            continue;
        reached += t.made > 0;
        never += t.made > 0 && t.failed == 0;
        print_message("# %s: made %zu, failed %zu%s\n", t.name, t.made, t.failed,
                      t.made == 0 ? " (no scenario here makes it)" : "");
    }
    print_message("# %zu system calls made, %zu never failed\n", reached, never);
    assert_true(reached > (is_simulated() ? 0 : 5)); /* epoll and rings are not called there */
    assert_int_equal(never, 0);
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

static const struct {
    const char *name;
    void (*run)(void **state);
    bool is_of_pool; /* only for what has threads */
} kinds[] = {
    {"cancel", cancel_at_every_point, false},    {"alloc", fail_every_allocation, false},
    {"noise", noise_changes_nothing, false},     {"call", fail_every_call, false},
    {"pool", fail_every_call_of_the_pool, true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* -> how many tests: all, or the one that CELADON_SCENARIO names. */
static size_t list_tests(struct CMUnitTest *tests)
{
    const char *only = getenv("CELADON_SCENARIO");
    size_t n = 0;

    for (size_t i = 0; i < scenario_count; i++)
        for (size_t k = 0; k < KINDS; k++) {
            char *name = NULL;

            if (kinds[k].is_of_pool && !scenarios[i].uses_pool)
                continue;
            if (scenarios[i].needs_kernel && is_simulated())
                continue;
            if (asprintf(&name, "%s_%s", scenarios[i].name, kinds[k].name) < 0)
                abort();
            if (only == NULL || strcmp(only, name) == 0)
                tests[n++] =
                    (struct CMUnitTest){name, kinds[k].run, NULL, NULL, (void *)&scenarios[i]};
            else
                free(name);
        }
    if (only != NULL)
        return n;
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_place_that_allocates_has_failed);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_call_that_was_made_has_failed);
    return n;
}

static void write_findings(void)
{
    FILE *out = sites_open_findings("w");

    if (out == NULL)
        return;
    reach_list(out);
    sites_list(out);
    for (int i = 0; i < SYSFAULT_COUNT; i++) {
        struct sysfault_tally t = sysfault_tally((enum sysfault_call)i);

        if (t.may_fail)
            fprintf(out, "call %s %zu %zu\n", t.name, t.made, t.failed);
    }
    fclose(out);
}

/* An ordinary user may lock little memory, and what closed rings took comes back late. */
static const struct cel__uring_sizes small = {
    .sq_entries = 64,
    .cq_entries = 256,
    .buffers_first = 16,
    .buffers_max = 64,
    .buffer_bytes = 16 << 10,
    .unread_max = 16,
};

int main(void)
{
    struct CMUnitTest *tests = calloc(scenario_count * KINDS + 2, sizeof *tests);
    FILE *old = sites_open_findings("w"); /* what an earlier run has found is forgotten */
    int failed;

    if (tests == NULL)
        return 1;
    if (old != NULL)
        fclose(old);
    cel__uring_sizes = small;
    failed = _cmocka_run_group_tests("points", tests, list_tests(tests), scenarios_open,
                                     scenarios_close);
    write_findings();
    return failed;
}
