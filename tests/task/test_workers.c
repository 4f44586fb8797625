/* SPDX-License-Identifier: MIT */
/* Several loops: tasks on each other's, messages between them, failures that stop all. */
#include <celadon/workers.h>

#include <celadon/offload.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/intask.h"

#define COUNT 3

static const struct cel_workers_options three = {.count = COUNT};

static int seen[COUNT];

static void add(int *to)
{
    __atomic_fetch_add(to, 1, __ATOMIC_ACQ_REL);
}

static void *note_index(void *arg)
{
    unsigned i = cel_worker_index();

    if (i >= COUNT || cel_worker_count() != COUNT || cel_worker_loop(i) != cel_loop_current() ||
        cel_worker_loop(COUNT) != NULL)
        return cel_fail(-EINVAL, "worker %u", i);
    add(&seen[i]);
    return arg;
}

static void workers_each_run_once_on_a_loop_of_their_own(void **state)
{
    memset(seen, 0, sizeof seen);
    assert_int_equal(cel_run_workers(&three, note_index, NULL), 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(cel_worker_index(), 0);
    assert_int_equal(cel_worker_count(), 1);
    assert_null(cel_worker_loop(0));
    assert_null(cel_loop_current());
}

static void workers_may_be_pinned_and_as_many_as_cores(void **state)
{
    struct cel_workers_options options = {.count = COUNT, .is_pinned = true};

    memset(seen, 0, sizeof seen);
    assert_int_equal(cel_run_workers(&options, note_index, NULL), 0);
    assert_int_equal(seen[0] + seen[1] + seen[2], COUNT);
}

static void *fail_as_second(void *arg)
{
    if (cel_worker_index() == 1)
        return cel_fail(-EXDEV, "planned");
    add(&seen[cel_worker_index()]);
    (void)cel_sleep(CEL_FOREVER);
    return cel_checkpoint() == -ECANCELED ? arg : cel_fail(-EINVAL, "not cancelled");
}

static void keep_quiet(enum cel_log_level level, const char *line, void *arg)
{
}

static void failure_of_one_worker_cancels_the_others(void **state)
{
    cel_set_log(keep_quiet, NULL);
    assert_int_equal(cel_run_workers(&three, fail_as_second, NULL), -EXDEV);
    cel_set_log(NULL, NULL);
}

static void workers_refuse_a_backend_that_is_none(void **state)
{
    struct cel_loop_options loop = {.backend = "none"};
    struct cel_workers_options options = {.count = COUNT, .loop = &loop};

    cel_set_log(keep_quiet, NULL);
    memset(seen, 0, sizeof seen);
    assert_int_equal(cel_run_workers(&options, note_index, NULL), -EINVAL);
    cel_set_log(NULL, NULL);
    assert_int_equal(seen[0] + seen[1] + seen[2], 0);
}

static void *run_inside(void *arg)
{
    *(int *)arg = cel_run_workers(&three, note_index, NULL);
    return NULL;
}

static void workers_do_not_start_from_a_task(void **state)
{
    int r = 0;

    assert_int_equal(cel_run(run_inside, &r, NULL), 0);
    assert_int_equal(r, -EBUSY);
}

/* ---- tasks on other loops ---- */

static void *say_where(void *arg)
{
    return cel_yield() == 0 ? (void *)(intptr_t)(cel_worker_index() + 100) : arg;
}

static void *ask_everybody(void *arg)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct cel_future *f = cel_spawn_on(cel_worker_loop(i), say_where, NULL);
        void *value = NULL;
        int r = f != NULL ? cel_await(f, &value) : -ENOMEM;

        cel_future_free(f);
        if (r < 0 || value != (void *)(intptr_t)(i + 100))
            return cel_fail(-EINVAL, "asking %u", i);
    }
    return arg;
}

static void remote_task_answers_from_its_own_loop(void **state)
{
    assert_int_equal(cel_run_workers(&three, ask_everybody, NULL), 0);
}

static void *fail_there(void *arg)
{
    return cel_fail(-ENOTTY, "there: %s", (char *)arg);
}

static void *await_failure(void *arg)
{
    struct cel_future *f = cel_spawn_on(cel_worker_loop(1), fail_there, "words");
    int r = f != NULL ? cel_await(f, NULL) : -ENOMEM;

    if (r != -CEL_EFAILED || cel_outcome(f) != -ENOTTY ||
        strncmp(cel_last_error()->text, "there: words", 12) != 0)
        return cel_fail(-EINVAL, "%d %s", r, cel_last_error()->text);
    cel_future_free(f);
    return arg;
}

static void remote_failure_comes_with_its_words(void **state)
{
    assert_int_equal(cel_run_workers(&three, await_failure, NULL), 0);
}

static int sleepers, woken;

static void *sleep_there(void *arg)
{
    int r;

    add(&sleepers);
    r = cel_sleep(CEL_FOREVER);
    if (r == -ECANCELED)
        add(&woken);
    return r < 0 ? cel_fail(r, "sleeping") : arg;
}

static int until_at_least(int *what, int least)
{
    int r = 0;

    while (r == 0 && __atomic_load_n(what, __ATOMIC_ACQUIRE) < least)
        r = cel_yield();
    return r;
}

static void *cancel_there(void *arg)
{
    struct cel_future *f = cel_spawn_on(cel_worker_loop(1), sleep_there, NULL);
    int r;

    if (cel_worker_index() != 0) {
        (void)cel_future_cancel(f); /* at once: perhaps before it began */
        r = cel_await(f, NULL);
    } else {
        if (until_at_least(&sleepers, 1) < 0)
            return NULL;
        (void)cel_future_cancel(f);
        (void)cel_future_cancel(f);
        r = cel_await(f, NULL);
    }
    r = r == -CEL_EFAILED && cel_outcome(f) == -ECANCELED ? 0 : -EINVAL;
    cel_future_free(f);
    return r < 0 ? cel_fail(r, "cancelling") : arg;
}

static void remote_task_is_cancelled_and_awaited(void **state)
{
    sleepers = woken = 0;
    assert_int_equal(cel_run_workers(&three, cancel_there, NULL), 0);
    assert_int_equal(woken, COUNT);
}

static void *give_up(void *arg)
{
    for (int i = 0; i < 50; i++)
        cel_future_free(cel_spawn_on(cel_worker_loop((unsigned)i % COUNT), sleep_there, NULL));
    return until_at_least(&woken, 50 * COUNT) == 0 ? arg : NULL;
}

static void remote_future_given_up_cancels_the_task(void **state)
{
    sleepers = woken = 0;
    assert_int_equal(cel_run_workers(&three, give_up, NULL), 0);
    assert_int_equal(sleepers, 50 * COUNT);
    assert_int_equal(woken, 50 * COUNT);
}

static void *leave_behind(void *arg)
{
    struct cel_future **kept = arg;

    *kept = cel_spawn_on(cel_worker_loop((cel_worker_index() + 1) % COUNT), sleep_there, NULL);
    return until_at_least(&sleepers, COUNT) == 0 ? arg : NULL;
}

/* Futures that outlive their loops can still be asked and freed. */
static struct cel_future *left[COUNT];

static void *leave_one_behind(void *arg)
{
    return leave_behind(&left[cel_worker_index()]);
}

static void remote_task_still_running_at_the_end_is_cancelled(void **state)
{
    sleepers = woken = 0;
    assert_int_equal(cel_run_workers(&three, leave_one_behind, NULL), 0);
    assert_int_equal(woken, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(cel_outcome(left[i]), -ECANCELED);
        cel_future_free(left[i]);
    }
}

IN_TASK(remote_task_on_the_own_loop_works_too)
{
    struct cel_future *f = cel_spawn_on(cel_loop_current(), say_where, NULL);
    void *value = NULL;

    assert_non_null(f);
    assert_int_equal(cel_await(f, &value), 0);
    assert_ptr_equal(value, (void *)100);
    cel_future_free(f);
}

/* ---- ports ---- */

struct message {
    int from;
    int number;
};

#define MESSAGES 20000

static struct cel_port *port;

static void *send_all(void *arg)
{
    struct message m = {.from = (int)(intptr_t)arg};
    int r = 0;

    for (; m.number < MESSAGES && r == 0; m.number++)
        r = cel_port_send(port, &m);
    return r < 0 ? cel_fail(r, "sending") : arg;
}

static void *receive_all(void *arg)
{
    int next[COUNT] = {0};
    struct message m;

    for (int i = 0; i < MESSAGES * COUNT; i++) {
        int r = cel_port_receive(port, &m);

        if (r < 0 || m.from < 0 || m.from >= COUNT || m.number != next[m.from]++)
            return cel_fail(-EINVAL, "message %d of %d", m.number, m.from);
    }
    return arg;
}

/* Worker 0 receives what tasks on all loops send through a port that is mostly full. */
static void *port_traffic(void *arg)
{
    struct cel_future *senders[COUNT];
    int r;

    if (cel_worker_index() != 0)
        return arg;
    if (cel_port_new(&port, sizeof(struct message), 8) < 0)
        return cel_fail(-ENOMEM, "a port");
    for (intptr_t i = 0; i < COUNT; i++)
        senders[i] = cel_spawn_on(cel_worker_loop((unsigned)i), send_all, (void *)i);
    if (receive_all(NULL) == NULL && cel_last_error()->code != 0)
        return NULL;
    r = cel_gather(senders, COUNT, NULL);
    for (int i = 0; i < COUNT; i++)
        cel_future_free(senders[i]);
    cel_port_free(port);
    return r < 0 ? cel_fail(r, "senders") : arg;
}

static void port_keeps_the_order_of_each_sender(void **state)
{
    assert_int_equal(cel_run_workers(&three, port_traffic, NULL), 0);
}

IN_TASK(port_that_is_full_refuses_and_empty_says_so)
{
    int n = 7;

    assert_int_equal(cel_port_new(&port, 0, 1), -EINVAL);
    assert_int_equal(cel_port_new(&port, 1, 0), -EINVAL);
    assert_int_equal(cel_port_new(&port, sizeof n, 2), 0);
    assert_int_equal(cel_port_try_receive(port, &n), -EAGAIN);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_port_try_send(port, &n), -EAGAIN);
    n = 0;
    assert_int_equal(cel_port_try_receive(port, &n), 0);
    assert_int_equal(n, 7);
    cel_port_close(port);
    cel_port_close(port);
    assert_int_equal(cel_port_try_send(port, &n), -EPIPE);
    assert_int_equal(cel_port_send(port, &n), -EPIPE);
    assert_int_equal(cel_port_receive(port, &n), 0);
    assert_int_equal(cel_port_receive(port, &n), -EPIPE);
    assert_int_equal(cel_port_try_receive(port, &n), -EPIPE);
    cel_port_free(port);
}

static void *receive_one(void *arg)
{
    int n, r = cel_port_receive(port, &n);

    return r < 0 ? cel_fail(r, "receiving") : (void *)(intptr_t)n;
}

static void *send_one(void *arg)
{
    int n = (int)(intptr_t)arg, r = cel_port_send(port, &n);

    return r < 0 ? cel_fail(r, "sending") : arg;
}

IN_TASK(port_serves_receivers_in_their_order)
{
    struct cel_task *tasks[5];
    void *values[5];
    int n;

    assert_int_equal(cel_port_new(&port, sizeof n, 8), 0);
    for (int i = 0; i < 5; i++)
        assert_non_null(tasks[i] = cel_spawn(receive_one, NULL));
    assert_int_equal(cel_yield(), 0);
    for (n = 0; n < 5; n++)
        assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_gather(tasks, 5, values), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal((intptr_t)values[i], i);
    cel_port_free(port);
}

/* One message must not leave the other receivers behind with nobody listening for the next. */
IN_TASK(port_wakes_the_next_receiver_for_the_next_message)
{
    struct cel_task *first, *second;
    void *value;
    int n = 1;

    assert_int_equal(cel_port_new(&port, sizeof n, 8), 0);
    assert_non_null(first = cel_spawn(receive_one, NULL));
    assert_non_null(second = cel_spawn(receive_one, NULL));
    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_join(first, &value), 0);
    n = 2;
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_join(second, &value), 0);
    assert_int_equal((intptr_t)value, 2);
    cel_port_free(port);
}

IN_TASK(port_close_wakes_all_who_wait)
{
    struct cel_task *tasks[6];
    int outcomes[6], n = 0;

    assert_int_equal(cel_port_new(&port, sizeof n, 1), 0);
    for (int i = 0; i < 3; i++)
        assert_non_null(tasks[i] = cel_spawn(receive_one, NULL));
    assert_int_equal(cel_yield(), 0);
    cel_port_close(port);
    assert_int_equal(cel_gather_outcomes(tasks, 3, NULL, outcomes), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(outcomes[i], -EPIPE);
    cel_port_free(port);

    assert_int_equal(cel_port_new(&port, sizeof n, 2), 0);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    for (int i = 0; i < 3; i++)
        assert_non_null(tasks[i] = cel_spawn(send_one, NULL));
    assert_int_equal(cel_yield(), 0);
    cel_port_close(port);
    assert_int_equal(cel_gather_outcomes(tasks, 3, NULL, outcomes), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(outcomes[i], -EPIPE);
    cel_port_free(port);
}

IN_TASK(port_wait_cancelled_neither_takes_nor_sends)
{
    struct cel_task *task;
    int n = 5;

    assert_int_equal(cel_port_new(&port, sizeof n, 2), 0);
    assert_non_null(task = cel_spawn(receive_one, NULL));
    assert_int_equal(cel_yield(), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), -CEL_EFAILED);
    assert_int_equal(cel_last_error()->code, -ECANCELED);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_non_null(task = cel_spawn(send_one, (void *)6));
    assert_int_equal(cel_yield(), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_join(task, NULL), -CEL_EFAILED);
    assert_int_equal(cel_port_receive(port, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(cel_port_receive(port, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(cel_port_try_receive(port, &n), -EAGAIN);
    cel_port_free(port);
}

/* Freed while the message that wakes it is on its way. */
IN_TASK(port_freed_with_a_wake_under_way)
{
    struct cel_task *task;
    int n = 1;

    assert_int_equal(cel_port_new(&port, sizeof n, 2), 0);
    assert_non_null(task = cel_spawn(receive_one, NULL));
    assert_int_equal(cel_yield(), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_port_try_send(port, &n), 0);
    assert_int_equal(cel_join(task, NULL), -CEL_EFAILED);
    cel_port_free(port);
    assert_int_equal(cel_sleep(1), 0);
}

/* A thread without a loop may send. */
static void *foreign(void *arg)
{
    for (int n = 0; n < 100; n++)
        while (cel_port_try_send(port, &n) == -EAGAIN)
            sched_yield();
    return arg;
}

IN_TASK(port_takes_messages_of_foreign_threads)
{
    pthread_t thread;
    int n;

    assert_int_equal(cel_port_new(&port, sizeof n, 4), 0);
    assert_int_equal(pthread_create(&thread, NULL, foreign, NULL), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(cel_port_receive(port, &n), 0);
        assert_int_equal(n, i);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    cel_port_free(port);
}

static struct cel_port *there_and[COUNT];

static void *ping_pong(void *arg)
{
    unsigned me = cel_worker_index();
    int n = 0;

    if (cel_port_new(&there_and[me], sizeof n, 1) < 0)
        return cel_fail(-ENOMEM, "a port");
    add(&sleepers);
    if (until_at_least(&sleepers, COUNT) < 0)
        return NULL;
    for (int i = 0; i < 2000; i++) {
        if (me == 0 && cel_port_send(there_and[1], &n) < 0)
            return cel_fail(-EPIPE, "sending");
        if (cel_port_receive(there_and[me], &n) < 0)
            return cel_fail(-EPIPE, "receiving");
        n++;
        if (me != 0 && cel_port_send(there_and[(me + 1) % COUNT], &n) < 0)
            return cel_fail(-EPIPE, "sending");
    }
    if (me == 0 && n != 2000 * COUNT)
        return cel_fail(-EINVAL, "%d", n);
    return arg;
}

static void token_goes_round(int64_t spin)
{
    struct cel_loop_options loop = {.spin = spin};
    struct cel_workers_options options = {.count = COUNT, .loop = &loop};

    sleepers = 0;
    assert_int_equal(cel_run_workers(&options, ping_pong, NULL), 0);
    for (int i = 0; i < COUNT; i++)
        cel_port_free(there_and[i]);
}

static void port_token_goes_round_loops_that_sleep(void **state)
{
    token_goes_round(0);
}

static void port_token_goes_round_loops_that_spin(void **state)
{
    token_goes_round(20 * CEL_MICROSECOND);
}

/* ---- loops that come and go ---- */

enum { GUESTS = 60, WORDS = 5 };

static struct cel_port *house;
static struct cel_loop *host;

static void *send_words(void *arg)
{
    for (int i = 0; i < WORDS; i++)
        if (cel_port_send(house, &i) < 0)
            return cel_fail(-EPIPE, "sending");
    return arg;
}

static void *ask_host(void *arg)
{
    struct cel_future *f = cel_spawn_on(host, say_where, NULL);
    int r = f != NULL ? cel_await(f, NULL) : -ENOMEM;

    cel_future_free(f);
    return r < 0 ? cel_fail(r, "asking") : arg;
}

static cel_task_fn *guest_fn;

/* A loop of its own, which is closed as soon as its task has what it waited for. */
static void *be_guest(void *arg)
{
    return cel_run(guest_fn, NULL, NULL) < 0 ? "failed" : NULL;
}

static void *join_guest(void *thread)
{
    void *result;

    return pthread_join(*(pthread_t *)thread, &result) == 0 ? result : "not joined";
}

static void receive_guests(cel_task_fn *fn, int words)
{
    pthread_t threads[GUESTS];
    int n;

    guest_fn = fn;
    host = cel_loop_current();
    assert_int_equal(cel_port_new(&house, sizeof(int), 2), 0);
    for (int i = 0; i < GUESTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, be_guest, NULL), 0);
    for (int i = 0; i < words; i++)
        assert_int_equal(cel_port_receive(house, &n), 0);
    for (int i = 0; i < GUESTS; i++) {
        void *result = "";

        assert_int_equal(cel_offload_await(join_guest, &threads[i], &result), 0);
        assert_null(result);
    }
    cel_port_free(house);
}

/* Whoever wakes the last task of a loop must be through with the loop before it is gone. */
IN_TASK(port_wakes_senders_whose_loops_end_then)
{
    receive_guests(send_words, GUESTS * WORDS);
}

IN_TASK(remote_task_answers_loops_that_end_then)
{
    receive_guests(ask_host, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_each_run_once_on_a_loop_of_their_own),
        cmocka_unit_test(workers_may_be_pinned_and_as_many_as_cores),
        cmocka_unit_test(failure_of_one_worker_cancels_the_others),
        cmocka_unit_test(workers_refuse_a_backend_that_is_none),
        cmocka_unit_test(workers_do_not_start_from_a_task),
        cmocka_unit_test(remote_task_answers_from_its_own_loop),
        cmocka_unit_test(remote_failure_comes_with_its_words),
        cmocka_unit_test(remote_task_is_cancelled_and_awaited),
        cmocka_unit_test(remote_future_given_up_cancels_the_task),
        cmocka_unit_test(remote_task_still_running_at_the_end_is_cancelled),
        cmocka_unit_test(remote_task_on_the_own_loop_works_too),
        cmocka_unit_test(port_keeps_the_order_of_each_sender),
        cmocka_unit_test(port_that_is_full_refuses_and_empty_says_so),
        cmocka_unit_test(port_serves_receivers_in_their_order),
        cmocka_unit_test(port_wakes_the_next_receiver_for_the_next_message),
        cmocka_unit_test(port_close_wakes_all_who_wait),
        cmocka_unit_test(port_wait_cancelled_neither_takes_nor_sends),
        cmocka_unit_test(port_freed_with_a_wake_under_way),
        cmocka_unit_test(port_takes_messages_of_foreign_threads),
        cmocka_unit_test(port_token_goes_round_loops_that_sleep),
        cmocka_unit_test(port_token_goes_round_loops_that_spin),
        cmocka_unit_test(port_wakes_senders_whose_loops_end_then),
        cmocka_unit_test(remote_task_answers_loops_that_end_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
