/* SPDX-License-Identifier: MIT */
/* Each limit by itself, and all kinds of slow clients at once while others are served. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/site.h"
#include "support/check.h"
#include "support/fault.h"
#include "support/intask.h"

#define MS   CEL_MILLISECOND
#define MANY 40 /* slow clients of each kind */

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "hello");
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, "text/plain", body.ptr, body.len);
}

static int say_much(struct cel_request *req, struct cel_reply *reply)
{
    static const char piece[64 * 1024];
    int r = cel_reply_begin(reply, 200, "text/plain", 64 << 20);

    for (int i = 0; i < 1024 && r == 0; i++)
        r = cel_reply_write(reply, piece, sizeof piece);
    return r;
}

static int say_whole(struct cel_request *req, struct cel_reply *reply)
{
    size_t len = 64 << 20;
    char *much = calloc(1, len);
    int r;

    assert_non_null(much);
    r = cel_reply_bytes(reply, 200, "text/plain", much, len);
    free(much);
    return r;
}

static struct cel_future *gate;

static int wait_at_gate(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_await(gate, NULL);

    return r < 0 ? r : cel_reply_text(reply, 200, "through");
}

static void keep_quiet(enum cel_log_level level, const char *line, void *arg)
{
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "GET /", say_hello, NULL), 0);
    assert_int_equal(cel_route(s, "POST /back", say_back, NULL), 0);
    assert_int_equal(cel_route(s, "GET /much", say_much, NULL), 0);
    assert_int_equal(cel_route(s, "GET /whole", say_whole, NULL), 0);
    assert_int_equal(cel_route(s, "GET /gate", wait_at_gate, NULL), 0);
}

static const char *padded(const char *before, size_t count, const char *after)
{
    static char text[300000];
    size_t len = strlen(before);

    assert_true(len + count + strlen(after) < sizeof text);
    memcpy(text, before, len);
    memset(text + len, 'a', count);
    memcpy(text + len + count, after, strlen(after) + 1);
    return text;
}

IN_TASK(head_at_its_limit_is_read_and_beyond_refused)
{
    struct cel_server_options options = {.header_bytes_max = 4096};
    struct cel_server *s = site_open(&options, add_routes);
    const char *before = "GET / HTTP/1.1\r\n" HOST CLOSE "X: ", *after = "\r\n\r\n";
    size_t fits = 4096 - strlen(before) - strlen(after);

    assert_int_equal(site_status(site_ask(s, padded(before, fits, after))), 200);
    SAYS(site_ask(s, padded(before, fits + 1, after)), "431 Request Header Fields Too Large");
    SAYS(site_ask(s, padded(before, 250000, after)), "header section is too large");
    site_close(s);
}

IN_TASK(line_at_its_limit_is_read_and_beyond_refused)
{
    struct cel_server *s = site_open(NULL, add_routes);
    const char *before = "GET /?", *after = " HTTP/1.1\r\n" HOST CLOSE "\r\n";
    size_t fits = 8192 - strlen(before) - strlen(" HTTP/1.1\r\n");

    assert_int_equal(site_status(site_ask(s, padded(before, fits, after))), 200);
    assert_int_equal(site_status(site_ask(s, padded(before, fits + 1, after))), 414);
    assert_int_equal(
        site_status(site_ask(s, padded("GET / HTTP/1.1\r\n" HOST "X: ", 8192, "\r\n\r\n"))), 431);
    site_close(s);
}

static const char *with_fields(unsigned count)
{
    static char text[4096];
    size_t len = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST CLOSE);

    for (unsigned i = 2; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "X-%u: y\r\n", i);
    snprintf(text + len, sizeof text - len, "\r\n");
    return text;
}

IN_TASK(fields_at_their_limit_are_read_and_beyond_refused)
{
    struct cel_server_options options = {.header_fields_max = 20};
    struct cel_server *few = site_open(&options, add_routes), *usual = site_open(NULL, add_routes);

    assert_int_equal(site_status(site_ask(few, with_fields(20))), 200);
    assert_int_equal(site_status(site_ask(few, with_fields(21))), 431);
    assert_int_equal(site_status(site_ask(usual, with_fields(100))), 200);
    assert_int_equal(site_status(site_ask(usual, with_fields(101))), 431);
    site_close(few);
    site_close(usual);
}

IN_TASK(body_at_its_limit_is_read_and_beyond_refused)
{
    struct cel_server_options options = {.body_bytes_max = 10};
    struct cel_server *s = site_open(&options, add_routes);
#define POST(fields, body) "POST /back HTTP/1.1\r\n" HOST CLOSE fields "\r\n" body
    SAYS(site_ask(s, POST("Content-Length: 10\r\n", "0123456789")), "\r\n\r\n0123456789");
    SAYS(site_ask(s, POST("Content-Length: 11\r\n", "0123456789a")), "413 Content Too Large");
    SAYS(site_ask(s, POST("Content-Length: 99999999999\r\n", "")), "413 ");
    SAYS(site_ask(s, POST("Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\n\r\n")),
         "\r\n\r\n0123456789");
    SAYS(site_ask(s, POST("Transfer-Encoding: chunked\r\n", "b\r\n0123456789a\r\n0\r\n\r\n")),
         "413 ");
    SAYS(site_ask(s, POST("Transfer-Encoding: chunked\r\n", "fffffffff\r\n0123456789abcdef")),
         "413 ");
    site_close(s);
}

IN_TASK(chunk_extensions_and_trailers_have_limits)
{
    struct cel_server *s = site_open(NULL, add_routes);
    const char *head = POST("Transfer-Encoding: chunked\r\n", "1;");
    const char *trailer = POST("Transfer-Encoding: chunked\r\n", "0\r\nX: ");

    assert_int_equal(site_status(site_ask(s, padded(head, 200, "\r\nx\r\n0\r\n\r\n"))), 200);
    assert_int_equal(site_status(site_ask(s, padded(head, 300, "\r\nx\r\n0\r\n\r\n"))), 413);
    assert_int_equal(site_status(site_ask(s, padded(trailer, 8000, "\r\n\r\n"))), 200);
    assert_int_equal(site_status(site_ask(s, padded(trailer, 9000, "\r\n\r\n"))), 413);
    assert_int_equal(site_status(site_ask(s, POST("Transfer-Encoding: chunked\r\n",
                                                  "0\r\nContent-Length: 1\r\n\r\n"))),
                     400);
    site_close(s);
}

/* ---- slow clients ---- */

#define SOON (300 * MS)

static const struct cel_server_options impatient = {
    .header_timeout = SOON,
    .body_timeout = SOON,
    .body_rate_min = 1000000,
    .body_bytes_max = 1 << 20,
    .write_timeout = SOON,
};

/* All in one loop: on a busy machine a slow client may itself be so late that it is closed before
 * it has begun, so each must be ended, and some of each kind be told why. */
struct crowd {
    struct cel_server *server;
    unsigned left;    /* slow ones that are still there */
    unsigned told[3]; /* 408, by kind of trickle */
};

/* Says `first` and then a byte again and again, until the server has had enough. */
static void trickle(struct crowd *crowd, unsigned kind, const char *first)
{
    struct cel_stream *client = site_dial(crowd->server);
    const char *answer;

    if (site_say(client, first))
        while (cel_stream_is_quiet(client) && cel_write(client, "a", 1) == 1)
            assert_int_equal(cel_sleep(MS), 0);
    answer = site_hear(client, NULL);
    assert_true(answer[0] == '\0' || site_status(answer) == 408);
    crowd->told[kind] += answer[0] != '\0';
    cel_close(client);
    crowd->left--;
}

static void *trickle_head(void *arg)
{
    trickle(arg, 0, "GET / HTTP/1.1\r\nX: ");
    return NULL;
}

static void *trickle_body(void *arg)
{
    trickle(arg, 1, POST("Content-Length: 100000\r\n", ""));
    return NULL;
}

static void *trickle_chunks(void *arg)
{
    trickle(arg, 2, POST("Transfer-Encoding: chunked\r\n", "10000\r\n"));
    return NULL;
}

static void *stall(struct crowd *crowd, const char *text)
{
    struct cel_stream *client = site_dial(crowd->server);
    const char *answer;

    (void)site_say(client, text);
    answer = site_hear(client, NULL);
    assert_true(answer[0] == '\0' || site_status(answer) == 408 || site_status(answer) == 200);
    cel_close(client);
    crowd->left--;
    return NULL;
}

static void *stall_silently(void *arg)
{
    return stall(arg, "");
}

static void *stall_in_head(void *arg)
{
    return stall(arg, "GET / HT");
}

static void *stall_in_body(void *arg)
{
    return stall(arg, POST("Content-Length: 9\r\n", "abc"));
}

/* Asks for much and reads nothing until the server has given up; then not all of it came. */
static void *refuse_to_read(struct crowd *crowd, const char *text)
{
    struct cel_stream *client = site_dial(crowd->server);
    static char sink[1 << 18];
    size_t got = 0;
    ssize_t n;

    (void)site_say(client, text);
    crowd->left--;
    while (crowd->left != 0)
        assert_int_equal(cel_sleep(MS), 0);
    site_await_open(crowd->server, 0);
    while ((n = cel_read(client, sink, sizeof sink)) > 0)
        got += (size_t)n;
    assert_true(got < 64 << 20);
    cel_close(client);
    return NULL;
}

static void *refuse_a_stream(void *arg)
{
    return refuse_to_read(arg, GET("/much", ""));
}

static void *refuse_a_whole(void *arg)
{
    return refuse_to_read(arg, GET("/whole", ""));
}

struct good {
    struct crowd *crowd;
    struct cel_stream *client; /* that has been served before the others came */
};

/* Is served well as long as there are slow ones. */
static void *ask_well(void *arg)
{
    struct good *good = arg;

    do {
        assert_true(site_say(good->client, GET("/", "")));
        assert_int_equal(site_status(site_hear(good->client, "\r\n\r\nhello")), 200);
        assert_int_equal(cel_yield(), 0);
    } while (good->crowd->left != 0);
    cel_close(good->client);
    return NULL;
}

static struct cel_stream *served_client(struct cel_server *s)
{
    struct cel_stream *client = site_dial(s);

    assert_true(site_say(client, GET("/", "")));
    assert_int_equal(site_status(site_hear(client, "\r\n\r\nhello")), 200);
    return client;
}

static void gather_slow(struct crowd *crowd)
{
    static cel_task_fn *const kinds[] = {trickle_head,   trickle_body,  trickle_chunks,
                                         stall_silently, stall_in_head, stall_in_body};

    for (size_t i = 0; i < MANY * sizeof kinds / sizeof kinds[0]; i++) {
        crowd->left++;
        assert_int_equal(cel_go(kinds[i / MANY], crowd), 0);
    }
    for (int i = 0; i < 2; i++) {
        crowd->left += 2;
        assert_int_equal(cel_go(refuse_a_stream, crowd), 0);
        assert_int_equal(cel_go(refuse_a_whole, crowd), 0);
    }
}

IN_TASK(slow_clients_are_ended_while_others_are_served)
{
    struct crowd crowd = {.server = site_open(&impatient, add_routes)};
    struct cel_server_stats stats;
    struct good good[10];

    for (int i = 0; i < 10; i++)
        good[i] = (struct good){&crowd, served_client(crowd.server)};
    CEL_SCOPE (all, .timeout = 60 * CEL_SECOND) {
        gather_slow(&crowd);
        for (int i = 0; i < 10; i++)
            assert_int_equal(cel_go(ask_well, &good[i]), 0);
    }
    assert_int_equal(crowd.left, 0);
    for (int kind = 0; kind < 3; kind++)
        assert_true(crowd.told[kind] > 0);
    site_await_open(crowd.server, 0);
    cel_server_stats(crowd.server, &stats);
    assert_true(stats.connections >= 6 * MANY + 14);
    site_close(crowd.server);
}

IN_TASK(idle_connection_is_closed_without_a_word)
{
    struct cel_server *s =
        site_open(&(struct cel_server_options){.idle_timeout = SOON}, add_routes);
    struct cel_stream *client = site_dial(s);
    const char *answer;

    (void)site_say(client, GET("/", ""));
    answer = site_hear(client, NULL);
    assert_true(answer[0] == '\0' || site_status(answer) == 200);
    assert_true(site_count(answer, "HTTP/1.1 ") <= 1);
    cel_close(client);
    site_close(s);
}

static void *push_slowly(void *arg)
{
    struct cel_stream *client = arg;

    for (int i = 0; i < 30; i++) {
        assert_int_equal(cel_write(client, "0123456789", 10), 10);
        assert_int_equal(cel_sleep(25 * MS), 0);
    }
    return NULL;
}

/* Far longer than body_timeout, but faster than the least rate. */
IN_TASK(body_that_comes_fast_enough_may_take_its_time)
{
    struct cel_server_options options = {.body_timeout = 500 * MS, .body_rate_min = 100};
    struct cel_server *s = site_open(&options, add_routes);
    struct cel_stream *client = site_dial(s);

    assert_true(site_say(client, POST("Content-Length: 300\r\n", "")));
    CEL_SCOPE (pushing)
        assert_int_equal(cel_go(push_slowly, client), 0);
    assert_int_equal(site_status(site_hear(client, NULL)), 200);
    cel_close(client);
    site_close(s);
}

/* ---- how many ---- */

IN_TASK(newcomer_at_the_limit_takes_the_place_of_the_longest_idle)
{
    struct cel_server *s =
        site_open(&(struct cel_server_options){.connections_max = 3}, add_routes);
    struct cel_stream *a = served_client(s), *b = served_client(s), *c = served_client(s), *d;

    assert_true(site_say(a, GET("/", ""))); /* now b is the one */
    assert_int_equal(site_status(site_hear(a, "\r\n\r\nhello")), 200);
    d = served_client(s);
    assert_string_equal(site_hear(b, NULL), "");
    assert_true(cel_stream_is_quiet(a) && cel_stream_is_quiet(c) && cel_stream_is_quiet(d));
    site_await_open(s, 3);
    cel_close(a);
    cel_close(b);
    cel_close(c);
    cel_close(d);
    site_close(s);
}

IN_TASK(newcomer_at_the_limit_waits_while_all_are_busy)
{
    struct cel_server *s =
        site_open(&(struct cel_server_options){.connections_max = 2}, add_routes);
    struct cel_stream *busy[2], *waiting = NULL;
    struct cel_server_stats stats;

    gate = cel_future_new();
    assert_non_null(gate);
    for (int i = 0; i < 2; i++) {
        busy[i] = site_dial(s);
        assert_true(site_say(busy[i], GET("/gate", "")));
    }
    do {
        assert_int_equal(cel_yield(), 0);
        cel_server_stats(s, &stats);
    } while (stats.requests < 2);
    waiting = site_dial(s);
    assert_true(site_say(waiting, GET("/", "")));
    for (int i = 0; i < 200; i++)
        assert_int_equal(cel_yield(), 0);
    cel_server_stats(s, &stats);
    assert_int_equal(stats.open, 2);
    assert_int_equal(stats.requests, 2);
    assert_true(cel_stream_is_quiet(waiting));
    assert_int_equal(cel_future_set(gate, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(site_status(site_hear(busy[i], "through")), 200);
    assert_int_equal(site_status(site_hear(waiting, "\r\n\r\nhello")), 200);
    for (int i = 0; i < 2; i++)
        cel_close(busy[i]);
    cel_close(waiting);
    site_close(s);
    cel_future_free(gate);
}

/* A client that asks nothing of the library's memory. */
static int raw_client(struct cel_server *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage at;

    assert_int_equal(cel_address_parse(cel_server_address(s), &at), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
    return fd;
}

/* It is served now, whatever it met before; and closed. */
static void check_served(int client)
{
    static const char ask[] = GET("/", CLOSE);
    char answer[64] = "";

    assert_int_equal(write(client, ask, sizeof ask - 1), sizeof ask - 1);
    assert_true((cel_wait_fd(client, POLLIN) & POLLIN) != 0);
    assert_true(read(client, answer, sizeof answer - 1) > 0);
    assert_int_equal(site_status(answer), 200);
    close(client);
}

/* Until so many allocations have failed; then there is memory again. */
static void starve(size_t hits)
{
    while (fault_alloc_hits() < hits)
        assert_int_equal(cel_yield(), 0);
    fault_alloc_arm(0, FAULT_ONCE);
    fault_alloc_end();
    cel_set_log(NULL, NULL);
}

static void no_memory(void)
{
    cel_set_log(keep_quiet, NULL);
    fault_alloc_begin();
    fault_alloc_arm(1, FAULT_FOREVER);
}

/* A connection whose task cannot be made is closed, and the next one waits at the door until there
 * is memory to take it in. */
IN_KERNEL(server_without_memory_goes_on_when_there_is_some)
{
    struct cel_server *s = site_open(NULL, add_routes);
    int first, second;
    char c;

    no_memory();
    first = raw_client(s);
    second = raw_client(s);
    starve(4); /* the task of the one, and the stream of the other, again and again */
    check_served(second);
    (void)!shutdown(first, SHUT_WR); /* closed already, or taken in after all: it depends on what
                                        the backend needs memory for */
    assert_true((cel_wait_fd(first, POLLIN) & POLLIN) != 0);
    assert_true(read(first, &c, 1) <= 0);
    close(first);
    site_close(s);
}

/* Who waits at the limit is told by a future: without memory for it, it looks from time to time. */
IN_KERNEL(newcomer_at_the_limit_waits_without_memory_too)
{
    struct cel_server *s =
        site_open(&(struct cel_server_options){.connections_max = 1}, add_routes);
    struct cel_stream *busy;
    struct cel_server_stats stats;
    int waiting;

    gate = cel_future_new();
    assert_non_null(gate);
    busy = site_dial(s);
    assert_true(site_say(busy, GET("/gate", CLOSE)));
    do {
        assert_int_equal(cel_yield(), 0);
        cel_server_stats(s, &stats);
    } while (stats.requests < 1);
    no_memory();
    waiting = raw_client(s);
    starve(3);
    cel_server_stats(s, &stats);
    assert_int_equal(stats.open, 1);
    assert_int_equal(cel_future_set(gate, NULL), 0);
    assert_int_equal(site_status(site_hear(busy, NULL)), 200);
    check_served(waiting);
    cel_close(busy);
    site_close(s);
    cel_future_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_at_its_limit_is_read_and_beyond_refused),
        cmocka_unit_test(line_at_its_limit_is_read_and_beyond_refused),
        cmocka_unit_test(fields_at_their_limit_are_read_and_beyond_refused),
        cmocka_unit_test(body_at_its_limit_is_read_and_beyond_refused),
        cmocka_unit_test(chunk_extensions_and_trailers_have_limits),
        cmocka_unit_test(slow_clients_are_ended_while_others_are_served),
        cmocka_unit_test(idle_connection_is_closed_without_a_word),
        cmocka_unit_test(body_that_comes_fast_enough_may_take_its_time),
        cmocka_unit_test(newcomer_at_the_limit_takes_the_place_of_the_longest_idle),
        cmocka_unit_test(newcomer_at_the_limit_waits_while_all_are_busy),
        cmocka_unit_test(server_without_memory_goes_on_when_there_is_some),
        cmocka_unit_test(newcomer_at_the_limit_waits_without_memory_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
