/* SPDX-License-Identifier: MIT */
/* A wait is a scope of ours, which has libc's time limit if there is one, and which a close of the
 * descriptor cancels. Inside it an end that comes from further out is -ECANCELED whatever its
 * cause; so the code is asked for again outside. */
#include "pause.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <celadon/net.h>
#include <celadon/task.h>

#include "real.h"
#include "retire.h"

#define CREDIT       64
#define FEW          8
#define UNPOLLABLE   (10 * CEL_MILLISECOND)
#define BACK_OFF_MIN CEL_MILLISECOND
#define BACK_OFF_MAX (32 * CEL_MILLISECOND)

/* What a blocked thread does. */
static int block(struct pollfd *fds, size_t count, int64_t deadline)
{
    struct timespec left = {0};
    int saved = errno, r;

    if (deadline != CEL_FOREVER) {
        int64_t ns = deadline - cel_now();

        ns = ns > 0 ? ns : 0;
        left = (struct timespec){.tv_sec = ns / CEL_SECOND, .tv_nsec = ns % CEL_SECOND};
    }
    r = cel__green_real()->ppoll(fds, count, deadline == CEL_FOREVER ? NULL : &left, NULL);
    r = r < 0 ? -errno : r > 0;
    errno = saved;
    return r;
}

static int of_outer(const struct cel__green_stay *stay, int r)
{
    int outer;

    if (stay->is_closed)
        return -EBADF;
    if (r != -ETIMEDOUT && r != -ECANCELED)
        return r;
    outer = cel_checkpoint();
    if (outer != 0)
        return outer;
    return cel_scope_expired(&stay->scope) ? 0 : r;
}

/* (parks) The places are as many as the descriptors. */
static int wait_at(struct cel__green_place *places, struct pollfd *fds, size_t count,
                   int64_t deadline)
{
    const struct cel_scope_options options = {.deadline = deadline};
    struct cel__green_stay stay = {.is_closed = false};
    int r;

    for (size_t i = 0; i < count; i++)
        cel__green_place_take(&places[i], &stay, fds[i].fd);
    cel_scope_enter(&stay.scope, &options);
    r = count == 1 ? cel_wait_fd(fds->fd, fds->events) : cel_wait_fds(fds, count); /* parks */
    (void)cel_scope_leave(&stay.scope);
    for (size_t i = 0; i < count; i++) {
        cel__green_place_give(&places[i]);
        if (places[i].is_closed)
            fds[i].revents = POLLNVAL;
    }
    return of_outer(&stay, r);
}

/* (parks) */
static int wait_for(struct pollfd *fds, size_t count, int64_t deadline)
{
    struct cel__green_place few[FEW], *places = few;
    int saved = errno, r;

    if (!cel__green_is_home())
        return block(fds, count, deadline);
    if (count > FEW)
        places = calloc(count, sizeof *places);
    r = places != NULL ? wait_at(places, fds, count, deadline) : -ENOMEM; /* parks */
    if (places != few)
        free(places);
    errno = saved;
    return r > 0 ? 1 : r;
}

int cel__green_wait(int fd, short events, int64_t deadline)
{
    struct pollfd one = {.fd = fd, .events = events};

    return wait_for(&one, 1, deadline); /* parks */
}

/* (parks) */
int cel__green_sleep_until(int64_t deadline)
{
    int saved = errno, r;

    if (!cel__green_is_home())
        return block(NULL, 0, deadline) == -EINTR ? -EINTR : 0;
    r = cel_sleep_until(deadline); /* parks */
    errno = saved;
    return r;
}

int cel__green_back_off(int64_t *pause)
{
    *pause = *pause == 0 ? BACK_OFF_MIN : *pause < BACK_OFF_MAX ? 2 * *pause : BACK_OFF_MAX;
    return cel__green_sleep_until(cel_now() + *pause); /* parks */
}

void cel__green_back_off_shielded(int64_t *pause)
{
    if (!cel__green_is_home()) {
        (void)cel__green_back_off(pause);
        return;
    }
    CEL_SCOPE (patient, .is_shielded = true)
        (void)cel__green_back_off(pause); /* parks */
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
    if (cel__green_is_home())
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

int64_t cel__green_deadline_of(clockid_t clock, const struct timespec *until)
{
    struct timespec now;

    if (clock_gettime(clock, &now) < 0 || until->tv_sec < now.tv_sec)
        return cel_now();
    return cel__green_deadline(until->tv_sec - now.tv_sec, until->tv_nsec - now.tv_nsec);
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
    if (pause->is_limited && pause->limit < pause->deadline)
        pause->deadline = pause->limit;
}

void cel__green_pause_limit(struct cel__green_pause *pause, int64_t deadline)
{
    pause->is_limited = true;
    pause->limit = deadline;
}

int cel__green_pause(struct cel__green_pause *pause)
{
    int saved = errno, flags, r;

    if (!pause->has_begun) {
        flags = cel__green_real()->fcntl(pause->fd, F_GETFL);
        if (flags < 0)
            return -errno;
        if (flags & O_NONBLOCK)
            return -EAGAIN;
        cel__green_pause_begin(pause);
    } else if (cel_now() >= pause->deadline) {
        return -EAGAIN;
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
