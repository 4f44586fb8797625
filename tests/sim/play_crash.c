/* SPDX-License-Identifier: MIT */
/* A ledger whose machine loses power now and then, and clients who try again until they are told
 * that their entry is in. The ledger's table survives, as a disk would. In the end each entry is
 * in, and none that was acknowledged was lost. */
#include <errno.h>
#include <string.h>

#include "celadon/net.h"
#include "plays.h"

#define CLIENTS 3
#define ENTRIES 6
#define CRASHES 3

struct ledger {
    bool has[CLIENTS * ENTRIES];
};

struct visitor {
    struct ledger *ledger;
    struct cel_stream *stream;
};

static struct ledger ledger;

static void *serve_one(void *arg)
{
    struct cel_stream *s = arg;
    unsigned char id, answer;

    while (cel_read_exactly(s, &id, 1) == 1) {
        if (id >= CLIENTS * ENTRIES)
            break;
        ledger.has[id] = true;
        answer = (unsigned char)~id;
        if (cel_write(s, &answer, 1) < 0)
            break;
    }
    cel_close(s);
    return NULL;
}

static void *serve(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;
    int r;

    while ((r = cel_listen(&door, ":9", NULL)) < 0) {
        if (r != -EMFILE)
            return cel_fail(r, "the ledger cannot listen");
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    }
    while (cel_accept(door, &s) == 0)
        if (cel_go(serve_one, s) < 0)
            cel_close(s);
    cel_listener_close(door);
    return NULL;
}

/* -> 0: it is in. */
static int enter(unsigned char id)
{
    struct cel_stream *s;
    unsigned char answer = 0;
    int r = -ETIMEDOUT;

    CEL_SCOPE (patience, .timeout = 3 * CEL_SECOND) {
        r = cel_connect(&s, "ledger:9", NULL);
        if (r == 0) {
            r = cel_write(s, &id, 1) == 1 && cel_read_exactly(s, &answer, 1) == 1 ? 0 : -EAGAIN;
            cel_close(s);
        }
    }
    if (r == 0 && answer != (unsigned char)~id)
        return -EPROTO;
    return r;
}

static void *keep_books(void *arg)
{
    unsigned client = *(const unsigned *)arg;

    for (unsigned i = 0; i < ENTRIES; i++) {
        unsigned char id = (unsigned char)(client * ENTRIES + i);
        int r;

        while ((r = enter(id)) < 0) {
            HOLDS(r != -EPROTO);
            HOLDS(cel_sleep(200 * CEL_MILLISECOND) == 0);
        }
        HOLDS(ledger.has[id]);
        HOLDS(cel_sleep((int64_t)cel_sim_draw(2 * CEL_SECOND)) == 0);
    }
    return NULL;
}

void *play_crash(void *arg)
{
    static const unsigned numbers[CLIENTS] = {0, 1, 2};
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;

    memset(&ledger, 0, sizeof ledger);
    HOLDS(cel_sim_host_new(&host, "ledger", serve, NULL) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        tasks[i] = cel_spawn(keep_books, (void *)&numbers[i]);
        HOLDS(tasks[i] != NULL);
    }
    for (unsigned i = 0; i < CRASHES; i++) {
        HOLDS(cel_sleep((int64_t)cel_sim_draw(3 * CEL_SECOND)) == 0);
        cel_sim_kill(host);
        HOLDS(cel_sleep((int64_t)cel_sim_draw(2 * CEL_SECOND)) == 0);
        HOLDS(cel_sim_reboot(host) == 0);
    }
    HOLDS(cel_gather(tasks, CLIENTS, NULL) == 0);
    for (unsigned i = 0; i < CLIENTS * ENTRIES; i++)
        HOLDS(ledger.has[i]);
    return NULL;
}
