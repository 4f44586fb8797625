/* SPDX-License-Identifier: MIT */
/* Several tasks wait for the same thing; it comes for some of them or for all, and the first who
 * goes on calls the others off at that very moment: they have their result and a cancel both. Each
 * ends once, by one of the two, and what it was given in vain is not lost. */
#include <errno.h>
#include <string.h>

#include "celadon/net.h"
#include "celadon/sync.h"
#include "plays.h"

#define TWINS  4
#define ROUNDS 12

struct family;

struct twin {
    struct family *family;
    struct cel_scope scope;
    bool is_inside, has_ended;
    int result;
};

/* What they all wait for. */
struct family {
    int (*wait)(struct family *f);
    struct twin twins[TWINS];
    int64_t until;
    struct cel_lock lock;
    struct cel_socket *socket;
    struct cel_sim_host *near, *far;
    bool closes; /* the first closes what the others wait on */
};

static void call_off_others(const struct twin *self)
{
    struct family *f = self->family;

    for (unsigned i = 0; i < TWINS; i++)
        if (&f->twins[i] != self && f->twins[i].is_inside)
            cel_scope_cancel(&f->twins[i].scope);
}

static void *live(void *arg)
{
    struct twin *self = arg;
    struct family *f = self->family;

    cel_scope_enter(&self->scope, NULL);
    self->is_inside = true;
    self->result = f->wait(f);
    self->is_inside = false;
    if (f->closes) {
        f->closes = false;
        cel_socket_close(f->socket);
        f->socket = NULL;
    } else if (cel_sim_draw(4) != 0) {
        call_off_others(self);
    }
    (void)cel_scope_leave(&self->scope);
    self->has_ended = true;
    return NULL;
}

/* ---- what there is to wait for ---- */

static int wait_for_time(struct family *f)
{
    int r = cel_sleep_until(f->until);

    return r == 0 && cel_now() < f->until ? -EPROTO : r;
}

static int wait_for_lock(struct family *f)
{
    int r = cel_lock_acquire(&f->lock);

    if (r == 0)
        cel_lock_release(&f->lock);
    return r;
}

static int wait_for_name(struct family *f)
{
    struct sockaddr_storage at[4];
    size_t count = 4;

    return cel_resolve("both", 7, at, &count);
}

static int wait_for_datagram(struct family *f)
{
    struct sockaddr_storage from;
    char byte;

    return f->socket != NULL ? (int)cel_recv_from(f->socket, &byte, 1, &from) : -CEL_ECLOSED;
}

/* Two addresses, and both answer at about the same time: after the first was given a while. */
static int wait_for_connection(struct family *f)
{
    struct cel_stream *s;
    int r = cel_connect(&s, "both:7", NULL);

    if (r == 0)
        cel_close(s);
    return r;
}

/* ---- the rounds ---- */

static void *greet(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;

    while (cel_listen(&door, ":7", NULL) < 0)
        if (cel_sleep(CEL_MILLISECOND) < 0)
            return NULL;
    while (cel_accept(door, &s) == 0)
        cel_close(s);
    cel_listener_close(door);
    return NULL;
}

static bool is_explained(int r)
{
    return r >= 0 || r == -ECANCELED || r == -ETIMEDOUT || r == -EMFILE || r == -ECONNRESET ||
           r == -ECONNREFUSED || r == -EHOSTUNREACH || r == -CEL_EDNS || r == -CEL_ECLOSED;
}

static void begin_round(struct family *f)
{
    static int (*const ways[])(struct family * f) = {wait_for_time, wait_for_lock, wait_for_name,
                                                     wait_for_datagram, wait_for_connection};

    memset(f->twins, 0, sizeof f->twins);
    f->wait = ways[cel_sim_draw(sizeof ways / sizeof ways[0])];
    f->until = cel_now() + (int64_t)cel_sim_draw(CEL_MILLISECOND);
    f->closes = false;
    if (f->wait == wait_for_datagram && cel_udp_open(&f->socket, "127.0.0.1:0") == 0)
        f->closes = cel_sim_draw(2) == 0;
    if (f->wait == wait_for_connection) {
        int64_t duration = 200 * CEL_MILLISECOND + (int64_t)cel_sim_draw(CEL_SECOND);

        cel_sim_clog(cel_sim_home(), f->near, duration);
        cel_sim_clog(cel_sim_home(), f->far, duration);
    }
}

/* What they wait for, and who else is there, so that not everybody gets a turn at once. */
static void *let_it_come(void *arg)
{
    struct family *f = arg;
    struct sockaddr_storage to;
    bool is_locked = cel_lock_acquire(&f->lock) == 0;

    (void)!cel_sleep_until(f->until);
    if (is_locked)
        cel_lock_release(&f->lock);
    for (unsigned i = 0; f->socket != NULL && i < 2; i++)
        if (cel_address_parse(cel_socket_address(f->socket), &to) == 0)
            (void)!cel_send_to(f->socket, "x", 1, &to);
    for (unsigned i = 0; i < 50; i++)
        (void)!cel_yield();
    return NULL;
}

static void *play_round(struct family *f)
{
    begin_round(f);
    CEL_SCOPE (round, .timeout = 3 * CEL_SECOND) {
        (void)!cel_go(let_it_come, f);
        for (unsigned i = 0; i < TWINS; i++) {
            f->twins[i].family = f;
            (void)!cel_go(live, &f->twins[i]);
        }
    }
    cel_socket_close(f->socket);
    f->socket = NULL;
    HOLDS(!cel_lock_is_held(&f->lock));
    for (unsigned i = 0; i < TWINS; i++)
        HOLDS(f->twins[i].has_ended && is_explained(f->twins[i].result));
    return NULL;
}

void *play_twins(void *arg)
{
    static struct family f;

    memset(&f, 0, sizeof f);
    HOLDS(cel_sim_host_new(&f.near, "near", greet, NULL) == 0);
    HOLDS(cel_sim_host_new(&f.far, "far", greet, NULL) == 0);
    HOLDS(cel_sim_name("both", cel_sim_host_address(f.near)) == 0);
    HOLDS(cel_sim_name("both", cel_sim_host_address(f.far)) == 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        (void)play_round(&f);
    return NULL;
}
