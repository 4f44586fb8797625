/* SPDX-License-Identifier: MIT */
/* Datagrams over Unix sockets. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "celadon/udp.h"
#include "celadon/unix.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

enum { MANY = 500 };

static char folder[] = "/tmp/celadon-dgram-XXXXXX", path[64], address[80];

static int make_folder(void **state)
{
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
    return 0;
}

static int remove_folder(void **state)
{
    return rmdir(folder);
}

static struct cel_socket *open_at(const char *at)
{
    struct cel_socket *s;

    assert_int_equal(cel_unix_open(&s, at), 0);
    return s;
}

static struct sockaddr_storage address_of(const struct cel_socket *s)
{
    struct sockaddr_storage at;

    assert_int_equal(cel_address_parse(cel_socket_address(s), &at), 0);
    return at;
}

IN_KERNEL(datagram_goes_to_a_path_and_is_answered)
{
    struct cel_socket *server = open_at(address), *client = open_at(NULL);
    struct sockaddr_storage to = address_of(server), from;
    char buf[16], text[136];

    assert_string_equal(cel_socket_address(server), address);
    assert_int_equal(cel_send_to(client, "hello", 5, &to), 5);
    assert_int_equal(cel_recv_from(server, buf, sizeof buf, &from), 5);
    assert_string_equal(cel_address_format(&from, text, sizeof text), cel_socket_address(client));
    assert_int_equal(cel_send_to(server, "back", 4, &from), 4);
    assert_int_equal(cel_recv_from(client, buf, 2, NULL), -EMSGSIZE);
    assert_int_equal(cel_udp_connect(client, &to), 0);
    assert_int_equal(cel_send_to(client, "", 0, NULL), 0);
    assert_int_equal(cel_recv_from(server, buf, sizeof buf, NULL), 0);
    cel_socket_close(server);
    assert_int_equal(access(path, F_OK), -1); /* it went with its socket */
    assert_int_equal(cel_send_to(client, "x", 1, NULL), -ECONNREFUSED);
    cel_socket_close(client);
}

IN_KERNEL(abstract_name_needs_no_file)
{
    char name[64];
    struct cel_socket *server, *client = open_at(NULL), *second = NULL;
    struct sockaddr_storage to;
    char c;

    snprintf(name, sizeof name, "unix:@celadon-%d", (int)getpid());
    server = open_at(name);
    to = address_of(server);
    assert_int_equal(cel_send_to(client, "x", 1, &to), 1);
    assert_int_equal(cel_recv_from(server, &c, 1, NULL), 1);
    assert_int_equal(cel_unix_open(&second, name), -EADDRINUSE);
    cel_socket_close(server);
    cel_socket_close(client);
}

IN_KERNEL(stale_file_is_replaced_and_others_are_not)
{
    struct cel_socket *first, *second = NULL;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(at.sun_path, path, sizeof path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd); /* as a killed process leaves it */
    first = open_at(address);
    assert_int_equal(cel_unix_open(&second, address), -EADDRINUSE);
    cel_socket_close(first);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(cel_unix_open(&second, address), -EADDRINUSE);
    close(fd);
    unlink(path);
    assert_int_equal(cel_unix_open(&second, "127.0.0.1:0"), -EINVAL);
    assert_int_equal(cel_unix_open(&second, "unix:/no/such/folder/socket"), -ENOENT);
}

static void *send_many(void *arg)
{
    struct cel_socket *to = arg, *from = open_at(NULL);
    struct sockaddr_storage at = address_of(to);

    for (int i = 0; i < MANY; i++) /* more than a queue holds */
        assert_int_equal(cel_send_to(from, &i, sizeof i, &at), sizeof i);
    cel_socket_close(from);
    return NULL;
}

IN_KERNEL(sender_waits_for_room_and_nothing_is_lost)
{
    struct cel_socket *s = open_at(NULL);
    int got = -1;

    CEL_SCOPE (all) {
        assert_int_equal(cel_go(send_many, s), 0);
        assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
        for (int i = 0; i < MANY; i++) {
            assert_int_equal(cel_recv_from(s, &got, sizeof got, NULL), sizeof got);
            assert_int_equal(got, i);
        }
    }
    cel_socket_close(s);
}

IN_KERNEL(sender_that_waits_can_be_called_back)
{
    struct cel_socket *s = open_at(NULL), *from = open_at(NULL);
    struct sockaddr_storage at = address_of(s);
    ssize_t n = 1;

    CEL_SCOPE (late, .timeout = 5 * CEL_MILLISECOND)
        while (n == 1)
            n = cel_send_to(from, "x", 1, &at);
    assert_int_equal(n, -ETIMEDOUT);
    cel_socket_close(s);
    cel_socket_close(from);
}

/* There is none in a simulated machine, and it says so. */
IN_TASK(simulated_machine_refuses)
{
    struct cel_socket *s = NULL;

    if (!is_simulated())
        return;
    assert_int_equal(cel_unix_open(&s, NULL), -EAFNOSUPPORT);
}

static void *live(void *arg)
{
    struct cel_socket *s;
    struct sockaddr_storage at;
    ssize_t n = cel_unix_open(&s, address);

    if (n >= 0) {
        at = address_of(s);
        n = cel_send_to(s, "x", 1, &at);
        cel_socket_close(s);
    }
    *(int *)arg = n < 0 ? (int)n : 0;
    return NULL;
}

static int live_once(void *arg)
{
    int code = -EIO, r = cel_run(live, &code, NULL);

    assert_int_equal(access(path, F_OK), -1);
    return r < 0 ? r : code;
}

static void socket_survives_each_failed_allocation(void **state)
{
    if (is_simulated())
        skip();
    assert_true(fault_every_alloc(live_once, NULL) > 2);
}

static void socket_survives_each_failed_call(void **state)
{
    const struct sysfault_plan plan = {.calls = SYSFAULT_BIT(socket) | SYSFAULT_BIT(bind) |
                                                SYSFAULT_BIT(sendmsg)};

    if (is_simulated())
        skip();
    assert_true(fault_every_syscall(&plan, live_once, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram_goes_to_a_path_and_is_answered),
        cmocka_unit_test(abstract_name_needs_no_file),
        cmocka_unit_test(stale_file_is_replaced_and_others_are_not),
        cmocka_unit_test(sender_waits_for_room_and_nothing_is_lost),
        cmocka_unit_test(sender_that_waits_can_be_called_back),
        cmocka_unit_test(simulated_machine_refuses),
        cmocka_unit_test(socket_survives_each_failed_allocation),
        cmocka_unit_test(socket_survives_each_failed_call),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
