/* SPDX-License-Identifier: MIT */
/* A conversation in lines, blocks and marked pieces, through a relay or directly, written behind or
 * in pieces, read under deadlines that break off and go on: what arrives is what was said, with its
 * borders; an end in one direction is heard on the other side, and who waits for a stream that
 * breaks is told. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "celadon/net.h"
#include "celadon/relay.h"
#include "celadon/writer.h"
#include "plays.h"

#define TALKERS   2
#define PIECES    14
#define PIECE_MAX 1400
#define LINE_MAX_ 60
#define HURRY     (30 * CEL_MILLISECOND)

enum kind { LINE, MARKED, BLOCK, KINDS };

/* What the nth piece of a talker is follows from the two numbers. */
struct piece {
    enum kind kind;
    size_t len; /* without its end */
    unsigned seed;
};

static struct hall {
    uint64_t salt;
    bool is_relayed;
    bool has_turns; /* who answers waits for the end of what was said */
    const char *flaw;
} hall;

static void blame(bool is_wrong, const char *what)
{
    if (is_wrong && hall.flaw == NULL)
        hall.flaw = what;
}

static struct piece piece_of(unsigned talker, unsigned nth)
{
    unsigned seed = (unsigned)(hall.salt + talker * 7919 + nth * 104729) * 2654435761u >> 5;
    struct piece p = {.kind = seed % KINDS, .seed = seed};

    p.len = p.kind == BLOCK ? 1 + seed / 8 % PIECE_MAX : seed / 8 % LINE_MAX_;
    return p;
}

static char byte_of(const struct piece *p, size_t at)
{
    return (char)('a' + (p->seed + at * 5 + at / 26) % 26);
}

static const char *end_of(const struct piece *p)
{
    return p->kind == LINE ? p->seed & 1024 ? "\r\n" : "\n" : p->kind == MARKED ? "<--->" : "";
}

static size_t write_out(const struct piece *p, char *out)
{
    for (size_t k = 0; k < p->len; k++)
        out[k] = byte_of(p, k);
    memcpy(out + p->len, end_of(p), strlen(end_of(p)));
    return p->len + strlen(end_of(p));
}

/* ---- saying ---- */

static int say_behind(struct cel_stream *s, unsigned talker)
{
    char bytes[PIECE_MAX + 8];
    struct cel_writer *w;
    int r = cel_writer_new(&w, s, 1 + cel_sim_draw(500), 600);

    if (r < 0)
        return r;
    for (unsigned nth = 0; nth < PIECES && r >= 0; nth++) {
        struct piece p = piece_of(talker, nth);
        size_t len = write_out(&p, bytes);

        while ((r = cel_writer_put(w, bytes, len)) == -EAGAIN && r < 0)
            if (cel_writer_drain(w) < 0)
                break;
        if (r == 0 && cel_sim_draw(3) == 0)
            r = cel_writer_flush(w);
    }
    if (r >= 0)
        r = cel_writer_flush(w);
    blame(r == 0 && cel_writer_pending(w) != 0, "flushed, and not written");
    cel_writer_free(w);
    return r;
}

static int say_in_pieces(struct cel_stream *s, unsigned talker)
{
    char bytes[PIECE_MAX + 8];
    ssize_t n = 0;

    for (unsigned nth = 0; nth < PIECES && n >= 0; nth++) {
        struct piece p = piece_of(talker, nth);
        size_t len = write_out(&p, bytes), first = cel_sim_draw(len + 1);
        size_t second = first + cel_sim_draw(len - first + 1);
        struct iovec iov[] = {
            {bytes, first}, {bytes + first, second - first}, {bytes + second, len - second}};

        n = cel_writev(s, iov, 3);
        blame(n >= 0 && (size_t)n != len, "a write that says a wrong length");
    }
    return n < 0 ? (int)n : 0;
}

/* ---- hearing ---- */

/* One piece; room is what it needs and a little more, or just that. */
static ssize_t hear_piece(struct cel_stream *s, const struct piece *p, char *buf)
{
    static const struct cel_str marks[] = {{"<--->", 5}, {"<-!->", 5}};
    size_t more = cel_sim_draw(3), which = 1;
    ssize_t n;

    switch (p->kind) {
    case LINE:
        return cel_read_line(s, buf, p->len + more);
    case MARKED:
        n = cel_read_until_any(s, marks, 2, buf, p->len + 5 + more, &which);
        blame(n > 0 && which != 0, "another mark");
        return n >= 5 ? n - 5 : n == 0 ? -CEL_EEOF : n;
    default:
        return cel_read_exactly(s, buf, p->len);
    }
}

static ssize_t hear_in_time(struct cel_stream *s, const struct piece *p, char *buf)
{
    ssize_t n = -ETIMEDOUT;

    while (n == -ETIMEDOUT && cel_checkpoint() == 0) {
        int64_t timeout = cel_sim_draw(2) == 0 ? 1 + (int64_t)cel_sim_draw(HURRY) : 0;

        CEL_SCOPE (hurry, .timeout = timeout)
            n = hear_piece(s, p, buf);
    }
    return n;
}

static bool is_broken(ssize_t n)
{
    return n == -ECONNRESET || n == -EPIPE || n == -CEL_EEOF || n == -ECANCELED;
}

static ssize_t hear_all(struct cel_stream *s, unsigned talker)
{
    char buf[PIECE_MAX + 8];
    ssize_t n = 0;

    for (unsigned nth = 0; nth < PIECES && n >= 0; nth++) {
        struct piece p = piece_of(talker, nth);

        n = hear_in_time(s, &p, buf);
        if (n >= 0 && (size_t)n < p.len && cel_stream_at_end(s))
            n = -CEL_EEOF; /* a last line may have no end */
        blame(n < 0 && !is_broken(n), "a piece that cannot be read");
        blame(n >= 0 && (size_t)n != p.len, "a piece of another length");
        for (ssize_t k = 0; k < n && (size_t)n == p.len; k++)
            blame(buf[k] != byte_of(&p, (size_t)k), "a piece of other bytes");
    }
    return n;
}

/* ---- who talks ---- */

struct talker {
    struct cel_stream *stream;
    unsigned nth; /* what it says; it hears what the other of its pair says */
    int said, heard;
    bool says_nothing;
};

static void *say_all(void *arg)
{
    struct talker *t = arg;

    if (t->says_nothing)
        t->said = 0;
    else if (cel_sim_draw(2) == 0)
        t->said = say_behind(t->stream, t->nth);
    else
        t->said = say_in_pieces(t->stream, t->nth);
    if (t->said == 0)
        t->said = cel_shutdown(t->stream);
    return NULL;
}

/* To the other's end, though one's own may have come before. */
static ssize_t hear_out(struct talker *self, unsigned other, bool is_silent)
{
    char byte;
    ssize_t n = is_silent ? 0 : hear_all(self->stream, other);

    if (n >= 0)
        n = cel_read(self->stream, &byte, 1);
    blame(n > 0, "more than was said");
    return n;
}

/* Both at once. When the one ends because the stream is broken, the other hears of it by itself. */
static void talk(struct talker *self, unsigned other, bool other_is_silent)
{
    ssize_t n = 0;

    CEL_SCOPE (both, .timeout = 0) {
        (void)!cel_go(say_all, self);
        n = hear_out(self, other, other_is_silent);
        if (n == -CEL_EEOF) /* it has given up, and may not read any more */
            cel_scope_cancel(&both);
    }
    self->heard = n < 0 ? (int)n : 0;
}

static bool is_silent(unsigned talker)
{
    return (hall.salt >> talker & 3) == 0;
}

static void answer(struct cel_stream *s, void *arg)
{
    struct talker self = {.stream = s, .nth = 1, .says_nothing = is_silent(1)};

    if (!hall.has_turns)
        talk(&self, 0, is_silent(0));
    else if (hear_out(&self, 0, is_silent(0)) == 0)
        (void)say_all(&self);
}

static void *serve(void *arg)
{
    struct cel_listener *door;

    while (cel_listen(&door, ":7", NULL) < 0)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    (void)!cel_listener_serve(door, answer, NULL, 1 + (unsigned)cel_sim_draw(3));
    cel_listener_close(door);
    return NULL;
}

/* The name may be told as an address where nobody is. */
static int reach(struct cel_stream **out, const char *address)
{
    int r = 0;

    CEL_SCOPE (s, .timeout = 10 * CEL_SECOND)
        r = cel_connect(out, address, NULL);
    return r;
}

static void pass_on(struct cel_stream *s, void *arg)
{
    struct cel_stream *there;

    if (reach(&there, "speaker:7") < 0)
        return;
    (void)!cel_pipe_through(s, there, NULL);
    cel_close(there);
}

static void *relay(void *arg)
{
    struct cel_listener *door;

    while (cel_listen(&door, ":8", NULL) < 0)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    (void)!cel_listener_serve(door, pass_on, NULL, 0);
    cel_listener_close(door);
    return NULL;
}

static void *visit(void *arg)
{
    struct talker *self = arg;
    int r = reach(&self->stream, hall.is_relayed ? "relay:8" : "speaker:7");

    self->said = self->heard = r;
    if (r < 0)
        return NULL;
    self->says_nothing = is_silent(0);
    talk(self, 1, is_silent(1));
    cel_close(self->stream);
    return NULL;
}

void *play_lines(void *arg)
{
    struct talker talkers[TALKERS] = {0};
    struct cel_sim_host *host;

    hall = (struct hall){.salt = cel_sim_draw(1u << 30),
                         .is_relayed = cel_sim_draw(2) == 0,
                         .has_turns = cel_sim_draw(2) == 0};
    HOLDS(cel_sim_host_new(&host, "speaker", serve, NULL) == 0);
    HOLDS(cel_sim_host_new(&host, "relay", relay, NULL) == 0);
    CEL_SCOPE (all, .timeout = 0)
        for (unsigned i = 0; i < TALKERS; i++)
            (void)!cel_go(visit, &talkers[i]);
    cel_sim_calm(); /* the storm is over: now it must work */
    HOLDS(cel_sleep(5 * CEL_SECOND) == 0);
    (void)visit(&talkers[0]);
    if (hall.flaw != NULL)
        return cel_fail(-EPROTO, "%s", hall.flaw);
    HOLDS(talkers[0].said == 0 && talkers[0].heard == 0);
    return NULL;
}
