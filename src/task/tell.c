/* SPDX-License-Identifier: MIT */
#include "task/tell.h"

#include <unistd.h>

#include "base/modules.h"
#include "fiber/frames.h"
#include "task/wait.h"

#define FRAMES_MAX 32

void cel__report_task(struct cel__report *to, const struct cel_task *task)
{
    cel__report_str(to, "\"");
    cel__report_str(to, cel__task_name(task));
    cel__report_str(to, "\" (spawned ");
    cel__report_str(to, task->fiber.line != 0 ? "at " : "by ");
    cel__report_str(to, task->fiber.file);
    if (task->fiber.line != 0) {
        cel__report_str(to, ":");
        cel__report_number(to, task->fiber.line);
    }
    cel__report_str(to, ")");
}

int64_t cel__parked_for(const struct cel__report *to, uint32_t since)
{
    return (int64_t)(uint32_t)(cel__since(to->now) - since) << 20;
}

static void tell_parked(struct cel__report *to, const struct cel_task *task)
{
    const struct cel__wait *wait = task->wait;

    cel__report_str(to, ": parked ");
    if (wait != NULL)
        cel__report_str(to, wait->what);
    if (wait != NULL && wait->tell != NULL)
        wait->tell(to, task);
    cel__report_str(to, "; for ");
    cel__report_duration(to, cel__parked_for(to, task->fiber.since));
}

bool cel__is_running(const struct cel_loop *loop, const struct cel_task *task)
{
    return &task->fiber == loop->sched.current;
}

bool cel__is_parked(const struct cel_loop *loop, const struct cel_task *task)
{
    return !cel__is_running(loop, task) && task->fiber.state != CEL__FIBER_NEW &&
           task->fiber.link == NULL;
}

void cel__report_state(struct cel__report *to, const struct cel_loop *loop,
                       const struct cel_task *task)
{
    if (cel__is_running(loop, task))
        cel__report_str(to, ": running");
    else if (task->fiber.state == CEL__FIBER_NEW)
        cel__report_str(to, ": not started");
    else if (task->fiber.link != NULL)
        cel__report_str(to, ": ready");
    else
        tell_parked(to, task);
}

static void tell_deadline(struct cel__report *to, const struct cel__scope *scope)
{
    const struct cel__timer *timer = (const void *)((const struct cel_scope *)scope)->timer_;

    if (scope->flags & CEL__SCOPE_TASK || !cel__timer_is_armed(timer))
        return;
    cel__report_str(to, ", deadline in ");
    cel__report_duration(to, timer->deadline - to->now);
}

void cel__report_scope(struct cel__report *to, const struct cel__scope *scope)
{
    if (scope->flags & CEL__SCOPE_TASK)
        cel__report_str(to, cel__task_name(scope->task));
    else
        cel__report_str(to, scope->flags & CEL__SCOPE_GROUP      ? "group"
                            : scope->flags & CEL__SCOPE_SHIELDED ? "shield"
                                                                 : "scope");
    if (scope->code != 0)
        cel__report_str(to, scope->flags & CEL__SCOPE_EXPIRED ? ", expired" : ", cancelled");
    tell_deadline(to, scope);
}

void cel__report_running(struct cel__report *to, struct cel__symbols *known, struct cel_loop *loop,
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
    cel__report_frames(to, known, frames, cel__unwind_all(here->at, stack, frames, FRAMES_MAX));
}

void cel__report_mistake(void)
{
    struct cel__here here = {.at = cel__unwind_here()};
    struct cel__symbols known = {0};
    struct cel__report to;

    if (cel__loop_here == NULL)
        return;
    cel__modules_note();
    cel__report_init(&to, STDERR_FILENO);
    cel__report_str(&to, "celadon: ");
    cel__report_running(&to, &known, cel__loop_here, &here);
    cel__report_flush(&to);
}
