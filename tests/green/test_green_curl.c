/* SPDX-License-Identifier: MIT */
/* curl_easy_perform, by a hundred tasks, from a server of ours on the same thread: plainly, by a
 * name that libcurl's own threads look up, and over TLS. The server answers nobody before the
 * hundredth has asked: if one transfer held the thread, none would end. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include <celadon/green.h>
#include <celadon/server.h>
#include <celadon/sync.h>

#include "io/certs.h"
#include "support/intask.h"

enum { CLIENTS = 100 };

static struct cel_event all_have_asked;
static int asking, good;

static int say_page(struct cel_request *req, struct cel_reply *reply)
{
    int r;

    if (++asking == CLIENTS)
        cel_event_set(&all_have_asked);
    r = cel_event_wait(&all_have_asked);
    return r < 0 ? r : cel_reply_text(reply, 200, "page %s", cel_param(req, "number"));
}

static void *serve(void *arg)
{
    assert_int_equal(cel_server_run(arg), 0);
    return NULL;
}

struct page {
    const char *scheme, *host;
    const char *port;
    int number;
    size_t len;
    char text[64];
};

static size_t keep(char *bytes, size_t size, size_t count, void *arg)
{
    struct page *page = arg;
    size_t len = size * count;

    assert_true(page->len + len < sizeof page->text);
    memcpy(page->text + page->len, bytes, len);
    page->len += len;
    return len;
}

static void *fetch(void *arg)
{
    struct page *page = arg;
    CURL *curl = curl_easy_init();
    char url[128], expected[64];
    long status = 0;

    snprintf(url, sizeof url, "%s://%s:%s/page/%d", page->scheme, page->host, page->port,
             page->number);
    curl_easy_setopt(curl, CURLOPT_CAINFO, cert_path("ca"));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, page);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK); /* parks: libcurl does not know */
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    assert_int_equal(status, 200);
    snprintf(expected, sizeof expected, "page %d", page->number);
    assert_string_equal(page->text, expected);
    curl_easy_cleanup(curl);
    good++;
    return NULL;
}

static void perform_hundred(const char *scheme, const char *host, struct cel_tls *tls)
{
    static struct page pages[CLIENTS];
    struct cel_server *server = cel_server_new(&(struct cel_server_options){.listen.tls = tls});
    const char *port;

    assert_true(cel_green_is_active());
    asking = good = 0;
    all_have_asked = (struct cel_event)CEL_EVENT_INIT;
    assert_non_null(server);
    assert_int_equal(cel_route(server, "GET /page/{number}", say_page, NULL), 0);
    assert_int_equal(cel_server_listen(server, "127.0.0.1:0"), 0);
    port = strrchr(cel_server_address(server), ':') + 1;
    CEL_SCOPE (whole) {
        assert_int_equal(cel_go(serve, server), 0);
        CEL_SCOPE (clients) {
            for (int i = 0; i < CLIENTS; i++) {
                pages[i] = (struct page){scheme, host, port, .number = i};
                assert_non_null(cel_spawn_with(fetch, &pages[i], .stack_size_bytes = 256 * 1024));
            }
        }
        cel_server_stop(server);
    }
    cel_server_free(server);
    assert_int_equal(asking, CLIENTS);
    assert_int_equal(good, CLIENTS);
}

IN_TASK(hundred_performs_wait_at_once_on_one_thread)
{
    perform_hundred("http", "127.0.0.1", NULL);
}

IN_TASK(performs_wait_for_names_too)
{
    perform_hundred("http", "localhost", NULL);
}

IN_TASK(performs_over_tls_wait_too)
{
    struct cel_tls *tls;

    assert_int_equal(cel_tls_new(&tls, &(struct cel_tls_options){.cert_file = cert_path("good")}),
                     0);
    perform_hundred("https", "127.0.0.1", tls);
    cel_tls_free(tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundred_performs_wait_at_once_on_one_thread),
        cmocka_unit_test(performs_wait_for_names_too),
        cmocka_unit_test(performs_over_tls_wait_too),
    };
    int r;

    curl_global_init(CURL_GLOBAL_ALL);
    r = cmocka_run_group_tests(tests, make_certs, remove_certs);
    curl_global_cleanup();
    return r;
}
