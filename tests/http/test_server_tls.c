/* SPDX-License-Identifier: MIT */
/* The server behind TLS: the same answers, limits and stops over what is no plain socket. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "celadon/http.h"
#include "http/site.h"
#include "io/certs.h"
#include "support/intask.h"

#define MS  CEL_MILLISECOND
#define BIG (3 << 20)

static char folder[] = "/tmp/celadon-files-XXXXXX";
static struct cel_tls *server_tls, *client_tls;

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, "text/plain", body.ptr, body.len);
}

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "hello");
}

static int say_for_ever(struct cel_request *req, struct cel_reply *reply)
{
    static const char piece[64 * 1024];
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    while (r == 0)
        r = cel_reply_write(reply, piece, sizeof piece);
    return r;
}

static void add_routes(struct cel_server *s)
{
    assert_int_equal(cel_route(s, "POST /back", say_back, NULL), 0);
    assert_int_equal(cel_route(s, "GET /hello", say_hello, NULL), 0);
    assert_int_equal(cel_route(s, "GET /endless", say_for_ever, NULL), 0);
    assert_int_equal(cel_route_files(s, "/files/", folder), 0);
}

static int lay_out(void **state)
{
    char path[64];
    FILE *f;

    assert_int_equal(make_certs(state), 0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/big.bin", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    for (uint32_t i = 0; i < BIG / 4; i++)
        assert_int_equal(fwrite(&i, 4, 1, f), 1);
    return fclose(f);
}

static int clear_away(void **state)
{
    char path[64];

    snprintf(path, sizeof path, "%s/big.bin", folder);
    return unlink(path) | rmdir(folder) | remove_certs(state);
}

/* A server of `options` behind TLS. */
static struct cel_server *open_site(struct cel_server_options options)
{
    assert_int_equal(
        cel_tls_new(&server_tls, &(struct cel_tls_options){.cert_file = cert_path("good")}), 0);
    assert_int_equal(
        cel_tls_new(&client_tls, &(struct cel_tls_options){.ca_file = cert_path("ca")}), 0);
    options.listen.tls = server_tls;
    return site_open(&options, add_routes);
}

static void close_site(struct cel_server *s)
{
    site_close(s);
    cel_tls_free(server_tls);
    cel_tls_free(client_tls);
}

static struct cel_stream *dial(struct cel_server *s)
{
    struct cel_connect_options options = {.tls = client_tls, .server_name = "good.test"};
    struct cel_stream *c;

    assert_int_equal(cel_connect(&c, cel_server_address(s), &options), 0);
    return c;
}

IN_TASK(requests_and_bodies_pass)
{
    struct cel_server *s = open_site((struct cel_server_options){0});
    struct cel_stream *c = dial(s);

    for (int i = 0; i < 3; i++) {
        assert_true(site_say(c, GET("/hello", "")));
        SAYS(site_hear(c, "\r\n\r\nhello"), "200 OK");
    }
    assert_true(site_say(c, GET("/hello", "") "POST /back HTTP/1.1\r\n" HOST CLOSE
                                              "Transfer-Encoding: chunked\r\n\r\n"
                                              "3\r\nabc\r\n0\r\n\r\n"));
    SAYS(site_hear(c, NULL), "\r\n\r\nabc");
    cel_close(c);
    close_site(s);
}

IN_TASK(large_file_is_read_and_encrypted)
{
    struct cel_server *s = open_site((struct cel_server_options){0});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client_tls});
    struct cel_response *page;
    char url[128];

    assert_non_null(web);
    snprintf(url, sizeof url, "https://%s/files/big.bin", cel_server_address(s));
    assert_int_equal(cel_get(web, url, &page), 0);
    assert_int_equal(cel_text(page).len, BIG);
    for (uint32_t i = 0; i < BIG / 4; i++)
        assert_memory_equal(cel_text(page).ptr + 4 * i, &i, 4);
    cel_response_free(page);
    cel_session_free(web);
    close_site(s);
}

IN_TASK(slow_and_wrong_beginnings_are_ended)
{
    struct cel_server *s = open_site((struct cel_server_options){.header_timeout = 600 * MS});
    struct cel_stream *silent = site_dial(s), *half = site_dial(s), *plain = site_dial(s),
                      *slow = dial(s);

    assert_true(site_say(half, "\x16\x03\x01")); /* a handshake that goes no further */
    assert_true(site_say(plain, GET("/hello", "")));
    assert_true(site_say(slow, "GET /he"));
    (void)site_hear(silent, NULL);
    (void)site_hear(half, NULL);
    assert_null(strstr(site_hear(plain, NULL), "HTTP/1.1"));
    SAYS(site_hear(slow, NULL), "408 Request Timeout");
    cel_close(silent);
    cel_close(half);
    cel_close(plain);
    cel_close(slow);
    site_await_open(s, 0);
    close_site(s);
}

IN_TASK(client_that_does_not_read_is_ended)
{
    struct cel_server *s = open_site((struct cel_server_options){.write_timeout = 200 * MS});
    struct cel_stream *c = dial(s);

    assert_true(site_say(c, GET("/endless", "")));
    site_await_open(s, 0);
    cel_close(c);
    close_site(s);
}

IN_TASK(stop_closes_idle_ones_with_a_notice)
{
    struct cel_server *s = open_site((struct cel_server_options){0});
    struct cel_stream *c = dial(s);

    assert_true(site_say(c, GET("/hello", "")));
    SAYS(site_hear(c, "\r\n\r\nhello"), "200 OK");
    cel_server_stop(s);
    assert_string_equal(site_hear(c, NULL), "");
    cel_close(c);
    close_site(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_and_bodies_pass),
        cmocka_unit_test(large_file_is_read_and_encrypted),
        cmocka_unit_test(slow_and_wrong_beginnings_are_ended),
        cmocka_unit_test(client_that_does_not_read_is_ended),
        cmocka_unit_test(stop_closes_idle_ones_with_a_notice),
    };

    return cmocka_run_group_tests(tests, lay_out, clear_away);
}
