/* SPDX-License-Identifier: MIT */
/* IO by completion callback: the public face of ops for programs without tasks.
 * An op that ends at once reports through the `soon` queue all the same, so a callback
 * never runs inside the call that started it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/sys.h"
#include "loop/core.h"

struct cel_handle {
    struct cel_loop *loop;
    struct cel__fd *fd;
};

struct cel_op {
    struct cel__op op;
    struct cel__soon soon;
    struct cel_loop *loop;
    cel_op_fn *fn;
    void *arg;
};

int cel_handle_open(struct cel_loop *loop, struct cel_handle **out, int fd, bool owns)
{
    struct cel_handle *handle;
    int flags = cel__sys.fcntl(fd, F_GETFL, 0), type, r;
    socklen_t len = sizeof type;

    if (flags < 0 || cel__sys.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    handle = cel__mem_zalloc(sizeof *handle);
    if (handle == NULL)
        return -ENOMEM;
    handle->loop = loop;
    r = cel__fd_open(loop, &handle->fd, fd, owns);
    if (r < 0) {
        cel__mem_free(handle);
        return r;
    }
    if (cel__sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
        handle->fd->is_stream = type == SOCK_STREAM;
    handle->fd->may_be_copy = 1;
    *out = handle;
    return 0;
}

void cel_handle_close(struct cel_handle *handle)
{
    if (handle == NULL)
        return;
    cel__fd_close(handle->loop, handle->fd);
    cel__mem_free(handle);
}

static void report(struct cel__soon *soon)
{
    struct cel_op *op = cel__container_of(soon, struct cel_op, soon);
    cel_op_fn *fn = op->fn;
    void *arg = op->arg;
    int64_t result = op->op.result;

    op->loop->holds--;
    cel__mem_free(op);
    fn(arg, result);
}

static void on_done(struct cel__op *op)
{
    struct cel_op *self = cel__container_of(op, struct cel_op, op);

    self->loop->holds++;
    cel__loop_soon(self->loop, &self->soon);
}

static int start(struct cel_handle *handle, struct cel__op what, cel_op_fn *fn, void *arg,
                 struct cel_op **out)
{
    struct cel_op *op;

    if (handle->fd->is_closing)
        return -CEL_ECLOSED;
    op = cel__mem_zalloc(sizeof *op);
    if (op == NULL)
        return -ENOMEM;
    op->op = what;
    op->op.fd = handle->fd;
    op->op.done = on_done;
    op->soon.run = report;
    op->loop = handle->loop;
    op->fn = fn;
    op->arg = arg;
    if (out != NULL)
        *out = op;
    if (cel__op_start(handle->loop, &op->op) != 0)
        on_done(&op->op);
    return 0;
}

int cel_op_read(struct cel_handle *handle, void *buf, size_t len, cel_op_fn *fn, void *arg,
                struct cel_op **op)
{
    return start(handle, (struct cel__op){.kind = CEL__OP_READ, .buf = buf, .len = len}, fn, arg,
                 op);
}

int cel_op_write(struct cel_handle *handle, const void *buf, size_t len, cel_op_fn *fn, void *arg,
                 struct cel_op **op)
{
    return start(handle, (struct cel__op){.kind = CEL__OP_WRITE, .buf = (void *)buf, .len = len},
                 fn, arg, op);
}

int cel_op_accept(struct cel_handle *handle, cel_op_fn *fn, void *arg, struct cel_op **op)
{
    return start(handle, (struct cel__op){.kind = CEL__OP_ACCEPT}, fn, arg, op);
}

int cel_op_poll(struct cel_handle *handle, short events, cel_op_fn *fn, void *arg,
                struct cel_op **op)
{
    return start(handle, (struct cel__op){.kind = CEL__OP_POLL, .events = events}, fn, arg, op);
}

void cel_op_cancel(struct cel_op *op)
{
    cel__op_cancel(op->loop, &op->op, -ECANCELED);
}
