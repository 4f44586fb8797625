/* SPDX-License-Identifier: MIT */
/* A pool of tasks: a number of slots, and a line of those who want one.
 *
 * 1. `taken` counts the slots that somebody has: running tasks, and who was handed one and has not
 *    spawned yet.
 * 2. Somebody waits for a slot only while taken >= size. A slot that is given back while somebody
 *    waits is never counted as free: it goes to the first in line.
 * A member waits for its task's future, so its slot is free only after the task's children ended.
 */
#include "task/crew.h"

#include <errno.h>

#include "base/mem.h"
#include "task/place.h"
#include "task/spawn.h"

struct cel_pool {
    size_t size, taken, running;
    struct cel_line spawners, watchers, joiners;
    struct cel__list members;
    struct cel__list spare; /* members whose task has ended: reused */
};

struct member {
    struct cel__waiter waiter;
    struct cel__list link;
    struct cel_pool *pool;
    struct cel_task *task;
};

int cel_pool_new(struct cel_pool **out, size_t size)
{
    struct cel_pool *pool = cel__mem_zalloc(sizeof *pool);

    if (pool == NULL)
        return -ENOMEM;
    pool->size = size;
    cel__list_init(&pool->members);
    cel__list_init(&pool->spare);
    *out = pool;
    return 0;
}

void cel_pool_free(struct cel_pool *pool)
{
    struct cel__list *node;

    if (pool == NULL)
        return;
    CEL__ASSERT(pool->taken == 0 && pool->watchers.first_ == NULL && pool->joiners.first_ == NULL &&
                pool->spawners.first_ == NULL);
    while ((node = cel__list_pop(&pool->spare)) != NULL)
        cel__mem_free(cel__container_of(node, struct member, link));
    cel__mem_free(pool);
}

static const struct cel__wait spawning = CEL__WAIT_FOR("waiting for a slot of a pool");
static const struct cel__wait watching = CEL__WAIT_FOR("waiting for a pool to have a free slot");
static const struct cel__wait joining = CEL__WAIT_FOR("waiting for a pool to be empty");

/* Slots that are free now go to those in line; what is left is told to those who watch. */
static void hand_out(struct cel_pool *pool)
{
    while (pool->taken < pool->size && cel__line_wake_one(&pool->spawners, 0))
        pool->taken++;
    if (pool->taken < pool->size)
        cel__line_wake_all(&pool->watchers, 0);
    if (pool->taken == 0)
        cel__line_wake_all(&pool->joiners, 0);
}

static void give_back(struct cel_pool *pool)
{
    pool->taken--;
    hand_out(pool);
}

static struct member *member_for(struct cel_pool *pool)
{
    struct cel__list *node = cel__list_pop(&pool->spare);
    struct member *m;

    if (node != NULL)
        return cel__container_of(node, struct member, link);
    m = cel__mem_zalloc(sizeof *m);
    if (m != NULL)
        cel__list_init(&m->link);
    return m;
}

static void member_ended(struct cel__waiter *waiter)
{
    struct member *m = cel__container_of(waiter, struct member, waiter);
    struct cel_pool *pool = m->pool;

    cel__list_unlink(&m->link);
    cel__list_prepend(&pool->spare, &m->link);
    pool->running--;
    give_back(pool);
}

/* Into a slot that the caller has. */
static int spawn(struct cel_pool *pool, struct cel__scope *scope, cel_task_fn *fn, void *arg,
                 struct cel_task **task, const char *file, int line)
{
    const struct cel_spawn_options options = {.is_detached = task == NULL};
    struct member *m = member_for(pool);

    if (m == NULL)
        return -ENOMEM;
    m->pool = pool;
    m->waiter.wake = member_ended;
    m->task = cel__task_spawn(scope, fn, arg, &options, file, line);
    if (m->task == NULL) {
        cel__list_prepend(&pool->spare, &m->link);
        return -ENOMEM;
    }
    cel__list_append(&m->task->future.waiters, &m->waiter.link);
    cel__list_append(&pool->members, &m->link);
    pool->running++;
    if (task != NULL)
        *task = m->task;
    return 0;
}

/* (parks) */
static int take_slot(struct cel_pool *pool, bool is_try)
{
    struct cel__place place;
    int code = is_try ? 0 : cel__checkpoint(cel__task_parking());

    if (code != 0)
        return code;
    if (pool->taken >= pool->size)
        return is_try ? -EAGAIN : cel__line_park(&pool->spawners, &place, &spawning); /* parks */
    pool->taken++;
    return 0;
}

int cel__crew_spawn(struct cel_pool *pool, struct cel__scope *scope, bool is_try, cel_task_fn *fn,
                    void *arg, struct cel_task **task, const char *file, int line)
{
    int r = take_slot(pool, is_try); /* parks */

    if (r < 0)
        return r;
    r = spawn(pool, scope, fn, arg, task, file, line);
    if (r < 0)
        give_back(pool);
    return r;
}

int cel_pool_spawn_at(struct cel_pool *pool, cel_task_fn *fn, void *arg, struct cel_task **task,
                      const char *file, int line)
{
    return cel__crew_spawn(pool, NULL, false, fn, arg, task, file, line); /* parks */
}

int cel_pool_try_spawn_at(struct cel_pool *pool, cel_task_fn *fn, void *arg, struct cel_task **task,
                          const char *file, int line)
{
    return cel__crew_spawn(pool, NULL, true, fn, arg, task, file, line);
}

size_t cel_pool_size(const struct cel_pool *pool)
{
    return pool->size;
}

size_t cel_pool_free_count(const struct cel_pool *pool)
{
    return pool->taken < pool->size ? pool->size - pool->taken : 0;
}

size_t cel_pool_running(const struct cel_pool *pool)
{
    return pool->running;
}

size_t cel_pool_waiting(const struct cel_pool *pool)
{
    return pool->spawners.count_;
}

void cel_pool_resize(struct cel_pool *pool, size_t size)
{
    pool->size = size;
    hand_out(pool);
}

static int watch(struct cel_line *line, bool is_so, const struct cel__wait *wait)
{
    struct cel__place place;
    int code = cel__checkpoint(cel__task_parking());

    if (code != 0 || is_so)
        return code;
    return cel__line_park(line, &place, wait); /* parks */
}

int cel_pool_wait_available(struct cel_pool *pool)
{
    return watch(&pool->watchers, pool->taken < pool->size, &watching); /* parks */
}

int cel_pool_join(struct cel_pool *pool)
{
    return watch(&pool->joiners, pool->taken == 0, &joining); /* parks */
}

int cel_pool_kill(struct cel_pool *pool)
{
    CEL__LIST_EACH (node, &pool->members)
        cel_task_cancel(cel__container_of(node, struct member, link)->task);
    return cel_pool_join(pool); /* parks */
}
