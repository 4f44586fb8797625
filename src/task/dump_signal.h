/* SPDX-License-Identifier: MIT */
#ifndef CEL__DUMP_SIGNAL_H
#define CEL__DUMP_SIGNAL_H

/* What handlers of signals know of the thread that they interrupted. */

#include <signal.h>

#include "task/tell.h"

/* From a handler's third argument. */
struct cel__here cel__here_of(const void *context, struct cel__extent thread_stack);
/* The process's handler of the signal becomes this one, and the calling thread takes the signal.
 * *old (may be NULL): what it was. -errno. */
int cel__take_signal(int signo, void (*handler)(int, siginfo_t *, void *), struct sigaction *old);
/* Where the calling thread's own stack lies; zeros when the system does not say. */
struct cel__extent cel__thread_stack(void);

#endif
