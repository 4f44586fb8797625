/* SPDX-License-Identifier: MIT */
/* Found on demand, by following who alone can end whose wait. A wait that several can end leads to
 * nobody: no false alarms. */
#include "task/circle.h"

#include "task/slab.h"
#include "task/tell.h"
#include "task/wait.h"

#define STEPS_MAX 1000000 /* of one report: long chains, in a signal handler */

static const struct cel_task *blocker_of(const struct cel_task *task)
{
    if (task->wait == NULL || task->wait->blocker == NULL)
        return NULL;
    task = task->wait->blocker(task);
    return task != NULL && task->future.state == CEL__PENDING ? task : NULL;
}

/* -> a task of the circle that `from` waits for, or is in. Two walkers, one at double pace, meet in
 * a circle if there is one. */
static const struct cel_task *find_circle(const struct cel_task *from, unsigned *steps)
{
    const struct cel_task *slow = from, *fast = from;

    do {
        if (++*steps > STEPS_MAX)
            return NULL;
        fast = blocker_of(fast);
        fast = fast != NULL ? blocker_of(fast) : NULL;
        slow = blocker_of(slow);
    } while (fast != NULL && fast != slow);
    return fast;
}

/* Each circle has one task that tells it, so that it is told once. */
static const struct cel_task *teller_of(const struct cel_task *circle)
{
    const struct cel_task *least = circle;

    for (const struct cel_task *at = blocker_of(circle); at != circle; at = blocker_of(at))
        if (at < least)
            least = at;
    return least;
}

static bool is_in(const struct cel_task *task, const struct cel_task *circle)
{
    const struct cel_task *at = circle;

    do {
        if (at == task)
            return true;
        at = blocker_of(at);
    } while (at != circle);
    return false;
}

static void tell(struct cel__report *to, const struct cel_task *circle)
{
    const struct cel_task *at = circle;

    cel__report_str(to, blocker_of(circle) == circle ? "this waits for itself:"
                                                     : "these wait for each other:");
    cel__report_end(to);
    do {
        cel__report_str(to, "    ");
        cel__report_task(to, at);
        cel__report_str(to, " is ");
        cel__report_str(to, at->wait->what);
        if (at->wait->tell != NULL)
            at->wait->tell(to, at);
        cel__report_end(to);
        at = blocker_of(at);
    } while (at != circle);
}

void cel__circles_tell(struct cel__report *to, const struct cel__tasks *tasks)
{
    struct cel__tasks_at at = {0};
    const struct cel_task *task;
    unsigned steps = 0, behind = 0;

    while ((task = cel__tasks_each(tasks, &at)) != NULL) {
        const struct cel_task *circle = find_circle(task, &steps);

        if (circle == NULL)
            continue;
        if (!is_in(task, circle))
            behind++;
        else if (teller_of(circle) == task)
            tell(to, task);
    }
    if (behind == 0)
        return;
    cel__report_str(to, "behind them wait ");
    cel__report_number(to, behind);
    cel__report_str(to, behind == 1 ? " task more" : " tasks more");
    cel__report_end(to);
}
