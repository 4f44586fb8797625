/* SPDX-License-Identifier: MIT */
/* The real system calls behind the seam. Those that glibc of Debian 12 lacks go through syscall(2).
 */
#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return connect(fd, addr, len);
}

static int sys_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return bind(fd, addr, len);
}

static int sys_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return accept4(fd, addr, len, flags);
}

static int sys_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return getsockname(fd, addr, len);
}

static int sys_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return getpeername(fd, addr, len);
}

static int sys_eventfd(unsigned initial, int flags)
{
    return eventfd(initial, flags);
}

static int sys_clone(void)
{
    return (int)syscall(SYS_clone, 0, 0, 0, 0, 0);
}

static int sys_fcntl(int fd, int command, int arg)
{
    return fcntl(fd, command, arg);
}

static int sys_io_uring_setup(unsigned entries, struct io_uring_params *params)
{
    return (int)syscall(SYS_io_uring_setup, entries, params);
}

static int sys_io_uring_enter(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                              void *arg, size_t arg_size)
{
    return (int)syscall(SYS_io_uring_enter, fd, to_submit, min_complete, flags, arg, arg_size);
}

static int sys_io_uring_register(int fd, unsigned opcode, const void *arg, unsigned count)
{
    return (int)syscall(SYS_io_uring_register, fd, opcode, arg, count);
}

static int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
    return openat(dir, path, flags, mode);
}

static int sys_openat2(int dir, const char *path, int flags, mode_t mode, unsigned long resolve)
{
    struct open_how how = {.flags = (unsigned)flags, .mode = mode, .resolve = resolve};

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static pid_t sys_posix_spawnp(const char *file, const posix_spawn_file_actions_t *actions,
                              const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
    pid_t pid = -1;
    int r = posix_spawnp(&pid, file, actions, attr, argv, env);

    if (r == 0)
        return pid;
    errno = r;
    return -1;
}

static int sys_recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags,
                        struct timespec *timeout)
{
    return recvmmsg(fd, msgs, n, flags, timeout);
}

static int sys_rt_tgsigqueueinfo(pid_t pid, pid_t thread, int signo, siginfo_t *info)
{
    return (int)syscall(SYS_rt_tgsigqueueinfo, pid, thread, signo, info);
}

static int sys_ptsname(int fd, char *out, size_t size)
{
    int r = unlockpt(fd) < 0 ? errno : ptsname_r(fd, out, size);

    errno = r;
    return r != 0 ? -1 : 0;
}

static int sys_setgroups(size_t count, const gid_t *groups)
{
    return (int)syscall(SYS_setgroups, count, groups);
}

static int sys_setresgid(gid_t real, gid_t effective, gid_t saved)
{
    return (int)syscall(SYS_setresgid, real, effective, saved);
}

static int sys_setresuid(uid_t real, uid_t effective, uid_t saved)
{
    return (int)syscall(SYS_setresuid, real, effective, saved);
}

static int sys_tcsetwinsize(int fd, const struct winsize *size)
{
    return ioctl(fd, TIOCSWINSZ, size);
}

static int sys_tcgetwinsize(int fd, struct winsize *size)
{
    return ioctl(fd, TIOCGWINSZ, size);
}

/* Kernels before 5.11 lack epoll_pwait2: round up to milliseconds there, never down. */
static int sys_epoll_pwait2(int ep, struct epoll_event *events, int max,
                            const struct timespec *timeout, const sigset_t *mask)
{
    int n = epoll_pwait2(ep, events, max, timeout, mask);
    int ms = -1;

    if (n >= 0 || errno != ENOSYS)
        return n;
    if (timeout != NULL)
        ms = timeout->tv_sec > 86400
                 ? 86400000
                 : (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000);
    return epoll_pwait(ep, events, max, ms, mask);
}

#define SYS_TABLE                                                                                 \
    {                                                                                             \
        .accept4 = sys_accept4, .bind = sys_bind, .clock_gettime = clock_gettime,                 \
        .clock_nanosleep = clock_nanosleep, .clone = sys_clone, .close = close,                   \
        .connect = sys_connect, .copy_file_range = copy_file_range,                               \
        .epoll_create1 = epoll_create1, .epoll_ctl = epoll_ctl, .epoll_pwait2 = sys_epoll_pwait2, \
        .eventfd = sys_eventfd, .faccessat = faccessat, .fallocate = fallocate, .fchmod = fchmod, \
        .fchown = fchown, .fchownat = fchownat, .flock = flock, .futimens = futimens,             \
        .fchmodat = fchmodat, .fcntl = sys_fcntl, .fdatasync = fdatasync, .fstat = fstat,         \
        .fstatat = fstatat, .fsync = fsync, .ftruncate = ftruncate, .getdents64 = getdents64,     \
        .getpeername = sys_getpeername, .getrandom = getrandom, .getsockname = sys_getsockname,   \
        .getsockopt = getsockopt, .if_indextoname = if_indextoname,                               \
        .if_nametoindex = if_nametoindex, .inotify_add_watch = inotify_add_watch,                 \
        .inotify_init1 = inotify_init1, .inotify_rm_watch = inotify_rm_watch,                     \
        .io_uring_enter = sys_io_uring_enter, .io_uring_register = sys_io_uring_register,         \
        .io_uring_setup = sys_io_uring_setup, .kill = kill, .linkat = linkat, .listen = listen,   \
        .lseek = lseek, .madvise = madvise, .mkdirat = mkdirat, .mmap = mmap,                     \
        .mprotect = mprotect, .munmap = munmap, .openat = sys_openat, .openat2 = sys_openat2,     \
        .pidfd_open = pidfd_open, .pidfd_send_signal = pidfd_send_signal, .pipe2 = pipe2,         \
        .poll = poll, .posix_spawnp = sys_posix_spawnp, .pread = pread, .preadv = preadv,         \
        .pthread_create = pthread_create, .pwrite = pwrite, .pwritev = pwritev, .read = read,     \
        .ptsname = sys_ptsname, .readlinkat = readlinkat, .realpath = realpath, .readv = readv,   \
        .recv = recv, .recvmmsg = sys_recvmmsg, .recvmsg = recvmsg, .renameat2 = renameat2,       \
        .rt_tgsigqueueinfo = sys_rt_tgsigqueueinfo, .sched_getaffinity = sched_getaffinity,       \
        .send = send, .sendfile = sendfile, .sendmmsg = sendmmsg, .sendmsg = sendmsg,             \
        .setsockopt = setsockopt, .setgroups = sys_setgroups, .setresgid = sys_setresgid,         \
        .setresuid = sys_setresuid, .shutdown = shutdown, .sigaction = sigaction,                 \
        .sigaltstack = sigaltstack, .signalfd = signalfd, .sigtimedwait = sigtimedwait,           \
        .socket = socket, .socketpair = socketpair, .splice = splice, .statvfs = statvfs,         \
        .symlinkat = symlinkat, .tcgetattr = tcgetattr, .tcgetwinsize = sys_tcgetwinsize,         \
        .tcsetattr = tcsetattr, .tcsetwinsize = sys_tcsetwinsize, .unshare = unshare,             \
        .utimensat = utimensat, .unlink = unlink, .unlinkat = unlinkat, .waitid = waitid,         \
        .waitpid = waitpid, .write = write, .writev = writev,                                     \
    }

static const struct cel__sys kernel = SYS_TABLE;
struct cel__sys cel__sys_floor = SYS_TABLE;
struct cel__sys cel__sys = SYS_TABLE;

void cel__sys_reset(void)
{
    cel__sys = cel__sys_floor;
}

void cel__sys_kernel(struct cel__sys *out)
{
    *out = kernel;
}

/* What a test has put into the table calls the floor in the end: it stays where it is. */
void cel__sys_underlay(const struct cel__sys *table)
{
    bool is_bare = memcmp(&cel__sys, &cel__sys_floor, sizeof cel__sys) == 0;

    cel__sys_floor = *table;
    if (is_bare)
        cel__sys = *table;
}
