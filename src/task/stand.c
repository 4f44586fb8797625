/* SPDX-License-Identifier: MIT */
#include "task/stand.h"

#include "base/report.h"

/* A callback of a loop may not wait, in whatever way: it would keep its loop from turning. */
static struct cel_task *waiting_task(void)
{
    return cel__loop_here != NULL ? cel__task_parking() : NULL;
}

int cel__stand_checkpoint(void)
{
    const struct cel_task *task = waiting_task();

    return task != NULL ? cel__checkpoint(task) : 0;
}

void cel__stand_pay(void)
{
    if (cel__loop_here != NULL)
        cel__credit_take(cel__loop_here); /* parks */
}

void cel__stand_interrupt(struct cel_task *task, int code)
{
    struct cel__stand *s = task->wait_on;
    bool is_served;

    (void)pthread_mutex_lock(s->lock);
    is_served = s->is_served;
    if (!is_served) {
        s->is_served = true;
        s->code = code;
        cel__list_unlink(&s->link);
    }
    (void)pthread_mutex_unlock(s->lock);
    if (!is_served)
        cel__unpark(task);
}

void cel__stand_describe(struct cel__report *to, const struct cel_task *task)
{
    const struct cel__stand *s = task->wait_on;

    cel__report_str(to, " at ");
    cel__report_hex(to, (uintptr_t)s->lock);
}

static void wait_as_thread(struct cel__stand *s)
{
    (void)pthread_cond_init(&s->woken, NULL);
    while (!s->is_served)
        (void)pthread_cond_wait(&s->woken, s->lock);
    (void)pthread_mutex_unlock(s->lock);
    (void)pthread_cond_destroy(&s->woken);
}

int cel__stand_wait(struct cel__stand *stand, pthread_mutex_t *lock, struct cel__list *line,
                    const struct cel__wait *wait)
{
    stand->task = waiting_task();
    stand->home = cel__loop_here;
    stand->lock = lock;
    stand->is_served = false;
    cel__list_append(line, &stand->link);
    if (stand->task == NULL) {
        wait_as_thread(stand);
        return stand->code;
    }
    (void)pthread_mutex_unlock(lock);
    stand->home->holds++;                /* who serves it may be on another thread */
    cel__park(stand->task, wait, stand); /* parks */
    stand->home->holds--;
    return stand->code;
}

void cel__stand_serve(struct cel__stand *stand, int code, struct cel__list *served)
{
    cel__list_unlink(&stand->link);
    stand->is_served = true;
    stand->code = code;
    if (stand->task != NULL)
        cel__list_append(served, &stand->link);
    else
        (void)pthread_cond_signal(&stand->woken);
}

void cel__stand_serve_all(struct cel__list *line, int code, struct cel__list *served)
{
    struct cel__stand *stand;

    while ((stand = cel__stand_first(line)) != NULL)
        cel__stand_serve(stand, code, served);
}

static void wake(struct cel__post *post)
{
    cel__unpark(cel__container_of(post, struct cel__stand, wake)->task);
}

void cel__stand_tell(struct cel__list *served)
{
    struct cel__list *node;

    while ((node = cel__list_pop(served)) != NULL) {
        struct cel__stand *stand = cel__container_of(node, struct cel__stand, link);

        stand->wake.run = wake;
        cel__loop_post(stand->home, &stand->wake);
    }
}
