/* SPDX-License-Identifier: MIT */
/* The real system calls behind the seam. Those that glibc of Debian 12 lacks go through syscall(2).
 */
#include "base/sys.h"

#include <errno.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

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
        .accept4 = sys_accept4, .bind = sys_bind, .clock_gettime = clock_gettime, .close = close, \
        .connect = sys_connect, .epoll_create1 = epoll_create1, .epoll_ctl = epoll_ctl,           \
        .epoll_pwait2 = sys_epoll_pwait2, .eventfd = sys_eventfd, .fsync = fsync, .fstat = fstat, \
        .getrandom = getrandom, .getpeername = sys_getpeername, .getsockname = sys_getsockname,   \
        .getsockopt = getsockopt, .io_uring_setup = sys_io_uring_setup,                           \
        .io_uring_enter = sys_io_uring_enter, .io_uring_register = sys_io_uring_register,         \
        .listen = listen, .madvise = madvise, .mmap = mmap, .mprotect = mprotect,                 \
        .munmap = munmap, .openat = sys_openat, .openat2 = sys_openat2, .pipe2 = pipe2,           \
        .pread = pread, .pwrite = pwrite, .read = read, .readv = readv, .recv = recv,             \
        .recvmsg = recvmsg, .send = send, .sendfile = sendfile, .sendmsg = sendmsg,               \
        .setsockopt = setsockopt, .shutdown = shutdown, .signalfd = signalfd, .socket = socket,   \
        .socketpair = socketpair, .unlink = unlink, .write = write, .writev = writev,             \
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
