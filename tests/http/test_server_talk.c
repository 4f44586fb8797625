/* SPDX-License-Identifier: MIT */
/* What HTTP/1.1 says a server does: methods, versions, closing, expectations, pipelines. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "http/site.h"
#include "support/check.h"
#include "support/intask.h"

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "hello");
}

static int say_method(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "by %.*s", CEL_STR(cel_request_method(req)));
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, "text/plain", body.ptr, body.len);
}

static int stream_back(struct cel_request *req, struct cel_reply *reply)
{
    char piece[7];
    ssize_t n;
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    while (r == 0 && (n = cel_request_read(req, piece, sizeof piece)) != 0)
        r = n < 0 ? (int)n : cel_reply_write(reply, piece, (size_t)n);
    return r;
}

static int ignore_body(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "ignored");
}

static int say_parts(struct cel_request *req, struct cel_reply *reply)
{
    const char *q = cel_request_query_param(req, "q");

    return cel_reply_text(reply, 200, "host=%.*s path=%.*s query=%.*s q=%s",
                          CEL_STR(cel_request_host(req)), CEL_STR(cel_request_path(req)),
                          CEL_STR(cel_request_query(req)), q != NULL ? q : "-");
}

static int send_on(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_redirect(reply, 303, "/parts?x=1");
}

static int say_form(struct cel_request *req, struct cel_reply *reply)
{
    const char *name = "?", *none = "?", *flag = "?";
    int r = cel_request_form_param(req, "na me", &name);

    if (r == -EINVAL)
        return cel_reply_text(reply, 415, "no form");
    if (r == 0)
        r = cel_request_form_param(req, "none", &none);
    if (r == 0)
        r = cel_request_form_param(req, "flag", &flag);
    return r < 0 ? r
                 : cel_reply_text(reply, 200, "name=%s none=%s flag=%s.",
                                  name != NULL ? name : "(null)", none != NULL ? none : "-",
                                  flag != NULL ? flag : "-");
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "GET /", say_hello, NULL), 0);
    assert_int_equal(cel_route(s, "POST /back", say_back, NULL), 0);
    assert_int_equal(cel_route(s, "POST /stream", stream_back, NULL), 0);
    assert_int_equal(cel_route(s, "POST /ignore", ignore_body, NULL), 0);
    assert_int_equal(cel_route(s, "GET /parts", say_parts, NULL), 0);
    assert_int_equal(cel_route(s, "POST /form", say_form, NULL), 0);
    assert_int_equal(cel_route(s, "GET /on", send_on, NULL), 0);
    assert_int_equal(cel_route(s, "GET /m/{x}", say_method, NULL), 0);
    assert_int_equal(cel_route(s, "PUT /m/{x}", say_method, NULL), 0);
    assert_int_equal(cel_route(s, "POST /m/literal", say_method, NULL), 0);
    assert_int_equal(cel_route(s, "BREW /m/{x}", say_method, NULL), 0);
    assert_int_equal(cel_route(s, "OPTIONS /own", say_method, NULL), 0);
}

#define ASK(method, path, more) method " " path " HTTP/1.1\r\n" HOST CLOSE more "\r\n"

IN_TASK(methods_find_their_route_or_are_told_what_is_allowed)
{
    struct cel_server *s = site_open(NULL, add_routes);

    SAYS(site_ask(s, ASK("PUT", "/m/a", "")), "by PUT");
    SAYS(site_ask(s, ASK("BREW", "/m/a", "")), "by BREW");
    SAYS(site_ask(s, ASK("GET", "/m/literal", "")), "by GET");
    SAYS(site_ask(s, ASK("DELETE", "/m/a", "")), "405 Method Not Allowed");
    SAYS(site_ask(s, ASK("DELETE", "/m/a", "")), "Allow: GET, PUT, BREW, HEAD, OPTIONS\r\n");
    SAYS(site_ask(s, ASK("DELETE", "/m/literal", "")),
         "Allow: POST, GET, PUT, BREW, HEAD, OPTIONS\r\n");
    SAYS(site_ask(s, ASK("FROB", "/m/a", "")), "501 Not Implemented");
    SAYS(site_ask(s, ASK("get", "/", "")), "501 Not Implemented");
    SAYS(site_ask(s, ASK("FROB", "/none", "")), "404 Not Found");
    SAYS(site_ask(s, ASK("CONNECT", "x:443", "")), "501 Not Implemented");
    site_close(s);
}

IN_TASK(options_are_answered_for_a_path_and_for_all)
{
    struct cel_server *s = site_open(NULL, add_routes);

    SAYS(site_ask(s, ASK("OPTIONS", "/m/a", "")), "204 No Content");
    SAYS(site_ask(s, ASK("OPTIONS", "/m/a", "")), "Allow: GET, PUT, BREW, HEAD, OPTIONS\r\n");
    SAYS(site_ask(s, ASK("OPTIONS", "*", "")), "204 No Content");
    SAYS(site_ask(s, ASK("OPTIONS", "/own", "")), "by OPTIONS");
    SAYS(site_ask(s, ASK("OPTIONS", "/none", "")), "404 Not Found");
    site_close(s);
}

static void head_equals_get(struct cel_server *s, const char *path)
{
    char head[256], get[256];
    const char *answer;
    size_t len;

    snprintf(head, sizeof head, "HEAD %s HTTP/1.1\r\n" HOST CLOSE "\r\n", path);
    snprintf(get, sizeof get, "GET %s HTTP/1.1\r\n" HOST CLOSE "\r\n", path);
    answer = site_ask(s, head);
    len = strlen(answer);
    assert_string_equal(answer + len - 4, "\r\n\r\n");
    assert_null(strstr(answer, "Transfer-Encoding"));
    assert_non_null(strstr(answer, "Content-Length: "));
    if (site_status(answer) != site_status(site_ask(s, get)))
        fail_msg("HEAD and GET differ for %s", path);
}

IN_TASK(head_says_what_get_says_without_the_body)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s);

    head_equals_get(s, "/");
    head_equals_get(s, "/none");
    head_equals_get(s, "/parts?x=%41");
    head_equals_get(s, "/on");
    assert_true(site_say(c, "HEAD / HTTP/1.1\r\n" HOST "\r\n" GET("/", CLOSE)));
    assert_int_equal(site_count(site_hear(c, NULL), "hello"), 1);
    cel_close(c);
    site_close(s);
}

IN_TASK(target_is_read_in_all_its_forms)
{
    struct cel_server *s = site_open(NULL, add_routes);

    SAYS(site_ask(s, ASK("GET", "/parts?a=b&q=c+d%21", "")),
         "path=/parts query=a=b&q=c+d%21 q=c d!");
    SAYS(site_ask(s, ASK("GET", "http://x/parts?q=1", "")), "host=x path=/parts query=q=1 q=1");
    SAYS(site_ask(s, ASK("GET", "http://x", "")), "hello");
    SAYS(site_ask(s, ASK("GET", "/parts?", "")), "query= q=-");
    SAYS(site_ask(s, ASK("GET", "http://y/parts", "")), "400 Bad Request");
    SAYS(site_ask(s, ASK("GET", "/on", "")), "Location: /parts?x=1\r\n");
    site_close(s);
}

IN_TASK(connection_is_kept_or_closed_as_version_and_field_say)
{
    static const struct {
        const char *request, *field;
        bool is_kept;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", NULL, true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", NULL, true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "Connection: close", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: X, CLOSE ,y\r\n\r\n", "Connection: close", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, close\r\n\r\n", "Connection: close",
         false},
        {"GET / HTTP/1.0\r\n\r\n", NULL, false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n", "Connection: keep-alive",
         true},
        {"GET / HTTP/1.0\r\n" HOST "Connection: keep-alive, close\r\n\r\n", NULL, false},
        {"GET /none HTTP/1.1\r\n" HOST "\r\n", NULL, true},
        {"DELETE / HTTP/1.1\r\n" HOST "\r\n", NULL, true},
        {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", NULL, true},
    };
    struct cel_server *s = site_open(NULL, add_routes);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cel_stream *c = site_dial(s);
        const char *answer;

        assert_true(site_say(c, cases[i].request));
        answer = site_hear(c, cases[i].is_kept ? "\r\n\r\n" : NULL);
        if (cases[i].field != NULL)
            SAYS(answer, cases[i].field);
        if (cases[i].is_kept) {
            assert_true(site_say(c, GET("/parts", "")));
            SAYS(site_hear(c, "path="), "200 OK");
        }
        cel_close(c);
    }
    site_close(s);
}

IN_TASK(half_close_behind_a_request_still_gets_its_answer)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s);

    assert_true(site_say(c, GET("/", "") GET("/", "") "GET / HT"));
    assert_int_equal(cel_shutdown(c), 0);
    assert_int_equal(site_count(site_hear(c, NULL), "\r\n\r\nhello"), 2);
    cel_close(c);
    c = site_dial(s);
    assert_true(site_say(c, "POST /back HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nhalf"));
    assert_int_equal(cel_shutdown(c), 0);
    assert_int_equal(site_status(site_hear(c, NULL)), 400);
    cel_close(c);
    site_await_open(s, 0);
    site_close(s);
}

#define EXPECT(path, what, len) \
    "POST " path " HTTP/1.1\r\n" HOST "Content-Length: " len "\r\nExpect: " what "\r\n\r\n"

IN_TASK(expectation_gets_its_go_ahead_only_from_who_reads)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s);
    const char *answer;

    assert_true(site_say(c, EXPECT("/stream", "100-Continue", "4")));
    SAYS(site_hear(c, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(site_say(c, "body" GET("/", CLOSE)));
    answer = site_hear(c, NULL);
    SAYS(answer, "4\r\nbody\r\n0\r\n\r\nHTTP/1.1 200 OK");
    SAYS(answer, "\r\n\r\nhello");
    cel_close(c);

    answer = site_ask(s, EXPECT("/ignore", "100-continue", "4")); /* answered, closed, not read */
    SAYS(answer, "ignored");
    assert_null(strstr(answer, "100 Continue"));
    answer = site_ask(s, EXPECT("/none", "100-continue", "4"));
    assert_int_equal(site_status(answer), 404);
    answer = site_ask(s, EXPECT("/back", "tea", "4"));
    SAYS(answer, "417 Expectation Failed");
    SAYS(answer, "Connection: close");
    answer = site_ask(s, EXPECT("/back", "100-continue", "99999999"));
    SAYS(answer, "413 ");
    assert_null(strstr(answer, "100 Continue"));
    answer =
        site_ask(s, "POST /back HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok");
    assert_int_equal(site_status(answer), 200);
    assert_null(strstr(answer, "100 Continue"));
    site_close(s);
}

/* Every kind of body behind every other, in one write and byte by byte. */
static const char mixed[] = GET("/", "")                                                     //
    "POST /back HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"                            //
    "POST /back HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n" //
    "POST /ignore HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /"                        //
    "POST /ignore HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"                    //
    "e;a=\"b\"\r\nGET / HTTP/1.1\r\n0\r\nTrailing: x\r\n\r\n"                                //
    "HEAD / HTTP/1.1\r\n" HOST "\r\n"                                                        //
    "POST /back HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"                               //
    "POST /back HTTP/1.1\r\n" HOST "Content-Length: 14\r\n\r\nthree and four"                //
    "POST /none HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nnone"                           //
    "GET / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody" GET("/parts", CLOSE);

static void check_mixed(const char *answer)
{
    static const char *const in_order[] = {
        "\r\n\r\nhello",   "\r\n\r\none",       "\r\n\r\ntwo",       "\r\n\r\nignored",
        "\r\n\r\nignored", "Content-Length: 5", "Content-Length: 0", "three and four",
        "404 Not Found",   "\r\n\r\nhello",     "path=/parts",
    };
    const char *at = answer;

    for (size_t i = 0; i < sizeof in_order / sizeof in_order[0]; i++) {
        const char *found = strstr(at, in_order[i]);

        if (found == NULL) {
            fail_msg("answer %zu (%s) is missing in:\n%s", i, in_order[i], answer);
            return;
        }
        at = found + strlen(in_order[i]);
    }
    assert_int_equal(site_count(answer, "HTTP/1.1 "), 11);
}

IN_TASK(pipeline_of_mixed_bodies_is_answered_in_order_however_it_is_split)
{
    struct cel_server *s = site_open(NULL, add_routes);

    check_mixed(site_ask(s, mixed));
    for (size_t step = 1; step < sizeof mixed; step += 1 + step / 3) {
        struct cel_stream *c = site_dial(s);

        for (size_t at = 0; at < sizeof mixed - 1; at += step) {
            size_t len = sizeof mixed - 1 - at < step ? sizeof mixed - 1 - at : step;

            assert_int_equal(cel_write(c, mixed + at, len), len);
            assert_int_equal(cel_yield(), 0);
        }
        check_mixed(site_hear(c, NULL));
        cel_close(c);
    }
    site_close(s);
}

static void *push_many(void *arg)
{
    static const char one[] = GET("/", "");

    for (int i = 0; i < 20000; i++)
        if (cel_write(arg, one, sizeof one - 1) < 0)
            return NULL;
    assert_true(site_say(arg, GET("/parts", CLOSE)));
    return NULL;
}

IN_TASK(long_pipeline_is_answered_while_it_is_sent)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s);
    struct cel_task *pusher = cel_spawn(push_many, c);
    char line[256];
    size_t hellos = 0, n;

    assert_non_null(pusher);
    while ((n = (size_t)cel_read_until(c, '\n', line, sizeof line)) > 0 && n < sizeof line) {
        line[n] = '\0';
        hellos += strncmp(line, "hello", 5) == 0;
        if (strstr(line, "Connection: close") != NULL)
            break;
    }
    assert_int_equal(cel_join(pusher, NULL), 0);
    assert_int_equal(hellos, 20000);
    SAYS(site_hear(c, NULL), "path=/parts");
    cel_close(c);
    site_close(s);
}

#define FORM "Content-Type: application/x-www-form-urlencoded"

IN_TASK(form_is_read_by_its_fields)
{
    struct cel_server *s = site_open(NULL, add_routes);

    SAYS(site_ask(s, "POST /form HTTP/1.1\r\n" HOST CLOSE FORM "\r\n"
                     "Content-Length: 21\r\n\r\nx=y&na+me=%41+b&flag&z"),
         "name=A b none=- flag=.");
    SAYS(site_ask(s, "POST /form HTTP/1.1\r\n" HOST CLOSE FORM " ; charset=utf-8\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n7\r\nna%20me\r\n2\r\n=z\r\n0\r\n\r\n"),
         "name=z none=- flag=-.");
    SAYS(site_ask(s, "POST /form HTTP/1.1\r\n" HOST CLOSE FORM "\r\nContent-Length: 4\r\n\r\nna=%"),
         "name=(null) none=- flag=-.");
    SAYS(site_ask(s, "POST /form HTTP/1.1\r\n" HOST CLOSE
                     "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\na=b"),
         "415 ");
    SAYS(site_ask(s, "POST /form HTTP/1.1\r\n" HOST CLOSE "Content-Length: 0\r\n\r\n"), "415 ");
    site_close(s);
}

IN_TASK(answers_are_dated_and_named)
{
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_server *anonymous =
        site_open(&(struct cel_server_options){.server_name = ""}, add_routes);
    const char *answer = site_ask(s, GET("/", CLOSE));

    SAYS(answer, "\r\nDate: ");
    SAYS(answer, " GMT\r\n");
    SAYS(answer, "\r\nServer: celadon\r\n");
    assert_null(strstr(site_ask(anonymous, GET("/", CLOSE)), "Server:"));
    assert_null(cel_server_new(&(struct cel_server_options){.server_name = "a\r\nb"}));
    site_close(anonymous);
    site_close(s);
}

/* Who does not look for an answer before all is sent: the server reads on, and the connection ends
 * without a reset, which would take the answer along. */
IN_TASK(refused_upload_ends_without_a_reset)
{
    static const size_t size = 6 << 20;
    static const char head[] = "POST /ignore HTTP/1.1\r\n" HOST "Content-Length: 6291456\r\n\r\n";
    struct cel_server *s = site_open(NULL, add_routes);
    struct cel_stream *c = site_dial(s);
    char *body = calloc(1, size), answer[1024];
    size_t len = 0;
    ssize_t n;

    assert_non_null(body);
    assert_true(site_say(c, head));
    assert_int_equal(cel_write(c, body, size), size);
    while ((n = cel_read(c, answer + len, sizeof answer - 1 - len)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    assert_int_equal(n, 0);
    SAYS(answer, "HTTP/1.1 200 OK\r\n");
    SAYS(answer, "\r\nConnection: close\r\n");
    SAYS(answer, "ignored");
    cel_close(c);
    free(body);
    site_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_find_their_route_or_are_told_what_is_allowed),
        cmocka_unit_test(options_are_answered_for_a_path_and_for_all),
        cmocka_unit_test(head_says_what_get_says_without_the_body),
        cmocka_unit_test(target_is_read_in_all_its_forms),
        cmocka_unit_test(connection_is_kept_or_closed_as_version_and_field_say),
        cmocka_unit_test(half_close_behind_a_request_still_gets_its_answer),
        cmocka_unit_test(expectation_gets_its_go_ahead_only_from_who_reads),
        cmocka_unit_test(pipeline_of_mixed_bodies_is_answered_in_order_however_it_is_split),
        cmocka_unit_test(long_pipeline_is_answered_while_it_is_sent),
        cmocka_unit_test(form_is_read_by_its_fields),
        cmocka_unit_test(answers_are_dated_and_named),
        cmocka_unit_test(refused_upload_ends_without_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
