/* SPDX-License-Identifier: MIT */
/* Races, shields, chains, scheduled calls, the list of tasks, abandoned jobs, the runner. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <celadon/compose.h>
#include <celadon/offload.h>
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/notes.h"

static void *sleep_ms(void *ms)
{
    int r = cel_sleep((intptr_t)ms * CEL_MILLISECOND);

    return r < 0 ? cel_fail(r, "sleeping") : ms;
}

static void *fail_ms(void *ms)
{
    int r = cel_sleep((intptr_t)ms * CEL_MILLISECOND);

    return cel_fail(r < 0 ? r : -EIO, "failed after %ld ms", (long)(intptr_t)ms);
}

static struct cel_task *spawned(cel_task_fn *fn, intptr_t arg)
{
    struct cel_task *t = cel_spawn(fn, (void *)arg);

    assert_non_null(t);
    return t;
}

/* ---- races ---- */

IN_TASK(race_first_wins_and_losers_have_ended)
{
    struct cel_task *t[] = {spawned(sleep_ms, 60000), spawned(sleep_ms, 1),
                            spawned(sleep_ms, 60001)};
    void *value = NULL;

    assert_int_equal(cel_race(t, 3, &value), 1);
    assert_int_equal((intptr_t)value, 1);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    assert_int_equal(cel_outcome(t[2]), -ECANCELED);
}

IN_TASK(race_lost_by_failure_of_the_first)
{
    struct cel_task *t[] = {spawned(sleep_ms, 60000), spawned(fail_ms, 0)};

    assert_int_equal(cel_race(t, 2, NULL), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "failed after 0 ms"));
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
}

IN_TASK(race_success_passes_failures_over)
{
    struct cel_task *t[] = {spawned(sleep_ms, 60000), spawned(fail_ms, 0), spawned(sleep_ms, 3)};
    void *value = NULL;

    assert_int_equal(cel_race_success(t, 3, &value), 2);
    assert_int_equal((intptr_t)value, 3);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    assert_int_equal(cel_outcome(t[1]), -EIO);
}

IN_TASK(race_success_of_nobody_tells_of_the_last)
{
    struct cel_task *t[] = {spawned(fail_ms, 2), spawned(fail_ms, 0)};

    assert_int_equal(cel_race_success(t, 2, NULL), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "failed after 2 ms"));
}

IN_TASK(race_member_that_could_not_be_made_has_failed)
{
    struct cel_task *t[] = {spawned(sleep_ms, 60000), NULL};
    struct cel_task *u[] = {NULL, spawned(sleep_ms, 1)};
    struct cel_task *none[] = {NULL, NULL};

    assert_int_equal(cel_race(t, 2, NULL), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ENOMEM);
    assert_int_equal(cel_outcome(t[0]), -ECANCELED);
    assert_int_equal(cel_race_success(u, 2, NULL), 1);
    assert_int_equal(cel_race_success(none, 2, NULL), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ENOMEM);
}

IN_TASK(race_cut_short_ends_all)
{
    struct cel_task *t[] = {spawned(sleep_ms, 60000), spawned(sleep_ms, 60000)};
    struct cel_future *f = cel_future_new();
    struct cel_future *mixed[] = {cel_ensure(t[1]), f};

    assert_non_null(f);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_race(t, 1, NULL), -ETIMEDOUT);
    assert_true(cel_is_done(t[0]));
    CEL_SCOPE (c) {
        cel_scope_cancel(&c);
        assert_int_equal(cel_race(mixed, 2, NULL), -ECANCELED); /* nobody will ever set f */
    }
    assert_true(cel_is_done(t[1]));
    assert_false(cel_is_done(f));
    cel_future_free(f);
}

/* ---- shields and chains ---- */

IN_TASK(shield_cancelled_leaves_the_inner_alone)
{
    struct cel_task *inner = spawned(sleep_ms, 2);
    struct cel_future *outer = cel_shield(inner), *again;
    void *value = NULL;

    assert_non_null(outer);
    assert_int_equal(cel_future_cancel(outer), 0);
    assert_int_equal(cel_await(outer, NULL), -CEL_EFAILED);
    assert_int_equal(cel_outcome(outer), -ECANCELED);
    assert_false(cel_task_is_cancelled(inner));
    again = cel_shield(inner);
    assert_non_null(again);
    assert_int_equal(cel_await(again, &value), 0);
    assert_int_equal((intptr_t)value, 2);
    assert_int_equal(cel_join(inner, &value), 0);
    cel_future_free(outer);
    cel_future_free(again);
}

IN_TASK(shield_of_a_failure_has_its_words)
{
    struct cel_task *inner = spawned(fail_ms, 0);
    struct cel_future *outer = cel_shield(inner), *late;

    assert_int_equal(cel_await(outer, NULL), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "failed after 0 ms"));
    late = cel_shield(inner); /* which is done */
    assert_int_equal(cel_outcome(late), -EIO);
    assert_int_equal(cel_join(inner, NULL), -CEL_EFAILED);
    cel_future_free(outer);
    cel_future_free(late);
}

IN_TASK(chain_set_by_hand_lets_go)
{
    struct cel_future *from = cel_future_new(), *to = cel_future_new();
    void *value = NULL;

    assert_int_equal(cel_chain(from, to), 0);
    assert_int_equal(cel_future_set(to, "mine"), 0);
    assert_int_equal(cel_future_set(from, "theirs"), 0);
    assert_int_equal(cel_await(to, &value), 0);
    assert_string_equal(value, "mine");
    assert_int_equal(cel_chain(from, to), 0); /* done: no effect */
    cel_future_free(from);
    cel_future_free(to);
}

/* ---- calls ---- */

static void note_call(void *arg)
{
    note((char)(intptr_t)arg);
}

IN_TASK(calls_come_in_their_order)
{
    struct cel_call c[6] = {{.when_ = 0}};
    int64_t now;

    note_nothing();
    cel_call_soon(&c[2], note_call, (void *)'a');
    cel_call_soon(&c[3], note_call, (void *)'b');
    cel_call_soon(&c[4], note_call, (void *)'x');
    assert_true(cel_call_cancel(&c[4]));
    assert_string_equal(noted, ""); /* never from within */
    assert_int_equal(cel_sleep(1), 0);
    assert_string_equal(noted, "ab");
    now = cel_now();
    cel_call_at(&c[0], now + 3 * CEL_MILLISECOND, note_call, (void *)'d');
    cel_call_at(&c[1], now + 2 * CEL_MILLISECOND, note_call, (void *)'c');
    cel_call_later(&c[5], CEL_MILLISECOND, note_call, (void *)'y');
    assert_int_equal(cel_call_when(&c[1]), now + 2 * CEL_MILLISECOND);
    assert_true(cel_call_cancel(&c[5]));
    assert_false(cel_call_cancel(&c[5]));
    assert_int_equal(cel_sleep_until(now + 4 * CEL_MILLISECOND), 0);
    assert_string_equal(noted, "abcd");
    assert_false(cel_call_cancel(&c[0])); /* it has come */
}

IN_TASK(call_is_moved_and_used_again)
{
    struct cel_call c = {.when_ = 0};

    note_nothing();
    cel_call_soon(&c, note_call, (void *)'a');
    cel_call_later(&c, CEL_MINUTE, note_call, (void *)'b');
    cel_call_soon(&c, note_call, (void *)'c');
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_string_equal(noted, "c");
    cel_call_soon(&c, note_call, (void *)'d');
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_string_equal(noted, "cd");
}

static struct cel_call *chained;

static void cancel_other(void *arg)
{
    note('k');
    assert_true(cel_call_cancel(chained));
}

IN_TASK(call_cancels_another_of_its_turn)
{
    struct cel_call a = {.when_ = 0}, b = {.when_ = 0};

    note_nothing();
    chained = &b;
    cel_call_soon(&a, cancel_other, NULL);
    cel_call_soon(&b, note_call, (void *)'x');
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_string_equal(noted, "k");
}

/* ---- deadlines that move ---- */

IN_TASK(deadline_moved_out_and_in)
{
    CEL_SCOPE (out, .timeout = CEL_MILLISECOND) {
        cel_scope_set_deadline(&out, CEL_FOREVER);
        assert_int_equal(cel_sleep(3 * CEL_MILLISECOND), 0);
        cel_scope_set_deadline(&out, cel_now() + CEL_MILLISECOND);
        assert_int_equal(cel_sleep(CEL_MINUTE), -ETIMEDOUT);
        cel_scope_set_deadline(&out, CEL_FOREVER); /* too late */
        assert_int_equal(cel_sleep(1), -ETIMEDOUT);
    }
    assert_true(cel_scope_expired(&out));
    CEL_SCOPE (now, .timeout = CEL_MINUTE) {
        cel_scope_set_deadline(&now, cel_now());
        assert_int_equal(cel_checkpoint(), -ETIMEDOUT);
    }
}

/* ---- looking ---- */

IN_TASK(all_tasks_lists_those_that_have_not_ended)
{
    struct cel_task *all[8], *t = cel_spawn_with(sleep_ms, (void *)60000, .name = "sleeper");
    char text[128];
    bool has_me = false, has_t = false;

    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_all_tasks(all, 8), 2);
    for (int i = 0; i < 2; i++) {
        has_me |= all[i] == cel_task_current();
        has_t |= all[i] == t;
    }
    assert_true(has_me && has_t);
    assert_int_equal(cel_all_tasks(all, 0), 2);
    assert_true(cel_task_repr(t, text, sizeof text) > 0);
    assert_non_null(strstr(text, "<sleeper: sleeping"));
    assert_non_null(strstr(text, "test_compose.c:"));
    cel_task_set_name(t, "renamed");
    (void)cel_task_repr(t, text, sizeof text);
    assert_non_null(strstr(text, "<renamed"));
    (void)cel_task_repr(cel_task_current(), text, sizeof text);
    assert_non_null(strstr(text, ": running, spawned"));
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), -CEL_EFAILED);
    assert_int_equal(cel_all_tasks(all, 8), 1);
}

/* ---- abandoned jobs ---- */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool is_inside, is_open;
    int dropped, freed;
};

static struct gate gate;

static void gate_init(void)
{
    pthread_mutex_init(&gate.lock, NULL);
    pthread_cond_init(&gate.moved, NULL);
    gate.is_inside = gate.is_open = false;
    gate.dropped = gate.freed = 0;
}

static void gate_set(bool *what)
{
    pthread_mutex_lock(&gate.lock);
    *what = true;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
}

static void gate_wait(const bool *what)
{
    pthread_mutex_lock(&gate.lock);
    while (!*what)
        pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void *pass_gate(void *arg)
{
    gate_set(&gate.is_inside);
    gate_wait(&gate.is_open);
    return strdup(arg);
}

static void drop(void *arg, void *result)
{
    gate.dropped++;
    gate.freed += result != NULL;
    free(result);
    free(arg);
}

static void *offload_dropping(void *arg)
{
    char *text = strdup("text"), *result = NULL;
    int r = cel_offload_or_abandon(pass_gate, text, drop, (void **)&result);

    if (r == 0) {
        free(text);
        free(result);
    }
    *(int *)arg = r;
    return NULL;
}

IN_KERNEL(job_abandoned_is_dropped_when_it_ends)
{
    int r = 1;
    struct cel_task *t = cel_spawn(offload_dropping, &r);

    gate_init();
    assert_int_equal(cel_yield(), 0);
    gate_wait(&gate.is_inside);
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), 0); /* at once: the job is still inside */
    assert_int_equal(r, -ECANCELED);
    assert_int_equal(gate.dropped, 0);
    gate_set(&gate.is_open);
    while (gate.dropped == 0)
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(gate.freed, 1);
}

IN_TASK(job_not_abandoned_gives_its_result)
{
    int r = 1;

    gate_init();
    gate.is_open = true;
    assert_int_equal(cel_join(cel_spawn(offload_dropping, &r), NULL), 0);
    assert_int_equal(r, 0);
    assert_int_equal(gate.dropped, 0);
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        (void)offload_dropping(&r);
    }
    assert_int_equal(r, -ECANCELED);
    assert_int_equal(gate.dropped, 1); /* it never ran, and its argument is gone all the same */
    assert_int_equal(gate.freed, 0);
}

static void *abandon_and_leave(void *arg)
{
    int r = 1;
    struct cel_task *t = cel_spawn(offload_dropping, &r);

    cel_yield();
    gate_wait(&gate.is_inside);
    cel_task_cancel(t);
    (void)!cel_join(t, NULL);
    gate_set(&gate.is_open);
    return arg;
}

static void job_abandoned_is_dropped_at_close(void **state)
{
    if (is_simulated())
        skip();
    gate_init();
    assert_int_equal(cel_run(abandon_and_leave, NULL, NULL), 0);
    assert_int_equal(gate.dropped, 1);
    assert_int_equal(gate.freed, 1);
}

static void *abandon_queued(void *arg)
{
    int r[2] = {1, 1};
    struct cel_task *t[2];

    t[0] = cel_spawn(offload_dropping, &r[0]);
    t[1] = cel_spawn(offload_dropping, &r[1]);
    cel_yield();
    gate_wait(&gate.is_inside);
    cel_task_cancel(t[1]); /* its job waits for the only thread */
    assert_int_equal(cel_join(t[1], NULL), 0);
    assert_int_equal(r[1], -ECANCELED);
    cel_sleep(CEL_MILLISECOND);
    assert_int_equal(gate.dropped, 1);
    assert_int_equal(gate.freed, 0);
    gate_set(&gate.is_open);
    assert_int_equal(cel_join(t[0], NULL), 0);
    assert_int_equal(r[0], 0);
    return arg;
}

static void job_queued_is_taken_back_and_dropped(void **state)
{
    if (is_simulated())
        skip();
    gate_init();
    assert_int_equal(
        cel_run_with(&(struct cel_loop_options){.threads_max = 1}, abandon_queued, NULL, NULL), 0);
    assert_int_equal(gate.dropped, 1);
}

/* ---- the runner ---- */

static void *interrupt_me(void *arg)
{
    int r;

    raise(SIGINT);
    r = cel_sleep(CEL_MINUTE);
    if (arg != NULL) { /* stubborn */
        raise(SIGINT);
        CEL_SCOPE (shield, .is_shielded = true)
            (void)cel_sleep(CEL_MINUTE);
    }
    return cel_fail(r, "interrupted");
}

static void run_cancels_main_on_sigint(void **state)
{
    const struct cel_loop_options options = {.cancel_on_sigint = true};

    assert_int_equal(cel_run_with(&options, interrupt_me, NULL, NULL), -ECANCELED);
}

static void run_dies_of_the_second_sigint(void **state)
{
    const struct cel_loop_options options = {.cancel_on_sigint = true};
    pid_t pid;
    int status;

    if (is_simulated())
        skip();
    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)!cel_run_with(&options, interrupt_me, "stubborn", NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

/* ---- debug mode ---- */

static char logged[4096];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t len = strlen(logged);

    snprintf(logged + len, sizeof logged - len, "%s\n", line);
}

static void *forget_failure(void *arg)
{
    int64_t until;

    (void)spawned(fail_ms, 0);
    (void)cel_sleep(2 * CEL_MILLISECOND);
    until = cel_now() + 120 * CEL_MILLISECOND;
    while (cel_now() < until)
        continue; /* computes, and parks not once */
    cel_yield();
    return arg;
}

static void debug_mode_tells_of_slow_tasks_and_lost_failures(void **state)
{
    if (is_simulated()) /* where tasks take no time */
        skip();
    cel_set_log(keep_log, NULL);
    logged[0] = '\0';
    assert_int_equal(cel_run(forget_failure, NULL, NULL), 0);
    assert_string_equal(logged, "");
    setenv("CELADON_DEBUG", "1", 1);
    assert_int_equal(cel_run(forget_failure, NULL, NULL), 0);
    unsetenv("CELADON_DEBUG");
    cel_set_log(NULL, NULL);
    assert_non_null(strstr(logged, "main (spawned by cel_run)"));
    assert_non_null(strstr(logged, "ms without parking"));
    assert_non_null(strstr(logged, "failed and nobody awaited it: failed after 0 ms"));
}

/* ---- memory ---- */

static void *use_all(void *arg)
{
    struct cel_task *t[2] = {cel_spawn(sleep_ms, NULL), cel_spawn(sleep_ms, NULL)};
    struct cel_future *f = NULL;
    int r = cel_race(t, 2, NULL);

    if (r >= 0) {
        t[0] = cel_spawn(sleep_ms, NULL);
        f = t[0] != NULL ? cel_shield(t[0]) : NULL;
        r = f != NULL ? cel_await(f, NULL) : -ENOMEM;
    }
    cel_future_free(f);
    *(int *)arg = r;
    return NULL;
}

static int use_all_in_loop(void *arg)
{
    int result = -ENOMEM, r = cel_run(use_all, &result, NULL);

    return r < 0 ? r : result;
}

static void all_survive_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(use_all_in_loop, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_dies_of_the_second_sigint), /* forks: before there are fibers */
        cmocka_unit_test(race_first_wins_and_losers_have_ended),
        cmocka_unit_test(race_lost_by_failure_of_the_first),
        cmocka_unit_test(race_success_passes_failures_over),
        cmocka_unit_test(race_success_of_nobody_tells_of_the_last),
        cmocka_unit_test(race_member_that_could_not_be_made_has_failed),
        cmocka_unit_test(race_cut_short_ends_all),
        cmocka_unit_test(shield_cancelled_leaves_the_inner_alone),
        cmocka_unit_test(shield_of_a_failure_has_its_words),
        cmocka_unit_test(chain_set_by_hand_lets_go),
        cmocka_unit_test(calls_come_in_their_order),
        cmocka_unit_test(call_is_moved_and_used_again),
        cmocka_unit_test(call_cancels_another_of_its_turn),
        cmocka_unit_test(deadline_moved_out_and_in),
        cmocka_unit_test(all_tasks_lists_those_that_have_not_ended),
        cmocka_unit_test(job_abandoned_is_dropped_when_it_ends),
        cmocka_unit_test(job_not_abandoned_gives_its_result),
        cmocka_unit_test(job_abandoned_is_dropped_at_close),
        cmocka_unit_test(job_queued_is_taken_back_and_dropped),
        cmocka_unit_test(run_cancels_main_on_sigint),
        cmocka_unit_test(debug_mode_tells_of_slow_tasks_and_lost_failures),
        cmocka_unit_test(all_survive_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
