/* SPDX-License-Identifier: MIT */
/* sendfile, splice and tee. They have no flag that works on sockets, so O_NONBLOCK is set for the
 * length of the call, as for a connect (meet.c). What waits is the end that is not ready. */
#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>

#include <celadon/base.h>

#include "real.h"
#include "pause.h"
#include "transfer.h"

/* A descriptor that is non-blocking for the length of a call. */
struct guise {
    int fd, flags;
};

static struct guise put_on(int fd)
{
    struct guise g = {fd, cel__green_real()->fcntl(fd, F_GETFL)};

    if (g.flags >= 0 && !(g.flags & O_NONBLOCK))
        (void)cel__green_real()->fcntl(fd, F_SETFL, g.flags | O_NONBLOCK);
    return g;
}

static void put_off(const struct guise *g)
{
    int saved = errno;

    if (g->flags >= 0 && !(g->flags & O_NONBLOCK))
        (void)cel__green_real()->fcntl(g->fd, F_SETFL, g->flags);
    errno = saved;
}

static bool can_wait(int fd)
{
    enum cel__green_kind kind = cel__green_kind(fd);

    return kind == CEL__GREEN_SOCKET || kind == CEL__GREEN_PIPE;
}

/* ---- sendfile ---- */

static ssize_t try_sendfile(int out, int in, off_t *offset, size_t count)
{
    struct guise g = put_on(out);
    ssize_t n = cel__green_real()->sendfile(out, in, offset, count);

    put_off(&g);
    return n;
}

/* (parks) */
static ssize_t sendfile_whole(int out, int in, off_t *offset, size_t count)
{
    struct cel__green_pause pause = {.fd = out, .events = POLLOUT, .option = SO_SNDTIMEO};
    size_t done = 0;
    ssize_t n;
    int r;

    while (done < count) {
        n = try_sendfile(out, in, offset, count - done);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return done > 0 ? (ssize_t)done : n;
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        r = cel__green_pause(&pause); /* parks */
        if (r < 0)
            return done > 0 ? (ssize_t)done : cel__green_result(r);
    }
    return (ssize_t)done;
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    if (!GREEN_MAY_PARK() || count == 0 || !can_wait(out))
        return cel__green_real()->sendfile(out, in, offset, count);
    cel__green_credit();                           /* parks */
    return sendfile_whole(out, in, offset, count); /* parks */
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
    __attribute__((alias("sendfile")));

/* ---- splice and tee ---- */

static bool is_ready(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};

    return cel__green_real()->poll(&one, 1, 0) != 0;
}

/* (parks) The call said EAGAIN: 0 when it may be tried again. */
static int await_end(struct cel__green_pause *in, struct cel__green_pause *out)
{
    bool is_filled = !can_wait(in->fd) || is_ready(in->fd, POLLIN);

    return cel__green_pause(is_filled ? out : in); /* parks */
}

/* (parks) `is_tee`: the bytes stay in the first pipe. */
static ssize_t move(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t len,
                    unsigned flags, bool is_tee)
{
    struct cel__green_pause from = {.fd = in, .events = POLLIN, .option = SO_RCVTIMEO};
    struct cel__green_pause to = {.fd = out, .events = POLLOUT, .option = SO_SNDTIMEO};
    int r = 0;

    cel__green_credit(); /* parks */
    while (r == 0) {
        struct guise a = put_on(in), b = put_on(out);
        ssize_t n = is_tee ? cel__green_real()->tee(in, out, len, flags | SPLICE_F_NONBLOCK)
                           : cel__green_real()->splice(in, in_offset, out, out_offset, len,
                                                       flags | SPLICE_F_NONBLOCK);

        put_off(&b);
        put_off(&a);
        if (n >= 0 || errno != EAGAIN)
            return n;
        r = await_end(&from, &to); /* parks */
    }
    return cel__green_result(r);
}

ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t len, unsigned flags)
{
    if (!GREEN_MAY_PARK() || flags & SPLICE_F_NONBLOCK)
        return cel__green_real()->splice(in, in_offset, out, out_offset, len, flags);
    return move(in, in_offset, out, out_offset, len, flags, false); /* parks */
}

ssize_t tee(int in, int out, size_t len, unsigned flags)
{
    if (!GREEN_MAY_PARK() || flags & SPLICE_F_NONBLOCK)
        return cel__green_real()->tee(in, out, len, flags);
    return move(in, NULL, out, NULL, len, flags, true); /* parks */
}
