/* SPDX-License-Identifier: MIT */
/* Connections that come and go: each is seen once, none gets what was another's, and what ends
 * under somebody says so. */
#include <errno.h>
#include <string.h>

#include "ring/programs.h"

/* ---- accepts: many come while the one who lets them in is called off again and again ---- */

#define GUESTS 24

struct guest {
    unsigned nth;
    struct cel_listener *door;
    bool was_heard;
    struct cel_task *task;
};

static struct guest guests[GUESTS];
static unsigned served;

static void *visit(void *arg)
{
    struct guest *g = arg;
    struct cel_stream *s;
    char mine = (char)('A' + g->nth), back = 0;

    ring_pause();
    HOLDS(cel_connect(&s, cel_listener_address(g->door), NULL) == 0);
    ring_pause();
    HOLDS(cel_write(s, &mine, 1) == 1);
    HOLDS(cel_read(s, &back, 1) == 1);
    HOLDS(back == mine);
    cel_close(s);
    return NULL;
}

static void *serve(void *arg)
{
    struct cel_stream *s = arg;
    char name = 0;

    HOLDS(cel_read(s, &name, 1) == 1);
    HOLDS(name >= 'A' && name < 'A' + GUESTS && !guests[name - 'A'].was_heard);
    guests[name - 'A'].was_heard = true;
    HOLDS(cel_write(s, &name, 1) == 1);
    HOLDS(cel_read(s, &name, 1) == 0);
    cel_close(s);
    served++;
    return NULL;
}

static int accept_hurrying(struct cel_listener *door, struct cel_stream **out)
{
    int r = 0;

    CEL_SCOPE (s,
               .timeout = 1 + (int64_t)ring_draw(ring_draw(2) ? CEL_MICROSECOND : CEL_MILLISECOND))
        r = cel_accept(door, out);
    return r;
}

void *program_accepts(void *arg)
{
    struct cel_listener *door;
    struct cel_task *servers[GUESTS];
    unsigned n = 0;

    memset(guests, 0, sizeof guests);
    served = 0;
    HOLDS(ring_listen(&door) == 0);
    for (unsigned i = 0; i < GUESTS; i++) {
        guests[i].nth = i;
        guests[i].door = door;
        guests[i].task = cel_spawn(visit, &guests[i]);
    }
    while (n < GUESTS) {
        struct cel_stream *s = NULL;
        int r = accept_hurrying(door, &s);

        HOLDS(r == 0 || r == -ETIMEDOUT);
        if (r == 0)
            servers[n++] = cel_spawn(serve, s);
    }
    for (unsigned i = 0; i < GUESTS; i++) {
        HOLDS(cel_join(guests[i].task, NULL) == 0);
        HOLDS(cel_join(servers[i], NULL) == 0);
    }
    HOLDS(served == GUESTS);
    cel_listener_close(door);
    return NULL;
}

/* ---- buffers: more streams hold bytes unread than there are buffers ---- */

#define STREAMS 10
#define ROUNDS  8

struct holder {
    struct cel_stream *near, *far;
    unsigned serial;
    size_t said, heard;
};

static struct holder holders[STREAMS];

static void *say(void *arg)
{
    struct holder *h = arg;
    char bytes[300];
    size_t n = 1 + ring_draw(sizeof bytes);

    for (size_t k = 0; k < n; k++)
        bytes[k] = ring_byte(h->serial, h->said + k);
    HOLDS(cel_write(h->far, bytes, n) == (ssize_t)n);
    h->said += n;
    return NULL;
}

static bool holds_right(const struct holder *h, const char *data, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (data[k] != ring_byte(h->serial, h->heard + k))
            return false;
    return true;
}

static void *hold(void *arg)
{
    struct holder *h = arg;
    const char *data;
    ssize_t n;

    while (h->heard < h->said) {
        n = cel_peek(h->near, &data, 1);
        HOLDS(n > 0);
        ring_pause(); /* others go on while this is lent */
        HOLDS(holds_right(h, data, (size_t)n));
        n = 1 + (ssize_t)ring_draw((uint64_t)n);
        cel_consume(h->near, (size_t)n);
        h->heard += (size_t)n;
    }
    return NULL;
}

void *program_buffers(void *arg)
{
    struct cel_task *sayers[STREAMS], *keepers[STREAMS];

    for (unsigned i = 0; i < STREAMS; i++) {
        holders[i] = (struct holder){.serial = i};
        HOLDS(ring_join(&holders[i].near, &holders[i].far) == 0);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < STREAMS; i++)
            sayers[i] = cel_spawn(say, &holders[i]);
        for (unsigned i = 0; i < STREAMS; i++)
            HOLDS(cel_join(sayers[i], NULL) == 0);
        for (unsigned i = 0; i < STREAMS; i++)
            keepers[i] = cel_spawn(hold, &holders[i]);
        for (unsigned i = 0; i < STREAMS; i++)
            HOLDS(cel_join(keepers[i], NULL) == 0);
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        cel_close(holders[i].near);
        cel_close(holders[i].far);
    }
    return NULL;
}

/* ---- closing: under who reads and writes; the numbers are another's at once ---- */

#define LIVES    12
#define SAID_MAX 5000

struct life {
    struct cel_stream *near, *far;
    unsigned serial;
    size_t heard;
    bool is_closed;
};

static struct life lives[LIVES];

/* Until it is closed under the reader: what comes is of this life. */
static void *listen_on(void *arg)
{
    struct life *l = arg;
    char bytes[500];
    ssize_t n;

    if (l->is_closed)
        return NULL;
    do {
        n = cel_read(l->near, bytes, 1 + ring_draw(sizeof bytes));
        for (ssize_t k = 0; k < n; k++)
            HOLDS(bytes[k] == ring_byte(l->serial, l->heard + (size_t)k));
        l->heard += n > 0 ? (size_t)n : 0;
    } while (n > 0 && !l->is_closed);
    HOLDS(n > 0 || (n == -CEL_ECLOSED && l->is_closed));
    return NULL;
}

static void *talk_on(void *arg)
{
    struct life *l = arg;
    size_t said = 0;
    ssize_t n;

    do {
        char mine[600];
        size_t piece = 1 + ring_draw(sizeof mine);

        for (size_t k = 0; k < piece; k++)
            mine[k] = ring_byte(l->serial, said + k);
        n = cel_write(l->far, mine, piece);
        said += piece;
    } while (n > 0 && said < SAID_MAX);
    HOLDS(n > 0 || n == -ECANCELED || n == -EPIPE || n == -ECONNRESET);
    return NULL;
}

/* Nobody reads at the far end, so it parks. */
static void *push_on(void *arg)
{
    struct life *l = arg;
    static const char block[20000];
    ssize_t n;

    if (l->is_closed)
        return NULL;
    do
        n = cel_write(l->near, block, sizeof block);
    while (n > 0 && !l->is_closed);
    HOLDS(n > 0 || (n == -CEL_ECLOSED && l->is_closed));
    return NULL;
}

static void end_life(struct life *l)
{
    l->is_closed = true;
    if (ring_draw(2))
        cel_close(l->near);
    else
        cel_stream_abort(l->near);
}

static void *live(void *arg)
{
    struct life *l = arg;
    struct cel_task *tasks[3];

    HOLDS(ring_join(&l->near, &l->far) == 0);
    tasks[0] = cel_spawn(listen_on, l);
    tasks[1] = cel_spawn(talk_on, l);
    tasks[2] = cel_spawn(push_on, l);
    for (uint64_t i = ring_draw(4); i > 0; i--)
        ring_pause();
    if (ring_draw(2))
        cel_task_cancel(tasks[1]);
    end_life(l);
    HOLDS(cel_join(tasks[0], NULL) == 0);
    HOLDS(cel_join(tasks[2], NULL) == 0);
    cel_task_cancel(tasks[1]);
    HOLDS(cel_join(tasks[1], NULL) == 0);
    cel_close(l->far);
    return NULL;
}

void *program_closing(void *arg)
{
    struct cel_task *tasks[LIVES];

    for (unsigned i = 0; i < LIVES; i++) {
        lives[i] = (struct life){.serial = i};
        tasks[i] = cel_spawn(live, &lives[i]);
        if (ring_draw(2))
            ring_pause();
    }
    for (unsigned i = 0; i < LIVES; i++)
        HOLDS(cel_join(tasks[i], NULL) == 0);
    return NULL;
}
