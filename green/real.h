/* SPDX-License-Identifier: MIT */
#ifndef GREEN_REAL_H
#define GREEN_REAL_H

/* The functions that were interposed, as whoever comes next has them: libc, mostly. */

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct cel__green_real {
    int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*accept4)(int fd, struct sockaddr *addr, socklen_t *len, int flags);
    ssize_t (*read)(int fd, void *buf, size_t len);
    ssize_t (*readv)(int fd, const struct iovec *iov, int count);
    ssize_t (*write)(int fd, const void *buf, size_t len);
    ssize_t (*writev)(int fd, const struct iovec *iov, int count);
    ssize_t (*send)(int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendto)(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
                      socklen_t to_len);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    ssize_t (*recv)(int fd, void *buf, size_t len, int flags);
    ssize_t (*recvfrom)(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                        socklen_t *from_len);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    int (*poll)(struct pollfd *fds, nfds_t count, int ms);
    int (*ppoll)(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask);
    int (*select)(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout);
    int (*pselect)(int count, fd_set *in, fd_set *out, fd_set *except,
                   const struct timespec *timeout, const sigset_t *mask);
    int (*epoll_pwait)(int ep, struct epoll_event *events, int max, int ms, const sigset_t *mask);
    int (*clock_nanosleep)(clockid_t clock, int flags, const struct timespec *time,
                           struct timespec *left);
    int (*getaddrinfo)(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
};

const struct cel__green_real *cel__green_real(void);

/* May the call that returns to `caller` park? It may when a task makes it, and not Celadon for one:
 * what the runtime asks the kernel on a task's stack is its own business. Libc's own inner calls
 * never come here. */
bool cel__green_may_park(const void *caller);
#define GREEN_MAY_PARK() cel__green_may_park(__builtin_return_address(0))

#endif
