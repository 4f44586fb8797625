/* SPDX-License-Identifier: MIT */
/* Listening, accepting, connecting, and addresses as text. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fake_dns.h"
#include "pairs.h"

static void address_text_round_trips(void **state)
{
    static const char *const texts[] = {
        "127.0.0.1:80",        "0.0.0.0:0",   "[::1]:8080",
        "[2001:db8::7]:65535", "unix:/tmp/x", "unix:@abstract",
    };
    struct sockaddr_storage at;
    char out[136];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(cel_address_parse(texts[i], &at), 0);
        assert_string_equal(cel_address_format(&at, out, sizeof out), texts[i]);
    }
    assert_int_equal(cel_address_parse(":80", &at), 0);
    assert_string_equal(cel_address_format(&at, out, sizeof out), "[::]:80");
    at.ss_family = AF_UNSPEC;
    assert_string_equal(cel_address_format(&at, out, sizeof out), "?");
}

static void address_malformed_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:80x",
        "::1:80",
        "[::1]",
        "[::1:80",
        "name:80",
        "1.2.3:80",
        "unix:",
        "127.0.0.1:080808",
    };
    char path[200] = "unix:/";
    struct sockaddr_storage at;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (cel_address_parse(texts[i], &at) != -EINVAL)
            fail_msg("'%s' was taken", texts[i]);
    memset(path + 6, 'a', sizeof path - 7);
    assert_int_equal(cel_address_parse(path, &at), -EINVAL);
}

IN_KERNEL(connect_comes_from_the_local_address_given)
{
    struct cel_connect_options o = {.local = "127.0.0.2:0"};
    struct cel_listener *listener;
    struct cel_stream *client, *server;

    assert_int_equal(cel_listen(&listener, "127.0.0.1:0", NULL), 0);
    assert_int_equal(cel_connect(&client, cel_listener_address(listener), &o), 0);
    assert_int_equal(cel_accept(listener, &server), 0);
    assert_int_equal(strncmp(cel_stream_peer(server), "127.0.0.2:", 10), 0);
    assert_string_equal(cel_stream_local(client), cel_stream_peer(server));
    cel_close(client);
    cel_close(server);
    o.local = "[::1]:0";
    assert_int_equal(cel_connect(&client, cel_listener_address(listener), &o), -EADDRNOTAVAIL);
    o.local = "192.0.2.1:0";
    assert_int_equal(cel_connect(&client, cel_listener_address(listener), &o), -EADDRNOTAVAIL);
    o.local = "no address";
    assert_int_equal(cel_connect(&client, cel_listener_address(listener), &o), -EINVAL);
    cel_listener_close(listener);
}

IN_TASK(listen_on_what_is_taken_says_so)
{
    struct cel_listener *first, *second;

    assert_int_equal(cel_listen(&first, "127.0.0.1:0", NULL), 0);
    assert_int_equal(cel_listen(&second, cel_listener_address(first), NULL), -EADDRINUSE);
    assert_non_null(strstr(cel_last_error()->text, cel_listener_address(first)));
    assert_int_equal(cel_listen(&second, "nonsense", NULL), -EINVAL);
    cel_listener_close(first);
}

IN_TASK(listen_reuse_port_shares_the_address)
{
    const struct cel_listen_options shared = {.reuse_port = true};
    struct cel_listener *first, *second;

    assert_int_equal(cel_listen(&first, "127.0.0.1:0", &shared), 0);
    assert_int_equal(cel_listen(&second, cel_listener_address(first), &shared), 0);
    cel_listener_close(first);
    cel_listener_close(second);
}

IN_TASK(listen_any_serves_both_families)
{
    struct cel_listener *door;
    struct cel_stream *a, *b;
    char address[40];

    assert_int_equal(cel_listen(&door, ":0", NULL), 0);
    snprintf(address, sizeof address, "127.0.0.1%s", strrchr(cel_listener_address(door), ':'));
    assert_int_equal(cel_connect(&a, address, NULL), 0);
    assert_int_equal(cel_accept(door, &b), 0);
    assert_string_equal(cel_stream_peer(b), cel_stream_local(a));
    part((struct joined){a, b});
    cel_listener_close(door);
}

IN_TASK(listen_unix_replaces_a_stale_file_and_cleans_up)
{
    char directory[] = "/tmp/celadon-io-XXXXXX", address[64];
    struct cel_listener *door, *second;
    struct sockaddr_storage at;
    struct joined j;
    int fd;

    assert_non_null(mkdtemp(directory));
    snprintf(address, sizeof address, "unix:%s/socket", directory);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(cel_address_parse(address, &at), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(sa_family_t) + strlen(address) - 4),
                     0);
    close(fd);
    j = join_at(address, NULL, NULL);
    assert_int_equal(cel_write(j.a, "x", 1), 1);
    part(j);
    assert_int_equal(access(address + 5, F_OK), -1);
    assert_int_equal(cel_listen(&door, address, NULL), 0);
    assert_int_equal(cel_listen(&second, address, NULL), -EADDRINUSE);
    cel_listener_close(door);
    assert_int_equal(rmdir(directory), 0);
}

struct accepting {
    struct cel_listener *door;
    struct cel_stream *stream;
    int result;
};

static void *accept_into(void *arg)
{
    struct accepting *a = arg;

    a->result = cel_accept(a->door, &a->stream);
    return NULL;
}

IN_TASK(accept_ends_by_close_and_by_cancel)
{
    struct accepting one = {0}, two = {0};
    struct cel_listener *door;
    struct cel_task *tasks[2];

    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    one.door = two.door = door;
    tasks[0] = cel_spawn(accept_into, &one);
    tasks[1] = cel_spawn(accept_into, &two);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    cel_task_cancel(tasks[0]);
    assert_int_equal(cel_await(tasks[0], NULL), 0);
    assert_int_equal(one.result, -ECANCELED);
    cel_listener_close(door);
    assert_int_equal(cel_await(tasks[1], NULL), 0);
    assert_int_equal(two.result, -CEL_ECLOSED);
}

/* A connection and a cancel in the same turn: it is handed out or stays in the queue, never lost.
 */
IN_TASK(accept_beside_a_cancel_loses_no_connection)
{
    struct cel_listener *door;

    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    for (int i = 0; i < 30; i++) {
        struct accepting a = {.door = door};
        struct cel_task *task = cel_spawn(accept_into, &a);
        struct cel_stream *client;

        assert_int_equal(cel_yield(), 0);
        assert_int_equal(cel_connect(&client, cel_listener_address(door), NULL), 0);
        cel_task_cancel(task);
        assert_int_equal(cel_join(task, NULL), 0);
        if (a.result < 0) {
            assert_int_equal(a.result, -ECANCELED);
            assert_int_equal(cel_accept(door, &a.stream), 0);
        }
        assert_string_equal(cel_stream_peer(a.stream), cel_stream_local(client));
        cel_close(a.stream);
        cel_close(client);
    }
    cel_listener_close(door);
}

static unsigned warnings;

static void count_warnings(enum cel_log_level level, const char *line, void *arg)
{
    if (level == CEL_LOG_WARN)
        warnings++;
}

IN_KERNEL(accept_out_of_descriptors_pauses_and_goes_on)
{
    struct rlimit before, tight;
    struct accepting a = {0};
    struct cel_task *task;
    int client, lowest;
    struct sockaddr_storage at;

    warnings = 0;
    cel_set_log(count_warnings, NULL);
    assert_int_equal(cel_listen(&a.door, "127.0.0.1:0", NULL), 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(cel_address_parse(cel_listener_address(a.door), &at), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    lowest = dup(client);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = (struct rlimit){(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    task = cel_spawn(accept_into, &a);
    assert_int_equal(cel_sleep(20 * CEL_MILLISECOND), 0);
    assert_false(cel_is_done(task));
    assert_int_equal(warnings, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(a.result, 0);
    cel_set_log(NULL, NULL);
    close(client);
    cel_close(a.stream);
    cel_listener_close(a.door);
}

IN_KERNEL(accept_pausing_ends_by_close)
{
    struct rlimit before, tight;
    struct accepting a = {0};
    struct cel_task *task;
    int client, lowest;
    struct sockaddr_storage at;

    cel_set_log(count_warnings, NULL);
    assert_int_equal(cel_listen(&a.door, "127.0.0.1:0", NULL), 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(cel_address_parse(cel_listener_address(a.door), &at), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    lowest = dup(client);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = (struct rlimit){(rlim_t)lowest, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    task = cel_spawn(accept_into, &a);
    assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    cel_listener_close(a.door);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(a.result, -CEL_ECLOSED);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    cel_set_log(NULL, NULL);
    close(client);
}

/* A port where nobody listens, for now. */
static void closed_port(char *address, size_t cap, const char *host)
{
    struct cel_listener *door;

    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    snprintf(address, cap, "%s%s", host, strrchr(cel_listener_address(door), ':'));
    cel_listener_close(door);
}

IN_TASK(connect_refused_names_the_address)
{
    struct cel_stream *s;
    char address[64];

    closed_port(address, sizeof address, "127.0.0.1");
    assert_int_equal(cel_connect(&s, address, NULL), -ECONNREFUSED);
    assert_string_equal(cel_last_error()->phase, "connect");
    assert_non_null(strstr(cel_last_error()->text, address));
    assert_int_equal(cel_connect(&s, "no port", NULL), -EINVAL);
    assert_int_equal(cel_connect(&s, "unix:/nowhere/at/all", NULL), -ENOENT);
}

IN_TASK(connect_comes_from_the_address_asked_for)
{
    struct cel_connect_options from = {.local = "127.0.0.2:0"};
    struct cel_listener *door;
    struct cel_stream *a, *b;
    char taken[64];

    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    assert_int_equal(cel_connect(&a, cel_listener_address(door), &from), 0);
    assert_int_equal(cel_accept(door, &b), 0);
    assert_memory_equal(cel_stream_peer(b), "127.0.0.2:", 10);
    assert_string_equal(cel_stream_peer(b), cel_stream_local(a));
    snprintf(taken, sizeof taken, "%s", cel_stream_local(a));
    from.local = taken;
    assert_int_equal(cel_connect(&a, cel_listener_address(door), &from), -EADDRINUSE);
    assert_non_null(strstr(cel_last_error()->text, taken));
    from.local = "[::1]:0";
    assert_int_equal(cel_connect(&a, cel_listener_address(door), &from), -EADDRNOTAVAIL);
    from.local = "here:0";
    assert_int_equal(cel_connect(&a, cel_listener_address(door), &from), -EINVAL);
    part((struct joined){a, b});
    cel_listener_close(door);
}

IN_TASK(connect_by_name_goes_on_after_a_refused_address)
{
    struct cel_listener *door;
    struct cel_stream *a, *b;
    struct fake_dns dns;
    char address[64];

    fake_dns_start(&dns);
    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    snprintf(address, sizeof address, "two.test%s", strrchr(cel_listener_address(door), ':'));
    assert_int_equal(cel_connect(&a, address, NULL), 0);
    assert_int_equal(cel_accept(door, &b), 0);
    assert_string_equal(cel_stream_peer(a), cel_listener_address(door));
    part((struct joined){a, b});
    cel_listener_close(door);
    assert_int_equal(cel_connect(&a, address, NULL), -ECONNREFUSED);
    assert_int_equal(cel_connect(&a, "none.test:80", NULL), -CEL_EDNS);
    assert_string_equal(cel_last_error()->phase, "dns");
    fake_dns_stop(&dns);
}

/* A listener whose queue is full does not answer at all. */
struct black_hole {
    int fd, fillers[4];
};

/* At the port of `door`, on another address of loopback. */
static void open_black_hole(struct black_hole *hole, const struct cel_listener *door, char *address,
                            size_t cap)
{
    struct sockaddr_storage at;

    snprintf(address, cap, "127.0.0.3%s", strrchr(cel_listener_address(door), ':'));
    assert_int_equal(cel_address_parse(address, &at), 0);
    hole->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(hole->fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    assert_int_equal(listen(hole->fd, 0), 0);
    for (int i = 0; i < 4; i++) {
        hole->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(hole->fillers[i], (struct sockaddr *)&at, sizeof(struct sockaddr_in));
    }
}

static void close_black_hole(struct black_hole *hole)
{
    for (int i = 0; i < 4; i++)
        close(hole->fillers[i]);
    close(hole->fd);
}

IN_KERNEL(connect_into_a_black_hole_ends_by_deadline)
{
    struct cel_listener *door;
    struct black_hole hole;
    struct cel_stream *s;
    char address[64];
    int r = 0;

    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    open_black_hole(&hole, door, address, sizeof address);
    CEL_SCOPE (scope, .timeout = 10 * CEL_MILLISECOND)
        r = cel_connect(&s, address, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&scope));
    close_black_hole(&hole);
    cel_listener_close(door);
}

IN_KERNEL(connect_races_past_a_black_hole)
{
    struct cel_listener *door;
    struct black_hole hole;
    struct cel_stream *a, *b;
    struct fake_dns dns;
    char address[64];
    int64_t began;

    fake_dns_start(&dns);
    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    open_black_hole(&hole, door, address, sizeof address);
    snprintf(address, sizeof address, "two.test%s", strrchr(cel_listener_address(door), ':'));
    began = cel_now();
    assert_int_equal(cel_connect(&a, address, NULL), 0);
    assert_true(cel_now() - began >= 250 * CEL_MILLISECOND); /* the first had its head start */
    assert_int_equal(cel_accept(door, &b), 0);
    assert_string_equal(cel_stream_peer(a), cel_listener_address(door));
    part((struct joined){a, b});
    cel_listener_close(door);
    close_black_hole(&hole);
    fake_dns_stop(&dns);
}

static void *connect_to(void *arg)
{
    struct cel_stream *s;

    return (void *)(intptr_t)cel_connect(&s, arg, NULL);
}

/* The first address does not answer, the second refuses: all hangs on the first. */
IN_KERNEL(connect_race_ends_by_deadline_and_by_cancel)
{
    struct cel_listener *door;
    struct black_hole hole;
    struct cel_stream *s;
    struct cel_task *task;
    struct fake_dns dns;
    char address[64];
    void *result;
    int r = 0;

    fake_dns_start(&dns);
    assert_int_equal(cel_listen(&door, "127.0.0.1:0", NULL), 0);
    open_black_hole(&hole, door, address, sizeof address);
    snprintf(address, sizeof address, "two.test%s", strrchr(cel_listener_address(door), ':'));
    cel_listener_close(door);
    CEL_SCOPE (scope, .timeout = 50 * CEL_MILLISECOND)
        r = cel_connect(&s, address, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&scope));
    CEL_SCOPE (both, .timeout = 300 * CEL_MILLISECOND)
        r = cel_connect(&s, address, NULL);
    assert_int_equal(r, -ETIMEDOUT);
    task = cel_spawn(connect_to, address);
    assert_int_equal(cel_sleep(5 * CEL_MILLISECOND), 0);
    cel_task_cancel(task);
    assert_int_equal(cel_join(task, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    close_black_hole(&hole);
    fake_dns_stop(&dns);
}

#if defined(__SANITIZE_THREAD__)
enum { CROWD = 1500, AT_ONCE = 200 }; /* TSan has room for some 8,000 fibers in all */
#else
enum { CROWD = 5000, AT_ONCE = 200 };
#endif

struct crowd {
    struct cel_listener *door;
    struct cel_future *all_in;
    unsigned connected, echoed;
    unsigned size;
};

static struct crowd crowd;

static void *serve_one(void *arg)
{
    char buf[64];
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        if (cel_write(arg, buf, (size_t)n) < 0)
            break;
    cel_close(arg);
    return NULL;
}

static void *serve_crowd(void *arg)
{
    struct cel_stream *s;

    while (cel_accept(crowd.door, &s) == 0)
        if (cel_go(serve_one, s) < 0)
            cel_close(s);
    return NULL;
}

static void *visit(void *arg)
{
    char out[64], in[64];
    struct cel_stream *s;

    memset(out, (int)(intptr_t)arg, sizeof out);
    if (cel_connect(&s, cel_listener_address(crowd.door), NULL) < 0)
        return NULL;
    crowd.connected++;
    if (cel_write(s, out, sizeof out) == sizeof out &&
        cel_read_exactly(s, in, sizeof in) == sizeof in && memcmp(in, out, sizeof in) == 0)
        crowd.echoed++;
    (void)!cel_await(crowd.all_in, NULL);
    if (cel_write(s, out, sizeof out) == sizeof out &&
        cel_read_exactly(s, in, sizeof in) == sizeof in && memcmp(in, out, sizeof in) == 0)
        crowd.echoed++;
    cel_close(s);
    return NULL;
}

IN_TASK(crowd_of_connections_is_served_at_once)
{
    struct cel_task *server;
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    crowd = (struct crowd){.size = CROWD, .all_in = cel_future_new()};
    if (limit.rlim_cur < 2 * CROWD + 100)
        crowd.size = (unsigned)limit.rlim_cur / 2 - 50;
    assert_int_equal(cel_listen(&crowd.door, "127.0.0.1:0", NULL), 0);
    server = cel_spawn(serve_crowd, NULL);
    CEL_SCOPE (visitors, .timeout = CEL_MINUTE) {
        for (unsigned i = 0; i < crowd.size; i++) {
            assert_int_equal(cel_go(visit, (void *)(intptr_t)i), 0);
            while (i + 1 - crowd.connected >= AT_ONCE)
                assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        }
        while (crowd.echoed < crowd.size)
            assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
        assert_int_equal(cel_future_set(crowd.all_in, NULL), 0);
    }
    assert_int_equal(crowd.connected, crowd.size);
    assert_int_equal(crowd.echoed, 2 * crowd.size);
    cel_task_cancel(server);
    assert_int_equal(cel_join(server, NULL), 0);
    cel_listener_close(crowd.door);
    cel_future_free(crowd.all_in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_text_round_trips),
        cmocka_unit_test(address_malformed_is_refused),
        cmocka_unit_test(connect_comes_from_the_local_address_given),
        cmocka_unit_test(listen_on_what_is_taken_says_so),
        cmocka_unit_test(listen_reuse_port_shares_the_address),
        cmocka_unit_test(listen_any_serves_both_families),
        cmocka_unit_test(listen_unix_replaces_a_stale_file_and_cleans_up),
        cmocka_unit_test(accept_ends_by_close_and_by_cancel),
        cmocka_unit_test(accept_beside_a_cancel_loses_no_connection),
        cmocka_unit_test(accept_out_of_descriptors_pauses_and_goes_on),
        cmocka_unit_test(accept_pausing_ends_by_close),
        cmocka_unit_test(connect_refused_names_the_address),
        cmocka_unit_test(connect_comes_from_the_address_asked_for),
        cmocka_unit_test(connect_by_name_goes_on_after_a_refused_address),
        cmocka_unit_test(connect_into_a_black_hole_ends_by_deadline),
        cmocka_unit_test(connect_races_past_a_black_hole),
        cmocka_unit_test(connect_race_ends_by_deadline_and_by_cancel),
        cmocka_unit_test(crowd_of_connections_is_served_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
