/* SPDX-License-Identifier: MIT */
/* https: names are verified, connections kept, and nothing goes back to http unasked. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "celadon/http.h"
#include "http/door.h"
#include "io/certs.h"
#include "support/intask.h"

#define OK "HTTP/1.1 200 OK\r\n"

static struct cel_tls *tls_of(const struct cel_tls_options *options)
{
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, options), 0);
    return tls;
}

static struct cel_tls *server_tls(void)
{
    return tls_of(&(struct cel_tls_options){.cert_file = cert_path("good")});
}

static struct cel_tls *client_tls(void)
{
    return tls_of(&(struct cel_tls_options){.ca_file = cert_path("ca"), .alpn = "http/1.1"});
}

IN_TASK(pages_come_over_one_verified_connection)
{
    static const struct answer answers[] = {
        {OK "Content-Length: 5\r\n\r\nhello"},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
        {OK "Content-Length: 5\r\n\r\nhello", .is_bytewise = true},
    };
    struct cel_tls *server = server_tls(), *client = client_tls();
    struct door *door = door_open_tls(answers, 3, server);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client});
    struct cel_response *page;

    for (int i = 0; i < 6; i++) {
        assert_int_equal(cel_get(web, door_url(door, "/%d", i % 3), &page), 0);
        CHECK_STR(cel_text(page), "hello");
        cel_response_free(page);
    }
    assert_int_equal(door->accepted, 1);
    cel_session_free(web);
    door_close(door);
    cel_tls_free(server);
    cel_tls_free(client);
}

IN_TASK(unknown_authority_is_refused)
{
    static const struct answer answers[] = {{OK "Content-Length: 5\r\n\r\nhello"}};
    struct cel_tls *server = server_tls();
    struct door *door = door_open_tls(answers, 1, server);
    struct cel_session *web = cel_session_new(NULL);
    struct cel_session_stats stats;
    struct cel_response *page;

    assert_int_equal(cel_get(web, door_url(door, "/0"), &page), -CEL_ETLS);
    assert_string_equal(cel_last_error()->phase, "tls");
    assert_int_equal(door->request_count, 0);
    cel_session_stats(web, &stats);
    assert_int_equal(stats.open, 0);
    cel_session_free(web);
    door_close(door);
    cel_tls_free(server);
}

IN_TASK(name_that_the_certificate_lacks_is_refused)
{
    static const struct answer answers[] = {{OK "Content-Length: 5\r\n\r\nhello"}};
    struct cel_tls *server = server_tls(), *client = client_tls();
    struct door *door = door_open_tls(answers, 1, server);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client});
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "https://localhost:%s", strrchr(door_url(door, "/0"), ':') + 1);
    assert_int_equal(cel_get(web, url, &page), -CEL_ETLS);
    assert_int_equal(door->request_count, 0);
    cel_session_free(web);
    door_close(door);
    cel_tls_free(server);
    cel_tls_free(client);
}

/* Answers with what the test left in door->bodies. */
static void play_downgrade(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    while (door_read(door, peer, head, sizeof head))
        door_say(peer, door->bodies);
}

IN_TASK(redirect_to_http_needs_permission_and_drops_what_is_secure)
{
    DOOR(plain, {OK "Content-Length: 5\r\n\r\nplain"});
    struct cel_tls *server = server_tls(), *client = client_tls();
    struct door *door = door_open_tls(NULL, 0, server);
    struct cel_fetch_options options = {
        .headers = (struct cel_header[]){{"Authorization", "Bearer t"}, {0}}};
    struct cel_response *page;

    door->play = play_downgrade;
    snprintf(door->bodies, sizeof door->bodies,
             "HTTP/1.1 302 Found\r\nLocation: %s\r\nSet-Cookie: s=1; Secure\r\n"
             "Set-Cookie: p=1\r\nContent-Length: 0\r\n\r\n",
             door_url(plain, "/0"));
    for (int allows = 0; allows < 2; allows++) {
        struct cel_session *web = cel_session_new(
            &(struct cel_session_options){.tls = client, .allows_downgrade = allows});
        int r = cel_fetch(web, door_url(door, "/"), &options, &page);

        assert_int_equal(r, allows ? 0 : -CEL_EREDIRECT);
        if (r == 0)
            cel_response_free(page);
        else
            assert_non_null(strstr(cel_last_error()->text, "https to http"));
        assert_int_equal(plain->request_count, allows);
        cel_session_free(web);
    }
    assert_null(strstr(plain->requests[0], "Authorization"));
    assert_null(strstr(plain->requests[0], "s=1"));
    assert_non_null(strstr(plain->requests[0], "Cookie: p=1\r\n"));
    door_close(door);
    door_close(plain);
    cel_tls_free(server);
    cel_tls_free(client);
}

/* The end of TCP without the end of TLS: anybody on the way could have sent it. */
static void cut_off(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char head[HEAD_MAX];

    if (!door_read(door, peer, head, sizeof head))
        return;
    door_say(peer, OK "\r\nhalf a page");
    shutdown(cel_stream_fd(peer), SHUT_RDWR);
}

IN_KERNEL(body_until_close_must_be_closed_by_tls)
{
    static const struct answer answers[] = {{OK "\r\nthe whole page", CLOSE}};
    struct cel_tls *server = server_tls(), *client = client_tls();
    struct door *door = door_open_tls(answers, 1, server);
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client});
    struct cel_response *page;
    int r;

    assert_int_equal(cel_get(web, door_url(door, "/0"), &page), 0);
    CHECK_STR(cel_text(page), "the whole page");
    cel_response_free(page);
    door->play = cut_off;
    r = cel_get(web, door_url(door, "/"), &page);
    assert_true(r == -CEL_ETLS || r == -CEL_ETRUNCATED);
    cel_session_free(web);
    door_close(door);
    cel_tls_free(server);
    cel_tls_free(client);
}

/* ---- uploads larger than what lies between the two ---- */

#define MUCH ((size_t)16 << 20)

static struct cel_future *client_is_done;

static bool read_head(struct cel_stream *peer)
{
    char line[512];
    ssize_t n;

    while ((n = cel_read_until(peer, '\n', line, sizeof line)) > 2)
        continue;
    return n == 2;
}

static void refuse(struct door *door, struct cel_stream *peer, unsigned nth)
{
    if (!read_head(peer))
        return;
    door_say(peer, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    (void)!cel_await(client_is_done, NULL);
}

static void echo(struct door *door, struct cel_stream *peer, unsigned nth)
{
    char piece[16384];
    ssize_t n = 1;

    while (read_head(peer)) {
        snprintf(piece, sizeof piece, OK "Content-Length: %zu\r\n\r\n", MUCH);
        door_say(peer, piece);
        for (size_t left = MUCH; n > 0 && left > 0; left -= (size_t)n) {
            n = cel_read(peer, piece, left < sizeof piece ? left : sizeof piece);
            if (n <= 0 || cel_write(peer, piece, (size_t)n) < 0)
                return;
        }
    }
}

IN_TASK(upload_is_answered_before_it_has_gone_out)
{
    struct cel_tls *server = server_tls(), *client = client_tls();
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client});
    struct cel_str much = {calloc(1, MUCH), MUCH};
    struct door *door = door_open_tls(NULL, 0, server);
    struct cel_session_stats stats;
    struct cel_response *page;

    assert_non_null(much.ptr);
    client_is_done = cel_future_new();
    door->play = refuse;
    assert_int_equal(cel_post(web, door_url(door, "/"), NULL, much, &page), 0);
    assert_int_equal(page->status, 413);
    CHECK_STR(cel_text(page), "big");
    cel_response_free(page);
    cel_session_stats(web, &stats);
    assert_int_equal(stats.open, 0);
    cel_future_set(client_is_done, NULL);
    door->play = echo;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cel_post(web, door_url(door, "/"), NULL, much, &page), 0);
        assert_int_equal(cel_text(page).len, MUCH);
        cel_response_free(page);
    }
    assert_int_equal(door->accepted, 2); /* the whole exchange left its connection in order */
    cel_session_free(web);
    door_close(door);
    cel_future_free(client_is_done);
    free((char *)much.ptr);
    cel_tls_free(server);
    cel_tls_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_come_over_one_verified_connection),
        cmocka_unit_test(unknown_authority_is_refused),
        cmocka_unit_test(name_that_the_certificate_lacks_is_refused),
        cmocka_unit_test(redirect_to_http_needs_permission_and_drops_what_is_secure),
        cmocka_unit_test(body_until_close_must_be_closed_by_tls),
        cmocka_unit_test(upload_is_answered_before_it_has_gone_out),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
