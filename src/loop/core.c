/* SPDX-License-Identifier: MIT */
/* Descriptors come under a loop's care and leave it: the table's part and the backend's. */
#include "loop/core.h"

#include "base/log.h"

#define NAMED_MAX 8 /* of what was left open; the rest is counted */

int cel__fd_open(struct cel_loop *loop, struct cel__fd **out, int fd, bool owns)
{
    struct cel__fd *f;
    int r;

    CEL__ASSERT(loop != NULL && "this call needs a loop: cel_run or cel_loop_new");
    r = cel__fd_table_take(&loop->fds, &f);
    if (r < 0)
        return r;
    f->fd = fd;
    f->owns = owns;
    f->ready = CEL__FD_IN | CEL__FD_OUT;
    r = loop->backend->attach(loop, f);
    if (r < 0) {
        cel__fd_table_give(&loop->fds, f);
        return r;
    }
    loop->fds.live++;
    *out = f;
    return 0;
}

void cel__fd_close(struct cel_loop *loop, struct cel__fd *f)
{
    if (f == NULL)
        return;
    CEL__ASSERT(!f->is_closing);
    f->is_closing = 1;
    loop->fds.closing++;
    loop->backend->detach(loop, f);
}

void cel__fd_release(struct cel_loop *loop, struct cel__fd *f)
{
    loop->fds.live--;
    loop->fds.closing--;
    if (cel__unlikely(!cel__list_is_empty(&loop->starved)))
        cel__list_splice(&loop->soon, &loop->starved);
    cel__fd_table_give(&loop->fds, f);
}

static bool is_waited_for(const struct cel__fd *f)
{
    return !cel__list_is_empty(&f->readers) || !cel__list_is_empty(&f->writers);
}

static void tell_left_open(const struct cel__fd *f)
{
    cel__log(CEL_LOG_WARN, "descriptor %d%s%s%s was left open, with %s waiting", f->fd,
             f->what != NULL ? " (" : "", f->what != NULL ? f->what : "",
             f->what != NULL ? ")" : "", is_waited_for(f) ? "operations" : "nobody");
}

uint32_t cel__fd_close_all(struct cel_loop *loop)
{
    uint32_t closed = 0;
    struct cel__fd *f;

    for (uint32_t slot = 0; (f = cel__fd_at(loop, slot)) != NULL; slot++) {
        if (f->fd < 0 || f->is_closing)
            continue;
        if (closed < NAMED_MAX)
            tell_left_open(f);
        cel__fd_close(loop, f);
        closed++;
    }
    return closed;
}
