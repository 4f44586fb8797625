/* SPDX-License-Identifier: MIT */
/* Permits and a flag for all threads of a process. As those of one loop (sem.c, event.c): a number
 * and a line, one of which is always empty. */
#include "celadon/shared.h"

#include <errno.h>

#include "base/mem.h"
#include "task/stand.h"

/* What both are: the flag is a number of 0 or 1 that waiting does not take from. */
struct gate {
    pthread_mutex_t lock;
    size_t count;
    struct cel__list line;
};

struct cel_shared_sem {
    struct gate gate;
};

struct cel_shared_event {
    struct gate gate;
};

static const struct cel__wait for_permit = CEL__STAND_FOR("waiting for a shared semaphore");
static const struct cel__wait for_event = CEL__STAND_FOR("waiting for a shared event");

static void gate_init(struct gate *gate, size_t count)
{
    (void)pthread_mutex_init(&gate->lock, NULL);
    gate->count = count;
    cel__list_init(&gate->line);
}

static void gate_fini(struct gate *gate)
{
    CEL__ASSERT(cel__list_is_empty(&gate->line) && "somebody waits for what is freed");
    (void)pthread_mutex_destroy(&gate->lock);
}

static size_t gate_count(struct gate *gate)
{
    size_t count;

    (void)pthread_mutex_lock(&gate->lock);
    count = gate->count;
    (void)pthread_mutex_unlock(&gate->lock);
    return count;
}

/* `taken` is what passing takes. (waits) */
static int gate_pass(struct gate *gate, size_t taken, const struct cel__wait *wait)
{
    struct cel__stand stand;
    int code = cel__stand_checkpoint();

    if (code != 0)
        return code;
    (void)pthread_mutex_lock(&gate->lock);
    if (gate->count == 0)
        return cel__stand_wait(&stand, &gate->lock, &gate->line, wait); /* waits, gives it up */
    gate->count -= taken;
    (void)pthread_mutex_unlock(&gate->lock);
    cel__stand_pay(); /* parks */
    return 0;
}

/* ---- semaphore ---- */

int cel_shared_sem_new(struct cel_shared_sem **out, size_t count)
{
    struct cel_shared_sem *sem = cel__mem_alloc(sizeof *sem);

    if (sem == NULL)
        return -ENOMEM;
    gate_init(&sem->gate, count);
    *out = sem;
    return 0;
}

void cel_shared_sem_free(struct cel_shared_sem *sem)
{
    if (sem == NULL)
        return;
    gate_fini(&sem->gate);
    cel__mem_free(sem);
}

int cel_shared_sem_acquire(struct cel_shared_sem *sem)
{
    return gate_pass(&sem->gate, 1, &for_permit); /* waits */
}

bool cel_shared_sem_try(struct cel_shared_sem *sem)
{
    bool is_taken;

    (void)pthread_mutex_lock(&sem->gate.lock);
    is_taken = sem->gate.count != 0;
    sem->gate.count -= is_taken;
    (void)pthread_mutex_unlock(&sem->gate.lock);
    return is_taken;
}

void cel_shared_sem_release(struct cel_shared_sem *sem)
{
    struct cel__stand *first;
    struct cel__list served;

    cel__list_init(&served);
    (void)pthread_mutex_lock(&sem->gate.lock);
    first = cel__stand_first(&sem->gate.line);
    if (first != NULL)
        cel__stand_serve(first, 0, &served);
    else
        sem->gate.count++;
    (void)pthread_mutex_unlock(&sem->gate.lock);
    cel__stand_tell(&served);
}

size_t cel_shared_sem_count(struct cel_shared_sem *sem)
{
    return gate_count(&sem->gate);
}

/* ---- event ---- */

int cel_shared_event_new(struct cel_shared_event **out)
{
    struct cel_shared_event *event = cel__mem_alloc(sizeof *event);

    if (event == NULL)
        return -ENOMEM;
    gate_init(&event->gate, 0);
    *out = event;
    return 0;
}

void cel_shared_event_free(struct cel_shared_event *event)
{
    if (event == NULL)
        return;
    gate_fini(&event->gate);
    cel__mem_free(event);
}

int cel_shared_event_wait(struct cel_shared_event *event)
{
    return gate_pass(&event->gate, 0, &for_event); /* waits */
}

void cel_shared_event_set(struct cel_shared_event *event)
{
    struct cel__list served;

    cel__list_init(&served);
    (void)pthread_mutex_lock(&event->gate.lock);
    event->gate.count = 1;
    cel__stand_serve_all(&event->gate.line, 0, &served);
    (void)pthread_mutex_unlock(&event->gate.lock);
    cel__stand_tell(&served);
}

void cel_shared_event_clear(struct cel_shared_event *event)
{
    (void)pthread_mutex_lock(&event->gate.lock);
    event->gate.count = 0;
    (void)pthread_mutex_unlock(&event->gate.lock);
}

bool cel_shared_event_is_set(struct cel_shared_event *event)
{
    return gate_count(&event->gate) != 0;
}
