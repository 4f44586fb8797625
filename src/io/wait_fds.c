/* SPDX-License-Identifier: MIT */
/* Several foreign descriptors at once: an op for each; the first that ends ends the others. */
#include <errno.h>
#include <fcntl.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/report.h"
#include "base/sys.h"
#include "celadon/net.h"
#include "loop/core.h"
#include "task/wait.h"

#define FEW 8

struct member;

struct crowd {
    struct cel_task *task;
    const struct member *members;
    size_t count;
    unsigned in_flight, ended;
    int code; /* of the scopes around, or 0 */
    bool is_parked;
};

struct member {
    struct cel__op op;
    struct cel__fd *fd; /* NULL: not waited for */
};

static void rouse(struct crowd *c)
{
    if (!c->is_parked)
        return;
    c->is_parked = false;
    cel__unpark(c->task);
}

static void on_ready(struct cel__op *op)
{
    struct crowd *c = op->arg;

    c->in_flight--;
    c->ended++;
    rouse(c);
}

static void on_interrupt(struct cel_task *task, int code)
{
    struct crowd *c = task->wait_on;

    c->code = code;
    rouse(c);
}

static void tell(struct cel__report *to, const struct cel_task *task)
{
    const struct crowd *c = task->wait_on;

    for (size_t i = 0; i < c->count; i++) {
        if (c->members[i].fd == NULL || !c->members[i].op.is_in_flight)
            continue;
        cel__report_str(to, " ");
        cel__report_number(to, c->members[i].fd->fd);
    }
}

static const struct cel__wait any_wait = {
    .what = "for the first of the descriptors", .interrupt = on_interrupt, .tell = tell};
static const struct cel__wait end_wait = {.what = "for the kernel to let go of the descriptors",
                                          .tell = tell};

/* (parks) */
static void park(struct crowd *c, const struct cel__wait *wait)
{
    c->is_parked = true;
    cel__park(c->task, wait, c); /* parks */
}

static int start_op(struct member *m, struct crowd *c, int fd, short events, bool owns)
{
    int r = cel__fd_open(cel__loop_here, &m->fd, fd, owns);

    if (r < 0)
        return r;
    m->fd->may_be_copy = owns;
    m->op = (struct cel__op){
        .kind = CEL__OP_POLL, .fd = m->fd, .events = events, .done = on_ready, .arg = c};
    cel__list_init(&m->op.link);
    r = cel__op_start(cel__loop_here, &m->op);
    if (r == 0)
        c->in_flight++;
    else if (r == 1)
        c->ended++;
    return r < 0 ? r : 0;
}

/* epoll knows a number once: who comes second waits by a copy. */
static int start(struct member *m, struct crowd *c, const struct pollfd *p)
{
    int r = start_op(m, c, p->fd, p->events, false), copy;

    if (r < 0 || m->op.is_in_flight || m->op.result != -EEXIST)
        return r;
    c->ended--;
    cel__fd_close(cel__loop_here, m->fd);
    m->fd = NULL;
    copy = cel__sys.fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return -errno;
    r = start_op(m, c, copy, p->events, true);
    if (r < 0 && m->fd == NULL)
        cel__sys.close(copy);
    return r;
}

static int start_all(struct member *m, struct crowd *c, const struct pollfd *fds, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        if (fds[i].fd >= 0)
            r = start(&m[i], c, &fds[i]);
    return r;
}

/* (parks) Until none is in flight. */
static void end_all(struct member *m, struct crowd *c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (m[i].fd != NULL)
            cel__op_cancel(cel__loop_here, &m[i].op, -ECANCELED);
    while (c->in_flight > 0)
        park(c, &end_wait); /* parks */
}

/* -> how many are ready; or the first error there was. */
static int collect(struct member *m, struct pollfd *fds, size_t count)
{
    int ready = 0, error = 0;

    for (size_t i = 0; i < count; i++) {
        fds[i].revents = 0;
        if (m[i].fd == NULL)
            continue;
        if (m[i].op.result > 0) {
            fds[i].revents = (short)m[i].op.result;
            ready++;
        } else if (error == 0 && m[i].op.result != -ECANCELED) {
            error = (int)m[i].op.result;
        }
        cel__fd_close(cel__loop_here, m[i].fd);
    }
    return ready > 0 ? ready : error;
}

/* (parks) */
static int wait_for(struct member *m, struct pollfd *fds, size_t count)
{
    struct crowd c = {.task = cel__task_parking(), .members = m, .count = count};
    int r = cel__checkpoint(c.task), ready;

    if (r == 0)
        r = start_all(m, &c, fds, count);
    if (r == 0 && c.in_flight == 0 && c.ended == 0)
        r = -EINVAL;
    if (r == 0 && c.ended == 0)
        park(&c, &any_wait); /* parks */
    end_all(m, &c, count);   /* parks */
    ready = collect(m, fds, count);
    if (r == 0 && ready == 0)
        r = c.code != 0 ? c.code : -EIO;
    for (size_t i = 0; r < 0 && i < count; i++)
        fds[i].revents = 0;
    return r < 0 ? r : ready;
}

int cel_wait_fds(struct pollfd *fds, size_t count)
{
    struct member few[FEW] = {0}, *m = few;
    int r;

    if (count > FEW) {
        m = cel__mem_array(count, sizeof *m);
        if (m == NULL)
            return -ENOMEM;
    }
    r = wait_for(m, fds, count); /* parks */
    if (m != few)
        cel__mem_free(m);
    return r;
}
