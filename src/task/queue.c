/* SPDX-License-Identifier: MIT */
/* A store and three lines.
 *
 * 1. Somebody waits to get only while the store is empty, to put only while it is full.
 * 2. An item that is put while somebody waits to get goes straight to the first of them.
 * 3. The room that a get makes goes at once to the first who waits to put.
 * 4. `unfinished` counts what was put, from there to its task_done. */
#include "celadon/queue.h"

#include <errno.h>

#include "base/mem.h"
#include "task/place.h"
#include "task/store.h"

struct cel_queue {
    struct cel__store store;
    size_t max, unfinished;
    void (*drop)(void *item);
    bool is_shut;
    struct cel_line getters, putters, joiners;
};

int cel_queue_new(struct cel_queue **out, const struct cel_queue_options *options)
{
    static const struct cel_queue_options none;
    struct cel_queue *q = cel__mem_zalloc(sizeof *q);

    if (q == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    CEL__ASSERT(options->order != CEL_PRIORITY || options->compare != NULL);
    q->store.order = options->order;
    q->store.compare = options->compare;
    q->max = options->max;
    q->drop = options->drop;
    *out = q;
    return 0;
}

static const struct cel__wait putting = CEL__WAIT_FOR("putting into a queue");
static const struct cel__wait getting = CEL__WAIT_FOR("getting from a queue");
static const struct cel__wait joining = CEL__WAIT_FOR("joining a queue");

static size_t drop_all(struct cel_queue *q)
{
    size_t n = q->store.count;

    while (q->store.count != 0) {
        void *item = cel__store_pop(&q->store);

        if (q->drop != NULL)
            q->drop(item);
    }
    return n;
}

void cel_queue_free(struct cel_queue *queue)
{
    if (queue == NULL)
        return;
    CEL__ASSERT(queue->getters.first_ == NULL && queue->putters.first_ == NULL &&
                queue->joiners.first_ == NULL);
    (void)drop_all(queue);
    cel__store_fini(&queue->store);
    cel__mem_free(queue);
}

int cel_queue_try_put(struct cel_queue *queue, void *item)
{
    struct cel__place *getter = cel__line_first(&queue->getters);

    if (queue->is_shut)
        return -EPIPE;
    if (getter != NULL) {
        *(void **)getter->value = item;
        cel__place_end(getter, 0);
    } else if (cel_queue_is_full(queue)) {
        return -EAGAIN;
    } else if (cel__store_push(&queue->store, item) < 0) {
        return -ENOMEM;
    }
    queue->unfinished++;
    return 0;
}

static void admit(struct cel_queue *queue)
{
    struct cel__place *putter = cel__line_first(&queue->putters);

    if (putter == NULL)
        return;
    if (cel__store_push(&queue->store, putter->value) < 0)
        CEL__ASSERT(false && "there is room for what follows a pop");
    queue->unfinished++;
    cel__place_end(putter, 0);
}

int cel_queue_try_get(struct cel_queue *queue, void **item)
{
    if (queue->store.count == 0)
        return queue->is_shut ? -EPIPE : -EAGAIN;
    *item = cel__store_pop(&queue->store);
    admit(queue);
    return 0;
}

int cel_queue_peek(const struct cel_queue *queue, void **item)
{
    if (queue->store.count == 0)
        return queue->is_shut ? -EPIPE : -EAGAIN;
    *item = cel__store_first(&queue->store);
    return 0;
}

int cel_queue_put(struct cel_queue *queue, void *item)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place = {.value = item};
    int r = cel__checkpoint(task);

    if (r != 0)
        return r;
    r = cel_queue_try_put(queue, item);
    if (r == -EAGAIN)
        return cel__line_park(&queue->putters, &place, &putting); /* parks */
    cel__credit_take(cel__loop_here);                             /* parks */
    return r;
}

int cel_queue_get(struct cel_queue *queue, void **item)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place = {.value = item};
    int r = cel__checkpoint(task);

    if (r != 0)
        return r;
    r = cel_queue_try_get(queue, item);
    if (r == -EAGAIN)
        return cel__line_park(&queue->getters, &place, &getting); /* parks */
    cel__credit_take(cel__loop_here);                             /* parks */
    return r;
}

static void finish(struct cel_queue *queue, size_t n)
{
    CEL__ASSERT(queue->unfinished >= n && "task_done was called more often than items were put");
    queue->unfinished -= n;
    if (queue->unfinished == 0)
        cel__line_wake_all(&queue->joiners, 0);
}

void cel_queue_task_done(struct cel_queue *queue)
{
    finish(queue, 1);
}

int cel_queue_join(struct cel_queue *queue)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int code = cel__checkpoint(task);

    if (code != 0 || queue->unfinished == 0)
        return code;
    return cel__line_park(&queue->joiners, &place, &joining); /* parks */
}

void cel_queue_shutdown(struct cel_queue *queue, bool is_immediate)
{
    size_t dropped;

    queue->is_shut = true;
    cel__line_wake_all(&queue->putters, -EPIPE);
    cel__line_wake_all(&queue->getters, -EPIPE);
    if (!is_immediate)
        return;
    dropped = drop_all(queue);
    finish(queue, cel__min(dropped, queue->unfinished)); /* some may be done before they were got */
}

size_t cel_queue_count(const struct cel_queue *queue)
{
    return queue->store.count;
}

bool cel_queue_is_full(const struct cel_queue *queue)
{
    return queue->max != 0 && queue->store.count >= queue->max;
}

size_t cel_queue_unfinished(const struct cel_queue *queue)
{
    return queue->unfinished;
}
