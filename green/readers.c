/* SPDX-License-Identifier: MIT */
/* Read-write locks of threads, held over a call that parks. libc refuses a thread that wants to
 * read what it writes itself (EDEADLK), which another of its tasks would take for an error of the
 * lock, and lets one that wants to write wait for its own readers for ever. It does not tell who
 * reads: so a lock that is taken is asked for again after a while, whoever has it. */
#include <errno.h>
#include <pthread.h>

#include "real.h"
#include "pause.h"

/* (parks) */
static int take(pthread_rwlock_t *lock, int (*try)(pthread_rwlock_t *lock))
{
    int64_t pause = 0;
    int saved = errno, r;

    while ((r = try(lock)) == EBUSY)
        cel__green_back_off_shielded(&pause); /* parks */
    errno = saved;
    return r;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->rwlock_rdlock(lock);
    return take(lock, pthread_rwlock_tryrdlock); /* parks */
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->rwlock_wrlock(lock);
    return take(lock, pthread_rwlock_trywrlock); /* parks */
}

int __pthread_rwlock_rdlock(pthread_rwlock_t *lock) __THROWNL __nonnull((1))
    __attribute__((alias("pthread_rwlock_rdlock")));
int __pthread_rwlock_wrlock(pthread_rwlock_t *lock) __THROWNL __nonnull((1))
    __attribute__((alias("pthread_rwlock_wrlock")));
