/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SYNC_H
#define CELADON_SYNC_H

/* What tasks of one loop wait for each other with: locks, conditions, semaphores, events, barriers.
 *
 * Each is a struct of the caller's, ready when it is all zero or set to its CEL_…_INIT, and needs
 * no end; nothing here allocates, so no call fails for want of memory. The memory may go when
 * nobody is parked in it. Who waits is served first come, first served; nobody overtakes: what is
 * given back while somebody waits goes to the first in line, at once. Calls marked (parks) are
 * checkpoints: -ECANCELED or -ETIMEDOUT, and then nothing was taken. What was granted at the same
 * time as a cancel is kept: the call returns 0, and the next checkpoint tells of the cancel.
 *
 * All calls belong to the loop's thread (tasks of several loops share what is in celadon/shared.h);
 * those that do not park may be made from callbacks, where nothing else is said. Misuse is
 * asserted: releasing what one does not hold, ending a task that holds a lock, taking a lock twice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tasks in line; the fields are not the caller's. All zero: nobody. */
struct cel_line {
    void *first_, *last_;
    size_t count_;
};

#define CEL_LINE_INIT \
    {                 \
        NULL, NULL, 0 \
    }

/* ---- lock ---- */

/* Held by one task at a time, which must release it before it ends. */
struct cel_lock {
    struct cel_task *owner_;
    struct cel_line line_;
};

#define CEL_LOCK_INIT       \
    {                       \
        NULL, CEL_LINE_INIT \
    }

/* (parks) 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_lock_acquire(struct cel_lock *lock);
/* Does not park: whether the lock was free, and is the current task's now. */
CEL_PUBLIC CEL_NODISCARD bool cel_lock_try(struct cel_lock *lock);
/* By its owner. The first in line owns it from here on. */
CEL_PUBLIC void cel_lock_release(struct cel_lock *lock);
/* Whether anybody holds it. */
CEL_PUBLIC bool cel_lock_is_held(const struct cel_lock *lock);

/* ---- reentrant lock ---- */

/* A lock that its owner may take again; released as often as it was taken. */
struct cel_rlock {
    struct cel_lock lock_;
    size_t depth_;
};

#define CEL_RLOCK_INIT   \
    {                    \
        CEL_LOCK_INIT, 0 \
    }

/* (parks) 0, -ECANCELED, -ETIMEDOUT; a checkpoint for its owner too. */
CEL_PUBLIC CEL_NODISCARD int cel_rlock_acquire(struct cel_rlock *lock);
/* Does not park: whether it was free or the current task's. */
CEL_PUBLIC CEL_NODISCARD bool cel_rlock_try(struct cel_rlock *lock);
/* By its owner. */
CEL_PUBLIC void cel_rlock_release(struct cel_rlock *lock);

/* ---- condition ---- */

/* Something that may have changed while a lock was not held. */
struct cel_cond {
    struct cel_line line_;
};

#define CEL_COND_INIT \
    {                 \
        CEL_LINE_INIT \
    }

/* (parks) Releases the lock, waits to be notified, takes the lock again. The caller holds the lock
 * before and after, whatever is returned: taking it again is not cut short by cancels or deadlines.
 * 0: notified; what was waited for must be looked at again. -ECANCELED, -ETIMEDOUT: not notified.
 */
CEL_PUBLIC CEL_NODISCARD int cel_cond_wait(struct cel_cond *cond, struct cel_lock *lock);
/* (parks) Waits as often as it takes for is_true(arg), which is asked with the lock held. 0: it is
 * true. As cel_cond_wait otherwise. */
CEL_PUBLIC CEL_NODISCARD int cel_cond_wait_for(struct cel_cond *cond, struct cel_lock *lock,
                                               bool (*is_true)(void *arg), void *arg);
/* Wakes the first `n` that wait. -> how many it woke. The lock need not be held. */
CEL_PUBLIC size_t cel_cond_notify(struct cel_cond *cond, size_t n);
/* Wakes all that wait now. -> how many. */
CEL_PUBLIC size_t cel_cond_notify_all(struct cel_cond *cond);

/* ---- semaphore ---- */

/* A number of permits, which belong to nobody in particular. */
struct cel_sem {
    size_t count_;
    size_t max_; /* 0: not bounded */
    struct cel_line line_;
};

#define CEL_SEM_INIT(count)       \
    {                             \
        (count), 0, CEL_LINE_INIT \
    }
/* More permits than that are never given back: a release too many is asserted. */
#define CEL_BOUNDED_SEM_INIT(count)     \
    {                                   \
        (count), (count), CEL_LINE_INIT \
    }

/* `count` permits to begin with; `max` of them at most (0: any number). */
CEL_PUBLIC void cel_sem_init(struct cel_sem *sem, size_t count, size_t max);
/* (parks) Takes one permit. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_sem_acquire(struct cel_sem *sem);
/* Does not park: whether there was one and nobody waits for it. */
CEL_PUBLIC CEL_NODISCARD bool cel_sem_try(struct cel_sem *sem);
/* Gives one back, or one more. By any task or callback. */
CEL_PUBLIC void cel_sem_release(struct cel_sem *sem);
/* Permits that are free now. */
CEL_PUBLIC size_t cel_sem_count(const struct cel_sem *sem);

/* ---- event ---- */

/* A flag that can be waited for. */
struct cel_event {
    bool is_set_;
    struct cel_line line_;
};

#define CEL_EVENT_INIT       \
    {                        \
        false, CEL_LINE_INIT \
    }

/* (parks) Until it is set. 0, also when it was cleared again before the caller got to run;
 * -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_event_wait(struct cel_event *event);
/* Wakes all that wait; who comes later does not wait. */
CEL_PUBLIC void cel_event_set(struct cel_event *event);
/* Who comes from here on waits. */
CEL_PUBLIC void cel_event_clear(struct cel_event *event);
CEL_PUBLIC bool cel_event_is_set(const struct cel_event *event);

/* ---- barrier ---- */

/* Lets tasks go on in groups of `parties`. */
struct cel_barrier {
    size_t parties_;
    bool is_broken_;
    struct cel_line line_;
};

#define CEL_BARRIER_INIT(parties)       \
    {                                   \
        (parties), false, CEL_LINE_INIT \
    }

/* At least one party. */
CEL_PUBLIC void cel_barrier_init(struct cel_barrier *barrier, size_t parties);
/* (parks) Until the group is complete. -> 0 for the one who completed it, and 1, 2, … for the
 * others in the order in which they came: each number below `parties` once. -EPIPE: the barrier is
 * broken, or was while waiting. -ECANCELED, -ETIMEDOUT: the caller has left the group, which waits
 * for another instead. */
CEL_PUBLIC CEL_NODISCARD int cel_barrier_wait(struct cel_barrier *barrier);
/* Breaks it: who waits and who comes gets -EPIPE, until it is reset. */
CEL_PUBLIC void cel_barrier_abort(struct cel_barrier *barrier);
/* Empty and whole again; who waits gets -EPIPE. */
CEL_PUBLIC void cel_barrier_reset(struct cel_barrier *barrier);
CEL_PUBLIC bool cel_barrier_is_broken(const struct cel_barrier *barrier);
/* How many wait in it now. */
CEL_PUBLIC size_t cel_barrier_waiting(const struct cel_barrier *barrier);

/* ---- countdown ---- */

/* A number of things still to come; also known as a wait group. */
struct cel_countdown {
    size_t count_;
    struct cel_line line_;
};

#define CEL_COUNTDOWN_INIT(count) \
    {                             \
        (count), CEL_LINE_INIT    \
    }

/* `n` more are to come. */
CEL_PUBLIC void cel_countdown_add(struct cel_countdown *countdown, size_t n);
/* One has come; the last one wakes all that wait. More than were to come is asserted. */
CEL_PUBLIC void cel_countdown_done(struct cel_countdown *countdown);
/* (parks) Until none is to come. 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_countdown_wait(struct cel_countdown *countdown);
/* How many are to come. */
CEL_PUBLIC size_t cel_countdown_count(const struct cel_countdown *countdown);

/* ---- once ---- */

/* Something that is done by the first who needs it. */
struct cel_once {
    int state_;
    struct cel_task *owner_;
    struct cel_line line_;
};

#define CEL_ONCE_INIT          \
    {                          \
        0, NULL, CEL_LINE_INIT \
    }

/* (parks) Calls fn(arg) in the current task unless it has succeeded before; while it runs in
 * another task, waits. When it returns a negative code its caller gets that, and the first of
 * those who wait tries again. 0 when it has succeeded; -ECANCELED, -ETIMEDOUT. fn must not come
 * back here. */
CEL_PUBLIC CEL_NODISCARD int cel_once_run(struct cel_once *once, int (*fn)(void *arg), void *arg);
/* It has succeeded. */
CEL_PUBLIC bool cel_once_is_done(const struct cel_once *once);

/* ---- read-write lock ---- */

/* Held by one writer or by any number of readers. Fair: a reader that comes behind a waiting
 * writer waits for it, so neither kind starves; a task that reads must not ask to read again. */
struct cel_rwlock {
    struct cel_task *writer_;
    size_t readers_;
    struct cel_line line_;
};

#define CEL_RWLOCK_INIT        \
    {                          \
        NULL, 0, CEL_LINE_INIT \
    }

/* (parks) 0, -ECANCELED, -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD int cel_rwlock_read(struct cel_rwlock *lock);
/* (parks) The same, to write. */
CEL_PUBLIC CEL_NODISCARD int cel_rwlock_write(struct cel_rwlock *lock);
/* Does not park: whether it could be had at once. */
CEL_PUBLIC CEL_NODISCARD bool cel_rwlock_try_read(struct cel_rwlock *lock);
CEL_PUBLIC CEL_NODISCARD bool cel_rwlock_try_write(struct cel_rwlock *lock);
/* By who holds it to read. */
CEL_PUBLIC void cel_rwlock_read_release(struct cel_rwlock *lock);
/* By its writer. */
CEL_PUBLIC void cel_rwlock_write_release(struct cel_rwlock *lock);
/* Its writer goes on as a reader; the readers at the front of the line join it. */
CEL_PUBLIC void cel_rwlock_downgrade(struct cel_rwlock *lock);

/* ---- the frequent case, without a call ----
 *
 * What the inline functions must know of the inside; src/task/lock.c asserts that it is so. */
struct cel__loop_face {
    void *ring;
    char *running; /* the fiber inside the task; NULL outside of tasks */
};
struct cel__task_face {
    void *future[3];
    int code;
    uint8_t bits[2];
    uint16_t locks; /* that it holds */
    const struct cel__scope *scope;
};
#define CEL__FIBER_OFFSET 56

/* The thread's loop. */
extern CEL_PUBLIC
    __attribute__((tls_model("initial-exec"))) __thread struct cel_loop *cel__loop_here;
CEL_PUBLIC int cel__lock_wait(struct cel_lock *lock);
CEL_PUBLIC void cel__lock_pass_on(struct cel_lock *lock);

static inline bool cel__is_in_task(void)
{
    const struct cel__loop_face *loop = (const struct cel__loop_face *)(void *)cel__loop_here;

    return loop != NULL && loop->running != NULL;
}

/* The current task, when it is sure that there is one. */
static inline struct cel__task_face *cel__lock_self(void)
{
    const struct cel__loop_face *loop = (const struct cel__loop_face *)(void *)cel__loop_here;

    return (struct cel__task_face *)(void *)(loop->running - CEL__FIBER_OFFSET);
}

/* Counted by a branch where a sum would do: a predicted branch does not wait for the store before
 * it, and one after the other these waits are most of a free lock's cost. */
static inline void cel__lock_count(struct cel__task_face *self, uint16_t from, uint16_t to)
{
    if (__builtin_expect(self->locks == from, 1)) {
        __asm__(""); /* else the compiler sees through it */
        self->locks = to;
    } else {
        self->locks = (uint16_t)(self->locks + to - from);
    }
}

static inline int cel__lock_acquire(struct cel_lock *lock)
{
    struct cel__task_face *self;

    if (__builtin_expect(lock->owner_ != NULL || !cel__is_in_task(), 0))
        return cel__lock_wait(lock);
    self = cel__lock_self();
    if (__builtin_expect(self->scope->code != 0, 0))
        return cel__lock_wait(lock);
    lock->owner_ = (struct cel_task *)(void *)self;
    cel__lock_count(self, 0, 1);
    return 0;
}

static inline void cel__lock_release(struct cel_lock *lock)
{
    struct cel__task_face *self;

    if (__builtin_expect(lock->line_.first_ != NULL || !cel__is_in_task(), 0)) {
        cel__lock_pass_on(lock);
        return;
    }
    self = cel__lock_self();
    if (__builtin_expect((void *)lock->owner_ != (void *)self, 0)) {
        cel__lock_pass_on(lock);
        return;
    }
    lock->owner_ = NULL;
    cel__lock_count(self, 1, 0);
}

#define cel_lock_acquire(lock) cel__lock_acquire(lock)
#define cel_lock_release(lock) cel__lock_release(lock)

#ifdef __cplusplus
}
#endif

#endif
