/* SPDX-License-Identifier: MIT */
/* Each head is fed to each scanner in one piece, in every two pieces and byte by byte, out of a
 * buffer that moves; all of these must agree before the answer itself is looked at. */
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "proto/h1_parse.h"
#include "support/check.h"

enum { FIELDS = 100 };

struct answer {
    ssize_t r;
    struct cel__h1_head head;
    struct cel__h1_field fields[FIELDS];
};

static struct cel_str request_of(enum cel__h1_kind kind)
{
    return kind == CEL__H1_REQUEST ? CEL_LIT("request") : CEL_LIT("response");
}

/* Feeds the first `first` bytes, then `step` more each time, each from a fresh place. */
static void feed(struct answer *a, const struct cel__h1_scan *scan, enum cel__h1_kind kind,
                 enum cel__h1_method method, const struct cel__h1_limits *limits,
                 struct cel_str text, size_t first, size_t step)
{
    memset(a, 0, sizeof *a);
    cel__h1_head_init(&a->head, kind, a->fields, FIELDS, limits);
    a->head.method = (uint8_t)method;
    for (size_t len = first;; len = cel__min(len + step, text.len)) {
        char *piece = cel__mem_alloc(len != 0 ? len : 1);

        assert_non_null(piece);
        memcpy(piece, text.ptr, len);
        a->r = cel__h1_parse_by(scan, &a->head, piece, len);
        cel__mem_free(piece);
        if (a->r != 0 || len == text.len)
            return;
    }
}

static void same(const struct answer *a, const struct answer *b, struct cel_str text)
{
    if (a->r != b->r || a->head.error != b->head.error)
        print_error("splits disagree on a %.*s: %zd/%s and %zd/%s\n%.*s\n",
                    CEL_STR(request_of((enum cel__h1_kind)a->head.kind)), a->r,
                    cel__h1_error_text((enum cel__h1_error)a->head.error), b->r,
                    cel__h1_error_text((enum cel__h1_error)b->head.error), CEL_STR(text));
    assert_int_equal(a->r, b->r);
    assert_int_equal(a->head.error, b->head.error);
    if (a->r <= 0)
        return;
    assert_int_equal(a->head.field_count, b->head.field_count);
    assert_memory_equal(a->fields, b->fields, sizeof a->fields);
    assert_int_equal(a->head.known, b->head.known);
    assert_memory_equal(&a->head.method_name, &b->head.method_name, sizeof a->head.method_name);
    assert_memory_equal(&a->head.target, &b->head.target, sizeof a->head.target);
    assert_memory_equal(&a->head.host, &b->head.host, sizeof a->head.host);
    assert_int_equal(a->head.body, b->head.body);
    assert_int_equal(a->head.body_bytes, b->head.body_bytes);
    assert_int_equal(a->head.keep_alive, b->head.keep_alive);
}

static void parse_limited(struct answer *a, enum cel__h1_kind kind, enum cel__h1_method method,
                          const struct cel__h1_limits *limits, struct cel_str text)
{
    const struct cel__h1_scan *scan;
    struct answer other;

    feed(a, cel__h1_scan_nth(0), kind, method, limits, text, text.len, 1);
    for (unsigned n = 0; (scan = cel__h1_scan_nth(n)) != NULL; n++) {
        feed(&other, scan, kind, method, limits, text, text.len, 1);
        same(a, &other, text);
        feed(&other, scan, kind, method, limits, text, 0, 1);
        same(a, &other, text);
        if (text.len > 2000)
            continue;
        for (size_t cut = 1; cut < text.len; cut++) {
            feed(&other, scan, kind, method, limits, text, cut, text.len);
            same(a, &other, text);
        }
    }
}

static void parse(struct answer *a, enum cel__h1_kind kind, struct cel_str text)
{
    parse_limited(a, kind, CEL__H1_GET, NULL, text);
}

static void request_of_a_browser_gives_all_its_parts(void **state)
{
    struct cel_str text = CEL_LIT("POST /a/b?c=d&e HTTP/1.1\r\n"
                                  "Host: example.org:8080\r\n"
                                  "user-agent:Mozilla/5.0 \t\r\n"
                                  "X-Empty:   \r\n"
                                  "Accept-Encoding: \t gzip, br\r\n"
                                  "Content-Length: 12\r\n"
                                  "Cookie: a=b\r\n"
                                  "COOKIE: c=\xc3\xa9\r\n"
                                  "\r\nbody");
    const struct cel__h1_field *f;
    struct answer a;

    parse(&a, CEL__H1_REQUEST, text);
    assert_int_equal(a.r, text.len - 4);
    assert_int_equal(a.head.method, CEL__H1_POST);
    CHECK_STR(cel__h1_slice(text.ptr, a.head.method_name), "POST");
    CHECK_STR(cel__h1_slice(text.ptr, a.head.target), "/a/b?c=d&e");
    CHECK_STR(cel__h1_slice(text.ptr, a.head.host), "example.org:8080");
    assert_int_equal(a.head.version_minor, 1);
    assert_int_equal(a.head.field_count, 7);
    CHECK_STR(cel__h1_get(&a.head, text.ptr, CEL__FIELD_USER_AGENT), "Mozilla/5.0");
    CHECK_STR(cel__h1_get(&a.head, text.ptr, CEL__FIELD_ACCEPT_ENCODING), "gzip, br");
    f = cel__h1_find_name(&a.head, text.ptr, CEL_LIT("x-empty"), 0);
    assert_non_null(f);
    assert_int_equal(f->value_len, 0);
    CHECK_STR(cel__h1_name(text.ptr, f), "X-Empty");
    f = cel__h1_find(&a.head, CEL__FIELD_COOKIE, 0);
    CHECK_STR(cel__h1_value(text.ptr, f), "a=b");
    f = cel__h1_find(&a.head, CEL__FIELD_COOKIE, (uint32_t)(f - a.fields) + 1);
    CHECK_STR(cel__h1_value(text.ptr, f), "c=\xc3\xa9");
    assert_null(cel__h1_find(&a.head, CEL__FIELD_DATE, 0));
    assert_int_equal(a.head.body, CEL__H1_BODY_LENGTH);
    assert_int_equal(a.head.body_bytes, 12);
    assert_true(a.head.keep_alive);
}

static void response_gives_all_its_parts(void **state)
{
    struct cel_str text = CEL_LIT("HTTP/1.1 404 Not  Found\t\xe9\r\nServer: x\r\n"
                                  "Transfer-Encoding: Chunked\r\n\r\n5\r\n");
    struct answer a;

    parse(&a, CEL__H1_RESPONSE, text);
    assert_int_equal(a.r, text.len - 3);
    assert_int_equal(a.head.status, 404);
    CHECK_STR(cel__h1_slice(text.ptr, a.head.reason), "Not  Found\t\xe9");
    assert_int_equal(a.head.body, CEL__H1_BODY_CHUNKED);
    assert_true(a.head.keep_alive);
}

#define HOST "Host: a\r\n"

static void requests_are_framed_by_their_fields(void **state)
{
    static const struct {
        const char *text;
        enum cel__h1_body body;
        uint64_t body_bytes;
        bool keep_alive, expects_continue, expects_unknown, upgrades;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", CEL__H1_BODY_NONE, 0, true, 0, 0, 0},
        {"GET / HTTP/1.0\r\n\r\n", CEL__H1_BODY_NONE, 0, false, 0, 0, 0},
        {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", CEL__H1_BODY_NONE, 0, true, 0, 0, 0},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", CEL__H1_BODY_NONE, 0, true, 0, 0, 0},
        {"GET / HTTP/1.0\r\nConnection: keep-alive,close\r\n\r\n", 0, 0, false, 0, 0, 0},
        {"GET / HTTP/1.1\r\n" HOST "Connection: x , CLOSE\r\n\r\n", 0, 0, false, 0, 0, 0},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", 0, 0, true, 0, 0, 0},
        {"GET / HTTP/1.1\r\n" HOST "Connection: a\r\nConnection: close\r\n\r\n", 0, 0, false, 0, 0,
         0},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", CEL__H1_BODY_NONE, 0, true, 0, 0,
         0},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n",
         CEL__H1_BODY_LENGTH, INT64_MAX, true, 0, 0, 0},
        {"PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", CEL__H1_BODY_CHUNKED, 0,
         true, 0, 0, 0},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n",
         CEL__H1_BODY_LENGTH, 5, true, true, 0, 0},
        {"PUT / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: magic\r\n\r\n",
         CEL__H1_BODY_LENGTH, 5, true, 0, true, 0},
        {"PUT / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", CEL__H1_BODY_LENGTH,
         5, false, 0, 0, 0},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
         0, 0, true, 0, 0, true},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: notupgrade\r\n\r\n", 0, 0,
         true, 0, 0, false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n\r\n", 0, 0, true, 0, 0, false},
        {"GET / HTTP/1.0\r\n" HOST "Upgrade: a\r\nConnection: upgrade\r\n\r\n", 0, 0, false, 0, 0,
         false},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct answer a;

        parse(&a, CEL__H1_REQUEST, (struct cel_str){cases[i].text, strlen(cases[i].text)});
        assert_int_equal(a.r, strlen(cases[i].text));
        assert_int_equal(a.head.body, cases[i].body);
        assert_int_equal(a.head.body_bytes, cases[i].body_bytes);
        assert_int_equal(a.head.keep_alive, cases[i].keep_alive);
        assert_int_equal(a.head.expects_continue, cases[i].expects_continue);
        assert_int_equal(a.head.expects_unknown, cases[i].expects_unknown);
        assert_int_equal(a.head.upgrades, cases[i].upgrades);
    }
}

static void request_targets_have_four_forms(void **state)
{
    static const struct {
        const char *text;
        enum cel__h1_form form;
        const char *host;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", CEL__H1_ORIGIN, "a.b"},
        {"GET //x HTTP/1.1\r\nHost: a.b:1\r\n\r\n", CEL__H1_ORIGIN, "a.b:1"},
        {"GET http://a.b/x HTTP/1.1\r\nHost: A.B\r\n\r\n", CEL__H1_ABSOLUTE, "a.b"},
        {"GET http://a.b?x HTTP/1.1\r\nHost: a.b:80\r\n\r\n", CEL__H1_ABSOLUTE, "a.b"},
        {"GET https://a.b:443 HTTP/1.1\r\nHost: a.b\r\n\r\n", CEL__H1_ABSOLUTE, "a.b:443"},
        {"GET http://[::1]:9/ HTTP/1.0\r\n\r\n", CEL__H1_ABSOLUTE, "[::1]:9"},
        {"CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n", CEL__H1_AUTHORITY, "a.b:443"},
        {"CONNECT a.b:443 HTTP/1.1\r\nHost: a.b\r\n\r\n", CEL__H1_AUTHORITY, "a.b:443"},
        {"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n", CEL__H1_AUTHORITY, "[::1]:443"},
        {"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", CEL__H1_ASTERISK, "127.0.0.1"},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct answer a;

        parse(&a, CEL__H1_REQUEST, (struct cel_str){cases[i].text, strlen(cases[i].text)});
        assert_int_equal(a.r, strlen(cases[i].text));
        assert_int_equal(a.head.form, cases[i].form);
        CHECK_STR(cel__h1_slice(cases[i].text, a.head.host), cases[i].host);
    }
}

static void responses_are_framed_by_status_and_request(void **state)
{
    static const struct {
        enum cel__h1_method method;
        const char *text;
        enum cel__h1_body body;
        uint64_t body_bytes;
        bool keep_alive, leaves_http;
    } cases[] = {
        {CEL__H1_GET, "HTTP/1.1 200 OK\r\n\r\n", CEL__H1_BODY_CLOSE, 0, false, false},
        {CEL__H1_GET, "HTTP/1.1 200\r\n\r\n", CEL__H1_BODY_CLOSE, 0, false, false},
        {CEL__H1_GET, "HTTP/1.1 999 \r\nContent-Length: 3\r\n\r\n", CEL__H1_BODY_LENGTH, 3, true,
         false},
        {CEL__H1_GET, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", CEL__H1_BODY_LENGTH, 3, false,
         false},
        {CEL__H1_GET, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n",
         CEL__H1_BODY_LENGTH, 3, true, false},
        {CEL__H1_GET, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", CEL__H1_BODY_CLOSE, 0,
         false, false},
        {CEL__H1_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", CEL__H1_BODY_NONE, 0, true,
         false},
        {CEL__H1_HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CEL__H1_BODY_NONE,
         0, true, false},
        {CEL__H1_GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", CEL__H1_BODY_NONE,
         0, true, false},
        {CEL__H1_GET, "HTTP/1.1 204 No Content\r\n\r\n", CEL__H1_BODY_NONE, 0, true, false},
        {CEL__H1_GET, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", CEL__H1_BODY_NONE, 0,
         false, false},
        {CEL__H1_GET, "HTTP/1.1 100 Continue\r\n\r\n", CEL__H1_BODY_NONE, 0, true, false},
        {CEL__H1_GET, "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n",
         CEL__H1_BODY_NONE, 0, false, false},
        {CEL__H1_GET, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
         CEL__H1_BODY_NONE, 0, true, true},
        {CEL__H1_CONNECT, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", CEL__H1_BODY_NONE, 0,
         true, true},
        {CEL__H1_CONNECT, "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", CEL__H1_BODY_LENGTH, 5,
         true, false},
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel_str text = {cases[i].text, strlen(cases[i].text)};
        struct answer a;

        parse_limited(&a, CEL__H1_RESPONSE, cases[i].method, NULL, text);
        assert_int_equal(a.r, text.len);
        assert_int_equal(a.head.body, cases[i].body);
        assert_int_equal(a.head.body_bytes, cases[i].body_bytes);
        assert_int_equal(a.head.keep_alive, cases[i].keep_alive);
        assert_int_equal(a.head.leaves_http, cases[i].leaves_http);
    }
}

static void incomplete_heads_want_more(void **state)
{
    static const char *const cases[] = {
        "",
        "\r",
        "\r\n",
        "G",
        "GET ",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost",
        "GET / HTTP/1.1\r\nHost:",
        "GET / HTTP/1.1\r\nHost: a\r",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r",
        /* not yet judged: the line is not whole */
        "GET\x01",
        "GET / HTTP/1.1\r\nHost : a",
    };

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct answer a;

        parse(&a, CEL__H1_REQUEST, (struct cel_str){cases[i], strlen(cases[i])});
        assert_int_equal(a.r, 0);
    }
}

/* GET with a target of `target` bytes, Host, a field "a: " with a value of `value` bytes, and
 * `fields` short ones. */
static struct cel_str sized_request(char *out, size_t size, int target, int value, int fields)
{
    int n = snprintf(out, size, "GET /%0*d HTTP/1.1\r\nHost: a\r\n", target - 1, 1);

    if (value != 0)
        n += snprintf(out + n, size - (size_t)n, "a: %0*d\r\n", value, 1);
    while (fields-- > 0)
        n += snprintf(out + n, size - (size_t)n, "b: c\r\n");
    n += snprintf(out + n, size - (size_t)n, "\r\n");
    return (struct cel_str){out, (size_t)n};
}

static void limits_are_met_to_the_byte(void **state)
{
    static const struct cel__h1_limits limits = {.line_bytes = 64, .head_bytes = 150, .fields = 9};
    static const struct {
        int target, value, fields;
        enum cel__h1_error error;
    } cases[] = {
        {49, 0, 0, CEL__H1_E_NONE},           /* a line of 64 bytes */
        {50, 0, 0, CEL__H1_E_START_TOO_LONG}, /* of 65 */
        {9, 59, 0, CEL__H1_E_NONE},
        {9, 60, 0, CEL__H1_E_FIELD_TOO_LONG},
        {9, 0, 8, CEL__H1_E_NONE},
        {9, 0, 9, CEL__H1_E_TOO_MANY_FIELDS},
        {48, 59, 2, CEL__H1_E_NONE}, /* a head of 150 bytes */
        {49, 59, 2, CEL__H1_E_HEAD_TOO_LARGE},
        {48, 59, 3, CEL__H1_E_HEAD_TOO_LARGE},
    };
    char text[512];

    for (size_t i = 0; i < cel__countof(cases); i++) {
        struct cel_str request =
            sized_request(text, sizeof text, cases[i].target, cases[i].value, cases[i].fields);
        struct answer a;

        parse_limited(&a, CEL__H1_REQUEST, CEL__H1_GET, &limits, request);
        assert_string_equal(cel__h1_error_text((enum cel__h1_error)a.head.error),
                            cel__h1_error_text(cases[i].error));
        if (cases[i].error != CEL__H1_E_NONE)
            assert_int_equal(a.r, -CEL_ETOOLARGE);
        else
            assert_int_equal(a.r, request.len);
    }
}

static void endless_line_is_refused_at_the_limit(void **state)
{
    static char text[10000];
    struct answer a;

    memset(text, 'a', sizeof text);
    parse(&a, CEL__H1_REQUEST, (struct cel_str){text, sizeof text});
    assert_int_equal(a.head.error, CEL__H1_E_START_TOO_LONG);
    assert_int_equal(cel__h1_error_status(a.head.error), 414);
}

static void trailer_keeps_what_it_may_and_drops_the_rest(void **state)
{
    struct cel_str text = CEL_LIT("X-Sum: 1\r\nSet-Cookie: a=b\r\nETag: \"x\"\r\n\r\n");
    struct answer a;

    parse(&a, CEL__H1_TRAILER, text);
    assert_int_equal(a.r, text.len);
    assert_int_equal(a.head.field_count, 2);
    CHECK_STR(cel__h1_get(&a.head, text.ptr, CEL__FIELD_ETAG), "\"x\"");
    parse(&a, CEL__H1_TRAILER, CEL_LIT("\r\n"));
    assert_int_equal(a.r, 2);
    parse(&a, CEL__H1_TRAILER, CEL_LIT("X: y\r\nContent-Length: 5\r\n\r\n"));
    assert_int_equal(a.head.error, CEL__H1_E_TRAILER_FIELD);
    parse(&a, CEL__H1_TRAILER, CEL_LIT(" X: y\r\n\r\n"));
    assert_int_equal(a.head.error, CEL__H1_E_FIELD_FOLD);
}

static void error_stays_after_more_calls(void **state)
{
    struct cel__h1_field fields[4];
    struct cel__h1_head h;

    cel__h1_head_init(&h, CEL__H1_REQUEST, fields, 4, NULL);
    assert_int_equal(cel__h1_parse(&h, "\x16\x03\x01", 3), -CEL_EPROTOCOL);
    assert_int_equal(cel__h1_parse(&h, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27), -CEL_EPROTOCOL);
    assert_int_equal(h.error, CEL__H1_E_FIRST_BYTE);
    assert_int_equal(cel__h1_error_status((enum cel__h1_error)h.error), 400);
}

static void methods_are_found_by_exact_name(void **state)
{
    for (unsigned m = 1; m < CEL__H1_METHOD_COUNT; m++)
        assert_int_equal(cel__h1_method_find(cel__h1_method_name((enum cel__h1_method)m)), m);
    assert_int_equal(cel__h1_method_find(CEL_LIT("get")), CEL__H1_OTHER_METHOD);
    assert_int_equal(cel__h1_method_find(CEL_LIT("")), CEL__H1_OTHER_METHOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_of_a_browser_gives_all_its_parts),
        cmocka_unit_test(response_gives_all_its_parts),
        cmocka_unit_test(requests_are_framed_by_their_fields),
        cmocka_unit_test(request_targets_have_four_forms),
        cmocka_unit_test(responses_are_framed_by_status_and_request),
        cmocka_unit_test(incomplete_heads_want_more),
        cmocka_unit_test(limits_are_met_to_the_byte),
        cmocka_unit_test(endless_line_is_refused_at_the_limit),
        cmocka_unit_test(trailer_keeps_what_it_may_and_drops_the_rest),
        cmocka_unit_test(error_stays_after_more_calls),
        cmocka_unit_test(methods_are_found_by_exact_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
