/* SPDX-License-Identifier: MIT */
/* What users of other clients reach for first: queries, forms, JSON, uploads, who asks, cookies
 * kept between two runs; against our own server, which reads what we wrote. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <celadon/http.h>

#include "http/site.h"
#include "support/check.h"
#include "support/intask.h"

/* Says how it was asked. */
static int mirror(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str type = cel_request_header(req, "Content-Type"), body;
    struct cel_str who = cel_request_header(req, "Authorization"),
                   cookie = cel_request_header(req, "Cookie");
    int r = cel_request_body(req, &body);

    return r < 0
               ? r
               : cel_reply_text(reply, 200, "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s",
                                CEL_STR(cel_request_method(req)), CEL_STR(cel_request_target(req)),
                                CEL_STR(type), CEL_STR(who), CEL_STR(cookie), CEL_STR(body));
}

static int give_cookies(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_header(reply, "Set-Cookie", "kept=1; Max-Age=1000; Path=/");

    if (r == 0)
        r = cel_reply_header(reply, "Set-Cookie", "session=2; HttpOnly");
    return r < 0 ? r : cel_reply_text(reply, 200, "given");
}

static int count_body(struct cel_request *req, struct cel_reply *reply)
{
    char piece[4096];
    size_t total = 0;
    ssize_t n;

    while ((n = cel_request_read(req, piece, sizeof piece)) > 0)
        total += (size_t)n;
    return n < 0 ? (int)n : cel_reply_text(reply, 200, "%zu", total);
}

static int move_on(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_redirect(reply, 307, "/mirror");
}

static int see_other(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_redirect(reply, 303, "/mirror");
}

static int never_answer(struct cel_request *req, struct cel_reply *reply)
{
    return cel_sleep(60 * CEL_SECOND);
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "GET /mirror", mirror, NULL), 0);
    assert_int_equal(cel_route(s, "POST /mirror", mirror, NULL), 0);
    assert_int_equal(cel_route(s, "PUT /mirror", mirror, NULL), 0);
    assert_int_equal(cel_route(s, "GET /cookies", give_cookies, NULL), 0);
    assert_int_equal(cel_route(s, "POST /count", count_body, NULL), 0);
    assert_int_equal(cel_route(s, "POST /on", move_on, NULL), 0);
    assert_int_equal(cel_route(s, "POST /see", see_other, NULL), 0);
    assert_int_equal(cel_route(s, "GET /never", never_answer, NULL), 0);
}

static const char *url_of(struct cel_server *s, const char *path)
{
    static char url[512];

    snprintf(url, sizeof url, "http://%s%s", cel_server_address(s), path);
    return url;
}

static void expect(struct cel_server *s, struct cel_session *web, const char *path,
                   const struct cel_fetch_options *options, const char *text)
{
    struct cel_response *page;

    assert_int_equal(cel_fetch(web, url_of(s, path), options, &page), 0);
    assert_int_equal(page->status, 200);
    assert_string_equal(cel_text(page).ptr, text);
    cel_response_free(page);
}

static void refuse(struct cel_server *s, struct cel_session *web, const char *path,
                   const struct cel_fetch_options *options)
{
    struct cel_response *page = NULL;

    assert_int_equal(cel_fetch(web, url_of(s, path), options, &page), -EINVAL);
    assert_null(page);
    assert_int_equal(cel_last_error()->code, -EINVAL);
}

#define EXPECT(path, text, ...) expect(s, web, path, &(struct cel_fetch_options){__VA_ARGS__}, text)
#define REFUSE(path, ...)       refuse(s, web, path, &(struct cel_fetch_options){__VA_ARGS__})

static const struct cel_server_options brisk = {.stop_grace = 20 * CEL_MILLISECOND};

#define VISIT(name)                                                         \
    static void name##_with(struct cel_server *s, struct cel_session *web); \
    IN_TASK(name)                                                           \
    {                                                                       \
        struct cel_server *s = site_open(&brisk, add_routes);               \
        struct cel_session *web = cel_session_new(NULL);                    \
        assert_non_null(web);                                               \
        name##_with(s, web);                                                \
        cel_session_free(web);                                              \
        site_close(s);                                                      \
    }                                                                       \
    static void name##_with(struct cel_server *s, struct cel_session *web)

static const struct cel_pair odd[] = {
    {"a b", "c&d=e"}, {"100%", "+%20"}, {"\xc3\xa4", "\xe9\x9d\x92"},
    {"none", NULL},   {"", "x"},        {0}};
#define ODD "a+b=c%26d%3De&100%25=%2B%2520&%C3%A4=%E9%9D%92&none=&=x"

VISIT(query_is_added_to_what_the_url_has)
{
    static const struct cel_pair one[] = {{"q", "1"}, {0}}, none[] = {{0}};

    EXPECT("/mirror", "GET|/mirror?" ODD "||||", .query = odd);
    EXPECT("/mirror?a=b", "GET|/mirror?a=b&q=1||||", .query = one);
    EXPECT("/mirror?", "GET|/mirror?q=1||||", .query = one);
    EXPECT("/mirror?a&", "GET|/mirror?a&q=1||||", .query = one);
    EXPECT("/mirror#top?x", "GET|/mirror?q=1||||", .query = one);
    EXPECT("/mirror", "GET|/mirror||||", .query = none);
}

VISIT(form_is_posted_and_kept_by_redirects_that_keep_bodies)
{
    static const struct cel_header mine[] = {{"Content-Type", "text/x-form"}, {0}};
    static const struct cel_pair one[] = {{"k", "v"}, {0}}, none[] = {{0}};
    struct cel_response *page;

    EXPECT("/mirror", "POST|/mirror|application/x-www-form-urlencoded|||" ODD, .form = odd);
    EXPECT("/on", "POST|/mirror|application/x-www-form-urlencoded|||k=v", .form = one);
    EXPECT("/see", "GET|/mirror||||", .form = one);
    EXPECT("/mirror", "PUT|/mirror|text/x-form|||k=v", .method = "PUT", .form = one,
           .headers = mine);
    EXPECT("/mirror", "POST|/mirror|application/x-www-form-urlencoded|||", .form = none);
    assert_int_equal(cel_post_form(web, url_of(s, "/mirror"), one, &page), 0);
    assert_string_equal(cel_text(page).ptr, "POST|/mirror|application/x-www-form-urlencoded|||k=v");
    cel_response_free(page);
    REFUSE("/mirror", .form = one, .body = CEL_LIT("x"));
}

VISIT(json_goes_under_its_type)
{
    struct cel_response *page;

    EXPECT("/mirror", "POST|/mirror|application/json|||{\"a\":1}", .body = CEL_LIT("{\"a\":1}"),
           .content_type = "application/json");
    EXPECT("/mirror", "GET|/mirror||||", .content_type = "application/json");
    assert_int_equal(cel_post(web, url_of(s, "/mirror"), "application/json", CEL_LIT("[]"), &page),
                     0);
    assert_string_equal(cel_text(page).ptr, "POST|/mirror|application/json|||[]");
    cel_response_free(page);
    REFUSE("/mirror", .body = CEL_LIT("x"), .content_type = "a\r\nb: c");
}

VISIT(who_asks_is_said_in_one_place)
{
    static const struct cel_header token[] = {{"Authorization", "Bearer x"}, {0}};
    static char url[128];
    struct cel_response *page;

    EXPECT("/mirror", "GET|/mirror||Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==||", .user = "Aladdin",
           .password = "open sesame");
    EXPECT("/mirror", "GET|/mirror||Basic dTo=||", .user = "u");
    EXPECT("/mirror", "GET|/mirror||Basic OnA6QEA=||", .password = "p:@@");
    EXPECT("/mirror", "GET|/mirror||Bearer x||", .headers = token);
    REFUSE("/mirror", .user = "u", .headers = token);
    REFUSE("/mirror", .user = "u:v");
    snprintf(url, sizeof url, "http://a:b@%s/mirror", cel_server_address(s));
    assert_int_equal(cel_fetch(web, url, &(struct cel_fetch_options){.user = "u"}, &page), -EINVAL);
}

VISIT(cookies_outlive_their_session_as_text)
{
    struct cel_session *later = cel_session_new(NULL);
    char *text, *again;

    assert_non_null(later);
    EXPECT("/cookies", "given", 0);
    EXPECT("/mirror", "GET|/mirror|||kept=1; session=2|", 0);
    text = cel_session_export_cookies(web);
    assert_non_null(text);
    SAYS(text, "127.0.0.1\tFALSE\t/\tFALSE\t0\tsession\t2\n");
    assert_int_equal(cel_session_import_cookies(later, (struct cel_str){text, strlen(text)}), 2);
    expect(s, later, "/mirror", NULL, "GET|/mirror|||kept=1; session=2|");
    again = cel_session_export_cookies(later);
    assert_non_null(again);
    assert_string_equal(again, text);
    cel_free(again);
    cel_free(text);
    cel_session_free(later);
}

VISIT(cookie_text_of_others_is_read_and_nonsense_passed_over)
{
    static const char text[] = "# a comment\r\n\r\n"
                               "example.org\tFALSE\t/\tFALSE\t99999999999\ta\t1\r\n"
                               "#HttpOnly_.example.org\tTRUE\t/p\tTRUE\t99999999999\tb\t2\n"
                               ".com\tTRUE\t/\tFALSE\t99999999999\tpublic\t1\n"
                               "example.org\tFALSE\t/\tFALSE\t1\told\t1\n"
                               "example.org\tFALSE\tp\tFALSE\t0\tpath\t1\n"
                               "example.org\tFALSE\t/\tFALSE\tsoon\ttime\t1\n"
                               "example.org\tFALSE\t/\tFALSE\t0\tx;y\t1\n"
                               "example.org\tFALSE\t/\tFALSE\t0\tshort\n"
                               "\tFALSE\t/\tFALSE\t0\tnobody\t1\n"
                               "nonsense";
    char *said;

    assert_int_equal(cel_session_import_cookies(web, CEL_LIT(text)), 2);
    said = cel_session_cookies(web, "http://example.org/p/x");
    assert_string_equal(said, "a=1");
    cel_free(said);
    said = cel_session_cookies(web, "https://www.example.org/p/x");
    assert_string_equal(said, "b=2");
    cel_free(said);
    (void)s;
}

/* ---- uploads and patience ---- */

static ssize_t read_file(void *arg, void *buf, size_t cap)
{
    size_t n = fread(buf, 1, cap, arg);

    return n == 0 && ferror((FILE *)arg) ? -EIO : (ssize_t)n;
}

VISIT(file_is_uploaded_by_a_stream)
{
    FILE *f = tmpfile();

    assert_non_null(f);
    for (int i = 0; i < 20000; i++)
        fprintf(f, "%09d\n", i);
    rewind(f);
    EXPECT("/count", "200000", .body_read = read_file, .body_arg = f);
    rewind(f);
    EXPECT("/count", "200000", .body_read = read_file, .body_arg = f, .body_size = 200000,
           .content_type = "application/octet-stream");
    fclose(f);
}

VISIT(request_has_its_own_patience)
{
    struct cel_fetch_options options = {.timeouts = {.total = 20 * CEL_MILLISECOND}};
    struct cel_response *page;

    assert_int_equal(cel_fetch(web, url_of(s, "/never"), &options, &page), -ETIMEDOUT);
    EXPECT("/mirror", "GET|/mirror||||", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_is_added_to_what_the_url_has),
        cmocka_unit_test(form_is_posted_and_kept_by_redirects_that_keep_bodies),
        cmocka_unit_test(json_goes_under_its_type),
        cmocka_unit_test(who_asks_is_said_in_one_place),
        cmocka_unit_test(cookies_outlive_their_session_as_text),
        cmocka_unit_test(cookie_text_of_others_is_read_and_nonsense_passed_over),
        cmocka_unit_test(file_is_uploaded_by_a_stream),
        cmocka_unit_test(request_has_its_own_patience),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
