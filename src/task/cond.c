/* SPDX-License-Identifier: MIT */
/* A condition is a line. Who was notified goes to the end of the lock's line, behind those who came
 * to it meanwhile. The way back into the lock is shielded, so that the caller's block may go on to
 * release what it took, whatever ended the wait. */
#include <errno.h>

#include "task/place.h"
#include "task/lock.h"

static const struct cel__wait waiting = CEL__WAIT_FOR("waiting for a condition");

int cel_cond_wait(struct cel_cond *cond, struct cel_lock *lock)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int r = cel__checkpoint(task);

    CEL__ASSERT(lock->owner_ == task && "a condition is waited for with its lock held");
    if (r != 0)
        return r;
    cel_lock_release(lock);
    r = cel__line_park(&cond->line_, &place, &waiting); /* parks */
    cel__lock_take_back(lock);                          /* parks */
    return r;
}

int cel_cond_wait_for(struct cel_cond *cond, struct cel_lock *lock, bool (*is_true)(void *arg),
                      void *arg)
{
    int r = cel_checkpoint();

    while (r == 0 && !is_true(arg))
        r = cel_cond_wait(cond, lock); /* parks */
    return r;
}

size_t cel_cond_notify(struct cel_cond *cond, size_t n)
{
    size_t woken = 0;

    while (woken < n && cel__line_wake_one(&cond->line_, 0))
        woken++;
    return woken;
}

size_t cel_cond_notify_all(struct cel_cond *cond)
{
    return cel_cond_notify(cond, SIZE_MAX);
}
