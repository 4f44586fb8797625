/* SPDX-License-Identifier: MIT */
/* queue.c across loops: the same store and the same three lines, under one mutex; its rules hold
 * whenever the mutex is free. What is dropped is dropped without it, since that runs code of the
 * program's. */
#include <errno.h>

#include "base/mem.h"
#include "celadon/shared.h"
#include "task/crossing.h"
#include "task/store.h"

struct cel_shared_queue {
    pthread_mutex_t mutex;
    struct cel__store store;
    size_t max, unfinished;
    void (*drop)(void *item);
    bool is_shut;
    struct cel_line getters, putters, joiners;
};

int cel_shared_queue_new(struct cel_shared_queue **out, const struct cel_queue_options *options)
{
    static const struct cel_queue_options none;
    struct cel_shared_queue *q = cel__mem_zalloc(sizeof *q);

    if (q == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    CEL__ASSERT(options->order != CEL_PRIORITY || options->compare != NULL);
    (void)pthread_mutex_init(&q->mutex, NULL);
    q->store.order = options->order;
    q->store.compare = options->compare;
    q->max = options->max;
    q->drop = options->drop;
    *out = q;
    return 0;
}

static const struct cel__wait putting = CEL__CROSS_FOR("putting into a queue of several loops");
static const struct cel__wait getting = CEL__CROSS_FOR("getting from a queue of several loops");
static const struct cel__wait joining = CEL__CROSS_FOR("joining a queue of several loops");

/* Of a store that is nobody else's any more. */
static size_t drop_all(struct cel__store *store, void (*drop)(void *item))
{
    size_t n = store->count;

    while (store->count != 0) {
        void *item = cel__store_pop(store);

        if (drop != NULL)
            drop(item);
    }
    cel__store_fini(store);
    return n;
}

void cel_shared_queue_free(struct cel_shared_queue *queue)
{
    if (queue == NULL)
        return;
    CEL__ASSERT(queue->getters.first_ == NULL && queue->putters.first_ == NULL &&
                queue->joiners.first_ == NULL);
    (void)drop_all(&queue->store, queue->drop);
    (void)pthread_mutex_destroy(&queue->mutex);
    cel__mem_free(queue);
}

/* ---- by the mutex ---- */

static int put_now(struct cel_shared_queue *queue, void *item)
{
    struct cel__crossing *getter = cel__cross_first(&queue->getters);

    if (queue->is_shut)
        return -EPIPE;
    if (getter != NULL) {
        *(void **)getter->place.value = item;
        cel__cross_end(getter, 0);
    } else if (queue->max != 0 && queue->store.count >= queue->max) {
        return -EAGAIN;
    } else if (cel__store_push(&queue->store, item) < 0) {
        return -ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

static int get_now(struct cel_shared_queue *queue, void **item)
{
    struct cel__crossing *putter = cel__cross_first(&queue->putters);

    if (queue->store.count == 0)
        return queue->is_shut ? -EPIPE : -EAGAIN;
    *item = cel__store_pop(&queue->store);
    if (putter == NULL)
        return 0;
    if (cel__store_push(&queue->store, putter->place.value) < 0)
        CEL__ASSERT(false && "there is room for what follows a pop");
    queue->unfinished++;
    cel__cross_end(putter, 0);
    return 0;
}

static void finish(struct cel_shared_queue *queue, size_t n)
{
    CEL__ASSERT(queue->unfinished >= n && "task_done was called more often than items were put");
    queue->unfinished -= n;
    if (queue->unfinished == 0)
        (void)cel__cross_wake(&queue->joiners, SIZE_MAX, 0);
}

/* ---- the calls ---- */

int cel_shared_queue_try_put(struct cel_shared_queue *queue, void *item)
{
    int r;

    cel__cross_lock(&queue->mutex);
    r = put_now(queue, item);
    cel__cross_unlock(&queue->mutex);
    return r;
}

int cel_shared_queue_try_get(struct cel_shared_queue *queue, void **item)
{
    int r;

    cel__cross_lock(&queue->mutex);
    r = get_now(queue, item);
    cel__cross_unlock(&queue->mutex);
    return r;
}

/* (parks) */
static void let_others_run(void)
{
    if (cel__loop_here != NULL)
        cel__credit_take(cel__loop_here); /* parks */
}

int cel_shared_queue_put(struct cel_shared_queue *queue, void *item)
{
    struct cel__crossing c = {.place.value = item};
    int r = cel__cross_checkpoint();

    if (r != 0)
        return r;
    cel__cross_lock(&queue->mutex);
    r = put_now(queue, item);
    if (r == -EAGAIN)
        return cel__cross_park(&c, &queue->mutex, &queue->putters, &putting); /* parks */
    cel__cross_unlock(&queue->mutex);
    let_others_run(); /* parks */
    return r;
}

int cel_shared_queue_get(struct cel_shared_queue *queue, void **item)
{
    struct cel__crossing c = {.place.value = item};
    int r = cel__cross_checkpoint();

    if (r != 0)
        return r;
    cel__cross_lock(&queue->mutex);
    r = get_now(queue, item);
    if (r == -EAGAIN)
        return cel__cross_park(&c, &queue->mutex, &queue->getters, &getting); /* parks */
    cel__cross_unlock(&queue->mutex);
    let_others_run(); /* parks */
    return r;
}

void cel_shared_queue_task_done(struct cel_shared_queue *queue)
{
    cel__cross_lock(&queue->mutex);
    finish(queue, 1);
    cel__cross_unlock(&queue->mutex);
}

int cel_shared_queue_join(struct cel_shared_queue *queue)
{
    struct cel__crossing c;
    int code = cel__cross_checkpoint();

    if (code != 0)
        return code;
    cel__cross_lock(&queue->mutex);
    if (queue->unfinished != 0)
        return cel__cross_park(&c, &queue->mutex, &queue->joiners, &joining); /* parks */
    cel__cross_unlock(&queue->mutex);
    return 0;
}

void cel_shared_queue_shutdown(struct cel_shared_queue *queue, bool is_immediate)
{
    struct cel__store left = {0};
    size_t dropped;

    cel__cross_lock(&queue->mutex);
    queue->is_shut = true;
    (void)cel__cross_wake(&queue->putters, SIZE_MAX, -EPIPE);
    (void)cel__cross_wake(&queue->getters, SIZE_MAX, -EPIPE);
    if (is_immediate) {
        left = queue->store;
        queue->store = (struct cel__store){.order = left.order, .compare = left.compare};
    }
    cel__cross_unlock(&queue->mutex);
    dropped = drop_all(&left, queue->drop);
    cel__cross_lock(&queue->mutex);
    if (dropped != 0)
        finish(queue, cel__min(dropped, queue->unfinished)); /* some may be done early */
    cel__cross_unlock(&queue->mutex);
}

size_t cel_shared_queue_count(struct cel_shared_queue *queue)
{
    size_t count;

    cel__cross_lock(&queue->mutex);
    count = queue->store.count;
    cel__cross_unlock(&queue->mutex);
    return count;
}
