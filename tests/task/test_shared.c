/* SPDX-License-Identifier: MIT */
/* What several loops share: who is next, what a cancel takes and what it leaves, first on one loop,
 * where the order can be told, then on three at once, where nothing may be lost. */
#include <celadon/shared.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/workers.h>
#include "support/abort.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/notes.h"

#define LOOPS  3
#define TASKS  4 /* on each */
#define ROUNDS 300

struct child {
    char name;
    void *on;
    int result;
};

static struct cel_task *start(cel_task_fn *fn, struct child *child, char name, void *on)
{
    struct cel_task *t;

    *child = (struct child){name, on, 1};
    t = cel_spawn(fn, child);
    assert_non_null(t);
    return t;
}

static void settle(void)
{
    for (int i = 0; i < 4; i++)
        assert_int_equal(cel_yield(), 0);
}

/* ---- one loop: locks ---- */

static void *lock_note_release(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_lock_acquire(c->on);
    if (c->result == 0) {
        note(c->name);
        cel_yield();
        cel_shared_lock_release(c->on);
    }
    return NULL;
}

IN_TASK(shared_lock_is_given_in_the_order_of_asking)
{
    struct cel_shared_lock lock = CEL_SHARED_LOCK_INIT;
    struct child c[4];
    struct cel_task *t[4];

    note_nothing();
    CEL_SCOPE (s) {
        assert_true(cel_shared_lock_try(&lock));
        for (int i = 0; i < 4; i++)
            t[i] = start(lock_note_release, &c[i], (char)('a' + i), &lock);
        settle();
        cel_task_cancel(t[1]); /* leaves the line */
        settle();
        assert_int_equal(c[1].result, -ECANCELED);
        cel_shared_lock_release(&lock);
        assert_false(cel_shared_lock_try(&lock)); /* it is the first one's, which has not run yet */
        cel_task_cancel(t[0]);                    /* too late: it has it */
    }
    assert_string_equal(noted, "acd");
    assert_true(cel_shared_lock_try(&lock));
    cel_shared_lock_release(&lock);
}

IN_TASK(shared_waits_are_checkpoints)
{
    struct cel_shared_lock lock = CEL_SHARED_LOCK_INIT;
    struct cel_shared_cond cond = CEL_SHARED_COND_INIT;
    struct cel_shared_sem sem = CEL_SHARED_SEM_INIT(1);
    struct cel_shared_event event = CEL_SHARED_EVENT_INIT;
    struct cel_shared_countdown countdown = CEL_SHARED_COUNTDOWN_INIT(0);
    struct cel_shared_queue *queue;
    void *item;

    assert_int_equal(cel_shared_queue_new(&queue, NULL), 0);
    cel_shared_event_set(&event);
    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_shared_lock_acquire(&lock), -ECANCELED);
        assert_true(cel_shared_lock_try(&lock));
        assert_int_equal(cel_shared_cond_wait(&cond, &lock), -ECANCELED);
        cel_shared_lock_release(&lock);
        assert_int_equal(cel_shared_sem_acquire(&sem), -ECANCELED);
        assert_int_equal(cel_shared_event_wait(&event), -ECANCELED);
        assert_int_equal(cel_shared_countdown_wait(&countdown), -ECANCELED);
        assert_int_equal(cel_shared_queue_put(queue, "x"), -ECANCELED);
        assert_int_equal(cel_shared_queue_get(queue, &item), -ECANCELED);
        assert_int_equal(cel_shared_queue_join(queue), -ECANCELED);
    }
    assert_true(cel_shared_sem_try(&sem)); /* nobody took it */
    assert_int_equal(cel_shared_queue_count(queue), 0);
    cel_shared_queue_free(queue);
}

/* ---- one loop: the others ---- */

static void *permit_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_sem_acquire(c->on);
    if (c->result == 0)
        note(c->name);
    return NULL;
}

IN_TASK(shared_sem_permit_granted_to_a_cancelled_task_is_kept)
{
    struct cel_shared_sem sem = CEL_SHARED_SEM_INIT(0);
    struct child c[3];
    struct cel_task *t[3];

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            t[i] = start(permit_note, &c[i], (char)('a' + i), &sem);
        settle();
        cel_shared_sem_release(&sem);
        cel_task_cancel(t[0]); /* has it */
        cel_task_cancel(t[1]); /* has not */
        cel_shared_sem_release(&sem);
        assert_false(cel_shared_sem_try(&sem)); /* the last one's */
    }
    assert_string_equal(noted, "ac");
    assert_int_equal(c[1].result, -ECANCELED);
    cel_shared_sem_release(&sem);
    assert_true(cel_shared_sem_try(&sem));
    assert_false(cel_shared_sem_try(&sem));
}

struct gate {
    struct cel_shared_lock lock;
    struct cel_shared_cond cond;
};

static void *wait_note(void *arg)
{
    struct child *c = arg;
    struct gate *gate = c->on;

    if (cel_shared_lock_acquire(&gate->lock) < 0)
        return NULL;
    c->result = cel_shared_cond_wait(&gate->cond, &gate->lock);
    assert_false(cel_shared_lock_try(&gate->lock)); /* it is ours, whatever came */
    note(c->name);
    cel_shared_lock_release(&gate->lock);
    return NULL;
}

IN_TASK(shared_cond_notify_is_not_lost_to_a_cancelled_task)
{
    struct gate gate = {CEL_SHARED_LOCK_INIT, CEL_SHARED_COND_INIT};
    struct child c[4];
    struct cel_task *t[4];

    note_nothing();
    assert_int_equal(cel_shared_cond_notify(&gate.cond, 1), 0);
    CEL_SCOPE (s) {
        for (int i = 0; i < 4; i++)
            t[i] = start(wait_note, &c[i], (char)('a' + i), &gate);
        settle();
        cel_task_cancel(t[0]); /* leaves: the word goes to the next */
        assert_int_equal(cel_shared_cond_notify(&gate.cond, 1), 1);
        cel_task_cancel(t[1]); /* has it */
        assert_int_equal(cel_shared_cond_notify(&gate.cond, SIZE_MAX), 2);
    }
    assert_int_equal(noted_len, 4);
    assert_int_equal(c[0].result, -ECANCELED);
    for (int i = 1; i < 4; i++)
        assert_int_equal(c[i].result, 0);
}

static void *pass_event(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_event_wait(c->on);
    return NULL;
}

static void *pass_countdown(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_countdown_wait(c->on);
    return NULL;
}

IN_TASK(shared_event_and_countdown_wake_all_who_wait)
{
    struct cel_shared_event event = CEL_SHARED_EVENT_INIT;
    struct cel_shared_countdown countdown = CEL_SHARED_COUNTDOWN_INIT(1);
    struct child c[4];

    CEL_SCOPE (s) {
        for (int i = 0; i < 2; i++)
            (void)start(pass_event, &c[i], 'e', &event);
        for (int i = 2; i < 4; i++)
            (void)start(pass_countdown, &c[i], 'c', &countdown);
        cel_shared_countdown_add(&countdown, 1);
        settle();
        cel_shared_event_set(&event);
        cel_shared_event_clear(&event); /* they are through all the same */
        cel_shared_countdown_done(&countdown);
        settle();
        assert_int_equal(c[2].result, 1);
        cel_shared_countdown_done(&countdown);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(c[i].result, 0);
    assert_false(cel_shared_event_is_set(&event));
    assert_int_equal(cel_shared_countdown_wait(&countdown), 0);
}

/* ---- one loop: queues ---- */

static int dropped;

static void count_dropped(void *item)
{
    dropped++;
}

static int by_value(const void *a, const void *b)
{
    return ((intptr_t)a > (intptr_t)b) - ((intptr_t)a < (intptr_t)b);
}

IN_TASK(shared_queue_gives_in_its_order)
{
    static const intptr_t in[] = {3, 1, 2}, out[][3] = {{3, 1, 2}, {2, 1, 3}, {1, 2, 3}};

    for (int order = 0; order < 3; order++) {
        struct cel_queue_options options = {.order = (enum cel_queue_order)order,
                                            .compare = by_value};
        struct cel_shared_queue *q;
        void *item;

        assert_int_equal(cel_shared_queue_new(&q, &options), 0);
        assert_int_equal(cel_shared_queue_try_get(q, &item), -EAGAIN);
        for (int i = 0; i < 3; i++)
            assert_int_equal(cel_shared_queue_put(q, (void *)in[i]), 0);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(cel_shared_queue_get(q, &item), 0);
            assert_int_equal((intptr_t)item, out[order][i]);
            cel_shared_queue_task_done(q);
        }
        assert_int_equal(cel_shared_queue_join(q), 0);
        cel_shared_queue_free(q);
    }
}

static void *put_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_queue_put(c->on, c);
    return NULL;
}

static void *get_note(void *arg)
{
    struct child *c = arg;
    void *item;

    c->result = cel_shared_queue_get(c->on, &item);
    if (c->result == 0) {
        note(c->name);
        cel_shared_queue_task_done(c->on);
    }
    return NULL;
}

static void *join_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_shared_queue_join(c->on);
    return NULL;
}

IN_TASK(shared_queue_item_is_not_lost_to_a_cancelled_task)
{
    struct cel_shared_queue *q;
    struct child c[3];
    struct cel_task *t[3];

    note_nothing();
    assert_int_equal(cel_shared_queue_new(&q, NULL), 0);
    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            t[i] = start(get_note, &c[i], (char)('a' + i), q);
        settle();
        cel_task_cancel(t[0]);
        assert_int_equal(cel_shared_queue_try_put(q, "one"), 0); /* the second one's */
        cel_task_cancel(t[1]);
        assert_int_equal(cel_shared_queue_try_put(q, "two"), 0);
        assert_int_equal(cel_shared_queue_count(q), 0);
    }
    assert_string_equal(noted, "bc");
    assert_int_equal(cel_shared_queue_join(q), 0);
    cel_shared_queue_free(q);
}

IN_TASK(shared_queue_shut_down_ends_all_who_wait)
{
    struct cel_queue_options options = {.max = 1, .drop = count_dropped};
    struct cel_shared_queue *full, *empty;
    struct child c[3];
    void *item;

    dropped = 0;
    assert_int_equal(cel_shared_queue_new(&full, &options), 0);
    assert_int_equal(cel_shared_queue_new(&empty, &options), 0);
    assert_int_equal(cel_shared_queue_put(full, "x"), 0);
    assert_int_equal(cel_shared_queue_try_put(full, "y"), -EAGAIN);
    CEL_SCOPE (s) {
        (void)start(put_note, &c[0], 'p', full);
        (void)start(join_note, &c[1], 'j', full);
        (void)start(get_note, &c[2], 'g', empty);
        settle();
        cel_shared_queue_shutdown(empty, false);
        cel_shared_queue_shutdown(full, true);
    }
    assert_int_equal(c[0].result, -EPIPE);
    assert_int_equal(c[1].result, 0); /* what was dropped counts as dealt with */
    assert_int_equal(c[2].result, -EPIPE);
    assert_int_equal(dropped, 1);
    assert_int_equal(cel_shared_queue_get(full, &item), -EPIPE);
    assert_int_equal(cel_shared_queue_try_put(full, "z"), -EPIPE);
    cel_shared_queue_shutdown(full, true);
    cel_shared_queue_free(full);
    cel_shared_queue_free(empty);
    cel_shared_queue_free(NULL);
}

static int make_and_fill(void *arg)
{
    struct cel_shared_queue *q;
    int r = cel_shared_queue_new(&q, NULL);

    if (r < 0)
        return r;
    for (intptr_t i = 0; i < 40 && r == 0; i++)
        r = cel_shared_queue_try_put(q, (void *)i);
    cel_shared_queue_free(q);
    return r;
}

static void shared_queue_survives_failed_allocations(void **state)
{
    assert_true(fault_every_alloc(make_and_fill, NULL) >= 3);
}

/* ---- misuse ---- */

static void *release_foreign(void *arg)
{
    static struct cel_shared_lock lock;

    cel_shared_lock_release(&lock);
    return arg;
}

static void *die_holding(void *arg)
{
    static struct cel_shared_lock lock;

    return cel_shared_lock_try(&lock) ? arg : NULL;
}

static void *take_twice(void *arg)
{
    static struct cel_shared_lock lock;

    (void)!cel_shared_lock_acquire(&lock);
    (void)!cel_shared_lock_acquire(&lock);
    return arg;
}

static void *count_too_far(void *arg)
{
    static struct cel_shared_countdown countdown;

    cel_shared_countdown_done(&countdown);
    return arg;
}

static void shared_misuse_aborts(void **state)
{
    expect_abort(release_foreign, NULL);
    expect_abort(die_holding, NULL);
    expect_abort(take_twice, NULL);
    expect_abort(count_too_far, NULL);
}

/* ---- threads alone ---- */

struct duel {
    struct cel_shared_sem turn[2];
    int count; /* by the turn */
};

static void play(struct duel *duel, int me)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (cel_shared_sem_acquire(&duel->turn[me]) < 0)
            abort();
        duel->count++;
        cel_shared_sem_release(&duel->turn[1 - me]);
    }
}

static void *play_first(void *duel)
{
    play(duel, 0);
    return NULL;
}

static void shared_sem_serves_threads_without_any_loop(void **state)
{
    struct duel duel = {.turn = {CEL_SHARED_SEM_INIT(1), CEL_SHARED_SEM_INIT(0)}};
    pthread_t other;

    assert_int_equal(pthread_create(&other, NULL, play_first, &duel), 0);
    play(&duel, 1);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_int_equal(duel.count, 2 * ROUNDS);
}

static struct cel_shared_sem none_left;

static void wait_in_callback(void *arg)
{
    (void)!cel_shared_sem_acquire(&none_left);
}

static void *wait_on_the_loop(void *arg)
{
    if (cel_loop_call(cel_loop_current(), wait_in_callback, NULL) == 0)
        cel_sleep(CEL_SECOND);
    return arg;
}

static void shared_wait_in_a_callback_aborts(void **state)
{
    expect_abort(wait_on_the_loop, NULL);
}

/* ---- several loops ---- */

static const struct cel_workers_options loops = {.count = LOOPS};

static cel_task_fn *crowd_fn;
static struct cel_shared_countdown crowd_left; /* tasks of all loops that are not through */

static void *crowd_one(void *arg)
{
    void *value = crowd_fn(arg);

    cel_shared_countdown_done(&crowd_left);
    return value;
}

static void *crowd_main(void *arg)
{
    CEL_SCOPE (all, .is_group = true)
        for (int i = 0; i < TASKS; i++)
            if (cel_go(crowd_one, arg) < 0)
                return cel_fail(-ENOMEM, "crowding");
    return cel_shared_countdown_wait(&crowd_left) < 0 ? cel_fail(-EINVAL, "waiting") : arg;
}

/* They are no part of a simulated machine. */
static void need_threads(void)
{
    if (is_simulated())
        skip();
}

/* fn(arg) in TASKS tasks on each of LOOPS loops; all have returned when it does. */
static void crowd(cel_task_fn *fn, void *arg)
{
    crowd_fn = fn;
    cel_shared_countdown_add(&crowd_left, LOOPS * TASKS);
    assert_int_equal(cel_run_workers(&loops, crowd_main, arg), 0);
}

/* Anything from nothing to some tens of microseconds, different for each caller. */
static int64_t whim(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return 1 + (int64_t)(*seed >> 16) % 60 * CEL_MICROSECOND; /* 0 would be no limit */
}

struct counted {
    struct cel_shared_lock lock;
    struct cel_shared_sem sem;
    int inside;                  /* by the lock */
    int64_t total, granted;      /* by the lock */
    int inside_now, most, taken; /* atomic */
};

static void *count_up(void *arg)
{
    struct counted *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        int r = cel_shared_lock_acquire(&c->lock);

        if (r < 0)
            return cel_fail(r, "locking");
        if (c->inside++ != 0)
            return cel_fail(-EINVAL, "two inside");
        c->total++;
        if (i % 3 == 0)
            (void)cel_yield(); /* the lock is held across a switch, not by the thread */
        c->inside--;
        cel_shared_lock_release(&c->lock);
    }
    return NULL;
}

static void shared_lock_excludes_the_tasks_of_all_loops(void **state)
{
    struct counted c = {.lock = CEL_SHARED_LOCK_INIT};

    need_threads();
    crowd(count_up, &c);
    assert_int_equal(c.total, LOOPS * TASKS * ROUNDS);
    assert_null(c.lock.owner_);
}

static void *count_impatiently(void *arg)
{
    struct counted *c = arg;
    unsigned seed = (unsigned)(uintptr_t)cel_task_current();

    for (int i = 0; i < ROUNDS; i++) {
        int r = 0;

        CEL_SCOPE (patience, .timeout = whim(&seed)) {
            r = cel_shared_lock_acquire(&c->lock);
            if (r == 0) {
                if (c->inside++ != 0)
                    return cel_fail(-EINVAL, "two inside");
                c->granted++;
                (void)cel_yield();
                c->inside--;
                cel_shared_lock_release(&c->lock);
            }
        }
        if (r != 0 && r != -ETIMEDOUT)
            return cel_fail(r, "locking");
        __atomic_fetch_add(&c->taken, r == 0, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* A grant from another loop and a deadline here, again and again at the same moment. */
static void shared_lock_is_not_lost_between_a_grant_and_a_deadline(void **state)
{
    struct counted c = {.lock = CEL_SHARED_LOCK_INIT};

    need_threads();
    crowd(count_impatiently, &c);
    assert_int_equal(c.taken, c.granted);
    assert_true(c.taken > 0);
    assert_null(c.lock.owner_);
    assert_null(c.lock.line_.first_);
}

static void *permit_impatiently(void *arg)
{
    struct counted *c = arg;
    unsigned seed = (unsigned)(uintptr_t)cel_task_current();

    for (int i = 0; i < ROUNDS; i++) {
        int r = 0;

        CEL_SCOPE (patience, .timeout = whim(&seed))
            r = cel_shared_sem_acquire(&c->sem);
        if (r == -ETIMEDOUT)
            continue;
        if (r < 0)
            return cel_fail(r, "permitting");
        if (__atomic_add_fetch(&c->inside_now, 1, __ATOMIC_SEQ_CST) > 2)
            return cel_fail(-EINVAL, "three at once");
        (void)cel_yield();
        __atomic_fetch_sub(&c->inside_now, 1, __ATOMIC_SEQ_CST);
        cel_shared_sem_release(&c->sem);
    }
    return NULL;
}

static void shared_sem_keeps_its_permits(void **state)
{
    struct counted c = {.sem = CEL_SHARED_SEM_INIT(2)};

    need_threads();
    crowd(permit_impatiently, &c);
    assert_int_equal(c.sem.count_, 2);
    assert_null(c.sem.line_.first_);
}

struct box {
    struct gate gate;
    intptr_t item;            /* by the lock; 0: empty */
    int64_t put_sum, got_sum; /* by the lock */
    int numbers;              /* atomic */
};

/* Half of the tasks put, half take; the box holds one. */
static void *use_box(void *arg)
{
    struct box *box = arg;
    bool puts = __atomic_fetch_add(&box->numbers, 1, __ATOMIC_RELAXED) % 2 == 0;

    for (intptr_t i = 1; i <= ROUNDS; i++) {
        int r = cel_shared_lock_acquire(&box->gate.lock);

        if (r < 0)
            return cel_fail(r, "locking");
        while (r == 0 && (box->item == 0) != puts)
            r = cel_shared_cond_wait(&box->gate.cond, &box->gate.lock);
        if (puts)
            box->put_sum += box->item = i;
        else
            box->got_sum += box->item;
        if (!puts)
            box->item = 0;
        (void)cel_shared_cond_notify(&box->gate.cond, SIZE_MAX);
        cel_shared_lock_release(&box->gate.lock);
        if (r < 0)
            return cel_fail(r, "waiting");
    }
    return NULL;
}

static void shared_cond_misses_no_word(void **state)
{
    struct box box = {.gate = {CEL_SHARED_LOCK_INIT, CEL_SHARED_COND_INIT}};

    need_threads();
    crowd(use_box, &box);
    assert_int_equal(box.put_sum, LOOPS * TASKS / 2 * ROUNDS * (ROUNDS + 1) / 2);
    assert_int_equal(box.got_sum, box.put_sum);
}

struct trade {
    struct cel_shared_queue *queue;
    int numbers, putters_left;       /* atomic */
    int64_t put, got, refused, late; /* atomic */
};

static void trade_put(struct trade *t, unsigned *seed)
{
    for (intptr_t i = 1; i <= ROUNDS; i++) {
        int r = 0;

        CEL_SCOPE (patience, .timeout = whim(seed))
            r = cel_shared_queue_put(t->queue, (void *)i);
        if (r == 0)
            __atomic_fetch_add(&t->put, i, __ATOMIC_RELAXED);
        else
            __atomic_fetch_add(&t->refused, i, __ATOMIC_RELAXED);
    }
    if (__atomic_sub_fetch(&t->putters_left, 1, __ATOMIC_ACQ_REL) == 0)
        cel_shared_queue_shutdown(t->queue, false);
}

static void trade_get(struct trade *t, unsigned *seed)
{
    int r = 0;

    while (r != -EPIPE) {
        void *item = NULL;

        CEL_SCOPE (patience, .timeout = whim(seed))
            r = cel_shared_queue_get(t->queue, &item);
        __atomic_fetch_add(&t->got, (intptr_t)item, __ATOMIC_RELAXED);
        if (r == 0)
            cel_shared_queue_task_done(t->queue);
    }
}

static void *trade(void *arg)
{
    struct trade *t = arg;
    unsigned seed = (unsigned)(uintptr_t)cel_task_current();

    if (__atomic_fetch_add(&t->numbers, 1, __ATOMIC_RELAXED) % 2 == 0)
        trade_put(t, &seed);
    else
        trade_get(t, &seed);
    return NULL;
}

static void shared_queue_loses_nothing_and_gives_nothing_twice(void **state)
{
    struct trade t = {.putters_left = LOOPS * TASKS / 2};
    struct cel_queue_options options = {.max = 2};

    need_threads();
    assert_int_equal(cel_shared_queue_new(&t.queue, &options), 0);
    crowd(trade, &t);
    assert_int_equal(t.got, t.put);
    assert_int_equal(t.put + t.refused, LOOPS * TASKS / 2 * ROUNDS * (ROUNDS + 1) / 2);
    assert_int_equal(cel_shared_queue_count(t.queue), 0);
    cel_shared_queue_free(t.queue);
}

struct bell {
    struct cel_shared_event event;
    struct cel_shared_countdown ready, heard;
    struct cel_shared_queue *queue, *answers;
    pthread_t ringer;
    int64_t sum; /* the ringer's */
};

static void *listen_to(void *arg)
{
    struct bell *bell = arg;
    void *item = NULL;
    int r;

    cel_shared_countdown_done(&bell->ready);
    r = cel_shared_event_wait(&bell->event);
    if (r == 0)
        r = cel_shared_queue_get(bell->queue, &item);
    if (r == 0)
        r = cel_shared_queue_put(bell->answers, item);
    if (r == 0)
        cel_shared_queue_task_done(bell->queue);
    cel_shared_countdown_done(&bell->heard);
    return r < 0 || item == NULL ? cel_fail(-EINVAL, "listening") : NULL;
}

/* A thread without a loop, which sleeps where a task would park. */
static void *ring(void *arg)
{
    struct bell *bell = arg;
    int r = cel_shared_countdown_wait(&bell->ready);
    void *item;

    if (r == 0)
        cel_shared_event_set(&bell->event);
    for (intptr_t i = 1; i <= LOOPS * TASKS && r == 0; i++)
        r = cel_shared_queue_put(bell->queue, (void *)i); /* has room for one */
    if (r == 0)
        r = cel_shared_queue_join(bell->queue);
    for (intptr_t i = 1; i <= LOOPS * TASKS && r == 0; i++) {
        r = cel_shared_queue_get(bell->answers, &item);
        bell->sum += r == 0 ? (intptr_t)item : 0;
    }
    if (r == 0)
        r = cel_shared_countdown_wait(&bell->heard);
    if (r == 0)
        r = cel_shared_event_wait(&bell->event);
    cel_shared_queue_shutdown(bell->answers, false);
    return r == 0 && cel_shared_queue_get(bell->answers, &item) == -EPIPE ? NULL : "failed";
}

static void shared_event_and_queue_serve_threads_without_a_loop(void **state)
{
    struct bell bell = {.event = CEL_SHARED_EVENT_INIT,
                        .ready = CEL_SHARED_COUNTDOWN_INIT(LOOPS * TASKS),
                        .heard = CEL_SHARED_COUNTDOWN_INIT(LOOPS * TASKS)};
    struct cel_queue_options one = {.max = 1};
    void *result = "not joined";

    need_threads();
    assert_int_equal(cel_shared_queue_new(&bell.queue, &one), 0);
    assert_int_equal(cel_shared_queue_new(&bell.answers, NULL), 0);
    assert_int_equal(pthread_create(&bell.ringer, NULL, ring, &bell), 0);
    crowd(listen_to, &bell);
    assert_int_equal(pthread_join(bell.ringer, &result), 0);
    assert_null(result);
    assert_int_equal(bell.sum, LOOPS * TASKS * (LOOPS * TASKS + 1) / 2);
    assert_true(cel_shared_event_is_set(&bell.event));
    cel_shared_queue_free(bell.queue);
    cel_shared_queue_free(bell.answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_lock_is_given_in_the_order_of_asking),
        cmocka_unit_test(shared_waits_are_checkpoints),
        cmocka_unit_test(shared_sem_permit_granted_to_a_cancelled_task_is_kept),
        cmocka_unit_test(shared_cond_notify_is_not_lost_to_a_cancelled_task),
        cmocka_unit_test(shared_event_and_countdown_wake_all_who_wait),
        cmocka_unit_test(shared_queue_gives_in_its_order),
        cmocka_unit_test(shared_queue_item_is_not_lost_to_a_cancelled_task),
        cmocka_unit_test(shared_queue_shut_down_ends_all_who_wait),
        cmocka_unit_test(shared_queue_survives_failed_allocations),
        cmocka_unit_test(shared_misuse_aborts),
        cmocka_unit_test(shared_sem_serves_threads_without_any_loop),
        cmocka_unit_test(shared_wait_in_a_callback_aborts),
        cmocka_unit_test(shared_lock_excludes_the_tasks_of_all_loops),
        cmocka_unit_test(shared_lock_is_not_lost_between_a_grant_and_a_deadline),
        cmocka_unit_test(shared_sem_keeps_its_permits),
        cmocka_unit_test(shared_cond_misses_no_word),
        cmocka_unit_test(shared_queue_loses_nothing_and_gives_nothing_twice),
        cmocka_unit_test(shared_event_and_queue_serve_threads_without_a_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
