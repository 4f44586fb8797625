/* SPDX-License-Identifier: MIT */
/* Readers and writers in one line. From its front are admitted: one writer when nobody holds the
 * lock, or readers, as many as stand there in a row, when no writer does.
 *
 * While somebody stands in line, who comes stands behind. A writer that leaves the line may have
 * held up readers behind it, so it admits again. */
#include "celadon/sync.h"

#include "task/tell.h"
#include "task/place.h"

static char reading, writing; /* what a place's value points at */

static bool is_free_for(const struct cel_rwlock *lock, const void *what)
{
    return lock->writer_ == NULL && (what == &reading || lock->readers_ == 0);
}

static void grant(struct cel_rwlock *lock, struct cel_task *task, const void *what)
{
    if (what == &writing)
        lock->writer_ = task;
    else
        lock->readers_++;
    task->future.locks++;
}

static void admit(struct cel_rwlock *lock)
{
    struct cel__place *place;

    while ((place = cel__line_first(&lock->line_)) != NULL && is_free_for(lock, place->value)) {
        grant(lock, place->task, place->value);
        cel__place_end(place, 0);
    }
}

static bool take(struct cel_rwlock *lock, struct cel_task *task, const void *what)
{
    CEL__ASSERT(task != NULL && lock->writer_ != task && "a lock is taken once");
    if (lock->line_.first_ != NULL || !is_free_for(lock, what))
        return false;
    grant(lock, task, what);
    return true;
}

static const struct cel_rwlock *lock_of(const struct cel_task *task)
{
    const struct cel__place *place = task->wait_on;

    return place->line != NULL ? cel__container_of(place->line, struct cel_rwlock, line_) : NULL;
}

/* Readers are counted and not known; a writer alone holds up all. */
static const struct cel_task *writer_of(const struct cel_task *task)
{
    const struct cel_rwlock *lock = lock_of(task);

    return lock != NULL ? lock->writer_ : NULL;
}

static void tell_holder(struct cel__report *to, const struct cel_task *task)
{
    const struct cel_rwlock *lock = lock_of(task);

    if (lock == NULL)
        return;
    if (lock->writer_ != NULL) {
        cel__report_str(to, ", held by ");
        cel__report_task(to, lock->writer_);
    } else {
        cel__report_str(to, ", held by readers: ");
        cel__report_number(to, (int64_t)lock->readers_);
    }
    cel__place_tell(to, task);
}

static const struct cel__wait to_read = {.what = "waiting for a read-write lock, to read",
                                         .interrupt = cel__place_leave,
                                         .tell = tell_holder,
                                         .blocker = writer_of};
static const struct cel__wait to_write = {.what = "waiting for a read-write lock, to write",
                                          .interrupt = cel__place_leave,
                                          .tell = tell_holder,
                                          .blocker = writer_of};

static int acquire(struct cel_rwlock *lock, void *what)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place = {.value = what};
    int r = cel__checkpoint(task);

    if (r != 0 || take(lock, task, what))
        return r;
    r = cel__line_park(&lock->line_, &place, what == &reading ? &to_read : &to_write); /* parks */
    if (r < 0)
        admit(lock);
    return r;
}

int cel_rwlock_read(struct cel_rwlock *lock)
{
    return acquire(lock, &reading); /* parks */
}

int cel_rwlock_write(struct cel_rwlock *lock)
{
    return acquire(lock, &writing); /* parks */
}

bool cel_rwlock_try_read(struct cel_rwlock *lock)
{
    return take(lock, cel__task_here(), &reading);
}

bool cel_rwlock_try_write(struct cel_rwlock *lock)
{
    return take(lock, cel__task_here(), &writing);
}

void cel_rwlock_read_release(struct cel_rwlock *lock)
{
    struct cel_task *task = cel__task_here();

    CEL__ASSERT(lock->readers_ > 0 && task != NULL && task->future.locks > 0 &&
                "a lock is released by who holds it");
    lock->readers_--;
    task->future.locks--;
    admit(lock);
}

void cel_rwlock_write_release(struct cel_rwlock *lock)
{
    struct cel_task *task = cel__task_here();

    CEL__ASSERT(task != NULL && lock->writer_ == task && "a lock is released by who holds it");
    lock->writer_ = NULL;
    task->future.locks--;
    admit(lock);
}

void cel_rwlock_downgrade(struct cel_rwlock *lock)
{
    CEL__ASSERT(lock->writer_ != NULL && lock->writer_ == cel__task_here() &&
                "a lock is released by who holds it");
    lock->writer_ = NULL;
    lock->readers_ = 1;
    admit(lock);
}
