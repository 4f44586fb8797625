/* SPDX-License-Identifier: MIT */
/* Libraries that block inside of their own calls: OpenSSL on sockets, zlib on pipes. Each works
 * with another task of the same thread, and would wait for ever if it held the thread. */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <celadon/green.h>
#include <celadon/sync.h>

#include "io/certs.h"
#include "support/intask.h"

enum { CLIENTS = 100, MUCH = 1 << 20 };

static SSL_CTX *server_rules, *client_rules;
static struct cel_event all_have_asked;
static int asking, good;

struct talk {
    int number, ends[2];
};

static SSL *open_tls(SSL_CTX *rules, int fd)
{
    SSL *tls = SSL_new(rules);

    assert_non_null(tls);
    assert_int_equal(SSL_set_fd(tls, fd), 1);
    return tls;
}

static void *answer(void *arg)
{
    struct talk *talk = arg;
    SSL *tls = open_tls(server_rules, talk->ends[0]);
    int number;

    assert_int_equal(SSL_accept(tls), 1); /* parks, inside of OpenSSL */
    assert_int_equal(SSL_read(tls, &number, sizeof number), sizeof number);
    if (++asking == CLIENTS)
        cel_event_set(&all_have_asked);
    assert_int_equal(cel_event_wait(&all_have_asked), 0);
    number *= 3;
    assert_int_equal(SSL_write(tls, &number, sizeof number), sizeof number);
    SSL_shutdown(tls);
    SSL_free(tls);
    close(talk->ends[0]);
    return NULL;
}

static void *ask(void *arg)
{
    struct talk *talk = arg;
    SSL *tls = open_tls(client_rules, talk->ends[1]);
    int number = talk->number;

    assert_int_equal(SSL_connect(tls), 1);
    assert_int_equal(SSL_write(tls, &number, sizeof number), sizeof number);
    assert_int_equal(SSL_read(tls, &number, sizeof number), sizeof number);
    assert_int_equal(number, 3 * talk->number);
    assert_int_equal(SSL_read(tls, &number, sizeof number), 0); /* its last word */
    good++;
    SSL_free(tls);
    close(talk->ends[1]);
    return NULL;
}

IN_TASK(hundred_talks_over_tls_wait_inside_of_openssl)
{
    static struct talk talks[CLIENTS];

    server_rules = SSL_CTX_new(TLS_server_method());
    client_rules = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_use_certificate_chain_file(server_rules, cert_path("good")), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(server_rules, cert_path("good"), SSL_FILETYPE_PEM),
                     1);
    assert_int_equal(SSL_CTX_load_verify_file(client_rules, cert_path("ca")), 1);
    SSL_CTX_set_verify(client_rules, SSL_VERIFY_PEER, NULL);
    asking = good = 0;
    all_have_asked = (struct cel_event)CEL_EVENT_INIT;
    CEL_SCOPE (s)
        for (int i = 0; i < CLIENTS; i++) {
            talks[i].number = i;
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talks[i].ends), 0);
            assert_non_null(cel_spawn_with(answer, &talks[i], .stack_size_bytes = 256 * 1024));
            assert_non_null(cel_spawn_with(ask, &talks[i], .stack_size_bytes = 256 * 1024));
        }
    assert_int_equal(good, CLIENTS);
    SSL_CTX_free(server_rules);
    SSL_CTX_free(client_rules);
}

/* ---- zlib over a pipe ---- */

static char much[MUCH], got[MUCH];

static void *compress_all(void *arg)
{
    gzFile file = gzdopen((int)(intptr_t)arg, "wb");

    assert_non_null(file);
    assert_int_equal(gzwrite(file, much, MUCH), MUCH);
    assert_int_equal(gzclose(file), Z_OK);
    return NULL;
}

IN_TASK(compressed_pipe_goes_from_task_to_task)
{
    char more;
    gzFile file;
    int ends[2];

    for (int i = 0; i < MUCH; i++)
        much[i] = (char)rand();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    file = gzdopen(ends[0], "rb");
    assert_non_null(file);
    CEL_SCOPE (s) {
        assert_non_null(cel_spawn_with(compress_all, (void *)(intptr_t)ends[1],
                                       .stack_size_bytes = 256 * 1024));
        assert_int_equal(gzread(file, got, MUCH), MUCH);
        assert_int_equal(gzread(file, &more, 1), 0);
    }
    assert_memory_equal(much, got, MUCH);
    assert_int_equal(gzclose(file), Z_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundred_talks_over_tls_wait_inside_of_openssl),
        cmocka_unit_test(compressed_pipe_goes_from_task_to_task),
    };

    return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
