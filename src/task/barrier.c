/* SPDX-License-Identifier: MIT */
/* A barrier is a line that is emptied when it is one short of full. Who leaves it by a cancel is
 * out of the line at once, so the last one is never counted with somebody who is gone. */
#include "celadon/sync.h"

#include <errno.h>

#include "task/place.h"

static const struct cel__wait waiting = CEL__WAIT_FOR("waiting at a barrier");

void cel_barrier_init(struct cel_barrier *barrier, size_t parties)
{
    CEL__ASSERT(parties > 0);
    *barrier = (struct cel_barrier){.parties_ = parties};
}

/* Each place gets the number of its coming. */
static void open_gate(struct cel_barrier *barrier)
{
    struct cel__place *place;

    for (int number = 1; (place = cel__line_first(&barrier->line_)) != NULL; number++)
        cel__place_end(place, number);
}

int cel_barrier_wait(struct cel_barrier *barrier)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int code = cel__checkpoint(task);

    CEL__ASSERT(barrier->parties_ > 0);
    if (code != 0)
        return code;
    if (barrier->is_broken_)
        return -EPIPE;
    if (barrier->line_.count_ + 1 < barrier->parties_)
        return cel__line_park(&barrier->line_, &place, &waiting); /* parks */
    open_gate(barrier);
    return 0;
}

void cel_barrier_abort(struct cel_barrier *barrier)
{
    barrier->is_broken_ = true;
    cel__line_wake_all(&barrier->line_, -EPIPE);
}

void cel_barrier_reset(struct cel_barrier *barrier)
{
    barrier->is_broken_ = false;
    cel__line_wake_all(&barrier->line_, -EPIPE);
}

bool cel_barrier_is_broken(const struct cel_barrier *barrier)
{
    return barrier->is_broken_;
}

size_t cel_barrier_waiting(const struct cel_barrier *barrier)
{
    return barrier->line_.count_;
}
