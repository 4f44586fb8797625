/* SPDX-License-Identifier: MIT */
/* A time limit of libc's is a scope of ours, opened for the wait alone. Inside it an end that comes
 * from further out is -ECANCELED whatever its cause; so the code is asked for again outside. */
#include "pause.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <celadon/net.h>
#include <celadon/task.h>

#define CREDIT     64
#define UNPOLLABLE (10 * CEL_MILLISECOND)

static int of_outer(const struct cel_scope *limit, int r)
{
    int outer;

    if (r != -ETIMEDOUT && r != -ECANCELED)
        return r;
    outer = cel_checkpoint();
    if (outer != 0)
        return outer;
    return cel_scope_expired(limit) ? 0 : r;
}

/* (parks) */
static int wait_limited(struct pollfd *fds, size_t count, int64_t deadline)
{
    const struct cel_scope_options options = {.deadline = deadline};
    struct cel_scope limit;
    int r;

    cel_scope_enter(&limit, &options);
    r = count == 1 ? cel_wait_fd(fds->fd, fds->events) : cel_wait_fds(fds, count); /* parks */
    (void)cel_scope_leave(&limit);
    return of_outer(&limit, r);
}

/* (parks) */
static int wait_for(struct pollfd *fds, size_t count, int64_t deadline)
{
    int r, saved = errno;

    if (deadline != CEL_FOREVER)
        r = wait_limited(fds, count, deadline); /* parks */
    else if (count == 1)
        r = cel_wait_fd(fds->fd, fds->events); /* parks */
    else
        r = cel_wait_fds(fds, count); /* parks */
    errno = saved;
    return r > 0 ? 1 : r;
}

int cel__green_wait(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};

    return wait_for(&one, 1, deadline); /* parks */
}

int cel__green_sleep_until(int64_t deadline)
{
    int saved = errno;
    int r = cel_sleep_until(deadline); /* parks */

    errno = saved;
    return r;
}

/* What poll(2) has nothing to say about, a regular file asked for POLLPRI, is looked at again. */
int cel__green_wait_any(struct pollfd *fds, size_t count, int64_t deadline)
{
    int64_t soon;
    bool is_any = false;
    int r = -EPERM;

    for (size_t i = 0; i < count; i++)
        is_any |= fds[i].fd >= 0;
    if (is_any)
        r = wait_for(fds, count, deadline); /* parks */
    if (r != -EPERM)
        return r;
    soon = is_any ? cel_now() + UNPOLLABLE : CEL_FOREVER;
    r = cel__green_sleep_until(soon < deadline ? soon : deadline); /* parks */
    return r < 0 ? r : soon < deadline;
}

void cel__green_credit(void)
{
    static _Thread_local unsigned left = CREDIT;
    int saved = errno;

    if (--left > 0)
        return;
    left = CREDIT;
    (void)cel_yield(); /* parks; a cancel is told by the next call that has to wait */
    errno = saved;
}

int64_t cel__green_deadline(int64_t seconds, int64_t ns)
{
    int64_t now = cel_now();

    if (seconds >= (CEL_FOREVER - now - ns) / CEL_SECOND)
        return CEL_FOREVER;
    return now + seconds * CEL_SECOND + ns;
}

void cel__green_pause_begin(struct cel__green_pause *pause)
{
    struct timeval limit = {0};
    socklen_t len = sizeof limit;

    pause->has_begun = true;
    pause->deadline = CEL_FOREVER;
    if (getsockopt(pause->fd, SOL_SOCKET, pause->option, &limit, &len) == 0 &&
        (limit.tv_sec != 0 || limit.tv_usec != 0))
        pause->deadline = cel__green_deadline(limit.tv_sec, limit.tv_usec * CEL_MICROSECOND);
}

int cel__green_pause(struct cel__green_pause *pause)
{
    int saved = errno, flags, r;

    if (!pause->has_begun) {
        flags = fcntl(pause->fd, F_GETFL);
        if (flags < 0)
            return -errno;
        if (flags & O_NONBLOCK)
            return -EAGAIN;
        cel__green_pause_begin(pause);
    }
    r = cel__green_wait(pause->fd, pause->events, pause->deadline); /* parks */
    errno = saved;
    return r == 0 ? -EAGAIN : r < 0 ? r : 0;
}

int cel__green_result(int r)
{
    if (r >= 0)
        return r;
    errno = -r;
    return -1;
}
