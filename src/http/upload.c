/* SPDX-License-Identifier: MIT */
/* Sending a request, with an ear for what is answered before it has gone out.
 *
 * A peer that writes before it reads, and a client that reads only after it has written, wait for
 * each other as soon as the buffers between them are full. So whoever sends more than these surely
 * hold has a task beside it that reads.
 *
 * 1. The sending is the caller's own task: its body_read runs there, and there lie its bytes. What
 *    listens is a child of this call, and has ended when it returns.
 * 2. A refusal or redirect (300 and above) ends the sending at once. A success is taken in while
 *    the sending goes on, which ends when all of the answer is there.
 * 3. As long as something is sent the connection is nobody else's (the source is held), and after a
 *    request that did not go out whole it is closed.
 * 4. The limit is the sender's; whatever comes in meanwhile gives it new time. */
#include <errno.h>

#include "base/cc.h"
#include "base/mem.h"
#include "http/response.h"
#include "io/stream.h"
#include "proto/chunked.h"
#include "task/error.h"

#define SURE_BYTES  (16u << 10)  /* every send buffer has room for that, if nothing is under way */
#define ASK_BYTES   (16u << 10)  /* asked of body_read at a time */
#define PIECE_BYTES (256u << 10) /* what must go out within a read timeout */

struct upload {
    struct cel__fetch *f;
    struct cel_stream *stream; /* f->conn becomes the answer's */
    struct cel_str bytes;      /* what is left of a body of bytes, and of the head before it: */
    struct cel_str head;
    struct cel_scope *sending; /* cancelled when the answer makes the rest pointless */
    int heard;                 /* what the listening came to */
    bool is_whole;             /* the request went out */
    bool is_stopped;           /* it did not: the answer has come, or cannot come any more */
};

static int fail_send(struct cel__fetch *f, ssize_t r)
{
    if (r == -ECANCELED || r == -ETIMEDOUT || r == -CEL_ETLS)
        return (int)r;
    return cel__raise((int)r, "send", "%s: sending the request: %s", f->origin->address,
                      cel_strerror((int)r));
}

static int send_pieces(struct upload *u, const struct iovec *iov, int count)
{
    ssize_t n;

    cel__limit_set(&u->f->limit, "read", u->f->timeouts.read);
    n = count == 1 ? cel_write(u->stream, iov->iov_base, iov->iov_len)
                   : cel_writev(u->stream, iov, count); /* parks */
    return n < 0 ? fail_send(u->f, n) : 0;
}

/* ---- a body of bytes ---- */

static struct cel_str rest(struct cel_str s, size_t n)
{
    return (struct cel_str){s.ptr + n, s.len - n};
}

/* (parks) */
static int send_bytes(struct upload *u)
{
    int r = 0;

    while (r == 0 && u->head.len + u->bytes.len > 0) {
        size_t now = cel__min(u->bytes.len, (size_t)PIECE_BYTES);
        struct iovec iov[] = {{(char *)u->head.ptr, u->head.len}, {(char *)u->bytes.ptr, now}};

        r = send_pieces(u, iov, now > 0 ? 2 : 1); /* parks */
        u->head.len = 0;
        u->bytes = rest(u->bytes, now);
    }
    u->is_whole = r == 0;
    return r;
}

/* (parks) What needs no listener. */
static int send_few(struct upload *u)
{
    struct iovec iov[] = {{(char *)u->head.ptr, u->head.len}, {(char *)u->bytes.ptr, u->bytes.len}};

    return send_pieces(u, iov, u->bytes.len > 0 ? 2 : 1); /* parks */
}

/* As much as the socket takes now: for most bodies that is all. -> whether it was. */
static int send_at_once(struct upload *u)
{
    struct iovec iov[] = {{(char *)u->head.ptr, u->head.len}, {(char *)u->bytes.ptr, u->bytes.len}};
    ssize_t n = cel_checkpoint();
    size_t of_head;

    if (n == 0)
        n = cel__stream_write_now(u->stream, iov, 2);
    if (n < 0)
        return fail_send(u->f, n);
    of_head = cel__min((size_t)n, u->head.len);
    u->head = rest(u->head, of_head);
    u->bytes = rest(u->bytes, (size_t)n - of_head);
    return u->head.len + u->bytes.len == 0;
}

/* ---- a body that the caller's function gives ---- */

/* What the caller's function does with its time is its own matter, up to the total. */
static ssize_t ask_for_piece(struct cel__fetch *f, char *buf)
{
    ssize_t n;

    f->has_used_body = true;
    cel__limit_set(&f->limit, "total", CEL_FOREVER);
    n = f->options->body_read(f->options->body_arg, buf, ASK_BYTES); /* parks */
    CEL__ASSERT(n <= (ssize_t)ASK_BYTES && "body_read keeps to its buffer");
    if (n < 0 && n != -ECANCELED && n != -ETIMEDOUT)
        return cel__raise((int)n, "send", "the body of the request could not be read: %s",
                          cel_strerror((int)n));
    return n;
}

/* (parks) Of no length that was told before. */
static int send_chunks(struct upload *u, char *buf)
{
    struct iovec last = {(char *)CEL__CHUNKED_LAST, sizeof CEL__CHUNKED_LAST - 1};
    char line[CEL__CHUNKED_LINE_MAX];
    ssize_t n;
    int r = 0;

    while (r == 0 && (n = ask_for_piece(u->f, buf)) != 0) { /* parks */
        struct iovec iov[] = {{line, 0}, {buf, (size_t)n}, {(char *)"\r\n", 2}};

        if (n < 0)
            return (int)n;
        iov[0].iov_len = cel__chunked_line(line, (size_t)n);
        r = send_pieces(u, iov, 3); /* parks */
    }
    if (r == 0)
        r = send_pieces(u, &last, 1); /* parks */
    u->is_whole = r == 0;
    return r;
}

/* (parks) Exactly as long as was said; the function is asked for its end, too. */
static int send_length(struct upload *u, char *buf)
{
    uint64_t size = (uint64_t)u->f->options->body_size, sent = 0;
    ssize_t n;

    while ((n = ask_for_piece(u->f, buf)) > 0 && (uint64_t)n <= size - sent) { /* parks */
        struct iovec iov = {buf, (size_t)n};
        int r = send_pieces(u, &iov, 1); /* parks */

        if (r < 0)
            return r;
        sent += (uint64_t)n;
        u->is_whole = sent == size;
    }
    if (n < 0)
        return (int)n;
    if (n > 0 || sent != size)
        return cel__raise(-EINVAL, "send",
                          "the body of the request has %s than the %llu bytes announced",
                          n > 0 ? "more" : "less", (unsigned long long)size);
    return 0;
}

/* (parks) */
static int send_stream(struct upload *u)
{
    struct iovec head = {(char *)u->head.ptr, u->head.len};
    char *buf = cel__mem_alloc(ASK_BYTES);
    int r = buf != NULL ? send_pieces(u, &head, 1) : -ENOMEM; /* parks */

    if (r == 0)
        r = u->f->options->body_size == 0 ? send_chunks(u, buf) : send_length(u, buf); /* parks */
    cel__mem_free(buf);
    return r;
}

/* ---- listening ---- */

/* (parks) The body of a success. 1: no more of it is wanted now; 0: it is all there. */
static int take_in(struct cel__fetch *f)
{
    struct cel__response *r;
    struct cel__buf *out;
    ssize_t n;
    int code = cel__answer_begin(f);

    if (code < 0)
        return code;
    r = f->response;
    out = f->options->is_streaming ? &r->early : &r->text;
    while ((n = cel__source_read_more(r->source, NULL, out)) > 0) { /* parks */
        cel__limit_touch(&f->limit);
        if (f->options->is_streaming && out->len >= f->session->options.body_max)
            return 1;
    }
    return (int)n;
}

/* (parks) Until the sender has done and cancels this, or needs not go on. */
static void *listen_main(void *arg)
{
    struct upload *u = arg;
    struct cel__fetch *f = u->f;
    int r = cel__answer_read(f); /* parks */

    if (r == 0 && f->head.status < 300)
        r = take_in(f); /* parks */
    if (r == -ECANCELED || r == 1)
        return NULL;
    u->heard = r;
    u->is_stopped = !u->is_whole;
    if (u->is_stopped)
        cel_scope_cancel(u->sending);
    return r < 0 ? cel_fail(r, "%s", "") : NULL;
}

/* (parks) The listener ends; what it failed with is told as if this task had. */
static void stop_listening(struct upload *u, struct cel_task *listener)
{
    struct cel__fetch *f = u->f;

    cel_task_cancel(listener);
    (void)!cel_await_shielded(listener, NULL); /* parks */
    f->was_cut_short = !u->is_whole;
    if (f->response != NULL)
        cel__source_let_go(f->response->source, u->is_whole);
}

/* (parks) */
static int send_and_listen(struct upload *u, int (*sender)(struct upload *u))
{
    struct cel_scope call, sending;
    struct cel_task *listener;
    int r = -ENOMEM;

    u->sending = &sending;
    cel_scope_enter(&call, NULL);
    listener = cel_spawn_with(listen_main, u, .name = "answer to an upload");
    if (listener != NULL) {
        cel_scope_enter(&sending, NULL);
        r = sender(u); /* parks */
        cel_scope_leave(&sending);
        stop_listening(u, listener); /* parks */
    }
    cel_scope_leave(&call);
    cel__limit_set(&u->f->limit, "read", u->f->timeouts.read);
    if (u->is_stopped || u->heard < 0)
        return u->heard;
    if (r == -ECANCELED && cel_checkpoint() < 0)
        return cel_checkpoint(); /* what the scopes around say, not those in here */
    return r;
}

/* (parks) */
static int send_request(struct upload *u)
{
    const struct cel_fetch_options *o = u->f->options;
    int r;

    if (u->f->sends_body && o->body_read != NULL)
        return send_and_listen(u, send_stream); /* parks */
    if (u->f->sends_body)
        u->bytes = u->f->body;
    if (u->head.len + u->bytes.len <= SURE_BYTES)
        return send_few(u); /* parks */
    r = send_at_once(u);
    if (r == 0)
        return send_and_listen(u, send_bytes); /* parks */
    cel__limit_set(&u->f->limit, "read", u->f->timeouts.read);
    return cel__min(r, 0);
}

int cel__upload(struct cel__fetch *f)
{
    struct upload u = {.f = f, .stream = f->conn->stream};
    int r = cel__request_write(f, &f->conn->head);

    if (r < 0)
        return r;
    f->session->places.stats.requests++;
    u.head = cel__buf_str(&f->conn->head);
    r = send_request(&u); /* parks */
    if (u.heard < 0 || !cel__is_broken_off(r))
        return r;
    f->was_cut_short = true; /* there may be an answer nevertheless */
    return 0;
}
