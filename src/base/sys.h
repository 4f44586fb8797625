/* SPDX-License-Identifier: MIT */
#ifndef CEL__SYS_H
#define CEL__SYS_H

/* The system-call seam: every call into the kernel that can fail goes through
 * this table, so that a test can put an injector in its place. The calls keep
 * the convention of libc (-1 and errno; where it differs, the entry says so);
 * callers turn it into -errno at once. What cannot fail (the masks of signals,
 * locks) stays outside.
 * The table is replaced only while no loop runs. An indirect call costs about
 * 1 ns beside the 250 ns of the cheapest system call. */

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct io_uring_params;
struct statvfs;
struct winsize;

struct cel__sys {
    int (*accept4)(int fd, struct sockaddr *addr, socklen_t *len, int flags);
    int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
    int (*clock_gettime)(clockid_t id, struct timespec *ts);
    int (*clock_nanosleep)(clockid_t id, int flags, const struct timespec *request,
                           struct timespec *remain); /* -> an error code, not -1 */
    /* A copy of the process that runs no fork handlers and sends no SIGCHLD: for a trial. */
    int (*clone)(void);
    int (*close)(int fd);
    int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*copy_file_range)(int in, off_t *in_offset, int out, off_t *out_offset, size_t len,
                               unsigned flags);
    int (*epoll_create1)(int flags);
    int (*epoll_ctl)(int ep, int op, int fd, struct epoll_event *event);
    /* timeout NULL: for ever */
    int (*epoll_pwait2)(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                        const sigset_t *mask);
    int (*eventfd)(unsigned initial, int flags);
    int (*faccessat)(int dir, const char *path, int mode, int flags);
    int (*fallocate)(int fd, int mode, off_t offset, off_t len);
    int (*fchmod)(int fd, mode_t mode);
    int (*fchmodat)(int dir, const char *path, mode_t mode, int flags);
    int (*fchown)(int fd, uid_t uid, gid_t gid);
    int (*fchownat)(int dir, const char *path, uid_t uid, gid_t gid, int flags);
    int (*fcntl)(int fd, int command, int arg);
    int (*fdatasync)(int fd);
    int (*flock)(int fd, int operation);
    int (*fstat)(int fd, struct stat *st);
    int (*fstatat)(int dir, const char *path, struct stat *st, int flags);
    int (*fsync)(int fd);
    int (*ftruncate)(int fd, off_t size);
    int (*futimens)(int fd, const struct timespec times[2]);
    ssize_t (*getdents64)(int fd, void *buf, size_t len);
    ssize_t (*getrandom)(void *buf, size_t len, unsigned flags);
    int (*getpeername)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getsockname)(int fd, struct sockaddr *addr, socklen_t *len);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
    char *(*if_indextoname)(unsigned index, char name[IF_NAMESIZE]); /* -> NULL */
    unsigned (*if_nametoindex)(const char *name);                    /* -> 0 */
    int (*inotify_add_watch)(int fd, const char *path, uint32_t mask);
    int (*inotify_init1)(int flags);
    int (*inotify_rm_watch)(int fd, int watch);
    int (*io_uring_setup)(unsigned entries, struct io_uring_params *params);
    int (*io_uring_enter)(int fd, unsigned to_submit, unsigned min_complete, unsigned flags,
                          void *arg, size_t arg_size);
    int (*io_uring_register)(int fd, unsigned opcode, const void *arg, unsigned count);
    int (*kill)(pid_t pid, int signo);
    int (*linkat)(int dir, const char *path, int to_dir, const char *to, int flags);
    int (*listen)(int fd, int backlog);
    off_t (*lseek)(int fd, off_t offset, int whence);
    int (*madvise)(void *addr, size_t len, int advice);
    int (*mkdirat)(int dir, const char *path, mode_t mode);
    void *(*mmap)(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
    int (*mprotect)(void *addr, size_t len, int prot);
    int (*munmap)(void *addr, size_t len);
    int (*openat)(int dir, const char *path, int flags, mode_t mode);
    int (*openat2)(int dir, const char *path, int flags, mode_t mode, unsigned long resolve);
    int (*pidfd_open)(pid_t pid, unsigned flags);
    int (*pidfd_send_signal)(int fd, int signo, siginfo_t *info, unsigned flags);
    int (*pipe2)(int fds[2], int flags);
    int (*poll)(struct pollfd *fds, nfds_t n, int timeout_ms);
    /* -> the child's id; -1 and errno, where libc's own returns the error */
    pid_t (*posix_spawnp)(const char *file, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attr, char *const argv[], char *const env[]);
    ssize_t (*pread)(int fd, void *buf, size_t len, off_t offset);
    ssize_t (*preadv)(int fd, const struct iovec *iov, int n, off_t offset);
    int (*pthread_create)(pthread_t *out, const pthread_attr_t *attr, void *(*)(void *),
                          void *arg);               /* -> an error code, not -1 */
    int (*ptsname)(int fd, char *out, size_t size); /* and unlocks it; -1 and errno */
    ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t offset);
    ssize_t (*pwritev)(int fd, const struct iovec *iov, int n, off_t offset);
    ssize_t (*read)(int fd, void *buf, size_t len);
    ssize_t (*readlinkat)(int dir, const char *path, char *buf, size_t len);
    ssize_t (*readv)(int fd, const struct iovec *iov, int n);
    char *(*realpath)(const char *path, char *out); /* -> NULL */
    ssize_t (*recv)(int fd, void *buf, size_t len, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout);
    ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
    int (*renameat2)(int dir, const char *path, int to_dir, const char *to, unsigned flags);
    int (*rt_tgsigqueueinfo)(pid_t pid, pid_t thread, int signo, siginfo_t *info);
    int (*sched_getaffinity)(pid_t thread, size_t size, cpu_set_t *set);
    ssize_t (*send)(int fd, const void *buf, size_t len, int flags);
    ssize_t (*sendfile)(int out, int in, off_t *offset, size_t count);
    int (*sendmmsg)(int fd, struct mmsghdr *msgs, unsigned n, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
    int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t len);
    /* These three are the calling thread's alone; libc's are of all threads. */
    int (*setgroups)(size_t count, const gid_t *groups);
    int (*setresgid)(gid_t real, gid_t effective, gid_t saved);
    int (*setresuid)(uid_t real, uid_t effective, uid_t saved);
    int (*shutdown)(int fd, int how);
    int (*sigaction)(int signo, const struct sigaction *action, struct sigaction *old);
    int (*sigaltstack)(const stack_t *stack, stack_t *old);
    int (*signalfd)(int fd, const sigset_t *mask, int flags);
    int (*sigtimedwait)(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
    int (*socket)(int domain, int type, int protocol);
    int (*socketpair)(int domain, int type, int protocol, int fds[2]);
    ssize_t (*splice)(int in, off_t *in_offset, int out, off_t *out_offset, size_t len,
                      unsigned flags);
    int (*statvfs)(const char *path, struct statvfs *out);
    int (*symlinkat)(const char *target, int dir, const char *path);
    int (*tcgetattr)(int fd, struct termios *state);
    int (*tcgetwinsize)(int fd, struct winsize *size);
    int (*tcsetattr)(int fd, int when, const struct termios *state);
    int (*tcsetwinsize)(int fd, const struct winsize *size);
    int (*unlink)(const char *path);
    int (*unlinkat)(int dir, const char *path, int flags);
    int (*unshare)(int flags);
    int (*utimensat)(int dir, const char *path, const struct timespec times[2], int flags);
    int (*waitid)(idtype_t type, id_t id, siginfo_t *info, int options);
    pid_t (*waitpid)(pid_t pid, int *status, int options);
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
