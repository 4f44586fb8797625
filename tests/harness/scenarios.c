/* SPDX-License-Identifier: MIT */
#include "harness/scenarios.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <poll.h>

#include "base/cc.h"
#include "celadon/crawl.h"
#include "celadon/file.h"
#include "celadon/net.h"
#include "celadon/offload.h"
#include "celadon/server.h"

#define MS CEL_MILLISECOND

/* ---- tasks ---- */

static void *nap(void *arg)
{
    int r = cel_sleep((intptr_t)arg * MS / 4);

    return r < 0 ? cel_fail(r, "napping") : arg;
}

static void *fail(void *arg)
{
    (void)cel_yield();
    return cel_fail(-EIO, "planned");
}

static void *sleeps(void *arg)
{
    (void)cel_sleep(1);
    (void)cel_sleep(MS);
    return NULL;
}

static void *yields(void *arg)
{
    for (int i = 0; i < 5 && cel_yield() == 0; i++)
        continue;
    return NULL;
}

static void *set_it(void *arg)
{
    if (cel_sleep(MS) == 0)
        (void)cel_future_set(arg, "x");
    return NULL;
}

static void *awaits(void *arg)
{
    struct cel_future *f = cel_future_new();

    if (f == NULL)
        return NULL;
    CEL_SCOPE (s) {
        void *value = NULL;

        if (cel_go(set_it, f) == 0 && cel_await(f, &value) == 0)
            CEL__ASSERT(value != NULL);
    }
    cel_future_free(f);
    return NULL;
}

static void *tree(void *arg)
{
    intptr_t depth = (intptr_t)arg;

    for (int i = 0; depth > 0 && i < 2; i++) {
        struct cel_task *t = cel_spawn(tree, (void *)(depth - 1));

        if (t != NULL && i == 0)
            (void)!cel_join(t, NULL);
    }
    (void)cel_yield();
    return NULL;
}

static void *joins_tree(void *arg)
{
    return tree((void *)3);
}

static size_t spawn_naps(struct cel_task **t, size_t n)
{
    size_t made = 0;

    for (intptr_t i = 0; made < n; i++, made++) {
        t[made] = cel_spawn(nap, (void *)(i % 3));
        if (t[made] == NULL)
            break;
    }
    return made;
}

static void *gathers(void *arg)
{
    struct cel_task *t[20];
    void *values[20];
    size_t n = spawn_naps(t, 20);

    (void)!cel_gather(t, n, values);
    return NULL;
}

static void *gathers_failure(void *arg)
{
    struct cel_task *t[3];
    size_t n = spawn_naps(t, 2);

    t[n] = cel_spawn(fail, NULL);
    if (t[n] != NULL)
        (void)!cel_gather(t, n + 1, NULL);
    return NULL;
}

static void *gathers_outcomes(void *arg)
{
    struct cel_task *t[3];
    int outcomes[3];
    size_t n = spawn_naps(t, 2);

    t[n] = cel_spawn(fail, NULL);
    if (t[n] != NULL)
        (void)!cel_gather_outcomes(t, n + 1, NULL, outcomes);
    return NULL;
}

static void *waits_first(void *arg)
{
    struct cel_task *t[3];
    size_t n = spawn_naps(t, 3);

    (void)!cel_wait(t, n, CEL_WAIT_FIRST);
    return NULL;
}

static void *completes(void *arg)
{
    struct cel_task *t[4];
    size_t n = spawn_naps(t, 4);
    struct cel_completed *c;

    if (cel_completed_new(&c, t, n) < 0)
        return NULL;
    while (cel_completed_next(c) >= 0)
        continue;
    cel_completed_free(c);
    return NULL;
}

static void *group_fails(void *arg)
{
    CEL_SCOPE (g, .is_group = true) {
        if (cel_spawn(nap, (void *)40) != NULL && cel_spawn(fail, NULL) != NULL)
            (void)cel_sleep(10 * MS);
    }
    return NULL;
}

static void count_up(void *arg)
{
    ++*(int *)arg;
    (void)cel_yield();
}

static void *cleans_up(void *arg)
{
    static struct cel_at_end node;
    static int ran;
    int deferred = 0;

    ran = 0;
    cel_task_at_end(&node, count_up, &ran);
    {
        CEL_DEFER(count_up, &deferred);
        (void)cel_sleep(MS);
        CEL_SCOPE (shield, .is_shielded = true)
            CEL__ASSERT(cel_sleep(MS / 4) == 0);
    }
    CEL__ASSERT(deferred == 1);
    return NULL;
}

static void *deadlines(void *arg)
{
    CEL_SCOPE (outer, .timeout = 2 * MS) {
        CEL_SCOPE (inner, .timeout = MS)
            (void)cel_sleep(CEL_SECOND);
    }
    return NULL;
}

static void *work(void *arg)
{
    usleep(200);
    return arg;
}

static void *offloads(void *arg)
{
    struct cel_future *f = cel_offload(work, "a");

    (void)!cel_offload_await(work, "b", NULL);
    if (f != NULL)
        (void)!cel_await(f, NULL);
    cel_future_free(f);
    return NULL;
}

/* ---- streams ---- */

static void *echo(void *arg)
{
    char buf[4096];
    ssize_t n;

    while ((n = cel_read(arg, buf, sizeof buf)) > 0)
        if (cel_write(arg, buf, (size_t)n) < 0)
            break;
    cel_close(arg);
    return NULL;
}

static void *accepts_one(void *arg)
{
    struct cel_stream *peer;

    if (cel_accept(arg, &peer) == 0)
        return echo(peer);
    return NULL;
}

static void talk(struct cel_stream *s)
{
    char buf[16];

    for (int i = 0; i < 3; i++)
        if (cel_write(s, "0123456789abcdef", 16) != 16 || cel_read_exactly(s, buf, 16) != 16)
            break;
}

static void *tcp_echo(void *arg)
{
    struct cel_listener *door;
    struct cel_stream *s;

    if (cel_listen(&door, "127.0.0.1:0", NULL) < 0)
        return NULL;
    CEL_SCOPE (scope) {
        if (cel_go(accepts_one, door) == 0 &&
            cel_connect(&s, cel_listener_address(door), NULL) == 0) {
            talk(s);
            cel_close(s);
        } else {
            cel_scope_cancel(&scope);
        }
    }
    cel_listener_close(door);
    return NULL;
}

static void *refused(void *arg)
{
    struct cel_stream *s;

    if (cel_connect(&s, "127.0.0.1:1", NULL) == 0)
        cel_close(s);
    return NULL;
}

static void *by_name(void *arg)
{
    struct sockaddr_storage out[4];
    size_t n = 4;

    (void)!cel_resolve("localhost", 80, out, &n);
    return NULL;
}

static void *writes_lines(void *arg)
{
    const struct iovec iov[] = {{"one\ntw", 6}, {"o\nthree", 7}};

    (void)cel_yield();
    if (cel_writev(arg, iov, 2) == 13)
        (void)!cel_shutdown(arg);
    cel_close(arg);
    return NULL;
}

static void *reads_lines(void *arg)
{
    struct cel_stream *a, *b;
    const char *data;
    char line[16];

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(writes_lines, b) < 0) {
            cel_close(b);
        } else if (cel_read_until(a, '\n', line, sizeof line) == 4 && cel_peek(a, &data, 4) >= 4) {
            cel_consume(a, 4);
            while (cel_read(a, line, 2) > 0)
                continue;
        }
    }
    cel_close(a);
    return NULL;
}

struct bulk {
    struct cel_stream *stream;
    size_t got;
};

static void *reads_slowly(void *arg)
{
    struct bulk *bulk = arg;
    static char buf[65536];
    ssize_t n;

    /* Not to be cancelled: it must count all that went out. */
    CEL_SCOPE (shield, .is_shielded = true)
        while ((n = cel_read(bulk->stream, buf, sizeof buf)) > 0) {
            bulk->got += (size_t)n;
            (void)cel_yield();
        }
    return NULL;
}

/* What `written` says is what the peer gets, whatever ended the write. */
static void *writes_much(void *arg)
{
    enum { MUCH = 1 << 20 };
    static char much[MUCH];
    struct cel_stream *a;
    struct bulk bulk = {0};
    size_t written = 0;
    bool is_clean = true;

    if (cel_stream_pair(&a, &bulk.stream) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(reads_slowly, &bulk) == 0) {
            ssize_t n = cel_write(a, much, MUCH);

            written = cel_stream_written(a);
            is_clean = n >= 0 || n == -ECANCELED || n == -ETIMEDOUT;
            if (n == -ECANCELED && cel_checkpoint() == 0)
                is_clean = false;
        }
        cel_close(a);
    }
    cel_close(bulk.stream);
    CEL__ASSERT(!is_clean || bulk.got == written);
    return NULL;
}

static void *reads_forever(void *arg)
{
    char c;
    ssize_t n = cel_read(arg, &c, 1);

    CEL__ASSERT(n < 0);
    return NULL;
}

static void *closes_under_reader(void *arg)
{
    struct cel_stream *a, *b;

    if (cel_stream_pair(&a, &b) < 0)
        return NULL;
    CEL_SCOPE (s) {
        if (cel_go(reads_forever, a) == 0) {
            CEL_SCOPE (shield, .is_shielded = true) /* the reader comes to stand in its read */
                (void)cel_yield();
        }
        cel_close(a);
    }
    cel_close(b);
    return NULL;
}

static void *datagrams(void *arg)
{
    struct cel_socket *a = NULL, *b = NULL;
    struct sockaddr_storage to;
    char buf[8];

    if (cel_udp_open(&a, "127.0.0.1:0") == 0 && cel_udp_open(&b, NULL) == 0 &&
        cel_address_parse(cel_socket_address(a), &to) == 0 && cel_send_to(b, "ping", 4, &to) == 4)
        (void)!cel_recv_from(a, buf, sizeof buf, NULL);
    cel_socket_close(a);
    cel_socket_close(b);
    return NULL;
}

static void *pokes(void *arg)
{
    if (cel_sleep(MS) == 0)
        (void)!write((int)(intptr_t)arg, "x", 1);
    return NULL;
}

static void *waits_fd(void *arg)
{
    int ends[2];

    if (pipe(ends) < 0)
        return NULL;
    CEL_SCOPE (s)
        if (cel_go(pokes, (void *)(intptr_t)ends[1]) == 0)
            (void)!cel_wait_fd(ends[0], POLLIN);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

static void *files(void *arg)
{
    char path[] = "/tmp/celadon-test-XXXXXX", buf[8], *all = NULL;
    int fd = mkstemp(path);
    struct cel_file *f;
    size_t len;

    if (fd < 0)
        return NULL;
    close(fd);
    if (cel_file_open(&f, path, O_RDWR, 0) == 0) {
        if (cel_file_write(f, "content", 7, 0) == 7 && cel_file_sync(f) == 0)
            (void)!cel_file_read(f, buf, sizeof buf, 0);
        cel_file_close(f);
    }
    if (cel_file_load(path, 100, &all, &len) == 0)
        cel_free(all);
    unlink(path);
    return NULL;
}

/* ---- HTTP ---- */

static int say_hello(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "<h1>%s</h1>", cel_param(req, "name"));
}

static int say_slowly(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, "text/plain", -1);

    for (int i = 0; i < 3 && r == 0; i++) {
        r = cel_reply_write(reply, "piece", 5);
        if (r == 0)
            r = cel_reply_flush(reply);
        if (r == 0)
            r = cel_yield();
    }
    return r;
}

static int say_back(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body;
    int r = cel_request_body(req, &body);

    return r < 0 ? r : cel_reply_bytes(reply, 200, NULL, body.ptr, body.len);
}

static int stream_back(struct cel_request *req, struct cel_reply *reply)
{
    char piece[8];
    ssize_t n = 0;
    int r = cel_reply_begin(reply, 200, NULL, -1);

    while (r == 0 && (n = cel_request_read(req, piece, sizeof piece)) > 0)
        r = cel_reply_write(reply, piece, (size_t)n);
    return r < 0 ? r : (int)n;
}

static int send_on(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_redirect(reply, 302, "/hello/there");
}

static void *serves(void *arg)
{
    (void)!cel_server_run(arg);
    return NULL;
}

/* A server in a scope, a client's work, the server's stop. */
static void with_server(void (*client)(struct cel_session *web, const char *address),
                        unsigned per_host)
{
    struct cel_session_options options = {.per_host_max = per_host};
    struct cel_server *server = cel_server_new(&(struct cel_server_options){.stop_grace = 20 * MS});
    struct cel_session *web = cel_session_new(&options);

    if (server != NULL && web != NULL &&
        cel_route(server, "GET /hello/{name}", say_hello, NULL) == 0 &&
        cel_route(server, "GET /slow", say_slowly, NULL) == 0 &&
        cel_route(server, "POST /back", say_back, NULL) == 0 &&
        cel_route(server, "POST /stream", stream_back, NULL) == 0 &&
        cel_route(server, "GET /on", send_on, NULL) == 0 &&
        cel_server_listen(server, "127.0.0.1:0") == 0) {
        CEL_SCOPE (s) {
            char address[64];

            snprintf(address, sizeof address, "%s", cel_server_address(server));
            if (cel_spawn(serves, server) != NULL)
                client(web, address);
            cel_server_stop(server);
        }
    }
    cel_session_free(web);
    cel_server_free(server);
}

static void get(struct cel_session *web, const char *address, const char *path)
{
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://%s%s", address, path);
    if (cel_get(web, url, &page) == 0)
        cel_response_free(page);
}

static void get_some(struct cel_session *web, const char *address)
{
    get(web, address, "/hello/you");
    get(web, address, "/on");
    get(web, address, "/slow");
    get(web, address, "/none");
}

static void *http_get(void *arg)
{
    with_server(get_some, 0);
    return NULL;
}

static void post_and_stream(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128], buf[4];

    snprintf(url, sizeof url, "http://%s/back", address);
    if (cel_post(web, url, NULL, CEL_LIT("a body of some bytes"), &page) == 0)
        cel_response_free(page);
    snprintf(url, sizeof url, "http://%s/slow", address);
    if (cel_fetch(web, url, &(struct cel_fetch_options){.is_streaming = true}, &page) < 0)
        return;
    while (cel_response_read(page, buf, sizeof buf) > 0)
        continue;
    cel_response_free(page);
}

static void *http_post(void *arg)
{
    with_server(post_and_stream, 0);
    return NULL;
}

struct fan {
    struct cel_session *web;
    const char *address;
};

static void *get_one(void *arg)
{
    struct fan *fan = arg;

    get(fan->web, fan->address, "/slow");
    return NULL;
}

static void get_in_line(struct cel_session *web, const char *address)
{
    struct fan fan = {web, address};

    CEL_SCOPE (s)
        for (int i = 0; i < 4; i++)
            if (cel_go(get_one, &fan) < 0)
                break;
}

static void *http_pool(void *arg)
{
    with_server(get_in_line, 1);
    return NULL;
}

static void stop_under_request(struct cel_session *web, const char *address)
{
    struct fan fan = {web, address};

    CEL_SCOPE (s)
        if (cel_go(get_one, &fan) == 0)
            (void)cel_yield();
}

static void *http_stop(void *arg)
{
    with_server(stop_under_request, 0);
    return NULL;
}

static ssize_t give_twice(void *arg, void *buf, size_t cap)
{
    int *times = arg;

    if ((*times)++ == 2)
        return 0;
    memcpy(buf, "some bytes", 10);
    return cel_yield() < 0 ? -ECANCELED : 10;
}

static void post_chunks(struct cel_session *web, const char *address)
{
    int times = 0;
    struct cel_fetch_options options = {.body_read = give_twice, .body_arg = &times};
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://%s/stream", address);
    if (cel_fetch(web, url, &options, &page) < 0)
        return;
    CEL__ASSERT(page->status != 200 || cel_text(page).len == 20);
    cel_response_free(page);
}

static void *http_chunks(void *arg)
{
    with_server(post_chunks, 0);
    return NULL;
}

#define FILE_BYTES 50000 /* more than is copied */

static void get_file(struct cel_server *server)
{
    struct cel_response *page;
    struct cel_session *web = cel_session_new(NULL);
    char url[128];

    snprintf(url, sizeof url, "http://%s/file.bin", cel_server_address(server));
    if (web != NULL && cel_get(web, url, &page) == 0) {
        CEL__ASSERT(page->status != 200 || cel_text(page).len == FILE_BYTES);
        cel_response_free(page);
    }
    cel_session_free(web);
}

/* -> whether there is a folder with a file. */
static bool make_folder(char *folder, char *path, size_t cap)
{
    int fd;

    if (mkdtemp(folder) == NULL)
        return false;
    snprintf(path, cap, "%s/file.bin", folder);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    return fd >= 0 && ftruncate(fd, FILE_BYTES) == 0 && close(fd) == 0;
}

static void *http_file(void *arg)
{
    char folder[] = "/tmp/celadon-test-XXXXXX", path[64];
    struct cel_server *server = cel_server_new(&(struct cel_server_options){.stop_grace = 20 * MS});

    if (server != NULL && make_folder(folder, path, sizeof path)) {
        if (cel_route_files(server, "/", folder) == 0 &&
            cel_server_listen(server, "127.0.0.1:0") == 0) {
            CEL_SCOPE (s) {
                if (cel_spawn(serves, server) != NULL)
                    get_file(server);
                cel_server_stop(server);
            }
        }
        unlink(path);
        rmdir(folder);
    }
    cel_server_free(server);
    return NULL;
}

/* One connection idle, one amid an answer, one queued at the door. */
static void stop_amid_all(struct cel_session *web, const char *address)
{
    struct fan fan = {web, address};

    get(web, address, "/hello/you");
    CEL_SCOPE (s)
        for (int i = 0; i < 3; i++)
            if (cel_go(get_one, &fan) < 0 || cel_yield() < 0)
                break;
}

static void *http_graceful(void *arg)
{
    with_server(stop_amid_all, 0);
    return NULL;
}

struct list {
    const char *address;
    char url[128];
    int at, told;
};

static int next_url(void *arg, const char **url)
{
    static const char *const paths[] = {"/hello/a", "/none", "/hello/b", "/slow"};
    struct list *list = arg;

    if (list->at == 4)
        return 0;
    snprintf(list->url, sizeof list->url, "http://%s%s", list->address, paths[list->at++]);
    *url = list->url;
    return 1;
}

static void told(void *arg, struct cel_scraped *result)
{
    ((struct list *)arg)->told++;
}

static void scrape_list(struct cel_session *web, const char *address)
{
    static const struct cel_field title[] = {{.name = "t", .css = "h1"}, {0}};
    struct list list = {.address = address};
    struct cel_fields *fields;

    if (cel_fields_new(&fields, title, NULL) < 0)
        return;
    (void)!cel_scrape(&(struct cel_scrape_options){.session = web,
                                                   .fields = fields,
                                                   .concurrency = 2,
                                                   .next = next_url,
                                                   .done = told,
                                                   .arg = &list},
                      NULL);
    CEL__ASSERT(list.told <= list.at);
    cel_fields_free(fields);
}

static void *scrapes(void *arg)
{
    with_server(scrape_list, 0);
    return NULL;
}

const struct scenario scenarios[] = {
    {"sleep", sleeps},
    {"yield", yields},
    {"await", awaits},
    {"join_tree", joins_tree},
    {"gather", gathers},
    {"gather_failure", gathers_failure},
    {"outcomes", gathers_outcomes},
    {"wait_first", waits_first},
    {"completed", completes},
    {"group", group_fails},
    {"cleanup", cleans_up},
    {"deadlines", deadlines},
    {"offload", offloads, .leaves_thread = true},
    {"tcp_echo", tcp_echo},
    {"refused", refused},
    {"by_name", by_name},
    {"lines", reads_lines},
    {"much", writes_much, .is_long = true},
    {"close", closes_under_reader},
    {"datagrams", datagrams},
    {"wait_fd", waits_fd},
    {"files", files, .leaves_thread = true},
    {"http_get", http_get},
    {"http_post", http_post},
    {"http_pool", http_pool},
    {"http_stop", http_stop},
    {"http_chunks", http_chunks},
    {"http_file", http_file},
    {"http_graceful", http_graceful},
    {"scrape", scrapes},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
