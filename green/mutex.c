/* SPDX-License-Identifier: MIT */
/* A library that holds a mutex over a call that parks would stop the thread for good when a second
 * task wants the same mutex: libc waits for an owner that is itself. So who wants a mutex that this
 * thread holds parks until it is unlocked.
 *
 * 1. libc knows owners by thread. The tasks that own mutexes for which that matters, recursive and
 *    error-checking ones, are noted here, or a second task would walk in on the first.
 * 2. What another thread holds is waited for as ever, by the thread.
 * 3. A mutex has no error for a cancel: these waits are shielded from it. */
#include "mutex.h"

#include <errno.h>

#include <celadon/sync.h>
#include <celadon/task.h>

#include "real.h"
#include "pause.h"

#define NOTES 64
#define HOUR  (3600 * CEL_SECOND)

/* A recursive or error-checking mutex that a task holds. */
struct note {
    const pthread_mutex_t *mutex;
    const struct cel_task *task;
};

/* A task in front of a mutex that another task of this thread holds. */
struct petitioner {
    struct petitioner *next, **at;
    const pthread_mutex_t *mutex;
    struct cel_event freed;
};

static _Thread_local struct note notes[NOTES]; /* what finds no room is treated as libc would */
static _Thread_local unsigned noted;
static _Thread_local struct petitioner *first, **last;

static int kind_of(const pthread_mutex_t *mutex)
{
    return mutex->__data.__kind & 3;
}

static bool counts_owners(const pthread_mutex_t *mutex)
{
    return kind_of(mutex) == PTHREAD_MUTEX_RECURSIVE || kind_of(mutex) == PTHREAD_MUTEX_ERRORCHECK;
}

static bool is_threads_own(const pthread_mutex_t *mutex)
{
    pid_t id = __atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);

    return id != 0 && id == cel__green_thread_id();
}

static const struct cel_task *owner(const pthread_mutex_t *mutex)
{
    for (unsigned i = 0; i < noted; i++)
        if (notes[i].mutex == mutex)
            return notes[i].task;
    return NULL;
}

/* Of a call that locked it, or did not. */
static int noted_result(const pthread_mutex_t *mutex, int r)
{
    if ((r == 0 || r == EOWNERDEAD) && noted < NOTES && counts_owners(mutex) &&
        owner(mutex) == NULL)
        notes[noted++] = (struct note){mutex, cel_task_current()};
    return r;
}

static void forget(const pthread_mutex_t *mutex)
{
    for (unsigned i = 0; i < noted; i++)
        if (notes[i].mutex == mutex) {
            notes[i] = notes[--noted];
            return;
        }
}

/* Is it held by another task of this thread? Of a mutex without a note, only if it is of the kind
 * whose owner nobody asks for: a task that locks its own twice is a deadlock then, as it was. */
static bool is_another_tasks(const pthread_mutex_t *mutex)
{
    const struct cel_task *task;

    if (!is_threads_own(mutex))
        return false;
    if (!counts_owners(mutex))
        return true;
    task = owner(mutex);
    return task != NULL && task != cel_task_current();
}

static void stand(struct petitioner *p)
{
    if (last == NULL)
        last = &first;
    p->at = last;
    *last = p;
    last = &p->next;
}

static void step_aside(struct petitioner *p)
{
    *p->at = p->next;
    if (p->next != NULL)
        p->next->at = p->at;
    else
        last = p->at;
}

/* (parks) Until it was unlocked: 0. After the deadline, or an hour, -ETIMEDOUT: look again. */
static int await_unlock(const pthread_mutex_t *mutex, int64_t deadline)
{
    struct petitioner p = {.mutex = mutex};
    int64_t limit = cel_now() + HOUR;
    int saved = errno, r = 0;

    stand(&p);
    CEL_SCOPE (patient, .is_shielded = true, .deadline = deadline < limit ? deadline : limit)
        r = cel_event_wait(&p.freed); /* parks */
    step_aside(&p);
    errno = saved;
    return r;
}

/* EBUSY also when the mutex would let this thread in, whose other task it keeps out. */
static int try(pthread_mutex_t *mutex)
{
    if (is_another_tasks(mutex))
        return EBUSY;
    return noted_result(mutex, cel__green_real()->mutex_trylock(mutex));
}

int cel__green_mutex_lock(pthread_mutex_t *mutex)
{
    for (;;) {
        int r = try(mutex);

        if (r != EBUSY)
            return r;
        if (!is_another_tasks(mutex) || !cel__green_is_home())
            return noted_result(mutex, cel__green_real()->mutex_lock(mutex));
        (void)await_unlock(mutex, CEL_FOREVER); /* parks */
    }
}

int cel__green_mutex_unlock(pthread_mutex_t *mutex)
{
    int r = cel__green_real()->mutex_unlock(mutex);

    if (noted > 0 && counts_owners(mutex) && !is_threads_own(mutex))
        forget(mutex);
    for (struct petitioner *p = first; p != NULL; p = p->next)
        if (p->mutex == mutex && !cel_event_is_set(&p->freed)) {
            cel_event_set(&p->freed);
            break;
        }
    return r;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->mutex_lock(mutex);
    return cel__green_mutex_lock(mutex); /* parks */
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->mutex_trylock(mutex);
    return try(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (first == NULL && noted == 0)
        return cel__green_real()->mutex_unlock(mutex);
    return cel__green_mutex_unlock(mutex);
}

/* ---- with a limit ---- */

static bool is_time(const struct timespec *t)
{
    return t->tv_nsec >= 0 && t->tv_nsec < CEL_SECOND;
}

/* (parks) EBUSY: the rest is libc's. */
static int lock_until(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    int64_t deadline = cel__green_deadline_of(clock, until);

    for (;;) {
        int r = try(mutex);

        if (r != EBUSY || !is_another_tasks(mutex) || !cel__green_is_home())
            return r;
        if (cel_now() >= deadline)
            return ETIMEDOUT;
        (void)await_unlock(mutex, deadline); /* parks */
    }
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
    int r = EBUSY;

    if (GREEN_MAY_PARK() && is_time(until))
        r = lock_until(mutex, CLOCK_REALTIME, until); /* parks */
    if (r != EBUSY)
        return r;
    return noted_result(mutex, cel__green_real()->mutex_timedlock(mutex, until));
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
    int r = EBUSY;

    if (GREEN_MAY_PARK() && is_time(until))
        r = lock_until(mutex, clock, until); /* parks */
    if (r != EBUSY)
        return r;
    return noted_result(mutex, cel__green_real()->mutex_clocklock(mutex, clock, until));
}

int __pthread_mutex_lock(pthread_mutex_t *mutex) __THROWNL __nonnull((1))
    __attribute__((alias("pthread_mutex_lock")));
int __pthread_mutex_trylock(pthread_mutex_t *mutex) __THROWNL __nonnull((1))
    __attribute__((alias("pthread_mutex_trylock")));
int __pthread_mutex_unlock(pthread_mutex_t *mutex) __THROWNL __nonnull((1))
    __attribute__((alias("pthread_mutex_unlock")));
