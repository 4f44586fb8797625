/* SPDX-License-Identifier: MIT */
/* A store and three lines under one lock; the rules are those of queue.c:
 *
 * 1. Somebody waits to get only while the store is empty, to put only while it is full.
 * 2. An item that is put while somebody waits to get goes straight to the first of them.
 * 3. The room that a get makes goes at once to the first who waits to put.
 * 4. `unfinished` counts what was put, from there to its task_done. */
#include <errno.h>

#include "base/mem.h"
#include "celadon/shared.h"
#include "task/stand.h"
#include "task/store.h"

struct cel_shared_queue {
    size_t max;
    void (*drop)(void *item);
    pthread_mutex_t lock; /* of all that follows */
    struct cel__store store;
    size_t unfinished;
    bool is_shut;
    struct cel__list getters, putters, joiners;
};

static const struct cel__wait putting = CEL__STAND_FOR("putting into a shared queue");
static const struct cel__wait getting = CEL__STAND_FOR("getting from a shared queue");
static const struct cel__wait joining = CEL__STAND_FOR("joining a shared queue");

static void lock(struct cel_shared_queue *q, struct cel__list *served)
{
    cel__list_init(served);
    (void)pthread_mutex_lock(&q->lock);
}

static void unlock(struct cel_shared_queue *q, struct cel__list *served)
{
    (void)pthread_mutex_unlock(&q->lock);
    cel__stand_tell(served);
}

int cel_shared_queue_new(struct cel_shared_queue **out, const struct cel_queue_options *options)
{
    static const struct cel_queue_options none;
    struct cel_shared_queue *q = cel__mem_zalloc(sizeof *q);

    if (q == NULL)
        return -ENOMEM;
    if (options == NULL)
        options = &none;
    CEL__ASSERT(options->order != CEL_PRIORITY || options->compare != NULL);
    q->store.order = options->order;
    q->store.compare = options->compare;
    q->max = options->max;
    q->drop = options->drop;
    (void)pthread_mutex_init(&q->lock, NULL);
    cel__list_init(&q->getters);
    cel__list_init(&q->putters);
    cel__list_init(&q->joiners);
    *out = q;
    return 0;
}

static void drop_all(struct cel_shared_queue *q, struct cel__store *store)
{
    while (store->count != 0) {
        void *item = cel__store_pop(store);

        if (q->drop != NULL)
            q->drop(item);
    }
    cel__store_fini(store);
}

void cel_shared_queue_free(struct cel_shared_queue *queue)
{
    if (queue == NULL)
        return;
    CEL__ASSERT(cel__list_is_empty(&queue->getters) && cel__list_is_empty(&queue->putters) &&
                cel__list_is_empty(&queue->joiners) && "somebody waits for what is freed");
    drop_all(queue, &queue->store);
    (void)pthread_mutex_destroy(&queue->lock);
    cel__mem_free(queue);
}

/* ---- with the lock held ---- */

static int put(struct cel_shared_queue *q, void *item, struct cel__list *served)
{
    struct cel__stand *getter = cel__stand_first(&q->getters);

    if (q->is_shut)
        return -EPIPE;
    if (getter != NULL) {
        *(void **)getter->value = item;
        cel__stand_serve(getter, 0, served);
    } else if (q->max != 0 && q->store.count >= q->max) {
        return -EAGAIN;
    } else if (cel__store_push(&q->store, item) < 0) {
        return -ENOMEM;
    }
    q->unfinished++;
    return 0;
}

static void admit(struct cel_shared_queue *q, struct cel__list *served)
{
    struct cel__stand *putter = cel__stand_first(&q->putters);

    if (putter == NULL)
        return;
    if (cel__store_push(&q->store, putter->value) < 0)
        CEL__ASSERT(false && "there is room for what follows a pop");
    q->unfinished++;
    cel__stand_serve(putter, 0, served);
}

static int get(struct cel_shared_queue *q, void **item, struct cel__list *served)
{
    if (q->store.count == 0)
        return q->is_shut ? -EPIPE : -EAGAIN;
    *item = cel__store_pop(&q->store);
    admit(q, served);
    return 0;
}

static void finish(struct cel_shared_queue *q, size_t n, struct cel__list *served)
{
    CEL__ASSERT(q->unfinished >= n && "task_done was called more often than items were put");
    q->unfinished -= n;
    if (q->unfinished == 0)
        cel__stand_serve_all(&q->joiners, 0, served);
}

/* ---- without ---- */

int cel_shared_queue_try_put(struct cel_shared_queue *queue, void *item)
{
    struct cel__list served;
    int r;

    lock(queue, &served);
    r = put(queue, item, &served);
    unlock(queue, &served);
    return r;
}

int cel_shared_queue_try_get(struct cel_shared_queue *queue, void **item)
{
    struct cel__list served;
    int r;

    lock(queue, &served);
    r = get(queue, item, &served);
    unlock(queue, &served);
    return r;
}

int cel_shared_queue_put(struct cel_shared_queue *queue, void *item)
{
    struct cel__stand stand = {.value = item};
    struct cel__list served;
    int r = cel__stand_checkpoint();

    if (r != 0)
        return r;
    lock(queue, &served);
    r = put(queue, item, &served);
    if (r == -EAGAIN)
        return cel__stand_wait(&stand, &queue->lock, &queue->putters, &putting); /* waits */
    unlock(queue, &served);
    cel__stand_pay(); /* parks */
    return r;
}

int cel_shared_queue_get(struct cel_shared_queue *queue, void **item)
{
    struct cel__stand stand = {.value = item};
    struct cel__list served;
    int r = cel__stand_checkpoint();

    if (r != 0)
        return r;
    lock(queue, &served);
    r = get(queue, item, &served);
    if (r == -EAGAIN)
        return cel__stand_wait(&stand, &queue->lock, &queue->getters, &getting); /* waits */
    unlock(queue, &served);
    cel__stand_pay(); /* parks */
    return r;
}

void cel_shared_queue_task_done(struct cel_shared_queue *queue)
{
    struct cel__list served;

    lock(queue, &served);
    finish(queue, 1, &served);
    unlock(queue, &served);
}

int cel_shared_queue_join(struct cel_shared_queue *queue)
{
    struct cel__stand stand;
    struct cel__list served;
    int r = cel__stand_checkpoint();

    if (r != 0)
        return r;
    lock(queue, &served);
    if (queue->unfinished != 0)
        return cel__stand_wait(&stand, &queue->lock, &queue->joiners, &joining); /* waits */
    unlock(queue, &served);
    return 0;
}

/* The items that are dropped are the caller's to drop, without the lock: `drop` may use the
 * queue. */
void cel_shared_queue_shutdown(struct cel_shared_queue *queue, bool is_immediate)
{
    struct cel__store dropped = {0};
    struct cel__list served;

    lock(queue, &served);
    queue->is_shut = true;
    cel__stand_serve_all(&queue->putters, -EPIPE, &served);
    cel__stand_serve_all(&queue->getters, -EPIPE, &served);
    if (is_immediate) {
        dropped = queue->store;
        queue->store = (struct cel__store){.order = dropped.order, .compare = dropped.compare};
        finish(queue, cel__min(dropped.count, queue->unfinished), &served);
    }
    unlock(queue, &served);
    drop_all(queue, &dropped);
}

size_t cel_shared_queue_count(struct cel_shared_queue *queue)
{
    size_t count;

    (void)pthread_mutex_lock(&queue->lock);
    count = queue->store.count;
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}
