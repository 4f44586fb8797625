/* SPDX-License-Identifier: MIT */
/* What crosses loops, played on one loop: ports, tasks asked of a loop, promises, lanes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/debug.h"
#include "celadon/offload.h"
#include "celadon/shared.h"
#include "celadon/workers.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

struct talk {
    struct cel_port *port;
    int got;
};

static void *sends(void *arg)
{
    struct talk *talk = arg;
    int r = 0;

    for (int i = 1; i <= 10 && r == 0; i++)
        r = cel_port_send(talk->port, &i); /* has room for two: it waits */
    cel_port_close(talk->port);
    return r < 0 ? cel_fail(r, "sending") : NULL;
}

static void *receives(void *arg)
{
    struct talk *talk = arg;
    int r, n;

    while ((r = cel_port_receive(talk->port, &n)) == 0)
        CEL__ASSERT(n == ++talk->got);
    return r != -EPIPE ? cel_fail(r, "receiving") : NULL;
}

static void *talks_by_port(void *arg)
{
    struct talk talk = {0};

    if (cel_port_new(&talk.port, sizeof(int), 2) < 0)
        return NULL;
    CEL_SCOPE (both)
        if (cel_go(sends, &talk) == 0)
            (void)receives(&talk);
    cel_port_free(talk.port);
    return NULL;
}

/* Two stand in line on either side. */
static void *crowds_a_port(void *arg)
{
    struct talk talk = {0};
    int n = 0;

    if (cel_port_new(&talk.port, sizeof(int), 2) < 0)
        return NULL;
    CEL_SCOPE (all, .timeout = 4 * MS) {
        for (int i = 0; i < 2; i++) {
            (void)!cel_go(sends, &talk);
            (void)!cel_go(sends, &talk);
        }
        while (cel_port_receive(talk.port, &n) == 0)
            (void)cel_yield();
    }
    cel_port_free(talk.port);
    return NULL;
}

static void *asked(void *arg)
{
    int r = cel_sleep(MS / 4);

    return r < 0 ? cel_fail(r, "asked") : arg;
}

static void *asks(void *arg)
{
    struct cel_future *f = cel_spawn_on(cel_loop_current(), asked, "x");
    void *value = NULL;

    if (f != NULL && cel_await(f, &value) == 0)
        CEL__ASSERT(value != NULL);
    cel_future_free(f);
    return NULL;
}

static void *asks_and_leaves(void *arg)
{
    struct cel_future *f = cel_spawn_on(cel_loop_current(), asked, "x");

    (void)cel_yield();
    if (f != NULL)
        (void)cel_future_cancel(f);
    (void)cel_yield();
    cel_future_free(f);
    cel_future_free(cel_spawn_on(cel_loop_current(), asked, NULL));
    return NULL;
}

static void *keeps(void *arg)
{
    (void)cel_sleep(MS / 4);
    (void)cel_promise_set(arg, "kept");
    return NULL;
}

static void *promises(void *arg)
{
    struct cel_future *f;
    struct cel_promise *p = cel_promise_new(&f);
    void *value = NULL;

    if (p == NULL)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(keeps, p) < 0)
            cel_promise_drop(p);
        if (cel_await(f, &value) == 0)
            CEL__ASSERT(value != NULL);
    }
    cel_future_free(f);
    return NULL;
}

static void *breaks_promises(void *arg)
{
    struct cel_future *f[3];
    struct cel_promise *p[3];

    for (int i = 0; i < 3; i++)
        p[i] = cel_promise_new(&f[i]);
    for (int i = 0; i < 3; i++)
        if (p[i] != NULL && i != 1)
            (void)cel_promise_fail(p[i], -EIO, "planned");
        else if (p[i] != NULL)
            cel_promise_drop(p[i]);
    if (p[0] != NULL)
        cel_future_free(f[0]); /* before the word comes */
    for (int i = 1; i < 3; i++)
        if (p[i] != NULL) {
            int r = cel_await(f[i], NULL);

            CEL__ASSERT(r != 0);
            cel_future_free(f[i]);
        }
    return NULL;
}

struct shared {
    struct cel_shared_lock lock;
    struct cel_shared_cond cond;
    struct cel_shared_sem sem;
    struct cel_shared_event event;
    struct cel_shared_countdown countdown;
    struct cel_shared_queue *queue;
    int inside, begun;
};

static void *shares_lock(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 2 && cel_shared_lock_acquire(&s->lock) == 0; i++) {
        CEL__ASSERT(s->inside++ == 0);
        if (++s->begun == 3)
            (void)cel_shared_cond_notify(&s->cond, SIZE_MAX);
        else
            (void)cel_yield();
        s->inside--;
        cel_shared_lock_release(&s->lock);
    }
    return NULL;
}

static void *locks_shared(void *arg)
{
    struct shared s = {.inside = 0};

    CEL_SCOPE (all, .timeout = 4 * MS) {
        int r = 0;

        for (int i = 0; i < 2 && r == 0; i++)
            r = cel_go(shares_lock, &s);
        if (r == 0 && cel_shared_lock_acquire(&s.lock) == 0) {
            while (r == 0 && s.begun < 3)
                r = cel_shared_cond_wait(&s.cond, &s.lock);
            CEL__ASSERT(s.inside == 0);
            cel_shared_lock_release(&s.lock);
        }
    }
    CEL__ASSERT(s.lock.owner_ == NULL && s.lock.line_.count_ == 0 && s.cond.line_.count_ == 0);
    return NULL;
}

static void *shares_gates(void *arg)
{
    struct shared *s = arg;

    if (cel_shared_event_wait(&s->event) == 0 && cel_shared_sem_acquire(&s->sem) == 0) {
        CEL__ASSERT(s->inside++ == 0);
        (void)cel_yield();
        s->inside--;
        cel_shared_sem_release(&s->sem);
    }
    cel_shared_countdown_done(&s->countdown);
    return NULL;
}

static void *passes_shared_gates(void *arg)
{
    struct shared s = {.sem = CEL_SHARED_SEM_INIT(1)};

    CEL_SCOPE (all) {
        for (int i = 0; i < 3; i++)
            if (cel_go(shares_gates, &s) == 0)
                cel_shared_countdown_add(&s.countdown, 1);
        (void)cel_yield();
        cel_shared_event_set(&s.event);
        if (cel_shared_countdown_wait(&s.countdown) == 0)
            CEL__ASSERT(s.inside == 0);
    }
    CEL__ASSERT(cel_shared_sem_try(&s.sem) && !cel_shared_sem_try(&s.sem));
    return NULL;
}

static void *puts_shared(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 4 && cel_shared_queue_put(s->queue, "item") == 0; i++)
        s->begun++;
    return NULL;
}

static void *gets_shared(void *arg)
{
    struct shared *s = arg;
    void *item;

    while (cel_shared_queue_get(s->queue, &item) == 0) {
        s->begun--;
        (void)cel_yield(); /* the work: who joins waits for it */
        cel_shared_queue_task_done(s->queue);
    }
    return NULL;
}

static void *shares_a_queue(void *arg)
{
    struct cel_queue_options options = {.max = 2};
    struct shared s = {.inside = 0};
    size_t left;

    if (cel_shared_queue_new(&s.queue, &options) < 0)
        return NULL;
    CEL_SCOPE (all, .timeout = 4 * MS) {
        if (cel_go(gets_shared, &s) == 0 && cel_go(puts_shared, &s) == 0)
            (void)puts_shared(&s);
        (void)!cel_shared_queue_join(s.queue);
        cel_shared_queue_shutdown(s.queue, false);
    }
    left = cel_shared_queue_count(s.queue);
    CEL__ASSERT(s.begun >= 0 && (size_t)s.begun == left);
    cel_shared_queue_free(s.queue);
    return NULL;
}

static void *work(void *arg)
{
    usleep(200);
    return arg;
}

static void *uses_both_lanes(void *arg)
{
    struct cel_future *f = cel_offload_to(CEL_LANE_BLOCKING, work, "a");

    (void)!cel_offload_to_await(CEL_LANE_CPU, work, "b", NULL);
    if (f != NULL)
        (void)!cel_await(f, NULL);
    cel_future_free(f);
    return NULL;
}

/* This loop is no worker's: it tells of itself alone. */
static void *counts(void *arg)
{
    char text[64];
    int len = cel_metrics_workers(text, sizeof text);

    CEL__ASSERT(len < 0 || (size_t)len > strlen(text));
    return NULL;
}

const struct scenario scenarios[] = {
    {"port", talks_by_port},
    {"port_crowded", crowds_a_port},
    {"spawn_on", asks},
    {"spawn_on_given_up", asks_and_leaves},
    {"promise", promises},
    {"promise_broken", breaks_promises},
    {"shared_lock", locks_shared},
    {"shared_gates", passes_shared_gates},
    {"shared_queue", shares_a_queue},
    {"metrics", counts},
    {"lanes", uses_both_lanes, .uses_pool = true},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

int scenarios_open(void **state)
{
    return 0;
}

int scenarios_close(void **state)
{
    return 0;
}
