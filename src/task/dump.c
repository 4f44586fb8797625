/* SPDX-License-Identifier: MIT */
/* The dump: the loop in one line, then each task with its state, its scopes and its backtrace, then
 * the circle in which tasks wait for each other, if there is one. */
#include "task/dump.h"

#include <errno.h>

#include "base/cc.h"
#include "celadon/debug.h"
#include "fiber/stack.h"
#include "task/slab.h"
#include "task/wait.h"

#define FRAMES_MAX 32
#define EVENTS_MAX 32
#define SCOPES_MAX 16 /* said of one task; scopes may nest deeper */

void cel__report_task(struct cel__report *to, const struct cel_task *task)
{
    cel__report_str(to, "\"");
    cel__report_str(to, cel__task_name(task));
    cel__report_str(to, "\" (spawned at ");
    cel__report_str(to, task->fiber.file);
    cel__report_str(to, ":");
    cel__report_number(to, task->fiber.line);
    cel__report_str(to, ")");
}

static void tell_frames(struct cel__report *to, struct cel__symbols *known, const uintptr_t *frames,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cel__report_str(to, "    #");
        cel__report_number(to, (int64_t)i);
        cel__report_str(to, " ");
        cel__symbols_tell(known, to, frames[i]);
        cel__report_end(to);
    }
}

static void tell_parked(struct cel__report *to, const struct cel_loop *loop,
                        const struct cel_task *task)
{
    const struct cel__wait *wait = task->wait;
    uint32_t ticks = cel__since(loop->now) - task->fiber.since;

    cel__report_str(to, ": parked ");
    if (wait != NULL)
        cel__report_str(to, wait->what);
    if (wait != NULL && wait->tell != NULL)
        wait->tell(to, task);
    cel__report_str(to, "; for ");
    cel__report_duration(to, (int64_t)ticks << 20);
}

static void tell_state(struct cel__report *to, const struct cel_loop *loop,
                       const struct cel_task *task)
{
    if (&task->fiber == loop->sched.current)
        cel__report_str(to, ": running");
    else if (task->fiber.state == CEL__FIBER_NEW)
        cel__report_str(to, ": not started");
    else if (task->fiber.link != NULL)
        cel__report_str(to, ": ready");
    else
        tell_parked(to, loop, task);
}

static void tell_deadline(struct cel__report *to, const struct cel_loop *loop,
                          const struct cel__scope *scope)
{
    const struct cel__timer *timer = (const void *)((const struct cel_scope *)scope)->timer_;

    if (scope->flags & CEL__SCOPE_TASK || !cel__timer_is_armed(timer))
        return;
    cel__report_str(to, ", deadline in ");
    cel__report_duration(to, timer->deadline - loop->now);
}

/* From the innermost outwards, those with something to say. */
static void tell_scopes(struct cel__report *to, const struct cel_loop *loop,
                        const struct cel_task *task)
{
    const struct cel__scope *scope = task->scope;

    for (int i = 0; i < SCOPES_MAX && scope != NULL && scope->task != NULL; i++) {
        cel__report_str(to, i == 0 ? "    in " : " < ");
        if (scope->flags & CEL__SCOPE_TASK)
            cel__report_str(to, cel__task_name(scope->task));
        else
            cel__report_str(to, scope->flags & CEL__SCOPE_GROUP      ? "group"
                                : scope->flags & CEL__SCOPE_SHIELDED ? "shield"
                                                                     : "scope");
        if (scope->code != 0)
            cel__report_str(to, scope->flags & CEL__SCOPE_EXPIRED ? ", expired" : ", cancelled");
        tell_deadline(to, loop, scope);
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

static void tell_task(struct cel__report *to, struct cel__symbols *known,
                      const struct cel_loop *loop, const struct cel_task *task)
{
    uintptr_t frames[FRAMES_MAX];
    bool is_running = &task->fiber == loop->sched.current;

    cel__report_str(to, "task ");
    cel__report_hex(to, (uintptr_t)task);
    cel__report_str(to, " ");
    cel__report_task(to, task);
    tell_state(to, loop, task);
    if (!is_running)
        tell_stack(to, task);
    cel__report_end(to);
    tell_scopes(to, loop, task);
    if (!is_running && task->fiber.state != CEL__FIBER_NEW)
        tell_frames(to, known, frames, cel__frames_parked(task->fiber.top, frames, FRAMES_MAX));
}

void cel__dump_running(struct cel__report *to, struct cel__symbols *known, struct cel_loop *loop,
                       const struct cel__here *here)
{
    struct cel_fiber *current = loop->sched.current;
    uintptr_t frames[FRAMES_MAX];
    struct cel__extent stack = here->thread_stack;

    if (current != NULL) {
        cel__report_str(to, "running: ");
        cel__report_task(to, cel__task_of_fiber(current));
        stack = cel__frames_extent(current->top);
    } else {
        cel__report_str(to, "running: the loop itself, or a callback of the program");
    }
    cel__report_end(to);
    tell_frames(to, known, frames,
                cel__frames_from(stack, here->pc, here->frame, frames, FRAMES_MAX));
}

static void tell_loop(struct cel__report *to, const struct cel_loop *loop, unsigned tasks)
{
    cel__report_str(to, to->fd == CEL__REPORT_LOG ? "loop " : "celadon: loop ");
    cel__report_hex(to, (uintptr_t)loop);
    cel__report_str(to, " (");
    cel__report_str(to, loop->backend->name);
    cel__report_str(to, "): ");
    cel__report_number(to, tasks);
    cel__report_str(to, " tasks, ");
    cel__report_number(to, loop->ops_in_flight);
    cel__report_str(to, " operations in flight, ");
    cel__report_number(to, (int64_t)loop->wheel.armed);
    cel__report_str(to, " timers, ");
    cel__report_number(to, loop->fds.live);
    cel__report_str(to, " descriptors, ");
    cel__report_number(to, loop->jobs);
    cel__report_str(to, " jobs");
    cel__report_end(to);
}

static const struct cel_task *blocker_of(const struct cel_task *task)
{
    if (task->wait == NULL || task->wait->blocker == NULL)
        return NULL;
    task = task->wait->blocker(task);
    return task != NULL && task->future.state == CEL__PENDING ? task : NULL;
}

/* Two walkers, one at double pace, meet in a circle if there is one. */
static const struct cel_task *find_circle(const struct cel_task *from)
{
    const struct cel_task *slow = from, *fast = from;

    do {
        fast = blocker_of(fast);
        fast = fast != NULL ? blocker_of(fast) : NULL;
        slow = blocker_of(slow);
    } while (fast != NULL && fast != slow);
    return fast;
}

static bool tell_circle(struct cel__report *to, const struct cel_task *from)
{
    const struct cel_task *first = find_circle(from), *at = first;

    if (first == NULL)
        return false;
    cel__report_str(to, "these wait for each other:");
    cel__report_end(to);
    do {
        cel__report_str(to, "    ");
        cel__report_task(to, at);
        cel__report_str(to, " is ");
        cel__report_str(to, at->wait->what);
        at->wait->tell(to, at);
        cel__report_end(to);
        at = blocker_of(at);
    } while (at != first);
    return true;
}

void cel__dump_loop(struct cel_loop *loop, int fd, const struct cel__here *here)
{
    struct cel__tasks *tasks = loop->tasks;
    struct cel__symbols known = {0};
    struct cel__tasks_at at = {0};
    const struct cel_task *task;
    struct cel__report to;

    cel__report_init(&to, fd);
    tell_loop(&to, loop, tasks != NULL ? tasks->live : 0);
    if (here != NULL)
        cel__dump_running(&to, &known, loop, here);
    if (tasks != NULL) {
        while ((task = cel__tasks_each(tasks, &at)) != NULL)
            tell_task(&to, &known, loop, task);
        at = (struct cel__tasks_at){0};
        while ((task = cel__tasks_each(tasks, &at)) != NULL)
            if (tell_circle(&to, task))
                break;
    }
    if (loop->trace != NULL) {
        cel__report_str(&to, "the last events:");
        cel__report_end(&to);
        cel__dump_trace(&to, loop, EVENTS_MAX);
    }
    if (fd != CEL__REPORT_LOG) {
        cel__report_str(&to, "celadon: end of the dump");
        cel__report_end(&to);
    }
    cel__report_flush(&to);
}

int cel_dump(int fd)
{
    struct cel__here here = {.frame = (uintptr_t)__builtin_frame_address(0)};

    if (cel__loop_here == NULL)
        return -ENODEV;
    cel__dump_loop(cel__loop_here, fd, &here);
    return 0;
}
