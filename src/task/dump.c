/* SPDX-License-Identifier: MIT */
/* The dump: the loop in one line, then each task with its state, its scopes and its backtrace, then
 * the circles in which tasks wait for each other. Of many tasks that wait in the same way one is
 * told, the one that has waited longest, and the others are counted.
 *
 * It needs some 8 KiB of the stack on which it is called. */
#include "task/dump.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/modules.h"
#include "fiber/frames.h"
#include "fiber/stack.h"
#include "task/alike.h"
#include "task/circle.h"
#include "task/dump_tree.h"
#include "task/slab.h"
#include "task/tell.h"
#include "task/wait.h"

#define FRAMES_MAX 32
#define EVENTS_MAX 32
#define SCOPES_MAX 16   /* said of one task; scopes may nest deeper */
#define PARK_BYTES 1024 /* of cel__park, at most */
#define FEW        3    /* so many tasks that wait in the same way are each told */

struct dump {
    struct cel__report to;
    struct cel__symbols known;
    const struct cel_loop *loop;
    const struct cel_dump_options *options;
    struct cel__alikes alikes;
    unsigned left_out; /* tasks that are not asked for */
};

/* ---- one task ---- */

/* From the innermost outwards. */
static void tell_scopes(struct cel__report *to, const struct cel_task *task)
{
    const struct cel__scope *scope = task->scope;

    for (int i = 0; i < SCOPES_MAX && scope != NULL && scope->task != NULL; i++) {
        cel__report_str(to, i == 0 ? "    in " : " < ");
        cel__report_scope(to, scope);
        scope = scope->parent;
    }
    cel__report_end(to);
}

static void tell_stack(struct cel__report *to, const struct cel_task *task)
{
    struct cel__extent stack = cel__frames_extent(task->fiber.top);
    uintptr_t sp = (uintptr_t)task->fiber.top->ctx.sp;

    if (task->fiber.state == CEL__FIBER_NEW || sp < stack.low || sp >= stack.high)
        return;
    cel__report_str(to, "; stack ");
    cel__report_number(to, (int64_t)(stack.high - sp));
    cel__report_str(to, " of ");
    cel__report_number(to, (int64_t)(stack.high - stack.low));
    cel__report_str(to, " bytes");
}

/* From cel__park on: how the scheduler left the task says nothing of where it waits, and there is
 * more than one way. */
static size_t drop_innermost(uintptr_t *frames, size_t count)
{
    for (size_t i = 1; i < count && i < 4; i++) {
        if (frames[i] - (uintptr_t)cel__park >= PARK_BYTES)
            continue;
        memmove(frames, frames + i, (count - i) * sizeof *frames);
        return count - i;
    }
    return count;
}

static size_t frames_of(const struct cel_loop *loop, const struct cel_task *task, uintptr_t *frames)
{
    if (cel__is_running(loop, task) || task->fiber.state == CEL__FIBER_NEW)
        return 0;
    return drop_innermost(frames, cel__frames_parked(task->fiber.top, frames, FRAMES_MAX));
}

static void tell_task(struct dump *d, const struct cel_task *task, const uintptr_t *frames,
                      size_t count)
{
    struct cel__report *to = &d->to;

    cel__report_str(to, "task ");
    cel__report_hex(to, (uintptr_t)task);
    cel__report_str(to, " ");
    cel__report_task(to, task);
    cel__report_state(to, d->loop, task);
    if (!cel__is_running(d->loop, task))
        tell_stack(to, task);
    cel__report_end(to);
    tell_scopes(to, task);
    cel__report_frames(to, &d->known, frames, count);
}

static void tell_others(struct dump *d, const struct cel__alike *alike)
{
    struct cel__report *to = &d->to;

    cel__report_str(to, "    and ");
    cel__report_number(to, alike->count - 1);
    cel__report_str(to, " more like it");
    if (cel__is_parked(d->loop, alike->told)) {
        cel__report_str(to, ", the last for ");
        cel__report_duration(to, cel__parked_for(to, alike->since));
    }
    cel__report_end(to);
}

/* ---- all of them ---- */

static bool is_wanted(const struct dump *d, const struct cel_task *task)
{
    return d->options->parked_for <= 0 ||
           (cel__is_parked(d->loop, task) &&
            cel__parked_for(&d->to, task->fiber.since) >= d->options->parked_for);
}

static void find_alikes(struct dump *d, const struct cel__tasks *tasks)
{
    struct cel__tasks_at at = {0};
    const struct cel_task *task;
    uintptr_t frames[FRAMES_MAX];

    while ((task = cel__tasks_each(tasks, &at)) != NULL) {
        if (!is_wanted(d, task) || cel__is_running(d->loop, task))
            continue;
        cel__alikes_add(&d->alikes, task,
                        cel__alike_key(task, frames, frames_of(d->loop, task, frames)));
    }
}

static void tell_one(struct dump *d, const struct cel_task *task)
{
    uintptr_t frames[FRAMES_MAX];
    size_t count = frames_of(d->loop, task, frames);
    const struct cel__alike *alike = NULL;

    if (!d->options->every_task && !cel__is_running(d->loop, task))
        alike = cel__alikes_find(&d->alikes, cel__alike_key(task, frames, count));
    if (alike != NULL && alike->count <= FEW)
        alike = NULL;
    if (alike != NULL && alike->told != task)
        return;
    tell_task(d, task, frames, count);
    if (alike != NULL)
        tell_others(d, alike);
}

static void tell_tasks(struct dump *d, const struct cel__tasks *tasks)
{
    struct cel__tasks_at at = {0};
    const struct cel_task *task;

    if (!d->options->every_task)
        find_alikes(d, tasks);
    while ((task = cel__tasks_each(tasks, &at)) != NULL) {
        if (is_wanted(d, task))
            tell_one(d, task);
        else
            d->left_out++;
    }
    if (d->left_out == 0)
        return;
    cel__report_number(&d->to, d->left_out);
    cel__report_str(&d->to, " tasks more have not been parked for that long");
    cel__report_end(&d->to);
}

/* ---- the loop ---- */

static void tell_count(struct cel__report *to, uint64_t n, const char *what)
{
    cel__report_number(to, (int64_t)n);
    cel__report_str(to, what);
}

static void tell_head(struct cel__report *to, const struct cel_loop *loop)
{
    const struct cel__tasks *tasks = loop->tasks;

    cel__report_str(to, to->fd == CEL__REPORT_LOG ? "loop " : "celadon: loop ");
    cel__report_hex(to, (uintptr_t)loop);
    cel__report_str(to, " (");
    cel__report_str(to, loop->backend->name);
    cel__report_str(to, "): ");
    tell_count(to, tasks != NULL ? tasks->live : 0, " tasks, ");
    tell_count(to, loop->ops_in_flight, " operations in flight, ");
    tell_count(to, loop->wheel.armed, " timers, ");
    tell_count(to, loop->fds.live, " descriptors, ");
    tell_count(to, loop->jobs, " jobs");
    cel__report_end(to);
}

static void tell_last_events(struct cel__report *to, const struct cel_loop *loop)
{
    if (loop->trace == NULL)
        return;
    cel__report_str(to, "the last events:");
    cel__report_end(to);
    cel__dump_trace(to, loop, EVENTS_MAX);
}

static void tell_all(struct dump *d, struct cel_loop *loop, const struct cel__here *here)
{
    tell_head(&d->to, loop);
    if (loop->tasks != NULL && d->options->as_tree) {
        cel__dump_tree(&d->to, loop);
        cel__circles_tell(&d->to, loop->tasks);
        return;
    }
    if (here != NULL)
        cel__report_running(&d->to, &d->known, loop, here);
    if (loop->tasks != NULL) {
        tell_tasks(d, loop->tasks);
        cel__circles_tell(&d->to, loop->tasks);
    }
    tell_last_events(&d->to, loop);
}

void cel__dump_loop(struct cel_loop *loop, int fd, const struct cel__here *here,
                    const struct cel_dump_options *options)
{
    static const struct cel_dump_options usual;
    struct dump d = {.loop = loop, .options = options != NULL ? options : &usual};

    cel__modules_note();
    cel__report_init(&d.to, fd);
    d.to.now = loop->backend->now(loop);
    tell_all(&d, loop, here);
    if (fd != CEL__REPORT_LOG) {
        cel__report_str(&d.to, "celadon: end of the dump");
        cel__report_end(&d.to);
    }
    cel__report_flush(&d.to);
}

int cel_dump_with(int fd, const struct cel_dump_options *options)
{
    struct cel__here here = {.at = cel__unwind_here()};

    if (cel__loop_here == NULL)
        return -ENODEV;
    if (fd < 0)
        return -EBADF;
    cel__dump_loop(cel__loop_here, fd, &here, options);
    return 0;
}

int cel_dump(int fd)
{
    struct cel__here here = {.at = cel__unwind_here()};

    if (cel__loop_here == NULL)
        return -ENODEV;
    if (fd < 0)
        return -EBADF;
    cel__dump_loop(cel__loop_here, fd, &here, NULL);
    return 0;
}
