/* SPDX-License-Identifier: MIT */
/* What crosses loops, played on one loop: ports, tasks asked of a loop, promises, lanes. */
#include <errno.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/offload.h"
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

const struct scenario scenarios[] = {
    {"port", talks_by_port},
    {"port_crowded", crowds_a_port},
    {"spawn_on", asks},
    {"spawn_on_given_up", asks_and_leaves},
    {"promise", promises},
    {"promise_broken", breaks_promises},
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
