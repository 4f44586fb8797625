/* SPDX-License-Identifier: MIT */
#include "task/wait.h"

#include <errno.h>

#include "base/report.h"
#include "task/strict.h"

#define HEAVY_BYTES 65536 /* moved by one call: a good part of a turn */
#define WARM_LINES  10

void cel__checkpoint_refused(struct cel__scope *scope)
{
    struct cel__tasks *tasks = cel__loop_here->tasks;

    if (tasks->strict != NULL)
        cel__strict_refused(scope);
}

void cel__park(struct cel_task *task, const struct cel__wait *wait, void *wait_on)
{
    task->wait = wait;
    task->wait_on = wait_on;
    task->fiber.since = cel__since(cel__loop_here->now);
    CEL__TRACE(cel__loop_here, task_park, task, (intptr_t)wait->what);
    cel__credit_fill(cel__loop_here);
    cel__sched_park(&cel__loop_here->sched); /* parks */
    CEL__TRACE(cel__loop_here, task_resume, task, 0);
    task->wait = NULL;
}

/* Of a number that is no number of bytes nothing is large. */
static bool is_heavy(const struct cel__op *op)
{
    return cel__unlikely(op->result >= HEAVY_BYTES) && op->kind != CEL__OP_ACCEPT;
}

/* Much may have been moved within the turn that asked for it, as io_uring does: that is a share
 * like any other. */
static void op_done(struct cel__op *op)
{
    struct cel_task *task = op->arg;

    if (is_heavy(op))
        cel__sched_ready_tired(&cel__loop_here->sched, &task->fiber);
    else
        cel__unpark(task);
}

static void interrupt_op(struct cel_task *task, int code)
{
    cel__op_cancel(cel__loop_here, task->wait_on, code);
}

static void tell_op(struct cel__report *to, const struct cel_task *task)
{
    const struct cel__op *op = task->wait_on;

    cel__report_str(to, cel__op_name(op));
    if (op->fd == NULL)
        return;
    cel__report_str(to, " on descriptor ");
    cel__report_number(to, op->fd->fd);
}

static const struct cel__wait op_wait = {
    .what = "in the kernel: ", .interrupt = interrupt_op, .tell = tell_op, .on = CEL__ON_OP};
static const struct cel__wait op_wait_shielded = {
    .what = "in the kernel, shielded: ", .tell = tell_op, .on = CEL__ON_OP};

void cel__credit_renew(struct cel_loop *loop)
{
    cel__credit_fill(loop);
    cel__sched_tire(&loop->sched); /* parks */
}

int cel__rest(void)
{
    int code = cel__checkpoint(cel__task_parking());

    if (code == 0)
        cel__credit_renew(cel__loop_here); /* parks */
    return code;
}

/* (parks) Whoever lets newcomers in, as connections or by datagrams, stands with them: among the
 * tired it would keep them all waiting. Of the others only readiness is left, which is no bytes. */
static CEL__NOINLINE void charge_door(struct cel_loop *loop)
{
    if (--loop->credit > 0 && !CEL__BUGGIFY())
        return;
    cel__credit_fill(loop);
    cel__sched_yield(&loop->sched); /* parks */
}

/* (parks) For a result that was there at once. */
static inline void charge(struct cel_loop *loop, const struct cel__op *op)
{
    if (cel__likely(op->kind <= CEL__OP_WRITEV || op->kind == CEL__OP_SENDMSG))
        cel__credit_take_for(loop, op->result); /* parks */
    else
        charge_door(loop); /* parks */
}

/* Among many tasks the next one's stack has long left the caches: fetch it while the kernel is busy
 * with this one's call. The fiber after that is only named, so that its stack can be found then. */
static inline void warm_next(struct cel_loop *loop)
{
    const struct cel_fiber *next = loop->sched.current->link;
    const char *stack = next->ctx.sp;

    __builtin_prefetch(next->link);
    __builtin_prefetch((const char *)next - 64);
    for (int line = 0; line < WARM_LINES; line++)
        __builtin_prefetch(stack + line * 64);
}

static int64_t do_op(struct cel_task *task, struct cel__op *op, const struct cel__wait *wait)
{
    struct cel_loop *loop = cel__loop_here;
    int r;

    op->done = op_done;
    op->arg = task;
    warm_next(loop);
    r = cel__op_start(loop, op);
    if (r < 0)
        return r;
    if (r == 1)
        charge(loop, op); /* parks */
    else
        cel__park(task, wait, op); /* parks */
    return op->result;
}

int64_t cel__wait_op(struct cel__op *op)
{
    struct cel_task *task = cel__task_parking();
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    return do_op(task, op, &op_wait); /* parks */
}

int64_t cel__wait_op_shielded(struct cel__op *op)
{
    return do_op(cel__task_parking(), op, &op_wait_shielded); /* parks */
}

struct place {
    struct cel__list link;
    const struct cel__waitq *line;
    struct cel_task *task;
    int code;
};

static void leave_line(struct cel_task *task, int code)
{
    struct place *place = task->wait_on;

    if (cel__list_is_empty(&place->link))
        return; /* woken already: that result stands */
    cel__list_unlink(&place->link);
    place->code = code;
    cel__unpark(task);
}

static void tell_line(struct cel__report *to, const struct cel_task *task)
{
    const struct place *place = task->wait_on;

    if (place->line->what != NULL)
        cel__report_str(to, place->line->what);
    if (place->line->of != NULL) {
        cel__report_str(to, " ");
        cel__report_str(to, place->line->of);
    }
}

static const struct cel__wait line_wait = {.what = "in line for ",
                                           .interrupt = leave_line,
                                           .tell = tell_line,
                                           .on = CEL__ON_LINE,
                                           .at = offsetof(struct place, line)};

int cel__waitq_park(struct cel__waitq *q)
{
    struct cel_task *task = cel__task_parking();
    struct place place = {.line = q, .task = task};
    int code = cel__checkpoint(task);

    if (code != 0)
        return code;
    cel__list_append(&q->parked, &place.link);
    cel__park(task, &line_wait, &place); /* parks */
    return place.code;
}

bool cel__waitq_wake_one(struct cel__waitq *q)
{
    struct cel__list *node = cel__list_pop(&q->parked);

    if (node == NULL)
        return false;
    cel__unpark(cel__container_of(node, struct place, link)->task);
    return true;
}

void cel__waitq_wake_all(struct cel__waitq *q)
{
    while (cel__waitq_wake_one(q))
        continue;
}
