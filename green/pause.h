/* SPDX-License-Identifier: MIT */
#ifndef GREEN_PAUSE_H
#define GREEN_PAUSE_H

/* Parking on behalf of a call that believes that it blocks. Results are -errno in here; errno is as
 * it was after each of these functions, because other tasks of the thread ran meanwhile. In a child
 * of fork or vfork the same functions block, as libc would (home.c). */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Does the loop of the task that runs belong to this process? A forked child goes on upon its
 * parent's task, and one of vfork upon its parent's memory. */
bool cel__green_is_home(void);
/* The number by which libc knows the owner of a mutex. */
pid_t cel__green_thread_id(void);

/* (parks) Until fd is ready: 1; the deadline (CEL_FOREVER: none) came first: 0; -ECANCELED,
 * -ETIMEDOUT the scopes around want the end; -EBADF a task closed it; -EPERM fd cannot be waited
 * for; -errno. */
int cel__green_wait(int fd, short events, int64_t deadline);
/* (parks) The same for several; without any it sleeps. After -EBADF those that were closed have
 * POLLNVAL. */
int cel__green_wait_any(struct pollfd *fds, size_t count, int64_t deadline);
/* (parks) 0 when it is over, -ECANCELED, -ETIMEDOUT. */
int cel__green_sleep_until(int64_t deadline);

/* Tasks that never have to wait let the others run now and then. (parks) */
void cel__green_credit(void);

/* When `after` ns from now is over; beyond what can be counted, for ever. */
int64_t cel__green_deadline(int64_t seconds, int64_t ns);

/* A time of that clock. */
int64_t cel__green_deadline_of(clockid_t clock, const struct timespec *until);

/* A call that goes on waiting on one descriptor, by its own time limit. Zero the rest. */
struct cel__green_pause {
    int fd;
    short events;
    int option; /* SO_RCVTIMEO or SO_SNDTIMEO */
    bool has_begun, is_limited;
    int64_t deadline, limit; /* limit: where is_limited */
};

/* Its time begins. */
void cel__green_pause_begin(struct cel__green_pause *pause);
/* The same, and it ends at `deadline` at the latest. */
void cel__green_pause_limit(struct cel__green_pause *pause, int64_t deadline);
/* (parks) The call would block. 0: try again. -EAGAIN: it is to say so, the descriptor is
 * non-blocking or the time limit has passed. Else as cel__green_wait. */
int cel__green_pause(struct cel__green_pause *pause);

/* For what tells nobody when it changes: looked at again after a while, which doubles up to 32 ms.
 * Begin with 0. (parks) As cel__green_sleep_until. */
int cel__green_back_off(int64_t *pause);
/* (parks) The same for calls that have no error for a cancel: shielded from it. */
void cel__green_back_off_shielded(int64_t *pause);

/* -1 and errno, from 0 or -errno. */
int cel__green_result(int r);

#endif
