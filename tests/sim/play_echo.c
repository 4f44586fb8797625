/* SPDX-License-Identifier: MIT */
/* A server that sends back what comes, and clients who count what they get. */
#include <errno.h>
#include <string.h>

#include "celadon/net.h"
#include "plays.h"

#define CLIENTS   6
#define ROUNDS    4
#define BYTES_MAX 3000

static unsigned char byte_at(unsigned client, size_t k)
{
    return (unsigned char)(client * 37 + k * 31 + (k >> 8) * 7);
}

static void *serve_one(void *arg)
{
    struct cel_stream *s = arg;
    char buf[700];
    ssize_t n;

    while ((n = cel_read(s, buf, sizeof buf)) > 0)
        if (cel_write(s, buf, (size_t)n) < 0)
            break;
    cel_close(s);
    return NULL;
}

static void *serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;
    int r;

    while ((r = cel_listen(&door, ":7", NULL)) < 0)
        if (r != -EMFILE || cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    while (cel_accept(door, &s) == 0)
        if (cel_go(serve_one, s) < 0)
            cel_close(s);
    cel_listener_close(door);
    return NULL;
}

struct client {
    unsigned nth;
    bool is_wrong;
    int rounds, result;
};

struct message {
    struct client *client;
    struct cel_stream *stream;
    size_t len;
    unsigned char bytes[BYTES_MAX];
};

/* Beside the reading: else both sides might write and nobody read. */
static void *send_message(void *arg)
{
    struct message *m = arg;
    ssize_t n = cel_write(m->stream, m->bytes, m->len);

    m->client->is_wrong |= n >= 0 && n != (ssize_t)m->len;
    m->client->is_wrong |= n >= 0 && cel_stream_written(m->stream) != m->len;
    return NULL;
}

/* What comes back is the beginning of what was sent, whatever happens; the rest is missing only if
 * a call failed. */
static int talk(struct client *c, struct cel_stream *s)
{
    struct message m = {.client = c, .stream = s, .len = 1 + cel_sim_draw(BYTES_MAX)};
    unsigned char in[BYTES_MAX];
    size_t got = 0;
    ssize_t n = 0;

    for (size_t k = 0; k < m.len; k++)
        m.bytes[k] = byte_at(c->nth, k);
    CEL_SCOPE (both) {
        if (cel_go(send_message, &m) < 0)
            return -ENOMEM;
        while (got < m.len) {
            n = cel_read(s, in, 1 + cel_sim_draw(BYTES_MAX));
            if (n <= 0)
                break;
            c->is_wrong |= got + (size_t)n > m.len || memcmp(in, m.bytes + got, (size_t)n) != 0;
            if (c->is_wrong)
                break;
            got += (size_t)n;
        }
        if (got < m.len)
            cel_scope_cancel(&both);
    }
    return got == m.len ? 0 : n == 0 ? -CEL_EEOF : n < 0 ? (int)n : -EPROTO;
}

static void *visit(void *arg)
{
    struct client *c = arg;
    struct cel_stream *s;
    int r = -ENOENT;

    CEL_SCOPE (patience, .timeout = 20 * CEL_SECOND) {
        r = cel_connect(&s, cel_sim_draw(2) == 0 ? "echo:7" : "twice:7", NULL);
        if (r == 0) {
            for (int i = 0; i < c->rounds && r == 0; i++)
                r = talk(c, s);
            cel_close(s);
        }
    }
    c->result = r;
    return NULL;
}

/* Two addresses, of which the first may never answer, or refuse, or answer beside the second. */
static bool name_twice(const struct cel_sim_host *host)
{
    const char *first[] = {"10.99.99.99", cel_sim_host_address(cel_sim_home()),
                           cel_sim_host_address(host)};

    return cel_sim_name("twice", first[cel_sim_draw(3)]) == 0 &&
           cel_sim_name("twice", cel_sim_host_address(host)) == 0;
}

void *play_echo(void *arg)
{
    struct client clients[CLIENTS] = {0};
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;
    bool is_wrong = false;

    HOLDS(cel_sim_host_new(&host, "echo", serve, NULL) == 0);
    HOLDS(name_twice(host));
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].nth = i;
        clients[i].rounds = ROUNDS;
        tasks[i] = cel_spawn(visit, &clients[i]);
        HOLDS(tasks[i] != NULL);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        HOLDS(cel_join(tasks[i], NULL) == 0);
        is_wrong |= clients[i].is_wrong;
    }
    HOLDS(!is_wrong);
    cel_sim_calm(); /* the storm is over: now it must work */
    HOLDS(cel_sleep(5 * CEL_SECOND) == 0);
    clients[0].rounds = 1;
    (void)visit(&clients[0]);
    HOLDS(clients[0].result == 0 && !clients[0].is_wrong);
    return NULL;
}
