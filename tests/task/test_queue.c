/* SPDX-License-Identifier: MIT */
/* Queues: order, bounds, join, shutting down. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/queue.h>
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

struct child {
    struct cel_queue *queue;
    void *item;
    int result;
};

static void *put_one(void *arg)
{
    struct child *c = arg;

    c->result = cel_queue_put(c->queue, c->item);
    return NULL;
}

static void *get_one(void *arg)
{
    struct child *c = arg;

    c->result = cel_queue_get(c->queue, &c->item);
    return NULL;
}

static void *join_it(void *arg)
{
    struct child *c = arg;

    c->result = cel_queue_join(c->queue);
    return NULL;
}

static struct cel_task *start(cel_task_fn *fn, struct child *c, struct cel_queue *q, intptr_t item)
{
    struct cel_task *t;

    *c = (struct child){q, (void *)item, 1};
    t = cel_spawn(fn, c);
    assert_non_null(t);
    return t;
}

static void settle(void)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(cel_yield(), 0);
}

static int by_size(const void *a, const void *b)
{
    intptr_t x = (intptr_t)a / 10, y = (intptr_t)b / 10; /* tens are equal among themselves */

    return (x > y) - (x < y);
}

static size_t dropped;

static void count_dropped(void *item)
{
    dropped++;
}

static struct cel_queue *queue_of(enum cel_queue_order order, size_t max)
{
    struct cel_queue *q = NULL;
    const struct cel_queue_options options = {
        .max = max, .order = order, .compare = by_size, .drop = count_dropped};

    dropped = 0;
    assert_int_equal(cel_queue_new(&q, &options), 0);
    return q;
}

static void expect(struct cel_queue *q, const intptr_t *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *got = NULL, *next = NULL;

        assert_int_equal(cel_queue_peek(q, &next), 0);
        assert_int_equal(cel_queue_get(q, &got), 0);
        assert_int_equal((intptr_t)got, items[i]);
        assert_ptr_equal(next, got);
    }
    assert_int_equal(cel_queue_count(q), 0);
}

static const intptr_t mixed[] = {31, 12, 33, 11, 25, 1, 13};

static void put_mixed(struct cel_queue *q)
{
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(cel_queue_put(q, (void *)mixed[i]), 0);
}

IN_TASK(queue_gives_in_its_order)
{
    struct cel_queue *fifo = queue_of(CEL_FIFO, 0), *lifo = queue_of(CEL_LIFO, 0),
                     *priority = queue_of(CEL_PRIORITY, 0);

    put_mixed(fifo);
    put_mixed(lifo);
    put_mixed(priority);
    expect(fifo, mixed, 7);
    expect(lifo, (const intptr_t[]){13, 1, 25, 11, 33, 12, 31}, 7);
    expect(priority, (const intptr_t[]){1, 12, 11, 13, 25, 31, 33}, 7);
    cel_queue_free(fifo);
    cel_queue_free(lifo);
    cel_queue_free(priority);
}

IN_TASK(queue_peek_leaves_it_and_tells_the_end)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 0);
    void *next = "as before";

    assert_int_equal(cel_queue_peek(q, &next), -EAGAIN);
    assert_int_equal(cel_queue_put(q, "one"), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cel_queue_peek(q, &next), 0);
    assert_string_equal(next, "one");
    assert_int_equal(cel_queue_count(q), 1);
    cel_queue_shutdown(q, false);
    assert_int_equal(cel_queue_peek(q, &next), 0);
    assert_int_equal(cel_queue_get(q, &next), 0);
    assert_int_equal(cel_queue_peek(q, &next), -EPIPE);
    cel_queue_free(q);
}

IN_TASK(queue_priority_agrees_with_sorting)
{
    struct cel_queue *q = queue_of(CEL_PRIORITY, 0);
    unsigned x = 1;
    intptr_t last = -1;

    for (int i = 0; i < 5000; i++) {
        x = x * 1103515245 + 12345;
        assert_int_equal(cel_queue_try_put(q, (void *)(intptr_t)(x >> 8)), 0);
        if (i % 3 == 0) {
            void *got;

            assert_int_equal(cel_queue_try_get(q, &got), 0);
        }
    }
    while (cel_queue_count(q) != 0) {
        void *got;

        assert_int_equal(cel_queue_try_get(q, &got), 0);
        assert_true((intptr_t)got / 10 >= last);
        last = (intptr_t)got / 10;
    }
    cel_queue_free(q);
}

IN_TASK(queue_grows_around_its_ring)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 0);
    intptr_t in = 0, out = 0;

    for (int round = 1; round < 100; round++) { /* more in than out: it grows at any head */
        void *got;

        for (int i = 0; i < round; i++)
            assert_int_equal(cel_queue_try_put(q, (void *)in++), 0);
        for (int i = 0; i < round / 2; i++) {
            assert_int_equal(cel_queue_try_get(q, &got), 0);
            assert_int_equal((intptr_t)got, out++);
        }
    }
    while (cel_queue_count(q) != 0) {
        void *got;

        assert_int_equal(cel_queue_try_get(q, &got), 0);
        assert_int_equal((intptr_t)got, out++);
    }
    assert_int_equal(in, out);
    cel_queue_free(q);
}

IN_TASK(queue_full_makes_who_puts_wait_in_line)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 2);
    struct cel_task *t[5];
    struct child c[5];
    void *got;

    CEL_SCOPE (s) {
        for (int i = 0; i < 5; i++)
            t[i] = start(put_one, &c[i], q, i);
        settle();
        assert_true(cel_queue_is_full(q));
        assert_int_equal(cel_queue_try_put(q, NULL), -EAGAIN);
        cel_task_cancel(t[2]);
        assert_int_equal(cel_queue_try_get(q, &got), 0);
        assert_int_equal(cel_queue_try_put(q, NULL), -EAGAIN); /* the room is the next one's */
        cel_task_cancel(t[3]);                                 /* too late: it has put */
        settle();
        assert_int_equal(c[2].result, -ECANCELED);
        assert_int_equal(c[3].result, 0);
        expect(q, (const intptr_t[]){1, 3, 4}, 3);
    }
    assert_int_equal(cel_queue_unfinished(q), 4);
    cel_queue_free(q);
}

IN_TASK(queue_item_goes_to_the_oldest_getter)
{
    struct cel_queue *q = queue_of(CEL_LIFO, 0);
    struct cel_task *t[3];
    struct child c[3];

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            t[i] = start(get_one, &c[i], q, 0);
        settle();
        cel_task_cancel(t[0]);
        assert_int_equal(cel_queue_put(q, (void *)1), 0);
        assert_int_equal(cel_queue_put(q, (void *)2), 0);
        cel_task_cancel(t[2]); /* too late */
    }
    assert_int_equal(c[0].result, -ECANCELED);
    assert_int_equal((intptr_t)c[1].item, 1);
    assert_int_equal((intptr_t)c[2].item, 2);
    assert_int_equal(c[2].result, 0);
    cel_queue_free(q);
}

IN_TASK(queue_join_waits_for_what_was_put)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 0);
    struct cel_task *t;
    struct child c, d;

    assert_int_equal(cel_queue_join(q), 0);
    put_mixed(q);
    CEL_SCOPE (s) {
        (void)start(join_it, &c, q, 0);
        t = start(join_it, &d, q, 0);
        settle();
        cel_task_cancel(t);
        for (int i = 0; i < 7; i++) {
            void *got;

            assert_int_equal(cel_queue_get(q, &got), 0);
            settle();
            assert_int_equal(c.result, 1);
            cel_queue_task_done(q);
        }
    }
    assert_int_equal(c.result, 0);
    assert_int_equal(d.result, -ECANCELED);
    cel_queue_free(q);
}

IN_TASK(queue_shut_down_drains)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 2);
    struct child c[3];
    void *got;

    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            (void)start(put_one, &c[i], q, i);
        settle();
        cel_queue_shutdown(q, false);
        assert_int_equal(cel_queue_put(q, NULL), -EPIPE);
        expect(q, (const intptr_t[]){0, 1}, 2);
        assert_int_equal(cel_queue_get(q, &got), -EPIPE);
    }
    assert_int_equal(c[2].result, -EPIPE);
    assert_int_equal(dropped, 0);
    cel_queue_free(q);
}

IN_TASK(queue_shut_down_at_once_drops_and_ends_the_join)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 0);
    struct child c, d;
    void *got;

    put_mixed(q);
    CEL_SCOPE (s) {
        (void)start(join_it, &c, q, 0);
        settle();
        assert_int_equal(cel_queue_get(q, &got), 0);
        cel_queue_shutdown(q, true);
        settle();
        assert_int_equal(c.result, 1); /* one was got and is not done */
        cel_queue_task_done(q);
        cel_queue_shutdown(q, true);
    }
    assert_int_equal(c.result, 0);
    assert_int_equal(dropped, 6);
    cel_queue_free(q);

    q = queue_of(CEL_FIFO, 0);
    CEL_SCOPE (empty) {
        (void)start(get_one, &d, q, 5);
        settle();
        cel_queue_shutdown(q, false);
    }
    assert_int_equal(d.result, -EPIPE);
    assert_int_equal((intptr_t)d.item, 5);
    cel_queue_free(q);
}

IN_TASK(queue_freed_drops_what_is_in_it)
{
    struct cel_queue *q = queue_of(CEL_PRIORITY, 0);

    put_mixed(q);
    cel_queue_free(q);
    cel_queue_free(NULL);
    assert_int_equal(dropped, 7);
}

IN_TASK(queue_waits_are_checkpoints)
{
    struct cel_queue *q = queue_of(CEL_FIFO, 0);
    void *got;

    assert_int_equal(cel_queue_put(q, (void *)1), 0);
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_queue_get(q, &got), -ECANCELED);
        assert_int_equal(cel_queue_put(q, NULL), -ECANCELED);
        assert_int_equal(cel_queue_join(q), -ECANCELED);
        assert_int_equal(cel_queue_count(q), 1);
        assert_int_equal(cel_queue_try_get(q, &got), 0); /* no checkpoint */
    }
    CEL_SCOPE (t, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_queue_get(q, &got), -ETIMEDOUT);
    cel_queue_free(q);
}

static int fill(void *arg)
{
    struct cel_queue *q;
    size_t put = 0;
    int r = cel_queue_new(&q, NULL);

    if (r < 0)
        return r;
    for (intptr_t i = 0; i < 100 && r == 0; i++) {
        r = cel_queue_try_put(q, (void *)i);
        put += r == 0;
    }
    assert_int_equal(cel_queue_count(q), put); /* after a failure nothing was put */
    for (intptr_t i = 0; i < (intptr_t)put; i++) {
        void *got;

        assert_int_equal(cel_queue_try_get(q, &got), 0);
        assert_int_equal((intptr_t)got, i);
    }
    cel_queue_free(q);
    return r;
}

static void queue_survives_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(fill, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_gives_in_its_order),
        cmocka_unit_test(queue_peek_leaves_it_and_tells_the_end),
        cmocka_unit_test(queue_priority_agrees_with_sorting),
        cmocka_unit_test(queue_grows_around_its_ring),
        cmocka_unit_test(queue_full_makes_who_puts_wait_in_line),
        cmocka_unit_test(queue_item_goes_to_the_oldest_getter),
        cmocka_unit_test(queue_join_waits_for_what_was_put),
        cmocka_unit_test(queue_shut_down_drains),
        cmocka_unit_test(queue_shut_down_at_once_drops_and_ends_the_join),
        cmocka_unit_test(queue_freed_drops_what_is_in_it),
        cmocka_unit_test(queue_waits_are_checkpoints),
        cmocka_unit_test(queue_survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
