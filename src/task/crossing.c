/* SPDX-License-Identifier: MIT */
#include "task/crossing.h"

#include "base/report.h"

static void arrived(struct cel__post *post)
{
    cel__unpark(cel__container_of(post, struct cel__crossing, wake)->place.task);
}

void cel__cross_end(struct cel__crossing *c, int code)
{
    cel__line_remove(&c->place);
    c->place.code = code;
    if (c->home == NULL) {
        (void)pthread_cond_signal(&c->taken);
        return;
    }
    if (c->home == cel__loop_here) {
        cel__unpark(c->place.task);
        return;
    }
    c->wake.run = arrived;
    cel__loop_post(c->home, &c->wake);
}

size_t cel__cross_wake(struct cel_line *line, size_t n, int code)
{
    size_t woken = 0;

    for (struct cel__crossing *c; woken < n && (c = cel__cross_first(line)) != NULL; woken++)
        cel__cross_end(c, code);
    return woken;
}

void cel__cross_leave(struct cel_task *task, int code)
{
    struct cel__crossing *c = task->wait_on;

    cel__cross_lock(c->mutex);
    if (c->place.line != NULL) /* else it is taken: that result stands, and its word is coming */
        cel__cross_end(c, code);
    cel__cross_unlock(c->mutex);
}

/* The line is others' too, and a report takes no lock: its address is all that can be told. */
void cel__cross_tell(struct cel__report *to, const struct cel_task *task)
{
    const struct cel__crossing *c = task->wait_on;

    cel__report_str(to, " at ");
    cel__report_hex(to, (uintptr_t)c->mutex);
}

void cel__cross_stand(struct cel__crossing *c, pthread_mutex_t *mutex, struct cel_line *line)
{
    c->place.task = cel__task_here();
    c->place.party = NULL;
    c->mutex = mutex;
    c->home = cel__loop_here;
    if (c->home == NULL)
        (void)pthread_cond_init(&c->taken, NULL);
    cel__line_append(line, &c->place);
}

static int sleep_until_taken(struct cel__crossing *c)
{
    cel__cross_lock(c->mutex);
    while (c->place.line != NULL)
        (void)pthread_cond_wait(&c->taken, c->mutex);
    cel__cross_unlock(c->mutex);
    (void)pthread_cond_destroy(&c->taken);
    return c->place.code;
}

int cel__cross_wait(struct cel__crossing *c, const struct cel__wait *wait)
{
    int code;

    if (c->home == NULL)
        return sleep_until_taken(c);

    c->home->holds++;                  /* who ends it may be on another loop */
    cel__park(c->place.task, wait, c); /* parks */
    c->home->holds--;
    cel__cross_lock(c->mutex); /* whoever woke us is through with it */
    code = c->place.code;
    cel__cross_unlock(c->mutex);
    return code;
}

int cel__cross_park(struct cel__crossing *c, pthread_mutex_t *mutex, struct cel_line *line,
                    const struct cel__wait *wait)
{
    cel__cross_stand(c, mutex, line);
    cel__cross_unlock(mutex);
    return cel__cross_wait(c, wait); /* parks */
}
