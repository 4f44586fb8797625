/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor that somebody else owns, a library's mostly. Nothing about it is
 * changed or kept: it may be closed and its number used again after the call. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "celadon/net.h"
#include "loop/core.h"
#include "task/wait.h"

/* (parks) */
static int64_t poll_once(int fd, short events, bool owns)
{
    struct cel__op op = {.kind = CEL__OP_POLL};
    int64_t r = cel__fd_open(cel__loop_here, &op.fd, fd, owns);

    if (r < 0 && owns)
        cel__sys.close(fd);
    if (r < 0)
        return r;
    op.fd->may_be_copy = owns;
    op.events = events;
    r = cel__wait_op(&op); /* parks */
    cel__fd_close(cel__loop_here, op.fd);
    return r;
}

int cel_wait_fd(int fd, short events)
{
    int64_t r = poll_once(fd, events, false); /* parks */
    int copy;

    if (r != -EEXIST)
        return (int)r;
    /* epoll knows the number: somebody waits for it too */
    copy = cel__sys.fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return -errno;
    return (int)poll_once(copy, events, true); /* parks */
}
