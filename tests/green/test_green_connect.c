/* SPDX-License-Identifier: MIT */
/* connect, accept and names from tasks. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <celadon/green.h>

#include "green/later.h"

static struct sockaddr_in at;
static struct sockaddr_un path;

static int listen_on_loopback(int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof at;

    at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

/* An abstract name of the kernel's choice. */
static int listen_on_unix(int backlog, socklen_t *len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    path = (struct sockaddr_un){.sun_family = AF_UNIX};
    *len = sizeof path;
    assert_int_equal(bind(fd, (struct sockaddr *)&path, sizeof path.sun_family), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&path, len), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void dial(int fd)
{
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void green_is_active_when_linked_first(void **state)
{
    assert_true(cel_green_is_active());
}

IN_TASK(accept_parks_until_somebody_connects)
{
    int listener = listen_on_loopback(8), a = socket(AF_INET, SOCK_STREAM, 0);
    int b = socket(AF_INET, SOCK_STREAM, 0), got = -1;
    struct sockaddr_in from = {0}, own = {0};
    socklen_t len = sizeof from;

    LATER (dial, a)
        got = accept(listener, (struct sockaddr *)&from, &len);
    assert_true(got >= 0);
    assert_int_equal(fcntl(a, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
    len = sizeof own;
    assert_int_equal(getsockname(a, (struct sockaddr *)&own, &len), 0);
    assert_int_equal(from.sin_port, own.sin_port);
    close(got);
    LATER (dial, b)
        got = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_int_equal(fcntl(got, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    close(got);
    close(a);
    close(b);
    close(listener);
}

IN_TASK(accept_tells_errors_and_limits)
{
    struct timeval few = {.tv_usec = 2000};
    int listener = listen_on_loopback(8), datagrams = socket(AF_INET, SOCK_DGRAM, 0);

    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &few, sizeof few);
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(accept(datagrams, NULL, NULL), -1);
    assert_int_equal(errno, EOPNOTSUPP);
    assert_int_equal(accept(-1, NULL, NULL), -1);
    assert_int_equal(errno, EBADF);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    fcntl(listener, F_SETFL, 0);
    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(accept(listener, NULL, NULL), -1);
        assert_int_equal(errno, ECANCELED);
    }
    close(datagrams);
    close(listener);
}

static void *accept_one(void *arg)
{
    int fd = accept((int)(intptr_t)arg, NULL, NULL);

    assert_true(fd >= 0);
    close(fd);
    return NULL;
}

/* Two wake for one guest: the second waits on, in its task and not in its thread. */
IN_TASK(several_may_accept)
{
    int listener = listen_on_loopback(8), a = socket(AF_INET, SOCK_STREAM, 0);
    int b = socket(AF_INET, SOCK_STREAM, 0);

    CEL_SCOPE (s) {
        assert_int_equal(cel_go(accept_one, (void *)(intptr_t)listener), 0);
        assert_int_equal(cel_go(accept_one, (void *)(intptr_t)listener), 0);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        dial(a);
        assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        dial(b);
    }
    close(a);
    close(b);
    close(listener);
}

IN_TASK(connect_tells_refusals)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    close(listen_on_loopback(1));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(fd);
}

static void accept_from(int listener)
{
    close(accept(listener, NULL, NULL));
}

/* A queue that is full lets nobody in: connect has to wait for an accept. */
IN_TASK(connect_parks_while_the_queue_is_full)
{
    socklen_t len;
    int listener = listen_on_unix(0, &len), first = socket(AF_UNIX, SOCK_STREAM, 0);
    int second = socket(AF_UNIX, SOCK_STREAM, 0);
    struct timeval few = {.tv_usec = 5000}, none = {0};

    assert_int_equal(connect(first, (struct sockaddr *)&path, len), 0);
    setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &few, sizeof few);
    assert_int_equal(connect(second, (struct sockaddr *)&path, len), -1);
    assert_int_equal(errno, EAGAIN);
    setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    CEL_SCOPE (late, .timeout = 5 * CEL_MILLISECOND) {
        assert_int_equal(connect(second, (struct sockaddr *)&path, len), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    LATER (accept_from, listener)
        assert_int_equal(connect(second, (struct sockaddr *)&path, len), 0);
    close(first);
    close(second);
    close(listener);
}

/* TCP drops what comes to a full queue, and the connection is under way for seconds. */
IN_TASK(connect_under_way_ends_with_limit_and_scope)
{
    int listener = listen_on_loopback(0), first = socket(AF_INET, SOCK_STREAM, 0);
    int second = socket(AF_INET, SOCK_STREAM, 0), third = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval few = {.tv_usec = 5000};

    dial(first);
    setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &few, sizeof few);
    assert_int_equal(connect(second, (struct sockaddr *)&at, sizeof at), -1);
    assert_int_equal(errno, EINPROGRESS);
    CEL_SCOPE (late, .timeout = 5 * CEL_MILLISECOND) {
        assert_int_equal(connect(third, (struct sockaddr *)&at, sizeof at), -1);
        assert_int_equal(errno, ETIMEDOUT);
    }
    assert_int_equal(fcntl(third, F_GETFL) & O_NONBLOCK, 0);
    close(first);
    close(second);
    close(third);
    close(listener);
}

static void nothing(int fd)
{
}

IN_TASK(getaddrinfo_parks)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int before = parks_seen;

    LATER (nothing, 0) {
        for (int i = 0; parks_seen == before; i++) { /* until others ran beside one of them */
            assert_int_equal(getaddrinfo("localhost", "80", &hints, &list), 0);
            assert_int_equal(list->ai_family, AF_INET);
            assert_int_equal(((struct sockaddr_in *)list->ai_addr)->sin_port, htons(80));
            freeaddrinfo(list);
        }
    }
    assert_int_equal(getaddrinfo("127.0.0.1", NULL, &hints, &list), 0);
    freeaddrinfo(list);
    assert_int_equal(getaddrinfo("localhost", "no such service", &hints, &list), EAI_SERVICE);
}

IN_TASK(cancelled_getaddrinfo_is_abandoned)
{
    struct addrinfo *list = NULL;

    CEL_SCOPE (over) {
        cel_scope_cancel(&over);
        assert_int_equal(getaddrinfo("localhost", NULL, NULL, &list), EAI_SYSTEM);
        assert_int_equal(errno, ECANCELED);
    }
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_is_active_when_linked_first),
        cmocka_unit_test(accept_parks_until_somebody_connects),
        cmocka_unit_test(accept_tells_errors_and_limits),
        cmocka_unit_test(several_may_accept),
        cmocka_unit_test(connect_tells_refusals),
        cmocka_unit_test(connect_parks_while_the_queue_is_full),
        cmocka_unit_test(connect_under_way_ends_with_limit_and_scope),
        cmocka_unit_test(getaddrinfo_parks),
        cmocka_unit_test(cancelled_getaddrinfo_is_abandoned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
