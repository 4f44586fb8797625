/* SPDX-License-Identifier: MIT */
/* Done by the first, waited for by the others. After a failure the turn goes to the first in line,
 * in the same instant: nobody who comes then can try before it. */
#include "celadon/sync.h"

#include "task/tell.h"
#include "task/place.h"

enum { UNTRIED, UNDER_WAY, SUCCEEDED };

#define YOUR_TURN 1

static int attempt(struct cel_once *once, int (*fn)(void *arg), void *arg)
{
    struct cel__place *next;
    int r;

    once->state_ = UNDER_WAY;
    once->owner_ = cel__task_here();
    r = fn(arg); /* parks */
    once->owner_ = NULL;
    next = cel__line_first(&once->line_);
    if (r >= 0) {
        once->state_ = SUCCEEDED;
        cel__line_wake_all(&once->line_, 0);
        return 0;
    }
    if (next == NULL) {
        once->state_ = UNTRIED;
        return r;
    }
    once->owner_ = next->task;
    cel__place_end(next, YOUR_TURN);
    return r;
}

/* Who is at it. */
static const struct cel_task *doer_of(const struct cel_task *task)
{
    const struct cel__place *place = task->wait_on;

    if (place->line == NULL)
        return NULL;
    return cel__container_of(place->line, struct cel_once, line_)->owner_;
}

static void tell_doer(struct cel__report *to, const struct cel_task *task)
{
    const struct cel_task *doer = doer_of(task);

    if (doer != NULL)
        cel__report_task(to, doer);
}

static const struct cel__wait waiting = {.what = "waiting for what is done once, by ",
                                         .interrupt = cel__place_leave,
                                         .tell = tell_doer,
                                         .blocker = doer_of};

int cel_once_run(struct cel_once *once, int (*fn)(void *arg), void *arg)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place place;
    int r = cel__checkpoint(task);

    if (r != 0 || once->state_ == SUCCEEDED)
        return r;
    CEL__ASSERT(once->owner_ != task && "what is done once waits for itself");
    r = YOUR_TURN;
    if (once->state_ != UNTRIED)
        r = cel__line_park(&once->line_, &place, &waiting); /* parks */
    return r == YOUR_TURN ? attempt(once, fn, arg) : r;     /* parks */
}

bool cel_once_is_done(const struct cel_once *once)
{
    return once->state_ == SUCCEEDED;
}
