/* SPDX-License-Identifier: MIT */
/* TLS over a network that cuts, delays and breaks, by clients who lose their patience amid a write:
 * what a client reads is what it has sent, in order, up to where the connection ends; an end that
 * the peer did not announce is told from one that it did; nobody gets to see a record that was
 * torn; who is not whom the certificate names is not talked to. */
#include "celadon/net.h"
#include "io/certs.h"
#include "plays.h"

#include <errno.h>

#define CLIENTS 3
#define TALKS   2
#define LEN_MAX 1500

#define PATIENCE (20 * CEL_MILLISECOND)

struct tls_play {
    struct cel_tls *server, *client;
    const char *wrong;
    unsigned whole; /* talks that went well */
};

static void remove_certs_at_exit(void)
{
    (void)remove_certs(NULL);
}

/* Made once: the files are real ones, which OpenSSL reads. */
static bool has_certs(void)
{
    static bool is_tried, is_there;

    if (!is_tried) {
        is_tried = true;
        is_there = make_certs(NULL) == 0 && atexit(remove_certs_at_exit) == 0;
    }
    return is_there;
}

static unsigned char byte_of(unsigned id, size_t at)
{
    return (unsigned char)(id * 31 + at + at / 251);
}

static const char *torn; /* set by whoever sees it */

/* Only the network is bad, and it does not change bytes. */
static void *answer(void *arg)
{
    struct cel_stream *s = arg;
    char buf[700];
    size_t total = 0;
    ssize_t n;

    while ((n = cel_read(s, buf, sizeof buf)) > 0) {
        total += (size_t)n;
        if (cel_write(s, buf, (size_t)n) < 0)
            break;
    }
    if (total > 0 && n == -CEL_ETLS)
        torn = "a record that was torn";
    cel_close(s);
    return NULL;
}

static void *serve(void *arg)
{
    struct tls_play *play = arg;
    struct cel_listener *door;
    struct cel_stream *s;

    while (cel_listen(&door, ":443", &(struct cel_listen_options){.tls = play->server}) < 0)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    while (cel_accept(door, &s) == 0)
        if (cel_go(answer, s) < 0)
            cel_close(s);
    cel_listener_close(door);
    return NULL;
}

struct talk {
    struct tls_play *play;
    struct cel_stream *stream;
    unsigned id;
    size_t len;
    int result; /* of reading */
};

static void *listen_all(void *arg)
{
    struct talk *t = arg;
    unsigned char in[500];
    ssize_t n = 1;

    for (size_t at = 0; at < t->len && n > 0;) {
        n = cel_read(t->stream, in, sizeof in);
        for (ssize_t k = 0; k < n; k++, at++)
            if (at >= t->len || in[k] != byte_of(t->id, at))
                t->play->wrong = "other bytes";
    }
    t->result = n > 0 ? 0 : n < 0 ? (int)n : -CEL_EEOF;
    return NULL;
}

/* In time, or broken off. */
static ssize_t say_part(struct cel_stream *s, const unsigned char *bytes, size_t len)
{
    int64_t timeout = cel_sim_draw(6) == 0 ? 1 + (int64_t)cel_sim_draw(PATIENCE) : 0;
    ssize_t n = -ETIMEDOUT;

    CEL_SCOPE (hurry, .timeout = timeout)
        n = cel_write(s, bytes, len);
    return n == -ETIMEDOUT ? cel_checkpoint() < 0 ? -ECANCELED : n : n;
}

static int say_all(const struct talk *t)
{
    unsigned char out[LEN_MAX];

    for (size_t at = 0; at < t->len; at++)
        out[at] = byte_of(t->id, at);
    for (size_t at = 0; at < t->len; at += cel_stream_written(t->stream)) {
        size_t part = 1 + (size_t)cel_sim_draw(t->len - at);
        ssize_t n = say_part(t->stream, out + at, part);

        if (n < 0 && n != -ETIMEDOUT) /* else it goes on, if it may */
            return (int)n;
    }
    return 0;
}

/* Reads while it writes: where buffers are tiny, a server would otherwise wait for room for its
 * session tickets, and the client for room for what it says. */
static int talk(struct tls_play *play, struct cel_stream *s, unsigned id)
{
    struct talk t = {play, s, id, 1 + (size_t)cel_sim_draw(LEN_MAX), -ENOMEM};
    int r = 0;

    CEL_SCOPE (both, .timeout = 0) {
        r = cel_go(listen_all, &t);
        if (r == 0)
            r = say_all(&t);
        if (r < 0)
            cel_scope_cancel(&both);
    }
    return r < 0 ? r : t.result;
}

static int visit_once(struct tls_play *play, unsigned id)
{
    struct cel_connect_options options = {.tls = play->client};
    struct cel_stream *s;
    int r = -ETIMEDOUT;

    CEL_SCOPE (patience, .timeout = 20 * CEL_SECOND) {
        r = cel_connect(&s, "good.test:443", &options);
        if (r == 0) {
            r = talk(play, s, id);
            cel_close(s);
        }
    }
    return r;
}

struct tls_client {
    struct tls_play *play;
    unsigned nth;
};

static void *visit(void *arg)
{
    const struct tls_client *c = arg;

    for (unsigned i = 0; i < TALKS; i++)
        while (visit_once(c->play, c->nth * TALKS + i) < 0)
            if (cel_sleep(200 * CEL_MILLISECOND) < 0)
                return NULL;
    c->play->whole++;
    return NULL;
}

/* The same address by a name that the certificate does not have. */
static bool is_stranger_refused(struct tls_play *play)
{
    struct cel_connect_options options = {.tls = play->client};
    struct cel_stream *s;
    int r = 0;

    CEL_SCOPE (patience, .timeout = 8 * CEL_SECOND)
        r = cel_connect(&s, "bad.test:443", &options);
    if (r == 0)
        cel_close(s);
    return r < 0;
}

static void *play_on(struct tls_play *play)
{
    struct tls_client clients[CLIENTS];
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;

    HOLDS(cel_sim_host_new(&host, "good.test", serve, play) == 0);
    HOLDS(cel_sim_name("bad.test", cel_sim_host_address(host)) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct tls_client){play, i};
        tasks[i] = cel_spawn(visit, &clients[i]);
        HOLDS(tasks[i] != NULL);
    }
    HOLDS(is_stranger_refused(play));
    HOLDS(cel_gather(tasks, CLIENTS, NULL) == 0);
    HOLDS(play->whole == CLIENTS);
    if (play->wrong == NULL)
        play->wrong = torn;
    if (play->wrong != NULL)
        return cel_fail(-EPROTO, "%s", play->wrong);
    return NULL;
}

void *play_tls(void *arg)
{
    struct tls_play play = {0};

    torn = NULL;
    HOLDS(has_certs());
    HOLDS(cel_tls_new(&play.server, &(struct cel_tls_options){.cert_file = cert_path("good")}) ==
          0);
    HOLDS(cel_tls_new(&play.client, &(struct cel_tls_options){.ca_file = cert_path("ca")}) == 0);
    (void)play_on(&play);
    cel_tls_free(play.client);
    cel_tls_free(play.server);
    return NULL;
}
