/* SPDX-License-Identifier: MIT */
/* What TCP does on its own: when it sends, and when it gives a silent peer up. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/sys.h"
#include "io/stream.h"

static int set(struct cel_stream *s, int level, int name, int value)
{
    return cel__sys.setsockopt(s->fd->fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* In units of `unit` ns, rounded up; -1: out of range. */
static int in_units(int64_t ns, int64_t unit)
{
    int64_t n = ns / unit + (ns % unit != 0);

    return ns < 0 || n > INT_MAX ? -1 : (int)n;
}

int cel_stream_set_nodelay(struct cel_stream *s, bool is_on)
{
    return set(s, IPPROTO_TCP, TCP_NODELAY, is_on);
}

int cel_stream_set_keepalive(struct cel_stream *s, int64_t idle, int64_t interval, int probes)
{
    int first = in_units(idle, CEL_SECOND), next = in_units(interval, CEL_SECOND), r;

    if (idle == 0)
        return set(s, SOL_SOCKET, SO_KEEPALIVE, 0);
    if (first < 1 || next < 1 || probes < 1)
        return -EINVAL;
    r = set(s, IPPROTO_TCP, TCP_KEEPIDLE, first);
    if (r == 0)
        r = set(s, IPPROTO_TCP, TCP_KEEPINTVL, next);
    if (r == 0)
        r = set(s, IPPROTO_TCP, TCP_KEEPCNT, probes);
    return r < 0 ? r : set(s, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int cel_stream_set_user_timeout(struct cel_stream *s, int64_t timeout)
{
    int ms = in_units(timeout, CEL_MILLISECOND);

    return ms < 0 ? -EINVAL : set(s, IPPROTO_TCP, TCP_USER_TIMEOUT, ms);
}
