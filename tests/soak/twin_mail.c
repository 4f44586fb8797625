/* SPDX-License-Identifier: MIT */
/* What has no connection, or has none yet: datagrams, and doors at which connections come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <celadon/net.h>
#include <celadon/udp.h>

#include "twin.h"

/* ---- datagrams ---- */

struct boxes {
    struct subject *s;
    struct cel_socket *box[2];
    struct sockaddr_storage at[2];
    uint64_t sent; /* numbers the bytes */
};

static ssize_t send_one(struct boxes *b, int from, size_t len)
{
    return cel_send_to(b->box[from], bytes_from(b->sent), len, &b->at[1 - from]); /* parks */
}

static void receive_one(struct boxes *b, int from, size_t len, size_t room, uint64_t at)
{
    struct sockaddr_storage who = {0};
    char heard[1500], name[100] = "", expected[100] = "";
    ssize_t n = cel_recv_from(b->box[1 - from], heard, room, &who); /* parks */

    got(b->s, "%s", told(n));
    if (n >= 0) {
        cel_address_format(&who, name, sizeof name);
        cel_address_format(&b->at[from], expected, sizeof expected);
        got(b->s, "%d %d", memcmp(heard, bytes_from(at), len), strcmp(name, expected));
    }
}

/* In order; one that is too long is lost, and the next one is not. */
static void send_some(struct boxes *b, int from)
{
    unsigned count = 1 + (unsigned)draw(b->s, 8);
    size_t sizes[8], rooms[8];
    uint64_t first = b->sent;

    does(b->s, "%u datagrams from %d", count, from);
    for (unsigned i = 0; i < count; i++) {
        sizes[i] = draw_size(b->s, 1400);
        rooms[i] = draw(b->s, 5) == 0 ? 1 + draw_size(b->s, 1400) : 1400;
        does(b->s, "of %zu to %zu", sizes[i], rooms[i]);
        got(b->s, "%s", told(send_one(b, from, sizes[i])));
        b->sent += sizes[i];
    }
    for (unsigned i = 0; i < count; i++) {
        receive_one(b, from, sizes[i], rooms[i], first);
        first += sizes[i];
    }
}

static void receive_in_vain(struct boxes *b, int from)
{
    char byte;
    ssize_t n = 0;

    does(b->s, "nothing from %d", from);
    CEL_SCOPE (patience, .timeout = (1 + (int64_t)draw(b->s, 3)) * CEL_MILLISECOND)
        n = cel_recv_from(b->box[1 - from], &byte, 1, NULL); /* parks */
    got(b->s, "%s", told(n));
}

struct taker {
    struct cel_socket *box;
    ssize_t result;
};

static void *take(void *arg)
{
    struct taker *t = arg;
    char buf[1500];

    t->result = cel_recv_from(t->box, buf, sizeof buf, NULL); /* parks */
    return NULL;
}

/* Two wait, one datagram comes: one has it and the other is called off. */
static void two_wait(struct boxes *b, int from)
{
    struct taker takers[2] = {{b->box[1 - from], 0}, {b->box[1 - from], 0}};
    size_t len = 1 + draw_size(b->s, 1000);

    does(b->s, "two wait for %zu from %d", len, from);
    CEL_SCOPE (both) {
        for (int i = 0; i < 2; i++)
            if (cel_go(take, &takers[i]) < 0)
                got(b->s, "no task");
        cel_yield(); /* parks */
        got(b->s, "%s", told(send_one(b, from, len)));
        while (takers[0].result == 0 && takers[1].result == 0)
            cel_sleep(CEL_MILLISECOND / 4); /* parks */
        cel_scope_cancel(&both);
    }
    b->sent += len;
    got(b->s, "%s", told(takers[0].result + takers[1].result - (ssize_t)len));
}

static void too_long(struct boxes *b, int from)
{
    does(b->s, "too long from %d", from);
    got(b->s, "%s", told(send_one(b, from, 70000)));
}

static void batch(struct boxes *b, int from)
{
    struct cel_datagram out[4] = {0}, in[4] = {0};
    char bufs[4][1400];
    size_t count = 1 + (size_t)draw(b->s, 4), have = 0;

    does(b->s, "batch of %zu from %d", count, from);
    for (size_t i = 0; i < count; i++) {
        out[i] = (struct cel_datagram){.buf = (void *)bytes_from(b->sent),
                                       .len = 1 + draw_size(b->s, 1300),
                                       .peer = b->at[1 - from]};
        b->sent += out[i].len;
        does(b->s, "of %zu", out[i].len);
    }
    got(b->s, "%s", told(cel_udp_send_batch(b->box[from], out, count)));
    while (have < count) {
        int n;

        for (size_t i = have; i < count; i++)
            in[i] = (struct cel_datagram){.buf = bufs[i], .len = sizeof bufs[i]};
        n = cel_udp_recv_batch(b->box[1 - from], in + have, count - have); /* parks */
        if (n <= 0) {
            got(b->s, "%s", told(n));
            return;
        }
        have += (size_t)n;
    }
    for (size_t i = 0; i < count; i++)
        got(b->s, "%zu %d", in[i].len, memcmp(bufs[i], out[i].buf, in[i].len));
}

static void *close_box(void *arg)
{
    cel_sleep(CEL_MILLISECOND / 2); /* parks */
    cel_socket_close(arg);
    return NULL;
}

void mail(struct subject *s)
{
    static void (*const steps[])(struct boxes *, int) = {send_some, send_some, receive_in_vain,
                                                         two_wait,  too_long,  batch};
    struct boxes b = {.s = s};
    unsigned count = 2 + (unsigned)draw(s, 9);
    struct taker last;

    does(s, "%u steps", count);
    for (int i = 0; i < 2; i++) {
        got(s, "%s", told(cel_udp_open(&b.box[i], "127.0.0.1:0")));
        got(s, "%s", told(cel_address_parse(cel_socket_address(b.box[i]), &b.at[i])));
    }
    for (unsigned i = 0; i < count; i++)
        steps[draw(s, sizeof steps / sizeof *steps)](&b, (int)draw(s, 2)); /* parks */
    last = (struct taker){b.box[1], 0};
    CEL_SCOPE (both)
        if (cel_go(close_box, b.box[1]) == 0)
            take(&last);
    got(s, "%s", told(last.result));
    cel_socket_close(b.box[0]);
}

/* ---- doors ---- */

struct house {
    struct subject *s;
    struct cel_listener *door;
    char address[100];
};

struct visitor {
    const char *address;
    char name; /* what it says */
    int result;
};

static void *visit(void *arg)
{
    struct visitor *v = arg;
    struct cel_stream *s;
    char answer;

    v->result = cel_connect(&s, v->address, NULL); /* parks */
    if (v->result < 0)
        return NULL;
    if (cel_write(s, &v->name, 1) != 1 || cel_read(s, &answer, 1) != 1 || answer != v->name + 1)
        v->result = -CEL_EPROTOCOL;
    cel_close(s);
    return NULL;
}

/* (parks) -> what the visitor said, or a failure. */
static int let_in(struct cel_listener *door)
{
    struct cel_stream *s;
    char name = 0;
    int r = cel_accept(door, &s); /* parks */

    if (r < 0)
        return r;
    if (cel_read(s, &name, 1) == 1) { /* parks */
        name++;
        (void)!cel_write(s, &name, 1); /* parks */
    }
    cel_close(s);
    return name - 1;
}

static void many_come(struct house *h)
{
    unsigned count = 1 + (unsigned)draw(h->s, 8);
    struct visitor visitors[8];
    int sum = 0, r = 0;

    does(h->s, "%u visitors", count);
    CEL_SCOPE (all) {
        for (unsigned i = 0; i < count; i++) {
            visitors[i] = (struct visitor){h->address, (char)('a' + i), 0};
            if (cel_go(visit, &visitors[i]) < 0)
                got(h->s, "no task");
        }
        for (unsigned i = 0; i < count && r >= 0; i++) {
            r = let_in(h->door); /* parks */
            sum += r;
        }
    }
    got(h->s, "%s %d", told(r < 0 ? r : 0), sum);
    for (unsigned i = 0; i < count; i++)
        got(h->s, "%s", told(visitors[i].result));
}

static void nobody_comes(struct house *h)
{
    int r = 0;

    does(h->s, "nobody");
    CEL_SCOPE (patience, .timeout = (1 + (int64_t)draw(h->s, 3)) * CEL_MILLISECOND)
        r = let_in(h->door); /* parks */
    got(h->s, "%s", told(r));
}

/* The visit is called off before it began, while it begins, or when it is over. */
static void called_off(struct house *h)
{
    struct visitor v = {h->address, 'q', 7};
    struct cel_task *task;
    bool is_early = draw(h->s, 2);

    does(h->s, "called off%s", is_early ? " at once" : "");
    task = cel_spawn(visit, &v);
    if (!is_early) {
        got(h->s, "%c", (char)let_in(h->door));
        while (!cel_is_done(task))
            cel_sleep(CEL_MILLISECOND / 4); /* parks */
    }
    cel_task_cancel(task);
    got(h->s, "%s", told(cel_join(task, NULL)));
    got(h->s, "%s", told(v.result));
}

static void wrong_addresses(struct house *h)
{
    static const char *const wrong[] = {
        "",  "127.0.0.1",       "127.0.0.1:x", "unix:/no/such", "[::1:80",
        ":", "127.0.0.1:99999", "unix:@none",  "300.1.1.1:7x"};
    const char *address = wrong[draw(h->s, sizeof wrong / sizeof *wrong)];
    struct cel_stream *s;

    does(h->s, "to '%s'", address);
    got(h->s, "%s", told(cel_connect(&s, address, NULL)));
}

static void taken(struct house *h)
{
    struct cel_listener *second;

    does(h->s, "the same address");
    got(h->s, "%s", told(cel_listen(&second, h->address, NULL)));
}

static void refused(struct house *h)
{
    struct visitor v = {h->address, 'r', 0};

    cel_listener_close(h->door);
    h->door = NULL;
    does(h->s, "a door that is shut");
    visit(&v); /* parks */
    got(h->s, "%s", told(v.result));
    got(h->s, "again %s", told(cel_listen(&h->door, h->address, NULL)));
}

static void *shut(void *arg)
{
    struct house *h = arg;

    cel_sleep(CEL_MILLISECOND / 2); /* parks */
    cel_listener_close(h->door);
    h->door = NULL;
    return NULL;
}

void visit_doors(struct subject *s)
{
    static void (*const steps[])(struct house *) = {
        many_come, many_come, nobody_comes, called_off, taken, refused, wrong_addresses};
    struct house h = {.s = s};
    bool is_unix = draw(s, 2);
    unsigned count = 2 + (unsigned)draw(s, 9);
    int r;

    snprintf(h.address, sizeof h.address, "unix:@door-%d-%lu-%u", (int)getpid(), s->seed,
             s->number);
    does(s, "%s, %u steps", is_unix ? "unix" : "tcp", count);
    r = cel_listen(&h.door, is_unix ? h.address : "127.0.0.1:0", NULL);
    got(s, "%s", told(r));
    if (r == 0)
        snprintf(h.address, sizeof h.address, "%s", cel_listener_address(h.door));
    for (unsigned i = 0; i < count && h.door != NULL; i++)
        steps[draw(s, sizeof steps / sizeof *steps)](&h); /* parks */
    if (h.door == NULL)
        return;
    does(s, "shut under who waits");
    CEL_SCOPE (both)
        if (cel_go(shut, &h) == 0)
            got(s, "%s", told(let_in(h.door)));
}
