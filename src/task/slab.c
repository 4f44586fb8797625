/* SPDX-License-Identifier: MIT */
#include "task/slab.h"

#include "base/mem.h"
#include "task/tell.h"
#include "task/strict.h"

/* No task was ever spawned: the first one's memory was not to be had. */
static int end_without_tasks(struct cel_loop *loop)
{
    cel__strict_end(loop);
    cel__tasks_free(loop->tasks);
    loop->tasks = NULL; /* a loop of workers winds down before it closes: twice is fine */
    loop->tasks_end = NULL;
    return 0;
}

struct cel__tasks *cel__tasks_of(struct cel_loop *loop)
{
    struct cel__tasks *tasks = loop->tasks;

    if (cel__likely(tasks != NULL))
        return tasks;
    tasks = cel__mem_zalloc(sizeof *tasks);
    if (tasks == NULL)
        return NULL;
    cel__list_init(cel__scope_inner(&tasks->root));
    cel__list_init(cel__scope_link(&tasks->root));
    tasks->root.flags = CEL__SCOPE_OPEN;
    loop->tasks = tasks;
    loop->tasks_end = end_without_tasks;
    __atomic_store_n(&cel__assert_hook, cel__report_mistake, __ATOMIC_RELAXED);
    cel__strict_begin(loop);
    return tasks;
}

static struct cel_task *tasks_in(struct cel__chunk *chunk)
{
    return (void *)(((uintptr_t)chunk->room + CEL__CHUNK_ALIGN - 1) &
                    ~(uintptr_t)(CEL__CHUNK_ALIGN - 1));
}

bool cel__tasks_grow(struct cel__tasks *tasks)
{
    struct cel__chunk *chunk = cel__mem_alloc(sizeof *chunk);
    char *at;

    if (chunk == NULL)
        return false;
    chunk->next = tasks->chunks;
    tasks->chunks = chunk;
    at = (char *)tasks_in(chunk);
    for (int i = CEL__CHUNK_TASKS - 1; i >= 0; i--) {
        void *task = at + (size_t)i * sizeof(struct cel_task);

        *(void **)task = tasks->free_list;
        ((struct cel_task *)task)->future.state = CEL__DONE; /* for cel__tasks_each */
        tasks->free_list = task;
    }
    return true;
}

struct cel_task *cel__tasks_each(const struct cel__tasks *tasks, struct cel__tasks_at *at)
{
    if (at->chunk == NULL)
        at->chunk = tasks->chunks;
    while (at->chunk != NULL) {
        while (at->index < CEL__CHUNK_TASKS) {
            struct cel_task *task = &tasks_in(at->chunk)[at->index++];

            if (task->future.state == CEL__PENDING)
                return task;
        }
        at->chunk = ((struct cel__chunk *)at->chunk)->next;
        at->index = 0;
        if (at->chunk == NULL)
            return NULL;
    }
    return NULL;
}

void cel__task_forget(struct cel__tasks *tasks, struct cel_task *task)
{
    struct cel_error *error = cel__future_error(&task->future);

    cel__strict_release(tasks, task);
    if (error != NULL)
        cel__mem_free(error);
    if (task->error != NULL)
        cel__mem_free(task->error);
}

void cel__tasks_free(struct cel__tasks *tasks)
{
    while (tasks->chunks != NULL) {
        struct cel__chunk *chunk = tasks->chunks;

        tasks->chunks = chunk->next;
        cel__mem_free(chunk);
    }
    cel__mem_free(tasks);
}
