/* SPDX-License-Identifier: MIT */
/* connect and accept have no flag for one call, so here the descriptor is made non-blocking for the
 * length of a connect that cannot wait, and made as it was before the task parks: only another
 * thread could see it. An accept is made when a poll says that somebody is there, and no task runs
 * in between. */
#include <errno.h>
#include <fcntl.h>

#include <celadon/base.h>

#include "real.h"
#include "pause.h"

#define UNIX_RETRY (2 * CEL_MILLISECOND)

static int option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

static bool connects_slowly(int fd, int flags)
{
    int type = option(fd, SO_TYPE);

    return flags >= 0 && !(flags & O_NONBLOCK) && (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

static int connect_now(int fd, const struct sockaddr *addr, socklen_t len, int flags)
{
    int r;

    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    r = cel__green_real()->connect(fd, addr, len) < 0 ? -errno : 0;
    (void)fcntl(fd, F_SETFL, flags);
    return r;
}

/* (parks) A Unix listener whose queue is full gives no event when there is room: ask again. */
static int connect_patiently(int fd, const struct sockaddr *addr, socklen_t len, int flags)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLOUT, .option = SO_SNDTIMEO};
    int r = connect_now(fd, addr, len, flags);

    while (r == -EAGAIN) {
        int64_t soon = cel_now() + UNIX_RETRY;

        if (!pause.has_begun)
            cel__green_pause_begin(&pause);
        if (soon >= pause.deadline)
            return -EAGAIN;
        r = cel__green_sleep_until(soon); /* parks */
        if (r == 0)
            r = connect_now(fd, addr, len, flags);
    }
    if (r != -EINPROGRESS && r != -EALREADY)
        return r;
    r = cel__green_pause(&pause); /* parks */
    if (r < 0)
        return r == -EAGAIN ? -EINPROGRESS : r;
    return -option(fd, SO_ERROR);
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    int flags, saved = errno;

    if (!GREEN_MAY_PARK())
        return cel__green_real()->connect(fd, addr, len);
    flags = fcntl(fd, F_GETFL);
    if (!connects_slowly(fd, flags)) {
        errno = saved;
        return cel__green_real()->connect(fd, addr, len);
    }
    errno = saved;
    return cel__green_result(connect_patiently(fd, addr, len, flags)); /* parks */
}

/* (parks) Until an accept does not block, be it that it fails. */
static int await_guest(int fd)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLIN, .option = SO_RCVTIMEO};

    cel__green_credit(); /* parks */
    for (;;) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        int r;

        if (cel__green_real()->poll(&one, 1, 0) != 0)
            return 0;
        if (!pause.has_begun && option(fd, SO_ACCEPTCONN) != 1)
            return 0;
        r = cel__green_pause(&pause); /* parks */
        if (r < 0)
            return r;
    }
}

/* (parks) */
static int accept_one(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    int r = await_guest(fd); /* parks */

    if (r < 0)
        return cel__green_result(r);
    return cel__green_real()->accept4(fd, addr, len, flags);
}

int accept4(int fd, struct sockaddr *restrict addr, socklen_t *restrict len, int flags)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->accept4(fd, addr, len, flags);
    return accept_one(fd, addr, len, flags); /* parks */
}

int accept(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->accept4(fd, addr, len, 0);
    return accept_one(fd, addr, len, 0); /* parks */
}

int __connect(int fd, const struct sockaddr *addr, socklen_t len) __attribute__((alias("connect")));
