/* SPDX-License-Identifier: MIT */
/* sigwait and its kin: a signalfd tells that one of the set is pending, and libc's own function
 * takes it. The set is blocked in the thread, as these functions demand, so all its tasks run so.
 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <celadon/base.h>

#include "real.h"
#include "pause.h"

/* A signal, or -errno. */
static int take(const sigset_t *set, siginfo_t *info)
{
    const struct timespec none = {0};
    int signo = cel__green_real()->sigtimedwait(set, info, &none);

    return signo > 0 ? signo : -errno;
}

/* (parks) A signal; -EAGAIN when the time is over. */
static int await_signal(const sigset_t *set, siginfo_t *info, int64_t deadline)
{
    int saved = errno, fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC), r = 1, signo;

    if (fd < 0)
        return -errno;
    for (;;) {
        signo = take(set, info);
        if ((signo != -EAGAIN && signo != -EINTR) || r <= 0)
            break;
        r = cel__green_wait(fd, POLLIN, deadline); /* parks */
    }
    (void)cel__green_real()->close(fd);
    errno = saved;
    return signo < 0 && r < 0 ? r : signo;
}

int sigwait(const sigset_t *restrict set, int *restrict signo)
{
    int r;

    if (GREEN_MAY_PARK()) {
        r = await_signal(set, NULL, CEL_FOREVER); /* parks */
    } else {
        do
            r = cel__green_real()->sigtimedwait(set, NULL, NULL);
        while (r < 0 && errno == EINTR);
        r = r < 0 ? -errno : r;
    }
    if (r < 0)
        return -r;
    *signo = r;
    return 0;
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    if (!GREEN_MAY_PARK())
        return cel__green_real()->sigtimedwait(set, info, NULL);
    return cel__green_result(await_signal(set, info, CEL_FOREVER)); /* parks */
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict timeout)
{
    int64_t deadline = CEL_FOREVER;

    if (!GREEN_MAY_PARK() || (timeout != NULL && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
                                                  timeout->tv_nsec >= CEL_SECOND)))
        return cel__green_real()->sigtimedwait(set, info, timeout);
    if (timeout != NULL)
        deadline = cel__green_deadline(timeout->tv_sec, timeout->tv_nsec);
    return cel__green_result(await_signal(set, info, deadline)); /* parks */
}
