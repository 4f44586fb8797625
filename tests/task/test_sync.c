/* SPDX-License-Identifier: MIT */
/* Locks and their kin: who is next, what a cancel takes and what it leaves. */
#include <errno.h>
#include <string.h>

#include <celadon/sync.h>
#include "support/abort.h"
#include "support/check.h"
#include "support/intask.h"
#include "support/notes.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Children in the order of their names; each notes its name when its wait is over well. */
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

/* ---- lock ---- */

static void *lock_note_release(void *arg)
{
    struct child *c = arg;

    c->result = cel_lock_acquire(c->on);
    if (c->result == 0) {
        note(c->name);
        cel_yield();
        cel_lock_release(c->on);
    }
    return NULL;
}

IN_TASK(lock_is_given_in_the_order_of_asking)
{
    struct cel_lock lock = CEL_LOCK_INIT;
    struct child c[4];

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_lock_acquire(&lock), 0);
        assert_false(cel_lock_try(&lock));
        for (int i = 0; i < 4; i++)
            (void)start(lock_note_release, &c[i], (char)('a' + i), &lock);
        settle();
        assert_string_equal(noted, "");
        cel_lock_release(&lock);
        assert_true(cel_lock_is_held(&lock)); /* by the first in line, which has not run yet */
        assert_false(cel_lock_try(&lock));
    }
    assert_string_equal(noted, "abcd");
    assert_false(cel_lock_is_held(&lock));
    assert_true(cel_lock_try(&lock));
    cel_lock_release(&lock);
}

IN_TASK(lock_functions_are_the_same_as_their_inline_forms)
{
    struct cel_lock lock = CEL_LOCK_INIT;

    assert_int_equal((cel_lock_acquire)(&lock), 0);
    assert_true(cel_lock_is_held(&lock));
    (cel_lock_release)(&lock);
    assert_false(cel_lock_is_held(&lock));
}

IN_TASK(lock_waiter_cancelled_leaves_the_line)
{
    struct cel_lock lock = CEL_LOCK_INIT;
    struct cel_task *t[3];
    struct child c[3];

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_lock_acquire(&lock), 0);
        for (int i = 0; i < 3; i++)
            t[i] = start(lock_note_release, &c[i], (char)('a' + i), &lock);
        settle();
        cel_task_cancel(t[1]);
        settle();
        assert_int_equal(c[1].result, -ECANCELED);
        cel_lock_release(&lock);
    }
    assert_string_equal(noted, "ac");
}

IN_TASK(lock_granted_and_cancelled_at_once_is_kept)
{
    struct cel_lock lock = CEL_LOCK_INIT;
    struct child c;
    struct cel_task *t;

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_lock_acquire(&lock), 0);
        t = start(lock_note_release, &c, 'a', &lock);
        settle();
        cel_lock_release(&lock);
        cel_task_cancel(t);
    }
    assert_int_equal(c.result, 0);
    assert_string_equal(noted, "a");
    assert_false(cel_lock_is_held(&lock));
}

IN_TASK(lock_is_a_checkpoint_although_free)
{
    struct cel_lock lock = CEL_LOCK_INIT;

    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_lock_acquire(&lock), -ECANCELED);
        assert_false(cel_lock_is_held(&lock));
        assert_true(cel_lock_try(&lock)); /* no checkpoint */
        assert_int_equal(cel_lock_acquire(&(struct cel_lock)CEL_LOCK_INIT), -ECANCELED);
        cel_lock_release(&lock);
    }
}

IN_TASK(lock_deadline_ends_the_wait)
{
    struct cel_lock lock = CEL_LOCK_INIT;
    struct child c;

    assert_int_equal(cel_lock_acquire(&lock), 0);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        (void)start(lock_note_release, &c, 'a', &lock);
    assert_int_equal(c.result, -ECANCELED);
    cel_lock_release(&lock);
}

static void *release_foreign(void *arg)
{
    struct cel_lock lock = CEL_LOCK_INIT;
    struct child c;

    (void)start(lock_note_release, &c, 'a', &lock);
    cel_yield();
    cel_lock_release(&lock);
    return arg;
}

static void *take_twice(void *arg)
{
    struct cel_lock lock = CEL_LOCK_INIT;

    return cel_lock_acquire(&lock) + cel_lock_acquire(&lock) == 0 ? NULL : arg;
}

static void *die_holding(void *arg)
{
    static struct cel_lock lock = CEL_LOCK_INIT;

    return cel_lock_acquire(&lock) == 0 ? arg : NULL;
}

static void *release_too_often(void *arg)
{
    struct cel_sem sem = CEL_BOUNDED_SEM_INIT(1);

    cel_sem_release(&sem);
    return arg;
}

static void *count_too_far(void *arg)
{
    struct cel_countdown countdown = CEL_COUNTDOWN_INIT(0);

    cel_countdown_done(&countdown);
    return arg;
}

static void misuse_aborts(void **state)
{
    expect_abort(release_foreign, NULL);
    expect_abort(take_twice, NULL);
    expect_abort(die_holding, NULL);
    expect_abort(release_too_often, NULL);
    expect_abort(count_too_far, NULL);
}

/* A circle of locks is told as one. */
static struct cel_lock left_lock, right_lock;

static void *take_both(struct cel_lock *first, struct cel_lock *second)
{
    int r = cel_lock_acquire(first);

    if (r < 0)
        return NULL;
    cel_yield();
    r = cel_lock_acquire(second);
    if (r == 0)
        cel_lock_release(second);
    cel_lock_release(first);
    return r < 0 ? cel_fail(r, "locking") : NULL;
}

static void *take_left_first(void *arg)
{
    return take_both(&left_lock, &right_lock);
}

static void *take_right_first(void *arg)
{
    return take_both(&right_lock, &left_lock);
}

static void *embrace(void *arg)
{
    struct cel_task *t[] = {cel_spawn_with(take_left_first, NULL, .name = "lefty"),
                            cel_spawn_with(take_right_first, NULL, .name = "righty")};

    return cel_gather(t, 2, NULL) < 0 ? NULL : arg;
}

static char logged[8192];

static void keep_log(enum cel_log_level level, const char *line, void *arg)
{
    size_t len = strlen(logged);

    snprintf(logged + len, sizeof logged - len, "%s\n", line);
}

static void lock_circle_is_reported(void **state)
{
    cel_set_log(keep_log, NULL);
    assert_int_equal(cel_run(embrace, NULL, NULL), -EDEADLK);
    cel_set_log(NULL, NULL);
    assert_non_null(strstr(logged, "for a lock held by \"righty\""));
    assert_non_null(strstr(logged, "for a lock held by \"lefty\""));
    assert_non_null(strstr(logged, "these wait for each other"));
    assert_false(cel_lock_is_held(&left_lock));
}

/* ---- reentrant lock ---- */

static void *rlock_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_rlock_acquire(c->on);
    if (c->result == 0) {
        note(c->name);
        cel_rlock_release(c->on);
    }
    return NULL;
}

IN_TASK(rlock_is_free_after_as_many_releases)
{
    struct cel_rlock lock = CEL_RLOCK_INIT;
    struct child c;

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(cel_rlock_acquire(&lock), 0);
        assert_true(cel_rlock_try(&lock));
        (void)start(rlock_note, &c, 'a', &lock);
        for (int i = 0; i < 3; i++)
            cel_rlock_release(&lock);
        settle();
        assert_string_equal(noted, "");
        cel_rlock_release(&lock);
    }
    assert_string_equal(noted, "a");
    CEL_SCOPE (cancelled) {
        assert_int_equal(cel_rlock_acquire(&lock), 0);
        cel_scope_cancel(&cancelled);
        assert_int_equal(cel_rlock_acquire(&lock), -ECANCELED);
        cel_rlock_release(&lock);
    }
    assert_true(cel_rlock_try(&lock));
    cel_rlock_release(&lock);
}

/* ---- condition ---- */

struct meeting {
    struct cel_lock lock;
    struct cel_cond cond;
    int ready;
};

static void *cond_wait(void *arg)
{
    struct child *c = arg;
    struct meeting *m = c->on;

    assert_int_equal(cel_lock_acquire(&m->lock), 0);
    c->result = cel_cond_wait(&m->cond, &m->lock);
    assert_true(cel_lock_is_held(&m->lock));
    note(c->result == 0 ? c->name : 'x');
    cel_lock_release(&m->lock);
    return NULL;
}

IN_TASK(cond_notify_wakes_in_order)
{
    struct meeting m = {.cond = CEL_COND_INIT};
    struct child c[4];

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 4; i++)
            (void)start(cond_wait, &c[i], (char)('a' + i), &m);
        settle();
        assert_int_equal(cel_cond_notify(&m.cond, 1), 1);
        settle();
        assert_string_equal(noted, "a");
        assert_int_equal(cel_cond_notify(&m.cond, 2), 2);
        settle();
        assert_string_equal(noted, "abc");
        assert_int_equal(cel_cond_notify_all(&m.cond), 1);
        assert_int_equal(cel_cond_notify_all(&m.cond), 0);
    }
    assert_string_equal(noted, "abcd");
}

IN_TASK(cond_cancelled_takes_the_lock_again_first)
{
    struct meeting m = {.ready = 0};
    struct child c;
    struct cel_task *t = start(cond_wait, &c, 'a', &m);

    note_nothing();
    settle();
    assert_int_equal(cel_lock_acquire(&m.lock), 0);
    cel_task_cancel(t);
    settle();
    assert_false(cel_is_done(t)); /* it waits for the lock, cancelled as it is */
    cel_lock_release(&m.lock);
    assert_int_equal(cel_join(t, NULL), 0);
    assert_int_equal(c.result, -ECANCELED);
    assert_string_equal(noted, "x");
    assert_false(cel_lock_is_held(&m.lock));
}

IN_TASK(cond_notified_and_cancelled_is_notified)
{
    struct meeting m = {.ready = 0};
    struct child c;
    struct cel_task *t = start(cond_wait, &c, 'a', &m);

    note_nothing();
    settle();
    assert_int_equal(cel_cond_notify(&m.cond, 1), 1);
    cel_task_cancel(t);
    assert_int_equal(cel_join(t, NULL), 0);
    assert_int_equal(c.result, 0);
}

static bool is_ready(void *arg)
{
    return ((struct meeting *)arg)->ready >= 3;
}

static void *wait_ready(void *arg)
{
    struct meeting *m = arg;
    int r = cel_lock_acquire(&m->lock);

    assert_int_equal(r, 0);
    r = cel_cond_wait_for(&m->cond, &m->lock, is_ready, m);
    cel_lock_release(&m->lock);
    return r == 0 ? m : NULL;
}

IN_TASK(cond_wait_for_looks_again)
{
    struct meeting m = {.ready = 0};
    struct cel_task *t = cel_spawn(wait_ready, &m);
    void *value = NULL;

    assert_non_null(t);
    for (int i = 0; i < 3; i++) {
        settle();
        assert_false(cel_is_done(t));
        m.ready++;
        assert_int_equal(cel_cond_notify_all(&m.cond), 1);
    }
    assert_int_equal(cel_join(t, &value), 0);
    assert_ptr_equal(value, &m);
}

/* ---- semaphore ---- */

static void *sem_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_sem_acquire(c->on);
    if (c->result == 0)
        note(c->name);
    return NULL;
}

IN_TASK(sem_gives_permits_in_order)
{
    struct cel_sem sem = CEL_SEM_INIT(2);
    struct child c[5];

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 5; i++)
            (void)start(sem_note, &c[i], (char)('a' + i), &sem);
        settle();
        assert_string_equal(noted, "ab");
        assert_false(cel_sem_try(&sem));
        cel_sem_release(&sem);
        assert_false(cel_sem_try(&sem)); /* it is the first in line's */
        settle();
        assert_string_equal(noted, "abc");
        cel_sem_release(&sem);
        cel_sem_release(&sem);
        cel_sem_release(&sem);
    }
    assert_string_equal(noted, "abcde");
    assert_int_equal(cel_sem_count(&sem), 1);
}

IN_TASK(sem_cancelled_waiter_takes_no_permit)
{
    struct cel_sem sem;
    struct cel_task *t[2];
    struct child c[2];

    cel_sem_init(&sem, 0, 0);
    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 2; i++)
            t[i] = start(sem_note, &c[i], (char)('a' + i), &sem);
        settle();
        cel_task_cancel(t[0]);
        cel_sem_release(&sem);
    }
    assert_string_equal(noted, "b");
    assert_int_equal(c[0].result, -ECANCELED);
    assert_int_equal(cel_sem_count(&sem), 0);
    CEL_SCOPE (later) {
        t[0] = start(sem_note, &c[0], 'c', &sem);
        settle();
        cel_sem_release(&sem);
        cel_task_cancel(t[0]); /* too late */
    }
    assert_int_equal(c[0].result, 0);
}

IN_TASK(sem_bounded_comes_back_to_its_bound)
{
    struct cel_sem sem = CEL_BOUNDED_SEM_INIT(2);

    assert_int_equal(cel_sem_acquire(&sem), 0);
    assert_true(cel_sem_try(&sem));
    cel_sem_release(&sem);
    cel_sem_release(&sem);
    assert_int_equal(cel_sem_count(&sem), 2);
}

/* ---- event, countdown ---- */

static void *event_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_event_wait(c->on);
    if (c->result == 0)
        note(c->name);
    return NULL;
}

IN_TASK(event_set_wakes_all_who_wait)
{
    struct cel_event event = CEL_EVENT_INIT;
    struct cel_task *t[3];
    struct child c[4];

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 3; i++)
            t[i] = start(event_note, &c[i], (char)('a' + i), &event);
        settle();
        cel_task_cancel(t[1]);
        cel_event_set(&event);
        cel_event_clear(&event); /* those who waited go on all the same */
        cel_task_cancel(t[2]);   /* too late */
        settle();
        assert_string_equal(noted, "ac");
        (void)start(event_note, &c[3], 'd', &event);
        settle();
        assert_string_equal(noted, "ac");
        assert_false(cel_event_is_set(&event));
        cel_event_set(&event);
        assert_true(cel_event_is_set(&event));
        assert_int_equal(cel_event_wait(&event), 0);
    }
    assert_string_equal(noted, "acd");
    assert_int_equal(c[1].result, -ECANCELED);
}

static void set_event(void *arg)
{
    cel_event_set(arg);
}

IN_TASK(event_is_set_by_a_callback)
{
    struct cel_event event = CEL_EVENT_INIT;

    assert_int_equal(cel_loop_call(cel_loop_current(), set_event, &event), 0);
    assert_int_equal(cel_event_wait(&event), 0);
}

static void *countdown_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_countdown_wait(c->on);
    if (c->result == 0)
        note(c->name);
    return NULL;
}

IN_TASK(countdown_opens_at_zero)
{
    struct cel_countdown countdown = CEL_COUNTDOWN_INIT(1);
    struct cel_task *t[2];
    struct child c[2];

    note_nothing();
    CEL_SCOPE (s) {
        cel_countdown_add(&countdown, 2);
        for (int i = 0; i < 2; i++)
            t[i] = start(countdown_note, &c[i], (char)('a' + i), &countdown);
        settle();
        cel_task_cancel(t[0]);
        cel_countdown_done(&countdown);
        cel_countdown_done(&countdown);
        settle();
        assert_string_equal(noted, "");
        assert_int_equal(cel_countdown_count(&countdown), 1);
        cel_countdown_done(&countdown);
        assert_int_equal(cel_countdown_wait(&countdown), 0);
    }
    assert_string_equal(noted, "b");
    assert_int_equal(c[0].result, -ECANCELED);
}

/* ---- barrier ---- */

static void *barrier_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_barrier_wait(c->on);
    if (c->result >= 0)
        note(c->name);
    return NULL;
}

IN_TASK(barrier_numbers_its_parties)
{
    struct cel_barrier barrier = CEL_BARRIER_INIT(3);
    struct child c[6];

    for (int round = 0; round < 2; round++) { /* it can be used again */
        CEL_SCOPE (s)
            for (int i = 0; i < 3; i++)
                (void)start(barrier_note, &c[i], 'a', &barrier);
        assert_int_equal(c[2].result, 0); /* it completed the group */
        assert_int_equal(c[0].result, 1);
        assert_int_equal(c[1].result, 2);
    }
    assert_int_equal(cel_barrier_waiting(&barrier), 0);
}

IN_TASK(barrier_does_not_count_who_was_cancelled)
{
    struct cel_barrier barrier;
    struct cel_task *t[3];
    struct child c[3];

    cel_barrier_init(&barrier, 2);
    CEL_SCOPE (s) {
        t[0] = start(barrier_note, &c[0], 'a', &barrier);
        t[1] = start(barrier_note, &c[1], 'b', &barrier);
        cel_task_cancel(t[1]); /* before it came */
        cel_yield();
        cel_task_cancel(t[0]); /* while it waits; it has not run yet when the third comes */
        t[2] = start(barrier_note, &c[2], 'c', &barrier);
        settle();
        assert_int_equal(cel_barrier_waiting(&barrier), 1);
        assert_int_equal(cel_barrier_wait(&barrier), 0);
    }
    assert_int_equal(c[0].result, -ECANCELED);
    assert_int_equal(c[1].result, -ECANCELED);
    assert_int_equal(c[2].result, 1);
}

IN_TASK(barrier_broken_until_reset)
{
    struct cel_barrier barrier = CEL_BARRIER_INIT(2);
    struct child c;

    CEL_SCOPE (s) {
        (void)start(barrier_note, &c, 'a', &barrier);
        settle();
        cel_barrier_abort(&barrier);
    }
    assert_int_equal(c.result, -EPIPE);
    assert_true(cel_barrier_is_broken(&barrier));
    assert_int_equal(cel_barrier_wait(&barrier), -EPIPE);
    cel_barrier_reset(&barrier);
    CEL_SCOPE (again) {
        (void)start(barrier_note, &c, 'a', &barrier);
        settle();
        cel_barrier_reset(&barrier);
    }
    assert_int_equal(c.result, -EPIPE);
    CEL_SCOPE (whole) {
        (void)start(barrier_note, &c, 'a', &barrier);
        assert_int_equal(cel_barrier_wait(&barrier), 1);
    }
    assert_int_equal(c.result, 0);
}

/* ---- once ---- */

struct attempts {
    struct cel_once once;
    int left; /* failures */
    int made;
};

static int try_it(void *arg)
{
    struct attempts *a = arg;
    int r = cel_sleep(CEL_MICROSECOND);

    a->made++;
    return r < 0 ? r : a->left-- > 0 ? -EIO : 0;
}

static void *once_note(void *arg)
{
    struct child *c = arg;
    struct attempts *a = c->on;

    c->result = cel_once_run(&a->once, try_it, a);
    note(c->name);
    return NULL;
}

IN_TASK(once_failure_gives_the_turn_to_the_next)
{
    struct attempts a = {.left = 2};
    struct child c[5];

    note_nothing();
    CEL_SCOPE (s)
        for (int i = 0; i < 5; i++)
            (void)start(once_note, &c[i], (char)('a' + i), &a);
    assert_int_equal(a.made, 3);
    assert_int_equal(c[0].result, -EIO);
    assert_int_equal(c[1].result, -EIO);
    for (int i = 2; i < 5; i++)
        assert_int_equal(c[i].result, 0);
    assert_string_equal(noted, "abcde");
    assert_true(cel_once_is_done(&a.once));
    assert_int_equal(cel_once_run(&a.once, try_it, &a), 0);
    assert_int_equal(a.made, 3);
}

IN_TASK(once_cancelled_runner_and_waiter_leave_it_to_others)
{
    struct attempts a = {.left = 0};
    struct cel_task *t[4];
    struct child c[4];

    CEL_SCOPE (s) {
        for (int i = 0; i < 4; i++)
            t[i] = start(once_note, &c[i], (char)('a' + i), &a);
        cel_yield();
        cel_task_cancel(t[0]); /* it runs */
        cel_task_cancel(t[1]); /* it waits */
    }
    assert_int_equal(c[0].result, -ECANCELED);
    assert_int_equal(c[1].result, -ECANCELED);
    assert_int_equal(c[2].result, 0);
    assert_int_equal(c[3].result, 0);
    assert_int_equal(a.made, 2);
}

IN_TASK(once_failed_alone_can_be_tried_again)
{
    struct attempts a = {.left = 1};

    assert_int_equal(cel_once_run(&a.once, try_it, &a), -EIO);
    assert_int_equal(cel_once_run(&a.once, try_it, &a), 0);
}

/* ---- read-write lock ---- */

static void *read_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_rwlock_read(c->on);
    if (c->result == 0) {
        note(c->name);
        settle();
        note(c->name);
        cel_rwlock_read_release(c->on);
    }
    return NULL;
}

static void *write_note(void *arg)
{
    struct child *c = arg;

    c->result = cel_rwlock_write(c->on);
    if (c->result == 0) {
        note(c->name);
        settle();
        note(c->name);
        cel_rwlock_write_release(c->on);
    }
    return NULL;
}

IN_TASK(rwlock_readers_share_and_writers_do_not)
{
    struct cel_rwlock lock = CEL_RWLOCK_INIT;
    struct child c[6];
    static const char kinds[] = "rrwrrw";

    note_nothing();
    CEL_SCOPE (s)
        for (size_t i = 0; i < COUNT(c); i++)
            (void)start(kinds[i] == 'r' ? read_note : write_note, &c[i], (char)('a' + i), &lock);
    assert_string_equal(noted, "ababccdedeff");
}

IN_TASK(rwlock_writer_cancelled_lets_the_readers_behind_it_in)
{
    struct cel_rwlock lock = CEL_RWLOCK_INIT;
    struct child writer, reader;
    struct cel_task *t;

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_rwlock_read(&lock), 0);
        t = start(write_note, &writer, 'w', &lock);
        (void)start(read_note, &reader, 'r', &lock);
        settle();
        assert_false(cel_rwlock_try_read(&lock)); /* nobody overtakes the writer */
        assert_string_equal(noted, "");
        cel_task_cancel(t);
        settle();
        assert_string_equal(noted, "r");
        assert_true(cel_rwlock_try_read(&lock));
        assert_false(cel_rwlock_try_write(&lock));
        cel_rwlock_read_release(&lock);
        cel_rwlock_read_release(&lock);
    }
    assert_int_equal(writer.result, -ECANCELED);
    assert_string_equal(noted, "rr");
    assert_true(cel_rwlock_try_write(&lock));
    cel_rwlock_write_release(&lock);
}

/* In the instant in which the barrier is complete, and the lock is granted, their waits are over: a
 * cancel that comes then finds it so, and nothing stays behind with who was cancelled. */
IN_TASK(barrier_completed_and_cancelled_is_completed)
{
    struct cel_barrier barrier = CEL_BARRIER_INIT(2);
    struct cel_task *t;
    struct child c;

    note_nothing();
    CEL_SCOPE (s) {
        t = start(barrier_note, &c, 'a', &barrier);
        settle();
        assert_int_equal(cel_barrier_wait(&barrier), 0);
        cel_task_cancel(t);
    }
    assert_int_equal(c.result, 1);
    assert_int_equal(cel_barrier_waiting(&barrier), 0);
    assert_false(cel_barrier_is_broken(&barrier));
}

IN_TASK(barrier_aborted_and_cancelled_is_broken_once)
{
    struct cel_barrier barrier = CEL_BARRIER_INIT(3);
    struct cel_task *t[2];
    struct child c[2];

    note_nothing();
    CEL_SCOPE (s) {
        for (int i = 0; i < 2; i++)
            t[i] = start(barrier_note, &c[i], (char)('a' + i), &barrier);
        settle();
        cel_task_cancel(t[0]);
        cel_barrier_abort(&barrier);
        cel_task_cancel(t[1]);
    }
    assert_int_equal(c[0].result, -ECANCELED); /* it was out before */
    assert_int_equal(c[1].result, -EPIPE);
    cel_barrier_reset(&barrier);
    assert_int_equal(cel_barrier_waiting(&barrier), 0);
}

static void *read_once(void *arg)
{
    struct child *c = arg;

    c->result = cel_rwlock_read(c->on);
    if (c->result == 0)
        cel_rwlock_read_release(c->on);
    return NULL;
}

static void *write_once(void *arg)
{
    struct child *c = arg;

    c->result = cel_rwlock_write(c->on);
    if (c->result == 0)
        cel_rwlock_write_release(c->on);
    return NULL;
}

IN_TASK(rwlock_granted_and_cancelled_at_once_is_kept)
{
    struct cel_rwlock lock = CEL_RWLOCK_INIT;
    struct cel_task *writer, *reader;
    struct child c[2];

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_rwlock_read(&lock), 0);
        writer = start(write_once, &c[0], 'w', &lock);
        reader = start(read_once, &c[1], 'r', &lock);
        settle();
        cel_rwlock_read_release(&lock); /* the writer's now */
        cel_task_cancel(writer);
        cel_task_cancel(reader); /* still in line */
        assert_false(cel_rwlock_try_read(&lock));
    }
    assert_int_equal(c[0].result, 0);
    assert_int_equal(c[1].result, -ECANCELED);
    assert_true(cel_rwlock_try_write(&lock)); /* nobody kept it */
    cel_rwlock_write_release(&lock);
}

IN_TASK(rwlock_downgrade_lets_readers_in_and_no_writer)
{
    struct cel_rwlock lock = CEL_RWLOCK_INIT;
    struct child reader, writer;

    note_nothing();
    CEL_SCOPE (s) {
        assert_int_equal(cel_rwlock_write(&lock), 0);
        (void)start(read_note, &reader, 'r', &lock);
        (void)start(write_note, &writer, 'w', &lock);
        settle();
        assert_string_equal(noted, "");
        cel_rwlock_downgrade(&lock);
        for (int i = 0; i < 3; i++)
            settle();
        assert_string_equal(noted, "rr");
        cel_rwlock_read_release(&lock);
    }
    assert_string_equal(noted, "rrww");
}

IN_TASK(every_wait_is_a_checkpoint)
{
    struct cel_rlock rlock = CEL_RLOCK_INIT;
    struct cel_sem sem = CEL_SEM_INIT(1);
    struct cel_event event = {.is_set_ = true};
    struct cel_countdown countdown = CEL_COUNTDOWN_INIT(0);
    struct cel_barrier barrier = CEL_BARRIER_INIT(1);
    struct cel_rwlock rw = CEL_RWLOCK_INIT;
    struct attempts a = {.left = 0};

    CEL_SCOPE (s) {
        cel_scope_cancel(&s);
        assert_int_equal(cel_rlock_acquire(&rlock), -ECANCELED);
        assert_int_equal(cel_sem_acquire(&sem), -ECANCELED);
        assert_int_equal(cel_event_wait(&event), -ECANCELED);
        assert_int_equal(cel_countdown_wait(&countdown), -ECANCELED);
        assert_int_equal(cel_barrier_wait(&barrier), -ECANCELED);
        assert_int_equal(cel_rwlock_read(&rw), -ECANCELED);
        assert_int_equal(cel_rwlock_write(&rw), -ECANCELED);
        assert_int_equal(cel_once_run(&a.once, try_it, &a), -ECANCELED);
        assert_int_equal(cel_sem_count(&sem), 1);
        assert_int_equal(a.made, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_is_given_in_the_order_of_asking),
        cmocka_unit_test(lock_functions_are_the_same_as_their_inline_forms),
        cmocka_unit_test(lock_waiter_cancelled_leaves_the_line),
        cmocka_unit_test(lock_granted_and_cancelled_at_once_is_kept),
        cmocka_unit_test(lock_is_a_checkpoint_although_free),
        cmocka_unit_test(lock_deadline_ends_the_wait),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(lock_circle_is_reported),
        cmocka_unit_test(rlock_is_free_after_as_many_releases),
        cmocka_unit_test(cond_notify_wakes_in_order),
        cmocka_unit_test(cond_cancelled_takes_the_lock_again_first),
        cmocka_unit_test(cond_notified_and_cancelled_is_notified),
        cmocka_unit_test(cond_wait_for_looks_again),
        cmocka_unit_test(sem_gives_permits_in_order),
        cmocka_unit_test(sem_cancelled_waiter_takes_no_permit),
        cmocka_unit_test(sem_bounded_comes_back_to_its_bound),
        cmocka_unit_test(event_set_wakes_all_who_wait),
        cmocka_unit_test(event_is_set_by_a_callback),
        cmocka_unit_test(countdown_opens_at_zero),
        cmocka_unit_test(barrier_numbers_its_parties),
        cmocka_unit_test(barrier_completed_and_cancelled_is_completed),
        cmocka_unit_test(barrier_aborted_and_cancelled_is_broken_once),
        cmocka_unit_test(rwlock_granted_and_cancelled_at_once_is_kept),
        cmocka_unit_test(barrier_does_not_count_who_was_cancelled),
        cmocka_unit_test(barrier_broken_until_reset),
        cmocka_unit_test(once_failure_gives_the_turn_to_the_next),
        cmocka_unit_test(once_cancelled_runner_and_waiter_leave_it_to_others),
        cmocka_unit_test(once_failed_alone_can_be_tried_again),
        cmocka_unit_test(rwlock_readers_share_and_writers_do_not),
        cmocka_unit_test(rwlock_writer_cancelled_lets_the_readers_behind_it_in),
        cmocka_unit_test(rwlock_downgrade_lets_readers_in_and_no_writer),
        cmocka_unit_test(every_wait_is_a_checkpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
