/* SPDX-License-Identifier: MIT */
/* A visit with cookies, a redirect, kept connections, a coded and a streamed body; each of its
 * allocations and system calls fails in turn. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "celadon/http.h"
#include "celadon/net.h"
#include "support/fault.h"
#include "support/intask.h"
#include "support/sysfault.h"

/* "hello hello hello " by gzip. */
static const unsigned char coded[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                      0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x22, 0x01,
                                      0xed, 0xb5, 0x31, 0x04, 0x12, 0x00, 0x00, 0x00};

static int answer(struct cel_stream *peer, const char *path)
{
    char text[256];
    int len;

    if (path[1] == 'a')
        len = snprintf(text, sizeof text,
                       "HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: k=v\r\n"
                       "Content-Length: 3\r\n\r\nxyz");
    else if (path[1] == 'b') {
        len = snprintf(text, sizeof text,
                       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                       sizeof coded);
        memcpy(text + len, coded, sizeof coded);
        len += (int)sizeof coded;
    } else {
        len = snprintf(text, sizeof text,
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    }
    return cel_write(peer, text, (size_t)len) < 0 ? -1 : 0;
}

static void serve_one(struct cel_stream *peer)
{
    char path[128], line[512];
    ssize_t n;

    for (;;) {
        n = cel_read_until(peer, ' ', line, sizeof line);
        if (n > 0)
            n = cel_read_until(peer, '\n', path, sizeof path);
        while (n > 0 && (n = cel_read_until(peer, '\n', line, sizeof line)) > 2)
            continue;
        if (n <= 0 || answer(peer, path) < 0)
            return;
    }
}

struct site {
    struct cel_listener *door; /* NULL: closed */
};

static void *serve(void *arg)
{
    struct site *site = arg;
    struct cel_stream *peer;

    while (site->door != NULL && cel_accept(site->door, &peer) == 0) {
        serve_one(peer);
        cel_close(peer);
    }
    return NULL;
}

static int visit(struct cel_session *web, const char *base)
{
    struct cel_fetch_options options = {.is_streaming = true};
    struct cel_response *page;
    char url[128], buf[16];
    ssize_t n;
    int r;

    snprintf(url, sizeof url, "%s/a", base);
    r = cel_get(web, url, &page);
    if (r < 0)
        return r;
    r = cel_text(page).len == 18 && memcmp(cel_text(page).ptr, "hello hello", 11) == 0 ? 0
                                                                                       : -EBADMSG;
    cel_response_free(page);
    if (r < 0)
        return r;
    snprintf(url, sizeof url, "%s/c", base);
    r = cel_fetch(web, url, &options, &page);
    if (r < 0)
        return r;
    n = cel_response_read(page, buf, 2);
    r = n < 0 ? (int)n : cel_response_load(page);
    cel_response_free(page);
    return r;
}

static int open_and_visit(struct cel_listener *door)
{
    struct cel_session_options options = {.timeouts = {.total = 500 * CEL_MILLISECOND},
                                          .per_host_max = 1};
    struct cel_session *web = cel_session_new(&options);
    char base[64];
    int r;

    if (web == NULL)
        return -ENOMEM;
    snprintf(base, sizeof base, "http://%s", cel_listener_address(door));
    r = visit(web, base);
    cel_session_free(web);
    return r;
}

static void *work(void *arg)
{
    struct site site;
    struct cel_task *server;
    int r = cel_listen(&site.door, "127.0.0.1:0", NULL);

    if (r < 0)
        return cel_fail(r, "listening");
    server = cel_spawn(serve, &site);
    if (server == NULL) {
        cel_listener_close(site.door);
        return cel_fail(-ENOMEM, "spawning");
    }
    r = open_and_visit(site.door);
    cel_listener_close(site.door);
    site.door = NULL;
    if (cel_join(server, NULL) < 0)
        r = r < 0 ? r : -EIO;
    return r < 0 ? cel_fail(r, "visiting") : NULL;
}

static int run(void *arg)
{
    struct cel_loop *loop;
    struct cel_task *task;
    int r = cel_loop_new(&loop, NULL);

    if (r < 0)
        return r;
    task = cel_spawn(work, NULL);
    r = task != NULL ? cel_loop_until(loop, task, NULL) : -ENOMEM;
    cel_task_free(task);
    if (cel_loop_close(loop) != 0)
        return -EADDRINUSE; /* something was left open */
    return r;
}

static void silent(enum cel_log_level level, const char *line, void *arg)
{
}

static void visit_survives_each_failing_allocation(void **state)
{
    cel_set_log(silent, NULL);
    assert_int_equal(run(NULL), 0);
    assert_true(fault_every_alloc(run, NULL) > 30);
    cel_set_log(NULL, NULL);
}

static void visit_survives_each_failing_system_call(void **state)
{
    cel_set_log(silent, NULL);
    assert_true(fault_every_syscall(NULL, run, NULL) > 20);
    cel_set_log(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visit_survives_each_failing_allocation),
        cmocka_unit_test(visit_survives_each_failing_system_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
