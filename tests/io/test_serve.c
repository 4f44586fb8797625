/* SPDX-License-Identifier: MIT */
/* A listener that serves, and a writer that writes behind. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "celadon/writer.h"
#include "io/pairs.h"
#include "support/fault.h"

struct site {
    struct cel_listener *door;
    struct cel_task *task;
    unsigned most, cancelled;
};

static void echo(struct cel_stream *s, void *arg)
{
    struct site *site = arg;
    char buf[64];
    ssize_t n;

    if (cel_listener_connections(site->door) > site->most)
        site->most = cel_listener_connections(site->door);
    while ((n = cel_read(s, buf, sizeof buf)) > 0)
        assert_int_equal(cel_write(s, buf, (size_t)n), n);
    site->cancelled += n == -ECANCELED;
}

static unsigned limit;

static void *serve(void *arg)
{
    struct site *site = arg;

    return (void *)(intptr_t)cel_listener_serve(site->door, echo, site, limit);
}

static void open_site(struct site *site, unsigned connections_max)
{
    *site = (struct site){0};
    limit = connections_max;
    assert_int_equal(cel_listen(&site->door, "127.0.0.1:0", NULL), 0);
    site->task = cel_spawn(serve, site);
}

static int plain_listener(const char *address)
{
    struct sockaddr_storage at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(cel_address_parse(address, &at), 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static int close_site(struct site *site)
{
    void *r;

    assert_int_equal(cel_join(site->task, &r), 0);
    assert_int_equal(cel_listener_connections(site->door), 0);
    cel_listener_close(site->door);
    return (int)(intptr_t)r;
}

static struct cel_stream *visit(struct site *site)
{
    struct cel_stream *s;

    assert_int_equal(cel_connect(&s, cel_listener_address(site->door), NULL), 0);
    return s;
}

static void talk(struct cel_stream *s)
{
    char buf[4];

    assert_int_equal(cel_write(s, "ping", 4), 4);
    assert_int_equal(cel_read_exactly(s, buf, 4), 4);
}

IN_TASK(serve_serves_many_and_stops_in_order)
{
    struct cel_stream *s[5], *late;
    struct site site;
    char c;
    int r;

    open_site(&site, 0);
    for (int i = 0; i < 5; i++)
        s[i] = visit(&site);
    for (int i = 0; i < 5; i++)
        talk(s[i]);
    assert_int_equal(cel_listener_connections(site.door), 5);
    cel_listener_stop(site.door, CEL_FOREVER);
    while ((r = cel_connect(&late, cel_listener_address(site.door), NULL)) == 0)
        cel_close(late);
    assert_int_equal(r, -ECONNREFUSED);
    assert_int_equal(cel_accept(site.door, &late), -CEL_ECLOSED);
    talk(s[0]); /* those that are there go on */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(cel_shutdown(s[i]), 0);
        assert_int_equal(cel_read(s[i], &c, 1), 0);
        cel_close(s[i]);
    }
    assert_int_equal(close_site(&site), 0);
    assert_int_equal(site.cancelled, 0);
    assert_int_equal(site.most, 5);
}

IN_TASK(serve_holds_its_limit)
{
    struct cel_stream *s[4];
    struct site site;

    open_site(&site, 2);
    for (int i = 0; i < 4; i++)
        s[i] = visit(&site); /* the kernel's queue has them */
    talk(s[0]);
    talk(s[1]);
    assert_int_equal(cel_listener_connections(site.door), 2);
    for (int i = 0; i < 2; i++)
        cel_close(s[i]);
    talk(s[2]);
    talk(s[3]);
    assert_int_equal(site.most, 2);
    cel_close(s[2]);
    cel_close(s[3]);
    cel_listener_stop(site.door, CEL_FOREVER);
    assert_int_equal(close_site(&site), 0);
}

IN_TASK(serve_cancels_what_outlasts_the_grace)
{
    struct site site;
    struct cel_stream *s;
    char c;

    open_site(&site, 0);
    s = visit(&site);
    talk(s);
    cel_listener_stop(site.door, CEL_FOREVER);
    cel_listener_stop(site.door, CEL_MILLISECOND);
    assert_int_equal(cel_read(s, &c, 1), 0);
    assert_int_equal(close_site(&site), -ETIMEDOUT);
    assert_int_equal(site.cancelled, 1);
    cel_close(s);
    open_site(&site, 1); /* stopped while it waits for room */
    s = visit(&site);
    talk(s);
    cel_listener_stop(site.door, 0);
    assert_int_equal(close_site(&site), -ETIMEDOUT);
    cel_close(s);
    open_site(&site, 0); /* with nobody there */
    assert_int_equal(cel_yield(), 0);
    cel_listener_stop(site.door, 0);
    assert_int_equal(close_site(&site), 0);
}

IN_TASK(serve_that_is_cancelled_ends_its_connections)
{
    struct site site;
    struct cel_stream *s;

    open_site(&site, 0);
    s = visit(&site);
    talk(s);
    cel_task_cancel(site.task);
    assert_int_equal(close_site(&site), -ECANCELED);
    assert_int_equal(site.cancelled, 1);
    cel_close(s);
}

/* ---- writers ---- */

IN_TASK(writer_writes_in_order_what_was_put)
{
    struct joined j = join(PAIR_SOCKETS);
    struct cel_writer *w;
    char buf[64];

    assert_int_equal(cel_writer_new(&w, j.a, 0, 0), 0);
    for (int i = 0; i < 26; i++)
        assert_int_equal(cel_writer_put(w, &"abcdefghijklmnopqrstuvwxyz"[i], 1), 0);
    assert_int_equal(cel_writer_put(w, "", 0), 0);
    assert_int_equal(cel_writer_pending(w), 26);
    assert_int_equal(cel_writer_flush(w), 0);
    assert_int_equal(cel_writer_pending(w), 0);
    assert_int_equal(cel_read(j.b, buf, sizeof buf), 26);
    assert_memory_equal(buf, "abcdefghijklmnopqrstuvwxyz", 26);
    assert_int_equal(cel_writer_put(w, "x", 1), 0);
    assert_int_equal(cel_writer_flush(w), 0);
    assert_int_equal(cel_read(j.b, buf, sizeof buf), 1);
    cel_writer_free(w);
    cel_writer_free(NULL);
    part(j);
}

static void *swallow(void *arg)
{
    static char buf[65536];
    size_t total = 0;
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        total += (size_t)n;
    return (void *)total;
}

IN_TASK(writer_takes_nothing_above_its_mark)
{
    enum { BIG = 100000, HIGH = 300000 };
    struct joined j = join(PAIR_SOCKETS);
    char *big = calloc(1, BIG);
    struct cel_writer *w;
    struct cel_task *t;
    size_t put = 0;
    void *got;
    int r;

    assert_int_equal(cel_writer_new(&w, j.a, 10, 5), -EINVAL);
    assert_int_equal(cel_writer_new(&w, j.a, 1000, HIGH), 0);
    while ((r = cel_writer_put(w, big, BIG)) == 0) {
        put += BIG;
        assert_int_equal(cel_yield(), 0);
        assert_true(cel_writer_pending(w) <= HIGH + BIG);
    }
    assert_int_equal(r, -EAGAIN);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal(cel_writer_drain(w), -ETIMEDOUT);
    t = cel_spawn(swallow, j.b);
    assert_int_equal(cel_writer_drain(w), 0);
    assert_true(cel_writer_pending(w) <= 1000);
    assert_int_equal(cel_writer_put(w, big, BIG), 0);
    assert_int_equal(cel_writer_flush(w), 0);
    assert_int_equal(cel_shutdown(j.a), 0);
    assert_int_equal(cel_join(t, &got), 0);
    assert_int_equal((size_t)got, put + BIG);
    cel_writer_free(w);
    free(big);
    part(j);
}

IN_TASK(writer_keeps_its_error)
{
    struct joined j = join(PAIR_SOCKETS);
    struct cel_writer *w;

    assert_int_equal(cel_writer_new(&w, j.a, 0, 0), 0);
    cel_close(j.b);
    assert_int_equal(cel_writer_put(w, "x", 1), 0);
    assert_int_equal(cel_writer_flush(w), -EPIPE);
    assert_int_equal(cel_writer_put(w, "x", 1), -EPIPE);
    assert_int_equal(cel_writer_drain(w), -EPIPE);
    cel_writer_free(w);
    cel_close(j.a);
}

IN_TASK(writer_freed_while_it_writes_lets_go)
{
    enum { BIG = 4 << 20 };
    struct joined j = join(PAIR_SOCKETS);
    char *big = calloc(1, BIG);
    struct cel_writer *w;

    CEL_SCOPE (s) {
        assert_int_equal(cel_writer_new(&w, j.a, 0, 0), 0);
        assert_int_equal(cel_writer_put(w, big, BIG), 0);
        assert_int_equal(cel_yield(), 0);
        assert_true(cel_writer_pending(w) > 0);
        cel_writer_free(w);
        cel_close(j.a);
    }
    free(big);
    cel_close(j.b);
}

struct chat {
    struct cel_writer *to;
    struct cel_stream *stream;
    char *text;
    size_t len;
    int result;
};

static void *says(void *arg)
{
    struct chat *chat = arg;

    chat->result = cel_writer_put(chat->to, chat->text, chat->len);
    return NULL;
}

/* Who puts may leave, or be told to, while what it put is still being written. */
IN_TASK(writer_outlives_who_put_into_it)
{
    enum { BIG = 4 << 20 };
    struct joined j = join(PAIR_SOCKETS);
    struct chat chat = {.text = calloc(1, BIG), .len = BIG, .result = 1};
    struct cel_task *t;
    void *got;

    assert_int_equal(cel_writer_new(&chat.to, j.a, 0, 0), 0);
    CEL_SCOPE (guest) {
        t = cel_spawn(says, &chat);
        assert_int_equal(cel_join(t, NULL), 0);
        cel_scope_cancel(&guest);
    } /* left although nobody has read */
    assert_int_equal(chat.result, 0);
    assert_true(cel_writer_pending(chat.to) > 0);
    t = cel_spawn(swallow, j.b);
    assert_int_equal(cel_writer_flush(chat.to), 0);
    assert_int_equal(cel_shutdown(j.a), 0);
    assert_int_equal(cel_join(t, &got), 0);
    assert_int_equal((size_t)got, BIG);
    cel_writer_free(chat.to);
    free(chat.text);
    part(j);
}

static void put_from_callback(void *arg)
{
    (void)says(arg);
}

IN_TASK(writer_takes_from_callbacks_too)
{
    struct joined j = join(PAIR_SOCKETS);
    struct chat chat = {.text = "x", .len = 1, .result = 1};
    struct cel_future *now = cel_future_new();
    char c;

    assert_int_equal(cel_writer_new(&chat.to, j.a, 0, 0), 0);
    assert_int_equal(cel_on_done(now, put_from_callback, &chat), 0);
    assert_int_equal(cel_future_set(now, NULL), 0);
    assert_int_equal(cel_read(j.b, &c, 1), 1);
    assert_int_equal(chat.result, 0);
    assert_int_equal(cel_writer_flush(chat.to), 0);
    cel_future_free(now);
    cel_writer_free(chat.to);
    part(j);
}

struct shop {
    struct cel_listener *door;
    int served;
};

/* One request after the other, until there is to be no next one. */
static void serve_in_turn(struct cel_stream *s, void *arg)
{
    struct shop *shop = arg;
    char c;

    while (cel_listener_is_serving(shop->door) && cel_read(s, &c, 1) == 1) {
        shop->served++;
        if (c == '!')
            cel_listener_stop(shop->door, CEL_FOREVER);
        assert_int_equal(cel_write(s, &c, 1), 1);
    }
}

static void *open_shop(void *arg)
{
    struct shop *shop = arg;

    return (void *)(intptr_t)cel_listener_serve(shop->door, serve_in_turn, shop, 0);
}

IN_TASK(handler_learns_that_it_is_the_last_request)
{
    struct shop shop = {0};
    struct cel_stream *s;
    struct cel_task *t;
    void *result;
    char buf[2];

    assert_int_equal(cel_listen(&shop.door, "127.0.0.1:0", NULL), 0);
    assert_false(cel_listener_is_serving(shop.door));
    t = cel_spawn(open_shop, &shop);
    assert_int_equal(cel_connect(&s, cel_listener_address(shop.door), NULL), 0);
    assert_int_equal(cel_write(s, "a!b", 3), 3);
    assert_int_equal(cel_read_exactly(s, buf, 2), 2);
    assert_int_equal(cel_join(t, &result), 0); /* although the client has closed nothing */
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(shop.served, 2);
    assert_false(cel_listener_is_serving(shop.door));
    cel_close(s);
    cel_listener_close(shop.door);
}

/* ---- failures ---- */

static void *serve_and_write(void *arg)
{
    struct site site = {0};
    struct cel_stream *s;
    struct cel_writer *w;
    int *code = arg;
    char buf[4];

    *code = cel_listen(&site.door, "127.0.0.1:0", NULL);
    if (*code < 0)
        return NULL;
    limit = 1;
    CEL_SCOPE (scope, .timeout = CEL_SECOND / 4) {
        *code = -ENOMEM;
        if (cel_go(serve, &site) == 0)
            *code = cel_connect(&s, cel_listener_address(site.door), NULL);
        if (*code == 0) {
            *code = cel_writer_new(&w, s, 0, 0);
            if (*code == 0) {
                *code = cel_writer_put(w, "ping", 4);
                if (*code == 0)
                    *code = cel_writer_flush(w);
                if (*code == 0)
                    *code = (int)cel_read_exactly(s, buf, 4);
                cel_writer_free(w);
            }
            cel_close(s);
        }
        cel_listener_stop(site.door, CEL_FOREVER);
    }
    cel_listener_close(site.door);
    return NULL;
}

static int serve_once(void *arg)
{
    int code = -EIO, r = cel_run(serve_and_write, &code, NULL);

    return r < 0 ? r : code;
}

static void serving_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(serve_once, NULL) > 8);
}

/* As two processes do it that hand a door over: whoever comes while it changes hands is let in. */
IN_TASK(listener_on_a_copy_takes_in_who_waits_at_the_door)
{
    struct cel_listener *first, *second;
    struct cel_stream *client, *waiting, *peer;
    char name[16], address[64];
    int door;

    if (strcmp(cel_loop_backend(cel_loop_current()), "sim") == 0)
        return; /* a descriptor that came from outside is the kernel's */
    assert_int_equal(cel_listen(&first, "127.0.0.1:0", NULL), 0);
    snprintf(address, sizeof address, "%s", cel_listener_address(first));
    cel_listener_close(first);
    door = plain_listener(address);
    snprintf(name, sizeof name, "fd:%d", door);
    assert_int_equal(cel_listen(&first, name, NULL), 0);
    assert_string_equal(cel_listener_address(first), address);
    assert_int_equal(cel_connect(&client, address, NULL), 0);
    assert_int_equal(cel_accept(first, &peer), 0);
    cel_close(peer);
    assert_int_equal(cel_connect(&waiting, address, NULL), 0);
    cel_listener_close(first);
    assert_int_equal(cel_listen(&second, name, NULL), 0);
    assert_int_equal(cel_accept(second, &peer), 0);
    assert_int_equal(cel_write(peer, "here", 4), 4);
    assert_int_equal(cel_read_exactly(waiting, name, 4), 4);
    cel_close(peer);
    cel_close(client);
    cel_close(waiting);
    cel_listener_close(second);
    assert_int_equal(close(door), 0); /* it stayed ours */
}

/* Each waits before it is closed, so that epoll knows its number. */
IN_KERNEL(listeners_on_copies_of_one_door_come_and_go)
{
    int door = plain_listener("127.0.0.1:0");
    struct cel_listener *l;
    struct cel_stream *client, *peer;
    char name[16];

    snprintf(name, sizeof name, "fd:%d", door);
    for (int i = 0; i < 3; i++) {
        int r = 0;

        assert_int_equal(cel_listen(&l, name, NULL), 0);
        CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
            r = cel_accept(l, &peer);
        assert_int_equal(r, -ETIMEDOUT);
        assert_int_equal(cel_connect(&client, cel_listener_address(l), NULL), 0);
        assert_int_equal(cel_accept(l, &peer), 0);
        cel_close(peer);
        cel_close(client);
        cel_listener_close(l);
    }
    assert_int_equal(close(door), 0);
}

IN_TASK(listener_on_what_does_not_listen_is_refused)
{
    struct cel_listener *l = NULL;
    char name[16];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strcmp(cel_loop_backend(cel_loop_current()), "sim") == 0)
        return; /* a descriptor that came from outside is the kernel's */
    snprintf(name, sizeof name, "fd:%d", fd);
    assert_int_equal(cel_listen(&l, name, NULL), -EINVAL);
    close(fd);
    assert_int_equal(cel_listen(&l, name, NULL), -EBADF);
    assert_int_equal(cel_listen(&l, "fd:", NULL), -EINVAL);
    assert_int_equal(cel_listen(&l, "fd:-1", NULL), -EINVAL);
    assert_int_equal(cel_listen(&l, "fd:99999999999", NULL), -EINVAL);
    assert_null(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serve_serves_many_and_stops_in_order),
        cmocka_unit_test(serve_holds_its_limit),
        cmocka_unit_test(serve_cancels_what_outlasts_the_grace),
        cmocka_unit_test(serve_that_is_cancelled_ends_its_connections),
        cmocka_unit_test(writer_writes_in_order_what_was_put),
        cmocka_unit_test(writer_takes_nothing_above_its_mark),
        cmocka_unit_test(writer_keeps_its_error),
        cmocka_unit_test(writer_freed_while_it_writes_lets_go),
        cmocka_unit_test(writer_outlives_who_put_into_it),
        cmocka_unit_test(writer_takes_from_callbacks_too),
        cmocka_unit_test(handler_learns_that_it_is_the_last_request),
        cmocka_unit_test(serving_survives_each_failed_allocation),
        cmocka_unit_test(listener_on_a_copy_takes_in_who_waits_at_the_door),
        cmocka_unit_test(listeners_on_copies_of_one_door_come_and_go),
        cmocka_unit_test(listener_on_what_does_not_listen_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
