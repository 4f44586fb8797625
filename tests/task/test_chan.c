/* SPDX-License-Identifier: MIT */
/* Channels, and waiting for several things at once. */
#include <errno.h>
#include <string.h>

#include <celadon/chan.h>
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/notes.h"

struct child {
    struct cel_chan *chan;
    int value;
    int result;
};

static void *send_one(void *arg)
{
    struct child *c = arg;

    c->result = cel_chan_send(c->chan, &c->value);
    return NULL;
}

static void *recv_one(void *arg)
{
    struct child *c = arg;

    c->result = cel_chan_recv(c->chan, &c->value);
    return NULL;
}

static struct cel_chan *chan_of(size_t value_size, size_t slots)
{
    struct cel_chan *ch = NULL;

    assert_int_equal(cel_chan_new(&ch, value_size, slots), 0);
    return ch;
}

static struct cel_task *start(cel_task_fn *fn, struct child *c, struct cel_chan *ch, int value)
{
    struct cel_task *t;

    *c = (struct child){ch, value, 1};
    t = cel_spawn(fn, c);
    assert_non_null(t);
    return t;
}

static void settle(void)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(cel_yield(), 0);
}

IN_TASK(chan_rendezvous_meets)
{
    struct cel_chan *ch = chan_of(sizeof(int), 0);
    struct child c;
    int got = 0;

    CEL_SCOPE (s) {
        (void)start(send_one, &c, ch, 7);
        settle();
        assert_int_equal(c.result, 1); /* it waits */
        assert_int_equal(cel_chan_recv(ch, &got), 0);
        assert_int_equal(got, 7);
        settle();
        assert_int_equal(c.result, 0);
        (void)start(recv_one, &c, ch, 0);
        settle();
        assert_int_equal(cel_chan_send(ch, &(int){8}), 0);
    }
    assert_int_equal(c.value, 8);
    assert_int_equal(c.result, 0);
    cel_chan_free(ch);
}

IN_TASK(chan_keeps_order_through_slots_and_line)
{
    struct cel_chan *ch = chan_of(sizeof(int), 3);
    struct child c[8];

    CEL_SCOPE (s) {
        for (int i = 0; i < 8; i++)
            (void)start(send_one, &c[i], ch, i);
        settle();
        assert_int_equal(cel_chan_count(ch), 3);
        for (int i = 0; i < 8; i++) {
            int got = -1;

            assert_int_equal(cel_chan_recv(ch, &got), 0);
            assert_int_equal(got, i);
        }
        assert_int_equal(cel_chan_count(ch), 0);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(c[i].result, 0);
    cel_chan_free(ch);
}

IN_TASK(chan_send_wakes_oldest_receiver)
{
    struct cel_chan *ch = chan_of(sizeof(int), 0);
    struct cel_task *t[4];
    struct child c[4];

    CEL_SCOPE (s) {
        for (int i = 0; i < 4; i++)
            t[i] = start(recv_one, &c[i], ch, 0);
        settle();
        cel_task_cancel(t[1]);
        for (int i = 1; i <= 3; i++)
            assert_int_equal(cel_chan_try_send(ch, &i), 0);
        assert_int_equal(cel_chan_try_send(ch, &(int){4}), -EAGAIN);
        cel_task_cancel(t[2]); /* too late: it has its value */
    }
    assert_int_equal(c[0].value, 1);
    assert_int_equal(c[1].result, -ECANCELED);
    assert_int_equal(c[1].value, 0);
    assert_int_equal(c[2].value, 2);
    assert_int_equal(c[2].result, 0);
    assert_int_equal(c[3].value, 3);
    cel_chan_free(ch);
}

IN_TASK(chan_cancelled_sender_sent_nothing)
{
    struct cel_chan *ch = chan_of(sizeof(int), 1);
    struct cel_task *t[3];
    struct child c[3];
    int got;

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            t[i] = start(send_one, &c[i], ch, i);
        settle();
        cel_task_cancel(t[1]);
        settle();
        assert_int_equal(c[1].result, -ECANCELED);
        assert_int_equal(cel_chan_recv(ch, &got), 0);
        assert_int_equal(got, 0);
        assert_int_equal(cel_chan_recv(ch, &got), 0);
        assert_int_equal(got, 2);
        assert_int_equal(cel_chan_try_recv(ch, &got), -EAGAIN);
    }
    cel_chan_free(ch);
}

IN_TASK(chan_closed_drains_then_ends)
{
    struct cel_chan *ch = chan_of(sizeof(int), 2);
    struct child c[3];
    int got = -1;

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            (void)start(send_one, &c[i], ch, i);
        settle();
        cel_chan_close(ch);
        cel_chan_close(ch);
        assert_true(cel_chan_is_closed(ch));
        assert_int_equal(cel_chan_send(ch, &got), -EPIPE);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(cel_chan_recv(ch, &got), 0);
            assert_int_equal(got, i);
        }
        assert_int_equal(cel_chan_recv(ch, &got), -EPIPE);
        assert_int_equal(got, 1);
    }
    assert_int_equal(c[2].result, -EPIPE); /* it waited to send */
    cel_chan_free(ch);
}

IN_TASK(chan_close_wakes_receivers)
{
    struct cel_chan *ch = chan_of(0, 0);
    struct child c[2];

    CEL_SCOPE (s) {
        for (int i = 0; i < 2; i++)
            (void)start(recv_one, &c[i], ch, 5);
        settle();
        cel_chan_close(ch);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(c[i].result, -EPIPE);
        assert_int_equal(c[i].value, 5);
    }
    cel_chan_free(ch);
}

IN_TASK(chan_carries_values_of_any_size)
{
    struct big {
        char bytes[1000];
    } in, out;
    struct cel_chan *ch = chan_of(sizeof in, 2);

    for (int round = 0; round < 5; round++) {
        memset(&in, 'a' + round, sizeof in);
        assert_int_equal(cel_chan_send(ch, &in), 0);
        assert_int_equal(cel_chan_recv(ch, &out), 0);
        assert_memory_equal(&in, &out, sizeof in);
    }
    cel_chan_free(ch);
    assert_int_equal(cel_chan_new(&ch, SIZE_MAX / 2, 3), -ENOMEM);
}

IN_TASK(chan_deadline_ends_both_waits)
{
    struct cel_chan *ch = chan_of(sizeof(int), 0);
    int value = 3;

    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_chan_send(ch, &value), -ETIMEDOUT);
    CEL_SCOPE (r, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_chan_recv(ch, &value), -ETIMEDOUT);
    assert_int_equal(value, 3);
    assert_int_equal(cel_chan_try_recv(ch, &value), -EAGAIN);
    cel_chan_free(ch);
}

static void *count_turns(void *arg)
{
    while (cel_yield() == 0)
        ++*(int *)arg;
    return NULL;
}

IN_TASK(chan_always_ready_lets_others_run)
{
    struct cel_chan *ch = chan_of(sizeof(int), 1);
    struct cel_task *t;
    int turns = 0;

    CEL_SCOPE (s) {
        t = cel_spawn(count_turns, &turns);
        assert_non_null(t);
        for (int i = 0; i < 1000; i++) {
            int got;

            assert_int_equal(cel_chan_send(ch, &i), 0);
            assert_int_equal(cel_chan_recv(ch, &got), 0);
        }
        assert_true(turns > 10);
        cel_task_cancel(t);
    }
    cel_chan_free(ch);
}

/* ---- select ---- */

IN_TASK(select_takes_what_is_there)
{
    struct cel_chan *a = chan_of(sizeof(int), 1), *b = chan_of(sizeof(int), 1);
    int got = 0, seven = 7;
    struct cel_case cases[] = {CEL_RECV(a, &got), CEL_SEND(b, &seven), CEL_RECV(NULL, NULL)};

    assert_int_equal(cel_select(cases, 3), 1);
    assert_int_equal(cases[1].result, 0);
    assert_int_equal(cel_select_try(cases, 3), -EAGAIN);
    assert_int_equal(cel_chan_send(a, &(int){5}), 0);
    assert_int_equal(cel_select(cases, 3), 0);
    assert_int_equal(got, 5);
    assert_int_equal(cel_chan_recv(b, &got), 0);
    assert_int_equal(got, 7);
    cel_chan_free(a);
    cel_chan_free(b);
}

IN_TASK(select_chooses_each_as_often)
{
    struct cel_chan *ch[3];
    int chosen[3] = {0}, got;

    for (int i = 0; i < 3; i++)
        ch[i] = chan_of(sizeof(int), 1);
    for (int round = 0; round < 3000; round++) {
        struct cel_case cases[3];
        int i;

        for (i = 0; i < 3; i++) {
            (void)!cel_chan_try_send(ch[i], &i);
            cases[i] = CEL_RECV(ch[i], &got);
        }
        i = cel_select(cases, 3);
        assert_true(i >= 0 && i < 3);
        assert_int_equal(got, i);
        chosen[i]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_in_range(chosen[i], 850, 1150);
        cel_chan_free(ch[i]);
    }
}

struct chooser {
    struct cel_case *cases;
    size_t n;
    int chosen;
};

static void *choose(void *arg)
{
    struct chooser *c = arg;

    c->chosen = cel_select(c->cases, c->n);
    return NULL;
}

static struct cel_task *start_chooser(struct chooser *c, struct cel_case *cases, size_t n)
{
    struct cel_task *t;

    *c = (struct chooser){cases, n, -1};
    t = cel_spawn(choose, c);
    assert_non_null(t);
    return t;
}

IN_TASK(select_parked_is_taken_once)
{
    struct cel_chan *a = chan_of(sizeof(int), 0), *b = chan_of(sizeof(int), 0);
    int from_a = 0, from_b = 0;
    struct cel_case cases[] = {CEL_RECV(a, &from_a), CEL_RECV(b, &from_b)};
    struct chooser c;

    CEL_SCOPE (s) {
        (void)start_chooser(&c, cases, 2);
        settle();
        assert_int_equal(cel_chan_try_send(b, &(int){2}), 0);
        assert_int_equal(cel_chan_try_send(b, &(int){2}), -EAGAIN);
        assert_int_equal(cel_chan_try_send(a, &(int){1}), -EAGAIN); /* it waits no more */
    }
    assert_int_equal(c.chosen, 1);
    assert_int_equal(from_a, 0);
    assert_int_equal(from_b, 2);
    cel_chan_free(a);
    cel_chan_free(b);
}

/* A value that was handed over counts as sent and as received, whatever comes in the same instant.
 */
IN_TASK(chan_handed_over_and_cancelled_at_once_has_moved)
{
    struct cel_chan *ch = chan_of(sizeof(int), 0);
    struct cel_task *t[3];
    struct child c[3];
    int got = 0;

    CEL_SCOPE (s) {
        for (int i = 0; i < 2; i++)
            t[i] = start(recv_one, &c[i], ch, 0);
        settle();
        cel_task_cancel(t[0]); /* out of the line: the value is the next one's */
        assert_int_equal(cel_chan_try_send(ch, &(int){5}), 0);
        cel_task_cancel(t[1]);
    }
    assert_int_equal(c[0].result, -ECANCELED);
    assert_int_equal(c[0].value, 0);
    assert_int_equal(c[1].result, 0);
    assert_int_equal(c[1].value, 5);
    CEL_SCOPE (s2) {
        t[2] = start(send_one, &c[2], ch, 6);
        settle();
        assert_int_equal(cel_chan_try_recv(ch, &got), 0);
        cel_task_cancel(t[2]);
    }
    assert_int_equal(c[2].result, 0);
    assert_int_equal(got, 6);
    cel_chan_free(ch);
}

IN_TASK(chan_closed_and_cancelled_at_once_is_closed)
{
    struct cel_chan *ch = chan_of(sizeof(int), 0);
    struct cel_task *t;
    struct child c;

    CEL_SCOPE (s) {
        t = start(recv_one, &c, ch, 0);
        settle();
        cel_chan_close(ch);
        cel_task_cancel(t);
    }
    assert_int_equal(c.result, -EPIPE);
    cel_chan_free(ch);
}

IN_TASK(select_taken_and_cancelled_at_once_is_taken)
{
    struct cel_chan *a = chan_of(sizeof(int), 0), *b = chan_of(sizeof(int), 0);
    int from_a = 0, to_b = 3;
    struct cel_case cases[] = {CEL_RECV(a, &from_a), CEL_SEND(b, &to_b), CEL_AFTER(CEL_MINUTE)};
    struct cel_task *t;
    struct chooser c;

    CEL_SCOPE (s) {
        t = start_chooser(&c, cases, 3);
        settle();
        assert_int_equal(cel_chan_try_send(a, &(int){4}), 0);
        cel_task_cancel(t);
        assert_int_equal(cel_chan_try_recv(b, &from_a), -EAGAIN); /* not that too */
    }
    assert_int_equal(c.chosen, 0);
    assert_int_equal(from_a, 4);
    cel_chan_free(a);
    cel_chan_free(b);
}

IN_TASK(select_meets_select)
{
    struct cel_chan *a = chan_of(sizeof(int), 0), *b = chan_of(sizeof(int), 0);
    int got = 0, nine = 9;
    struct cel_case first[] = {CEL_RECV(a, &got), CEL_SEND(b, &nine)};
    struct cel_case second[] = {CEL_RECV(b, &got), CEL_RECV(NULL, NULL)};
    struct chooser c, d;

    CEL_SCOPE (s) {
        (void)start_chooser(&c, first, 2);
        (void)start_chooser(&d, second, 2);
    }
    assert_int_equal(c.chosen, 1);
    assert_int_equal(d.chosen, 0);
    assert_int_equal(got, 9);
    assert_int_equal(cel_chan_try_send(a, &nine), -EAGAIN);
    cel_chan_free(a);
    cel_chan_free(b);
}

IN_TASK(select_on_one_channel_both_ways_waits)
{
    struct cel_chan *a = chan_of(sizeof(int), 0);
    int got = 0, six = 6;
    struct cel_case cases[] = {CEL_RECV(a, &got), CEL_SEND(a, &six)};
    struct chooser c;

    CEL_SCOPE (s) {
        (void)start_chooser(&c, cases, 2);
        settle();
        assert_int_equal(c.chosen, -1); /* it does not send to itself */
        assert_int_equal(cel_chan_recv(a, &got), 0);
    }
    assert_int_equal(c.chosen, 1);
    assert_int_equal(got, 6);
    cel_chan_free(a);
}

IN_TASK(select_tells_of_a_closed_channel)
{
    struct cel_chan *a = chan_of(sizeof(int), 0);
    int got = 0;
    struct cel_case cases[] = {CEL_RECV(a, &got), CEL_AFTER(CEL_MINUTE)};
    struct chooser c;

    CEL_SCOPE (s) {
        (void)start_chooser(&c, cases, 2);
        settle();
        cel_chan_close(a);
    }
    assert_int_equal(c.chosen, 0);
    assert_int_equal(cases[0].result, -EPIPE);
    cases[0].result = 0;
    assert_int_equal(cel_select(cases, 2), 0);
    assert_int_equal(cases[0].result, -EPIPE);
    cel_chan_free(a);
}

IN_TASK(select_hears_futures_and_instants)
{
    struct cel_future *f = cel_future_new();
    int64_t start = cel_now();
    struct cel_case cases[] = {CEL_DONE(f), CEL_AFTER(2 * CEL_MILLISECOND), CEL_AT(CEL_FOREVER)};
    struct chooser c;

    assert_non_null(f);
    assert_int_equal(cel_select(cases, 3), 1);
    assert_true(cel_now() - start >= 2 * CEL_MILLISECOND);
    cases[1] = CEL_AFTER(CEL_MINUTE);
    CEL_SCOPE (s) {
        (void)start_chooser(&c, cases, 3);
        settle();
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    assert_int_equal(c.chosen, 0);
    assert_int_equal(cel_select(cases, 3), 0); /* done is done */
    assert_int_equal(cel_select_try(&(struct cel_case){.kind = CEL_CASE_AT, .time = start}, 1), 0);
    assert_int_equal(cel_select_try(&CEL_AFTER(0), 1), 0);
    cel_future_free(f);
}

IN_TASK(select_cancelled_leaves_every_line)
{
    struct cel_chan *a = chan_of(sizeof(int), 0), *b = chan_of(sizeof(int), 0);
    struct cel_future *f = cel_future_new();
    int got = 3;
    struct cel_case cases[] = {CEL_RECV(a, &got), CEL_SEND(b, &got), CEL_DONE(f),
                               CEL_AFTER(CEL_MINUTE)};
    struct cel_task *t;
    struct chooser c;

    CEL_SCOPE (s) {
        t = start_chooser(&c, cases, 4);
        settle();
        cel_task_cancel(t);
        assert_int_equal(cel_chan_try_send(a, &got), -EAGAIN);
        assert_int_equal(cel_chan_try_recv(b, &got), -EAGAIN);
        assert_int_equal(cel_future_set(f, NULL), 0);
    }
    assert_int_equal(c.chosen, -ECANCELED);
    CEL_SCOPE (late) {
        cases[2] = CEL_AFTER(CEL_MINUTE);
        t = start_chooser(&c, cases, 4);
        settle();
        assert_int_equal(cel_chan_try_recv(b, &got), 0);
        cel_task_cancel(t); /* too late: it has sent */
    }
    assert_int_equal(c.chosen, 1);
    CEL_SCOPE (none, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_select(NULL, 0), -ETIMEDOUT);
    cel_future_free(f);
    cel_chan_free(a);
    cel_chan_free(b);
}

static int select_of_many(void *arg)
{
    struct cel_chan *ch[20] = {NULL};
    struct cel_case cases[20];
    int got[20], r = 0;

    for (int i = 0; i < 20 && r == 0; i++) {
        r = cel_chan_new(&ch[i], sizeof(int), 0);
        cases[i] = CEL_RECV(ch[i], &got[i]);
    }
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        if (r == 0)
            r = cel_select(cases, 20);
    for (int i = 0; i < 20; i++)
        cel_chan_free(ch[i]);
    return r == -ETIMEDOUT ? 0 : r;
}

static void *select_task(void *arg)
{
    *(int *)arg = select_of_many(NULL);
    return NULL;
}

static int select_in_loop(void *arg)
{
    int r, result = -ENOMEM;

    r = cel_run(select_task, &result, NULL);
    return r < 0 ? r : result;
}

static void select_of_many_survives_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(select_in_loop, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chan_rendezvous_meets),
        cmocka_unit_test(chan_keeps_order_through_slots_and_line),
        cmocka_unit_test(chan_send_wakes_oldest_receiver),
        cmocka_unit_test(chan_cancelled_sender_sent_nothing),
        cmocka_unit_test(chan_closed_drains_then_ends),
        cmocka_unit_test(chan_close_wakes_receivers),
        cmocka_unit_test(chan_carries_values_of_any_size),
        cmocka_unit_test(chan_deadline_ends_both_waits),
        cmocka_unit_test(chan_always_ready_lets_others_run),
        cmocka_unit_test(select_takes_what_is_there),
        cmocka_unit_test(select_chooses_each_as_often),
        cmocka_unit_test(select_parked_is_taken_once),
        cmocka_unit_test(chan_handed_over_and_cancelled_at_once_has_moved),
        cmocka_unit_test(chan_closed_and_cancelled_at_once_is_closed),
        cmocka_unit_test(select_taken_and_cancelled_at_once_is_taken),
        cmocka_unit_test(select_meets_select),
        cmocka_unit_test(select_on_one_channel_both_ways_waits),
        cmocka_unit_test(select_tells_of_a_closed_channel),
        cmocka_unit_test(select_hears_futures_and_instants),
        cmocka_unit_test(select_cancelled_leaves_every_line),
        cmocka_unit_test(select_of_many_survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
