/* SPDX-License-Identifier: MIT */
/* Looking at tasks from within the program; celadon/debug.h does so for people. */
#include <stdio.h>
#include <string.h>

#include "celadon/compose.h"
#include "task/slab.h"
#include "task/wait.h"

size_t cel_all_tasks(struct cel_task **out, size_t max)
{
    struct cel_loop *loop = cel__loop_here;
    struct cel__tasks_at at = {NULL, 0};
    struct cel_task *task;
    size_t n = 0;

    if (loop == NULL || loop->tasks == NULL)
        return 0;
    while ((task = cel__tasks_each(loop->tasks, &at)) != NULL) {
        if (n < max)
            out[n] = task;
        n++;
    }
    return n;
}

static const char *state_of(const struct cel_task *task)
{
    if (cel__future_is_done(&task->future))
        return task->future.code == 0 ? "done" : "failed";
    if (task == cel__task_here())
        return "running";
    if (task->fiber.link != NULL)
        return "ready";
    return task->wait != NULL ? task->wait->what : "parked";
}

int cel_task_repr(const struct cel_task *task, char *buf, size_t size)
{
    char site[CEL__SITE_MAX];
    const char *state;

    if (task == NULL)
        return snprintf(buf, size, "<no task>");
    state = state_of(task);
    return snprintf(buf, size, "<%s: %.*s, %s>", cel_task_name(task), (int)strcspn(state, ":"),
                    state, cel__task_site(task, site));
}
