/* SPDX-License-Identifier: MIT */
/* The client against a server that plays exact bytes: framing, reuse, failures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <celadon/http.h>
#include "http/door.h"
#include "support/intask.h"

static struct cel_session_stats stats_of(struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    return stats;
}

/* The code that a GET ends with; the phase must be the one named. */
static int fails_in(struct cel_session *web, const char *url, const char *phase)
{
    struct cel_response *page = NULL;
    int r = cel_get(web, url, &page);

    assert_true(r < 0);
    assert_null(page);
    assert_int_equal(cel_last_error()->code, r);
    assert_string_equal(cel_last_error()->phase, phase);
    assert_true(strlen(cel_last_error()->text) > 10);
    return r;
}

static void expect_page(struct cel_session *web, const char *url, int status, const char *text)
{
    struct cel_response *page;

    assert_int_equal(cel_get(web, url, &page), 0);
    assert_int_equal(page->status, status);
    CHECK_STR(cel_text(page), text);
    assert_int_equal(cel_text(page).ptr[cel_text(page).len], '\0');
    cel_response_free(page);
}

/* ---- one exchange ---- */

IN_TASK(get_returns_status_fields_and_body)
{
    DOOR(door, {"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\nx-a: 2\r\n"
                "Content-Length: 5\r\n\r\nhello"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    struct cel_str name, value;

    assert_int_equal(cel_get(web, door_url(door, "/0"), &page), 0);
    assert_int_equal(page->status, 200);
    CHECK_STR(page->reason, "OK");
    CHECK_STR(cel_text(page), "hello");
    CHECK_STR(cel_response_header(page, "content-TYPE"), "text/plain");
    assert_null(cel_response_header(page, "X-B").ptr);
    assert_true(cel_response_header_at(page, 2, &name, &value));
    CHECK_STR(name, "x-a");
    CHECK_STR(value, "2");
    assert_false(cel_response_header_at(page, 4, &name, &value));
    assert_string_equal(page->url, door_url(door, "/0"));
    assert_int_equal(page->history_count, 0);
    cel_response_free(page);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(request_has_the_default_fields)
{
    DOOR(door, {"HTTP/1.1 204 No Content\r\n\r\n"});
    struct cel_session *web = cel_session_new(NULL);
    char expected[256];

    expect_page(web, door_url(door, "/0?q=%%20x#part"), 204, "");
    snprintf(expected, sizeof expected,
             "GET /0?q=%%20x HTTP/1.1\r\nHost: %s\r\nUser-Agent: celadon/%s\r\nAccept: */*\r\n"
             "Accept-Encoding: gzip, deflate, br, zstd\r\n\r\n",
             cel_listener_address(door->listener), cel_version());
    assert_string_equal(door->requests[0], expected);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(request_fields_replace_those_of_the_session)
{
    DOOR(door, {"HTTP/1.1 204 No Content\r\n\r\n"});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){
        .user_agent = "",
        .no_decoding = true,
        .headers = (struct cel_header[]){{"Accept", "text/html"}, {"X-One", "1"}, {0}},
    });
    struct cel_fetch_options options = {
        .headers = (struct cel_header[]){{"x-one", "2"}, {"X-Two", ""}, {0}}};
    struct cel_response *page;

    expect_page(web, door_url(door, "/0"), 204, "");
    assert_non_null(strstr(door->requests[0], "\r\nAccept: text/html\r\nX-One: 1\r\n\r\n"));
    assert_null(strstr(door->requests[0], "User-Agent"));
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    assert_non_null(
        strstr(door->requests[1], "\r\nAccept: text/html\r\nx-one: 2\r\nX-Two: \r\n\r\n"));
    cel_response_free(page);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(request_that_cannot_be_sent_is_refused)
{
    static const struct cel_header bad[][2] = {
        {{"A\r\nB", "1"}},
        {{"A", "1\r\nB: 2"}},
        {{"A", "1\n"}},
        {{"", "1"}},
        {{"A b", "1"}},
        {{"Host", "x"}},
        {{"content-length", "3"}},
        {{"Transfer-Encoding", "chunked"}},
        {{"Connection", "close"}},
        {{"TE", "trailers"}},
        {{"Expect", "100-continue"}},
        {{"Upgrade", "h2c"}},
        {{"A", NULL}},
    };
    DOOR(door, {"HTTP/1.1 204 No Content\r\n\r\n"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cel_fetch_options options = {.headers = bad[i]};

        assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), -EINVAL);
        assert_string_equal(cel_last_error()->phase, "headers");
    }
    assert_int_equal(cel_fetch(web, door_url(door, "/0"),
                               &(struct cel_fetch_options){.method = "GET /x"}, &page),
                     -EINVAL);
    assert_int_equal(door->request_count, 0);
    assert_int_equal(stats_of(web).waiting, 0);
    expect_page(web, door_url(door, "/0"), 204, "");
    cel_session_free(web);
    door_close(door);
    assert_null(cel_session_new(
        &(struct cel_session_options){.headers = (struct cel_header[]){{"A", "\r"}, {0}}}));
    assert_non_null(strstr(cel_last_error()->text, "default header"));
}

/* ---- framing ---- */

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer framings[] = {
    {OK "Content-Length: 5\r\n\r\nhello"},
    {OK "Content-Length: 0\r\n\r\n"},
    {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"},
    {OK "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n4\r\nello\r\n0\r\nX-Sum: 1\r\n\r\n"},
    {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {OK "\r\nuntil the end", CLOSE},
    {"HTTP/1.0 200 OK\r\n\r\nold", CLOSE},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold"},
    {OK "Connection: close\r\nContent-Length: 4\r\n\r\nlast", CLOSE},
    {"HTTP/1.1 204 No Content\r\n\r\n"},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK
     "Content-Length: 2\r\n\r\nhi"},
    {"HTTP/1.1 404 \r\nContent-Length: 4\r\n\r\nnone"},
};

static const struct {
    int status;
    const char *text;
    bool keeps;
} framed[] = {
    {200, "hello", true}, {200, "", true},    {200, "hello world", true},
    {200, "hello", true}, {200, "", true},    {200, "until the end", false},
    {200, "old", false},  {200, "old", true}, {200, "last", false},
    {204, "", true},      {304, "", true},    {200, "hi", true},
    {404, "none", true},
};

static void get_each_framing(bool is_bytewise)
{
    struct answer answers[sizeof framings / sizeof framings[0]];
    size_t count = sizeof framings / sizeof framings[0];
    struct cel_session *web = cel_session_new(NULL);
    struct door *door;

    memcpy(answers, framings, sizeof answers);
    for (size_t i = 0; i < count; i++)
        answers[i].is_bytewise = is_bytewise;
    door = door_open(answers, count);
    for (size_t i = 0; i < count; i++) {
        unsigned idle;

        expect_page(web, door_url(door, "/%zu", i), framed[i].status, framed[i].text);
        idle = stats_of(web).idle;
        assert_int_equal(idle, framed[i].keeps);
        assert_int_equal(stats_of(web).open, idle);
    }
    cel_session_free(web);
    door_close(door);
}

IN_TASK(each_framing_gives_its_body)
{
    get_each_framing(false);
}

IN_TASK(each_framing_gives_its_body_byte_by_byte)
{
    get_each_framing(true);
}

IN_TASK(head_has_no_body_whatever_its_length_says)
{
    DOOR(door, {OK "Content-Length: 1000\r\n\r\n"}, {OK "Transfer-Encoding: chunked\r\n\r\n"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(cel_fetch(web, door_url(door, "/%d", i % 2),
                                   &(struct cel_fetch_options){.method = "HEAD"}, &page),
                         0);
        assert_int_equal(cel_text(page).len, 0);
        cel_response_free(page);
    }
    assert_int_equal(door->accepted, 1);
    assert_memory_equal(door->requests[3], "HEAD /1 HTTP/1.1\r\n", 18);
    cel_session_free(web);
    door_close(door);
}

/* ---- big bodies ---- */

static char *big_answer(const char *head, size_t body_bytes, size_t *len)
{
    size_t head_len = strlen(head);
    char *text = malloc(head_len + body_bytes);

    assert_non_null(text);
    memcpy(text, head, head_len);
    for (size_t i = 0; i < body_bytes; i++)
        text[head_len + i] = (char)('a' + i % 23);
    *len = head_len + body_bytes;
    return text;
}

static void check_big(struct cel_str text, size_t size)
{
    assert_int_equal(text.len, size);
    for (size_t i = 0; i < size; i++)
        if (text.ptr[i] != (char)('a' + i % 23))
            fail_msg("byte %zu is wrong", i);
}

IN_TASK(big_bodies_arrive_whole)
{
    size_t size = 3 << 20, len[2];
    char *with_length = big_answer(OK "Content-Length: 3145728\r\n\r\n", size, &len[0]);
    char *until_close = big_answer(OK "\r\n", size, &len[1]);
    const struct answer answers[] = {{with_length, KEEP, len[0]}, {until_close, CLOSE, len[1]}};
    struct door *door = door_open(answers, 2);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_get(web, door_url(door, "/%d", i), &page), 0);
        check_big(cel_text(page), size);
        cel_response_free(page);
    }
    cel_session_free(web);
    door_close(door);
    free(with_length);
    free(until_close);
}

IN_TASK(streamed_body_is_read_in_pieces)
{
    size_t size = 300000, len, got = 0;
    char *text = big_answer(OK "Content-Length: 300000\r\n\r\n", size, &len), buf[777];
    const struct answer answers[] = {{text, KEEP, len}};
    struct door *door = door_open(answers, 1);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_fetch_options options = {.is_streaming = true};
    struct cel_response *page;
    ssize_t n;

    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    assert_int_equal(cel_text(page).len, 0);
    while ((n = cel_response_read(page, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++, got++)
            assert_int_equal(buf[i], (char)('a' + got % 23));
    assert_int_equal(n, 0);
    assert_int_equal(got, size);
    assert_int_equal(cel_response_read(page, buf, sizeof buf), 0);
    assert_int_equal(stats_of(web).idle, 1);
    cel_response_free(page);
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    assert_int_equal(cel_response_load(page), 0);
    check_big(cel_text(page), size);
    cel_response_free(page);
    assert_int_equal(door->accepted, 1);
    cel_session_free(web);
    door_close(door);
    free(text);
}

IN_TASK(streamed_body_left_unread_costs_its_connection)
{
    DOOR(door, {OK "Content-Length: 100\r\n\r\nonly this much"},
         {OK "Content-Length: 2\r\n\r\nok"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_fetch_options options = {.is_streaming = true};
    struct cel_response *page;
    char buf[4];

    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    assert_int_equal(cel_response_read(page, buf, 4), 4);
    cel_response_free(page);
    assert_int_equal(stats_of(web).open, 0);
    expect_page(web, door_url(door, "/1"), 200, "ok");
    assert_int_equal(door->accepted, 2);
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    cel_session_free(web); /* the response outlives the session */
    assert_int_equal(cel_response_read(page, buf, 4), 4);
    cel_response_free(page);
    door_close(door);
}

/* ---- bodies of requests ---- */

static ssize_t count_down(void *arg, void *buf, size_t cap)
{
    int *left = arg;

    cel_yield();
    if (*left <= 0)
        return *left;
    memset(buf, '0' + *left, 1000);
    return (*left)-- > 0 ? 1000 : 0;
}

IN_TASK(request_bodies_arrive_as_bytes_and_as_streams)
{
    DOOR(door, {OK "Content-Length: 2\r\n\r\nok"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    int left = 3;

    assert_int_equal(cel_post(web, door_url(door, "/0"), "text/plain", CEL_LIT("abc"), &page), 0);
    cel_response_free(page);
    assert_non_null(
        strstr(door->requests[0], "\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n"));
    assert_memory_equal(door->requests[0], "POST /0 ", 8);
    assert_memory_equal(door->bodies, "abc", 3);
    assert_int_equal(
        cel_fetch(web, door_url(door, "/0"),
                  &(struct cel_fetch_options){.body_read = count_down, .body_arg = &left}, &page),
        0);
    cel_response_free(page);
    assert_non_null(strstr(door->requests[1], "\r\nTransfer-Encoding: chunked\r\n\r\n"));
    assert_int_equal(door->body_bytes, 3 + 3 * 1002 + 2);
    left = 2;
    assert_int_equal(cel_fetch(web, door_url(door, "/0"),
                               &(struct cel_fetch_options){.method = "PUT",
                                                           .body_read = count_down,
                                                           .body_arg = &left,
                                                           .body_size = 2000},
                               &page),
                     0);
    cel_response_free(page);
    assert_non_null(strstr(door->requests[2], "\r\nContent-Length: 2000\r\n\r\n"));
    assert_int_equal(cel_post(web, door_url(door, "/0"), NULL, (struct cel_str){0}, &page), 0);
    cel_response_free(page);
    assert_non_null(strstr(door->requests[3], "\r\nContent-Length: 0\r\n\r\n"));
    assert_int_equal(door->accepted, 1);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(request_stream_that_fails_or_lies_fails_the_request)
{
    DOOR(door, {OK "Content-Length: 2\r\n\r\nok"});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    int left = -ENOENT;
    struct cel_fetch_options options = {.body_read = count_down, .body_arg = &left};

    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), -ENOENT);
    assert_string_equal(cel_last_error()->phase, "send");
    left = 3;
    options.body_size = 2999;
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), -EINVAL);
    left = 3;
    options.body_size = 3001;
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), -EINVAL);
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
    door_close(door);
}

static void refuse_early(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char buf[512];

    (void)!cel_read(peer, buf, sizeof buf);
    door_say(peer, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    (void)!cel_shutdown(peer);
    cel_sleep(20 * CEL_MILLISECOND);
}

IN_TASK(early_answer_to_an_upload_is_not_lost)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    size_t size = 32 << 20;
    char *body = calloc(1, size);

    door->play = refuse_early;
    assert_int_equal(cel_post(web, door_url(door, "/0"), NULL, (struct cel_str){body, size}, &page),
                     0);
    assert_int_equal(page->status, 413);
    CHECK_STR(cel_text(page), "big");
    cel_response_free(page);
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
    door_close(door);
    free(body);
}

/* ---- failures ---- */

IN_KERNEL(lying_servers_are_named)
{
    static const struct {
        struct answer answer;
        int code;
        const char *phase;
    } lies[] = {
        {{"", CLOSE}, -CEL_EEOF, "headers"},
        {{"HTTP/1.1 200 OK\r\nConte", CLOSE}, -CEL_EEOF, "headers"},
        {{NULL, RESET}, -ECONNRESET, "headers"},
        {{OK "Content-Length: 10\r\n\r\nshort", CLOSE}, -CEL_ETRUNCATED, "body"},
        {{OK "Content-Length: 100000\r\n\r\nshort", CLOSE}, -CEL_ETRUNCATED, "body"},
        {{OK "Content-Length: 10\r\n\r\nshort", RESET}, 0, "body"},
        {{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", CLOSE}, -CEL_ETRUNCATED, "body"},
        {{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", CLOSE}, -CEL_ETRUNCATED, "body"},
        {{OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", CLOSE}, -CEL_EPROTOCOL, "body"},
        {{OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", CLOSE},
         -CEL_EPROTOCOL,
         "headers"},
        {{"SSH-2.0-OpenSSH_9.2\r\n", CLOSE}, -CEL_EPROTOCOL, "headers"},
        {{"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", CLOSE}, -CEL_EPROTOCOL, "headers"},
        {{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", CLOSE},
         -CEL_EPROTOCOL,
         "headers"},
    };
    struct answer answers[sizeof lies / sizeof lies[0]];
    struct cel_session *web = cel_session_new(NULL);
    struct door *door;

    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        answers[i] = lies[i].answer;
    door = door_open(answers, sizeof lies / sizeof lies[0]);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        int r = fails_in(web, door_url(door, "/%zu", i), lies[i].phase);

        if (lies[i].code != 0)
            assert_int_equal(r, lies[i].code);
        assert_int_equal(stats_of(web).open, 0);
    }
    cel_session_free(web);
    door_close(door);
}

IN_TASK(refused_connection_names_the_phase)
{
    DOOR(door, {OK "\r\n", CLOSE});
    struct cel_session *web = cel_session_new(NULL);
    const char *url = door_url(door, "/0");

    door_close(door);
    assert_int_equal(fails_in(web, url, "connect"), -ECONNREFUSED);
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
}

static void endless_head(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    if (!door_read(door, peer, head, sizeof head))
        return;
    door_say(peer, "HTTP/1.1 200 OK\r\n");
    while (cel_write(peer, "X-Filler: 0123456789012345678901234567890123456789\r\n", 52) > 0)
        continue;
}

static void endless_hints(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    if (!door_read(door, peer, head, sizeof head))
        return;
    while (cel_write(peer, "HTTP/1.1 103 Early Hints\r\n\r\n", 28) > 0)
        continue;
}

static void endless_body(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];
    static char block[65536];

    if (!door_read(door, peer, head, sizeof head))
        return;
    door_say(peer, "HTTP/1.1 200 OK\r\n\r\n");
    while (cel_write(peer, block, sizeof block) > 0)
        continue;
}

IN_TASK(endless_answers_meet_their_limits)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.body_max = 1 << 20});

    door->play = endless_head;
    assert_int_equal(fails_in(web, door_url(door, "/"), "headers"), -CEL_ETOOLARGE);
    door->play = endless_hints;
    assert_int_equal(fails_in(web, door_url(door, "/"), "headers"), -CEL_EPROTOCOL);
    door->play = endless_body;
    assert_int_equal(fails_in(web, door_url(door, "/"), "body"), -CEL_ETOOLARGE);
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(announced_body_beyond_the_limit_is_not_read)
{
    DOOR(door, {OK "Content-Length: 10000000000000\r\n\r\n", STALL});
    struct cel_session *web = cel_session_new(NULL);

    assert_int_equal(fails_in(web, door_url(door, "/0"), "body"), -CEL_ETOOLARGE);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(stray_bytes_behind_a_body_cost_the_connection)
{
    DOOR(door, {OK "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"});
    struct cel_session *web = cel_session_new(NULL);

    for (int i = 0; i < 3; i++)
        expect_page(web, door_url(door, "/0"), 200, "ok");
    assert_int_equal(door->accepted, 3);
    assert_int_equal(stats_of(web).idle, 0);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(bad_urls_are_named)
{
    static const char *const bad[] = {
        "",
        "example",
        "/path",
        "ftp://a/",
        "file:///etc/passwd",
        "javascript:1",
        "http://",
        "http://[::1",
        "http://a:99999/",
        "http://a b/",
        "http://a/\r\nX: y",
        " http://a/",
        "http://0x7f.1/",
        "http://2130706433/",
        "mailto:a@b",
    };
    struct cel_session *web = cel_session_new(NULL);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(fails_in(web, bad[i], "url"), -CEL_EURL);
    cel_session_free(web);
}

/* ---- timeouts ---- */

IN_TASK(timeouts_name_themselves_and_their_phase)
{
    DOOR(door, {NULL, STALL}, {"HTTP/1.1 2", STALL}, {OK "Content-Length: 9\r\n\r\nha", STALL});
    static const char *const phases[] = {"headers", "headers", "body"};
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    for (int i = 0; i < 3; i++) {
        struct cel_fetch_options options = {.timeouts.read = 5 * CEL_MILLISECOND};

        assert_int_equal(cel_fetch(web, door_url(door, "/%d", i), &options, &page), -ETIMEDOUT);
        assert_string_equal(cel_last_error()->phase, phases[i]);
        assert_non_null(strstr(cel_last_error()->text, "read timeout"));
        options.timeouts = (struct cel_timeouts){.total = 5 * CEL_MILLISECOND, .read = CEL_FOREVER};
        assert_int_equal(cel_fetch(web, door_url(door, "/%d", i), &options, &page), -ETIMEDOUT);
        assert_string_equal(cel_last_error()->phase, phases[i]);
        assert_non_null(strstr(cel_last_error()->text, "total timeout"));
    }
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
    door_close(door);
}

static void *hold_place(void *arg)
{
    struct cel_response *page;
    const char **args = arg;

    return (void *)(intptr_t)cel_get((struct cel_session *)args[0], args[1], &page);
}

IN_TASK(total_timeout_covers_the_wait_for_a_connection)
{
    DOOR(door, {NULL, STALL});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.per_host_max = 1});
    const char *args[] = {(const char *)web, door_url(door, "/0")};
    struct cel_fetch_options options = {.timeouts = {.total = 5 * CEL_MILLISECOND, .connect = 1}};
    struct cel_task *holder = cel_spawn(hold_place, args);
    struct cel_response *page;
    void *result;

    while (door->request_count == 0)
        cel_yield();
    assert_int_equal(cel_fetch(web, args[1], &options, &page), -ETIMEDOUT);
    assert_string_equal(cel_last_error()->phase, "pool");
    cel_task_cancel(holder);
    assert_int_equal(cel_join(holder, &result), 0);
    assert_int_equal((intptr_t)result, -ECANCELED);
    assert_int_equal(stats_of(web).open, 0);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(scope_around_a_fetch_wins)
{
    DOOR(door, {NULL, STALL});
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    int r = 0;

    CEL_SCOPE (s, .timeout = 5 * CEL_MILLISECOND)
        r = cel_get(web, door_url(door, "/0"), &page);
    assert_int_equal(r, -ETIMEDOUT);
    assert_true(cel_scope_expired(&s));
    cel_session_free(web);
    door_close(door);
}

/* ---- nothing to ask ---- */

IN_TASK(session_that_failed_says_why_when_it_is_used)
{
    struct cel_session *none = cel_session_new(&(struct cel_session_options){.timeouts.read = -1});
    struct cel_response *page = NULL;
    struct cel_session_stats stats = {.open = 1};

    assert_null(none);
    assert_int_equal(cel_get(none, "http://127.0.0.1:1/", &page), -EINVAL);
    assert_null(page);
    assert_string_equal(cel_last_error()->phase, "session");
    assert_non_null(strstr(cel_last_error()->text, "timeout"));
    assert_int_equal(cel_get(NULL, "a:b", &page), -EINVAL);
    assert_int_equal(cel_fetch(NULL, NULL, NULL, &page), -EINVAL);
    assert_int_equal(cel_post(NULL, "http://a/", NULL, CEL_LIT("x"), &page), -EINVAL);
    assert_int_equal(cel_post_form(NULL, "http://a/", NULL, &page), -EINVAL);
    assert_int_equal(cel_session_set_cookie(NULL, "http://a/", "a=b"), -EINVAL);
    assert_null(cel_session_cookies(NULL, "http://a/"));
    assert_null(cel_session_export_cookies(NULL));
    assert_int_equal(cel_session_import_cookies(NULL, CEL_LIT("")), -EINVAL);
    cel_session_clear_cookies(NULL);
    cel_session_stats(NULL, &stats);
    assert_int_equal(stats.open, 0);
    cel_session_free(NULL);
}

static void *uses_none(void *arg)
{
    struct cel_response *page;

    assert_int_equal(cel_get(NULL, "http://a/", &page), -EINVAL);
    assert_non_null(strstr(cel_last_error()->text, "no session"));
    return NULL;
}

IN_TASK(session_that_is_missing_is_named)
{
    struct cel_task *task = cel_spawn(uses_none, NULL);

    assert_int_equal(cel_join(task, NULL), 0);
}

IN_TASK(response_that_is_missing_is_empty)
{
    struct cel_str name, value;
    char buf[4];

    assert_int_equal(cel_text(NULL).len, 0);
    assert_null(cel_response_header(NULL, "A").ptr);
    assert_false(cel_response_header_at(NULL, 0, &name, &value));
    assert_int_equal(cel_response_read(NULL, buf, sizeof buf), -EINVAL);
    assert_int_equal(cel_response_load(NULL), -EINVAL);
}

IN_TASK(url_that_is_missing_is_none)
{
    struct cel_session *web = cel_session_new(NULL);
    const struct cel_pair query[] = {{"a", "b"}, {0}};
    struct cel_response *page;

    assert_int_equal(cel_get(web, NULL, &page), -CEL_EURL);
    assert_int_equal(cel_fetch(web, NULL, &(struct cel_fetch_options){.query = query}, &page),
                     -CEL_EURL);
    assert_int_equal(cel_session_set_cookie(web, NULL, "a=b"), -CEL_EURL);
    assert_null(cel_session_cookies(web, NULL));
    cel_session_free(web);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_returns_status_fields_and_body),
        cmocka_unit_test(request_has_the_default_fields),
        cmocka_unit_test(request_fields_replace_those_of_the_session),
        cmocka_unit_test(request_that_cannot_be_sent_is_refused),
        cmocka_unit_test(each_framing_gives_its_body),
        cmocka_unit_test(each_framing_gives_its_body_byte_by_byte),
        cmocka_unit_test(head_has_no_body_whatever_its_length_says),
        cmocka_unit_test(big_bodies_arrive_whole),
        cmocka_unit_test(streamed_body_is_read_in_pieces),
        cmocka_unit_test(streamed_body_left_unread_costs_its_connection),
        cmocka_unit_test(request_bodies_arrive_as_bytes_and_as_streams),
        cmocka_unit_test(request_stream_that_fails_or_lies_fails_the_request),
        cmocka_unit_test(early_answer_to_an_upload_is_not_lost),
        cmocka_unit_test(lying_servers_are_named),
        cmocka_unit_test(refused_connection_names_the_phase),
        cmocka_unit_test(endless_answers_meet_their_limits),
        cmocka_unit_test(announced_body_beyond_the_limit_is_not_read),
        cmocka_unit_test(stray_bytes_behind_a_body_cost_the_connection),
        cmocka_unit_test(bad_urls_are_named),
        cmocka_unit_test(timeouts_name_themselves_and_their_phase),
        cmocka_unit_test(total_timeout_covers_the_wait_for_a_connection),
        cmocka_unit_test(scope_around_a_fetch_wins),
        cmocka_unit_test(session_that_failed_says_why_when_it_is_used),
        cmocka_unit_test(session_that_is_missing_is_named),
        cmocka_unit_test(response_that_is_missing_is_empty),
        cmocka_unit_test(url_that_is_missing_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
