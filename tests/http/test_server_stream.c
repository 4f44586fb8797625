/* SPDX-License-Identifier: MIT */
/* Bodies that flow, both ways: memory stays bounded while the other side does not read, and half an
 * answer never looks like a whole one. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/site.h"
#include "support/check.h"
#include "support/intask.h"

#define MUCH  (48 << 20)
#define PIECE (64 * 1024)
/* What the kernel may hold between the two on this machine, and some. */
#define HELD_MAX  (24 << 20)
#define OWNED_MAX (1 << 20)

/* ---- memory that the library holds ---- */

static size_t owned, owned_max;

static void *note(void *block)
{
    owned += malloc_usable_size(block);
    if (owned > owned_max)
        owned_max = owned;
    return block;
}

static void *counted_alloc(size_t size, void *arg)
{
    return note(malloc(size));
}

static void *counted_realloc(void *ptr, size_t size, void *arg)
{
    owned -= malloc_usable_size(ptr);
    return note(realloc(ptr, size));
}

static void counted_free(void *ptr, void *arg)
{
    owned -= malloc_usable_size(ptr);
    free(ptr);
}

static const struct cel_allocator counted = {counted_alloc, counted_realloc, counted_free, NULL};

/* ---- handlers ---- */

static size_t produced, consumed;

static int say_much(struct cel_request *req, struct cel_reply *reply)
{
    static char piece[PIECE];
    bool is_counted = cel_request_query_param(req, "counted") != NULL;
    int r = cel_reply_begin(reply, 200, "text/plain", is_counted ? MUCH : -1);

    for (produced = 0; produced < MUCH && r == 0; produced += PIECE)
        r = cel_reply_write(reply, piece, PIECE);
    return r;
}

static struct cel_future *gate;

static int read_behind_gate(struct cel_request *req, struct cel_reply *reply)
{
    static char piece[PIECE];
    ssize_t n = cel_request_read(req, piece, 1);

    consumed = n > 0 ? (size_t)n : 0;
    if (n > 0 && cel_await(gate, NULL) < 0)
        return -ECANCELED;
    while (n > 0) {
        n = cel_request_read(req, piece, sizeof piece);
        consumed += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? (int)n : cel_reply_text(reply, 200, "%zu", consumed);
}

static int echo(struct cel_request *req, struct cel_reply *reply)
{
    char piece[4096];
    ssize_t n = 0;
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    while (r == 0 && (n = cel_request_read(req, piece, sizeof piece)) > 0) {
        r = cel_reply_write(reply, piece, (size_t)n);
        if (r == 0)
            r = cel_reply_flush(reply);
    }
    return r < 0 ? r : (int)n;
}

static int fail_before(struct cel_request *req, struct cel_reply *reply)
{
    return -EIO;
}

static int fail_behind_head(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    if (r == 0)
        r = cel_reply_write(reply, "half", 4);
    return r < 0 ? r : -EIO;
}

static int fail_behind_length(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", 8);

    if (r == 0)
        r = cel_reply_write(reply, "half", 4);
    return r < 0 ? r : -EIO;
}

static int say_too_much(struct cel_request *req, struct cel_reply *reply)
{
    assert_int_equal(cel_reply_write(reply, "x", 1), -EALREADY);
    assert_int_equal(cel_reply_begin(reply, 199, "text/plain", 4), -EINVAL);
    assert_int_equal(cel_reply_begin(reply, 200, "text/plain", 4), 0);
    assert_true(cel_reply_has_begun(reply));
    assert_int_equal(cel_reply_header(reply, "X-Late", "1"), -EALREADY);
    assert_int_equal(cel_reply_write(reply, "12345", 5), -EMSGSIZE);
    assert_int_equal(cel_reply_write(reply, "1234", 4), 0);
    assert_int_equal(cel_reply_write(reply, "", 0), 0);
    return cel_reply_begin(reply, 200, "text/plain", 4) == -EALREADY ? 0 : -EIO;
}

static int say_by_code(struct cel_request *req, struct cel_reply *reply)
{
    return -(int)strtol(cel_param(req, "code"), NULL, 10);
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "GET /much", say_much, NULL), 0);
    assert_int_equal(cel_route(s, "POST /slow", read_behind_gate, NULL), 0);
    assert_int_equal(cel_route(s, "POST /echo", echo, NULL), 0);
    assert_int_equal(cel_route(s, "GET /fail/before", fail_before, NULL), 0);
    assert_int_equal(cel_route(s, "GET /fail/head", fail_behind_head, NULL), 0);
    assert_int_equal(cel_route(s, "GET /fail/length", fail_behind_length, NULL), 0);
    assert_int_equal(cel_route(s, "GET /toomuch", say_too_much, NULL), 0);
    assert_int_equal(cel_route(s, "GET /code/{code}", say_by_code, NULL), 0);
}

static const struct cel_server_options large = {.body_bytes_max = MUCH};

/* ---- back-pressure ---- */

/* Reads slowly; at each step the server is at most what the kernel holds ahead. */
static void read_slowly(struct cel_server *s, const char *request)
{
    static char sink[PIECE];
    struct cel_stream *c = site_dial(s);
    size_t got = 0;
    ssize_t n;

    produced = 0;
    owned_max = owned;
    assert_true(site_say(c, request));
    for (int i = 0; i < 500; i++)
        assert_int_equal(cel_yield(), 0);
    while ((n = cel_read(c, sink, sizeof sink)) > 0) {
        got += (size_t)n;
        assert_true(produced <= got + HELD_MAX);
    }
    assert_int_equal(n, 0);
    assert_true(got > MUCH && produced == MUCH);
    assert_true(owned_max < OWNED_MAX);
    cel_close(c);
}

IN_TASK(answer_is_made_no_faster_than_it_is_read)
{
    struct cel_server *s = site_open(&large, add_routes);

    read_slowly(s, GET("/much", CLOSE));
    read_slowly(s, GET("/much?counted=1", CLOSE));
    read_slowly(s, "GET /much HTTP/1.0\r\n\r\n");
    site_close(s);
}

struct push {
    struct cel_stream *client;
    size_t written;
};

static void *push_body(void *arg)
{
    static const char piece[PIECE];
    struct push *push = arg;

    while (push->written < MUCH) {
        assert_int_equal(cel_write(push->client, piece, PIECE), PIECE);
        push->written += PIECE;
    }
    return NULL;
}

IN_TASK(body_is_taken_no_faster_than_it_is_read)
{
    struct cel_server *s = site_open(&large, add_routes);
    struct push push = {.client = site_dial(s)};
    char head[128], want[32];

    gate = cel_future_new();
    assert_non_null(gate);
    consumed = 0;
    owned_max = owned;
    snprintf(head, sizeof head, "POST /slow HTTP/1.1\r\n" HOST CLOSE "Content-Length: %d\r\n\r\n",
             MUCH);
    assert_true(site_say(push.client, head));
    CEL_SCOPE (pushing) {
        assert_int_equal(cel_go(push_body, &push), 0);
        while (consumed == 0)
            assert_int_equal(cel_yield(), 0);
        for (int i = 0; i < 2000; i++)
            assert_int_equal(cel_yield(), 0);
        assert_true(push.written < HELD_MAX);
        assert_true(owned_max < OWNED_MAX);
        assert_int_equal(cel_future_set(gate, NULL), 0);
    }
    snprintf(want, sizeof want, "\r\n\r\n%d", MUCH);
    SAYS(site_hear(push.client, NULL), want);
    assert_true(owned_max < OWNED_MAX);
    cel_close(push.client);
    cel_future_free(gate);
    site_close(s);
}

/* Whoever sends the next piece only when the last has come back. */
IN_TASK(conversation_within_one_exchange_does_not_stall)
{
    struct cel_server *s = site_open(&large, add_routes);
    struct cel_stream *c = site_dial(s);

    assert_true(
        site_say(c, "POST /echo HTTP/1.1\r\n" HOST CLOSE "Transfer-Encoding: chunked\r\n\r\n"));
    SAYS(site_hear(c, "\r\n\r\n"), "Transfer-Encoding: chunked");
    for (int i = 0; i < 5; i++) {
        assert_true(site_say(c, "4\r\nping\r\n"));
        SAYS(site_hear(c, "ping\r\n"), "4\r\nping\r\n");
    }
    assert_true(site_say(c, "0\r\nX-Trailer: 1\r\n\r\n"));
    assert_string_equal(site_hear(c, NULL), "0\r\n\r\n");
    cel_close(c);
    site_close(s);
}

IN_TASK(answers_before_a_body_is_whole_are_not_held_back)
{
    struct cel_server *s = site_open(&large, add_routes);
    struct cel_stream *c = site_dial(s);

    assert_true(site_say(c, GET("/toomuch", "") "POST /echo HTTP/1.1\r\n" HOST CLOSE
                                                "Content-Length: 4\r\n\r\nab"));
    SAYS(site_hear(c, "1234"), "200 OK");
    assert_true(site_say(c, "cd"));
    SAYS(site_hear(c, NULL), "0\r\n\r\n");
    cel_close(c);
    site_close(s);
}

/* ---- failures ---- */

IN_TASK(failed_handler_is_a_500_or_half_an_answer)
{
    struct cel_server *s = site_open(NULL, add_routes);
    const char *answer;

    answer = site_ask(s, GET("/fail/before", ""));
    SAYS(answer, "500 Internal Server Error");
    SAYS(answer, "Connection: close");
    assert_null(strstr(answer, "EIO"));
    answer = site_ask(s, GET("/fail/head", "") GET("/toomuch", ""));
    SAYS(answer, "\r\n\r\n4\r\nhalf\r\n");
    assert_null(strstr(answer, "\r\n0\r\n"));
    assert_int_equal(site_count(answer, "HTTP/1.1"), 1);
    answer = site_ask(s, GET("/fail/length", "") GET("/toomuch", ""));
    SAYS(answer, "Content-Length: 8\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\nhalf");
    SAYS(site_ask(s, GET("/toomuch", CLOSE)), "\r\n\r\n1234");
    site_close(s);
}

IN_TASK(code_of_a_handler_becomes_its_status)
{
    static const struct {
        int code;
        unsigned status;
    } cases[] = {{ENOMEM, 503}, {EMFILE, 503}, {ETIMEDOUT, 408}, {EIO, 500}, {EPIPE, 500}};
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char request[128];

        snprintf(request, sizeof request, "GET /code/%d HTTP/1.1\r\n" HOST "\r\n", cases[i].code);
        assert_int_equal(site_status(site_ask(s, request)), cases[i].status);
    }
    site_close(s);
}

IN_TASK(client_that_leaves_amid_an_answer_ends_it)
{
    struct cel_server *s = site_open(&large, add_routes);

    for (int i = 0; i < 8; i++) {
        struct cel_stream *c = site_dial(s);

        assert_true(site_say(c, i % 2 ? GET("/much", "") : GET("/much?counted=1", "")));
        SAYS(site_hear(c, "\r\n\r\n"), "200 OK");
        cel_close(c);
        site_await_open(s, 0);
        assert_true(produced < MUCH);
    }
    site_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer_is_made_no_faster_than_it_is_read),
        cmocka_unit_test(body_is_taken_no_faster_than_it_is_read),
        cmocka_unit_test(conversation_within_one_exchange_does_not_stall),
        cmocka_unit_test(answers_before_a_body_is_whole_are_not_held_back),
        cmocka_unit_test(failed_handler_is_a_500_or_half_an_answer),
        cmocka_unit_test(code_of_a_handler_becomes_its_status),
        cmocka_unit_test(client_that_leaves_amid_an_answer_ends_it),
    };

    cel_set_allocator(&counted);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
