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
 * thread run:
 *
 *     connect accept accept4 read readv write writev send sendto sendmsg sendmmsg recv recvfrom
 *     recvmsg recvmmsg sendfile splice tee
 *     poll ppoll select pselect epoll_wait epoll_pwait epoll_pwait2
 *     sleep usleep nanosleep clock_nanosleep sched_yield
 *     getaddrinfo getnameinfo gethostbyname gethostbyname2 gethostbyaddr, and those with _r
 *     wait wait3 wait4 waitpid waitid system pclose sigwait sigwaitinfo sigtimedwait
 *     flock lockf fcntl (F_SETLKW, F_OFD_SETLKW)
 *     pthread_mutex_lock and its kin, pthread_rwlock_rdlock, pthread_rwlock_wrlock,
 *     pthread_cond_wait and its kin, pthread_join, sem_wait, sem_timedwait
 *
 * Each returns what libc's would, -1 and errno for an error, and obeys SO_RCVTIMEO and SO_SNDTIMEO.
 * Two errors are new: ECANCELED and ETIMEDOUT, when the scopes around want the wait to end; bytes
 * that had gone or come by then are returned first. Mutexes, conditions, joins and semaphores are
 * waited for to the end. A descriptor that is closed, or replaced by dup2, while tasks of the
 * thread wait for it gives them EBADF.
 *
 * Calls from other threads, from outside of tasks and in forked children, on non-blocking
 * descriptors and on files are libc's own, untouched, and so are those that Celadon itself makes. A
 * signal does not end a parked call: it is as if each handler were set up with SA_RESTART.
 *
 * What no such library can see blocks as ever: stdio's own reads and writes (fgets, fread, printf
 * on a pipe or socket), raw system calls, statically linked programs. docs/design/green.md has the
 * whole list, with reasons. */

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
