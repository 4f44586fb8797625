/* SPDX-License-Identifier: MIT */
/* TLS over streams: what is verified, what is refused, and how a connection ends. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "certs.h"
#include "pairs.h"

static struct cel_tls *server_tls(const char *cert)
{
    const struct cel_tls_options options = {.cert_file = cert_path(cert), .alpn = "h2,http/1.1"};
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &options), 0);
    return tls;
}

static struct cel_tls *client_tls(const char *alpn)
{
    const struct cel_tls_options options = {.ca_file = cert_path("ca"), .alpn = alpn};
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &options), 0);
    return tls;
}

/* Echoes on one connection with the certificate, then closes. */
static void *serve_echo(void *arg)
{
    static char buf[20000];
    struct cel_stream *s;
    intptr_t total = 0;
    ssize_t n;

    assert_int_equal(cel_accept(arg, &s), 0);
    while ((n = cel_read(s, buf, sizeof buf)) > 0) {
        assert_int_equal(cel_write(s, buf, (size_t)n), n);
        total += n;
    }
    cel_close(s);
    return (void *)(n < 0 ? n : total);
}

struct site {
    struct cel_tls *tls;
    struct cel_listener *door;
    struct cel_task *task;
};

static struct site open_site(const char *cert, cel_task_fn *serve)
{
    struct site site = {.tls = server_tls(cert)};
    const struct cel_listen_options options = {.tls = site.tls};

    assert_int_equal(cel_listen(&site.door, "127.0.0.1:0", &options), 0);
    site.task = cel_spawn(serve, site.door);
    return site;
}

static intptr_t close_site(struct site *site)
{
    void *result;

    assert_int_equal(cel_join(site->task, &result), 0);
    cel_listener_close(site->door);
    cel_tls_free(site->tls);
    return (intptr_t)result;
}

static int visit(struct site *site, struct cel_tls *tls, const char *name, struct cel_stream **out)
{
    const struct cel_connect_options options = {.tls = tls, .server_name = name};

    return cel_connect(out, cel_listener_address(site->door), &options);
}

static void check_visit(const char *cert, const char *name, const char *cause)
{
    struct site site = open_site(cert, serve_echo);
    struct cel_tls *tls = client_tls(NULL);
    struct cel_stream *s;
    char buf[8];
    int r = visit(&site, tls, name, &s);

    if (cause == NULL) {
        assert_int_equal(r, 0);
        assert_int_equal(cel_write(s, "hello", 5), 5);
        assert_int_equal(cel_read_exactly(s, buf, 5), 5);
        assert_memory_equal(buf, "hello", 5);
        assert_int_equal(cel_shutdown(s), 0);
        assert_int_equal(cel_read(s, buf, sizeof buf), 0);
        cel_close(s);
        assert_int_equal(close_site(&site), 5);
    } else {
        assert_int_equal(r, -CEL_ETLS);
        assert_string_equal(cel_last_error()->phase, "tls");
        if (strstr(cel_last_error()->text, cause) == NULL)
            fail_msg("%s: '%s' does not say '%s'", cert, cel_last_error()->text, cause);
        assert_int_equal(close_site(&site), -CEL_ETLS);
    }
    cel_tls_free(tls);
}

IN_TASK(handshake_with_a_good_certificate_by_name_and_address)
{
    check_visit("good", "good.test", NULL);
    check_visit("good", "GOOD.test.", NULL);
    check_visit("good", "a.wild.test", NULL);
    check_visit("good", NULL, NULL); /* 127.0.0.1, from the address */
    check_visit("good", "::1", NULL);
}

IN_TASK(handshake_with_a_bad_certificate_is_refused)
{
    check_visit("good", "other.test", "ostname mismatch");
    check_visit("good", "a.b.wild.test", "ostname mismatch");
    check_visit("good", "wild.test", "ostname mismatch");
    check_visit("good", "127.0.0.2", "IP address mismatch");
    check_visit("expired", "good.test", "expired");
    check_visit("future", "good.test", "not yet valid");
    check_visit("selfsigned", "good.test", "self-signed");
    check_visit("clientonly", "good.test", "purpose");
}

IN_TASK(handshake_unverified_takes_any_certificate)
{
    const struct cel_tls_options options = {.insecure_no_verify = true};
    struct site site = open_site("selfsigned", serve_echo);
    struct cel_tls *tls;
    struct cel_stream *s;

    assert_int_equal(cel_tls_new(&tls, &options), 0);
    assert_int_equal(visit(&site, tls, "anything.test", &s), 0);
    cel_close(s);
    assert_int_equal(close_site(&site), 0);
    cel_tls_free(tls);
}

IN_TASK(handshake_with_system_roots_refuses_our_authority)
{
    struct site site = open_site("good", serve_echo);
    struct cel_tls *tls;
    struct cel_stream *s;

    assert_int_equal(cel_tls_new(&tls, NULL), 0);
    assert_int_equal(visit(&site, tls, "good.test", &s), -CEL_ETLS);
    assert_non_null(strstr(cel_last_error()->text, "certificate verify failed"));
    assert_int_equal(close_site(&site), -CEL_ETLS);
    cel_tls_free(tls);
}

static void check_alpn(const char *ours, const char *agreed)
{
    struct site site = open_site("good", serve_echo);
    struct cel_tls *tls = client_tls(ours);
    struct cel_stream *s;
    int r = visit(&site, tls, "good.test", &s);

    if (agreed != NULL) {
        assert_int_equal(r, 0);
        assert_string_equal(cel_stream_alpn(s), agreed);
        cel_close(s);
        assert_int_equal(close_site(&site), 0);
    } else {
        assert_int_equal(r, -CEL_ETLS);
        assert_int_equal(close_site(&site), -CEL_ETLS);
    }
    cel_tls_free(tls);
}

IN_TASK(alpn_agrees_by_the_servers_order)
{
    check_alpn("http/1.1", "http/1.1");
    check_alpn("http/1.1, h2", "h2");
    check_alpn(NULL, "");
    check_alpn("spdy/3", NULL);
}

IN_TASK(client_certificate_is_demanded)
{
    const struct cel_tls_options strict = {
        .cert_file = cert_path("good"), .ca_file = cert_path("ca"), .verify_client = true};
    const struct cel_tls_options known = {.cert_file = cert_path("client"),
                                          .ca_file = cert_path("ca")};
    struct cel_listen_options listen = {0};
    struct cel_tls *server, *with, *without;
    char byte;

    assert_int_equal(cel_tls_new(&server, &strict), 0);
    assert_int_equal(cel_tls_new(&with, &known), 0);
    without = client_tls(NULL);
    listen.tls = server;
    for (int i = 0; i < 2; i++) {
        struct site site = {0};
        struct cel_stream *s;

        assert_int_equal(cel_listen(&site.door, "127.0.0.1:0", &listen), 0);
        site.task = cel_spawn(serve_echo, site.door);
        assert_int_equal(visit(&site, i == 0 ? with : without, "good.test", &s), 0);
        assert_int_equal(cel_write(s, "x", 1), 1);
        /* In TLS 1.3 the client learns of the refusal when it reads. */
        assert_int_equal(cel_read(s, &byte, 1), i == 0 ? 1 : -CEL_ETLS);
        cel_close(s);
        assert_int_equal(close_site(&site), i == 0 ? 1 : -CEL_ETLS);
    }
    cel_tls_free(server);
    cel_tls_free(with);
    cel_tls_free(without);
}

static void *send_pattern(void *arg)
{
    enum { SIZE = 1000003 };
    unsigned char *bytes = malloc(SIZE);
    struct iovec iov[3];

    for (size_t k = 0; k < SIZE; k++)
        bytes[k] = byte_at(k);
    iov[0] = (struct iovec){bytes, 10};
    iov[1] = (struct iovec){bytes + 10, 300000};
    iov[2] = (struct iovec){bytes + 300010, 90};
    assert_int_equal(cel_writev(arg, iov, 3), 300100);
    assert_int_equal(cel_write(arg, bytes + 300100, SIZE - 300100), SIZE - 300100);
    assert_int_equal(cel_stream_written(arg), SIZE - 300100);
    assert_int_equal(cel_shutdown(arg), 0);
    free(bytes);
    return NULL;
}

/* Both directions at once, by read and by peek, in pieces of many sizes. */
IN_TASK(bytes_arrive_whole_both_ways_at_once)
{
    struct site site = open_site("good", serve_echo);
    struct cel_tls *tls = client_tls(NULL);
    static char buf[30000];
    struct cel_stream *s;
    struct cel_task *task;
    size_t total = 0;
    ssize_t n = 1;

    assert_int_equal(visit(&site, tls, "good.test", &s), 0);
    task = cel_spawn(send_pattern, s);
    for (unsigned turn = 0; n > 0; turn++) {
        const char *data = buf;

        if (turn % 3 == 0)
            n = cel_peek(s, &data, 20000);
        else
            n = cel_read(s, buf, turn % 3 == 1 ? 100 : sizeof buf);
        for (ssize_t k = 0; k < n; k++)
            if ((unsigned char)data[k] != byte_at(total + (size_t)k))
                fail_msg("byte %zu is wrong", total + (size_t)k);
        if (turn % 3 == 0 && n > 0)
            cel_consume(s, (size_t)n);
        total += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(n, 0);
    assert_int_equal(total, 1000003);
    assert_int_equal(cel_join(task, NULL), 0);
    cel_close(s);
    assert_int_equal(close_site(&site), 1000003);
    cel_tls_free(tls);
}

static void *serve_and_cut(void *arg)
{
    struct cel_stream *s;

    assert_int_equal(cel_accept(arg, &s), 0);
    assert_int_equal(cel_write(s, "part", 4), 4);
    shutdown(cel_stream_fd(s), SHUT_WR); /* an end without close_notify */
    assert_true(cel_read(s, &(char){0}, 1) <= 0);
    cel_close(s);
    return NULL;
}

IN_KERNEL(end_without_close_notify_is_a_cut)
{
    struct site site = open_site("good", serve_and_cut);
    struct cel_tls *tls = client_tls(NULL);
    struct cel_stream *s;
    char buf[8];

    assert_int_equal(visit(&site, tls, "good.test", &s), 0);
    assert_int_equal(cel_read(s, buf, sizeof buf), 4);
    assert_int_equal(cel_read(s, buf, sizeof buf), -CEL_ETRUNCATED);
    assert_string_equal(cel_last_error()->phase, "tls");
    cel_close(s);
    assert_int_equal(close_site(&site), 0);
    cel_tls_free(tls);
}

static void *serve_plainly(void *arg)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct cel_stream *s;
    char buf[512];

    assert_int_equal(cel_accept(arg, &s), 0);
    assert_true(cel_read(s, buf, sizeof buf) > 0);
    assert_int_equal(cel_write(s, answer, sizeof answer - 1), sizeof answer - 1);
    cel_close(s);
    return NULL;
}

IN_TASK(tls_to_a_plain_port_says_so)
{
    struct cel_tls *tls = client_tls(NULL);
    struct site site = {0};
    struct cel_stream *s;

    assert_int_equal(cel_listen(&site.door, "127.0.0.1:0", NULL), 0);
    site.task = cel_spawn(serve_plainly, site.door);
    assert_int_equal(visit(&site, tls, "good.test", &s), -CEL_ETLS);
    assert_non_null(strstr(cel_last_error()->text, "does not seem to speak TLS"));
    assert_int_equal(close_site(&site), 0);
    cel_tls_free(tls);
}

IN_TASK(plain_client_to_a_tls_port_is_told_off)
{
    struct site site = open_site("good", serve_echo);
    struct cel_stream *s;

    assert_int_equal(cel_connect(&s, cel_listener_address(site.door), NULL), 0);
    assert_int_equal(cel_write(s, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    while (cel_read(s, &(char[64]){0}, 64) > 0) /* an alert */
        continue;
    cel_close(s);
    assert_int_equal(close_site(&site), -CEL_ETLS);
}

static void *accept_silently(void *arg)
{
    struct cel_stream *s;

    assert_int_equal(cel_accept(arg, &s), 0);
    return s;
}

IN_TASK(handshake_without_an_answer_ends_by_deadline)
{
    struct cel_tls *tls = client_tls(NULL);
    struct site site = {0};
    struct cel_stream *s;
    int r = 0;

    assert_int_equal(cel_listen(&site.door, "127.0.0.1:0", NULL), 0);
    site.task = cel_spawn(accept_silently, site.door);
    CEL_SCOPE (scope, .timeout = 10 * CEL_MILLISECOND)
        r = visit(&site, tls, "good.test", &s);
    assert_int_equal(r, -ETIMEDOUT);
    cel_close(cel_value(site.task));
    close_site(&site);
    cel_tls_free(tls);
}

static void *start_server_tls(void *arg)
{
    struct cel_tls *tls = server_tls("good");
    struct cel_stream *s = arg;
    char buf[16];

    assert_int_equal(cel_read_until(s, '\n', buf, sizeof buf), 9);
    assert_int_equal(cel_write(s, "go ahead\n", 9), 9);
    assert_int_equal(cel_stream_start_tls(s, tls, NULL, true), 0);
    assert_int_equal(cel_read_exactly(s, buf, 6), 6);
    assert_memory_equal(buf, "secret", 6);
    cel_tls_free(tls);
    return NULL;
}

IN_TASK(start_tls_on_an_open_stream)
{
    struct joined j = join(PAIR_SOCKETS);
    struct cel_tls *tls = client_tls(NULL);
    struct cel_task *task = cel_spawn(start_server_tls, j.b);
    char buf[16];

    assert_int_equal(cel_write(j.a, "STARTTLS\n", 9), 9);
    assert_int_equal(cel_read_until(j.a, '\n', buf, sizeof buf), 9);
    assert_int_equal(cel_stream_start_tls(j.a, tls, "good.test", false), 0);
    assert_int_equal(cel_write(j.a, "secret", 6), 6);
    assert_int_equal(cel_join(task, NULL), 0);
    assert_int_equal(cel_stream_start_tls(j.a, tls, "good.test", false), -EINVAL);
    part(j);
    cel_tls_free(tls);
}

IN_TASK(client_without_a_name_to_verify_is_refused)
{
    struct joined j = join(PAIR_SOCKETS);
    struct cel_tls *tls = client_tls(NULL);

    assert_int_equal(cel_stream_start_tls(j.a, tls, NULL, false), -EINVAL);
    part(j);
    cel_tls_free(tls);
}

IN_TASK(cancelled_read_goes_on_later_cancelled_write_breaks)
{
    enum { SIZE = 16 << 20 };
    struct joined j = join(PAIR_SOCKETS);
    struct cel_tls *tls = client_tls(NULL);
    struct cel_task *task = cel_spawn(start_server_tls, j.b);
    char buf[16], *block = calloc(1, SIZE);
    ssize_t r = 0;

    assert_int_equal(cel_write(j.a, "STARTTLS\n", 9), 9);
    assert_int_equal(cel_read_until(j.a, '\n', buf, sizeof buf), 9);
    assert_int_equal(cel_stream_start_tls(j.a, tls, "good.test", false), 0);
    assert_int_equal(cel_write(j.a, "secret", 6), 6);
    assert_int_equal(cel_join(task, NULL), 0);
    CEL_SCOPE (one, .timeout = 2 * CEL_MILLISECOND)
        r = cel_read(j.a, buf, sizeof buf);
    assert_int_equal(r, -ETIMEDOUT);
    assert_int_equal(cel_write(j.b, "later", 5), 5);
    assert_int_equal(cel_read_exactly(j.a, buf, 5), 5);
    assert_memory_equal(buf, "later", 5);
    assert_true(cel_stream_is_quiet(j.a));
    CEL_SCOPE (two, .timeout = 20 * CEL_MILLISECOND)
        r = cel_write(j.a, block, SIZE);
    assert_int_equal(r, -ETIMEDOUT);
    assert_in_range(cel_stream_written(j.a), 0, SIZE - 1);
    assert_int_equal(cel_write(j.a, "x", 1), -CEL_ETLS);
    assert_false(cel_stream_is_quiet(j.a));
    free(block);
    part(j);
    cel_tls_free(tls);
}

static void *read_some(void *arg)
{
    return (void *)cel_read(arg, &(char[600]){0}, 600);
}

IN_TASK(close_ends_a_parked_handshake)
{
    struct site site = {.tls = server_tls("good")};
    const struct cel_listen_options options = {.tls = site.tls};
    struct cel_stream *client, *s;
    struct cel_task *tasks[2];
    void *results[2];

    assert_int_equal(cel_listen(&site.door, "127.0.0.1:0", &options), 0);
    assert_int_equal(cel_connect(&client, cel_listener_address(site.door), NULL), 0);
    assert_int_equal(cel_accept(site.door, &s), 0);
    tasks[0] = cel_spawn(read_some, s);
    assert_int_equal(cel_sleep(CEL_MILLISECOND), 0);
    cel_close(s);
    assert_int_equal(cel_gather(tasks, 1, results), 0);
    assert_int_equal((ssize_t)results[0], -CEL_ECLOSED);
    cel_close(client);
    cel_listener_close(site.door);
    cel_tls_free(site.tls);
}

IN_TASK(context_of_bad_files_names_them)
{
    struct cel_tls_options options = {.cert_file = "/nowhere/cert.pem"};
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &options), -CEL_ETLS);
    assert_non_null(strstr(cel_last_error()->text, "/nowhere/cert.pem"));
    options = (struct cel_tls_options){.cert_file = cert_path("good"), .key_file = cert_path("ca")};
    assert_int_equal(cel_tls_new(&tls, &options), -CEL_ETLS);
    assert_non_null(strstr(cel_last_error()->text, "key values mismatch"));
    options = (struct cel_tls_options){.ca_file = "/dev/null"};
    assert_int_equal(cel_tls_new(&tls, &options), -CEL_ETLS);
    options = (struct cel_tls_options){.alpn = "h2,,x"};
    assert_int_equal(cel_tls_new(&tls, &options), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_with_a_good_certificate_by_name_and_address),
        cmocka_unit_test(handshake_with_a_bad_certificate_is_refused),
        cmocka_unit_test(handshake_unverified_takes_any_certificate),
        cmocka_unit_test(handshake_with_system_roots_refuses_our_authority),
        cmocka_unit_test(alpn_agrees_by_the_servers_order),
        cmocka_unit_test(client_certificate_is_demanded),
        cmocka_unit_test(bytes_arrive_whole_both_ways_at_once),
        cmocka_unit_test(end_without_close_notify_is_a_cut),
        cmocka_unit_test(tls_to_a_plain_port_says_so),
        cmocka_unit_test(plain_client_to_a_tls_port_is_told_off),
        cmocka_unit_test(handshake_without_an_answer_ends_by_deadline),
        cmocka_unit_test(start_tls_on_an_open_stream),
        cmocka_unit_test(client_without_a_name_to_verify_is_refused),
        cmocka_unit_test(cancelled_read_goes_on_later_cancelled_write_breaks),
        cmocka_unit_test(close_ends_a_parked_handshake),
        cmocka_unit_test(context_of_bad_files_names_them),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
