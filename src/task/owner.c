/* SPDX-License-Identifier: MIT */
/* What the owner of a future does with it, whatever is behind it: a task, a job, a task on another
 * loop, a promise of another thread, or nothing but the program. */
#include <errno.h>

#include "base/mem.h"
#include "task/future.h"
#include "task/elsewhere.h"
#include "task/offloaded.h"
#include "task/promise.h"

int cel_future_cancel(struct cel_future *future)
{
    if (cel__future_is_done(future))
        return -EALREADY;
    if (future->is_task)
        cel_task_cancel((struct cel_task *)future);
    else if (future->is_elsewhere)
        cel__elsewhere_cancel(future);
    else
        cel__future_end(future, NULL, -ECANCELED, NULL);
    if (future->is_promised)
        cel__promise_unwanted(future);
    return 0;
}

void cel_future_free(struct cel_future *future)
{
    if (future == NULL)
        return;
    CEL__ASSERT(!future->is_task && cel__list_is_empty(&future->waiters));
    if (future->is_job) {
        cel__offloaded_free(future);
        return;
    }
    if (future->is_elsewhere) {
        cel__elsewhere_free(future);
        return;
    }
    if (future->is_promised) {
        cel__promise_free(future);
        return;
    }
    cel__mem_free(cel__future_error(future));
    cel__mem_free(future);
}
