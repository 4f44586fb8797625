/* SPDX-License-Identifier: MIT */
/* TLS as a filter over a plain stream.
 *
 * 1. The library works on memory: what parks is here, and nothing else is.
 * 2. One task at a time sends ciphertext. What has been encrypted must go out in order and whole:
 *    when a write is broken off, the writing side is broken for good.
 * 3. A connection that ends without close_notify was cut: reads say -CEL_ETRUNCATED, never 0.
 * 4. While a task waits for input the filter holds no buffer.
 *
 *   new --> shaking --> open          a cancel while shaking goes back to new
 *              \-----> failed */
#include "io/tls.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/sys.h"
#include "io/openssl.h"
#include "task/error.h"
#include "task/wait.h"

#define BATCH_MAX 65536 /* plain bytes per write to the socket: four records */

enum state { NEW, SHAKING, OPEN, FAILED };

struct cel__tls_link {
    struct cel__ssl ssl;
    struct cel__buf sending; /* taken from ssl.out, which may grow meanwhile */
    struct cel__waitq turn;  /* tasks waiting for the handshake or for the sender */
    char *alpn;
    enum state state;
    bool is_sending;
    bool is_shut; /* our side has said its last word */
    int broken;   /* 0, or what every further write returns */
};

/* ---- sending and receiving ciphertext ---- */

static int poison(struct cel__tls_link *link, int why)
{
    cel__buf_fini(&link->ssl.out);
    if (link->broken == 0)
        link->broken = -CEL_ETLS;
    return why;
}

/* (parks) Ciphertext does not count as written. */
static ssize_t send_raw(struct cel_stream *s, const struct cel__buf *bytes)
{
    size_t written = s->written;
    ssize_t n = cel__plain.write(s, bytes->ptr, bytes->len); /* parks */

    s->written = written;
    return n;
}

/* (parks) Until all that was encrypted has gone out. */
static int flush(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    ssize_t n = 0;
    int r;

    while (link->is_sending) {
        r = cel__waitq_park(&link->turn); /* parks */
        if (r < 0)
            return poison(link, r);
    }
    if (link->ssl.out.failed)
        return poison(link, -ENOMEM);
    link->is_sending = true;
    while (link->ssl.out.len > 0 && n >= 0) {
        link->sending = link->ssl.out;
        link->ssl.out = (struct cel__buf){0};
        n = send_raw(s, &link->sending); /* parks */
        cel__buf_fini(&link->sending);
    }
    link->is_sending = false;
    cel__waitq_wake_all(&link->turn);
    return n < 0 ? poison(link, (int)n) : 0;
}

/* (parks) More ciphertext, after what we owe the peer has gone. 1; 0: its side has ended. */
static int receive(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    ssize_t n;

    if (link->ssl.out.len > 0 && !link->is_sending) {
        int r = flush(s); /* parks */

        if (r < 0)
            return r;
    }
    if (link->ssl.saw_end)
        return 0;
    n = cel__plain.fill(s, &link->ssl.in); /* parks */
    if (n == 0)
        link->ssl.saw_end = true;
    return n < 0 ? (int)n : n > 0;
}

/* ---- the handshake ---- */

static int keep_alpn(struct cel__tls_link *link)
{
    struct cel_str name = cel__ssl_alpn(&link->ssl);

    if (name.len == 0)
        return 0;
    link->alpn = cel__mem_strndup(name.ptr, name.len);
    return link->alpn != NULL ? 0 : -ENOMEM;
}

/* (parks) */
static int shake(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    int r;

    while ((r = cel__ssl_shake(&link->ssl)) == CEL__SSL_MORE) {
        r = receive(s); /* parks */
        if (r < 0)
            return r;
    }
    CEL__TRACE(cel__loop_here, tls_handshake, link, r);
    if (r == 0)
        return link->ssl.out.len > 0 ? flush(s) : 0; /* parks */
    (void)flush(s);                                  /* parks: the alert, if it can */
    return r;
}

static int still_broken(const struct cel__tls_link *link, const char *what)
{
    return cel__raise(-CEL_ETLS, "tls", "%s", what);
}

/* (parks) Whoever comes first does the handshake, the other side waits for it. */
static int be_open(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    int r;

    while (link->state == SHAKING) {
        r = cel__waitq_park(&link->turn); /* parks */
        if (r < 0)
            return r;
    }
    if (link->state == OPEN)
        return 0;
    if (link->state == FAILED)
        return still_broken(link, "the handshake has failed before");
    link->state = SHAKING;
    r = shake(s); /* parks */
    if (r == 0)
        r = keep_alpn(link);
    if (r == 0)
        link->state = OPEN;
    else
        link->state = (r == -ECANCELED || r == -ETIMEDOUT) && link->broken == 0 ? NEW : FAILED;
    cel__waitq_wake_all(&link->turn);
    return r;
}

/* ---- the transport ---- */

static ssize_t tls_read(struct cel_stream *s, void *buf, size_t len)
{
    ssize_t n = be_open(s); /* parks */

    while (n >= 0) {
        n = cel__ssl_read(&s->tls->ssl, buf, len);
        if (n != CEL__SSL_MORE)
            return n;
        n = receive(s); /* parks */
    }
    return n;
}

static ssize_t tls_fill(struct cel_stream *s, struct cel__unread *u)
{
    ssize_t n = be_open(s); /* parks */

    while (n >= 0) {
        n = cel__ssl_take(&s->tls->ssl, u);
        if (n != CEL__SSL_MORE)
            return n;
        n = receive(s); /* parks */
    }
    return n;
}

/* (parks) */
static int begin_write(struct cel_stream *s)
{
    int r = be_open(s); /* parks */

    if (r < 0)
        return r;
    if (s->tls->broken != 0)
        return still_broken(s->tls, "a write was broken off before");
    return cel_checkpoint(); /* before anything is encrypted, which cannot be taken back */
}

/* (parks) */
static int send_encrypted(struct cel_stream *s, const char *bytes, size_t len)
{
    int r = cel__ssl_write(&s->tls->ssl, bytes, len);

    return r < 0 ? poison(s->tls, r) : flush(s); /* parks */
}

static ssize_t tls_write(struct cel_stream *s, const void *buf, size_t len)
{
    const char *bytes = buf;
    size_t done = 0;
    int r = begin_write(s); /* parks */

    if (r == 0 && s->tls->is_shut)
        return -EPIPE;

    while (r == 0 && done < len) {
        size_t now = cel__min(len - done, (size_t)BATCH_MAX);

        r = send_encrypted(s, bytes + done, now); /* parks */
        if (r == 0) {
            done += now;
            s->written += now;
        }
    }
    return r < 0 ? r : (ssize_t)done;
}

/* Takes up to cap bytes from the pieces. */
static size_t pack(struct iovec **iov, int *count, char *out, size_t cap)
{
    size_t have = 0;

    while (*count > 0 && have < cap) {
        size_t n = cel__min((*iov)->iov_len, cap - have);

        if (n > 0) /* an empty piece may have no address */
            memcpy(out + have, (*iov)->iov_base, n);
        have += n;
        (*iov)->iov_base = (char *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
        if ((*iov)->iov_len == 0) {
            (*iov)++;
            (*count)--;
        }
    }
    return have;
}

/* Small pieces share a record. */
static ssize_t tls_writev(struct cel_stream *s, struct iovec *iov, int count)
{
    ssize_t total = 0, n = 0;
    size_t left = 0, cap;
    char *packed;

    for (int i = 0; i < count; i++)
        left += iov[i].iov_len;
    if (left == 0)
        return 0;
    cap = cel__min(left, (size_t)BATCH_MAX);
    packed = cel__mem_alloc(cap);
    if (packed == NULL)
        return -ENOMEM;
    while (left > 0 && n >= 0) {
        size_t now = pack(&iov, &count, packed, cap);

        n = tls_write(s, packed, now); /* parks */
        total += n;
        left -= now;
    }
    cel__mem_free(packed);
    return n < 0 ? n : total;
}

static int tls_shutdown(struct cel_stream *s)
{
    int r = begin_write(s); /* parks */

    if (r == 0 && !s->tls->is_shut)
        r = cel__ssl_end(&s->tls->ssl);
    if (r < 0)
        return r;
    s->tls->is_shut = true;
    return flush(s); /* parks */
}

static bool tls_is_quiet(struct cel_stream *s)
{
    const struct cel__tls_link *link = s->tls;

    return link->state == OPEN && link->broken == 0 && !link->ssl.saw_end &&
           cel__ssl_is_empty(&link->ssl) && cel__plain.is_quiet(s);
}

static void tls_farewell(struct cel_stream *s)
{
    struct cel__tls_link *link = s->tls;
    const struct cel__buf *out = &link->ssl.out;

    if (link->state != OPEN || link->broken != 0 || link->is_sending)
        return;
    (void)cel__ssl_end(&link->ssl);
    if (out->len > 0)
        (void)!cel__sys.send(s->fd->fd, out->ptr, out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static const struct cel__transport tls_transport = {
    .read = tls_read,
    .fill = tls_fill,
    .write = tls_write,
    .writev = tls_writev,
    .shutdown = tls_shutdown,
    .is_quiet = tls_is_quiet,
    .farewell = tls_farewell,
};

/* ---- attaching ---- */

static void link_free(struct cel__tls_link *link)
{
    cel__ssl_fini(&link->ssl);
    cel__buf_fini(&link->sending);
    cel__mem_free(link->alpn);
    cel__mem_free(link);
}

int cel__tls_attach(struct cel_stream *s, struct cel_tls *tls, const char *name, bool is_server)
{
    struct cel__tls_link *link;
    int r;

    if (s->via != &cel__plain)
        return cel__raise(-EINVAL, "tls", "the stream does TLS already, or is a file");
    link = cel__mem_zalloc(sizeof *link);
    if (link == NULL)
        return -ENOMEM;
    cel__waitq_init(&link->turn);
    link->turn.what = "its turn to send";
    r = cel__ssl_init(&link->ssl, tls, name, is_server);
    if (r < 0) {
        cel__mem_free(link);
        return r;
    }
    link->ssl.in = s->unread;
    s->unread = (struct cel__unread){0};
    s->tls = link;
    s->tls_free = link_free;
    s->via = &tls_transport;
    s->fd->what = "TLS session";
    return 0;
}

int cel_stream_start_tls(struct cel_stream *s, struct cel_tls *tls, const char *server_name,
                         bool is_server)
{
    int r = cel__stream_begin(s);

    if (r < 0)
        return r;
    r = cel__tls_attach(s, tls, server_name, is_server);
    if (r == 0)
        r = be_open(s); /* parks */
    return cel__stream_end(s, r);
}

const char *cel_stream_alpn(const struct cel_stream *s)
{
    return s->tls != NULL && s->tls->alpn != NULL ? s->tls->alpn : "";
}
