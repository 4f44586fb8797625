/* SPDX-License-Identifier: MIT */
#ifndef GREEN_ERRAND_H
#define GREEN_ERRAND_H

/* What only a thread can wait for, done by one of the loop's pool. -errno, and errno as it was. */

/* (parks) fn(arg) to its end. -ECANCELED, -ETIMEDOUT: it was not begun. */
int cel__green_run(void *(*fn)(void *arg), void *arg);
/* (parks) The same, but after -ECANCELED and -ETIMEDOUT it may run on, and arg is `drop`'s
 * (cel_offload_or_abandon); after other errors it is the caller's, as after 0. */
int cel__green_ask(void *(*fn)(void *arg), void *arg, void (*drop)(void *arg, void *result));

#endif
