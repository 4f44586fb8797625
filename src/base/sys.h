/* SPDX-License-Identifier: MIT */
#ifndef CEL__SYS_H
#define CEL__SYS_H

/* The system-call seam: every call into the kernel that can fail goes through
 * this table, so that a test can put an injector in its place. The calls keep
 * the convention of libc (-1 and errno); callers turn it into -errno at once.
 * The table is replaced only while no loop runs. An indirect call costs about
 * 1 ns beside the 250 ns of the cheapest system call. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct io_uring_params;

struct cel__sys {
    int (*accept4)(int fd, struct sockaddr *addr, socklen_t *len, int flags);
    int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*clock_gettime)(clockid_t id, struct timespec *ts);
    int (*close)(int fd);
    int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int ep, int op, int fd, struct epoll_event *event);
    /* timeout NULL: for ever */
    int (*epoll_pwait2)(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                        const sigset_t *mask);
    int (*eventfd)(unsigned initial, int flags);
    int (*fsync)(int fd);
    int (*fstat)(int fd, struct stat *st);
    ssize_t (*getrandom)(void *buf, size_t len, unsigned flags);
    int (*getpeername)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getsockname)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
    int (*io_uring_setup)(unsigned entries, struct io_uring_params *params);
    int (*io_uring_enter)(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                          void *arg, size_t arg_size);
    int (*io_uring_register)(int fd, unsigned opcode, const void *arg, unsigned count);
    int (*listen)(int fd, int backlog);
    int (*madvise)(void *addr, size_t len, int advice);
    void *(*mmap)(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
    int (*mprotect)(void *addr, size_t len, int prot);
    int (*munmap)(void *addr, size_t len);
    int (*openat)(int dir, const char *path, int flags, mode_t mode);
    int (*openat2)(int dir, const char *path, int flags, mode_t mode, unsigned long resolve);
    int (*pipe2)(int fds[2], int flags);
    ssize_t (*pread)(int fd, void *buf, size_t len, off_t offset);
    ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t offset);
    ssize_t (*read)(int fd, void *buf, size_t len);
    ssize_t (*readv)(int fd, const struct iovec *iov, int n);
    ssize_t (*recv)(int fd, void *buf, size_t len, int flags);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    ssize_t (*send)(int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendfile)(int out, int in, off_t *offset, size_t count);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
    int (*shutdown)(int fd, int how);
    int (*signalfd)(int fd, const sigset_t *mask, int flags);
    int (*socket)(int domain, int type, int protocol);
    int (*socketpair)(int domain, int type, int protocol, int fds[2]);
    int (*unlink)(const char *path);
    ssize_t (*write)(int fd, const void *buf, size_t len);
    ssize_t (*writev)(int fd, const struct iovec *iov, int n);
};

extern struct cel__sys cel__sys;
/* What lies beneath all injectors: the kernel's calls, or a simulated kernel's. */
extern struct cel__sys cel__sys_floor;

/* Puts the floor's calls back. */
void cel__sys_reset(void);
/* The real kernel's. */
void cel__sys_kernel(struct cel__sys *out);
/* This is the floor from now on. */
void cel__sys_underlay(const struct cel__sys *table);

#endif
