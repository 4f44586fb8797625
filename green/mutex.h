/* SPDX-License-Identifier: MIT */
#ifndef GREEN_MUTEX_H
#define GREEN_MUTEX_H

/* The mutexes of threads, for tasks that hold them while they park. */

#include <pthread.h>

/* (parks) As pthread_mutex_lock from a task: also when another task of this thread holds it. */
int cel__green_mutex_lock(pthread_mutex_t *mutex);
int cel__green_mutex_unlock(pthread_mutex_t *mutex);

#endif
