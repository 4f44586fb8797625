/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SYSFAULT_H
#define TESTS_SYSFAULT_H

/* Failing system calls through the seam of base/sys.h: the n-th with a chosen
 * error, or at random from a seed. A call that is failed does not reach the kernel.
 * Between begin and end no loop may be created or closed by others: the table
 * is the process's. */

#include <stddef.h>
#include <stdint.h>

#include "support/fault.h"

/* Every entry of the table, with the error it fails by when a plan names none. 0: it is left
 * alone by default, because on Linux it does not fail in correct use, or is only made when the
 * kernel is short of something. */
#define SYSFAULT_CALLS(X)        \
    X(accept4, EMFILE)           \
    X(bind, EADDRINUSE)          \
    X(clock_gettime, 0)          \
    X(clock_nanosleep, 0)        \
    X(clone, EAGAIN)             \
    X(close, 0)                  \
    X(connect, ENETUNREACH)      \
    X(copy_file_range, EIO)      \
    X(epoll_create1, EMFILE)     \
    X(epoll_ctl, ENOMEM)         \
    X(epoll_pwait2, EINTR)       \
    X(eventfd, EMFILE)           \
    X(faccessat, EACCES)         \
    X(fallocate, ENOSPC)         \
    X(fchmod, EIO)               \
    X(fchmodat, EACCES)          \
    X(fchown, EPERM)             \
    X(fchownat, EPERM)           \
    X(fcntl, EMFILE)             \
    X(fdatasync, EIO)            \
    X(flock, ENOLCK)             \
    X(fstat, EIO)                \
    X(fstatat, EIO)              \
    X(fsync, EIO)                \
    X(ftruncate, EIO)            \
    X(futimens, EIO)             \
    X(getdents64, EIO)           \
    X(getpeername, ENOTCONN)     \
    X(getrandom, EINTR)          \
    X(getsockname, ENOBUFS)      \
    X(getsockopt, ENOBUFS)       \
    X(if_indextoname, ENXIO)     \
    X(if_nametoindex, ENODEV)    \
    X(inotify_add_watch, ENOSPC) \
    X(inotify_init1, EMFILE)     \
    X(inotify_rm_watch, 0)       \
    X(io_uring_setup, ENOMEM)    \
    X(io_uring_enter, EINTR)     \
    X(io_uring_register, ENOMEM) \
    X(kill, 0)                   \
    X(linkat, EACCES)            \
    X(listen, EADDRINUSE)        \
    X(lseek, 0)                  \
    X(madvise, ENOMEM)           \
    X(mkdirat, ENOSPC)           \
    X(mmap, ENOMEM)              \
    X(mprotect, ENOMEM)          \
    X(munmap, 0)                 \
    X(openat, EMFILE)            \
    X(openat2, EMFILE)           \
    X(pidfd_open, EMFILE)        \
    X(pidfd_send_signal, 0)      \
    X(pipe2, EMFILE)             \
    X(poll, ENOMEM)              \
    X(posix_spawnp, EAGAIN)      \
    X(pread, EIO)                \
    X(preadv, EIO)               \
    X(pthread_create, EAGAIN)    \
    X(ptsname, EIO)              \
    X(pwrite, ENOSPC)            \
    X(pwritev, ENOSPC)           \
    X(read, EIO)                 \
    X(readlinkat, EIO)           \
    X(readv, EIO)                \
    X(realpath, EACCES)          \
    X(recv, ECONNRESET)          \
    X(recvmmsg, ECONNRESET)      \
    X(recvmsg, ECONNRESET)       \
    X(renameat2, ENOSPC)         \
    X(rt_tgsigqueueinfo, 0)      \
    X(sched_getaffinity, 0)      \
    X(send, EPIPE)               \
    X(sendfile, EIO)             \
    X(sendmmsg, EPIPE)           \
    X(sendmsg, EPIPE)            \
    X(setsockopt, ENOBUFS)       \
    X(setgroups, EPERM)          \
    X(setresgid, EPERM)          \
    X(setresuid, EPERM)          \
    X(shutdown, ENOTCONN)        \
    X(sigaction, EINVAL)         \
    X(sigaltstack, ENOMEM)       \
    X(signalfd, EMFILE)          \
    X(sigtimedwait, EINTR)       \
    X(socket, EMFILE)            \
    X(socketpair, EMFILE)        \
    X(splice, EIO)               \
    X(statvfs, EIO)              \
    X(symlinkat, ENOSPC)         \
    X(tcgetattr, EIO)            \
    X(tcgetwinsize, ENOTTY)      \
    X(tcsetattr, EIO)            \
    X(tcsetwinsize, EIO)         \
    X(unlink, EACCES)            \
    X(unlinkat, EACCES)          \
    X(unshare, EPERM)            \
    X(utimensat, EIO)            \
    X(waitid, 0)                 \
    X(waitpid, EINTR)            \
    X(write, EIO)                \
    X(writev, EIO)

enum sysfault_call {
#define SYSFAULT_ENUM(name, error) SYSFAULT_##name,
    SYSFAULT_CALLS(SYSFAULT_ENUM)
#undef SYSFAULT_ENUM
        SYSFAULT_COUNT
};

/* There are more calls than bits in the largest standard type. */
__extension__ typedef unsigned __int128 sysfault_set;

#define SYSFAULT_BIT(name) ((sysfault_set)1 << SYSFAULT_##name)

/* Whose calls count and fail. To fail the calls of two threads by one count would replay nothing:
 * their order is the scheduler's. */
enum sysfault_threads {
    SYSFAULT_ALL,
    SYSFAULT_OWN,    /* of the thread that begins: a loop's, whose calls come in one order */
    SYSFAULT_OTHERS, /* of all others: a pool's */
};

struct sysfault_plan {
    sysfault_set calls; /* SYSFAULT_BITs that count and fail; 0: all with a default error */
    int error;          /* 0: each call's default */
    enum sysfault_threads threads;
    size_t nth;             /* this counted call fails; 0: none */
    enum fault_times times; /* whether those after it fail too; calls that fail by EINTR do not,
                             * since to retry is right */
    /* At random from `seed`, in percent of the calls: */
    uint64_t seed;
    unsigned eintr_percent; /* of all that may sleep */
    unsigned
        short_read_percent; /* of read, readv, recv, recvmsg, pread: asks the kernel for less */
    unsigned short_write_percent; /* of write, writev, send, sendmsg, pwrite */
};

/* A short read tells edge-triggered code that the socket is drained, when it is not. So shorten
 * reads only where nothing waits for the next edge after one. */
void sysfault_begin(const struct sysfault_plan *plan);
/* The kernel's calls again. */
void sysfault_end(void);
/* Failures and shortenings since begin. */
size_t sysfault_hits(void);

/* How often, since the program began, the call was made while a plan that could fail it was in
 * force and had failed nothing yet, and how often it was failed by the plan's count. */
struct sysfault_tally {
    const char *name;
    bool may_fail; /* by default */
    size_t made, failed;
};
struct sysfault_tally sysfault_tally(enum sysfault_call call);

/* fault_every() over system calls; `plan` (NULL: the default) says which and with what error. */
size_t fault_every_syscall(const struct sysfault_plan *plan, fault_scenario *scenario, void *arg);

#endif
