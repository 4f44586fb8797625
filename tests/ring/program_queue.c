/* SPDX-License-Identifier: MIT */
/* Whoever waits is told: several reads of one descriptor, polls beside them, and everybody at the
 * end. Where the other programs ask that nothing wrong comes, this one asks that something comes.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cc.h"
#include "base/sys.h"
#include "loop/core.h"
#include "ring/programs.h"

#define READS    3
#define ROUNDS   12
#define PATIENCE 20000

struct wait {
    struct cel__op op;
    bool is_over;
    char buf[64];
};

static struct wait reads[READS], watch;
static struct cel__fd *end;
static int peer;

static void wait_over(struct cel__op *op)
{
    cel__container_of(op, struct wait, op)->is_over = true;
}

static void begin(struct wait *w, struct cel__op op)
{
    int r;

    w->is_over = false;
    w->op = op;
    w->op.fd = end;
    w->op.done = wait_over;
    cel__list_init(&w->op.link);
    r = cel__op_start(cel__loop_here, &w->op);
    if (r < 0)
        w->op.result = r;
    if (r != 0)
        w->is_over = true;
}

static void begin_read(struct wait *w)
{
    if (ring_draw(2))
        begin(w, (struct cel__op){.kind = CEL__OP_READ, .buf = w->buf, .len = sizeof w->buf});
    else
        begin(w, (struct cel__op){.kind = CEL__OP_LOAN});
}

/* -> false: it never came. */
static bool comes(const struct wait *w)
{
    for (int i = 0; i < PATIENCE && !w->is_over; i++)
        if (cel_sleep(10 * CEL_MICROSECOND) < 0)
            return false;
    return w->is_over;
}

static bool is_message(struct wait *w, const char *text)
{
    const char *data = w->op.kind == CEL__OP_LOAN ? w->op.loan.data : w->buf;
    bool is_right =
        w->op.result == (int64_t)strlen(text) && memcmp(data, text, (size_t)w->op.result) == 0;

    if (w->op.kind == CEL__OP_LOAN && w->op.result > 0)
        cel__loop_here->backend->loan_return(cel__loop_here, &w->op.loan);
    return is_right;
}

static int say(const char *text)
{
    size_t len = strlen(text);

    return cel__sys.send(peer, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

static int open_ends(void)
{
    int fds[2], r;

    if (cel__sys.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    r = cel__fd_open(cel__loop_here, &end, fds[0], true);
    if (r == 0)
        end->is_stream = 1;
    peer = fds[1];
    return r;
}

/* A byte each, which cannot come in parts. A poll is told of what nobody has read, though a receive
 * that stands may have taken it in. */
static void *talk(void)
{
    static const char *const texts[READS] = {"a", "b", "c"};

    for (int i = 0; i < READS; i++)
        begin_read(&reads[i]);
    for (int i = 0; i < READS; i++) {
        if (ring_draw(2))
            ring_pause();
        HOLDS(say(texts[i]) == 0);
        HOLDS(comes(&reads[i]));
        HOLDS(is_message(&reads[i], texts[i]));
    }
    begin(&watch, (struct cel__op){.kind = CEL__OP_POLL, .events = POLLIN});
    ring_pause();
    HOLDS(say("!") == 0);
    HOLDS(comes(&watch));
    HOLDS(watch.op.result > 0 && watch.op.result & POLLIN);
    begin_read(&reads[0]);
    HOLDS(comes(&reads[0]));
    HOLDS(is_message(&reads[0], "!"));
    return &watch;
}

static void *hang_up(void)
{
    for (int i = 0; i < READS; i++)
        begin_read(&reads[i]);
    begin(&watch, (struct cel__op){.kind = CEL__OP_POLL, .events = POLLIN});
    ring_pause();
    cel__sys.close(peer);
    for (int i = 0; i < READS; i++) {
        HOLDS(comes(&reads[i]));
        HOLDS(reads[i].op.result == 0);
    }
    HOLDS(comes(&watch));
    HOLDS(watch.op.result > 0);
    return &watch;
}

void *program_queue(void *arg)
{
    for (int life = 0; life < 3; life++) {
        HOLDS(open_ends() == 0);
        for (int i = 0; i < ROUNDS; i++)
            if (talk() == NULL)
                return NULL;
        if (hang_up() == NULL)
            return NULL;
        cel__fd_close(cel__loop_here, end);
    }
    return NULL;
}
