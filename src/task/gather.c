/* SPDX-License-Identifier: MIT */
/* Waiting for several at once. Each of them gets a waiter that reports to one party; the task is
 * readied once, when the party's condition holds.
 *
 * The waiters live on the stack for up to FEW and on the heap beyond; either way each is off its
 * future's list before the call returns. */
#include <errno.h>

#include "base/mem.h"
#include "base/report.h"
#include "task/tell.h"
#include "task/error.h"
#include "task/future.h"
#include "task/wait.h"

#define FEW 16

struct party {
    struct cel_task *task; /* NULL once it is readied */
    enum cel_wait_for what;
    size_t pending;
    bool has_failed;
    int code; /* of an interrupt */
    struct guest *guests;
    size_t count;
};

struct guest {
    struct cel__waiter waiter;
    struct cel_future *future;
    struct party *party;
};

static bool is_over(const struct party *p)
{
    return p->pending == 0 || (p->what == CEL_WAIT_FIRST && p->pending < p->count) ||
           (p->what == CEL_WAIT_FIRST_ERROR && p->has_failed);
}

static void ready_once(struct party *p)
{
    struct cel_task *task = p->task;

    p->task = NULL;
    if (task != NULL)
        cel__unpark(task);
}

static void guest_left(struct cel__waiter *waiter)
{
    struct guest *g = cel__container_of(waiter, struct guest, waiter);
    struct party *p = g->party;

    p->pending--;
    p->has_failed |= g->future->code < 0;
    if (is_over(p))
        ready_once(p);
}

static void interrupt(struct cel_task *task, int code)
{
    struct party *p = task->wait_on;

    if (p->task == NULL)
        return; /* readied already: the result stands */
    p->code = code;
    ready_once(p);
}

static void tell(struct cel__report *to, const struct cel_task *task)
{
    const struct party *p = task->wait_on;

    cel__report_number(to, (int64_t)p->pending);
    cel__report_str(to, " of ");
    cel__report_number(to, (int64_t)p->count);
    cel__report_str(to, " are pending");
    for (size_t i = 0; i < p->count; i++) {
        const struct cel_future *f = p->guests[i].future;

        if (f == NULL || f->state != CEL__PENDING || !f->is_task)
            continue;
        cel__report_str(to, ", such as ");
        cel__report_task(to, (const struct cel_task *)f);
        return;
    }
}

/* The only one that is missing. */
static const struct cel_task *blocker(const struct cel_task *task)
{
    const struct party *p = task->wait_on;

    for (size_t i = 0; p->pending == 1 && i < p->count; i++) {
        const struct cel_future *f = p->guests[i].future;

        if (f != NULL && f->state == CEL__PENDING)
            return f->is_task ? (const struct cel_task *)f : NULL;
    }
    return NULL;
}

static const struct cel__wait gathering = {
    .what = "for several: ", .interrupt = interrupt, .tell = tell, .blocker = blocker};
static const struct cel__wait gathering_shielded = {
    .what = "for several, shielded: ", .tell = tell, .blocker = blocker};

static void invite(struct party *p, union cel_awaitables x)
{
    for (size_t i = 0; i < p->count; i++) {
        struct guest *g = &p->guests[i];

        *g = (struct guest){.waiter.wake = guest_left, .future = x.futures[i], .party = p};
        cel__list_init(&g->waiter.link);
        if (cel__future_is_done(g->future)) {
            p->has_failed |= cel__future_code(g->future) < 0;
            continue;
        }
        p->pending++;
        cel__list_append(&g->future->waiters, &g->waiter.link);
    }
}

static void send_home(struct party *p)
{
    for (size_t i = 0; i < p->count; i++)
        cel__list_unlink(&p->guests[i].waiter.link);
}

/* (parks) 0 when the condition holds; how the wait ended otherwise. */
static int hold(struct cel_task *task, struct guest *guests, union cel_awaitables x, size_t n,
                enum cel_wait_for what, bool is_shielded)
{
    struct party p = {.task = task, .what = what, .guests = guests, .count = n};

    invite(&p, x);
    if (!is_over(&p))
        cel__park(task, is_shielded ? &gathering_shielded : &gathering, &p); /* parks */
    send_home(&p);
    return p.code;
}

static struct guest *guests_for(size_t n, struct guest *few)
{
    return n <= FEW ? few : cel__mem_array(n, sizeof(struct guest));
}

static void guests_free(struct guest *guests, struct guest *few)
{
    if (guests != few)
        cel__mem_free(guests);
}

int(cel_wait)(union cel_awaitables x, size_t n, enum cel_wait_for what)
{
    struct cel_task *task = cel__task_parking();
    struct guest few[FEW], *guests;
    int r = cel__checkpoint(task), done = 0;

    if (r != 0)
        return r;
    guests = guests_for(n, few);
    if (guests == NULL)
        return -ENOMEM;
    r = hold(task, guests, x, n, what, false); /* parks */
    guests_free(guests, few);
    if (r != 0)
        return r;
    for (size_t i = 0; i < n; i++)
        done += cel__future_is_done(x.futures[i]);
    return done;
}

static bool is_task(const struct cel_future *f)
{
    return f != NULL && f->is_task;
}

static void cancel_tasks(union cel_awaitables x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_task(x.futures[i]))
            cel_task_cancel(x.tasks[i]);
}

/* A plain future that nobody will ever set must not be waited for when the gathering is off. */
static size_t tasks_only(union cel_awaitables x, size_t n, struct cel_future **out)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (is_task(x.futures[i]))
            out[count++] = x.futures[i];
    return count;
}

static void call_off(struct cel_task *task, struct guest *guests, union cel_awaitables x, size_t n)
{
    struct cel_future *few[FEW], **tasks = n <= FEW ? few : cel__mem_array(n, sizeof *tasks);

    cancel_tasks(x, n);
    if (tasks == NULL) { /* one after the other then */
        for (size_t i = 0; i < n; i++)
            if (is_task(x.futures[i]))
                (void)cel__future_wait(x.futures[i], true); /* parks */
        return;
    }
    n = tasks_only(x, n, tasks);
    (void)hold(task, guests, tasks, n, CEL_WAIT_ALL, true); /* parks */
    if (tasks != few)
        cel__mem_free(tasks);
}

static int gather(union cel_awaitables x, size_t n, enum cel_wait_for what)
{
    struct cel_task *task = cel__task_parking();
    struct guest few[FEW], *guests;
    int r = cel__checkpoint(task);
    bool has_failed = false;

    guests = guests_for(n, few);
    if (guests == NULL)
        return -ENOMEM;
    if (r == 0)
        r = hold(task, guests, x, n, what, false); /* parks */
    for (size_t i = 0; r == 0 && i < n; i++)
        has_failed |= cel__future_is_done(x.futures[i]) && cel__future_code(x.futures[i]) < 0;
    if (r != 0 || (has_failed && what == CEL_WAIT_FIRST_ERROR))
        call_off(task, guests, x, n); /* parks */
    guests_free(guests, few);
    return r != 0 ? r : has_failed ? -CEL_EFAILED : 0;
}

/* The error that the one who gathers sees: of the first in the list that failed by itself. */
static void take_error(union cel_awaitables x, size_t n)
{
    size_t chosen = n;

    for (size_t i = n; i-- > 0;) {
        int code = cel__future_code(x.futures[i]);

        if (code < 0 && (chosen == n || code != -ECANCELED))
            chosen = i;
    }
    if (chosen < n)
        (void)cel__future_take(x.futures[chosen], NULL);
}

int(cel_gather)(union cel_awaitables x, size_t n, void **values)
{
    int r = gather(x, n, CEL_WAIT_FIRST_ERROR); /* parks */

    if (r == -CEL_EFAILED)
        take_error(x, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        x.futures[i]->was_awaited = 1;
        if (values != NULL)
            values[i] = x.futures[i]->value;
    }
    return r;
}

int(cel_gather_outcomes)(union cel_awaitables x, size_t n, void **values, int *outcomes)
{
    int r = gather(x, n, CEL_WAIT_ALL); /* parks */

    if (r != 0 && r != -CEL_EFAILED)
        return r;
    for (size_t i = 0; i < n; i++) {
        if (x.futures[i] != NULL)
            x.futures[i]->was_awaited = 1;
        if (values != NULL)
            values[i] = cel_value(x.futures[i]);
        if (outcomes != NULL)
            outcomes[i] = cel_outcome(x.futures[i]);
    }
    return 0;
}

/* ---- in the order of completion ---- */

struct arrival {
    struct cel__waiter waiter;
    struct cel_completed *of;
    size_t next; /* behind it in the order of completion, +1 */
};

struct cel_completed {
    size_t count, given, first, last; /* first and last of those that are done and not given, +1 */
    struct cel__waitq reader;
    struct arrival arrivals[];
};

static void arrive(struct cel__waiter *waiter)
{
    struct arrival *a = cel__container_of(waiter, struct arrival, waiter);
    struct cel_completed *c = a->of;
    size_t number = (size_t)(a - c->arrivals) + 1;

    if (c->last != 0)
        c->arrivals[c->last - 1].next = number;
    else
        c->first = number;
    c->last = number;
    (void)cel__waitq_wake_one(&c->reader);
}

int(cel_completed_new)(struct cel_completed **out, union cel_awaitables x, size_t n)
{
    struct cel_completed *c = cel__mem_zalloc(sizeof *c + n * sizeof c->arrivals[0]);

    if (c == NULL)
        return -ENOMEM;
    c->count = n;
    cel__waitq_init(&c->reader);
    c->reader.what = "the next that is done";
    for (size_t i = 0; i < n; i++) {
        struct arrival *a = &c->arrivals[i];

        a->waiter.wake = arrive;
        a->of = c;
        cel__list_init(&a->waiter.link);
        if (cel__future_is_done(x.futures[i]))
            arrive(&a->waiter);
        else
            cel__list_append(&x.futures[i]->waiters, &a->waiter.link);
    }
    *out = c;
    return 0;
}

int cel_completed_next(struct cel_completed *completed)
{
    struct cel_completed *c = completed;
    size_t number;
    int r = cel_checkpoint();

    if (r != 0)
        return r;
    if (c->given == c->count)
        return -ENOENT;
    while (c->first == 0) {
        r = cel__waitq_park(&c->reader); /* parks */
        if (r < 0)
            return r;
    }
    number = c->first;
    c->first = c->arrivals[number - 1].next;
    if (c->first == 0)
        c->last = 0;
    c->given++;
    return (int)number - 1;
}

void cel_completed_free(struct cel_completed *completed)
{
    if (completed == NULL)
        return;
    for (size_t i = 0; i < completed->count; i++)
        cel__list_unlink(&completed->arrivals[i].waiter.link);
    cel__mem_free(completed);
}
