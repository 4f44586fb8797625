/* SPDX-License-Identifier: MIT */
/* recvmmsg and sendmmsg: as many messages as come at once, then a wait for the others, as the
 * kernel does it for who blocks. An error is told when no message came before it. */
#include <errno.h>

#include <celadon/base.h>

#include "real.h"
#include "pause.h"
#include "transfer.h"

static bool is_time(const struct timespec *t)
{
    return t == NULL || (t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < CEL_SECOND);
}

static void tell_left(struct timespec *timeout, int64_t deadline)
{
    int64_t left = deadline - cel_now();

    left = left > 0 ? left : 0;
    *timeout = (struct timespec){.tv_sec = left / CEL_SECOND, .tv_nsec = left % CEL_SECOND};
}

/* (parks) */
static int receive_batch(struct cel__green_pause *pause, struct mmsghdr *messages, unsigned count,
                         int flags)
{
    unsigned done = 0;
    int n, r;

    while (done < count && !(done > 0 && flags & MSG_WAITFORONE)) {
        n = cel__green_real()->recvmmsg(pause->fd, messages + done, count - done,
                                        (flags | MSG_DONTWAIT) & ~MSG_WAITFORONE, NULL);
        if (n > 0)
            done += (unsigned)n;
        if (n > 0)
            continue;
        if (n < 0 && errno != EAGAIN)
            return done > 0 ? (int)done : -1;
        r = cel__green_pause(pause); /* parks */
        if (r < 0)
            return done > 0 ? (int)done : cel__green_result(r);
    }
    return (int)done;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    struct cel__green_pause pause = {.fd = fd, .events = POLLIN, .option = SO_RCVTIMEO};
    int64_t limit = CEL_FOREVER;
    int r;

    if (!GREEN_MAY_PARK() || flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB) || count == 0 ||
        !is_time(timeout))
        return cel__green_real()->recvmmsg(fd, messages, count, flags, timeout);
    cel__green_credit(); /* parks */
    if (timeout != NULL) {
        limit = cel__green_deadline(timeout->tv_sec, timeout->tv_nsec);
        cel__green_pause_limit(&pause, limit);
    }
    r = receive_batch(&pause, messages, count, flags); /* parks */
    if (timeout != NULL)
        tell_left(timeout, limit);
    return r;
}

/* (parks) One after the other, each whole: what a stream took part of must not be followed. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    unsigned done = 0;

    if (!GREEN_MAY_PARK() || flags & (MSG_DONTWAIT | MSG_FASTOPEN))
        return cel__green_real()->sendmmsg(fd, messages, count, flags);
    for (; done < count; done++) {
        ssize_t n = cel__green_send(fd, &messages[done].msg_hdr, flags); /* parks */

        if (n < 0)
            return done > 0 ? (int)done : -1;
        messages[done].msg_len = (unsigned)n;
    }
    return (int)done;
}
