/* SPDX-License-Identifier: MIT */
/* The verbs of green threads that are short sentences in those of tasks. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "celadon/pool.h"
#include "loop/core.h"
#include "task/future.h"
#include "task/spawn.h"
#include "task/wait.h"

struct later {
    int64_t delay;
    cel_task_fn *fn;
    void *arg;
};

static void *run_later(void *arg)
{
    struct later later = *(struct later *)arg;
    int r;

    cel__mem_free(arg);
    r = cel_sleep(later.delay); /* parks */
    if (r < 0)
        return cel_fail(r, "before it began");
    return later.fn(later.arg); /* parks */
}

struct cel_task *cel_spawn_later_at(int64_t delay, cel_task_fn *fn, void *arg, const char *file,
                                    int line)
{
    struct later *later = cel__mem_alloc(sizeof *later);
    struct cel_task *task;

    if (later == NULL)
        return NULL;
    *later = (struct later){delay, fn, arg};
    task = cel__task_spawn(NULL, run_later, later, NULL, file, line);
    if (task == NULL)
        cel__mem_free(later);
    return task;
}

static void tell_to_end(struct cel_task *task)
{
    CEL__ASSERT(task != cel__task_here() && "a task cannot wait for its own end");
    cel_task_cancel(task);
    task->future.was_awaited = 1;
}

int cel_kill(struct cel_task *task)
{
    if (task == NULL)
        return cel_checkpoint();
    tell_to_end(task);
    return cel__future_wait(&task->future, false); /* parks */
}

int cel_kill_all(struct cel_task *const *tasks, size_t n)
{
    int r;

    for (size_t i = 0; i < n; i++)
        if (tasks[i] != NULL)
            tell_to_end(tasks[i]);
    r = cel_wait(tasks, n, CEL_WAIT_ALL); /* parks */
    return r < 0 ? r : 0;
}

int cel_join_all(struct cel_task *const *tasks, size_t n, bool until_error)
{
    int r = cel_wait(tasks, n, until_error ? CEL_WAIT_FIRST_ERROR : CEL_WAIT_ALL); /* parks */

    if (r < 0)
        return r;
    r = 0;
    for (size_t i = n; i-- > 0;) { /* the first in the list has the last word */
        int code = cel_outcome(tasks[i]);

        if (code != -EINPROGRESS && cel__future_take(cel_ensure(tasks[i]), NULL) < 0)
            r = -CEL_EFAILED;
    }
    return r;
}

/* (parks) Cut short, the task has been told so too: what it made of that is waited for. */
static int await_limited(struct cel_task *task, void **value)
{
    int r = cel_await(task, value); /* parks */

    if (r != -ETIMEDOUT && r != -ECANCELED)
        return r;
    return cel_await_shielded(task, value) == 0 && *value != NULL ? 0 : r; /* parks */
}

int cel_with_timeout(int64_t ns, cel_task_fn *fn, void *arg, void **result)
{
    void *value = NULL;
    int r = cel_checkpoint();

    if (r < 0)
        return r;
    CEL_SCOPE (limit, .deadline = cel__clock_add(cel_now(), ns)) {
        struct cel_task *task = cel_spawn(fn, arg);

        r = task != NULL ? await_limited(task, &value) : -ENOMEM; /* parks */
    }
    if (r == 0)
        *result = value;
    return r == -ECANCELED ? cel_checkpoint() : r; /* as the scope around says it */
}
