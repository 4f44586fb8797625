/* SPDX-License-Identifier: MIT */
/* cel_select: the first of several things that can happen.
 *
 * First each case is tried, beginning at one that the loop's dice choose. If none can happen now,
 * the task stands in the lines of all its channels, waits for its futures and arms one timer for
 * the earliest of its instants; whatever comes first takes it out of all lines at once, and lets
 * that case happen on the task's behalf. The places lie on the stack for up to FEW cases. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "task/chan.h"
#include "task/slab.h"

#define FEW 16

struct ear { /* hears that a future is done */
    struct cel__waiter waiter;
    struct cel__place *place;
};

struct seats {
    struct cel__party party;
    struct cel__place *places;
    struct ear *ears;
    struct cel__timer timer;
    struct cel__place *timed; /* whose instant the timer is */
    int64_t begun;
};

/* A linear congruence: cheap, and it comes from the loop's own history alone. */
static size_t roll(struct cel__tasks *tasks, size_t n)
{
    tasks->dice = tasks->dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(((tasks->dice >> 32) * (uint64_t)n) >> 32);
}

static int64_t instant(const struct cel_case *c, int64_t begun)
{
    return c->kind == CEL_CASE_AT ? c->time : cel__clock_add(begun, c->time);
}

static bool has_time(const struct cel_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cases[i].kind >= CEL_CASE_AT)
            return true;
    return false;
}

/* 0, -EPIPE, or -EAGAIN: it cannot happen now. */
static int try_case(struct cel_case *c, int64_t now)
{
    switch (c->kind) {
    case CEL_CASE_RECV:
        return c->chan != NULL ? cel__chan_take(c->chan, c->value) : -EAGAIN;
    case CEL_CASE_SEND:
        return c->chan != NULL ? cel__chan_put(c->chan, c->value) : -EAGAIN;
    case CEL_CASE_DONE:
        return cel__future_is_done(c->future) ? 0 : -EAGAIN;
    case CEL_CASE_AT:
        return c->time <= now ? 0 : -EAGAIN;
    case CEL_CASE_AFTER:
        break;
    }
    return c->time <= 0 ? 0 : -EAGAIN;
}

static int try_all(struct cel_case *cases, size_t n, int64_t now)
{
    size_t at = n > 1 ? roll(cel__loop_here->tasks, n) : 0;

    for (size_t i = 0; i < n; i++, at = at + 1 < n ? at + 1 : 0) {
        int r = try_case(&cases[at], now);

        if (r == -EAGAIN)
            continue;
        cases[at].result = r;
        return (int)at;
    }
    return -EAGAIN;
}

int cel_select_try(struct cel_case *cases, size_t n)
{
    CEL__ASSERT(n <= INT32_MAX && cel__loop_here != NULL);
    if (cel__tasks_of(cel__loop_here) == NULL)
        return -EAGAIN; /* memory for the first task is out: no channel has seen a task */
    return try_all(cases, n, has_time(cases, n) ? cel_now() : 0);
}

static void hear(struct cel__waiter *waiter)
{
    struct ear *ear = cel__container_of(waiter, struct ear, waiter);

    if (ear->place->party->taken == NULL)
        cel__place_end(ear->place, 0);
}

static void ring(struct cel__timer *timer)
{
    struct seats *s = cel__container_of(timer, struct seats, timer);

    if (s->party.taken == NULL)
        cel__place_end(s->timed, 0);
}

static void sit(struct seats *s, struct cel_case *c, size_t i, struct cel_task *task)
{
    struct cel__place *place = &s->places[i];
    struct ear *ear = &s->ears[i];

    *place = (struct cel__place){.task = task, .value = c->value, .party = &s->party};
    *ear = (struct ear){.waiter.wake = hear, .place = place};
    cel__list_init(&ear->waiter.link);
    if (c->kind == CEL_CASE_DONE)
        cel__list_append(&c->future->waiters, &ear->waiter.link);
    else if (c->kind == CEL_CASE_RECV && c->chan != NULL)
        cel__line_append(&c->chan->receivers, place);
    else if (c->kind == CEL_CASE_SEND && c->chan != NULL)
        cel__line_append(&c->chan->senders, place);
}

static void arm(struct seats *s, const struct cel_case *cases, size_t n)
{
    int64_t first = CEL_FOREVER;

    cel__timer_init(&s->timer, ring);
    for (size_t i = 0; i < n; i++)
        if (cases[i].kind >= CEL_CASE_AT && instant(&cases[i], s->begun) < first) {
            first = instant(&cases[i], s->begun);
            s->timed = &s->places[i];
        }
    if (s->timed != NULL)
        cel__timer_arm(&cel__loop_here->wheel, &s->timer, first);
}

static void stand_up(struct seats *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cel__list_unlink(&s->ears[i].waiter.link);
    cel__timer_cancel(&cel__loop_here->wheel, &s->timer);
}

/* (parks) */
static int wait_all(struct seats *s, struct cel_case *cases, size_t n)
{
    struct cel_task *task = cel__task_here();
    int r;

    s->party = (struct cel__party){.places = s->places, .count = n};
    s->places[0].task = task; /* also when there is no case */
    s->places[0].line = NULL;
    for (size_t i = 0; i < n; i++)
        sit(s, &cases[i], i, task);
    arm(s, cases, n);
    r = cel__party_park(&s->party); /* parks */
    stand_up(s, n);
    if (r == -ECANCELED || r == -ETIMEDOUT)
        return r;
    cases[s->party.taken - s->places].result = r;
    return (int)(s->party.taken - s->places);
}

int cel_select(struct cel_case *cases, size_t n)
{
    struct cel_task *task = cel__task_parking();
    struct cel__place few_places[FEW];
    struct ear few_ears[FEW];
    struct seats s = {.places = few_places, .ears = few_ears};
    int r = cel__checkpoint(task);

    CEL__ASSERT(n <= INT32_MAX);
    if (r != 0)
        return r;
    s.begun = has_time(cases, n) ? cel_now() : 0;
    r = try_all(cases, n, s.begun);
    if (r != -EAGAIN) {
        cel__credit_take(cel__loop_here); /* parks */
        return r;
    }
    if (n <= FEW)
        return wait_all(&s, cases, n); /* parks */
    s.places = cel__mem_array(n, sizeof *s.places);
    s.ears = cel__mem_array(n, sizeof *s.ears);
    r = s.places != NULL && s.ears != NULL ? wait_all(&s, cases, n) : -ENOMEM; /* parks */
    cel__mem_free(s.places);
    cel__mem_free(s.ears);
    return r;
}
