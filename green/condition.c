/* SPDX-License-Identifier: MIT */
/* pthread_cond_wait and its kin, pthread_join and sem_wait: a thread that slept here would keep the
 * very task from running that is to wake it.
 *
 * A condition may be reported when nothing has happened, and whoever waits must look: so a task
 * lets go of the mutex, parks until somebody signals the condition, and takes the mutex again.
 * Signals of this thread's tasks wake it at once. Those of other threads are counted, for all
 * conditions of one hash together, and the task looks at the count after a while. */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

#include <celadon/sync.h>
#include <celadon/task.h>

#include "mutex.h"
#include "real.h"
#include "pause.h"

#define KINDS     256
#define SLICE_MIN CEL_MILLISECOND
#define SLICE_MAX (16 * CEL_MILLISECOND)

/* A task in front of a condition. */
struct sitter {
    struct sitter *next, **at;
    const pthread_cond_t *cond;
    struct cel_event told;
};

static atomic_uint seated; /* in all threads: nobody counts while it is 0 */
static atomic_uint signals[KINDS];
static _Thread_local struct sitter *first, **last;

static atomic_uint *signals_of(const pthread_cond_t *cond)
{
    return &signals[((uintptr_t)cond >> 4) % KINDS];
}

static void sit(struct sitter *s)
{
    if (last == NULL)
        last = &first;
    s->at = last;
    *last = s;
    last = &s->next;
    atomic_fetch_add(&seated, 1);
}

static void stand_up(struct sitter *s)
{
    *s->at = s->next;
    if (s->next != NULL)
        s->next->at = s->at;
    else
        last = s->at;
    atomic_fetch_sub(&seated, 1);
}

static void tell(const pthread_cond_t *cond, bool all)
{
    for (struct sitter *s = first; s != NULL; s = s->next)
        if (s->cond == cond && !cel_event_is_set(&s->told)) {
            cel_event_set(&s->told);
            if (!all)
                break;
        }
}

/* (parks) false: the deadline came first. */
static bool await_signal(struct sitter *s, unsigned before, int64_t deadline)
{
    int64_t slice = SLICE_MIN, soon;

    while (!cel_event_is_set(&s->told) && atomic_load(signals_of(s->cond)) == before) {
        if (cel_now() >= deadline)
            return false;
        soon = cel_now() + slice;
        CEL_SCOPE (patient, .is_shielded = true, .deadline = soon < deadline ? soon : deadline)
            if (cel_event_wait(&s->told) == 0) /* parks */
                return true;
        slice = slice < SLICE_MAX ? 2 * slice : SLICE_MAX;
    }
    return true;
}

/* (parks) */
static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline)
{
    struct sitter s = {.cond = cond};
    unsigned before = atomic_load(signals_of(cond));
    int saved = errno, r;
    bool is_told;

    sit(&s);
    r = cel__green_mutex_unlock(mutex);
    if (r != 0) {
        stand_up(&s);
        return r;
    }
    is_told = await_signal(&s, before, deadline); /* parks */
    stand_up(&s);
    r = cel__green_mutex_lock(mutex); /* parks */
    errno = saved;
    return r != 0 ? r : is_told ? 0 : ETIMEDOUT;
}

static bool is_time(const struct timespec *t)
{
    return t->tv_nsec >= 0 && t->tv_nsec < CEL_SECOND;
}

int pthread_cond_wait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex)
{
    if (!GREEN_MAY_PARK() || !cel__green_is_home())
        return cel__green_real()->cond_wait(cond, mutex);
    return wait_until(cond, mutex, CEL_FOREVER); /* parks */
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    clockid_t clock = cond->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;

    if (!GREEN_MAY_PARK() || !is_time(until) || !cel__green_is_home())
        return cel__green_real()->cond_timedwait(cond, mutex, until);
    return wait_until(cond, mutex, cel__green_deadline_of(clock, until)); /* parks */
}

int pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           clockid_t clock, const struct timespec *restrict until)
{
    if (!GREEN_MAY_PARK() || !is_time(until) || !cel__green_is_home())
        return cel__green_real()->cond_clockwait(cond, mutex, clock, until);
    return wait_until(cond, mutex, cel__green_deadline_of(clock, until)); /* parks */
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    if (atomic_load(&seated) > 0) {
        atomic_fetch_add(signals_of(cond), 1);
        tell(cond, false);
    }
    return cel__green_real()->cond_signal(cond);
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    if (atomic_load(&seated) > 0) {
        atomic_fetch_add(signals_of(cond), 1);
        tell(cond, true);
    }
    return cel__green_real()->cond_broadcast(cond);
}

/* ---- threads' ends and semaphores, which tell nobody ---- */

int pthread_join(pthread_t thread, void **result)
{
    int64_t pause = 0;
    int saved = errno, r;

    if (!GREEN_MAY_PARK() || pthread_equal(thread, pthread_self()))
        return cel__green_real()->join(thread, result);
    while ((r = pthread_tryjoin_np(thread, result)) == EBUSY)
        cel__green_back_off_shielded(&pause); /* parks */
    errno = saved;
    return r;
}

int sem_wait(sem_t *sem)
{
    int64_t pause = 0;
    int saved = errno;

    if (!GREEN_MAY_PARK())
        return cel__green_real()->sem_wait(sem);
    while (sem_trywait(sem) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return -1;
        cel__green_back_off_shielded(&pause); /* parks */
    }
    errno = saved;
    return 0;
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
    int64_t pause = 0, deadline;
    int saved = errno;

    if (!GREEN_MAY_PARK() || !is_time(until))
        return cel__green_real()->sem_timedwait(sem, until);
    deadline = cel__green_deadline_of(CLOCK_REALTIME, until);
    while (sem_trywait(sem) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return -1;
        if (cel_now() >= deadline)
            return cel__green_result(-ETIMEDOUT);
        cel__green_back_off_shielded(&pause); /* parks */
    }
    errno = saved;
    return 0;
}
