/* SPDX-License-Identifier: MIT */
#ifndef CEL__CROSSING_H
#define CEL__CROSSING_H

/* Standing in a line that tasks of several loops share, and threads without a loop.
 *
 * 1. A line, and all that it is about, belongs to its mutex, which is never held while a task parks
 *    or code of the program runs.
 * 2. Whoever takes a place out of the line, under the mutex, decides how the wait ended. A task of
 *    another loop learns it by a message that lies in the place; from then on nothing else ends its
 *    wait, so the place stays where it is until the message has come.
 *    A thread without a loop sleeps under the mutex until its place is out.
 * 3. The message is sent under the mutex, and who was woken takes the mutex once more before it
 *    goes: so neither the line nor the loop it was woken on is gone while somebody is at it. */

#include <pthread.h>

#include "loop/core.h"
#include "task/place.h"

struct cel__crossing {
    struct cel__place place;
    pthread_mutex_t *mutex;
    struct cel_loop *home; /* NULL: of a thread without one, which sleeps on */
    pthread_cond_t taken;
    struct cel__post wake;
};

static inline void cel__cross_lock(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_lock(mutex);
}

static inline void cel__cross_unlock(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_unlock(mutex);
}

/* What a wait of a task returns at once; a thread without a loop has no scopes. */
static inline int cel__cross_checkpoint(void)
{
    struct cel_task *task = cel__task_here();

    if (task != NULL)
        return cel__checkpoint(task);
    CEL__ASSERT(cel__loop_here == NULL && "this may wait: not from a callback of a loop");
    return 0;
}

/* Of a wait that can be cut short. */
void cel__cross_leave(struct cel_task *task, int code);
/* " at 0x…": which line. */
void cel__cross_tell(struct cel__report *to, const struct cel_task *task);

#define CEL__CROSS_FOR(what_)                                                   \
    {                                                                           \
        .what = (what_), .interrupt = cel__cross_leave, .tell = cel__cross_tell \
    }

/* By the mutex: at the end of the line. The caller fills in place.value only. */
void cel__cross_stand(struct cel__crossing *c, pthread_mutex_t *mutex, struct cel_line *line);
/* (parks) Not by the mutex: until it is taken out. -> how the wait ended. */
int cel__cross_wait(struct cel__crossing *c, const struct cel__wait *wait);
/* (parks) Both; the mutex is given up. */
int cel__cross_park(struct cel__crossing *c, pthread_mutex_t *mutex, struct cel_line *line,
                    const struct cel__wait *wait);

/* By the mutex; NULL: nobody waits. */
static inline struct cel__crossing *cel__cross_first(const struct cel_line *line)
{
    struct cel__place *place = cel__line_first(line);

    return place != NULL ? cel__container_of(place, struct cel__crossing, place) : NULL;
}

/* By the mutex, from any thread: ends the wait with `code`. */
void cel__cross_end(struct cel__crossing *c, int code);
/* The same for the first `n`. -> how many there were. */
size_t cel__cross_wake(struct cel_line *line, size_t n, int code);

#endif
