/* SPDX-License-Identifier: MIT */
/* A lock is its owner and a line. It is never free while somebody waits: who releases it makes the
 * first in line the owner, so nobody overtakes and a cancel that comes later finds it granted.
 *
 * The uncontended case is inline, in the header. It reads the current task through a face of the
 * loop and of the task, whose layout is checked here. */
#include "task/lock.h"

#include "task/tell.h"
#include "task/place.h"

_Static_assert(offsetof(struct cel_loop, sched) == 0, "the loop's face");
_Static_assert(offsetof(struct cel__sched, current) == offsetof(struct cel__loop_face, running),
               "the loop's face");
_Static_assert(offsetof(struct cel_task, fiber) == CEL__FIBER_OFFSET, "the task's face");
_Static_assert(offsetof(struct cel_task, scope) == offsetof(struct cel__task_face, scope),
               "the task's face");
_Static_assert(offsetof(struct cel_future, locks) == offsetof(struct cel__task_face, locks),
               "the task's face");

static void grant(struct cel_lock *lock, struct cel_task *task)
{
    lock->owner_ = task;
    task->future.locks++;
}

/* Who stands in a lock's line waits for its owner. */
static const struct cel_task *owner_of(const struct cel_task *task)
{
    const struct cel__place *place = task->wait_on;

    if (place->line == NULL)
        return NULL;
    return cel__container_of(place->line, struct cel_lock, line_)->owner_;
}

static void tell_owner(struct cel__report *to, const struct cel_task *task)
{
    const struct cel_task *owner = owner_of(task);

    if (owner != NULL)
        cel__report_task(to, owner);
}

static const struct cel__wait locking = {.what = "waiting for a lock held by ",
                                         .interrupt = cel__place_leave,
                                         .tell = tell_owner,
                                         .blocker = owner_of,
                                         .on = CEL__ON_LOCK,
                                         .at = offsetof(struct cel__place, line)};
static const struct cel__wait locking_again = {.what = "waiting, shielded, for a lock held by ",
                                               .tell = tell_owner,
                                               .blocker = owner_of,
                                               .on = CEL__ON_LOCK,
                                               .at = offsetof(struct cel__place, line)};

int cel__lock_wait(struct cel_lock *lock)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int code = cel__checkpoint(task);

    CEL__ASSERT(lock->owner_ != task && "a lock is taken once; see struct cel_rlock");
    if (code != 0)
        return code;
    return cel__line_park(&lock->line_, &place, &locking); /* parks */
}

void cel__lock_take_back(struct cel_lock *lock)
{
    struct cel__place place;

    if (!cel_lock_try(lock))
        (void)cel__line_park(&lock->line_, &place, &locking_again); /* parks */
}

void cel__lock_pass_on(struct cel_lock *lock)
{
    struct cel_task *task = cel__task_here();
    struct cel__place *place = cel__line_first(&lock->line_);

    CEL__ASSERT(task != NULL && lock->owner_ == task && "a lock is released by its owner");
    task->future.locks--;
    lock->owner_ = NULL;
    if (place == NULL)
        return;
    grant(lock, place->task);
    cel__place_end(place, 0);
}

int(cel_lock_acquire)(struct cel_lock *lock)
{
    return cel__lock_acquire(lock); /* parks */
}

bool cel_lock_try(struct cel_lock *lock)
{
    struct cel_task *task = cel__task_here();

    CEL__ASSERT(task != NULL && "a lock is held by a task");
    if (lock->owner_ != NULL)
        return false;
    grant(lock, task);
    return true;
}

void(cel_lock_release)(struct cel_lock *lock)
{
    cel__lock_release(lock);
}

bool cel_lock_is_held(const struct cel_lock *lock)
{
    return lock->owner_ != NULL;
}

int cel_rlock_acquire(struct cel_rlock *lock)
{
    struct cel_task *task = cel__task_parking();
    int r = lock->lock_.owner_ == task ? cel__checkpoint(task)
                                       : cel__lock_acquire(&lock->lock_); /* parks */

    if (r == 0)
        lock->depth_++;
    return r;
}

bool cel_rlock_try(struct cel_rlock *lock)
{
    if (lock->lock_.owner_ != cel__task_here() && !cel_lock_try(&lock->lock_))
        return false;
    lock->depth_++;
    return true;
}

void cel_rlock_release(struct cel_rlock *lock)
{
    CEL__ASSERT(lock->depth_ > 0 && lock->lock_.owner_ == cel__task_here() &&
                "a lock is released by its owner");
    if (--lock->depth_ == 0)
        cel__lock_release(&lock->lock_);
}
