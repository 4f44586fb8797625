/* SPDX-License-Identifier: MIT */
/* A semaphore is a number and a line, one of which is always empty: a permit that is given back
 * while somebody waits goes to the first in line and is never counted. */
#include "celadon/sync.h"

#include "task/place.h"

static const struct cel__wait waiting = CEL__WAIT_FOR("waiting for a semaphore");

void cel_sem_init(struct cel_sem *sem, size_t count, size_t max)
{
    CEL__ASSERT(max == 0 || count <= max);
    *sem = (struct cel_sem){.count_ = count, .max_ = max};
}

bool cel_sem_try(struct cel_sem *sem)
{
    if (sem->count_ == 0)
        return false;
    sem->count_--;
    return true;
}

int cel_sem_acquire(struct cel_sem *sem)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    if (cel_sem_try(sem))
        return 0;
    return cel__line_park(&sem->line_, &place, &waiting); /* parks */
}

void cel_sem_release(struct cel_sem *sem)
{
    if (cel__line_wake_one(&sem->line_, 0))
        return;
    CEL__ASSERT((sem->max_ == 0 || sem->count_ < sem->max_) &&
                "a bounded semaphore was released more often than taken");
    sem->count_++;
}

size_t cel_sem_count(const struct cel_sem *sem)
{
    return sem->count_;
}
