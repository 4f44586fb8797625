/* SPDX-License-Identifier: MIT */
/* A second table of system calls: each entry asks the plan, then the kernel. Random choices hash
 * the seed with the call's number, so they need no state that threads would share. */
#include "support/sysfault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/sys.h"
#include "support/check.h"

static const struct {
    const char *name;
    int error;
} calls[] = {
#define ROW(name, error) {#name, error},
    SYSFAULT_CALLS(ROW)
#undef ROW
};

_Static_assert(SYSFAULT_COUNT <= 128, "one bit per call");

static struct sysfault_plan plan;
static atomic_size_t counted, drawn, hits;
static atomic_size_t made[SYSFAULT_COUNT], struck[SYSFAULT_COUNT];
static pthread_t beginner;

static int error_of(enum sysfault_call call)
{
    return plan.error != 0 ? plan.error : calls[call].error;
}

static bool is_selected(enum sysfault_call call)
{
    if (plan.calls == 0)
        return calls[call].error != 0;
    return (plan.calls >> call & 1) != 0 && error_of(call) != 0;
}

/* A number below 100 that depends on the seed and on how many were drawn before. */
static unsigned draw(void)
{
    uint64_t z = plan.seed + (atomic_fetch_add(&drawn, 1) + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % 100);
}

static bool hit(enum sysfault_call call, int error)
{
    fault_hit(calls[call].name, atomic_fetch_add(&hits, 1) + 1);
    errno = error;
    return true;
}

static bool is_interruptible(enum sysfault_call call)
{
    const sysfault_set sleepers =
        SYSFAULT_BIT(epoll_pwait2) | SYSFAULT_BIT(accept4) | SYSFAULT_BIT(io_uring_enter) |
        SYSFAULT_BIT(read) | SYSFAULT_BIT(readv) | SYSFAULT_BIT(recv) | SYSFAULT_BIT(recvmsg) |
        SYSFAULT_BIT(send) | SYSFAULT_BIT(sendmsg) | SYSFAULT_BIT(write) | SYSFAULT_BIT(writev) |
        SYSFAULT_BIT(getrandom) | SYSFAULT_BIT(recvmmsg) | SYSFAULT_BIT(sendmmsg);

    return (sleepers >> call & 1) != 0;
}

static bool is_ours(void)
{
    bool is_own = pthread_equal(pthread_self(), beginner);

    return plan.threads == SYSFAULT_ALL || is_own == (plan.threads == SYSFAULT_OWN);
}

static bool strike(enum sysfault_call call)
{
    atomic_fetch_add(&struck[call], 1);
    return hit(call, error_of(call));
}

/* True with errno set when this call is to fail. */
static bool fails(enum sysfault_call call)
{
    size_t n;

    if (plan.eintr_percent > 0 && is_interruptible(call) && draw() < plan.eintr_percent)
        return hit(call, EINTR);
    if (plan.nth == 0 || !is_selected(call) || !is_ours())
        return false;
    if (atomic_load(&hits) == 0) /* what is made in answer to a failure is another path */
        atomic_fetch_add(&made[call], 1);
    n = atomic_fetch_add(&counted, 1) + 1;
    if (n == plan.nth)
        return strike(call);
    if (n > plan.nth && plan.times == FAULT_FOREVER && error_of(call) != EINTR)
        return strike(call);
    return false;
}

/* What to ask the kernel for instead of `len`: at least one byte. An eventfd moves its eight or
 * none. */
static size_t shortened(size_t len, unsigned percent, enum sysfault_call call)
{
    if (len <= sizeof(uint64_t) || percent == 0 || draw() >= percent)
        return len;
    fault_hit(calls[call].name, atomic_fetch_add(&hits, 1) + 1);
    return 1 + len * draw() / 200;
}

#define WRAP(type, name, params, args)   \
    static type my_##name params         \
    {                                    \
        if (fails(SYSFAULT_##name))      \
            return -1;                   \
        return cel__sys_floor.name args; \
    }

#define WRAP_SHORT(name, percent, params, args)              \
    static ssize_t my_##name params                          \
    {                                                        \
        if (fails(SYSFAULT_##name))                          \
            return -1;                                       \
        len = shortened(len, plan.percent, SYSFAULT_##name); \
        return cel__sys_floor.name args;                     \
    }

/* A vector is shortened to its first piece, cut. */
#define WRAP_VECTOR(name, percent)                                                   \
    static ssize_t my_##name(int fd, const struct iovec *iov, int n)                 \
    {                                                                                \
        struct iovec first;                                                          \
                                                                                     \
        if (fails(SYSFAULT_##name))                                                  \
            return -1;                                                               \
        if (n > 0) {                                                                 \
            first = iov[0];                                                          \
            first.iov_len = shortened(first.iov_len, plan.percent, SYSFAULT_##name); \
            if (first.iov_len < iov[0].iov_len)                                      \
                return cel__sys_floor.name(fd, &first, 1);                           \
        }                                                                            \
        return cel__sys_floor.name(fd, iov, n);                                      \
    }

WRAP(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
     (fd, addr, len, flags))
WRAP(int, bind, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
WRAP(int, clock_gettime, (clockid_t id, struct timespec *ts), (id, ts))
WRAP(int, clone, (void), ())
WRAP(int, connect, (int fd, const struct sockaddr *addr, socklen_t len), (fd, addr, len))
WRAP(int, epoll_create1, (int flags), (flags))
WRAP(int, epoll_pwait2,
     (int ep, struct epoll_event *events, int max, const struct timespec *timeout,
      const sigset_t *mask),
     (ep, events, max, timeout, mask))
WRAP(int, eventfd, (unsigned initial, int flags), (initial, flags))
WRAP(int, fcntl, (int fd, int command, int arg), (fd, command, arg))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags))
WRAP(ssize_t, getrandom, (void *buf, size_t len, unsigned flags), (buf, len, flags))
WRAP(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
WRAP(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len), (fd, addr, len))
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len))
WRAP(int, io_uring_setup, (unsigned entries, struct io_uring_params *params), (entries, params))
WRAP(int, io_uring_enter,
     (int fd, unsigned to_submit, unsigned min_complete, unsigned flags, void *arg,
      size_t arg_size),
     (fd, to_submit, min_complete, flags, arg, arg_size))
WRAP(int, io_uring_register, (int fd, unsigned opcode, const void *arg, unsigned count),
     (fd, opcode, arg, count))
WRAP(int, listen, (int fd, int backlog), (fd, backlog))
WRAP(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP(int, madvise, (void *addr, size_t len, int advice), (addr, len, advice))
WRAP(int, mprotect, (void *addr, size_t len, int prot), (addr, len, prot))
WRAP(int, munmap, (void *addr, size_t len), (addr, len))
WRAP(int, openat, (int dir, const char *path, int flags, mode_t mode), (dir, path, flags, mode))
WRAP(int, openat2, (int dir, const char *path, int flags, mode_t mode, unsigned long resolve),
     (dir, path, flags, mode, resolve))
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(int, poll, (struct pollfd * fds, nfds_t n, int timeout_ms), (fds, n, timeout_ms))
WRAP_SHORT(pread, short_read_percent, (int fd, void *buf, size_t len, off_t offset),
           (fd, buf, len, offset))
WRAP_SHORT(pwrite, short_write_percent, (int fd, const void *buf, size_t len, off_t offset),
           (fd, buf, len, offset))
WRAP_SHORT(read, short_read_percent, (int fd, void *buf, size_t len), (fd, buf, len))
WRAP_VECTOR(readv, short_read_percent)
WRAP_SHORT(recv, short_read_percent, (int fd, void *buf, size_t len, int flags),
           (fd, buf, len, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
WRAP(int, rt_tgsigqueueinfo, (pid_t pid, pid_t thread, int signo, siginfo_t *info),
     (pid, thread, signo, info))
WRAP(int, sched_getaffinity, (pid_t thread, size_t size, cpu_set_t *set), (thread, size, set))
WRAP_SHORT(send, short_write_percent, (int fd, const void *buf, size_t len, int flags),
           (fd, buf, len, flags))
WRAP_SHORT(sendfile, short_write_percent, (int out, int in, off_t *offset, size_t len),
           (out, in, offset, len))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
WRAP(int, shutdown, (int fd, int how), (fd, how))
WRAP(int, sigaction, (int signo, const struct sigaction *action, struct sigaction *old),
     (signo, action, old))
WRAP(int, sigaltstack, (const stack_t *stack, stack_t *old), (stack, old))
WRAP(int, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
     (set, info, timeout))
WRAP(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds))
WRAP(int, unlink, (const char *path), (path))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WRAP_SHORT(write, short_write_percent, (int fd, const void *buf, size_t len), (fd, buf, len))
WRAP_VECTOR(writev, short_write_percent)

WRAP_SHORT(copy_file_range, short_write_percent,
           (int in, off_t *in_offset, int out, off_t *out_offset, size_t len, unsigned flags),
           (in, in_offset, out, out_offset, len, flags))
WRAP(int, faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
WRAP(int, fallocate, (int fd, int mode, off_t offset, off_t len), (fd, mode, offset, len))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, fchownat, (int dir, const char *path, uid_t uid, gid_t gid, int flags),
     (dir, path, uid, gid, flags))
WRAP(int, flock, (int fd, int operation), (fd, operation))
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times))
WRAP(int, ptsname, (int fd, char *out, size_t size), (fd, out, size))
WRAP(int, setgroups, (size_t count, const gid_t *groups), (count, groups))
WRAP(int, setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
WRAP(int, setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
WRAP(int, statvfs, (const char *path, struct statvfs *out), (path, out))
WRAP(int, tcsetwinsize, (int fd, const struct winsize *size), (fd, size))
WRAP(int, unshare, (int flags), (flags))
WRAP(int, utimensat, (int dir, const char *path, const struct timespec times[2], int flags),
     (dir, path, times, flags))
WRAP(int, fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(ssize_t, getdents64, (int fd, void *buf, size_t len), (fd, buf, len))
WRAP(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, inotify_init1, (int flags), (flags))
WRAP(int, inotify_rm_watch, (int fd, int watch), (fd, watch))
WRAP(int, kill, (pid_t pid, int signo), (pid, signo))
WRAP(int, linkat, (int dir, const char *path, int to_dir, const char *to, int flags),
     (dir, path, to_dir, to, flags))
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags))
WRAP(int, pidfd_send_signal, (int fd, int signo, siginfo_t *info, unsigned flags),
     (fd, signo, info, flags))
WRAP(pid_t, posix_spawnp,
     (const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
      char *const argv[], char *const env[]),
     (file, actions, attr, argv, env))
WRAP(ssize_t, preadv, (int fd, const struct iovec *iov, int n, off_t offset), (fd, iov, n, offset))
WRAP(ssize_t, pwritev, (int fd, const struct iovec *iov, int n, off_t offset), (fd, iov, n, offset))
WRAP(ssize_t, readlinkat, (int dir, const char *path, char *buf, size_t len), (dir, path, buf, len))
WRAP(int, recvmmsg, (int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout),
     (fd, msgs, n, flags, timeout))
WRAP(int, renameat2, (int dir, const char *path, int to_dir, const char *to, unsigned flags),
     (dir, path, to_dir, to, flags))
WRAP(int, sendmmsg, (int fd, struct mmsghdr *msgs, unsigned n, int flags), (fd, msgs, n, flags))
WRAP_SHORT(splice, short_write_percent,
           (int in, off_t *in_offset, int out, off_t *out_offset, size_t len, unsigned flags),
           (in, in_offset, out, out_offset, len, flags))
WRAP(int, symlinkat, (const char *target, int dir, const char *path), (target, dir, path))
WRAP(int, tcgetattr, (int fd, struct termios *state), (fd, state))
WRAP(int, tcgetwinsize, (int fd, struct winsize *size), (fd, size))
WRAP(int, tcsetattr, (int fd, int when, const struct termios *state), (fd, when, state))
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options))

/* A descriptor whose close fails is closed all the same. */
static int my_close(int fd)
{
    bool failed = fails(SYSFAULT_close);
    int error = errno;
    int r = cel__sys_floor.close(fd);

    if (!failed)
        return r;
    errno = error;
    return -1;
}

/* Taking a descriptor out, or changing its events, needs no memory: only adding fails. */
static int my_epoll_ctl(int ep, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_ADD && fails(SYSFAULT_epoll_ctl))
        return -1;
    return cel__sys_floor.epoll_ctl(ep, op, fd, event);
}

static int my_clock_nanosleep(clockid_t id, int flags, const struct timespec *request,
                              struct timespec *remain)
{
    return fails(SYSFAULT_clock_nanosleep)
               ? errno
               : cel__sys_floor.clock_nanosleep(id, flags, request, remain);
}

static char *my_realpath(const char *path, char *out)
{
    return fails(SYSFAULT_realpath) ? NULL : cel__sys_floor.realpath(path, out);
}

static int my_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *arg),
                             void *arg)
{
    return fails(SYSFAULT_pthread_create) ? errno
                                          : cel__sys_floor.pthread_create(out, attr, fn, arg);
}

static char *my_if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
    return fails(SYSFAULT_if_indextoname) ? NULL : cel__sys_floor.if_indextoname(index, name);
}

static unsigned my_if_nametoindex(const char *name)
{
    return fails(SYSFAULT_if_nametoindex) ? 0 : cel__sys_floor.if_nametoindex(name);
}

static void *my_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fails(SYSFAULT_mmap))
        return MAP_FAILED;
    return cel__sys_floor.mmap(addr, len, prot, flags, fd, offset);
}

void sysfault_begin(const struct sysfault_plan *with)
{
    cel__sys_reset();
    plan = with != NULL ? *with : (struct sysfault_plan){0};
    beginner = pthread_self();
    atomic_store(&counted, 0);
    atomic_store(&drawn, 0);
    atomic_store(&hits, 0);
#define ENTRY(name, error) cel__sys.name = my_##name;
    SYSFAULT_CALLS(ENTRY)
#undef ENTRY
}

void sysfault_end(void)
{
    cel__sys_reset();
}

size_t sysfault_hits(void)
{
    return atomic_load(&hits);
}

struct sysfault_tally sysfault_tally(enum sysfault_call call)
{
    return (struct sysfault_tally){calls[call].name, calls[call].error != 0,
                                   atomic_load(&made[call]), atomic_load(&struck[call])};
}

static void arm_calls(size_t nth, enum fault_times times, const void *arg)
{
    struct sysfault_plan next = *(const struct sysfault_plan *)arg;

    if (nth == 0) {
        sysfault_end();
        return;
    }
    next.nth = nth;
    next.times = times;
    sysfault_begin(&next);
}

size_t fault_every_syscall(const struct sysfault_plan *with, fault_scenario *scenario, void *arg)
{
    static const struct sysfault_plan all;
    const struct fault_source source = {"system call", arm_calls, sysfault_hits,
                                        with != NULL ? with : &all};
    size_t events;

    fault_alloc_begin();
    events = fault_every(&source, scenario, arg);
    fault_alloc_end();
    return events;
}
