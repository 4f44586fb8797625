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

    if (cel_listen(&door, ":7", NULL) < 0)
        return NULL; /* for want of descriptors: its clients find nobody */
    while (cel_accept(door, &s) == 0)
        if (cel_go(serve_one, s) < 0)
            cel_close(s);
    cel_listener_close(door);
    return NULL;
}

struct client {
    unsigned nth;
    size_t echoed;
    bool is_wrong;
};

/* What comes back is the beginning of what was sent, whatever happens; the rest is missing only if
 * a call failed. */
static int talk(struct client *c, struct cel_stream *s)
{
    unsigned char out[BYTES_MAX], in[BYTES_MAX];
    size_t len = 1 + cel_sim_draw(BYTES_MAX), got = 0;
    ssize_t n;

    for (size_t k = 0; k < len; k++)
        out[k] = byte_at(c->nth, k);
    n = cel_write(s, out, len);
    if (n < 0)
        return (int)n;
    c->is_wrong |= n != (ssize_t)len || cel_stream_written(s) != len;
    while (got < len) {
        n = cel_read(s, in, 1 + cel_sim_draw(BYTES_MAX));
        if (n <= 0)
            return n < 0 ? (int)n : -CEL_EEOF;
        c->is_wrong |= got + (size_t)n > len || memcmp(in, out + got, (size_t)n) != 0;
        if (c->is_wrong)
            return -EPROTO;
        got += (size_t)n;
    }
    c->echoed += got;
    return 0;
}

static void *visit(void *arg)
{
    struct client *c = arg;
    struct cel_stream *s;
    int r = -ENOENT;

    CEL_SCOPE (patience, .timeout = 40 * CEL_SECOND) {
        r = cel_connect(&s, "echo:7", NULL);
        if (r == 0) {
            for (int i = 0; i < ROUNDS && r == 0; i++)
                r = talk(c, s);
            cel_close(s);
        }
    }
    return NULL;
}

void *play_echo(void *arg)
{
    struct client clients[CLIENTS] = {0};
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;
    bool is_wrong = false;

    HOLDS(cel_sim_host_new(&host, "echo", serve, NULL) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].nth = i;
        tasks[i] = cel_spawn(visit, &clients[i]);
        HOLDS(tasks[i] != NULL);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        HOLDS(cel_join(tasks[i], NULL) == 0);
        is_wrong |= clients[i].is_wrong;
    }
    HOLDS(!is_wrong);
    return NULL;
}
