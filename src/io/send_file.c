/* SPDX-License-Identifier: MIT */
/* Files to sockets without a copy. sendfile(2) knows no MSG_NOSIGNAL: the signal of a peer that has
 * gone is held back and taken away, in this thread and for this call only. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/sys.h"
#include "io/stream.h"

ssize_t cel__stream_send_file(struct cel_stream *s, int fd, int64_t offset, size_t len)
{
    static const struct timespec at_once;
    sigset_t broken_pipe, before;
    off_t at = offset;
    ssize_t n;

    if (s->via != &cel__plain || !s->fd->is_stream)
        return 0;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    n = cel__sys.sendfile(s->fd->fd, fd, &at, len);
    if (n < 0)
        n = -errno;
    if (n == -EPIPE && !sigismember(&before, SIGPIPE))
        while (cel__sys.sigtimedwait(&broken_pipe, NULL, &at_once) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (n == 0)
        return -CEL_ETRUNCATED;
    /* EINVAL: the file system cannot; reading it may work. */
    return n == -EAGAIN || n == -EINTR || n == -EINVAL || n == -ENOSYS ? 0 : n;
}
