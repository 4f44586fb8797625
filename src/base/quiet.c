/* SPDX-License-Identifier: MIT */
/* How a program handles SIGPIPE is not ours to change, and pipes, splice and sendfile know no
 * MSG_NOSIGNAL. So it is blocked around the call. One that came of it is pending then for this
 * thread, and is taken; one that was pending before is somebody else's and stays. Only a thread
 * that blocks it anyway can have one pending, so only there it is asked for. */
#include "base/quiet.h"

#include <errno.h>
#include <pthread.h>

#include "base/sys.h"

void cel__quiet_begin(struct cel__quiet *q)
{
    sigset_t pending;

    sigemptyset(&q->pipe_only);
    sigaddset(&q->pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &q->pipe_only, &q->before);
    q->was_pending = sigismember(&q->before, SIGPIPE) && sigpending(&pending) == 0 &&
                     sigismember(&pending, SIGPIPE);
}

ssize_t cel__quiet_end(struct cel__quiet *q, ssize_t n)
{
    static const struct timespec at_once;

    if (n < 0)
        n = -errno;
    if (n == -EPIPE && !q->was_pending) /* one that stayed would come when the mask is as before */
        while (cel__sys.sigtimedwait(&q->pipe_only, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
    return n;
}
