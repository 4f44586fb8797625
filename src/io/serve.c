/* SPDX-License-Identifier: MIT */
/* A listener with a function: accepting, a task for each connection, an orderly end. The scope of
 * the call holds the connections, so stopping is a deadline for that scope. */
#include <errno.h>

#include "base/cc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/listener.h"

struct cel__serving {
    struct cel_listener *listener;
    cel_serve_fn *fn;
    void *arg;
    unsigned live, max;
    unsigned cut;           /* ended after the grace of a stop */
    struct cel__waitq room; /* who accepts, while there are too many */
    struct cel_scope scope;
};

struct guest {
    struct cel__serving *of;
    struct cel_stream *stream;
};

static void *serve_one(void *arg)
{
    struct guest guest = *(struct guest *)arg;

    cel__mem_free(arg);
    guest.of->fn(guest.stream, guest.of->arg); /* parks */
    cel_close(guest.stream);
    guest.of->live--;
    guest.of->cut += cel_scope_expired(&guest.of->scope);
    (void)cel__waitq_wake_one(&guest.of->room);
    return NULL;
}

/* Without memory for a task the connection is closed, and its peer knows at once. */
static void welcome(struct cel__serving *s, struct cel_stream *stream)
{
    struct guest *guest = cel__mem_alloc(sizeof *guest);

    if (guest != NULL) {
        *guest = (struct guest){s, stream};
        if (cel_go(serve_one, guest) == 0) {
            s->live++;
            return;
        }
    }
    cel__mem_free(guest);
    cel_close(stream);
    cel__log(CEL_LOG_WARN, "%s: out of memory: a connection was closed",
             cel_listener_address(s->listener));
}

/* (parks) -> why it ended. */
static int accept_all(struct cel__serving *s)
{
    for (;;) {
        struct cel_stream *stream = NULL;
        int r = 0;

        while (r == 0 && s->max != 0 && s->live >= s->max && !s->listener->is_stopped)
            r = cel__waitq_park(&s->room); /* parks */
        if (r == 0)
            r = cel_accept(s->listener, &stream); /* parks */
        if (r == -ENOMEM) {
            r = cel_sleep(10 * CEL_MILLISECOND); /* parks: the connection still waits */
            if (r == 0)
                continue;
        }
        if (r < 0)
            return r;
        welcome(s, stream);
    }
}

int cel_listener_serve(struct cel_listener *l, cel_serve_fn *fn, void *arg,
                       unsigned connections_max)
{
    struct cel__serving s = {.listener = l, .fn = fn, .arg = arg, .max = connections_max};
    int r;

    CEL__ASSERT(l->serving == NULL && "one call at a time serves a listener");
    cel__waitq_init(&s.room);
    s.room.what = "an end of one of its connections";
    cel_scope_enter(&s.scope, NULL);
    l->serving = &s;
    r = accept_all(&s); /* parks */
    if (r != -CEL_ECLOSED && r != -ECANCELED && r != -ETIMEDOUT)
        cel_scope_cancel(&s.scope);
    (void)cel_scope_leave(&s.scope); /* parks */
    l->serving = NULL;
    if (cel_checkpoint() < 0)
        return cel_checkpoint();
    if (s.cut > 0)
        return -ETIMEDOUT;
    return r == -CEL_ECLOSED || l->is_stopped ? 0 : r;
}

void cel_listener_stop(struct cel_listener *l, int64_t grace)
{
    cel__listener_stop(l);
    if (l->serving == NULL)
        return;
    cel_scope_set_deadline(&l->serving->scope,
                           grace == CEL_FOREVER ? CEL_FOREVER : cel__clock_add(cel_now(), grace));
    cel__waitq_wake_all(&l->serving->room);
}

unsigned cel_listener_connections(const struct cel_listener *l)
{
    return l->serving != NULL ? l->serving->live : 0;
}

bool cel_listener_is_serving(const struct cel_listener *l)
{
    return l->serving != NULL && !l->is_stopped;
}
