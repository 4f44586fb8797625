/* SPDX-License-Identifier: MIT */
/* Locks and their kin across loops: what lock.c, cond.c, sem.c and event.c are on one, with a mutex
 * around a few loads and stores. A lock is never free, a permit never counted, while somebody
 * waits. */
#include "celadon/shared.h"

#include "task/crossing.h"

/* ---- lock ---- */

static const struct cel__wait locking = CEL__CROSS_FOR("waiting for a lock of several loops");
static const struct cel__wait locking_again = {
    .what = "waiting, shielded, for a lock of several loops", .tell = cel__cross_tell};

/* (parks) */
static int lock_as(struct cel_task *task, struct cel_shared_lock *lock,
                   const struct cel__wait *wait)
{
    struct cel__crossing c;
    int code = 0;

    cel__cross_lock(&lock->mutex_);
    CEL__ASSERT(lock->owner_ != task && "a lock is taken once");
    if (lock->owner_ == NULL) {
        lock->owner_ = task;
        cel__cross_unlock(&lock->mutex_);
    } else {
        code = cel__cross_park(&c, &lock->mutex_, &lock->line_, wait); /* parks */
    }
    task->future.locks += code == 0;
    return code;
}

int cel_shared_lock_acquire(struct cel_shared_lock *lock)
{
    struct cel_task *task = cel__task_parking();
    int code = cel__checkpoint(task);

    return code != 0 ? code : lock_as(task, lock, &locking); /* parks */
}

bool cel_shared_lock_try(struct cel_shared_lock *lock)
{
    struct cel_task *task = cel__task_here();
    bool is_free;

    CEL__ASSERT(task != NULL && "a lock is held by a task");
    cel__cross_lock(&lock->mutex_);
    is_free = lock->owner_ == NULL;
    if (is_free)
        lock->owner_ = task;
    cel__cross_unlock(&lock->mutex_);
    task->future.locks += is_free;
    return is_free;
}

void cel_shared_lock_release(struct cel_shared_lock *lock)
{
    struct cel_task *task = cel__task_here();
    struct cel__crossing *next;

    cel__cross_lock(&lock->mutex_);
    CEL__ASSERT(task != NULL && lock->owner_ == task && "a lock is released by its owner");
    task->future.locks--;
    next = cel__cross_first(&lock->line_);
    lock->owner_ = next != NULL ? next->place.task : NULL;
    if (next != NULL)
        cel__cross_end(next, 0);
    cel__cross_unlock(&lock->mutex_);
}

/* ---- condition ---- */

static const struct cel__wait watching = CEL__CROSS_FOR("waiting for a condition of several loops");

int cel_shared_cond_wait(struct cel_shared_cond *cond, struct cel_shared_lock *lock)
{
    struct cel_task *task = cel__task_parking();
    struct cel__crossing c;
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    cel__cross_lock(&cond->mutex_);
    cel__cross_stand(&c, &cond->mutex_, &cond->line_);
    cel__cross_unlock(&cond->mutex_);
    cel_shared_lock_release(lock);             /* in line already: a word from now on is for us */
    code = cel__cross_wait(&c, &watching);     /* parks */
    (void)lock_as(task, lock, &locking_again); /* parks */
    return code;
}

size_t cel_shared_cond_notify(struct cel_shared_cond *cond, size_t n)
{
    size_t woken;

    cel__cross_lock(&cond->mutex_);
    woken = cel__cross_wake(&cond->line_, n, 0);
    cel__cross_unlock(&cond->mutex_);
    return woken;
}

/* ---- semaphore ---- */

static const struct cel__wait permitting =
    CEL__CROSS_FOR("waiting for a semaphore of several loops");

int cel_shared_sem_acquire(struct cel_shared_sem *sem)
{
    struct cel__crossing c;
    int code = cel__cross_checkpoint();

    if (code != 0)
        return code;
    cel__cross_lock(&sem->mutex_);
    if (sem->count_ == 0)
        return cel__cross_park(&c, &sem->mutex_, &sem->line_, &permitting); /* parks */
    sem->count_--;
    cel__cross_unlock(&sem->mutex_);
    return 0;
}

bool cel_shared_sem_try(struct cel_shared_sem *sem)
{
    bool is_free;

    cel__cross_lock(&sem->mutex_);
    is_free = sem->count_ != 0;
    sem->count_ -= is_free;
    cel__cross_unlock(&sem->mutex_);
    return is_free;
}

void cel_shared_sem_release(struct cel_shared_sem *sem)
{
    cel__cross_lock(&sem->mutex_);
    if (cel__cross_wake(&sem->line_, 1, 0) == 0)
        sem->count_++;
    cel__cross_unlock(&sem->mutex_);
}

/* ---- event ---- */

static const struct cel__wait expecting = CEL__CROSS_FOR("waiting for an event of several loops");

int cel_shared_event_wait(struct cel_shared_event *event)
{
    struct cel__crossing c;
    int code = cel__cross_checkpoint();

    if (code != 0)
        return code;
    cel__cross_lock(&event->mutex_);
    if (!event->is_set_)
        return cel__cross_park(&c, &event->mutex_, &event->line_, &expecting); /* parks */
    cel__cross_unlock(&event->mutex_);
    return 0;
}

void cel_shared_event_set(struct cel_shared_event *event)
{
    cel__cross_lock(&event->mutex_);
    event->is_set_ = true;
    (void)cel__cross_wake(&event->line_, SIZE_MAX, 0);
    cel__cross_unlock(&event->mutex_);
}

void cel_shared_event_clear(struct cel_shared_event *event)
{
    cel__cross_lock(&event->mutex_);
    event->is_set_ = false;
    cel__cross_unlock(&event->mutex_);
}

bool cel_shared_event_is_set(struct cel_shared_event *event)
{
    bool is_set;

    cel__cross_lock(&event->mutex_);
    is_set = event->is_set_;
    cel__cross_unlock(&event->mutex_);
    return is_set;
}

/* ---- countdown ---- */

static const struct cel__wait counting = CEL__CROSS_FOR("waiting for a countdown of several loops");

void cel_shared_countdown_add(struct cel_shared_countdown *countdown, size_t n)
{
    cel__cross_lock(&countdown->mutex_);
    countdown->count_ += n;
    cel__cross_unlock(&countdown->mutex_);
}

void cel_shared_countdown_done(struct cel_shared_countdown *countdown)
{
    cel__cross_lock(&countdown->mutex_);
    CEL__ASSERT(countdown->count_ > 0 && "more have come than were to come");
    if (--countdown->count_ == 0)
        (void)cel__cross_wake(&countdown->line_, SIZE_MAX, 0);
    cel__cross_unlock(&countdown->mutex_);
}

int cel_shared_countdown_wait(struct cel_shared_countdown *countdown)
{
    struct cel__crossing c;
    int code = cel__cross_checkpoint();

    if (code != 0)
        return code;
    cel__cross_lock(&countdown->mutex_);
    if (countdown->count_ != 0)
        return cel__cross_park(&c, &countdown->mutex_, &countdown->line_, &counting); /* parks */
    cel__cross_unlock(&countdown->mutex_);
    return 0;
}
