/* SPDX-License-Identifier: MIT */
/* poll, select and epoll_wait: libc's own function says what is ready and never waits; between two
 * of its answers the task parks until something may have changed. So what is told is the kernel's
 * word, bit for bit. With a signal mask of their own, which is the thread's while they wait, ppoll,
 * pselect and epoll_pwait are left to libc. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/base.h>

#include "real.h"
#include "pause.h"

#define FEW      16
#define IDLE_MIN CEL_MILLISECOND
#define IDLE_MAX (64 * CEL_MILLISECOND)
#define NO_WAIT  0 /* as a deadline */

/* libc's: says that a buffer would overflow, and ends the process. */
_Noreturn void __chk_fail(void);
int __poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);

static int64_t after_ms(int ms)
{
    if (ms == 0)
        return NO_WAIT;
    return ms < 0 ? CEL_FOREVER : cel__green_deadline(ms / 1000, ms % 1000 * CEL_MILLISECOND);
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < CEL_SECOND;
}

static int64_t after(const struct timespec *t)
{
    return t == NULL ? CEL_FOREVER : cel__green_deadline(t->tv_sec, t->tv_nsec);
}

/* A descriptor that was closed meanwhile is told as libc tells it. */
static int closed_of(const struct pollfd *fds, nfds_t count)
{
    int closed = 0;

    for (nfds_t i = 0; i < count; i++)
        closed += fds[i].revents == POLLNVAL;
    return closed;
}

/* (parks) */
static int poll_until(struct pollfd *fds, nfds_t count, int64_t deadline)
{
    int r = deadline == NO_WAIT ? 0 : 1, ready;

    cel__green_credit(); /* parks; also for who asks again and again, and waits for another task */
    for (;;) {
        ready = cel__green_real()->poll(fds, count, 0);
        if (ready != 0 || r == 0)
            return ready;
        r = cel__green_wait_any(fds, count, deadline); /* parks */
        if (r == -EBADF)
            return closed_of(fds, count);
        if (r < 0)
            return cel__green_result(r);
    }
}

int poll(struct pollfd *fds, nfds_t count, int ms)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->poll(fds, count, ms);
    return poll_until(fds, count, after_ms(ms)); /* parks */
}

int __poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t room)
{
    if (count > room / sizeof *fds)
        __chk_fail();
    if (!GREEN_MAY_PARK())
        return cel__green_real()->poll(fds, count, ms);
    return poll_until(fds, count, after_ms(ms)); /* parks */
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    if (!GREEN_MAY_PARK() || mask != NULL || (timeout != NULL && !is_time(timeout)))
        return cel__green_real()->ppoll(fds, count, timeout, mask);
    return poll_until(fds, count, after(timeout)); /* parks */
}

int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room)
{
    if (count > room / sizeof *fds)
        __chk_fail();
    if (!GREEN_MAY_PARK() || mask != NULL || (timeout != NULL && !is_time(timeout)))
        return cel__green_real()->ppoll(fds, count, timeout, mask);
    return poll_until(fds, count, after(timeout)); /* parks */
}

/* ---- select ---- */

struct sets {
    fd_set *in, *out, *except; /* the caller's, NULL where it has none */
    fd_set wanted[3];
    struct pollfd few[FEW], *fds;
    size_t count;
};

static short events_of(const struct sets *s, int fd)
{
    return (short)((s->in != NULL && FD_ISSET(fd, &s->wanted[0]) ? POLLIN : 0) |
                   (s->out != NULL && FD_ISSET(fd, &s->wanted[1]) ? POLLOUT : 0) |
                   (s->except != NULL && FD_ISSET(fd, &s->wanted[2]) ? POLLPRI : 0));
}

/* Only as much of a set is the caller's as `count` says. */
static size_t size_of(int count)
{
    size_t bits = 8 * sizeof(long);

    return ((size_t)count + bits - 1) / bits * sizeof(long);
}

static void copy_set(fd_set *to, const fd_set *from, int count)
{
    if (from != NULL && to != NULL)
        memcpy(to, from, size_of(count));
}

static int begin_sets(struct sets *s, int count)
{
    copy_set(&s->wanted[0], s->in, count);
    copy_set(&s->wanted[1], s->out, count);
    copy_set(&s->wanted[2], s->except, count);
    for (int fd = 0; fd < count; fd++)
        s->count += events_of(s, fd) != 0;
    s->fds = s->count <= FEW ? s->few : calloc(s->count, sizeof *s->fds);
    if (s->fds == NULL)
        return -ENOMEM;
    s->count = 0;
    for (int fd = 0; fd < count; fd++)
        if (events_of(s, fd) != 0)
            s->fds[s->count++] = (struct pollfd){.fd = fd, .events = events_of(s, fd)};
    return 0;
}

static int select_now(struct sets *s, int count)
{
    struct timeval none = {0};

    copy_set(s->in, &s->wanted[0], count);
    copy_set(s->out, &s->wanted[1], count);
    copy_set(s->except, &s->wanted[2], count);
    return cel__green_real()->select(count, s->in, s->out, s->except, &none);
}

/* (parks) A hang-up ends the wait and may be none of what select tells: then a pause. */
static int select_loop(struct sets *s, int count, int64_t deadline)
{
    int64_t idle = IDLE_MIN, soon;
    int r, ready;

    for (;;) {
        r = cel__green_wait_any(s->fds, s->count, deadline); /* parks */
        if (r < 0)
            return cel__green_result(r);
        ready = select_now(s, count);
        if (ready != 0 || r == 0)
            return ready;
        soon = cel_now() + idle;
        r = cel__green_sleep_until(soon < deadline ? soon : deadline); /* parks */
        if (r < 0)
            return cel__green_result(r);
        idle = idle < IDLE_MAX ? 2 * idle : idle;
    }
}

/* (parks) */
static int select_until(int count, fd_set *in, fd_set *out, fd_set *except, int64_t deadline)
{
    struct sets s = {.in = in, .out = out, .except = except};
    int ready, r = begin_sets(&s, count);

    if (r < 0)
        return cel__green_result(r);
    cel__green_credit(); /* parks */
    ready = select_now(&s, count);
    if (ready == 0)
        ready = select_loop(&s, count, deadline); /* parks */
    if (s.fds != s.few)
        free(s.fds);
    return ready;
}

/* Linux tells what is left. */
static void tell_left(struct timeval *timeout, int64_t deadline)
{
    int64_t left = deadline == CEL_FOREVER ? 0 : deadline - cel_now();

    if (deadline == CEL_FOREVER)
        return;
    left = left > 0 ? left : 0;
    timeout->tv_sec = left / CEL_SECOND;
    timeout->tv_usec = left % CEL_SECOND / CEL_MICROSECOND;
}

int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except,
           struct timeval *restrict timeout)
{
    int64_t deadline = CEL_FOREVER;
    int r;

    if (!GREEN_MAY_PARK() || count < 0 || count > FD_SETSIZE ||
        (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return cel__green_real()->select(count, in, out, except, timeout);
    if (timeout != NULL)
        deadline = cel__green_deadline(timeout->tv_sec + timeout->tv_usec / 1000000,
                                       timeout->tv_usec % 1000000 * CEL_MICROSECOND);
    r = select_until(count, in, out, except, deadline); /* parks */
    if (timeout != NULL)
        tell_left(timeout, deadline);
    return r;
}

int pselect(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except,
            const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    if (!GREEN_MAY_PARK() || mask != NULL || count < 0 || count > FD_SETSIZE ||
        (timeout != NULL && !is_time(timeout)))
        return cel__green_real()->pselect(count, in, out, except, timeout, mask);
    return select_until(count, in, out, except, after(timeout)); /* parks */
}

/* ---- epoll ---- */

/* (parks) An epoll is itself readable when it has events. */
static int epoll_until(int ep, struct epoll_event *events, int max, int64_t deadline)
{
    int r = deadline == NO_WAIT ? 0 : 1, ready;

    cel__green_credit(); /* parks */
    for (;;) {
        ready = cel__green_real()->epoll_pwait(ep, events, max, 0, NULL);
        if (ready != 0 || r == 0)
            return ready;
        r = cel__green_wait(ep, POLLIN, deadline); /* parks */
        if (r < 0)
            return cel__green_result(r);
    }
}

int epoll_wait(int ep, struct epoll_event *events, int max, int ms)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->epoll_pwait(ep, events, max, ms, NULL);
    return epoll_until(ep, events, max, after_ms(ms)); /* parks */
}

int epoll_pwait(int ep, struct epoll_event *events, int max, int ms, const sigset_t *mask)
{
    if (!GREEN_MAY_PARK() || mask != NULL)
        return cel__green_real()->epoll_pwait(ep, events, max, ms, mask);
    return epoll_until(ep, events, max, after_ms(ms)); /* parks */
}

int epoll_pwait2(int ep, struct epoll_event *events, int max, const struct timespec *timeout,
                 const sigset_t *mask)
{
    if (!GREEN_MAY_PARK() || mask != NULL || (timeout != NULL && !is_time(timeout))) {
        if (cel__green_real()->epoll_pwait2 == NULL)
            return cel__green_result(-ENOSYS);
        return cel__green_real()->epoll_pwait2(ep, events, max, timeout, mask);
    }
    return epoll_until(ep, events, max, after(timeout)); /* parks */
}

int __poll(struct pollfd *fds, nfds_t count, int ms) __attribute__((alias("poll")));
int __select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except,
             struct timeval *restrict timeout) __attribute__((alias("select")));
