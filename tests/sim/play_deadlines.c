/* SPDX-License-Identifier: MIT */
/* A stream of numbered bytes between two impatient tasks: whatever a deadline interrupts, no byte
 * is lost, none comes twice, and no deadline comes early. */
#include <errno.h>
#include <string.h>

#include "celadon/net.h"
#include "plays.h"

#define TOTAL     20000
#define PIECE_MAX 900
#define WAIT_MAX  (20 * CEL_MILLISECOND)

struct end {
    struct cel_stream *stream;
    size_t done;
    bool is_early;  /* a deadline that had not come */
    bool is_wrong;  /* a byte out of its order */
    bool is_closed; /* by somebody else, maybe amid a call */
};

static unsigned char byte_at(size_t k)
{
    return (unsigned char)(k * 31 + (k >> 8) * 7);
}

static size_t piece_of(size_t done)
{
    size_t piece = 1 + cel_sim_draw(PIECE_MAX);

    return piece < TOTAL - done ? piece : TOTAL - done;
}

/* -> 0: goes on. */
static int put(struct end *e)
{
    unsigned char bytes[PIECE_MAX];
    int64_t until = cel_now() + (int64_t)cel_sim_draw(WAIT_MAX);
    size_t piece = piece_of(e->done);
    ssize_t n = 0;

    for (size_t k = 0; k < piece; k++)
        bytes[k] = byte_at(e->done + k);
    CEL_SCOPE (hurry, .deadline = until) {
        n = cel_write(e->stream, bytes, piece);
    }
    e->is_early |= n == -ETIMEDOUT && cel_now() < until;
    e->is_early |= n == -ECANCELED;
    if (!e->is_closed)
        e->done += cel_stream_written(e->stream);
    return n == -ETIMEDOUT || n > 0 ? 0 : (int)n;
}

static int take(struct end *e)
{
    unsigned char bytes[PIECE_MAX];
    int64_t until = cel_now() + (int64_t)cel_sim_draw(WAIT_MAX);
    size_t piece = piece_of(e->done);
    bool is_exact = cel_sim_draw(2) == 0;
    ssize_t n = 0;

    CEL_SCOPE (hurry, .deadline = until) {
        n = is_exact ? cel_read_exactly(e->stream, bytes, piece)
                     : cel_read(e->stream, bytes, piece);
    }
    e->is_early |= n == -ETIMEDOUT && cel_now() < until;
    for (ssize_t k = 0; k < n; k++)
        e->is_wrong |= bytes[k] != byte_at(e->done + (size_t)k);
    if (n > 0)
        e->done += (size_t)n;
    return n == -ETIMEDOUT || n > 0 ? 0 : n == 0 ? -CEL_EEOF : (int)n;
}

static void *put_all(void *arg)
{
    struct end *e = arg;
    int r = 0;

    while (e->done < TOTAL && r == 0 && !e->is_closed)
        r = put(e);
    if (!e->is_closed)
        (void)!cel_shutdown(e->stream);
    return NULL;
}

static void *take_all(void *arg)
{
    struct end *e = arg;
    int r = 0;

    while (e->done < TOTAL && r == 0 && !e->is_closed)
        r = take(e);
    return NULL;
}

static void *accept_one(void *arg)
{
    struct cel_stream *s = NULL;
    int r = -ETIMEDOUT;

    CEL_SCOPE (patience, .timeout = 30 * CEL_SECOND) {
        r = cel_accept(arg, &s);
    }
    return r == 0 ? s : NULL;
}

/* NULL twice when the network does not let them. */
static int meet(struct cel_stream **a, struct cel_stream **b)
{
    struct cel_listener *door;
    struct cel_task *task;
    void *accepted = NULL;
    int r;

    *a = *b = NULL;
    if (cel_sim_draw(2) == 0)
        return cel_stream_pair(a, b);
    r = cel_listen(&door, "127.0.0.1:0", NULL);
    if (r < 0)
        return r;
    task = cel_spawn(accept_one, door);
    r = cel_connect(a, cel_listener_address(door), NULL);
    if (cel_join(task, &accepted) < 0)
        r = -EPROTO;
    *b = accepted;
    cel_listener_close(door);
    if (r < 0 || *b == NULL) {
        cel_close(r == 0 ? *a : NULL);
        cel_close(*b);
        return r < 0 ? r : -ECONNABORTED;
    }
    return 0;
}

static void shut(struct end *e)
{
    if (!e->is_closed)
        cel_close(e->stream);
    e->is_closed = true;
}

void *play_deadlines(void *arg)
{
    struct end from = {0}, to = {0};
    struct cel_task *tasks[2];
    bool has_met_end;

    if (meet(&from.stream, &to.stream) < 0)
        return NULL;
    tasks[0] = cel_spawn(put_all, &from);
    tasks[1] = cel_spawn(take_all, &to);
    HOLDS(tasks[0] != NULL && tasks[1] != NULL);
    if (cel_sim_draw(3) == 0) { /* under whoever is parked there */
        HOLDS(cel_sleep((int64_t)cel_sim_draw(WAIT_MAX)) == 0);
        shut(&from);
        shut(&to);
    }
    HOLDS(cel_join(tasks[0], NULL) == 0);
    HOLDS(cel_join(tasks[1], NULL) == 0);
    has_met_end = from.is_closed;
    shut(&from);
    shut(&to);
    HOLDS(!from.is_early && !to.is_early);
    HOLDS(!to.is_wrong);
    HOLDS(has_met_end || to.done <= from.done);
    return NULL;
}
