/* SPDX-License-Identifier: MIT */
/* Three things are watched: a task that runs for long without parking, by a clock that is read at
 * each switch; a failure that goes with its task's record without anybody having looked; and a task
 * that was cancelled and goes on calling what returns so. */
#include "task/strict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/modules.h"
#include "base/symbols.h"
#include "base/unwind.h"
#include "fiber/frames.h"
#include "loop/core.h"

#define SLOW         (100 * CEL_MILLISECOND)
#define FRAMES_MAX   16
#define REFUSALS_MAX 100 /* calls of one task that may return what a scope was cancelled with */

struct cel__strict {
    int64_t since; /* the task that runs does so */
    void (*on_switch)(struct cel__sched *s, struct cel_fiber *from, struct cel_fiber *to);
};

static void switched(struct cel__sched *sched, struct cel_fiber *from, struct cel_fiber *to)
{
    struct cel_loop *loop = cel__container_of(sched, struct cel_loop, sched);
    struct cel__strict *strict = ((struct cel__tasks *)loop->tasks)->strict;
    int64_t now = cel__clock_monotonic();

    if (from != NULL && now - strict->since >= SLOW) {
        const struct cel_task *task = cel__task_of_fiber(from);
        char site[CEL__SITE_MAX];

        cel__log(CEL_LOG_WARN, "%s (%s) ran for %lld ms without parking", cel__task_name(task),
                 cel__task_site(task, site), (long long)((now - strict->since) / CEL_MILLISECOND));
    }
    strict->since = now;
    if (strict->on_switch != NULL)
        strict->on_switch(sched, from, to);
}

void cel__strict_begin(struct cel_loop *loop)
{
    const char *wish = getenv("CELADON_DEBUG");
    struct cel__tasks *tasks = loop->tasks;

    if (wish == NULL || strcmp(wish, "1") != 0)
        return;
    tasks->strict = cel__mem_zalloc(sizeof *tasks->strict);
    if (tasks->strict == NULL)
        return; /* it looks at the program's mistakes: none is made by not looking */
    tasks->strict->since = cel__clock_monotonic();
    tasks->strict->on_switch = loop->sched.on_switch;
    loop->sched.on_switch = switched;
}

void cel__strict_end(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;

    if (tasks->strict == NULL)
        return;
    loop->sched.on_switch = tasks->strict->on_switch;
    cel__mem_free(tasks->strict);
    tasks->strict = NULL;
}

void cel__strict_released(const struct cel_task *task)
{
    const struct cel_future *f = &task->future;
    const struct cel_error *error = cel__future_error(f);
    char site[CEL__SITE_MAX];

    if (f->state != CEL__DONE || f->code >= 0 || f->code == -ECANCELED || f->was_awaited)
        return;
    if (f->is_detached || task->own.parent->flags & CEL__SCOPE_GROUP)
        return; /* it was told elsewhere */
    cel__log(CEL_LOG_WARN, "%s (%s) failed and nobody awaited it: %s", cel__task_name(task),
             cel__task_site(task, site), error != NULL ? error->text : cel_strerror(f->code));
}

/* The outermost scope of the task that the cancel reached: who opens one scope after the other in a
 * loop swallows it just the same. */
static struct cel__scope *reached(struct cel__scope *scope)
{
    const struct cel_task *task = scope->task;

    while (!(scope->flags & CEL__SCOPE_SHIELDED) && scope->parent->task == task &&
           scope->parent->code != 0)
        scope = scope->parent;
    return scope;
}

/* The calling task's, to the log. */
static void tell_frames(void)
{
    struct cel__extent stack = cel__frames_extent(cel__loop_here->sched.current->top);
    struct cel__symbols known = {0};
    uintptr_t frames[FRAMES_MAX];
    struct cel__report to;

    cel__modules_note();
    cel__report_init(&to, CEL__REPORT_LOG);
    cel__report_frames(&to, &known, frames,
                       cel__unwind_all(cel__unwind_here(), stack, frames, FRAMES_MAX));
}

void cel__strict_refused(struct cel__scope *scope)
{
    char site[CEL__SITE_MAX];

    scope = reached(scope);
    if (scope->task == NULL || scope->refusals > REFUSALS_MAX)
        return;
    if (++scope->refusals <= REFUSALS_MAX)
        return;
    cel__log(
        CEL_LOG_WARN,
        "%s (%s) goes on in a scope that has ended: more than %d calls returned %s, and it did "
        "not leave",
        cel__task_name(scope->task), cel__task_site(scope->task, site), REFUSALS_MAX,
        cel_errname(scope->code));
    tell_frames();
}
