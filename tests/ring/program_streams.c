/* SPDX-License-Identifier: MIT */
/* Bytes between two tasks: none is lost, none comes twice, whatever interrupts the calls. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "ring/programs.h"

#define PIECE_MAX 3000

/* One direction of a stream. */
struct flow {
    struct cel_stream *stream;
    unsigned serial;
    size_t total, done;
    struct cel_task *task;
    bool is_over;
};

static bool is_right(const struct flow *f, const char *bytes, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (bytes[k] != ring_byte(f->serial, f->done + k))
            return false;
    return true;
}

static size_t piece_of(const struct flow *f, size_t most)
{
    size_t piece = 1 + ring_draw(most);

    return piece < f->total - f->done ? piece : f->total - f->done;
}

static ssize_t put(struct flow *f)
{
    char bytes[PIECE_MAX];
    size_t piece = piece_of(f, ring_draw(3) ? 200 : PIECE_MAX), half = ring_draw(piece + 1);
    struct iovec iov[] = {{bytes, half}, {NULL, 0}, {bytes + half, piece - half}};
    ssize_t n;

    for (size_t k = 0; k < piece; k++)
        bytes[k] = ring_byte(f->serial, f->done + k);
    n = ring_draw(2) ? cel_write(f->stream, bytes, piece) : cel_writev(f->stream, iov, 3);
    f->done += cel_stream_written(f->stream);
    return n;
}

/* By one of the ways to read. -> < 0: nothing was taken. */
static ssize_t take(struct flow *f)
{
    char bytes[PIECE_MAX];
    size_t piece = piece_of(f, ring_draw(3) ? 200 : PIECE_MAX);
    const char *data = bytes;
    ssize_t n;

    switch (ring_draw(4)) {
    case 0:
        n = cel_read_exactly(f->stream, bytes, piece);
        break;
    case 1:
        n = cel_peek(f->stream, &data, piece);
        n = cel__min(n, (ssize_t)piece);
        break;
    default:
        n = cel_read(f->stream, bytes, piece);
    }
    if (n > 0 && !is_right(f, data, (size_t)n))
        return -EILSEQ;
    if (n > 0 && data != bytes)
        cel_consume(f->stream, (size_t)n);
    f->done += n > 0 ? (size_t)n : 0;
    return n == 0 ? -CEL_EEOF : n;
}

static bool may_go_on(ssize_t n)
{
    return n > 0 || n == -ETIMEDOUT || n == -ECANCELED;
}

/* ---- echo ---- */

#define CLIENTS 5

static void *send_back(void *arg)
{
    struct cel_stream *s = arg;
    char buf[700];
    ssize_t n;

    while ((n = cel_read(s, buf, 1 + ring_draw(sizeof buf))) > 0)
        HOLDS(cel_write(s, buf, (size_t)n) == n);
    HOLDS(n == 0);
    HOLDS(cel_shutdown(s) == 0);
    return NULL;
}

static void *say_all(void *arg)
{
    struct flow *f = arg;

    while (f->done < f->total) {
        HOLDS(put(f) > 0);
        ring_pause();
    }
    HOLDS(cel_shutdown(f->stream) == 0);
    return NULL;
}

static void *hear_all(void *arg)
{
    struct flow *f = arg;
    char byte;

    while (f->done < f->total) {
        HOLDS(take(f) > 0);
        if (ring_draw(4) == 0)
            ring_pause();
    }
    HOLDS(cel_read(f->stream, &byte, 1) == 0);
    HOLDS(cel_stream_at_end(f->stream));
    return NULL;
}

static struct flow mouths[CLIENTS], ears[CLIENTS];
static struct cel_stream *echoes[CLIENTS];
static struct cel_task *talkers[3 * CLIENTS];

static int begin_talking(size_t most)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct cel_stream *near;
        size_t total = 1 + ring_draw(most);
        int r = ring_join(&near, &echoes[i]);

        if (r < 0)
            return r;
        mouths[i] = ears[i] = (struct flow){.stream = near, .serial = i, .total = total};
        talkers[3 * i] = cel_spawn(send_back, echoes[i]);
        talkers[3 * i + 1] = cel_spawn(say_all, &mouths[i]);
        talkers[3 * i + 2] = cel_spawn(hear_all, &ears[i]);
    }
    return 0;
}

static int end_talking(void)
{
    int failed = 0;

    for (unsigned i = 0; i < 3 * CLIENTS; i++)
        failed |= cel_join(talkers[i], NULL);
    for (unsigned i = 0; i < CLIENTS; i++) {
        cel_close(ears[i].stream);
        cel_close(echoes[i]);
    }
    return failed;
}

void *program_echo(void *arg)
{
    HOLDS(begin_talking(8000) == 0);
    HOLDS(end_talking() == 0);
    return NULL;
}

/* ---- busy: the loop never has a reason to sleep, and the others go on all the same ---- */

#define SPINS_MAX 400000

static bool has_talker(void)
{
    for (unsigned i = 0; i < 3 * CLIENTS; i++)
        if (!cel_is_done(talkers[i]))
            return true;
    return false;
}

void *program_busy(void *arg)
{
    unsigned spins = 0;

    HOLDS(begin_talking(300) == 0);
    while (has_talker() && ++spins < SPINS_MAX) {
        ring_work(5 * CEL_MICROSECOND);
        HOLDS(cel_yield() == 0);
    }
    HOLDS(spins < SPINS_MAX);
    HOLDS(end_talking() == 0);
    return NULL;
}

/* ---- deadlines: each call has one ---- */

static int64_t soon(void)
{
    static const uint64_t most[] = {CEL_MICROSECOND, 20 * CEL_MICROSECOND, CEL_MILLISECOND,
                                    20 * CEL_MILLISECOND};

    return cel_now() + 1 + (int64_t)ring_draw(most[ring_draw(4)]);
}

static void *hurry(struct flow *f, ssize_t (*step)(struct flow *f))
{
    while (f->done < f->total) {
        int64_t until = soon();
        ssize_t n = 0;

        CEL_SCOPE (s, .deadline = until)
            n = step(f);
        HOLDS(n > 0 || n == -ETIMEDOUT);
        HOLDS(n > 0 || cel_now() >= until);
    }
    f->is_over = true;
    return NULL;
}

static void *put_hurrying(void *arg)
{
    return hurry(arg, put);
}

static void *take_hurrying(void *arg)
{
    return hurry(arg, take);
}

void *program_deadlines(void *arg)
{
    static struct flow flows[4];
    struct cel_stream *a, *b;
    size_t total = 2000 + ring_draw(10000);

    HOLDS(ring_join(&a, &b) == 0);
    for (unsigned i = 0; i < 4; i++) {
        flows[i] =
            (struct flow){.stream = i == 0 || i == 3 ? a : b, .serial = i / 2, .total = total};
        flows[i].task = cel_spawn(i % 2 == 0 ? put_hurrying : take_hurrying, &flows[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        HOLDS(cel_join(flows[i].task, NULL) == 0);
    cel_close(a);
    cel_close(b);
    return NULL;
}

/* ---- cancels: tasks are called off and others go on where they stopped ---- */

static void *put_some(void *arg)
{
    struct flow *f = arg;
    ssize_t n = 1;

    while (f->done < f->total && n > 0)
        n = put(f);
    HOLDS(may_go_on(n));
    return NULL;
}

static void *take_some(void *arg)
{
    struct flow *f = arg;
    ssize_t n = 1;

    while (f->done < f->total && n > 0)
        n = take(f);
    HOLDS(may_go_on(n));
    return NULL;
}

static int replace(struct flow *f, cel_task_fn *fn)
{
    cel_task_cancel(f->task);
    if (cel_join(f->task, NULL) != 0)
        return -EPROTO;
    f->task = cel_spawn(fn, f);
    return f->task != NULL ? 0 : -ENOMEM;
}

void *program_cancels(void *arg)
{
    static struct flow out, in;
    struct cel_stream *a, *b;
    unsigned storms = 10 + (unsigned)ring_draw(100);

    HOLDS(ring_join(&a, &b) == 0);
    out = in = (struct flow){.serial = 3, .total = 4000 + ring_draw(20000)};
    out.stream = a;
    in.stream = b;
    out.task = cel_spawn(put_some, &out);
    in.task = cel_spawn(take_some, &in);
    while (in.done < in.total && storms-- > 0) {
        ring_pause();
        if (ring_draw(3) == 0)
            HOLDS(replace(&out, put_some) == 0);
        else
            HOLDS(replace(&in, take_some) == 0);
    }
    HOLDS(cel_join(out.task, NULL) == 0);
    HOLDS(cel_join(in.task, NULL) == 0);
    HOLDS(out.done == out.total && in.done == in.total);
    cel_close(a);
    cel_close(b);
    return NULL;
}

/* ---- bulk: much at a time, both ways ---- */

#define BULK   120000
#define SLICES 40

static void *put_bulk(void *arg)
{
    struct flow *f = arg;
    static char bytes[2][30000];
    char *mine = bytes[f->serial];
    struct iovec iov[SLICES];

    while (f->done < f->total) {
        size_t piece = piece_of(f, sizeof bytes[0]), step = piece / SLICES;

        for (size_t k = 0; k < piece; k++)
            mine[k] = ring_byte(f->serial, f->done + k);
        for (size_t i = 0; i < SLICES; i++)
            iov[i] = (struct iovec){mine + i * step, i + 1 < SLICES ? step : piece - i * step};
        HOLDS(cel_writev(f->stream, iov, SLICES) == (ssize_t)piece);
        f->done += piece;
    }
    HOLDS(cel_shutdown(f->stream) == 0);
    return NULL;
}

static void *take_bulk(void *arg)
{
    struct flow *f = arg;
    static char bytes[2][40000];
    char *mine = bytes[f->serial];
    ssize_t n;

    do {
        n = cel_read(f->stream, mine, 1 + ring_draw(ring_draw(3) ? sizeof bytes[0] : 100));
        HOLDS(n >= 0 && is_right(f, mine, (size_t)n));
        f->done += (size_t)n;
        if (ring_draw(8) == 0)
            ring_pause();
    } while (n > 0);
    HOLDS(f->done == f->total);
    return NULL;
}

void *program_bulk(void *arg)
{
    static struct flow flows[4];
    struct cel_stream *a, *b;

    HOLDS(ring_join(&a, &b) == 0);
    for (unsigned i = 0; i < 4; i++) {
        flows[i] = (struct flow){.stream = i == 0 || i == 3 ? a : b,
                                 .serial = i / 2,
                                 .total = i / 2 == 0 ? BULK : BULK / 8};
        flows[i].task = cel_spawn(i % 2 == 0 ? put_bulk : take_bulk, &flows[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        HOLDS(cel_join(flows[i].task, NULL) == 0);
    cel_close(a);
    cel_close(b);
    return NULL;
}
