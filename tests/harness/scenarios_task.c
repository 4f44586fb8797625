/* SPDX-License-Identifier: MIT */
/* Tasks, futures, scopes, offloaded work, fibers. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/debug.h"
#include "celadon/fiber.h"
#include "celadon/offload.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

static void *nap(void *arg)
{
    int r = cel_sleep((intptr_t)arg * MS / 4);

    return r < 0 ? cel_fail(r, "napping") : arg;
}

static void *fail(void *arg)
{
    (void)cel_yield();
    return cel_fail(-EIO, "planned");
}

static void *sleeps(void *arg)
{
    (void)cel_sleep(1);
    (void)cel_sleep(MS);
    return NULL;
}

static void *yields(void *arg)
{
    for (int i = 0; i < 5 && cel_yield() == 0; i++)
        continue;
    return NULL;
}

static void *set_it(void *arg)
{
    if (cel_sleep(MS) == 0)
        (void)cel_future_set(arg, "x");
    return NULL;
}

static void *awaits(void *arg)
{
    struct cel_future *f = cel_future_new();

    if (f == NULL)
        return NULL;
    CEL_SCOPE (s) {
        void *value = NULL;

        if (cel_go(set_it, f) == 0 && cel_await(f, &value) == 0)
            CEL__ASSERT(value != NULL);
    }
    cel_future_free(f);
    return NULL;
}

static void *tree(void *arg)
{
    intptr_t depth = (intptr_t)arg;

    for (int i = 0; depth > 0 && i < 2; i++) {
        struct cel_task *t = cel_spawn(tree, (void *)(depth - 1));

        if (t != NULL && i == 0)
            (void)!cel_join(t, NULL);
    }
    (void)cel_yield();
    return NULL;
}

static void *joins_tree(void *arg)
{
    return tree((void *)3);
}

static size_t spawn_naps(struct cel_task **t, size_t n)
{
    size_t made = 0;

    for (intptr_t i = 0; made < n; i++, made++) {
        t[made] = cel_spawn(nap, (void *)(i % 3));
        if (t[made] == NULL)
            break;
    }
    return made;
}

static void *gathers(void *arg)
{
    struct cel_task *t[20];
    void *values[20];
    size_t n = spawn_naps(t, 20);

    (void)!cel_gather(t, n, values);
    return NULL;
}

static void *gathers_failure(void *arg)
{
    struct cel_task *t[3];
    size_t n = spawn_naps(t, 2);

    t[n] = cel_spawn(fail, NULL);
    if (t[n] != NULL)
        (void)!cel_gather(t, n + 1, NULL);
    return NULL;
}

static void *gathers_outcomes(void *arg)
{
    struct cel_task *t[3];
    int outcomes[3];
    size_t n = spawn_naps(t, 2);

    t[n] = cel_spawn(fail, NULL);
    if (t[n] != NULL)
        (void)!cel_gather_outcomes(t, n + 1, NULL, outcomes);
    return NULL;
}

static void *waits_first(void *arg)
{
    struct cel_task *t[3];
    size_t n = spawn_naps(t, 3);

    (void)!cel_wait(t, n, CEL_WAIT_FIRST);
    return NULL;
}

static void *completes(void *arg)
{
    struct cel_task *t[4];
    size_t n = spawn_naps(t, 4);
    struct cel_completed *c;

    if (cel_completed_new(&c, t, n) < 0)
        return NULL;
    while (cel_completed_next(c) >= 0)
        continue;
    cel_completed_free(c);
    return NULL;
}

static void *group_fails(void *arg)
{
    CEL_SCOPE (g, .is_group = true) {
        if (cel_spawn(nap, (void *)40) != NULL && cel_spawn(fail, NULL) != NULL)
            (void)cel_sleep(10 * MS);
    }
    return NULL;
}

static void count_up(void *arg)
{
    ++*(int *)arg;
    (void)cel_yield();
}

static void *cleans_up(void *arg)
{
    static struct cel_at_end node;
    static int ran;
    int deferred = 0;

    ran = 0;
    cel_task_at_end(&node, count_up, &ran);
    {
        CEL_DEFER(count_up, &deferred);
        (void)cel_sleep(MS);
        CEL_SCOPE (shield, .is_shielded = true)
            CEL__ASSERT(cel_sleep(MS / 4) == 0);
    }
    CEL__ASSERT(deferred == 1);
    return NULL;
}

static void *deadlines(void *arg)
{
    CEL_SCOPE (outer, .timeout = 2 * MS) {
        CEL_SCOPE (inner, .timeout = MS)
            (void)cel_sleep(CEL_SECOND);
    }
    return NULL;
}

static void *work(void *arg)
{
    usleep(200);
    return arg;
}

static void *offloads(void *arg)
{
    struct cel_future *f = cel_offload(work, "a");

    (void)!cel_offload_await(work, "b", NULL);
    if (f != NULL)
        (void)!cel_await(f, NULL);
    cel_future_free(f);
    return NULL;
}

/* As the seed programs: nobody looks at the spawns. */
static void *inner(void *arg)
{
    int r = cel_sleep(MS / 4);

    return r < 0 ? cel_fail(r, "sleeping") : (void *)42;
}

static void *gathers_unchecked(void *arg)
{
    struct cel_task *t[] = {cel_spawn(inner, NULL), cel_spawn(inner, NULL)};
    void *values[2];

    if (cel_gather(t, 2, values) < 0)
        return cel_fail_from(t, 2, "gathering");
    CEL__ASSERT(values[0] == (void *)42 && values[1] == (void *)42);
    return NULL;
}

static void *gathers_many_unchecked(void *arg)
{
    struct cel_task *t[20];
    void *values[20];

    for (int i = 0; i < 20; i++)
        t[i] = cel_spawn(inner, NULL);
    if (cel_gather(t, 20, values) < 0)
        return cel_fail_from(t, 20, "gathering");
    for (int i = 0; i < 20; i++)
        CEL__ASSERT(values[i] == (void *)42);
    return NULL;
}

static void *joins_unchecked(void *arg)
{
    void *value = NULL;

    for (int i = 0; i < 3; i++)
        if (cel_join(cel_spawn(inner, NULL), &value) == 0)
            CEL__ASSERT(value == (void *)42);
    return NULL;
}

static void *waits_all(void *arg)
{
    struct cel_task *t[] = {cel_spawn(nap, (void *)1), cel_spawn(nap, (void *)2), NULL};
    int r = cel_wait(t, 3, CEL_WAIT_ALL);

    CEL__ASSERT(r < 0 || (r == 3 && cel_outcome(t[2]) == -ENOMEM));
    return NULL;
}

static void *waits_first_error(void *arg)
{
    struct cel_task *t[] = {cel_spawn(nap, (void *)1), cel_spawn(fail, NULL),
                            cel_spawn(nap, (void *)8)};

    (void)!cel_wait(t, 3, CEL_WAIT_FIRST_ERROR);
    return NULL;
}

static void *leaves_completed_early(void *arg)
{
    struct cel_task *t[] = {cel_spawn(nap, (void *)2), cel_spawn(nap, (void *)1)};
    struct cel_completed *c;

    if (cel_completed_new(&c, t, 2) < 0)
        return NULL;
    (void)!cel_completed_next(c);
    cel_completed_free(c);
    return NULL;
}

static void *shields_a_wait(void *arg)
{
    struct cel_task *t = cel_spawn(nap, (void *)4);
    void *value = NULL;
    int r = cel_await_shielded(t, &value);

    CEL__ASSERT(r == 0 || r == -CEL_EFAILED);
    CEL__ASSERT(t == NULL || cel_is_done(t));
    return NULL;
}

static void *shields_in_shields(void *arg)
{
    int inside = 0;

    CEL_SCOPE (outer, .is_shielded = true) {
        CEL_SCOPE (inner, .is_shielded = true, .timeout = CEL_SECOND) {
            inside += cel_sleep(MS / 4);
            CEL_SCOPE (own, .timeout = MS / 4)
                CEL__ASSERT(cel_sleep(CEL_SECOND) == -ETIMEDOUT);
        }
        inside += cel_yield();
    }
    CEL__ASSERT(inside == 0);
    (void)cel_sleep(MS / 4);
    return NULL;
}

static void *nests_scopes(void *arg)
{
    CEL_SCOPE (a, .timeout = CEL_SECOND) {
        (void)!cel_spawn(nap, (void *)2);
        CEL_SCOPE (b) {
            (void)!cel_spawn(nap, (void *)3);
            CEL_SCOPE (c, .timeout = MS) {
                (void)!cel_spawn(nap, (void *)40);
                (void)cel_sleep(MS / 2);
            }
            (void)cel_yield();
        }
        (void)cel_sleep(MS / 4);
    }
    return NULL;
}

static void *cancels_inner_scope(void *arg)
{
    CEL_SCOPE (outer) {
        CEL_SCOPE (inner) {
            (void)!cel_spawn(nap, (void *)4000);
            (void)cel_yield();
            cel_scope_cancel(&inner);
        }
        (void)cel_yield();
    }
    return NULL;
}

static void *fails_in_inner_group(void *arg)
{
    CEL_SCOPE (outer, .is_group = true) {
        (void)!cel_spawn(nap, (void *)40);
        CEL_SCOPE (inner, .is_group = true) {
            (void)!cel_spawn(fail, NULL);
            (void)!cel_spawn(nap, (void *)40);
            (void)cel_sleep(10 * MS);
        }
        (void)cel_yield();
        cel_scope_cancel(&outer);
    }
    return NULL;
}

static void *moves_deadlines(void *arg)
{
    CEL_SCOPE (s, .timeout = CEL_SECOND) {
        (void)cel_yield();
        cel_scope_set_deadline(&s, cel_now() + CEL_MINUTE);
        (void)cel_yield();
        cel_scope_set_deadline(&s, cel_now() + MS);
        (void)cel_sleep_until(cel_now() + CEL_SECOND);
        (void)cel_checkpoint();
    }
    return NULL;
}

static void *fails_loudly(void *arg)
{
    return cel_fail(-EIO, "planned, of a detached task");
}

static void *detaches(void *arg)
{
    (void)!cel_go(sleeps, NULL);
    (void)!cel_background(yields, NULL);
    CEL_SCOPE (g, .is_group = true) {
        (void)!cel_go(fails_loudly, NULL);
        (void)cel_sleep(MS);
    }
    return NULL;
}

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void *calls_back(void *arg)
{
    static bool was_called; /* the callback may outlive a cancelled task, not the loop */
    struct cel_task *t = cel_spawn(nap, (void *)1);

    was_called = false;
    if (cel_on_done(t, set_flag, &was_called) == 0 && cel_await(t, NULL) == 0 && cel_sleep(1) == 0)
        CEL__ASSERT(was_called);
    return NULL;
}

static void *await_it(void *arg)
{
    (void)!cel_await((struct cel_future *)arg, NULL);
    return NULL;
}

static void *fails_a_future_of_many(void *arg)
{
    struct cel_future *f = cel_future_new();

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            (void)!cel_spawn(await_it, f);
        (void)cel_yield();
        (void)cel_future_fail(f, -EPROTO, "said %d", 7);
    }
    CEL__ASSERT(cel_outcome(f) < 0);
    cel_future_free(f);
    return NULL;
}

static void *sets_a_future_from_a_job(void *arg)
{
    struct cel_future *jobs[8];

    for (int i = 0; i < 8; i++)
        jobs[i] = cel_offload(work, "x");
    (void)!cel_wait(jobs, 8, CEL_WAIT_FIRST);
    for (int i = 0; i < 8; i++)
        (void)cel_future_cancel(jobs[i]);
    for (int i = 0; i < 8; i++)
        cel_future_free(jobs[i]);
    return NULL;
}

static void *offloads_under_deadline(void *arg)
{
    CEL_SCOPE (s, .timeout = MS / 10)
        for (int i = 0; i < 4; i++)
            (void)!cel_offload_await(work, "x", NULL);
    return NULL;
}

static void *ends_by_parking(void *arg)
{
    static struct cel_at_end ends[2];
    static int ran;

    cel_task_at_end(&ends[0], count_up, &ran);
    cel_task_at_end(&ends[1], count_up, &ran);
    (void)cel_sleep(MS / 4);
    return NULL;
}

static void *passes_it_back(void *arg)
{
    struct cel_fiber *parent = cel_fiber_parent(cel_fiber_current());

    for (int i = 0; i < 3; i++) {
        (void)cel_fiber_switch(parent, arg);
        if (cel_fiber_thrown() != 0)
            break;
    }
    return arg;
}

static void *switches_fibers(void *arg)
{
    struct cel_fiber *f = cel_fiber_new(passes_it_back, NULL);

    if (f == NULL)
        return NULL;
    for (int i = 0; i < 2 && cel_yield() == 0; i++)
        (void)cel_fiber_switch(f, "x");
    (void)cel_fiber_free(f);
    return NULL;
}

static void *is_watched(void *arg)
{
    int traces = cel_trace_start(16), stalls = cel_stall_watch(NULL);

    (void)cel_sleep(MS / 4);
    if (stalls == 0)
        cel_stall_unwatch();
    if (traces == 0)
        cel_trace_stop();
    return NULL;
}

static void *spawns_large(void *arg)
{
    struct cel_task *small = cel_spawn_with(nap, (void *)1, .stack_size_bytes = 16 << 10);
    struct cel_task *large =
        cel_spawn_with(nap, (void *)1, .stack_size_bytes = 1 << 20, .name = "large");
    struct cel_task *both[] = {small, large};

    (void)!cel_gather(both, 2, NULL);
    return NULL;
}

const struct scenario scenarios[] = {
    {"sleep", sleeps},
    {"yield", yields},
    {"await", awaits},
    {"join_tree", joins_tree},
    {"join_unchecked", joins_unchecked},
    {"gather", gathers},
    {"gather_failure", gathers_failure},
    {"gather_unchecked", gathers_unchecked},
    {"gather_many_unchecked", gathers_many_unchecked},
    {"outcomes", gathers_outcomes},
    {"wait_all", waits_all},
    {"wait_first", waits_first},
    {"wait_first_error", waits_first_error},
    {"completed", completes},
    {"completed_early", leaves_completed_early},
    {"shielded_wait", shields_a_wait},
    {"shields", shields_in_shields},
    {"scopes", nests_scopes},
    {"inner_cancel", cancels_inner_scope},
    {"group", group_fails},
    {"group_in_group", fails_in_inner_group},
    {"cleanup", cleans_up},
    {"end_parks", ends_by_parking},
    {"deadlines", deadlines},
    {"deadline_moved", moves_deadlines},
    {"detached", detaches},
    {"callback", calls_back},
    {"future_fails", fails_a_future_of_many},
    {"fibers", switches_fibers},
    {"stacks", spawns_large},
    {"watched", is_watched, .needs_kernel = true},
    {"offload", offloads, .uses_pool = true},
    {"offload_cancel", sets_a_future_from_a_job, .uses_pool = true},
    {"offload_deadline", offloads_under_deadline},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

int scenarios_open(void **state)
{
    return 0;
}

int scenarios_close(void **state)
{
    return 0;
}
