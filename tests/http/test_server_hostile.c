/* SPDX-License-Identifier: MIT */
/* Bytes of an enemy, end to end: whatever two readers could frame differently is answered once and
 * closed, what stands behind it is never taken for a request, and no way of leaving harms others.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/cc.h"
#include "http/site.h"
#include "proto/smuggle.h"
#include "support/check.h"
#include "support/intask.h"

static unsigned reached, stolen;

static int note_body(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    if (r < 0)
        return r;
    reached++;
    return cel_reply_text(reply, 200, "read");
}

static int ignore_body(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "ignored");
}

static int be_stolen(struct cel_request *req, struct cel_reply *reply)
{
    stolen++;
    return cel_reply_text(reply, 200, "stolen");
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "POST /x", note_body, NULL), 0);
    assert_int_equal(cel_route(s, "POST /ignore", ignore_body, NULL), 0);
    assert_int_equal(cel_route(s, "GET /stolen", be_stolen, NULL), 0);
    reached = stolen = 0;
}

#define STOLEN "GET /stolen HTTP/1.1\r\nHost: a\r\n\r\n"

/* -> what the server says to these bytes and a request behind them. */
static const char *attack(struct cel_server *s, const char *bytes, size_t len)
{
    struct cel_stream *c = site_dial(s);
    const char *answer;

    assert_int_equal(cel_write(c, bytes, len), len);
    assert_true(site_say(c, STOLEN));
    (void)!cel_shutdown(c);
    answer = site_hear(c, NULL);
    cel_close(c);
    return answer;
}

IN_TASK(smuggled_head_is_answered_once_and_closed)
{
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t i = 0; i < cel__countof(smuggled_requests); i++) {
        struct cel_str text = smuggled_requests[i].text;
        const char *answer = attack(s, text.ptr, text.len);
        unsigned status = site_status(answer);

        if (status < 400 || status > 505 || site_count(answer, "HTTP/1.1 ") != 1 ||
            strstr(answer, "Connection: close\r\n") == NULL || stolen != 0)
            fail_msg("\"%s\" for:\n%.*s", answer, CEL_STR(text));
    }
    assert_int_equal(reached, 0);
    site_await_open(s, 0);
    site_close(s);
}

#define CHUNKED "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define IGNORED "POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Bodies that two readers could end at different places. */
static const char *const bad_chunks[] = {
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhello\r\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5\t\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5h\r\nhello\r\n0\r\n\r\n",
    "5,\r\nhello\r\n0\r\n\r\n",
    "5_0\r\nhello\r\n0\r\n\r\n",
    "g\r\nhello\r\n0\r\n\r\n",
    "\r\n5\r\nhello\r\n0\r\n\r\n",
    "\r\n\r\n",
    ";\r\nhello\r\n0\r\n\r\n",
    "00000000000000005\r\nhello\r\n0\r\n\r\n",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
    "5;\n\r\nhello\r\n0\r\n\r\n",
    "5;a\x01\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "5\r\nhello\r\n0\r\rX\r\n",
    "5\r\nhello\r\n0\r\n\rX",
    "5\r\nhello\r\n0\r\nA b: c\r\n\r\n",
    "5\r\nhello\r\n0\r\n: c\r\n\r\n",
    "5\r\nhello\r\n0\r\nA : c\r\n\r\n",
    "5\r\nhello\r\n0\r\nA: b\n\r\n",
    "5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n",
    "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n0\r\nHost: b\r\n\r\n",
    "5\r\nhello\r\n0\r\nGET /stolen HTTP/1.1\r\n\r\n",
    "5\r\nhello\r\n0;\n\r\n\r\n",
    "\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
    "\xd9\xa5\r\nhello\r\n0\r\n\r\n",
    "'5'\r\nhello\r\n0\r\n\r\n",
    "5.0\r\nhello\r\n0\r\n\r\n",
    "5e0\r\nhello\r\n\r\n",
    "5\r\nhello\r\n-0\r\n\r\n",
    "5\r\nhello\r\n0 \r\n\r\n",
};

IN_TASK(body_framed_wrongly_ends_the_connection_whether_read_or_not)
{
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t i = 0; i < 2 * cel__countof(bad_chunks); i++) {
        bool is_read = i % 2 == 0;
        const char *chunks = bad_chunks[i / 2], *answer;
        char bytes[512];

        snprintf(bytes, sizeof bytes, "%s%s", is_read ? CHUNKED : IGNORED, chunks);
        answer = attack(s, bytes, strlen(bytes));
        if (site_status(answer) != (is_read ? 400 : 200) || site_count(answer, "HTTP/1.1 ") != 1 ||
            stolen != 0)
            fail_msg("\"%s\" for %s:\n%s", answer, is_read ? "read" : "ignored", chunks);
    }
    assert_int_equal(reached, 0);
    site_await_open(s, 0);
    site_close(s);
}

/* ---- leaving ---- */

static const char whole[] =
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    "5\r\nhello\r\n0\r\nA: b\r\n\r\n" STOLEN;

static void reset(struct cel_stream *c)
{
    struct linger now = {.l_onoff = 1};

    assert_int_equal(setsockopt(cel_stream_fd(c), SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    cel_close(c);
}

static void leave_at(struct cel_server *s, size_t at, int how, unsigned pause)
{
    struct cel_stream *c = site_dial(s);

    if (at > 0)
        assert_int_equal(cel_write(c, whole, at), at);
    for (unsigned i = 0; i < pause; i++)
        assert_int_equal(cel_yield(), 0);
    if (how == 0)
        reset(c);
    else
        cel_close(c);
}

IN_KERNEL(client_may_leave_at_each_byte)
{
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t at = 0; at < sizeof whole; at++)
        for (int how = 0; how < 4; how++)
            leave_at(s, at, how % 2, how < 2 ? 0 : 30);
    site_await_open(s, 0);
    SAYS(site_ask(s, "GET /stolen HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "stolen");
    site_close(s);
}

IN_TASK(client_may_end_its_side_at_each_byte)
{
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t at = 0; at < sizeof whole; at++) {
        struct cel_stream *c = site_dial(s);
        const char *answer;

        if (at > 0)
            assert_int_equal(cel_write(c, whole, at), at);
        assert_int_equal(cel_shutdown(c), 0);
        answer = site_hear(c, NULL);
        assert_int_equal(strstr(answer, "read") != NULL, at >= strlen(whole) - strlen(STOLEN));
        assert_int_equal(strstr(answer, "stolen") != NULL, at == strlen(whole));
        cel_close(c);
    }
    site_await_open(s, 0);
    site_close(s);
}

IN_TASK(bytes_that_are_no_http_are_refused_at_the_first)
{
    struct cel_server *s = site_open(NULL, add_routes);

    for (int byte = 0; byte < 256; byte++) {
        struct cel_stream *c;
        char bytes[1] = {(char)byte};
        bool may_begin =
            byte == '\r' || (byte > 32 && byte < 127 && !strchr("\"(),/:;<=>?@[\\]{}", byte));

        if (may_begin)
            continue;
        c = site_dial(s);
        assert_int_equal(cel_write(c, bytes, 1), 1);
        assert_int_equal(site_status(site_hear(c, NULL)), 400);
        cel_close(c);
    }
    site_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smuggled_head_is_answered_once_and_closed),
        cmocka_unit_test(body_framed_wrongly_ends_the_connection_whether_read_or_not),
        cmocka_unit_test(client_may_leave_at_each_byte),
        cmocka_unit_test(client_may_end_its_side_at_each_byte),
        cmocka_unit_test(bytes_that_are_no_http_are_refused_at_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
