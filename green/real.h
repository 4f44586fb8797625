/* SPDX-License-Identifier: MIT */
#ifndef GREEN_REAL_H
#define GREEN_REAL_H

/* The functions that were interposed, as whoever comes next has them: libc, mostly. */

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
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
    int (*epoll_pwait2)(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                        const sigset_t *mask);
    int (*sched_yield)(void);
    int (*recvmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
    int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags);
    ssize_t (*sendfile)(int out, int in, off_t *offset, size_t count);
    ssize_t (*splice)(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t len,
                      unsigned flags);
    ssize_t (*tee)(int in, int out, size_t len, unsigned flags);
    int (*close)(int fd);
    int (*dup2)(int old, int fd);
    int (*dup3)(int old, int fd, int flags);
    int (*flock)(int fd, int operation);
    int (*lockf)(int fd, int command, off_t len);
    int (*fcntl)(int fd, int command, ...);
    pid_t (*wait4)(pid_t pid, int *status, int options, struct rusage *usage);
    int (*waitid)(idtype_t type, id_t id, siginfo_t *info, int options);
    int (*system)(const char *command);
    int (*pclose)(FILE *stream);
    int (*sigtimedwait)(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
    int (*mutex_lock)(pthread_mutex_t *mutex);
    int (*mutex_trylock)(pthread_mutex_t *mutex);
    int (*mutex_timedlock)(pthread_mutex_t *mutex, const struct timespec *until);
    int (*mutex_clocklock)(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until);
    int (*mutex_unlock)(pthread_mutex_t *mutex);
    int (*cond_wait)(pthread_cond_t *cond, pthread_mutex_t *mutex);
    int (*cond_timedwait)(pthread_cond_t *cond, pthread_mutex_t *mutex,
                          const struct timespec *until);
    int (*cond_clockwait)(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                          const struct timespec *until);
    int (*cond_signal)(pthread_cond_t *cond);
    int (*cond_broadcast)(pthread_cond_t *cond);
    int (*rwlock_rdlock)(pthread_rwlock_t *lock);
    int (*rwlock_wrlock)(pthread_rwlock_t *lock);
    int (*join)(pthread_t thread, void **result);
    int (*sem_wait)(sem_t *sem);
    int (*sem_timedwait)(sem_t *sem, const struct timespec *until);
    int (*gethostbyname2_r)(const char *name, int family, struct hostent *entry, char *buf,
                            size_t len, struct hostent **out, int *error);
    int (*gethostbyaddr_r)(const void *addr, socklen_t addr_len, int family, struct hostent *entry,
                           char *buf, size_t len, struct hostent **out, int *error);
    struct hostent *(*gethostbyname)(const char *name);
    struct hostent *(*gethostbyname2)(const char *name, int family);
    struct hostent *(*gethostbyaddr)(const void *addr, socklen_t len, int family);
    int (*getnameinfo)(const struct sockaddr *addr, socklen_t len, char *host, socklen_t host_len,
                       char *service, socklen_t service_len, int flags);
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
