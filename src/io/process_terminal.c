/* SPDX-License-Identifier: MIT */
/* A terminal of a child's own. The child opens its side in a new session, by which it becomes the
 * one that ^C and a hang-up come from; this process keeps the other. Linux tells the end there,
 * when nobody has the terminal open any more, by EIO. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "celadon/terminal.h"
#include "io/process.h"
#include "io/stream.h"

#define ROWS    24
#define COLUMNS 80

static ssize_t read_shown(struct cel_stream *s, void *buf, size_t len)
{
    ssize_t n = cel__plain.read(s, buf, len); /* parks */

    return n == -EIO ? 0 : n;
}

static ssize_t fill_shown(struct cel_stream *s, struct cel__unread *u)
{
    ssize_t n = cel__plain.fill(s, u); /* parks */

    return n == -EIO ? 0 : n;
}

static ssize_t write_typed(struct cel_stream *s, const void *buf, size_t len)
{
    return cel__plain.write(s, buf, len); /* parks */
}

static ssize_t writev_typed(struct cel_stream *s, struct iovec *iov, int count)
{
    return cel__plain.writev(s, iov, count); /* parks */
}

static int refuse_shutdown(struct cel_stream *s)
{
    return -ENOTSOCK;
}

static bool never_quiet(struct cel_stream *s)
{
    return false;
}

static void no_farewell(struct cel_stream *s)
{
}

static const struct cel__transport terminal = {
    .read = read_shown,
    .fill = fill_shown,
    .write = write_typed,
    .writev = writev_typed,
    .shutdown = refuse_shutdown,
    .is_quiet = never_quiet,
    .farewell = no_farewell,
};

int cel__process_terminal_open(int *fd, char *path, size_t size,
                               const struct cel_process_options *options)
{
    struct cel_terminal_size whole = *options->terminal;
    int r = 0;

    *fd = cel__sys.openat(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
    if (*fd < 0 || cel__sys.ptsname(*fd, path, size) < 0)
        return -errno;
    if (whole.rows == 0 || whole.columns == 0)
        whole = (struct cel_terminal_size){ROWS, COLUMNS};
    r = cel_terminal_set_size(*fd, &whole);
    if (r == 0 && options->identity != NULL &&
        cel__sys.fchownat(AT_FDCWD, path, options->identity->uid, (gid_t)-1, 0) < 0)
        r = -errno;
    return r;
}

int cel__process_terminal_take(struct cel_process *p, int fd)
{
    int r = cel_stream_open(&p->terminal, fd, true);

    if (r == 0)
        p->terminal->via = &terminal;
    return r;
}

struct cel_stream *cel_process_terminal(const struct cel_process *p)
{
    return p->terminal;
}
