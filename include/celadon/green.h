/* SPDX-License-Identifier: MIT */
#ifndef CELADON_GREEN_H
#define CELADON_GREEN_H

/* Libraries that block, unmodified, in tasks: libceladon-green.so stands between them and libc.
 *
 * A program asks for it, by linking with -lceladon-green before -lceladon and calling
 * cel_green_is_active (a linker drops a library that nobody calls), or it is asked from outside:
 *
 *     LD_PRELOAD=libceladon-green.so program
 *
 * From then on a call that would block parks the task that makes it, and the other tasks of its
 * thread run: connect, accept, accept4, read, readv, write, writev, send, sendto, sendmsg, recv,
 * recvfrom, recvmsg, poll, ppoll, select, pselect, epoll_wait, epoll_pwait, sleep, usleep,
 * nanosleep, clock_nanosleep, getaddrinfo. It returns what libc's would, -1 and errno for an error,
 * and obeys SO_RCVTIMEO and SO_SNDTIMEO. Two errors are new: ECANCELED and ETIMEDOUT, when the
 * scopes around want the wait to end; bytes that had gone or come by then are returned first.
 *
 * Calls from other threads, from outside of tasks, on non-blocking descriptors, on files and
 * terminals are libc's own, untouched, and so are those that Celadon itself makes. A signal does
 * not end a parked call: it is as if each handler were set up with SA_RESTART.
 *
 * The danger is what a library holds while it parks: a mutex that is taken over a call that parks
 * locks up the whole thread when a second task wants it. */

#include <stdbool.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Does not park. Do blocking calls of this process reach libceladon-green? False without it, and
 * when it was loaded behind libc, where nobody finds it. Any thread. */
CEL_PUBLIC bool cel_green_is_active(void);

#ifdef __cplusplus
}
#endif

#endif
