/* SPDX-License-Identifier: MIT */
/* Redirects: which request follows which answer, and what it must not carry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <celadon/http.h>
#include "http/door.h"
#include "support/intask.h"

#define STEPS 16

static struct {
    int status;
    char location[256];
    const char *fields;
} steps[STEPS];

/* "/N" answers with step N; a step without a status is the end. */
static void play_steps(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX], text[1024];

    while (door_read(door, peer, head, sizeof head)) {
        size_t i = strtoul(strchr(head, '/') + 1, NULL, 10) % STEPS;
        bool is_head = memcmp(head, "HEAD", 4) == 0;

        if (steps[i].status == 0)
            snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n%s",
                     is_head ? "" : "end");
        else
            snprintf(text, sizeof text,
                     "HTTP/1.1 %d X\r\nLocation: %s\r\n%sContent-Length: 5\r\n\r\n%s",
                     steps[i].status, steps[i].location,
                     steps[i].fields != NULL ? steps[i].fields : "", is_head ? "" : "moved");
        door_say(peer, text);
    }
}

static struct door *open_door(void)
{
    struct door *door = door_open(NULL, 0);

    memset(steps, 0, sizeof steps);
    door->play = play_steps;
    return door;
}

static void set_step(int i, int status, const char *location)
{
    steps[i].status = status;
    snprintf(steps[i].location, sizeof steps[i].location, "%s", location);
}

static unsigned reused(struct cel_session *web)
{
    struct cel_session_stats stats;

    cel_session_stats(web, &stats);
    assert_int_equal(stats.open, stats.idle);
    return (unsigned)stats.reused;
}

IN_TASK(redirects_are_followed_and_remembered)
{
    struct door *door = open_door();
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    set_step(0, 302, "/1?a=b");
    set_step(1, 301, "x/../2");
    set_step(2, 307, door_url(door, "/3#own"));
    assert_int_equal(cel_get(web, door_url(door, "/0#part"), &page), 0);
    CHECK_STR(cel_text(page), "end");
    assert_string_equal(page->url, door_url(door, "/3#own"));
    assert_int_equal(page->history_count, 3);
    assert_int_equal(page->history[0].status, 302);
    assert_string_equal(page->history[0].url, door_url(door, "/0#part"));
    assert_string_equal(page->history[1].url, door_url(door, "/1?a=b#part"));
    assert_int_equal(page->history[2].status, 307);
    assert_string_equal(page->history[2].url, door_url(door, "/2#part"));
    cel_response_free(page);
    assert_int_equal(door->accepted, 1);
    assert_int_equal(reused(web), 3);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(redirects_are_handed_over_when_not_wanted)
{
    struct door *door = open_door();
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    set_step(0, 302, "/1");
    assert_int_equal(cel_fetch(web, door_url(door, "/0"),
                               &(struct cel_fetch_options){.no_redirects = true}, &page),
                     0);
    assert_int_equal(page->status, 302);
    CHECK_STR(cel_response_header(page, "location"), "/1");
    CHECK_STR(cel_text(page), "moved");
    cel_response_free(page);
    set_step(0, 304, "/1");
    assert_int_equal(cel_get(web, door_url(door, "/0"), &page), 0);
    assert_int_equal(page->status, 304);
    cel_response_free(page);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(each_status_has_its_rule_for_method_and_body)
{
    static const struct {
        int status;
        const char *method, *next;
        bool keeps_body;
    } rules[] = {
        {301, "GET", "GET"},         {302, "HEAD", "HEAD"},       {303, "HEAD", "HEAD"},
        {301, "POST", "GET"},        {302, "POST", "GET"},        {303, "POST", "GET"},
        {303, "PUT", "GET"},         {301, "PUT", "PUT", true},   {302, "DELETE", "DELETE", true},
        {307, "POST", "POST", true}, {308, "POST", "POST", true}, {308, "PATCH", "PATCH", true},
        {303, "DELETE", "GET"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct door *door = open_door();
        struct cel_session *web = cel_session_new(NULL);
        bool has_body = rules[i].method[0] == 'P' || rules[i].keeps_body;
        struct cel_fetch_options options = {
            .method = rules[i].method,
            .headers = (struct cel_header[]){{"Content-Type", "text/x"}, {"X-A", "1"}, {0}},
            .body = has_body ? CEL_LIT("body") : (struct cel_str){0},
        };
        struct cel_response *page;
        const char *second = door->requests[1];

        set_step(0, rules[i].status, "/1");
        assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
        cel_response_free(page);
        assert_int_equal(door->request_count, 2);
        assert_memory_equal(second, rules[i].next, strlen(rules[i].next));
        assert_int_equal(second[strlen(rules[i].next)], ' ');
        assert_int_equal(strstr(second, "Content-Length: 4\r\n") != NULL, rules[i].keeps_body);
        assert_int_equal(strstr(second, "Content-Type") != NULL, rules[i].keeps_body);
        assert_non_null(strstr(second, "X-A: 1\r\n"));
        assert_int_equal(door->body_bytes, has_body ? (rules[i].keeps_body ? 8 : 4) : 0);
        cel_session_free(web);
        door_close(door);
    }
}

static ssize_t one_piece(void *arg, void *buf, size_t cap)
{
    bool *is_given = arg;

    if (*is_given)
        return 0;
    *is_given = true;
    memcpy(buf, "once", 4);
    return 4;
}

IN_TASK(body_that_was_used_up_is_not_sent_again)
{
    struct door *door = open_door();
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    bool is_given = false;
    struct cel_fetch_options options = {.body_read = one_piece, .body_arg = &is_given};

    set_step(0, 307, "/1");
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), -CEL_EREDIRECT);
    assert_non_null(strstr(cel_last_error()->text, "second time"));
    set_step(0, 303, "/1");
    is_given = false;
    assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
    cel_response_free(page);
    cel_session_free(web);
    door_close(door);
}

static int fails(struct cel_session *web, const char *url)
{
    struct cel_response *page;
    int r = cel_get(web, url, &page);

    assert_true(r < 0);
    assert_int_equal(cel_last_error()->code, r);
    return r;
}

IN_TASK(redirects_that_lead_nowhere_are_named)
{
    static const char *const bad[] = {"ftp://a/",    "file:///etc/passwd", "javascript:alert(1)",
                                      "http://[::1", "http://a:0/",        "data:,x"};
    struct door *door = open_door();
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.redirects_max = 5});

    set_step(0, 302, "/0");
    assert_int_equal(fails(web, door_url(door, "/0")), -CEL_EREDIRECT);
    assert_non_null(strstr(cel_last_error()->text, "circle"));
    assert_int_equal(door->request_count, 1);
    set_step(0, 302, "/1");
    set_step(1, 302, "/2");
    set_step(2, 302, "/1");
    assert_int_equal(fails(web, door_url(door, "/0")), -CEL_EREDIRECT);
    assert_int_equal(door->request_count, 4);
    for (int i = 0; i < 8; i++) {
        char next[8];

        snprintf(next, sizeof next, "/%d", i + 1);
        set_step(i, 302, next);
    }
    assert_int_equal(fails(web, door_url(door, "/0")), -CEL_EREDIRECT);
    assert_non_null(strstr(cel_last_error()->text, "more than 5"));
    assert_int_equal(door->request_count, 4 + 6);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_step(0, 302, bad[i]);
        assert_int_equal(fails(web, door_url(door, "/0")), -CEL_EURL);
    }
    (void)reused(web);
    cel_session_free(web);
    door_close(door);
}

/* A page that sets a cookie and sends the client to itself is no circle. */
static void ask_for_a_cookie(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head))
        door_say(peer, strstr(head, "Cookie: seen=1\r\n") != NULL
                           ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                           : "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: seen=1\r\n"
                             "Content-Length: 0\r\n\r\n");
}

IN_TASK(redirect_to_itself_with_a_new_cookie_is_followed)
{
    struct door *door = door_open(NULL, 0);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;

    door->play = ask_for_a_cookie;
    assert_int_equal(cel_get(web, door_url(door, "/"), &page), 0);
    CHECK_STR(cel_text(page), "ok");
    cel_response_free(page);
    cel_session_clear_cookies(web);
    assert_int_equal(
        cel_fetch(web, door_url(door, "/"), &(struct cel_fetch_options){.no_cookies = true}, &page),
        -CEL_EREDIRECT);
    cel_session_free(web);
    door_close(door);
}

IN_TASK(credentials_stay_with_their_origin)
{
    static const char *const secrets[] = {"Authorization: Bearer t\r\n", "Cookie: c=own\r\n",
                                          "Proxy-Authorization: p\r\n", "X-Key: k\r\n",
                                          "X-Session: s\r\n"};
    static const int statuses[] = {301, 302, 303, 307, 308};
    struct cel_header headers[] = {
        {"Authorization", "Bearer t"}, {"cookie", "c=own"}, {"Proxy-Authorization", "p"},
        {"X-Key", "k", true},          {"X-Plain", "p"},    {0}};
    struct cel_fetch_options options = {.headers = headers};

    headers[1].name = "Cookie";
    for (int i = 0; i < 15; i++) {
        struct door *door = open_door(), *other = open_door();
        struct cel_session *web = cel_session_new(&(struct cel_session_options){
            .headers = (struct cel_header[]){{"X-Session", "s", true}, {0}}});
        struct cel_response *page;
        char url[256];

        /* same origin; another port; another host, and back */
        snprintf(url, sizeof url, "%s", door_url(i % 3 == 0 ? door : other, "/1"));
        if (i % 3 == 2)
            snprintf(url, sizeof url, "http://localhost:%s",
                     strrchr(door_url(door, "/1"), ':') + 1);
        set_step(0, statuses[i / 3], url);
        if (i % 3 != 0)
            set_step(1, statuses[i / 3], door_url(door, "/2"));
        assert_int_equal(cel_fetch(web, door_url(door, "/0"), &options, &page), 0);
        cel_response_free(page);
        for (size_t k = 0; k < sizeof secrets / sizeof secrets[0]; k++) {
            assert_non_null(strstr(door->requests[0], secrets[k]));
            for (unsigned n = 1; n < door->request_count; n++)
                assert_int_equal(strstr(door->requests[n], secrets[k]) != NULL, i % 3 == 0);
            if (other->request_count > 0)
                assert_null(strstr(other->requests[0], secrets[k]));
        }
        assert_non_null(strstr(i % 3 == 1 ? other->requests[0] : door->requests[1], "X-Plain: p"));
        cel_session_free(web);
        door_close(other);
        door_close(door);
    }
}

IN_TASK(user_and_password_of_a_url_become_a_field_and_vanish)
{
    struct door *door = open_door(), *other = open_door();
    struct cel_session *web = cel_session_new(NULL);
    struct cel_response *page;
    char url[256];

    snprintf(url, sizeof url, "http://Aladdin:open%%20sesame@%s/0",
             cel_listener_address(door->listener));
    set_step(0, 302, "/1");
    set_step(1, 302, door_url(other, "/2"));
    assert_int_equal(cel_get(web, url, &page), 0);
    assert_non_null(
        strstr(door->requests[0], "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    assert_non_null(strstr(door->requests[1], "\r\nAuthorization: Basic "));
    assert_null(strstr(other->requests[0], "Authorization"));
    assert_string_equal(page->history[0].url, door_url(door, "/0"));
    assert_string_equal(page->history[1].url, door_url(door, "/1"));
    cel_response_free(page);
    assert_int_equal(cel_fetch(web, url,
                               &(struct cel_fetch_options){
                                   .headers = (struct cel_header[]){{"Authorization", "x"}, {0}}},
                               &page),
                     -EINVAL);
    assert_null(strstr(cel_last_error()->text, "sesame"));
    snprintf(url, sizeof url, "http://u%%3Av:pw@%s/0", cel_listener_address(door->listener));
    assert_int_equal(fails(web, url), -CEL_EURL);
    assert_null(strstr(cel_last_error()->text, "pw"));
    cel_session_free(web);
    door_close(other);
    door_close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects_are_followed_and_remembered),
        cmocka_unit_test(redirects_are_handed_over_when_not_wanted),
        cmocka_unit_test(each_status_has_its_rule_for_method_and_body),
        cmocka_unit_test(body_that_was_used_up_is_not_sent_again),
        cmocka_unit_test(redirects_that_lead_nowhere_are_named),
        cmocka_unit_test(redirect_to_itself_with_a_new_cookie_is_followed),
        cmocka_unit_test(credentials_stay_with_their_origin),
        cmocka_unit_test(user_and_password_of_a_url_become_a_field_and_vanish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
