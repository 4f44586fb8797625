/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "celadon/udp.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

enum { ROOM = 65536, MANY = 40 };

static char rooms[MANY][2048], big[ROOM], out[ROOM];

static struct cel_socket *open_socket(const char *address)
{
    struct cel_socket *s;

    assert_int_equal(cel_udp_open(&s, address), 0);
    return s;
}

static struct sockaddr_storage address_of(const struct cel_socket *s)
{
    struct sockaddr_storage at;

    assert_int_equal(cel_address_parse(cel_socket_address(s), &at), 0);
    return at;
}

static void make_room(struct cel_datagram *d, size_t count)
{
    for (size_t i = 0; i < count; i++)
        d[i] = (struct cel_datagram){.buf = rooms[i], .len = sizeof rooms[i]};
}

IN_TASK(batch_keeps_order_borders_and_senders)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("127.0.0.1:0");
    struct cel_datagram d[MANY];
    struct sockaddr_storage to = address_of(b);
    int got = 0;
    char text[64];

    for (int i = 0; i < MANY; i++)
        d[i] = (struct cel_datagram){.buf = &"0123456789"[i % 10], .len = 1, .peer = to};
    d[7].len = 0;
    assert_int_equal(cel_udp_send_batch(a, d, MANY), MANY);
    assert_int_equal(cel_udp_send_batch(a, d, 0), 0);
    while (got < MANY) {
        int n;

        make_room(d, MANY);
        n = cel_udp_recv_batch(b, d, MANY);
        assert_true(n > 0);
        for (int i = 0; i < n; i++, got++) {
            assert_int_equal(d[i].len, got == 7 ? 0 : 1);
            if (got != 7)
                assert_int_equal(rooms[i][0], '0' + got % 10);
            assert_false(d[i].is_truncated);
            assert_int_equal(d[i].segment, 0);
            assert_string_equal(cel_address_format(&d[i].peer, text, sizeof text),
                                cel_socket_address(a));
        }
    }
    cel_socket_close(a);
    cel_socket_close(b);
}

IN_TASK(batch_tells_what_was_cut_off)
{
    struct cel_socket *a = open_socket(NULL), *b = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(b);
    struct cel_datagram d[2];

    assert_int_equal(cel_send_to(a, "far too long", 12, &to), 12);
    assert_int_equal(cel_send_to(a, "ok", 2, &to), 2);
    make_room(d, 2);
    d[0].len = 3;
    assert_int_equal(cel_udp_recv_batch(b, d, 2), 2);
    assert_true(d[0].is_truncated);
    assert_int_equal(d[0].len, 3);
    assert_false(d[1].is_truncated);
    cel_socket_close(a);
    cel_socket_close(b);
}

static void *receive(void *arg)
{
    struct cel_datagram d[2];

    make_room(d, 2);
    return (void *)(intptr_t)cel_udp_recv_batch(arg, d, 2);
}

IN_TASK(batch_wakes_times_out_and_ends_with_the_socket)
{
    struct cel_socket *a = open_socket(NULL), *b = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(b);
    struct cel_task *t = cel_spawn(receive, b);
    void *n;

    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_send_to(a, "x", 1, &to), 1);
    assert_int_equal(cel_join(t, &n), 0);
    assert_int_equal((intptr_t)n, 1);
    CEL_SCOPE (s, .timeout = CEL_MILLISECOND)
        assert_int_equal((intptr_t)receive(b), -ETIMEDOUT);
    t = cel_spawn(receive, b);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    cel_socket_close(b);
    assert_int_equal(cel_join(t, &n), 0);
    assert_int_equal((intptr_t)n, -CEL_ECLOSED);
    cel_socket_close(a);
}

static void check_segments(struct cel_socket *a, struct cel_socket *b)
{
    struct sockaddr_storage to = address_of(b);
    struct cel_datagram d = {.buf = out, .len = 60000, .segment = 1000, .peer = to}, in[MANY];
    size_t got = 0;
    int count = 0;

    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (char)(i * 7 + (i >> 8));
    assert_int_equal(cel_udp_send_batch(a, &d, 1), 1);
    while (got < 60000) {
        int n;

        make_room(in, MANY);
        n = cel_udp_recv_batch(b, in, MANY);
        assert_true(n > 0);
        for (int i = 0; i < n; i++, count++) {
            assert_int_equal(in[i].len, 1000);
            assert_memory_equal(in[i].buf, out + got, 1000);
            got += in[i].len;
        }
    }
    assert_int_equal(count, 60);
}

IN_TASK(segments_arrive_as_datagrams_of_their_own)
{
    struct cel_socket *a = open_socket(NULL), *b = open_socket("127.0.0.1:0");
    struct cel_datagram d = {.buf = out, .len = 10, .segment = 70000};

    check_segments(a, b);
    assert_int_equal(cel_udp_send_batch(a, &d, 1), -EINVAL);
    cel_socket_close(a);
    cel_socket_close(b);
}

IN_TASK(joined_datagrams_tell_their_segment)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(b);
    struct cel_datagram d = {.buf = out, .len = 5500, .segment = 1000, .peer = to};
    size_t got = 0;

    if (cel_udp_has_gso(a) && cel_udp_set_gro(b, true) == 0) {
        assert_int_equal(cel_udp_send_batch(a, &d, 1), 1);
        while (got < 5500) {
            struct cel_datagram in = {.buf = big, .len = sizeof big};

            assert_int_equal(cel_udp_recv_batch(b, &in, 1), 1);
            assert_memory_equal(in.buf, out + got, in.len);
            if (in.len > 1000)
                assert_int_equal(in.segment, 1000);
            got += in.len;
        }
    }
    cel_socket_close(a);
    cel_socket_close(b);
}

IN_TASK(connected_socket_sends_without_address_and_hears_of_refusal)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(b), from;
    struct cel_datagram d = {.buf = "batch", .len = 5};
    char buf[8];

    assert_int_equal(cel_send_to(a, "x", 1, NULL), -EDESTADDRREQ);
    assert_int_equal(cel_udp_connect(a, &to), 0);
    assert_int_equal(cel_send_to(a, "one", 3, NULL), 3);
    assert_int_equal(cel_udp_send_batch(a, &d, 1), 1);
    assert_int_equal(cel_recv_from(b, buf, sizeof buf, &from), 3);
    assert_int_equal(cel_recv_from(b, buf, sizeof buf, &from), 5);
    cel_socket_close(b);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0); /* the number is free */
    assert_int_equal(cel_send_to(a, "two", 3, NULL), 3);
    assert_int_equal(cel_recv_from(a, buf, sizeof buf, NULL), -ECONNREFUSED);
    assert_int_equal(cel_udp_connect(a, NULL), 0);
    assert_int_equal(cel_send_to(a, "x", 1, NULL), -EDESTADDRREQ);
    cel_socket_close(a);
}

IN_TASK(connected_socket_takes_nothing_of_strangers)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("127.0.0.1:0");
    struct cel_socket *stranger = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(a), peer = address_of(b), from;
    char buf[8];

    assert_int_equal(cel_udp_connect(a, &peer), 0);
    assert_int_equal(cel_send_to(stranger, "lie", 3, &to), 3);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_send_to(b, "true", 4, &to), 4);
    assert_int_equal(cel_recv_from(a, buf, sizeof buf, &from), 4);
    assert_memory_equal(buf, "true", 4);
    cel_socket_close(a);
    cel_socket_close(b);
    cel_socket_close(stranger);
}

IN_KERNEL(errors_name_the_address_when_asked_for)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("127.0.0.1:0");
    struct sockaddr_storage to = address_of(b), peer;
    char buf[8], text[64], expected[64];
    int code;

    snprintf(expected, sizeof expected, "%s", cel_socket_address(b));
    cel_socket_close(b);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    assert_int_equal(cel_udp_set_errors(a, true), 0);
    assert_int_equal(cel_udp_next_error(a, &code, &peer), 0);
    assert_int_equal(cel_send_to(a, "x", 1, &to), 1);
    assert_int_equal(cel_recv_from(a, buf, sizeof buf, NULL), -ECONNREFUSED);
    assert_int_equal(cel_udp_next_error(a, &code, &peer), 1);
    assert_int_equal(code, -ECONNREFUSED);
    assert_string_equal(cel_address_format(&peer, text, sizeof text), expected);
    assert_int_equal(cel_udp_next_error(a, &code, &peer), 0);
    cel_socket_close(a);
}

static void check_info(const char *address)
{
    struct cel_socket *a = open_socket(NULL), *b = open_socket(address);
    struct sockaddr_storage bound = address_of(b), to;
    struct cel_datagram in = {.buf = big, .len = 100}, reply;
    char text[64];

    assert_int_equal(cel_udp_set_info(b, true), 0);
    assert_int_equal(cel_address_parse("127.0.0.1:1", &to), 0);
    ((struct sockaddr_in *)&to)->sin_port = ((struct sockaddr_in *)&bound)->sin_port;
    assert_int_equal(cel_send_to(a, "x", 1, &to), 1);
    assert_int_equal(cel_udp_recv_batch(b, &in, 1), 1);
    assert_string_equal(cel_address_format(&in.local, text, sizeof text), "127.0.0.1:0");
    assert_int_equal(in.interface, if_nametoindex("lo"));
    reply = (struct cel_datagram){.buf = "y",
                                  .len = 1,
                                  .peer = in.peer,
                                  .local = in.local, /* from there */
                                  .interface = in.interface};
    assert_int_equal(cel_udp_send_batch(b, &reply, 1), 1);
    in.len = 100;
    assert_int_equal(cel_udp_recv_batch(a, &in, 1), 1);
    cel_socket_close(a);
    cel_socket_close(b);
}

IN_TASK(info_tells_where_it_was_sent_to)
{
    check_info("0.0.0.0:0");
    check_info(":0");
}

IN_KERNEL(multicast_reaches_the_members)
{
    struct cel_socket *a = open_socket("127.0.0.1:0"), *b = open_socket("0.0.0.0:0");
    struct sockaddr_storage group, bound = address_of(b), wrong = {.ss_family = AF_UNIX};
    unsigned lo = if_nametoindex("lo");
    char buf[8];

    assert_int_equal(cel_address_parse("239.1.2.3:1", &group), 0);
    ((struct sockaddr_in *)&group)->sin_port = ((struct sockaddr_in *)&bound)->sin_port;
    assert_int_equal(cel_udp_join(b, &wrong, lo), -EINVAL);
    assert_int_equal(cel_udp_join(b, &group, lo), 0);
    assert_int_equal(cel_udp_set_multicast(a, lo, 256, true), -EINVAL);
    assert_int_equal(cel_udp_set_multicast(a, lo, 1, true), 0);
    assert_int_equal(cel_send_to(a, "all", 3, &group), 3);
    assert_int_equal(cel_recv_from(b, buf, sizeof buf, NULL), 3);
    assert_int_equal(cel_udp_leave(b, &group, lo), 0);
    assert_int_equal(cel_udp_leave(b, &group, lo), -EADDRNOTAVAIL);
    assert_int_equal(cel_udp_set_broadcast(a, true), 0);
    cel_socket_close(a);
    cel_socket_close(b);
}

/* Both are members, so each gets it. */
IN_KERNEL(sockets_of_one_address_are_members_of_one_group)
{
    const struct cel_udp_options shared = {.reuse_address = true};
    struct cel_socket *a, *b, *none = NULL, *from = open_socket("127.0.0.1:0");
    struct sockaddr_storage group;
    unsigned lo = if_nametoindex("lo");
    char name[64], buf[8];

    assert_int_equal(cel_udp_open_with(&a, "0.0.0.0:0", &shared), 0);
    group = address_of(a);
    snprintf(name, sizeof name, "239.1.2.4:%d", ntohs(((struct sockaddr_in *)&group)->sin_port));
    assert_int_equal(cel_address_parse(name, &group), 0);
    assert_int_equal(cel_udp_open(&none, cel_socket_address(a)), -EADDRINUSE);
    assert_int_equal(cel_udp_open_with(&b, cel_socket_address(a), &shared), 0);
    assert_int_equal(cel_udp_join(a, &group, lo), 0);
    assert_int_equal(cel_udp_join(b, &group, lo), 0);
    assert_int_equal(cel_udp_set_multicast(from, lo, 1, true), 0);
    assert_int_equal(cel_send_to(from, "all", 3, &group), 3);
    assert_int_equal(cel_recv_from(a, buf, sizeof buf, NULL), 3);
    assert_int_equal(cel_recv_from(b, buf, sizeof buf, NULL), 3);
    cel_socket_close(a);
    cel_socket_close(b);
    cel_socket_close(from);
}

IN_KERNEL(options_are_set_for_both_families)
{
    const struct cel_udp_options only = {.v6_only = true}, port = {.reuse_port = true};
    struct cel_socket *a, *b;
    int value = 0;
    socklen_t len = sizeof value;

    assert_int_equal(cel_udp_open_with(&a, ":0", NULL), 0);
    assert_int_equal(cel_udp_set_hops(a, 7), 0);
    assert_int_equal(cel_udp_set_hops(a, 0), -EINVAL);
    assert_int_equal(cel_udp_set_traffic_class(a, 0x28), 0);
    assert_int_equal(cel_udp_set_traffic_class(a, 256), -EINVAL);
    assert_int_equal(getsockopt(cel_socket_fd(a), IPPROTO_IP, IP_TTL, &value, &len), 0);
    assert_int_equal(value, 7);
    assert_int_equal(getsockopt(cel_socket_fd(a), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, &len),
                     0);
    assert_int_equal(value, 7);
    assert_int_equal(getsockopt(cel_socket_fd(a), IPPROTO_IPV6, IPV6_TCLASS, &value, &len), 0);
    assert_int_equal(value, 0x28);
    cel_socket_close(a);
    assert_int_equal(cel_udp_open_with(&a, "[::]:0", &only), 0);
    assert_int_equal(getsockopt(cel_socket_fd(a), IPPROTO_IPV6, IPV6_V6ONLY, &value, &len), 0);
    assert_int_equal(value, 1);
    cel_socket_close(a);
    assert_int_equal(cel_udp_open_with(&a, "127.0.0.1:0", &port), 0);
    assert_int_equal(cel_udp_open_with(&b, cel_socket_address(a), &port), 0);
    cel_socket_close(a);
    cel_socket_close(b);
}

/* ---- failures ---- */

static void *exchange(void *arg)
{
    struct cel_socket *a = NULL, *b = NULL;
    struct cel_datagram d = {.buf = out, .len = 2000, .segment = 1000}, in[2];
    int *code = arg;

    *code = cel_udp_open(&a, "127.0.0.1:0");
    if (*code == 0)
        *code = cel_udp_open(&b, "127.0.0.1:0");
    if (*code == 0) {
        *code = cel_address_parse(cel_socket_address(b), &d.peer);
        if (*code == 0)
            *code = cel_udp_send_batch(a, &d, 1);
        make_room(in, 2);
        if (*code > 0)
            *code = cel_udp_recv_batch(b, in, 2);
    }
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static int exchange_once(void *arg)
{
    int code = -EIO, r = cel_run(exchange, &code, NULL);

    return r < 0 ? r : code;
}

static void batch_survives_each_failed_allocation(void **state)
{
    assert_true(fault_every_alloc(exchange_once, NULL) > 2);
}

static void batch_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(socket) | SYSFAULT_BIT(bind) |
                                                SYSFAULT_BIT(sendmmsg) | SYSFAULT_BIT(recvmmsg)};

    assert_true(fault_every_syscall(&plan, exchange_once, NULL) >= 6);
}

/* A device that cannot cut, and a kernel that cannot. */
static void *send_cut_by_hand(void *arg)
{
    struct cel_socket *a = open_socket(NULL), *b = open_socket("127.0.0.1:0");

    check_segments(a, b);
    assert_false(cel_udp_has_gso(a));
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static void segments_are_cut_by_hand_where_nobody_else_does(void **state)
{
    struct sysfault_plan plan = {.calls = SYSFAULT_BIT(sendmmsg), .error = EIO, .nth = 1};

    sysfault_begin(&plan);
    assert_int_equal(cel_run(send_cut_by_hand, NULL, NULL), 0);
    assert_int_equal(sysfault_hits(), 1);
    plan = (struct sysfault_plan){.calls = SYSFAULT_BIT(getsockopt), .nth = 1};
    plan.times = FAULT_FOREVER;
    sysfault_begin(&plan);
    assert_int_equal(cel_run(send_cut_by_hand, NULL, NULL), 0);
    sysfault_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_keeps_order_borders_and_senders),
        cmocka_unit_test(batch_tells_what_was_cut_off),
        cmocka_unit_test(batch_wakes_times_out_and_ends_with_the_socket),
        cmocka_unit_test(segments_arrive_as_datagrams_of_their_own),
        cmocka_unit_test(joined_datagrams_tell_their_segment),
        cmocka_unit_test(connected_socket_takes_nothing_of_strangers),
        cmocka_unit_test(connected_socket_sends_without_address_and_hears_of_refusal),
        cmocka_unit_test(errors_name_the_address_when_asked_for),
        cmocka_unit_test(info_tells_where_it_was_sent_to),
        cmocka_unit_test(multicast_reaches_the_members),
        cmocka_unit_test(sockets_of_one_address_are_members_of_one_group),
        cmocka_unit_test(options_are_set_for_both_families),
        cmocka_unit_test(batch_survives_each_failed_allocation),
        cmocka_unit_test(batch_survives_each_failed_call),
        cmocka_unit_test(segments_are_cut_by_hand_where_nobody_else_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
