/* SPDX-License-Identifier: MIT */
/* What is left of a loop in a forked child: the kernel's side of it is the parent's, and the memory
 * that the two share was not copied. So each way to the kernel refuses, and a descriptor that is
 * closed is only this process's copy. It costs the loops of the living nothing. */
#include "base/clock.h"
#include "base/sys.h"
#include "loop/core.h"

static int refuse_open(struct cel_loop *loop)
{
    return -CEL_EFORK;
}

static void forget(struct cel_loop *loop)
{
}

static int refuse_attach(struct cel_loop *loop, struct cel__fd *f)
{
    return -CEL_EFORK;
}

/* What was in flight on it ends in the parent. */
static void close_copy(struct cel_loop *loop, struct cel__fd *f)
{
    if (f->owns)
        cel__sys.close(f->fd);
    cel__list_init(&f->readers);
    cel__list_init(&f->writers);
    cel__fd_release(loop, f);
}

static int refuse_start(struct cel_loop *loop, struct cel__op *op)
{
    return -CEL_EFORK;
}

static void ignore_cancel(struct cel_loop *loop, struct cel__op *op)
{
}

static void keep_loan(struct cel_loop *loop, const struct cel__loan *loan)
{
}

static int refuse_wait(struct cel_loop *loop, int64_t until)
{
    return -CEL_EFORK;
}

static int64_t forked_now(struct cel_loop *loop)
{
    return cel__clock_monotonic();
}

const struct cel__backend cel__forked_backend = {
    .name = "forked",
    .open = refuse_open,
    .close = forget,
    .attach = refuse_attach,
    .detach = close_copy,
    .start = refuse_start,
    .cancel = ignore_cancel,
    .loan_return = keep_loan,
    .wait = refuse_wait,
    .wake = forget,
    .now = forked_now,
};
