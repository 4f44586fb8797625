/* SPDX-License-Identifier: MIT */
/* Uploads that are answered before they have gone out: refusals, servers that do not read, echoes.
 * The bodies are larger than all buffers between the two, so whoever does not read while it writes
 * hangs here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <celadon/http.h>
#include <celadon/server.h>
#include "http/door.h"
#include "http/site.h"
#include "support/intask.h"

#define MUCH ((size_t)24 << 20)
#define OK   "HTTP/1.1 200 OK\r\n"

static char *much; /* MUCH bytes, none like its neighbour */

static int make_much(void **state)
{
    much = malloc(MUCH);
    if (much == NULL)
        return -1;
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (char)(i * 7 + i / 253);
    return 0;
}

static int free_much(void **state)
{
    free(much);
    return 0;
}

/* ---- what is sent ---- */

struct supply {
    size_t at;
    struct cel_future *pause; /* awaited before each piece; NULL: none */
    int code;                 /* what the last call came to */
};

static ssize_t supply(void *arg, void *buf, size_t cap)
{
    struct supply *s = arg;
    size_t n = MUCH - s->at < cap ? MUCH - s->at : cap;

    s->code = s->pause != NULL ? cel_await(s->pause, NULL) : 0;
    if (s->code < 0)
        return s->code;
    memcpy(buf, much + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

enum way { BYTES, CHUNKS, LENGTH, WAYS };

static struct cel_fetch_options body_by(enum way way, struct supply *from)
{
    struct cel_fetch_options options = {.method = "POST"};

    *from = (struct supply){0};
    if (way == BYTES) {
        options.body = (struct cel_str){much, MUCH};
        return options;
    }
    options.body_read = supply;
    options.body_arg = from;
    options.body_size = way == LENGTH ? (int64_t)MUCH : 0;
    return options;
}

/* ---- servers that play bytes ---- */

static struct cel_future *client_is_done;

/* A door whose connections end when the test says so. */
static struct door *door_of(void (*play)(struct door *door, struct cel_stream *peer, unsigned nth))
{
    struct door *door = door_open(NULL, 0);

    door->play = play;
    client_is_done = cel_future_new();
    assert_non_null(client_is_done);
    return door;
}

static void close_door(struct door *door, struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    assert_int_equal(stats.open, stats.idle);
    cel_session_free(web);
    cel_future_set(client_is_done, NULL);
    door_close(door);
    cel_future_free(client_is_done);
}

static unsigned idle_of(const struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    return stats.idle;
}

static bool read_head(struct cel_stream *peer)
{
    char line[512];
    ssize_t n;

    while ((n = cel_read_until(peer, '\n', line, sizeof line)) > 2)
        continue;
    return n == 2;
}

static void say_and_wait(struct cel_stream *peer, const char *text)
{
    if (!read_head(peer))
        return;
    door_say(peer, text);
    (void)!cel_await(client_is_done, NULL);
}

static const char *said; /* by the next */

static void says(struct door *door, struct cel_stream *peer, unsigned nth)
{
    say_and_wait(peer, said);
}

static void says_and_resets(struct door *door, struct cel_stream *peer, unsigned nth)
{
    if (!read_head(peer))
        return;
    door_say(peer, said);
    door_reset(peer);
}

static void says_and_closes(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char scrap[4096];

    if (!read_head(peer))
        return;
    door_say(peer, said);
    (void)!cel_shutdown(peer);
    while (cel_read(peer, scrap, sizeof scrap) > 0)
        continue;
}

/* Every way of sending ends with this page. */
static void expect(void (*play)(struct door *door, struct cel_stream *peer, unsigned nth),
                   const char *answer, int status, const char *text)
{
    for (enum way way = BYTES; way < WAYS; way++) {
        struct door *door = door_of(play);
        struct cel_session *web = cel_session_new(NULL);
        struct cel_response *page;
        struct supply from;
        struct cel_fetch_options options = body_by(way, &from);

        said = answer;
        assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), 0);
        assert_int_equal(page->status, status);
        CHECK_STR(cel_text(page), text);
        assert_true(from.at < MUCH);
        cel_response_free(page);
        assert_int_equal(idle_of(web), 0); /* what was cut short is not used again */
        close_door(door, web);
    }
}

/* Every way of sending fails like this. */
static void fails(void (*play)(struct door *door, struct cel_stream *peer, unsigned nth),
                  const char *answer, int code, const char *phase)
{
    for (enum way way = BYTES; way < WAYS; way++) {
        struct door *door = door_of(play);
        struct cel_session *web =
            cel_session_new(&(struct cel_session_options){.body_max = 100000});
        struct cel_response *page = NULL;
        struct supply from;
        struct cel_fetch_options options = body_by(way, &from);

        said = answer;
        assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), code);
        assert_null(page);
        assert_int_equal(cel_last_error()->code, code);
        assert_string_equal(cel_last_error()->phase, phase);
        assert_true(strlen(cel_last_error()->text) > 10);
        assert_int_equal(idle_of(web), 0);
        close_door(door, web);
    }
}

/* ---- answers to what was not read ---- */

IN_TASK(refusal_ends_the_sending)
{
    expect(says, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig", 413, "big");
    expect(says, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 401, "");
}

IN_TASK(refusal_behind_informational_answers_ends_the_sending)
{
    expect(says,
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
           "HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n"
           "4\r\nbusy\r\n0\r\n\r\n",
           503, "busy");
}

IN_TASK(success_of_who_reads_nothing_ends_the_sending)
{
    expect(says, OK "Content-Length: 6\r\n\r\nenough", 200, "enough");
    expect(says, "HTTP/1.1 204 No Content\r\n\r\n", 204, "");
    expect(says_and_closes, OK "\r\nto the end", 200, "to the end");
}

IN_TASK(noise_behind_the_answer_is_not_taken_for_one)
{
    expect(says, OK "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200,
           "ok");
}

/* Between simulated machines the reset may overtake what was said. */
IN_KERNEL(answer_before_a_reset_is_not_lost)
{
    expect(says_and_resets, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig", 413,
           "big");
    expect(says_and_resets, OK "Content-Length: 2\r\n\r\nok", 200, "ok");
}

IN_TASK(broken_answer_to_who_still_sends_fails_the_request)
{
    fails(says_and_closes, OK "Content-Length: 9\r\n\r\nhalf", -CEL_ETRUNCATED, "body");
    fails(says_and_closes, OK "Conte", -CEL_EEOF, "headers");
    fails(says_and_closes, "", -CEL_EEOF, "headers");
    fails(says, "this is no HTTP\r\n\r\n", -CEL_EPROTOCOL, "headers");
    fails(says, OK "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", -CEL_EDECODE,
          "decode");
    fails(says, OK "Content-Length: 100001\r\n\r\n", -CEL_ETOOLARGE, "body");
}

IN_TASK(refusal_reaches_who_waits_for_more_to_send)
{
    struct door *door = door_of(says);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(CHUNKS, &from);

    said = "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n";
    from.pause = cel_future_new();
    assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), 0);
    assert_int_equal(page->status, 409);
    assert_int_equal(from.code, -ECANCELED);
    cel_response_free(page);
    cel_future_free(from.pause);
    close_door(door, web);
}

static void redirects(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char *head = malloc(HEAD_MAX);

    assert_non_null(head);
    if (nth == 0)
        say_and_wait(peer, said);
    else if (door_read(door, peer, head, HEAD_MAX))
        door_say(peer, OK "Content-Length: 5\r\n\r\nthere");
    free(head);
}

static void follow(const char *answer, const char *method, size_t body_bytes)
{
    struct door *door = door_of(redirects);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(BYTES, &from);

    said = answer;
    assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), 0);
    CHECK_STR(cel_text(page), "there");
    assert_int_equal(door->accepted, 2);
    assert_int_equal(door->body_bytes, body_bytes);
    assert_memory_equal(door->requests[0], method, strlen(method));
    cel_response_free(page);
    close_door(door, web);
}

IN_TASK(redirect_amid_the_body_is_followed)
{
    follow("HTTP/1.1 307 Temporary Redirect\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
           "POST /b ", MUCH);
    follow("HTTP/1.1 303 See Other\r\nLocation: /c\r\nContent-Length: 9999\r\n\r\n", "GET /c ", 0);
}

IN_TASK(redirect_amid_a_stream_cannot_be_followed)
{
    struct door *door = door_of(redirects);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(CHUNKS, &from);

    said = "HTTP/1.1 308 Permanent Redirect\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), -CEL_EREDIRECT);
    close_door(door, web);
}

IN_TASK(server_that_neither_reads_nor_answers_is_given_up)
{
    struct door *door = door_of(says);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(BYTES, &from);

    said = "";
    options.timeouts.read = 20 * CEL_MILLISECOND;
    assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), -ETIMEDOUT);
    assert_string_equal(cel_last_error()->phase, "send");
    close_door(door, web);
}

IN_TASK(scope_around_ends_an_upload_and_its_answer)
{
    struct door *door = door_of(says);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(BYTES, &from);
    int r = 0;

    said = OK "Content-Length: 100\r\n\r\nmore to come";
    CEL_SCOPE (patience, .timeout = 20 * CEL_MILLISECOND)
        r = cel_fetch(web, door_url(door, "/"), &options, &page);
    assert_int_equal(r, -ETIMEDOUT);
    close_door(door, web);
}

/* ---- both ways at once ---- */

static int echo(struct cel_request *req, struct cel_reply *reply)
{
    char piece[16384];
    ssize_t n = 0;
    int r = cel_reply_begin(reply, 200, NULL, -1);

    while (r == 0 && (n = cel_request_read(req, piece, sizeof piece)) > 0)
        if ((r = cel_reply_write(reply, piece, (size_t)n)) == 0)
            r = cel_reply_flush(reply);
    return r < 0 ? r : (int)n;
}

static int count(struct cel_request *req, struct cel_reply *reply)
{
    char piece[16384];
    size_t sum = 0;
    ssize_t n;

    while ((n = cel_request_read(req, piece, sizeof piece)) > 0)
        sum += (size_t)n;
    return n < 0 ? (int)n : cel_reply_text(reply, 200, "%zu", sum);
}

static int ignore(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 403, "no");
}

static void add_routes(struct cel_server *server)
{
    assert_int_equal(cel_route(server, "POST /echo", echo, NULL), 0);
    assert_int_equal(cel_route(server, "POST /count", count, NULL), 0);
    assert_int_equal(cel_route(server, "POST /ignore", ignore, NULL), 0);
}

static const struct cel_server_options large = {.body_bytes_max = 2 * MUCH};

static const char *url_of(const struct cel_server *server, const char *path)
{
    static char url[128];

    snprintf(url, sizeof url, "http://%s%s", cel_server_address(server), path);
    return url;
}

static void expect_much(struct cel_str text)
{
    assert_int_equal(text.len, MUCH);
    assert_true(memcmp(text.ptr, much, MUCH) == 0);
}

IN_TASK(echo_comes_back_while_it_is_sent)
{
    struct cel_server *server = site_open(&large, add_routes);
    struct cel_session *web = cel_session_new(NULL);

    for (enum way way = BYTES; way < WAYS; way++) {
        struct cel_response *page;
        struct supply from;
        struct cel_fetch_options options = body_by(way, &from);

        assert_int_equal(cel_fetch(web, url_of(server, "/echo"), &options, &page), 0);
        assert_int_equal(page->status, 200);
        expect_much(cel_text(page));
        cel_response_free(page);
        assert_int_equal(idle_of(web), 1);
    }
    cel_session_free(web);
    site_close(server);
}

IN_TASK(echo_is_streamed_in_the_order_of_its_bytes)
{
    struct cel_server *server = site_open(&large, add_routes);
    struct cel_session *web = cel_session_new(NULL);

    for (enum way way = BYTES; way < WAYS; way++) {
        char *got = malloc(MUCH + 1);
        struct cel_response *page;
        struct supply from;
        struct cel_fetch_options options = body_by(way, &from);
        size_t len = 0;
        ssize_t n;

        assert_non_null(got);
        options.is_streaming = true;
        assert_int_equal(cel_fetch(web, url_of(server, "/echo"), &options, &page), 0);
        assert_int_equal(cel_text(page).len, 0);
        while ((n = cel_response_read(page, got + len, MUCH + 1 - len)) > 0)
            len += (size_t)n;
        assert_int_equal(n, 0);
        expect_much((struct cel_str){got, len});
        cel_response_free(page);
        assert_int_equal(idle_of(web), 1);
        free(got);
    }
    cel_session_free(web);
    site_close(server);
}

IN_TASK(echo_that_was_streamed_in_part_is_loaded)
{
    struct cel_server *server = site_open(&large, add_routes);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(CHUNKS, &from);
    char first[1000];

    options.is_streaming = true;
    assert_int_equal(cel_fetch(web, url_of(server, "/echo"), &options, &page), 0);
    assert_int_equal(cel_response_read(page, first, sizeof first), sizeof first);
    assert_memory_equal(first, much, sizeof first);
    assert_int_equal(cel_response_load(page), 0);
    assert_int_equal(cel_text(page).len, MUCH - sizeof first);
    assert_true(memcmp(cel_text(page).ptr, much + sizeof first, MUCH - sizeof first) == 0);
    cel_response_free(page);
    cel_session_free(web);
    site_close(server);
}

static void *reads_away(void *arg)
{
    char scrap[4096];

    while (cel_read(arg, scrap, sizeof scrap) > 0)
        continue;
    return NULL;
}

/* Answers at once with as much as it gets, whatever that is. */
static void answers_much(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[100];

    if (!read_head(peer))
        return;
    CEL_SCOPE (both) {
        assert_int_equal(cel_go(reads_away, peer), 0);
        snprintf(head, sizeof head, OK "Content-Length: %zu\r\n\r\n", MUCH);
        door_say(peer, head);
        (void)!cel_write(peer, much, MUCH);
    }
}

IN_TASK(much_of_a_streamed_answer_waits_until_all_is_sent)
{
    struct door *door = door_of(answers_much);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.body_max = 1 << 20});
    struct cel_response *page;
    struct supply from;
    struct cel_fetch_options options = body_by(CHUNKS, &from);

    options.is_streaming = true;
    options.body_max = 2 * MUCH;
    assert_int_equal(cel_fetch(web, door_url(door, "/"), &options, &page), 0);
    assert_int_equal(from.at, MUCH);
    assert_int_equal(cel_response_load(page), 0);
    expect_much(cel_text(page));
    cel_response_free(page);
    close_door(door, web);
}

IN_TASK(upload_that_went_out_keeps_its_connection)
{
    struct cel_server *server = site_open(&large, add_routes);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_session_stats stats;

    for (int i = 0; i < 2 * WAYS; i++) {
        struct cel_response *page;
        struct supply from;
        struct cel_fetch_options options = body_by((enum way)(i % WAYS), &from);

        assert_int_equal(cel_fetch(web, url_of(server, "/count"), &options, &page), 0);
        assert_int_equal(strtoul(cel_text(page).ptr, NULL, 10), MUCH);
        cel_response_free(page);
    }
    cel_session_stats(web, &stats);
    assert_int_equal(stats.connections, 1);
    cel_session_free(web);
    site_close(server);
}

/* The two of this library: the handler looks at nothing, or the body is more than is taken. */
IN_TASK(our_server_refuses_our_client)
{
    struct cel_server *server = site_open(NULL, add_routes);
    struct cel_session *web = cel_session_new(NULL);

    for (int i = 0; i < 2 * WAYS; i++) {
        struct cel_response *page;
        struct supply from;
        struct cel_fetch_options options = body_by((enum way)(i % WAYS), &from);

        assert_int_equal(
            cel_fetch(web, url_of(server, i < WAYS ? "/ignore" : "/count"), &options, &page), 0);
        assert_int_equal(page->status, i < WAYS ? 403 : 413);
        cel_response_free(page);
        assert_int_equal(idle_of(web), 0);
    }
    cel_session_free(web);
    site_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusal_ends_the_sending),
        cmocka_unit_test(refusal_behind_informational_answers_ends_the_sending),
        cmocka_unit_test(success_of_who_reads_nothing_ends_the_sending),
        cmocka_unit_test(noise_behind_the_answer_is_not_taken_for_one),
        cmocka_unit_test(answer_before_a_reset_is_not_lost),
        cmocka_unit_test(broken_answer_to_who_still_sends_fails_the_request),
        cmocka_unit_test(refusal_reaches_who_waits_for_more_to_send),
        cmocka_unit_test(redirect_amid_the_body_is_followed),
        cmocka_unit_test(redirect_amid_a_stream_cannot_be_followed),
        cmocka_unit_test(server_that_neither_reads_nor_answers_is_given_up),
        cmocka_unit_test(scope_around_ends_an_upload_and_its_answer),
        cmocka_unit_test(echo_comes_back_while_it_is_sent),
        cmocka_unit_test(echo_is_streamed_in_the_order_of_its_bytes),
        cmocka_unit_test(echo_that_was_streamed_in_part_is_loaded),
        cmocka_unit_test(much_of_a_streamed_answer_waits_until_all_is_sent),
        cmocka_unit_test(upload_that_went_out_keeps_its_connection),
        cmocka_unit_test(our_server_refuses_our_client),
    };

    return cmocka_run_group_tests(tests, make_much, free_much);
}
