/* SPDX-License-Identifier: MIT */
#ifndef GREEN_PAUSE_H
#define GREEN_PAUSE_H

/* Parking on behalf of a call that believes that it blocks. Results are -errno in here; errno is as
 * it was after each of these functions, because other tasks of the thread ran meanwhile. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

/* (parks) Until fd is ready: 1; the deadline (CEL_FOREVER: none) came first: 0; -ECANCELED,
 * -ETIMEDOUT the scopes around want the end; -EPERM fd cannot be waited for; -errno. */
int cel__green_wait(int fd, short events, int64_t deadline);
/* (parks) The same for several; without any it sleeps. */
int cel__green_wait_any(struct pollfd *fds, size_t count, int64_t deadline);
/* (parks) 0 when it is over, -ECANCELED, -ETIMEDOUT. */
int cel__green_sleep_until(int64_t deadline);

/* Tasks that never have to wait let the others run now and then. (parks) */
void cel__green_credit(void);

/* When `after` ns from now is over; beyond what can be counted, for ever. */
int64_t cel__green_deadline(int64_t seconds, int64_t ns);

/* A call that goes on waiting on one descriptor, by its own time limit. Zero the rest. */
struct cel__green_pause {
    int fd;
    short events;
    int option; /* SO_RCVTIMEO or SO_SNDTIMEO */
    bool has_begun;
    int64_t deadline;
};

/* Its time begins. */
void cel__green_pause_begin(struct cel__green_pause *pause);
/* (parks) The call would block. 0: try again. -EAGAIN: it is to say so, the descriptor is
 * non-blocking or the time limit has passed. Else as cel__green_wait. */
int cel__green_pause(struct cel__green_pause *pause);

/* -1 and errno, from 0 or -errno. */
int cel__green_result(int r);

#endif
