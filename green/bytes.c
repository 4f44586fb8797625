/* SPDX-License-Identifier: MIT */
/* read, write, send, recv and their kin: who may park goes to transfer.c, all others to libc. The
 * names that end in _chk are what fortified libraries call instead. */
#include <errno.h>
#include <limits.h>

#include "real.h"
#include "transfer.h"

/* libc's: says that a buffer would overflow, and ends the process. */
_Noreturn void __chk_fail(void);
ssize_t __read_chk(int fd, void *buf, size_t len, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t room, int flags, struct sockaddr *from,
                       socklen_t *from_len);

static bool is_sane(const struct iovec *iov, int count)
{
    return count > 0 && count <= IOV_MAX && iov != NULL;
}

/* (parks) */
static ssize_t get(int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    switch (cel__green_kind(fd)) {
    case CEL__GREEN_SOCKET:
        return cel__green_receive(fd, &msg, 0); /* parks */
    case CEL__GREEN_PIPE:
    case CEL__GREEN_TERMINAL:
        return cel__green_pipe_read(fd, iov, count); /* parks */
    default:
        return cel__green_real()->readv(fd, iov, count);
    }
}

/* (parks) */
static ssize_t put(int fd, const struct iovec *iov, int count)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    switch (cel__green_kind(fd)) {
    case CEL__GREEN_SOCKET:
        return cel__green_send(fd, &msg, 0); /* parks */
    case CEL__GREEN_PIPE:
        return cel__green_pipe_write(fd, iov, count); /* parks */
    default:
        return cel__green_real()->writev(fd, iov, count);
    }
}

ssize_t read(int fd, void *buf, size_t len)
{
    struct iovec iov = {buf, len};

    if (!GREEN_MAY_PARK() || len == 0)
        return cel__green_real()->read(fd, buf, len);
    return get(fd, &iov, 1); /* parks */
}

ssize_t __read_chk(int fd, void *buf, size_t len, size_t room)
{
    struct iovec iov = {buf, len};

    if (len > room)
        __chk_fail();
    if (!GREEN_MAY_PARK() || len == 0)
        return cel__green_real()->read(fd, buf, len);
    return get(fd, &iov, 1); /* parks */
}

ssize_t readv(int fd, const struct iovec *iov, int count)
{
    if (!GREEN_MAY_PARK() || !is_sane(iov, count))
        return cel__green_real()->readv(fd, iov, count);
    return get(fd, iov, count); /* parks */
}

ssize_t write(int fd, const void *buf, size_t len)
{
    struct iovec iov = {(void *)buf, len};

    if (!GREEN_MAY_PARK() || len == 0)
        return cel__green_real()->write(fd, buf, len);
    return put(fd, &iov, 1); /* parks */
}

ssize_t writev(int fd, const struct iovec *iov, int count)
{
    if (!GREEN_MAY_PARK() || !is_sane(iov, count))
        return cel__green_real()->writev(fd, iov, count);
    return put(fd, iov, count); /* parks */
}

/* (parks) */
static ssize_t receive(int fd, void *buf, size_t len, int flags, struct sockaddr *from,
                       socklen_t *from_len)
{
    struct iovec iov = {buf, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (from != NULL) {
        msg.msg_name = from;
        msg.msg_namelen = *from_len;
    }
    n = cel__green_receive(fd, &msg, flags); /* parks */
    if (n >= 0 && from != NULL)
        *from_len = msg.msg_namelen;
    return n;
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->recv(fd, buf, len, flags);
    return receive(fd, buf, len, flags, NULL, NULL); /* parks */
}

ssize_t __recv_chk(int fd, void *buf, size_t len, size_t room, int flags)
{
    if (len > room)
        __chk_fail();
    if (!GREEN_MAY_PARK())
        return cel__green_real()->recv(fd, buf, len, flags);
    return receive(fd, buf, len, flags, NULL, NULL); /* parks */
}

ssize_t recvfrom(int fd, void *restrict buf, size_t len, int flags, struct sockaddr *restrict from,
                 socklen_t *restrict from_len)
{
    if (!GREEN_MAY_PARK() || (from != NULL && from_len == NULL))
        return cel__green_real()->recvfrom(fd, buf, len, flags, from, from_len);
    return receive(fd, buf, len, flags, from, from_len); /* parks */
}

ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t room, int flags, struct sockaddr *from,
                       socklen_t *from_len)
{
    if (len > room)
        __chk_fail();
    if (!GREEN_MAY_PARK() || (from != NULL && from_len == NULL))
        return cel__green_real()->recvfrom(fd, buf, len, flags, from, from_len);
    return receive(fd, buf, len, flags, from, from_len); /* parks */
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->recvmsg(fd, msg, flags);
    return cel__green_receive(fd, msg, flags); /* parks */
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
    struct iovec iov = {(void *)buf, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (!GREEN_MAY_PARK())
        return cel__green_real()->send(fd, buf, len, flags);
    return cel__green_send(fd, &msg, flags); /* parks */
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to,
               socklen_t to_len)
{
    struct iovec iov = {(void *)buf, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (!GREEN_MAY_PARK())
        return cel__green_real()->sendto(fd, buf, len, flags, to, to_len);
    msg.msg_name = (void *)to;
    msg.msg_namelen = to != NULL ? to_len : 0;
    return cel__green_send(fd, &msg, flags); /* parks */
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->sendmsg(fd, msg, flags);
    return cel__green_send(fd, msg, flags); /* parks */
}

ssize_t __read(int fd, void *buf, size_t len) __attribute__((alias("read")));
ssize_t __write(int fd, const void *buf, size_t len) __attribute__((alias("write")));
ssize_t __send(int fd, const void *buf, size_t len, int flags) __attribute__((alias("send")));
