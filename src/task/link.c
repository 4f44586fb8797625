/* SPDX-License-Identifier: MIT */
/* Callbacks at a future's end. A link lies among the future's waiters, and then among the calls of
 * the loop's next turn; it is found in either place by what it would call, so that nobody need keep
 * a handle, and who takes it back may free what it was for. */
#include <errno.h>

#include "base/mem.h"
#include "celadon/pool.h"
#include "task/future.h"

struct link {
    struct cel__waiter waiter;
    struct cel__soon soon;
    struct cel_loop *loop;
    struct cel_future *future;
    enum cel_link_when when;
    void (*fn)(void *arg);
    void *arg;
};

static void call_link(struct cel__soon *soon)
{
    struct link link = *cel__container_of(soon, struct link, soon);

    cel__mem_free(cel__container_of(soon, struct link, soon));
    link.fn(link.arg);
}

static void follow(struct cel__waiter *waiter)
{
    struct link *link = cel__container_of(waiter, struct link, waiter);
    bool has_failed = link->future == NULL || link->future->code < 0;

    if (link->when != CEL_LINK_ANY && has_failed != (link->when == CEL_LINK_FAILURE)) {
        cel__mem_free(link);
        return;
    }
    link->soon.run = call_link;
    cel__loop_soon(link->loop, &link->soon);
}

int(cel_link)(union cel_awaitable x, enum cel_link_when when, void (*fn)(void *arg), void *arg)
{
    struct link *link = cel__mem_alloc(sizeof *link);
    struct cel_future *f = cel_ensure(x);

    if (link == NULL)
        return -ENOMEM;
    *link = (struct link){.waiter.wake = follow,
                          .loop = cel__loop_here,
                          .future = f,
                          .when = when,
                          .fn = fn,
                          .arg = arg};
    if (cel__future_is_done(f))
        follow(&link->waiter);
    else
        cel__list_append(&f->waiters, &link->waiter.link);
    return 0;
}

int(cel_on_done)(union cel_awaitable x, void (*fn)(void *arg), void *arg)
{
    return cel_link(x, CEL_LINK_ANY, fn, arg);
}

/* ---- taking back ---- */

struct sought {
    const struct cel_future *future;
    void (*fn)(void *arg);
    void *arg;
};

/* -> whether it was that, and is gone. */
static bool drop_if(struct link *link, struct cel__list *node, const struct sought *it)
{
    if (link->future != it->future || link->fn != it->fn || link->arg != it->arg)
        return false;
    cel__list_unlink(node);
    cel__mem_free(link);
    return true;
}

static size_t drop_waiting(struct cel__list *waiters, const struct sought *it)
{
    size_t n = 0;

    CEL__LIST_EACH_SAFE (node, waiters) {
        struct cel__waiter *waiter = cel__container_of(node, struct cel__waiter, link);

        if (waiter->wake == follow)
            n += drop_if(cel__container_of(waiter, struct link, waiter), node, it);
    }
    return n;
}

static size_t drop_queued(struct cel__list *calls, const struct sought *it)
{
    size_t n = 0;

    CEL__LIST_EACH_SAFE (node, calls) {
        struct cel__soon *soon = cel__container_of(node, struct cel__soon, link);

        if (soon->run == call_link)
            n += drop_if(cel__container_of(soon, struct link, soon), node, it);
    }
    return n;
}

size_t(cel_unlink)(union cel_awaitable x, void (*fn)(void *arg), void *arg)
{
    struct cel_future *f = cel_ensure(x);
    const struct sought it = {f, fn, arg};

    if (!cel__future_is_done(f))
        return drop_waiting(&f->waiters, &it);
    return drop_queued(&cel__loop_here->soon, &it) + drop_queued(&cel__loop_here->due, &it);
}
