/* SPDX-License-Identifier: MIT */
#ifndef CEL__TASK_SLAB_H
#define CEL__TASK_SLAB_H

/* Memory of tasks: chunks per loop and a LIFO free list, so that spawning reuses what is warm. */

#include "task/state.h"

#define CEL__CHUNK_TASKS 64
#define CEL__CHUNK_ALIGN 64 /* of its first task, in `room` */

struct cel__chunk {
    struct cel__chunk *next;
    char room[CEL__CHUNK_TASKS * sizeof(struct cel_task) + CEL__CHUNK_ALIGN];
};

/* The loop's set of tasks, made when first asked for. NULL when memory is out. */
struct cel__tasks *cel__tasks_of(struct cel_loop *loop);
bool cel__tasks_grow(struct cel__tasks *tasks);
void cel__task_forget(struct cel__tasks *tasks, struct cel_task *task);

/* Uninitialised memory, or NULL. */
static inline struct cel_task *cel__task_alloc(struct cel__tasks *tasks)
{
    void *task;

    if (cel__unlikely(tasks->free_list == NULL) && !cel__tasks_grow(tasks))
        return NULL;
    task = tasks->free_list;
    tasks->free_list = *(void **)task;
    return task;
}

/* The task has ended; frees its error too. Its stack may still be the one that runs: nothing of
 * the fiber but its first word is touched. */
static inline void cel__task_release(struct cel__tasks *tasks, struct cel_task *task)
{
    if (cel__unlikely(tasks->strict != NULL || task->error != NULL || task->future.code < 0))
        cel__task_forget(tasks, task);
    *(void **)task = tasks->free_list;
    tasks->free_list = task;
}

/* Each task that has not ended, in no order; `at` is zeroed at first. Follows no list of tasks, so
 * it is safe in a signal handler, whatever the loop was doing. -> NULL behind the last. */
struct cel__tasks_at {
    void *chunk;
    int index;
};
struct cel_task *cel__tasks_each(const struct cel__tasks *tasks, struct cel__tasks_at *at);
void cel__tasks_free(struct cel__tasks *tasks);

#endif
