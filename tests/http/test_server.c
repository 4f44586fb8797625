/* SPDX-License-Identifier: MIT */
/* The server as a client's bytes see it: framing, order, limits, routes, stopping. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <celadon/server.h>

#include "support/check.h"
#include "support/intask.h"

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "hello %s", cel_param(req, "name"));
}

static int say_path(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "rest %s", cel_param(req, "rest"));
}

static int say_fixed(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "%s", (const char *)cel_request_arg(req));
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, "text/plain", body.ptr, body.len);
}

static int stream_it(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    if (r == 0)
        r = cel_reply_write(reply, "one", 3);
    return r < 0 ? r : cel_reply_write(reply, "two", 3);
}

static int break_promise(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", 10);

    return r < 0 ? r : cel_reply_write(reply, "short", 5);
}

static int fails(struct cel_request *req, struct cel_reply *reply)
{
    return -EIO;
}

static int injects(struct cel_request *req, struct cel_reply *reply)
{
    assert_int_equal(cel_reply_header(reply, "X-Bad", "a\r\nSet-Cookie: b"), -EINVAL);
    assert_int_equal(cel_reply_header(reply, "Content-Length", "5"), -EINVAL);
    assert_int_equal(cel_reply_header(reply, "X Y", "1"), -EINVAL);
    assert_int_equal(cel_reply_header(reply, "X-Good", "1"), 0);
    assert_int_equal(cel_reply_text(reply, 200, "ok"), 0);
    assert_int_equal(cel_reply_text(reply, 200, "again"), -EALREADY);
    return 0;
}

static int says_nothing(struct cel_request *req, struct cel_reply *reply)
{
    return 0;
}

static struct cel_future *gate;
static bool is_asked;

static int waits(struct cel_request *req, struct cel_reply *reply)
{
    int r;

    is_asked = true;
    r = cel_await(gate, NULL);
    return r < 0 ? r : cel_reply_text(reply, 200, "late");
}

static void *serve(void *arg)
{
    assert_int_equal(cel_server_run(arg), 0);
    return NULL;
}

static const struct cel_server_options brisk = {.header_bytes_max = 2048,
                                                .body_bytes_max = 100,
                                                .header_timeout = 500 * CEL_MILLISECOND,
                                                .stop_grace = CEL_SECOND};

static struct cel_server *start(void)
{
    struct cel_server *s = cel_server_new(&brisk);

    assert_non_null(s);
    assert_int_equal(cel_route(s, "GET /hello/{name}", say_hello, NULL), 0);
    assert_int_equal(cel_route(s, "GET /hello/literal", say_fixed, "literal"), 0);
    assert_int_equal(cel_route(s, "GET /all/{rest...}", say_path, NULL), 0);
    assert_int_equal(cel_route(s, "POST /back", say_back, NULL), 0);
    assert_int_equal(cel_route(s, "GET /stream", stream_it, NULL), 0);
    assert_int_equal(cel_route(s, "GET /short", break_promise, NULL), 0);
    assert_int_equal(cel_route(s, "GET /fails", fails, NULL), 0);
    assert_int_equal(cel_route(s, "GET /inject", injects, NULL), 0);
    assert_int_equal(cel_route(s, "GET /nothing", says_nothing, NULL), 0);
    assert_int_equal(cel_route(s, "GET /late", waits, NULL), 0);
    assert_int_equal(cel_route(s, "GET /late", waits, NULL), -EEXIST);
    assert_int_equal(cel_route(s, "late", waits, NULL), -EINVAL);
    assert_int_equal(cel_server_listen(s, "127.0.0.1:0"), 0);
    assert_non_null(cel_spawn(serve, s));
    return s;
}

static char answer[65536];

/* Everything the server says until it closes, or until `want` stands in it. */
static void collect(struct cel_stream *c, const char *want)
{
    size_t len = 0;
    ssize_t n;

    answer[0] = '\0';
    do {
        n = cel_read(c, answer + len, sizeof answer - 1 - len);
        if (n > 0)
            answer[len += (size_t)n] = '\0';
    } while (n > 0 && (want == NULL || strstr(answer, want) == NULL));
}

static struct cel_stream *dial(struct cel_server *s)
{
    struct cel_stream *c;

    assert_int_equal(cel_connect(&c, cel_server_address(s), NULL), 0);
    return c;
}

static void ask(struct cel_server *s, const char *bytes, size_t piece)
{
    struct cel_stream *c = dial(s);
    size_t len = strlen(bytes);

    for (size_t at = 0; at < len; at += piece)
        if (cel_write(c, bytes + at, at + piece < len ? piece : len - at) < 0)
            break;
    collect(c, NULL);
    cel_close(c);
}

static void stop(struct cel_server *s, struct cel_scope *scope)
{
    cel_server_stop(s);
    assert_int_equal(cel_scope_leave(scope), 0);
    cel_server_free(s);
}

#define SERVED(name)                               \
    static void name##_with(struct cel_server *s); \
    IN_TASK(name)                                  \
    {                                              \
        struct cel_scope scope;                    \
        struct cel_server *s;                      \
        cel_scope_enter(&scope, NULL);             \
        s = start();                               \
        name##_with(s);                            \
        stop(s, &scope);                           \
    }                                              \
    static void name##_with(struct cel_server *s)

#define GET(path, more) "GET " path " HTTP/1.1\r\nHost: x\r\n" more "\r\n"
#define CLOSE           "Connection: close\r\n"
#define SAYS(text)      assert_non_null(strstr(answer, text))

SERVED(routes_choose_the_most_literal)
{
    ask(s, GET("/hello/a%20b", CLOSE), 1000);
    SAYS("200 OK");
    SAYS("hello a b");
    ask(s, GET("/hello/literal", CLOSE), 1000);
    SAYS("\r\n\r\nliteral");
    ask(s, GET("/all/x/y/z", CLOSE), 1000);
    SAYS("rest x/y/z");
    ask(s, GET("/hello/", CLOSE), 1000);
    SAYS("404 Not Found");
    ask(s, GET("/hello/%zz", CLOSE), 1000);
    SAYS("400 Bad Request");
    ask(s, "DELETE /back HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n", 1000);
    SAYS("405 Method Not Allowed");
    SAYS("Allow: POST");
}

SERVED(head_has_the_length_and_no_body)
{
    ask(s, "HEAD /hello/you HTTP/1.1\r\nHost: x\r\n" CLOSE "\r\n", 1000);
    SAYS("Content-Length: 9\r\n");
    assert_null(strstr(answer, "hello you"));
}

SERVED(any_split_gives_the_same_answer)
{
    for (size_t piece = 1; piece < 60; piece += 7) {
        ask(s,
            "POST /back HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" CLOSE "\r\n"
            "4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n",
            piece);
        SAYS("Content-Length: 9\r\n");
        SAYS("\r\n\r\nwikipedia");
    }
}

SERVED(pipelined_requests_are_answered_in_order)
{
    static char many[16 * 64];
    const char *at = answer;

    many[0] = '\0';
    for (int i = 0; i < 16; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many),
                 "GET /hello/n%02d HTTP/1.1\r\nHost: x\r\n%s\r\n", i, i == 15 ? CLOSE : "");
    ask(s, many, sizeof many);
    for (int i = 0; i < 16; i++) {
        char text[32];

        snprintf(text, sizeof text, "hello n%02d", i);
        at = strstr(at, text);
        assert_non_null(at);
    }
}

SERVED(body_is_echoed_and_limited)
{
    ask(s, "POST /back HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n" CLOSE "\r\nhello", 1000);
    SAYS("\r\n\r\nhello");
    ask(s, "POST /back HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", 1000);
    SAYS("413 Content Too Large");
    ask(s, "POST /back HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 1000);
    SAYS("400 Bad Request");
}

SERVED(expect_gets_its_go_ahead_when_the_body_is_read)
{
    struct cel_stream *c = dial(s);
    static const char head[] =
        "POST /back HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n" CLOSE
        "\r\n";

    assert_true(cel_write(c, head, sizeof head - 1) > 0);
    collect(c, "\r\n\r\n");
    SAYS("100 Continue");
    assert_true(cel_write(c, "ok", 2) > 0);
    collect(c, NULL);
    SAYS("\r\n\r\nok");
    cel_close(c);
}

SERVED(streamed_answers_are_chunked_or_closed)
{
    ask(s, GET("/stream", CLOSE), 1000);
    SAYS("Transfer-Encoding: chunked");
    SAYS("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    ask(s, "GET /stream HTTP/1.0\r\n\r\n", 1000);
    SAYS("\r\n\r\nonetwo");
    ask(s, GET("/short", ""), 1000); /* the connection ends: the client sees that it is short */
    SAYS("Content-Length: 10\r\n");
}

SERVED(handler_failures_and_misuse)
{
    ask(s, GET("/fails", ""), 1000);
    SAYS("500 Internal Server Error");
    ask(s, GET("/inject", CLOSE), 1000);
    SAYS("X-Good: 1");
    assert_null(strstr(answer, "Set-Cookie"));
    ask(s, GET("/nothing", CLOSE), 1000);
    SAYS("204 No Content");
}

SERVED(what_is_not_http_is_refused_and_closed)
{
    static const struct {
        const char *bytes, *status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: a\n\n", "400"},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "400"},
        {"\x16\x03\x01 not http", "400"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[32];

        ask(s, cases[i].bytes, 1000);
        snprintf(line, sizeof line, "HTTP/1.1 %s ", cases[i].status);
        assert_memory_equal(answer, line, strlen(line));
        SAYS("Connection: close");
    }
}

SERVED(large_and_slow_heads_are_refused)
{
    static char big[4096];
    struct cel_stream *c;

    snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: x\r\nX: %03000d\r\n\r\n", 0);
    ask(s, big, sizeof big);
    SAYS("431");
    c = dial(s);
    assert_true(cel_write(c, "GET / HT", 8) == 8);
    collect(c, NULL);
    SAYS("408 Request Timeout");
    cel_close(c);
}

SERVED(stop_lets_a_request_under_way_finish)
{
    struct cel_stream *c = dial(s), *idle = dial(s);
    static const char head[] = GET("/late", "");

    gate = cel_future_new();
    is_asked = false;
    assert_true(cel_write(c, head, sizeof head - 1) > 0);
    while (!is_asked)
        assert_int_equal(cel_yield(), 0);
    cel_server_stop(s);
    collect(idle, NULL); /* the door is shut then */
    assert_string_equal(answer, "");
    assert_int_equal(cel_future_set(gate, NULL), 0);
    collect(c, NULL);
    SAYS("\r\n\r\nlate");
    SAYS("Connection: close");
    cel_close(c);
    cel_close(idle);
    cel_future_free(gate);
}

IN_TASK(server_that_failed_says_why_when_it_is_used)
{
    struct cel_server *none =
        cel_server_new(&(struct cel_server_options){.server_name = "a\r\nB: c"});
    struct cel_server_stats stats = {.open = 1};

    assert_null(none);
    assert_int_equal(cel_serve(none, "127.0.0.1:0"), -EINVAL);
    assert_string_equal(cel_last_error()->phase, "server");
    assert_non_null(strstr(cel_last_error()->text, "server_name"));
    assert_int_equal(cel_route(NULL, "GET /", say_back, NULL), -EINVAL);
    assert_int_equal(cel_route_files(NULL, "/", "."), -EINVAL);
    assert_int_equal(cel_route_files_with(NULL, "/", ".", NULL), -EINVAL);
    assert_int_equal(cel_server_listen(NULL, "127.0.0.1:0"), -EINVAL);
    assert_int_equal(cel_server_run(NULL), -EINVAL);
    assert_string_equal(cel_server_address(NULL), "");
    cel_server_stats(NULL, &stats);
    assert_int_equal(stats.open, 0);
    cel_server_stop(NULL);
    cel_server_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_choose_the_most_literal),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(any_split_gives_the_same_answer),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(body_is_echoed_and_limited),
        cmocka_unit_test(expect_gets_its_go_ahead_when_the_body_is_read),
        cmocka_unit_test(streamed_answers_are_chunked_or_closed),
        cmocka_unit_test(handler_failures_and_misuse),
        cmocka_unit_test(what_is_not_http_is_refused_and_closed),
        cmocka_unit_test(large_and_slow_heads_are_refused),
        cmocka_unit_test(stop_lets_a_request_under_way_finish),
        cmocka_unit_test(server_that_failed_says_why_when_it_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
