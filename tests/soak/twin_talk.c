/* SPDX-License-Identifier: MIT */
/* Two ends of a stream: bytes go over in every way that there is to write and to read, are waited
 * for in vain, are called off while they come; then the stream ends, in one of many ways. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/net.h>

#include "twin.h"

enum kind { SOCKETS, TCP, UNIX, PIPE, KINDS };
static const char *const kind_names[] = {"sockets", "tcp", "unix", "pipe"};

/* What is written to end[0] is read from end[1], and the other way round. */
struct talkers {
    struct subject *s;
    enum kind kind;
    struct cel_stream *end[2];
    uint64_t sent[2], heard[2]; /* by this end, so far: which bytes come next */
};

/* ---- joining ---- */

static void *let_in(void *door)
{
    struct cel_stream *in = NULL;

    return cel_accept(door, &in) == 0 ? in : NULL;
}

static int join_by_door(struct talkers *t, const char *address)
{
    struct cel_listener *door;
    struct cel_task *in;
    void *accepted = NULL;
    int r = cel_listen(&door, address, NULL);

    if (r < 0)
        return r;
    in = cel_spawn(let_in, door);
    r = cel_connect(&t->end[0], cel_listener_address(door), NULL); /* parks */
    if (r < 0)
        cel_task_cancel(in);
    if (cel_join(in, &accepted) == 0)
        t->end[1] = accepted;
    cel_listener_close(door);
    return r == 0 && t->end[1] == NULL ? -ENOMEM : r;
}

static int join_pipe(struct talkers *t)
{
    int fds[2];
    int r = pipe2(fds, O_CLOEXEC) < 0 ? -errno : cel_stream_open(&t->end[1], fds[0], true);

    return r < 0 ? r : cel_stream_open(&t->end[0], fds[1], true);
}

static int join(struct talkers *t)
{
    char path[100];

    switch (t->kind) {
    case TCP:
        return join_by_door(t, "127.0.0.1:0");
    case UNIX:
        snprintf(path, sizeof path, "unix:@twin-%d-%lu-%u", (int)getpid(), t->s->seed,
                 t->s->number);
        return join_by_door(t, path);
    case PIPE:
        return join_pipe(t);
    default:
        return cel_stream_pair(&t->end[0], &t->end[1]);
    }
}

/* ---- bytes ---- */

/* A number of bytes from one end, in pieces. */
struct flow {
    struct talkers *t;
    int from;
    size_t len, piece;
    ssize_t result;
};

static void *pour(void *arg)
{
    struct flow *f = arg;
    size_t left = f->len;

    f->result = 0;
    while (left > 0 && f->result >= 0) {
        const char *bytes = bytes_from(f->t->sent[f->from]);
        size_t n = f->piece < left ? f->piece : left;
        struct iovec iov[2] = {{(void *)bytes, n / 2}, {(void *)(bytes + n / 2), n - n / 2}};

        f->result = n % 2 == 0 ? cel_writev(f->t->end[f->from], iov, 2)
                               : cel_write(f->t->end[f->from], bytes, n); /* parks */
        f->t->sent[f->from] += f->result > 0 ? (size_t)f->result : 0;
        left -= f->result > 0 ? (size_t)f->result : 0;
    }
    return NULL;
}

static bool check(struct talkers *t, int to, const char *bytes, size_t len)
{
    bool is_right = memcmp(bytes, bytes_from(t->heard[to]), len) == 0;

    t->heard[to] += len;
    if (!is_right)
        got(t->s, "WRONG BYTES");
    return is_right;
}

/* (parks) Some, in the way that is wanted. */
static ssize_t hear_some(struct talkers *t, int to, size_t len, unsigned way)
{
    char *buf = malloc(len);
    const char *data = buf;
    ssize_t n;

    if (way == 0)
        n = cel_read(t->end[to], buf, len);
    else if (way == 1)
        n = cel_read_exactly(t->end[to], buf, len);
    else
        n = cel_peek(t->end[to], &data, 1);
    if (n > (ssize_t)len)
        n = (ssize_t)len;
    if (n > 0)
        check(t, to, data, (size_t)n);
    if (way == 2 && n > 0)
        cel_consume(t->end[to], (size_t)n);
    free(buf);
    return n;
}

/* (parks) -> how many came, or how it failed. */
static ssize_t hear(struct talkers *t, int to, size_t len, size_t piece, unsigned way)
{
    size_t done = 0;

    while (done < len) {
        size_t n = piece < len - done ? piece : len - done;
        ssize_t r = hear_some(t, to, n, way); /* parks */

        if (r <= 0)
            return r < 0 ? r : (ssize_t)done;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

static ssize_t say(struct talkers *t, int from, size_t len)
{
    ssize_t n = cel_write(t->end[from], bytes_from(t->sent[from]), len); /* parks */

    t->sent[from] += n > 0 ? (size_t)n : 0;
    return n;
}

/* ---- steps ---- */

static void transfer(struct talkers *t, int from)
{
    struct flow f = {t, from, 1 + draw_size(t->s, 300000), 1 + draw_size(t->s, 70000), 0};
    size_t piece = 1 + draw_size(t->s, 70000);
    unsigned way = (unsigned)draw(t->s, 3);
    ssize_t n = 0;

    if (f.len / f.piece > 500) /* else it lasts */
        f.piece = f.len / 500;
    if (f.len / piece > 500)
        piece = f.len / 500;
    does(t->s, "transfer from %d, %zu by %zu, read by %zu in way %u", from, f.len, f.piece, piece,
         way);
    CEL_SCOPE (both) {
        if (cel_go(pour, &f) == 0)
            n = hear(t, 1 - from, f.len, piece, way);
    }
    got(t->s, "%s %s", told(n), f.result > 0 ? "written" : told(f.result));
}

static void lines(struct talkers *t, int from)
{
    unsigned count = 1 + (unsigned)draw(t->s, 5);
    char line[300], heard[300];

    does(t->s, "%u lines from %d", count, from);
    for (unsigned i = 0; i < count; i++) {
        size_t len = draw_size(t->s, 250), room = 1 + (size_t)draw(t->s, 250);
        const char *end = draw(t->s, 2) == 0 ? "\n" : "\r\n";
        ssize_t n;

        memset(line, 'a' + (int)(i % 26), len);
        memcpy(line + len, end, strlen(end));
        n = cel_write(t->end[from], line, len + strlen(end)); /* parks */
        if (n > 0)
            n = cel_read_line(t->end[1 - from], heard, room); /* parks */
        does(t->s, "line of %zu in %zu", len, room);
        got(t->s, "%s", told(n));
        if (n == -CEL_ETOOLARGE)
            got(t->s, "then %s", told(cel_read_line(t->end[1 - from], heard, sizeof heard)));
        got(t->s, "%d", memcmp(line, heard, len));
    }
}

static void until_a_byte(struct talkers *t, int from)
{
    struct cel_str separators[] = {CEL_LIT("ab"), CEL_LIT("xyz"), CEL_LIT("b")};
    static const char *const texts[] = {"1ab2", "12xyz", "xyaxyz", "cb", "aab", "xyzab"};
    const char *text = texts[draw(t->s, 6)];
    char heard[16];
    size_t which = 9;
    ssize_t n;

    does(t->s, "separators in %s from %d", text, from);
    n = cel_write(t->end[from], text, strlen(text));
    if (n > 0)
        n = cel_read_until_any(t->end[1 - from], separators, 3, heard, sizeof heard, &which);
    got(t->s, "%s %zu", told(n), which);
    if (n > 0 && (size_t)n < strlen(text)) {
        n = cel_read_exactly(t->end[1 - from], heard, strlen(text) - (size_t)n);
        got(t->s, "and %s", told(n));
    }
}

/* Nothing comes in time, or too little; what came stays. */
static void wait_in_vain(struct talkers *t, int from)
{
    size_t part = draw_size(t->s, 3000), wanted = part + 1 + draw_size(t->s, 3000);
    ssize_t n = 0;
    char *buf = malloc(wanted);

    does(t->s, "%zu from %d, %zu wanted", part, from, wanted);
    if (part > 0)
        got(t->s, "%s", told(say(t, from, part)));
    CEL_SCOPE (patience, .timeout = (1 + (int64_t)draw(t->s, 3)) * CEL_MILLISECOND)
        n = cel_read_exactly(t->end[1 - from], buf, wanted); /* parks */
    got(t->s, "%s expired %d", told(n), cel_scope_expired(&patience));
    got(t->s, "then %s", told(hear(t, 1 - from, part, wanted, 1)));
    free(buf);
}

static void *read_one(void *arg)
{
    struct flow *f = arg;
    char *buf = malloc(f->len);

    f->result = cel_read_exactly(f->t->end[1 - f->from], buf, f->len); /* parks */
    if (f->result > 0)
        check(f->t, 1 - f->from, buf, f->len);
    free(buf);
    return NULL;
}

static void call_off_reader(struct talkers *t, int from)
{
    struct flow f = {t, from, 1 + draw_size(t->s, 2000), 0, 0};
    struct cel_task *reader = cel_spawn(read_one, &f);

    does(t->s, "call off a reader of %zu from %d", f.len, from);
    cel_sleep(CEL_MILLISECOND / 2); /* parks */
    cel_task_cancel(reader);
    got(t->s, "%s", told(cel_join(reader, NULL)));
    got(t->s, "%s", told(f.result));
}

/* It comes and is called off at about the same time: it came, or it is there still. */
static void race_reader(struct talkers *t, int from)
{
    struct flow f = {t, from, 1 + draw_size(t->s, 2000), 0, 0};
    struct cel_task *reader = cel_spawn(read_one, &f);
    unsigned yields = (unsigned)draw(t->s, 4);

    does(t->s, "race a reader of %zu from %d with %u yields", f.len, from, yields);
    cel_yield(); /* parks */
    got(t->s, "%s", told(say(t, from, f.len)));
    for (unsigned i = 0; i < yields; i++)
        cel_yield(); /* parks */
    cel_task_cancel(reader);
    got(t->s, "%s", told(cel_join(reader, NULL)));
    if (f.result == -ECANCELED)
        f.result = hear(t, 1 - from, f.len, f.len, 1); /* parks */
    got(t->s, "%s", told(f.result));
}

/* Nobody reads: the writer gives up, and what it says it wrote is what there is. */
static void stuff(struct talkers *t, int from)
{
    size_t written;
    ssize_t n = 0;

    does(t->s, "stuff from %d", from);
    CEL_SCOPE (patience, .timeout = 2 * CEL_MILLISECOND)
        n = cel_write(t->end[from], bytes_from(t->sent[from]), BYTES_MAX); /* parks */
    written = cel_stream_written(t->end[from]);
    t->sent[from] += written;
    got(t->s, "%s", told(n));
    n = hear(t, 1 - from, written, 60000, 0); /* parks */
    got(t->s, "%s", n == (ssize_t)written ? "all there" : told(n));
}

static void feed(struct talkers *t, int from)
{
    size_t len = 1 + draw_size(t->s, 500), more = 1 + draw_size(t->s, 500);
    char fed[500], heard[500];
    ssize_t n;

    memset(fed, 'f', sizeof fed);
    does(t->s, "feed %zu before %zu from %d", len, more, from);
    got(t->s, "%s", told(cel_stream_feed(t->end[1 - from], fed, len)));
    got(t->s, "%s", told(say(t, from, more)));
    n = cel_read_exactly(t->end[1 - from], heard, len); /* parks */
    got(t->s, "%s %d", told(n), memcmp(fed, heard, len));
    got(t->s, "%s", told(hear(t, 1 - from, more, more, 0)));
}

static void ask(struct talkers *t, int from)
{
    struct cel_stream *s = t->end[from];

    does(t->s, "ask %d", from);
    if (t->kind != PIPE)
        got(t->s, "quiet %d", cel_stream_is_quiet(s));
    got(t->s, "end %d", cel_stream_at_end(s));
    if (t->kind == TCP) {
        got(t->s, "nodelay %s", told(cel_stream_set_nodelay(s, draw(t->s, 2))));
        got(t->s, "names %d", strcmp(cel_stream_local(s), cel_stream_peer(t->end[1 - from])));
    }
}

static void *close_under(void *arg)
{
    struct flow *f = arg;

    cel_sleep(CEL_MILLISECOND / 2); /* parks */
    cel_close(f->t->end[1 - f->from]);
    f->t->end[1 - f->from] = NULL;
    return NULL;
}

/* ---- endings: nothing goes over afterwards, but for the other way ---- */

static const char *gone(ssize_t n)
{
    return n == -EPIPE || n == -ECONNRESET ? "gone" : told(n);
}

static void end_by_shutdown(struct talkers *t, int from)
{
    char byte;

    does(t->s, "shutdown %d", from);
    if (t->kind == PIPE) {
        got(t->s, "%s", told(cel_shutdown(t->end[from])));
        return;
    }
    got(t->s, "%s", told(cel_shutdown(t->end[from])));
    for (int i = 0; i < 2; i++)
        got(t->s, "%s", told(cel_read(t->end[1 - from], &byte, 1)));
    got(t->s, "end %d", cel_stream_at_end(t->end[1 - from]));
    got(t->s, "%s", told(cel_write(t->end[from], "x", 1)));
    got(t->s, "%s", told(say(t, 1 - from, 1000)));
    got(t->s, "%s", told(hear(t, from, 1000, 300, 0)));
}

static void end_by_close(struct talkers *t, int from)
{
    size_t left = draw_size(t->s, 5000), wanted = left + draw(t->s, 2);
    ssize_t n = 0;
    char byte;

    does(t->s, "close %d, %zu left, %zu wanted", from, left, wanted);
    if (left > 0)
        got(t->s, "%s", told(say(t, from, left)));
    cel_close(t->end[from]);
    t->end[from] = NULL;
    if (wanted > left) {
        char *buf = malloc(wanted);

        got(t->s, "%s", told(cel_read_exactly(t->end[1 - from], buf, wanted)));
        free(buf);
    }
    got(t->s, "%s", told(hear(t, 1 - from, left, left, 1)));
    got(t->s, "%s", told(cel_read(t->end[1 - from], &byte, 1)));
    if (t->kind == PIPE)
        return;
    while (n >= 0)
        n = cel_write(t->end[1 - from], "x", 1); /* parks */
    got(t->s, "%s", gone(n));
}

static void end_by_abort(struct talkers *t, int from)
{
    char byte;

    does(t->s, "abort %d", from);
    cel_stream_abort(t->end[from]);
    t->end[from] = NULL;
    got(t->s, "%s", told(cel_read(t->end[1 - from], &byte, 1)));
}

static void end_without_a_line(struct talkers *t, int from)
{
    char buf[64];

    does(t->s, "close %d behind half a line", from);
    got(t->s, "%s", told(cel_write(t->end[from], "half", 4)));
    cel_close(t->end[from]);
    t->end[from] = NULL;
    got(t->s, "%s", told(cel_read_until(t->end[1 - from], '\n', buf, sizeof buf)));
    for (int i = 0; i < 2; i++)
        got(t->s, "%s", told(cel_read_line(t->end[1 - from], buf, sizeof buf)));
}

static void end_under_a_reader(struct talkers *t, int from)
{
    struct flow f = {t, from, 10, 0, 0};
    char byte;

    does(t->s, "close %d under its reader", 1 - from);
    CEL_SCOPE (both) {
        if (cel_go(close_under, &f) == 0)
            got(t->s, "%s", told(cel_read(t->end[1 - from], &byte, 1)));
    }
}

void talk(struct subject *s)
{
    static void (*const steps[])(struct talkers *, int) = {
        transfer,        transfer,    lines, until_a_byte, wait_in_vain,
        call_off_reader, race_reader, stuff, feed,         ask};
    static void (*const ends[])(struct talkers *, int) = {
        end_by_shutdown, end_by_close, end_by_abort, end_without_a_line, end_under_a_reader};
    struct talkers t = {.s = s, .kind = (enum kind)draw(s, KINDS)};
    unsigned count = 2 + (unsigned)draw(s, 9);
    int r = join(&t); /* parks */

    does(s, "%s, %u steps", kind_names[t.kind], count);
    got(s, "%s", told(r));
    if (r == 0) {
        for (unsigned i = 0; i < count; i++)
            steps[draw(s, sizeof steps / sizeof *steps)](
                &t, t.kind == PIPE ? 0 : (int)draw(s, 2)); /* parks */
        ends[draw(s, sizeof ends / sizeof *ends)](&t, t.kind == PIPE ? 0 : (int)draw(s, 2));
    }
    cel_close(t.end[0]);
    cel_close(t.end[1]);
}
