/* SPDX-License-Identifier: MIT */
/* Semaphores, events and queues of several loops and threads: order, cancels, nothing lost. */
#include <celadon/shared.h>

#include <errno.h>
#include <pthread.h>

#include <celadon/workers.h>

#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

#define LOOPS 3
#define TASKS 10
#define EACH  100

static struct cel_shared_sem *sem;
static struct cel_shared_event *event;
static struct cel_shared_queue *queue;

static void settle(void)
{
    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_sleep(1), 0); /* a served task is told by a message to its loop */
}

/* ---- one loop ---- */

static int order[TASKS], served;

static void *takes_a_permit(void *arg)
{
    int r = cel_shared_sem_acquire(sem);

    if (r < 0)
        return cel_fail(r, "acquiring");
    order[served++] = (int)(intptr_t)arg;
    return arg;
}

IN_TASK(sem_counts_and_serves_in_the_order_of_coming)
{
    struct cel_task *tasks[TASKS];

    served = 0;
    assert_int_equal(cel_shared_sem_new(&sem, 1), 0);
    assert_true(cel_shared_sem_try(sem));
    assert_false(cel_shared_sem_try(sem));
    for (int i = 0; i < TASKS; i++)
        assert_non_null(tasks[i] = cel_spawn(takes_a_permit, (void *)(intptr_t)i));
    settle();
    for (int i = 0; i < TASKS; i++)
        cel_shared_sem_release(sem);
    assert_int_equal(cel_shared_sem_count(sem), 0); /* each went to who waited */
    assert_false(cel_shared_sem_try(sem));
    assert_int_equal(cel_gather(tasks, TASKS, NULL), 0);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(order[i], i);
    cel_shared_sem_release(sem);
    assert_int_equal(cel_shared_sem_count(sem), 1);
    cel_shared_sem_free(sem);
}

IN_TASK(sem_wait_that_is_cancelled_leaves_the_line)
{
    struct cel_task *first, *second;

    served = 0;
    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_non_null(first = cel_spawn(takes_a_permit, (void *)1));
    assert_non_null(second = cel_spawn(takes_a_permit, (void *)2));
    settle();
    cel_task_cancel(first);
    cel_shared_sem_release(sem);
    assert_int_equal(cel_join(first, NULL), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ECANCELED);
    assert_int_equal(cel_join(second, NULL), 0);
    assert_int_equal(order[0], 2);
    cel_shared_sem_free(sem);
}

/* The permit was granted before the cancel came: it must not be lost, nor taken back. */
IN_TASK(sem_permit_granted_before_a_cancel_is_kept)
{
    struct cel_task *task;

    served = 0;
    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_non_null(task = cel_spawn(takes_a_permit, (void *)1));
    settle();
    cel_shared_sem_release(sem);
    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(served, 1);
    assert_int_equal(cel_shared_sem_count(sem), 0);
    cel_shared_sem_free(sem);
}

IN_TASK(shared_waits_end_at_a_deadline_with_nothing_taken)
{
    void *item = NULL;

    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_int_equal(cel_shared_event_new(&event), 0);
    assert_int_equal(cel_shared_queue_new(&queue, NULL), 0);
    CEL_SCOPE (a, .timeout = CEL_MICROSECOND)
        assert_int_equal(cel_shared_sem_acquire(sem), -ETIMEDOUT);
    CEL_SCOPE (b, .timeout = CEL_MICROSECOND)
        assert_int_equal(cel_shared_event_wait(event), -ETIMEDOUT);
    CEL_SCOPE (c, .timeout = CEL_MICROSECOND)
        assert_int_equal(cel_shared_queue_get(queue, &item), -ETIMEDOUT);
    CEL_SCOPE (d) {
        cel_scope_cancel(&d);
        assert_int_equal(cel_shared_sem_acquire(sem), -ECANCELED);
        assert_int_equal(cel_shared_queue_put(queue, &item), -ECANCELED);
        assert_int_equal(cel_shared_queue_join(queue), -ECANCELED);
    }
    cel_shared_sem_release(sem);
    assert_int_equal(cel_shared_sem_count(sem), 1);
    assert_int_equal(cel_shared_queue_count(queue), 0);
    cel_shared_sem_free(sem);
    cel_shared_event_free(event);
    cel_shared_queue_free(queue);
}

static void *waits_for_event(void *arg)
{
    int r = cel_shared_event_wait(event);

    served += r == 0;
    return r < 0 ? cel_fail(r, "waiting") : arg;
}

IN_TASK(event_wakes_all_who_wait_also_when_cleared_at_once)
{
    struct cel_task *tasks[TASKS];

    served = 0;
    assert_int_equal(cel_shared_event_new(&event), 0);
    for (int i = 0; i < TASKS; i++)
        assert_non_null(tasks[i] = cel_spawn(waits_for_event, NULL));
    settle();
    cel_shared_event_set(event);
    assert_true(cel_shared_event_is_set(event));
    cel_shared_event_clear(event);
    assert_int_equal(cel_gather(tasks, TASKS, NULL), 0);
    assert_int_equal(served, TASKS);
    assert_false(cel_shared_event_is_set(event));
    cel_shared_event_set(event);
    assert_int_equal(cel_shared_event_wait(event), 0);
    cel_shared_event_free(event);
}

static int dropped;

static void drop(void *item)
{
    dropped++;
}

static int larger_first(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

IN_TASK(queue_keeps_its_order_and_its_bound)
{
    static int numbers[] = {3, 9, 4};
    struct cel_queue_options options = {
        .max = 3, .order = CEL_PRIORITY, .compare = larger_first, .drop = drop};
    void *item;

    dropped = 0;
    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    assert_int_equal(cel_shared_queue_try_get(queue, &item), -EAGAIN);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cel_shared_queue_put(queue, &numbers[i]), 0);
    assert_int_equal(cel_shared_queue_try_put(queue, &numbers[0]), -EAGAIN);
    assert_int_equal(cel_shared_queue_get(queue, &item), 0);
    assert_ptr_equal(item, &numbers[1]);
    assert_int_equal(cel_shared_queue_try_get(queue, &item), 0);
    assert_ptr_equal(item, &numbers[2]);
    assert_int_equal(cel_shared_queue_count(queue), 1);
    cel_shared_queue_free(queue);
    assert_int_equal(dropped, 1);
}

static void *puts_item(void *arg)
{
    int r = cel_shared_queue_put(queue, arg);

    return r < 0 ? cel_fail(r, "putting") : arg;
}

IN_TASK(queue_room_goes_to_the_first_who_waits_to_put)
{
    struct cel_queue_options options = {.max = 1};
    struct cel_task *first, *second;
    void *item;

    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    assert_int_equal(cel_shared_queue_put(queue, "a"), 0);
    assert_non_null(first = cel_spawn(puts_item, "b"));
    assert_non_null(second = cel_spawn(puts_item, "c"));
    settle();
    assert_int_equal(cel_shared_queue_get(queue, &item), 0);
    assert_string_equal(item, "a");
    assert_int_equal(cel_shared_queue_try_put(queue, "x"), -EAGAIN); /* b is in its place */
    assert_int_equal(cel_join(first, NULL), 0);
    assert_false(cel_is_done(second));
    assert_int_equal(cel_shared_queue_get(queue, &item), 0);
    assert_string_equal(item, "b");
    assert_int_equal(cel_shared_queue_get(queue, &item), 0);
    assert_string_equal(item, "c");
    assert_int_equal(cel_join(second, NULL), 0);
    cel_shared_queue_free(queue);
}

static void *joins(void *arg)
{
    int r = cel_shared_queue_join(queue);

    return r < 0 ? cel_fail(r, "joining") : arg;
}

IN_TASK(queue_join_waits_for_all_that_was_put)
{
    struct cel_task *task;
    void *item;

    assert_int_equal(cel_shared_queue_new(&queue, NULL), 0);
    assert_int_equal(cel_shared_queue_join(queue), 0);
    assert_int_equal(cel_shared_queue_put(queue, "a"), 0);
    assert_int_equal(cel_shared_queue_put(queue, "b"), 0);
    assert_non_null(task = cel_spawn(joins, NULL));
    assert_int_equal(cel_shared_queue_get(queue, &item), 0);
    cel_shared_queue_task_done(queue);
    settle();
    assert_false(cel_is_done(task));
    cel_shared_queue_task_done(queue);
    assert_int_equal(cel_join(task, NULL), 0);
    cel_shared_queue_free(queue);
}

static void *gets_item(void *arg)
{
    void *item;
    int r = cel_shared_queue_get(queue, &item);

    return r < 0 ? cel_fail(r, "getting") : item;
}

IN_TASK(queue_shutdown_tells_all_who_wait)
{
    struct cel_queue_options options = {.max = 1, .drop = drop};
    struct cel_task *tasks[4];
    int outcomes[4];
    void *item;

    dropped = 0;
    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    for (int i = 0; i < 2; i++)
        assert_non_null(tasks[i] = cel_spawn(gets_item, NULL));
    settle();
    cel_shared_queue_shutdown(queue, false);
    assert_int_equal(cel_gather_outcomes(tasks, 2, NULL, outcomes), 0);
    assert_int_equal(outcomes[0], -EPIPE);
    assert_int_equal(outcomes[1], -EPIPE);
    cel_shared_queue_free(queue);

    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    assert_int_equal(cel_shared_queue_put(queue, "a"), 0);
    for (int i = 0; i < 2; i++)
        assert_non_null(tasks[i] = cel_spawn(puts_item, "b"));
    assert_non_null(tasks[2] = cel_spawn(joins, NULL));
    settle();
    cel_shared_queue_shutdown(queue, true);
    cel_shared_queue_shutdown(queue, true);
    assert_int_equal(cel_gather_outcomes(tasks, 3, NULL, outcomes), 0);
    assert_int_equal(outcomes[0], -EPIPE);
    assert_int_equal(outcomes[1], -EPIPE);
    assert_int_equal(outcomes[2], 0); /* what is dropped counts as dealt with */
    assert_int_equal(dropped, 1);
    assert_int_equal(cel_shared_queue_get(queue, &item), -EPIPE);
    assert_int_equal(cel_shared_queue_put(queue, "c"), -EPIPE);
    cel_shared_queue_free(queue);
}

/* ---- threads without a loop ---- */

static void *thread_answers(void *arg)
{
    void *item;

    while (cel_shared_queue_get(queue, &item) == 0) { /* blocks */
        (*(int *)item)++;
        cel_shared_queue_task_done(queue);
        cel_shared_sem_release(sem);
    }
    return NULL;
}

IN_TASK(task_and_threads_hand_each_other_work)
{
    struct cel_queue_options options = {.max = 2};
    pthread_t threads[2];
    int numbers[EACH] = {0};

    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_answers, NULL), 0);
    for (int i = 0; i < EACH; i++)
        assert_int_equal(cel_shared_queue_put(queue, &numbers[i]), 0);
    for (int i = 0; i < EACH; i++)
        assert_int_equal(cel_shared_sem_acquire(sem), 0);
    assert_int_equal(cel_shared_queue_join(queue), 0);
    cel_shared_queue_shutdown(queue, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < EACH; i++)
        assert_int_equal(numbers[i], 1);
    cel_shared_queue_free(queue);
    cel_shared_sem_free(sem);
}

static void *thread_waits(void *arg)
{
    assert_int_equal(cel_shared_event_wait(event), 0); /* blocks */
    cel_shared_sem_release(sem);
    return NULL;
}

IN_TASK(event_wakes_threads_too)
{
    pthread_t threads[2];

    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_int_equal(cel_shared_event_new(&event), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread_waits, NULL), 0);
    cel_shared_event_set(event);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cel_shared_sem_acquire(sem), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    cel_shared_event_free(event);
    cel_shared_sem_free(sem);
}

/* ---- several loops ---- */

static int inside, most_inside, tally[LOOPS * TASKS * EACH];

static void *works(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        int now, r = cel_shared_sem_acquire(sem);

        if (r < 0)
            return cel_fail(r, "acquiring");
        now = __atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL);
        if (now > 2)
            __atomic_store_n(&most_inside, now, __ATOMIC_RELEASE);
        (void)cel_yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL);
        cel_shared_sem_release(sem);
    }
    return NULL;
}

/* Some give up at any moment; what they hold then must not be lost. */
static int try_for(int64_t ns)
{
    CEL_SCOPE (s, .timeout = ns) {
        int r = cel_shared_sem_acquire(sem);

        if (r < 0)
            return r;
        cel_shared_sem_release(sem);
    }
    return 0;
}

static void *works_impatiently(void *arg)
{
    for (int i = 0; i < EACH; i++) {
        int r = try_for(i % 7 * CEL_MICROSECOND + 1);

        if (r < 0 && r != -ETIMEDOUT)
            return cel_fail(r, "acquiring");
    }
    return NULL;
}

static void *crowd(void *arg)
{
    struct cel_task *tasks[2 * TASKS];

    for (int i = 0; i < TASKS; i++) {
        tasks[i] = cel_spawn(works, NULL);
        tasks[TASKS + i] = cel_spawn(works_impatiently, NULL);
    }
    return cel_gather(tasks, (size_t)2 * TASKS, NULL) < 0
               ? cel_fail_from(tasks, (size_t)2 * TASKS, "crowd")
               : arg;
}

static const struct cel_workers_options three = {.count = LOOPS};

static void sem_bounds_what_all_loops_do_at_once(void **state)
{
    if (is_simulated())
        skip();
    inside = most_inside = 0;
    assert_int_equal(cel_shared_sem_new(&sem, 2), 0);
    assert_int_equal(cel_run_workers(&three, crowd, NULL), 0);
    assert_int_equal(most_inside, 0);
    assert_int_equal(cel_shared_sem_count(sem), 2);
    cel_shared_sem_free(sem);
}

static void *produces(void *arg)
{
    int *from = arg;

    for (int i = 0; i < EACH; i++) {
        int r = cel_shared_queue_put(queue, &from[i]);

        if (r < 0)
            return cel_fail(r, "putting");
    }
    return NULL;
}

/* 0: waits for as long as it takes. */
static int consume_one(int64_t ns)
{
    CEL_SCOPE (s, .timeout = ns) {
        void *item;
        int r = cel_shared_queue_get(queue, &item);

        if (r < 0)
            return r;
        __atomic_add_fetch((int *)item, 1, __ATOMIC_ACQ_REL);
        cel_shared_queue_task_done(queue);
    }
    return 0;
}

static void *consumes(void *arg)
{
    int r;

    do
        r = consume_one((intptr_t)arg);
    while (r == 0 || r == -ETIMEDOUT);
    return r != -EPIPE ? cel_fail(r, "getting") : NULL;
}

static void *produce_and_consume(void *arg)
{
    int *mine = tally + cel_worker_index() * TASKS * EACH;
    struct cel_task *makers[TASKS], *takers[TASKS];
    int r;

    for (int i = 0; i < TASKS; i++) {
        makers[i] = cel_spawn(produces, mine + i * EACH);
        takers[i] = cel_spawn(consumes, (void *)(intptr_t)(i % 2 == 0 ? 0 : i * CEL_MICROSECOND));
    }
    r = cel_gather(makers, TASKS, NULL);
    if (r == 0)
        r = cel_shared_queue_join(queue);
    cel_shared_sem_release(sem);
    if (cel_worker_index() == 0) {
        for (int i = 0; i < LOOPS && r == 0; i++)
            r = cel_shared_sem_acquire(sem);
        cel_shared_queue_shutdown(queue, false);
    }
    if (cel_gather(takers, TASKS, NULL) < 0 || r < 0)
        return cel_fail(r, "work");
    return arg;
}

static void queue_gives_each_item_once_whatever_loop_takes_it(void **state)
{
    struct cel_queue_options options = {.max = 4};

    if (is_simulated())
        skip();
    memset(tally, 0, sizeof tally);
    assert_int_equal(cel_shared_sem_new(&sem, 0), 0);
    assert_int_equal(cel_shared_queue_new(&queue, &options), 0);
    assert_int_equal(cel_run_workers(&three, produce_and_consume, NULL), 0);
    for (int i = 0; i < LOOPS * TASKS * EACH; i++)
        assert_int_equal(tally[i], 1);
    cel_shared_queue_free(queue);
    cel_shared_sem_free(sem);
}

/* ---- memory ---- */

static int make_and_use(void *arg)
{
    void *item;
    int r = cel_shared_sem_new(&sem, 1), r2 = cel_shared_event_new(&event),
        r3 = cel_shared_queue_new(&queue, NULL);

    if (r3 == 0) {
        r3 = cel_shared_queue_try_put(queue, "a");
        if (r3 == 0)
            assert_int_equal(cel_shared_queue_try_get(queue, &item), 0);
        assert_int_equal(cel_shared_queue_count(queue), 0);
        cel_shared_queue_free(queue);
    }
    if (r2 == 0)
        cel_shared_event_free(event);
    if (r == 0)
        cel_shared_sem_free(sem);
    return r < 0 ? r : r2 < 0 ? r2 : r3;
}

static void shared_objects_say_when_memory_is_out(void **state)
{
    assert_int_equal(fault_every_alloc(make_and_use, NULL), 4);
    cel_shared_sem_free(NULL);
    cel_shared_event_free(NULL);
    cel_shared_queue_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sem_counts_and_serves_in_the_order_of_coming),
        cmocka_unit_test(sem_wait_that_is_cancelled_leaves_the_line),
        cmocka_unit_test(sem_permit_granted_before_a_cancel_is_kept),
        cmocka_unit_test(shared_waits_end_at_a_deadline_with_nothing_taken),
        cmocka_unit_test(event_wakes_all_who_wait_also_when_cleared_at_once),
        cmocka_unit_test(queue_keeps_its_order_and_its_bound),
        cmocka_unit_test(queue_room_goes_to_the_first_who_waits_to_put),
        cmocka_unit_test(queue_join_waits_for_all_that_was_put),
        cmocka_unit_test(queue_shutdown_tells_all_who_wait),
        cmocka_unit_test(task_and_threads_hand_each_other_work),
        cmocka_unit_test(event_wakes_threads_too),
        cmocka_unit_test(sem_bounds_what_all_loops_do_at_once),
        cmocka_unit_test(queue_gives_each_item_once_whatever_loop_takes_it),
        cmocka_unit_test(shared_objects_say_when_memory_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
