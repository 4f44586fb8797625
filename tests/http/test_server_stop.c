/* SPDX-License-Identifier: MIT */
/* Stopping: what was begun is finished, what is idle is closed, and nobody waits longer than said.
 */
#include <errno.h>
#include <stdio.h>

#include "http/site.h"
#include "support/check.h"
#include "support/intask.h"

#define MS CEL_MILLISECOND

static unsigned begun; /* requests that reached a handler */
static unsigned whole; /* answers that a client has seen to their end */

static int say_soon(struct cel_request *req, struct cel_reply *reply)
{
    int r = 0;

    begun++;
    for (unsigned i = 0; i < begun % 4 && r == 0; i++)
        r = cel_yield();
    return r < 0 ? r : cel_reply_text(reply, 200, "hello");
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    begun++;
    return r < 0 ? r : cel_reply_bytes(reply, 200, "text/plain", body.ptr, body.len);
}

static struct cel_future *gate;
static int seen_by_handler;

static int wait_at_gate(struct cel_request *req, struct cel_reply *reply)
{
    int r;

    begun++;
    r = cel_await(gate, NULL);
    seen_by_handler = r;
    return r < 0 ? r : cel_reply_text(reply, 200, "through");
}

static int stream_to_gate(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    begun++;
    if (r == 0)
        r = cel_reply_write(reply, "first", 5);
    if (r == 0)
        r = cel_reply_flush(reply);
    if (r == 0)
        r = cel_await(gate, NULL);
    return r < 0 ? r : cel_reply_write(reply, "last", 4);
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "GET /", say_soon, NULL), 0);
    assert_int_equal(cel_route(s, "POST /back", say_back, NULL), 0);
    assert_int_equal(cel_route(s, "GET /gate", wait_at_gate, NULL), 0);
    assert_int_equal(cel_route(s, "GET /stream", stream_to_gate, NULL), 0);
    begun = whole = 0;
}

static void await_begun(unsigned count)
{
    while (begun < count)
        assert_int_equal(cel_yield(), 0);
}

/* ---- under load ---- */

struct load {
    struct cel_server *server;
    char address[64];
    bool is_over;
};

/* One exchange. -> whether another may follow; an answer is whole, or not one byte of it came. */
static bool exchange(struct cel_stream *c, const char *request, unsigned count)
{
    unsigned got = 0;
    char line[512];
    ssize_t n;
    bool closes = false;

    if (!site_say(c, request))
        return false;
    while (got < count) {
        n = cel_read_until(c, '\n', line, sizeof line - 1);
        if (n <= 0) {
            assert_true(n == 0 || n == -ECONNRESET || n == -EPIPE);
            return false;
        }
        do {
            line[n] = '\0';
            closes |= strstr(line, "Connection: close") != NULL;
        } while (n > 2 && (n = cel_read_until(c, '\n', line, sizeof line - 1)) > 0);
        assert_int_equal(n, 2);
        assert_int_equal(cel_read_exactly(c, line, 5), 5);
        assert_memory_equal(line, "hello", 5);
        got++;
        whole++;
        if (closes)
            break;
    }
    return !closes;
}

static void *ask_for_ever(void *arg)
{
    static const char *const requests[] = {
        GET("/", ""),
        "POST /back HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
        GET("/", "") GET("/", "") GET("/", ""),
        GET("/", CLOSE),
    };
    static const unsigned counts[] = {1, 1, 3, 1};
    static unsigned turn;
    unsigned me = turn++;
    struct load *load = arg;
    struct cel_stream *c;

    while (!load->is_over && cel_connect(&c, load->address, NULL) == 0) {
        while (exchange(c, requests[me % 4], counts[me % 4]))
            continue;
        cel_close(c);
    }
    return NULL;
}

IN_TASK(stop_under_load_fails_no_request_that_was_begun)
{
    for (unsigned round = 1; round <= 6; round++) {
        struct load load = {.server = site_open(NULL, add_routes)};

        snprintf(load.address, sizeof load.address, "%s", cel_server_address(load.server));
        CEL_SCOPE (clients) {
            for (int i = 0; i < 40; i++)
                assert_int_equal(cel_go(ask_for_ever, &load), 0);
            await_begun(300 * round + 7 * round);
            load.is_over = true;
            site_close(load.server);
        }
        assert_true(begun > 300);
        assert_int_equal(whole, begun);
    }
}

/* ---- one by one ---- */

IN_TASK(stop_lets_what_is_under_way_finish_and_closes_what_is_idle)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *waiting = site_dial(s), *streaming = site_dial(s), *idle = site_dial(s),
                      *fresh = site_dial(s), *more;
    char address[64];

    snprintf(address, sizeof address, "%s", cel_server_address(s));
    gate = cel_future_new();
    assert_non_null(gate);
    assert_true(site_say(idle, GET("/", "")));
    SAYS(site_hear(idle, "\r\n\r\nhello"), "200 OK");
    assert_true(site_say(waiting, GET("/gate", "") GET("/", ""))); /* one behind it, unread */
    assert_true(site_say(streaming, GET("/stream", "")));
    SAYS(site_hear(streaming, "first"), "200 OK");
    await_begun(3);
    cel_server_stop(s);
    cel_server_stop(s);
    assert_string_equal(site_hear(idle, NULL), "");
    assert_string_equal(site_hear(fresh, NULL), "");
    assert_int_equal(cel_future_set(gate, NULL), 0);
    SAYS(site_hear(streaming, NULL), "last\r\n0\r\n\r\n");
    {
        const char *answer = site_hear(waiting, NULL);

        SAYS(answer, "Connection: close");
        assert_int_equal(site_count(answer, "HTTP/1.1 200 OK"), 1);
        SAYS(answer, "through");
    }
    while (cel_connect(&more, address, NULL) == 0) /* until the door is closed */
        cel_close(more);
    cel_close(waiting);
    cel_close(streaming);
    cel_close(idle);
    cel_close(fresh);
    site_close(s);
    cel_future_free(gate);
}

IN_TASK(request_that_lies_at_the_door_of_an_idle_connection_is_answered)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s), *queued;

    assert_true(site_say(c, GET("/", "")));
    SAYS(site_hear(c, "\r\n\r\nhello"), "200 OK");
    assert_true(site_say(c, GET("/", "")));
    queued = site_dial(s);
    assert_true(site_say(queued, GET("/", "")));
    cel_server_stop(s);
    SAYS(site_hear(c, NULL), "\r\n\r\nhello");
    SAYS(site_hear(queued, NULL), "\r\n\r\nhello");
    cel_close(c);
    cel_close(queued);
    site_close(s);
}

IN_TASK(stop_cancels_what_outlives_its_grace)
{
    struct cel_server *s =
        site_open(&(struct cel_server_options){.stop_grace = 20 * MS}, add_routes);
    struct cel_stream *waiting = site_dial(s), *streaming = site_dial(s);

    gate = cel_future_new();
    assert_non_null(gate);
    assert_true(site_say(waiting, GET("/gate", "")));
    assert_true(site_say(streaming, GET("/stream", "")));
    await_begun(2);
    site_close(s); /* returns though nobody opens the gate */
    assert_int_equal(seen_by_handler, -ECANCELED);
    assert_null(strstr(site_hear(waiting, NULL), "through"));
    assert_null(strstr(site_hear(streaming, NULL), "0\r\n\r\n"));
    cel_close(waiting);
    cel_close(streaming);
    cel_future_free(gate);
}

static void *serve_until_cancelled(void *arg)
{
    assert_int_equal(cel_server_run(arg), -ECANCELED);
    return NULL;
}

IN_TASK(cancelled_server_gives_its_requests_their_grace)
{
    struct cel_server *s = cel_server_new(NULL);
    struct cel_task *task;
    struct cel_stream *c;

    assert_non_null(s);
    add_routes(s);
    gate = cel_future_new();
    assert_non_null(gate);
    assert_int_equal(cel_server_listen(s, "127.0.0.1:0"), 0);
    assert_int_equal(cel_server_listen(s, "127.0.0.1:0"), -EALREADY);
    task = cel_spawn(serve_until_cancelled, s);
    assert_non_null(task);
    c = site_dial(s);
    assert_true(site_say(c, GET("/gate", "")));
    await_begun(1);
    cel_task_cancel(task);
    assert_int_equal(cel_yield(), 0);
    assert_int_equal(cel_future_set(gate, NULL), 0);
    SAYS(site_hear(c, NULL), "through");
    cel_close(c);
    assert_int_equal(cel_join(task, NULL), 0);
    cel_server_free(s);
    cel_future_free(gate);
}

static void *run_once(void *arg)
{
    assert_int_equal(cel_server_run(arg), 0);
    return NULL;
}

IN_TASK(server_that_has_stopped_can_serve_again)
{
    struct cel_server *s = cel_server_new(NULL);

    assert_non_null(s);
    add_routes(s);
    assert_string_equal(cel_server_address(s), "");
    assert_int_equal(cel_server_run(s), -EINVAL);
    for (int i = 0; i < 3; i++) {
        struct cel_task *task;

        assert_int_equal(cel_server_listen(s, "127.0.0.1:0"), 0);
        task = cel_spawn(run_once, s);
        assert_non_null(task);
        SAYS(site_ask(s, GET("/", CLOSE)), "hello");
        cel_server_stop(s);
        assert_int_equal(cel_join(task, NULL), 0);
    }
    cel_server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_under_load_fails_no_request_that_was_begun),
        cmocka_unit_test(stop_lets_what_is_under_way_finish_and_closes_what_is_idle),
        cmocka_unit_test(request_that_lies_at_the_door_of_an_idle_connection_is_answered),
        cmocka_unit_test(stop_cancels_what_outlives_its_grace),
        cmocka_unit_test(cancelled_server_gives_its_requests_their_grace),
        cmocka_unit_test(server_that_has_stopped_can_serve_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
