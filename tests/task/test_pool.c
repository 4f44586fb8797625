/* SPDX-License-Identifier: MIT */
/* Green threads in numbers: pools, maps, piles, links, values of a task's own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/pool.h>
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/notes.h"

static void settle(void)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(cel_yield(), 0);
}

static void *sleep_long(void *arg)
{
    int r = cel_sleep(CEL_MINUTE);

    if (arg != NULL)
        *(int *)arg = r;
    return r < 0 ? cel_fail(r, "sleeping") : arg;
}

static void *note_it(void *arg)
{
    note((char)(intptr_t)arg);
    return arg;
}

static void *fail_it(void *arg)
{
    return cel_fail(-EIO, "%s", arg != NULL ? (char *)arg : "it");
}

static struct cel_task *spawned(cel_task_fn *fn, void *arg)
{
    struct cel_task *t = cel_spawn(fn, arg);

    assert_non_null(t);
    return t;
}

/* ---- single tasks ---- */

IN_TASK(spawn_later_runs_after_its_delay)
{
    int64_t start = cel_now();
    struct cel_task *t = cel_spawn_later(2 * CEL_MILLISECOND, note_it, (void *)'a');
    void *value = NULL;

    note_nothing();
    assert_non_null(t);
    assert_int_equal(cel_join(t, &value), 0);
    assert_ptr_equal(value, (void *)'a');
    assert_string_equal(noted, "a");
    assert_true(cel_now() - start >= 2 * CEL_MILLISECOND);
}

IN_TASK(spawn_later_killed_before_never_runs)
{
    struct cel_task *t = cel_spawn_later(CEL_MINUTE, note_it, (void *)'a');

    note_nothing();
    assert_non_null(t);
    settle();
    assert_int_equal(cel_kill(t), 0);
    assert_int_equal(cel_outcome(t), -ECANCELED);
    t = cel_spawn_later(0, note_it, (void *)'b');
    assert_non_null(t);
    assert_int_equal(cel_kill(t), 0); /* before it has even begun to wait */
    assert_string_equal(noted, "");
}

static void *linger(void *arg)
{
    (void)cel_sleep(CEL_MINUTE);
    CEL_SCOPE (shield, .is_shielded = true)
        for (int i = 0; i < 5; i++)
            cel_yield();
    note('l');
    return arg;
}

IN_TASK(kill_waits_for_the_end)
{
    struct cel_task *t[3] = {spawned(linger, NULL), spawned(linger, NULL), spawned(linger, NULL)};

    note_nothing();
    settle();
    assert_int_equal(cel_kill(t[0]), 0);
    assert_string_equal(noted, "l");
    assert_int_equal(cel_kill(t[0]), 0); /* twice is fine */
    assert_int_equal(cel_kill_all(t, 3), 0);
    assert_string_equal(noted, "lll");
}

IN_TASK(kill_cut_short_has_cancelled)
{
    struct cel_task *t = spawned(linger, NULL);

    settle();
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_kill(t), -ECANCELED);
        assert_int_equal(cel_kill_all(&t, 1), -ECANCELED);
    }
    assert_true(cel_task_is_cancelled(t));
    assert_int_equal(cel_await(t, NULL), 0);
}

IN_TASK(join_all_tells_of_the_first_that_failed)
{
    struct cel_task *t[4] = {spawned(note_it, (void *)'a'), spawned(fail_it, "first"),
                             spawned(fail_it, "second"), spawned(sleep_long, NULL)};

    assert_int_equal(cel_join_all(t, 4, true), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "first"));
    assert_false(cel_is_done(t[3])); /* nobody is cancelled */
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_join_all(t, 4, false), -ETIMEDOUT);
    assert_int_equal(cel_kill(t[3]), 0);
    assert_int_equal(cel_join_all(t, 1, false), 0);
    assert_int_equal(cel_join_all(t, 4, false), -CEL_EFAILED);
}

IN_TASK(kill_all_and_join_all_take_those_that_could_not_be_made)
{
    struct cel_task *t[3] = {NULL, spawned(linger, NULL), NULL};

    assert_int_equal(cel_kill(NULL), 0);
    assert_int_equal(cel_join_all(t, 1, false), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ENOMEM);
    assert_int_equal(cel_join_all(t, 3, true), -CEL_EFAILED);
    assert_false(cel_is_done(t[1])); /* who is missing failed at once */
    assert_int_equal(cel_kill_all(t, 3), 0);
    assert_true(cel_is_done(t[1]));
}

#define CROWD 20 /* more than a wait has room for on the stack */

/* All that could be made end, whatever fails. */
static void *kill_a_crowd(void *arg)
{
    struct cel_task *t[CROWD];
    int missing = 0, r, joined;

    for (int i = 0; i < CROWD; i++) {
        t[i] = i % 2 ? cel_spawn(sleep_long, NULL) : cel_spawn_later(CEL_MINUTE, sleep_long, NULL);
        missing += t[i] == NULL;
    }
    r = cel_kill_all(t, CROWD);
    assert_true(r == 0 || r == -ENOMEM);
    for (int i = 0; i < CROWD; i++)
        if (t[i] != NULL) {
            assert_true(cel_task_is_cancelled(t[i]));
            (void)!cel_await(t[i], NULL);
        }
    joined = cel_join_all(t, CROWD, true);
    assert_true(joined == -CEL_EFAILED || joined == -ENOMEM);
    *(int *)arg = r < 0 || missing != 0 || joined == -ENOMEM ? -ENOMEM : 0;
    return NULL;
}

static int kill_a_crowd_in_loop(void *arg)
{
    int result = -ENOMEM, r = cel_run(kill_a_crowd, &result, NULL);

    return r < 0 ? r : result;
}

static void kill_all_and_join_all_survive_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(kill_a_crowd_in_loop, NULL) > CROWD);
}

static void *sleep_ms(void *ms)
{
    return cel_sleep((intptr_t)ms * CEL_MILLISECOND) == 0 ? "slept" : NULL;
}

IN_TASK(with_timeout_keeps_the_value_for_that_case)
{
    void *result = "too late";

    assert_int_equal(cel_with_timeout(CEL_MILLISECOND, sleep_ms, (void *)60000, &result),
                     -ETIMEDOUT);
    assert_string_equal(result, "too late");
    assert_int_equal(cel_with_timeout(CEL_MINUTE, sleep_ms, (void *)1, &result), 0);
    assert_string_equal(result, "slept");
    assert_int_equal(cel_with_timeout(CEL_MINUTE, fail_it, "soon", &result), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "soon"));
    assert_int_equal(cel_with_timeout(1, linger, "late", &result), 0); /* it has a value */
    assert_string_equal(result, "late");
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_with_timeout(CEL_MINUTE, sleep_ms, (void *)60000, &result),
                         -ETIMEDOUT);
    assert_true(cel_scope_expired(&s));
    assert_int_equal(cel_checkpoint(), 0);
}

static void note_link(void *arg)
{
    note((char)(intptr_t)arg);
}

IN_TASK(links_follow_the_way_it_ended)
{
    struct cel_task *good = spawned(note_it, (void *)'g'), *bad = spawned(fail_it, NULL);
    struct cel_task *both[] = {good, bad};

    note_nothing();
    for (int i = 0; i < 2; i++) {
        char base = i == 0 ? '1' : '4';

        assert_int_equal(cel_link(both[i], CEL_LINK_ANY, note_link, (void *)(intptr_t)base), 0);
        assert_int_equal(cel_link(both[i], CEL_LINK_VALUE, note_link, (void *)(intptr_t)(base + 1)),
                         0);
        assert_int_equal(
            cel_link(both[i], CEL_LINK_FAILURE, note_link, (void *)(intptr_t)(base + 2)), 0);
    }
    assert_int_equal(cel_join_all(both, 2, false), -CEL_EFAILED);
    assert_int_equal(cel_sleep(1), 0);
    assert_string_equal(noted, "g1246");
    assert_int_equal(cel_link(bad, CEL_LINK_FAILURE, note_link, (void *)'x'), 0);
    assert_int_equal(cel_link(bad, CEL_LINK_VALUE, note_link, (void *)'y'), 0);
    assert_int_equal(cel_sleep(1), 0);
    assert_string_equal(noted, "g1246x");
}

IN_TASK(unlink_takes_back_what_would_be_called)
{
    struct cel_future *f = cel_future_new();

    note_nothing();
    assert_int_equal(cel_on_done(f, note_link, (void *)'a'), 0);
    assert_int_equal(cel_on_done(f, note_link, (void *)'b'), 0);
    assert_int_equal(cel_link(f, CEL_LINK_VALUE, note_link, (void *)'b'), 0);
    assert_int_equal(cel_link(f, CEL_LINK_FAILURE, note_link, (void *)'b'), 0);
    assert_int_equal(cel_link(f, CEL_LINK_VALUE, note_link, (void *)'c'), 0);
    assert_int_equal(cel_unlink(f, note_link, (void *)'z'), 0);
    assert_int_equal(cel_unlink(f, note_link, (void *)'b'), 3);
    assert_int_equal(cel_unlink(f, note_link, (void *)'b'), 0);
    assert_int_equal(cel_future_set(f, NULL), 0);
    assert_int_equal(cel_sleep(1), 0);
    assert_string_equal(noted, "ac");
    assert_int_equal(cel_unlink(f, note_link, (void *)'a'), 0); /* it has been called */
    assert_int_equal(cel_unlink((struct cel_future *)NULL, note_link, NULL), 0);
    cel_future_free(f);
}

static struct cel_future *linked;

static void take_back_the_next(void *arg)
{
    note('t');
    assert_int_equal(cel_unlink(linked, note_link, (void *)'n'), 1);
}

/* A call that is due is taken back too, whether the loop has come to it or is in the middle. */
IN_TASK(unlink_reaches_calls_that_are_due)
{
    struct cel_future *other = cel_future_new();

    linked = cel_future_new();
    note_nothing();
    assert_int_equal(cel_on_done(linked, take_back_the_next, NULL), 0);
    assert_int_equal(cel_on_done(linked, note_link, (void *)'n'), 0);
    assert_int_equal(cel_on_done(linked, note_link, (void *)'l'), 0);
    assert_int_equal(cel_on_done(linked, note_link, (void *)'m'), 0);
    assert_int_equal(cel_on_done(other, note_link, (void *)'m'), 0);
    assert_int_equal(cel_future_set(linked, NULL), 0);
    assert_int_equal(cel_future_set(other, NULL), 0);
    assert_int_equal(cel_unlink(linked, note_link, (void *)'m'), 1); /* not the other's */
    assert_int_equal(cel_sleep(1), 0);
    assert_string_equal(noted, "tlm");
    cel_future_free(linked);
    cel_future_free(other);
}

/* ---- pools ---- */

static int alive, most_alive;

static void *be_alive(void *arg)
{
    int r;

    if (++alive > most_alive)
        most_alive = alive;
    r = cel_sleep((intptr_t)arg * CEL_MILLISECOND / 4);
    alive--;
    return r < 0 ? cel_fail(r, "living") : arg;
}

static struct cel_pool *pool_of(size_t size)
{
    struct cel_pool *pool = NULL;

    alive = most_alive = 0;
    assert_int_equal(cel_pool_new(&pool, size), 0);
    return pool;
}

IN_TASK(pool_never_runs_more_than_its_size)
{
    struct cel_pool *pool = pool_of(3);

    for (intptr_t i = 0; i < 3; i++)
        assert_int_equal(cel_pool_spawn(pool, be_alive, (void *)(i + 1), NULL), 0);
    assert_int_equal(cel_pool_running(pool), 3);
    assert_int_equal(cel_pool_free_count(pool), 0);
    assert_int_equal(cel_pool_try_spawn(pool, be_alive, NULL, NULL), -EAGAIN);
    for (intptr_t i = 0; i < 20; i++)
        assert_int_equal(cel_pool_spawn(pool, be_alive, (void *)(i % 4), NULL), 0);
    assert_int_equal(cel_pool_wait_available(pool), 0);
    assert_true(cel_pool_free_count(pool) >= 1);
    assert_int_equal(cel_pool_join(pool), 0);
    assert_int_equal(most_alive, 3);
    assert_int_equal(alive, 0);
    cel_pool_free(pool);
    cel_pool_free(NULL);
}

struct spawner {
    struct cel_pool *pool;
    char name;
    int result;
};

static void *spawn_noting(void *arg)
{
    struct spawner *s = arg;

    s->result = cel_pool_spawn(s->pool, note_it, (void *)(intptr_t)s->name, NULL);
    return NULL;
}

IN_TASK(pool_slots_go_to_who_waited_longest)
{
    struct cel_pool *pool = pool_of(1);
    struct cel_task *first, *t[4];
    struct spawner s[4];

    note_nothing();
    assert_int_equal(cel_pool_spawn(pool, sleep_long, NULL, &first), 0);
    for (int i = 0; i < 4; i++) {
        s[i] = (struct spawner){pool, (char)('a' + i), 1};
        t[i] = spawned(spawn_noting, &s[i]);
    }
    settle();
    assert_int_equal(cel_pool_waiting(pool), 4);
    cel_task_cancel(t[1]);
    settle();
    assert_int_equal(s[1].result, -ECANCELED);
    assert_int_equal(cel_kill(first), 0);
    assert_int_equal(cel_pool_try_spawn(pool, note_it, (void *)'x', NULL), -EAGAIN);
    assert_int_equal(cel_kill_all(t, 4), 0); /* too late for who has the slot */
    assert_int_equal(cel_pool_join(pool), 0);
    assert_int_equal(s[0].result, 0);
    assert_string_equal(noted, "a");
    cel_pool_free(pool);
}

IN_TASK(pool_resized_lets_more_in_or_fewer)
{
    struct cel_pool *pool = pool_of(0);
    struct spawner s[4];

    note_nothing();
    for (int i = 0; i < 4; i++) {
        s[i] = (struct spawner){pool, (char)('a' + i), 1};
        (void)spawned(spawn_noting, &s[i]);
    }
    settle();
    assert_int_equal(cel_pool_waiting(pool), 4);
    cel_pool_resize(pool, 2);
    assert_int_equal(cel_pool_size(pool), 2);
    for (int i = 0; i < 3; i++)
        settle();
    assert_string_equal(noted, "abcd");
    cel_pool_resize(pool, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cel_pool_spawn(pool, be_alive, (void *)4, NULL), 0);
    cel_pool_resize(pool, 1);
    assert_int_equal(cel_pool_free_count(pool), 0);
    assert_int_equal(cel_pool_spawn(pool, be_alive, (void *)1, NULL), 0);
    assert_int_equal(cel_pool_running(pool), 1); /* the three had to end first */
    assert_int_equal(cel_pool_join(pool), 0);
    cel_pool_free(pool);
}

IN_TASK(pool_killed_is_empty)
{
    struct cel_pool *pool = pool_of(3);
    int results[3] = {0};

    for (int i = 0; i < 3; i++)
        assert_int_equal(cel_pool_spawn(pool, sleep_long, &results[i], NULL), 0);
    settle();
    assert_int_equal(cel_pool_kill(pool), 0);
    assert_int_equal(cel_pool_running(pool), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(results[i], -ECANCELED);
    assert_int_equal(cel_pool_spawn(pool, sleep_long, NULL, NULL), 0);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND) {
        assert_int_equal(cel_pool_join(pool), -ETIMEDOUT);
        assert_int_equal(cel_pool_wait_available(pool), -ETIMEDOUT);
        assert_int_equal(cel_pool_spawn(pool, sleep_long, NULL, NULL), -ETIMEDOUT);
    }
    assert_int_equal(cel_pool_kill(pool), 0);
    cel_pool_free(pool);
}

/* ---- maps ---- */

static void *times_two(void *arg)
{
    intptr_t n = (intptr_t)arg;

    be_alive((void *)(n % 3));
    return (void *)(n * 2);
}

IN_TASK(map_keeps_the_order_and_the_width)
{
    void *items[30], *results[30];

    alive = most_alive = 0;
    for (intptr_t i = 0; i < 30; i++)
        items[i] = (void *)i;
    assert_int_equal(cel_map(times_two, items, 30, 4, results), 0);
    for (intptr_t i = 0; i < 30; i++)
        assert_int_equal((intptr_t)results[i], i * 2);
    assert_int_equal(most_alive, 4);
    most_alive = 0;
    assert_int_equal(cel_map(times_two, items, 30, 0, NULL), 0);
    assert_int_equal(most_alive, 30);
    assert_int_equal(cel_map(times_two, items, 0, 4, results), 0);
}

static void *fail_at_seven(void *arg)
{
    int r = cel_sleep(CEL_MICROSECOND);

    if (r < 0)
        return cel_fail(r, "waiting");
    return (intptr_t)arg == 7 ? cel_fail(-ERANGE, "seven") : arg;
}

IN_TASK(map_first_failure_calls_the_rest_off)
{
    void *items[1000], *results[1000];

    for (intptr_t i = 0; i < 1000; i++)
        items[i] = (void *)(i + 1);
    assert_int_equal(cel_map(fail_at_seven, items, 1000, 2, results), -CEL_EFAILED);
    assert_non_null(strstr(cel_last_error()->text, "seven"));
    assert_int_equal((intptr_t)results[0], 1);
    assert_null(results[6]);
    assert_null(results[999]);
    assert_int_equal(cel_checkpoint(), 0);
}

IN_TASK(map_cut_short_leaves_nothing_running)
{
    void *items[10] = {NULL}, *results[10];

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_map(sleep_long, items, 10, 3, results), -ETIMEDOUT);
    for (int i = 0; i < 10; i++)
        assert_null(results[i]);
    CEL_SCOPE (c) {
        cel_scope_cancel(&c);
        assert_int_equal(cel_map(sleep_long, items, 10, 3, results), -ECANCELED);
    }
}

struct pair {
    int a, b;
};

static void *sum(void *arg)
{
    struct pair *p = arg;

    cel_yield();
    return (void *)(intptr_t)(p->a + p->b);
}

IN_TASK(starmap_calls_with_each_element)
{
    struct pair pairs[5] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}};
    void *results[5];

    assert_int_equal(cel_starmap(sum, pairs, sizeof pairs[0], 5, 2, results), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal((intptr_t)results[i], 4 * i + 3);
}

struct source {
    intptr_t next, end;
    int code;
};

static int from_source(void *arg, void **item)
{
    struct source *s = arg;

    if (s->next == s->end)
        return s->code;
    *item = (void *)s->next++;
    return 1;
}

static void *slow_if_even(void *arg)
{
    intptr_t n = (intptr_t)arg;

    if (n % 2 == 0 && cel_sleep(5 * CEL_MILLISECOND) < 0)
        return cel_fail(-ECANCELED, "even");
    return n == 5 ? cel_fail(-EDOM, "five") : (void *)(n + 100);
}

IN_TASK(imap_is_ordered_lazy_and_bounded)
{
    struct source source = {.next = 0, .end = 12, .code = -EBADMSG};
    struct cel_imap *imap;
    void *value;

    assert_int_equal(cel_imap_new(&imap, slow_if_even, from_source, &source,
                                  &(struct cel_imap_options){.width = 4}),
                     0);
    assert_int_equal(source.next, 0);
    for (intptr_t i = 0; i < 12; i++) {
        int r = cel_imap_next(imap, &value);

        assert_true(source.next <= i + 4);
        if (i == 5) {
            assert_int_equal(r, -CEL_EFAILED);
            assert_non_null(strstr(cel_last_error()->text, "five"));
            continue;
        }
        assert_int_equal(r, 1);
        assert_int_equal((intptr_t)value, i + 100);
    }
    assert_int_equal(cel_imap_next(imap, &value), -EBADMSG);
    assert_int_equal(cel_imap_next(imap, &value), 0);
    cel_imap_free(imap);
}

IN_TASK(imap_unordered_gives_the_quick_ones_first)
{
    struct source source = {.next = 0, .end = 4};
    struct cel_imap *imap;
    intptr_t order[4];
    void *value;

    assert_int_equal(cel_imap_new(&imap, slow_if_even, from_source, &source,
                                  &(struct cel_imap_options){.is_unordered = true}),
                     0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(cel_imap_next(imap, &value), 1);
        order[i] = (intptr_t)value - 100;
    }
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 3);
    assert_int_equal(order[2] + order[3], 0 + 2);
    assert_int_equal(cel_imap_next(imap, &value), 0);
    cel_imap_free(imap);
}

static void imap_left_half_way(bool is_unordered)
{
    struct source source = {.next = 0, .end = 1000000};
    struct cel_imap *imap;
    void *value;
    const struct cel_imap_options options = {.is_unordered = is_unordered};

    assert_int_equal(cel_imap_new(&imap, slow_if_even, from_source, &source, &options), 0);
    assert_int_equal(cel_imap_next(imap, &value), 1);
    CEL_SCOPE (s, .timeout = 1) {
        int r = 1;

        while (r == 1 || r == -CEL_EFAILED)
            r = cel_imap_next(imap, &value);
        assert_int_equal(r, -ETIMEDOUT);
        cel_imap_free(imap); /* although the scope is over */
    }
    cel_imap_free(NULL);
}

IN_TASK(imap_left_half_way_leaves_nothing)
{
    imap_left_half_way(false);
    imap_left_half_way(true);
}

/* ---- piles ---- */

IN_TASK(pile_gives_back_in_the_order_of_putting)
{
    struct cel_pool *pool = pool_of(2);
    struct cel_pile *pile;
    void *value = NULL;

    assert_int_equal(cel_pile_new(&pile, pool), 0);
    assert_int_equal(cel_pile_next(pile, &value), -ENOENT);
    for (intptr_t i = 0; i < 8; i++)
        assert_int_equal(cel_pile_spawn(pile, be_alive, (void *)(8 - i)), 0);
    for (intptr_t i = 0; i < 8; i++) {
        assert_int_equal(cel_pile_next(pile, &value), 0);
        assert_int_equal((intptr_t)value, 8 - i);
    }
    assert_int_equal(most_alive, 2);
    assert_int_equal(cel_pile_next(pile, &value), -ENOENT);
    assert_int_equal(cel_pile_spawn(pile, fail_it, NULL), 0);
    assert_int_equal(cel_pile_next(pile, &value), -CEL_EFAILED);
    assert_int_equal(cel_pile_spawn(pile, sleep_long, NULL), 0);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND) {
        assert_int_equal(cel_pile_next(pile, &value), -ETIMEDOUT);
        assert_int_equal(cel_pile_spawn(pile, sleep_long, NULL), -ETIMEDOUT);
    }
    cel_pile_free(pile); /* with one on it */
    cel_pile_free(NULL);
    assert_int_equal(cel_pool_running(pool), 0);
    cel_pool_free(pool);
}

/* ---- locals ---- */

static void free_note(void *value)
{
    note(*(char *)value);
    free(value);
}

static void *copy_char(void *value)
{
    char *copy = malloc(1);

    if (copy != NULL)
        *copy = *(char *)value;
    return copy;
}

static char *char_of(char c)
{
    char *p = malloc(1);

    assert_non_null(p);
    *p = c;
    return p;
}

static const struct cel_local owned = {.destroy = free_note},
                              copied = {.destroy = free_note, .copy = copy_char}, plain = {NULL};

static void at_end_looks(void *arg)
{
    note(cel_local_get(&owned) != NULL ? 'y' : 'n');
}

static void *use_locals(void *arg)
{
    struct cel_at_end *node = arg;

    assert_null(cel_local_get(&owned));
    assert_int_equal(cel_local_set(&owned, char_of('a')), 0);
    cel_task_at_end(node, at_end_looks, NULL);
    assert_int_equal(cel_local_set(&owned, char_of('b')), 0);
    assert_int_equal(*(char *)cel_local_get(&owned), 'b');
    return NULL;
}

IN_TASK(locals_are_the_tasks_own_and_end_with_it)
{
    struct cel_at_end node;

    note_nothing();
    assert_int_equal(cel_local_set(&owned, char_of('m')), 0);
    assert_int_equal(cel_join(spawned(use_locals, &node), NULL), 0);
    assert_string_equal(noted, "ayb");
    assert_int_equal(*(char *)cel_local_get(&owned), 'm');
    assert_int_equal(cel_local_set(&owned, NULL), 0);
    assert_string_equal(noted, "aybm");
}

static void *look_inherited(void *arg)
{
    assert_null(cel_local_get(&owned));
    assert_string_equal(cel_local_get(&plain), "plain");
    assert_int_equal(*(char *)cel_local_get(&copied), 'c');
    **(char **)arg = 'C';
    return NULL;
}

IN_TASK(locals_are_inherited_when_asked_for)
{
    char *mine = char_of('c');
    struct cel_task *t;

    note_nothing();
    assert_int_equal(cel_local_set(&owned, char_of('o')), 0);
    assert_int_equal(cel_local_set(&copied, mine), 0);
    assert_int_equal(cel_local_set(&plain, "plain"), 0);
    t = cel_spawn_with(look_inherited, &mine, .inherits_locals = true);
    assert_non_null(t);
    assert_int_equal(cel_join(t, NULL), 0);
    assert_string_equal(noted, "c"); /* the copy: what became of the original does not matter */
    assert_int_equal(cel_local_set(&copied, NULL), 0);
    assert_int_equal(cel_local_set(&owned, NULL), 0);
    assert_string_equal(noted, "cCo");
}

/* ---- memory ---- */

static void *nothing(void *arg)
{
    return arg;
}

static int use_all(void)
{
    struct cel_pool *pool = NULL;
    struct cel_pile *pile = NULL;
    struct cel_imap *imap = NULL;
    struct source source = {.next = 0, .end = 10};
    void *items[20] = {NULL}, *value;
    struct cel_task *t;
    int r = cel_local_set(&plain, "x");

    if (r == 0)
        r = cel_map(nothing, items, 20, 3, NULL);
    if (r == 0)
        r = cel_pool_new(&pool, 2);
    for (int i = 0; r == 0 && i < 4; i++)
        r = cel_pool_spawn(pool, nothing, NULL, NULL);
    if (r == 0)
        r = cel_pile_new(&pile, pool);
    if (r == 0)
        r = cel_pile_spawn(pile, nothing, NULL);
    if (r == 0)
        r = cel_pile_next(pile, &value);
    if (r == 0)
        r = cel_imap_new(&imap, nothing, from_source, &source, NULL);
    while (r == 0 && (r = cel_imap_next(imap, &value)) == 1)
        r = 0;
    t = r == 0 ? cel_spawn_later(1, nothing, NULL) : NULL;
    if (r == 0)
        r = t != NULL ? cel_link(t, CEL_LINK_FAILURE, note_link, NULL) : -ENOMEM;
    if (r == 0)
        r = cel_join(t, NULL);
    if (r == 0) {
        t = cel_spawn_with(nothing, NULL, .inherits_locals = true);
        r = t != NULL ? cel_join(t, NULL) : -ENOMEM;
    }
    cel_imap_free(imap);
    cel_pile_free(pile);
    if (pool != NULL) {
        CEL_SCOPE (s, .is_shielded = true)
            (void)!cel_pool_join(pool);
    }
    cel_pool_free(pool);
    return r;
}

static void *use_all_task(void *arg)
{
    *(int *)arg = use_all();
    return NULL;
}

static int use_all_in_loop(void *arg)
{
    int result = -ENOMEM, r = cel_run(use_all_task, &result, NULL);

    return r < 0 ? r : result;
}

static void all_survive_failed_allocations(void **state)
{
    cel_set_log(NULL, NULL);
    assert_true(fault_every_alloc(use_all_in_loop, NULL) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spawn_later_runs_after_its_delay),
        cmocka_unit_test(spawn_later_killed_before_never_runs),
        cmocka_unit_test(kill_waits_for_the_end),
        cmocka_unit_test(kill_cut_short_has_cancelled),
        cmocka_unit_test(join_all_tells_of_the_first_that_failed),
        cmocka_unit_test(kill_all_and_join_all_take_those_that_could_not_be_made),
        cmocka_unit_test(kill_all_and_join_all_survive_failed_allocations),
        cmocka_unit_test(with_timeout_keeps_the_value_for_that_case),
        cmocka_unit_test(links_follow_the_way_it_ended),
        cmocka_unit_test(unlink_takes_back_what_would_be_called),
        cmocka_unit_test(unlink_reaches_calls_that_are_due),
        cmocka_unit_test(pool_never_runs_more_than_its_size),
        cmocka_unit_test(pool_slots_go_to_who_waited_longest),
        cmocka_unit_test(pool_resized_lets_more_in_or_fewer),
        cmocka_unit_test(pool_killed_is_empty),
        cmocka_unit_test(map_keeps_the_order_and_the_width),
        cmocka_unit_test(map_first_failure_calls_the_rest_off),
        cmocka_unit_test(map_cut_short_leaves_nothing_running),
        cmocka_unit_test(starmap_calls_with_each_element),
        cmocka_unit_test(imap_is_ordered_lazy_and_bounded),
        cmocka_unit_test(imap_unordered_gives_the_quick_ones_first),
        cmocka_unit_test(imap_left_half_way_leaves_nothing),
        cmocka_unit_test(pile_gives_back_in_the_order_of_putting),
        cmocka_unit_test(locals_are_the_tasks_own_and_end_with_it),
        cmocka_unit_test(locals_are_inherited_when_asked_for),
        cmocka_unit_test(all_survive_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
