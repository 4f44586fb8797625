/* SPDX-License-Identifier: MIT */
/* HTTP between our client and our server, and with others; a scrape. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cc.h"
#include "celadon/crawl.h"
#include "celadon/net.h"
#include "celadon/server.h"
#include "harness/scenario_tls.h"
#include "harness/scenarios.h"

#define MS CEL_MILLISECOND

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

static int refuse(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 413, "no");
}

static int send_on(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_redirect(reply, 302, "/hello/there");
}

#define MUCH (300 << 10) /* more than waits unsent */

static char much[MUCH];

static int say_much(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_bytes(reply, 200, NULL, much, MUCH);
}

static int say_much_in_pieces(struct cel_request *req, struct cel_reply *reply)
{
    int r = cel_reply_begin(reply, 200, NULL, MUCH);

    for (size_t at = 0; at < MUCH && r == 0; at += MUCH / 4)
        r = cel_reply_write(reply, much + at, MUCH / 4);
    return r;
}

static int say_much_text(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_text(reply, 200, "%*s", MUCH, "x");
}

static int give_form(struct cel_request *req, struct cel_reply *reply)
{
    const char *value;
    int r = cel_request_form_param(req, "name", &value);

    return r < 0 ? r : cel_reply_text(reply, 200, "%s", value != NULL ? value : "");
}

static int give_file(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_file(req, reply, "/proc/self/exe");
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
        cel_route(server, "POST /no", refuse, NULL) == 0 &&
        cel_route(server, "GET /on", send_on, NULL) == 0 &&
        cel_route(server, "GET /much", say_much, NULL) == 0 &&
        cel_route(server, "GET /pieces", say_much_in_pieces, NULL) == 0 &&
        cel_route(server, "GET /text", say_much_text, NULL) == 0 &&
        cel_route(server, "POST /form", give_form, NULL) == 0 &&
        cel_route(server, "GET /file", give_file, NULL) == 0 &&
        cel_route_files(server, "/files/", cert_directory) == 0 &&
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

/* An answer that comes while the request goes out, and is read when it has. */
static void read_chunks(struct cel_session *web, const char *address)
{
    int times = 0;
    struct cel_fetch_options options = {
        .body_read = give_twice, .body_arg = &times, .body_size = 20, .is_streaming = true};
    struct cel_response *page;
    char url[128], buf[8];
    size_t len = 0;
    ssize_t n;

    snprintf(url, sizeof url, "http://%s/stream", address);
    if (cel_fetch(web, url, &options, &page) < 0)
        return;
    while ((n = cel_response_read(page, buf, sizeof buf)) > 0)
        len += (size_t)n;
    CEL__ASSERT(n < 0 || page->status != 200 || len == 20);
    cel_response_free(page);
}

static void *http_duplex(void *arg)
{
    with_server(read_chunks, 0);
    return NULL;
}

/* More than is sent before the answer ends it. */
static ssize_t give_on(void *arg, void *buf, size_t cap)
{
    int *left = arg;

    memset(buf, 'x', 100);
    return cel_yield() < 0 ? -ECANCELED : (*left)-- > 0 ? 100 : 0;
}

static void post_in_vain(struct cel_session *web, const char *address)
{
    int left = 40;
    struct cel_fetch_options options = {.body_read = give_on, .body_arg = &left};
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://%s/no", address);
    if (cel_fetch(web, url, &options, &page) == 0)
        cel_response_free(page);
}

static void *http_refused(void *arg)
{
    with_server(post_in_vain, 0);
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

/* A server of another make: answers each connection's first request with these bytes, closes. */
struct foreign {
    struct cel_listener *door;
    const char *answer;
    size_t len;
};

static void *answers(void *arg)
{
    struct foreign *f = arg;
    struct cel_stream *s;
    char line[256];

    while (cel_accept(f->door, &s) == 0) {
        ssize_t n;

        while ((n = cel_read_until(s, '\n', line, sizeof line)) > 2)
            continue;
        if (n == 2 && cel_write(s, f->answer, f->len) > 0 && cel_shutdown(s) == 0)
            (void)!cel_read(s, line, sizeof line);
        cel_close(s);
    }
    return NULL;
}

static void *asks(const char *answer, size_t len, cel_task_fn *client)
{
    struct foreign f = {.answer = answer, .len = len};
    struct cel_session *web = cel_session_new(NULL);
    char address[64];

    if (web != NULL && cel_listen(&f.door, "127.0.0.1:0", NULL) == 0) {
        struct fan fan = {web, address};

        snprintf(address, sizeof address, "%s", cel_listener_address(f.door));
        CEL_SCOPE (s) {
            if (cel_go(answers, &f) == 0)
                (void)client(&fan);
            cel_scope_cancel(&s);
        }
        cel_listener_close(f.door);
    }
    cel_session_free(web);
    return NULL;
}

static void *gets_root(void *arg)
{
    struct fan *fan = arg;

    get(fan->web, fan->address, "/");
    return NULL;
}

static void *http_chunked(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                 "Set-Cookie: a=b; Path=/\r\n\r\n"
                                 "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n";

    return asks(answer, sizeof answer - 1, gets_root);
}

/* "hello, hello, hello" by gzip. */
static void *http_gzip(void *arg)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 29\r\n\r\n"
        "\037\213\010\000\000\000\000\000\002\003\313\110\315\311\311\327\121\310\100\242\000\237"
        "\241\312\011\023\000\000\000";

    return asks(answer, sizeof answer - 1, gets_root);
}

static void *http_deflate(void *arg)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 17\r\n\r\n"
        "\170\332\313\110\315\311\311\327\121\310\100\242\000\104\050\006\325";

    return asks(answer, sizeof answer - 1, gets_root);
}

static void *http_zstd(void *arg)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 27\r\n\r\n"
        "\050\265\057\375\004\130\155\000\000\070\150\145\154\154\157\054\040\001\000"
        "\342\212\021\165\363\230\216";

    return asks(answer, sizeof answer - 1, gets_root);
}

/* A name in another script leads to loopback. */
static void get_by_other_script(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://\303\244.localhost%s/hello/you", strrchr(address, ':'));
    if (cel_get(web, url, &page) == 0)
        cel_response_free(page);
}

static void *http_script(void *arg)
{
    with_server(get_by_other_script, 0);
    return NULL;
}

static void *http_cut(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";

    return asks(answer, sizeof answer - 1, gets_root);
}

static void *http_garbage(void *arg)
{
    static const char answer[] = "\x00\xff this is no HTTP\r\n\r\n";

    return asks(answer, sizeof answer - 1, gets_root);
}

static void *http_circle(void *arg)
{
    static const char answer[] = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";

    return asks(answer, sizeof answer - 1, gets_root);
}

static void leave_body(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128], buf[4];

    snprintf(url, sizeof url, "http://%s/slow", address);
    if (cel_fetch(web, url, &(struct cel_fetch_options){.is_streaming = true}, &page) < 0)
        return;
    (void)!cel_response_read(page, buf, sizeof buf);
    cel_response_free(page); /* amid the body */
    get(web, address, "/hello/again");
}

static void *http_leave_body(void *arg)
{
    with_server(leave_body, 0);
    return NULL;
}

static ssize_t gives_pieces(void *arg, void *buf, size_t cap)
{
    int *left = arg;

    if (cel_yield() < 0)
        return -ECANCELED;
    if (*left == 0)
        return 0;
    --*left;
    memcpy(buf, "piece", 5);
    return 5;
}

static void upload(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128];
    int pieces = 3;
    const struct cel_fetch_options options = {.body_read = gives_pieces, .body_arg = &pieces};

    snprintf(url, sizeof url, "http://%s/back", address);
    if (cel_fetch(web, url, &options, &page) < 0)
        return;
    CEL__ASSERT(page->status != 200 || cel_text(page).len == 15);
    cel_response_free(page);
}

static void *http_upload(void *arg)
{
    with_server(upload, 0);
    return NULL;
}

static void get_files(struct cel_session *web, const char *address)
{
    const struct cel_header range[] = {{.name = "Range", .value = "bytes=0-9"}, {0}};
    struct cel_response *page;
    char url[128];

    get(web, address, "/files/ca.pem");
    get(web, address, "/files/none");
    snprintf(url, sizeof url, "http://%s/files/good.pem", address);
    if (cel_fetch(web, url, &(struct cel_fetch_options){.headers = range}, &page) < 0)
        return;
    CEL__ASSERT(page->status != 206 || cel_text(page).len == 10);
    cel_response_free(page);
}

static void *http_files(void *arg)
{
    with_server(get_files, 0);
    return NULL;
}

/* Two requests in one write, then one that is no HTTP. */
static void pipeline(struct cel_session *web, const char *address)
{
    static const char requests[] = "GET /hello/a HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "no HTTP at all\r\n\r\n";
    struct cel_stream *s;
    char buf[512];

    if (cel_connect(&s, address, NULL) < 0)
        return;
    if (cel_write(s, requests, sizeof requests - 1) > 0)
        while (cel_read(s, buf, sizeof buf) > 0)
            continue;
    cel_close(s);
}

static void *http_pipeline(void *arg)
{
    with_server(pipeline, 0);
    return NULL;
}

/* Answers that wait for their reader. */
static void read_slowly(struct cel_session *web, const char *address)
{
    static const char *const paths[] = {"much", "pieces", "text"};

    for (int i = 0; i < 3; i++) {
        struct cel_response *page;
        char url[128];

        snprintf(url, sizeof url, "http://%s/%s", address, paths[i]);
        if (cel_fetch(web, url, &(struct cel_fetch_options){.is_streaming = true}, &page) < 0)
            return;
        if (cel_yield() == 0 && cel_response_load(page) == 0)
            CEL__ASSERT(page->status != 200 || cel_text(page).len == MUCH);
        cel_response_free(page);
    }
}

static void *http_much(void *arg)
{
    with_server(read_slowly, 0);
    return NULL;
}

static void post_form(struct cel_session *web, const char *address)
{
    const struct cel_pair form[] = {{.name = "name", .value = "v"}, {0}};
    const struct cel_header type[] = {
        {.name = "Content-Type", .value = "application/x-www-form-urlencoded"}, {0}};
    int times = 0;
    struct cel_fetch_options slow = {
        .method = "POST", .headers = type, .body_read = give_twice, .body_arg = &times};
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://%s/form", address);
    if (cel_post_form(web, url, form, &page) == 0) {
        CEL__ASSERT(page->status != 200 || cel_text(page).len == 1);
        cel_response_free(page);
    }
    if (cel_fetch(web, url, &slow, &page) == 0)
        cel_response_free(page);
}

static void get_part(struct cel_session *web, const char *address)
{
    const struct cel_header range[] = {{.name = "Range", .value = "bytes=0-299999"}, {0}};
    struct cel_fetch_options options = {.headers = range, .is_streaming = true};
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "http://%s/file", address);
    if (cel_fetch(web, url, &options, &page) < 0)
        return;
    if (cel_yield() == 0 && cel_response_load(page) == 0)
        CEL__ASSERT(page->status != 206 || cel_text(page).len == 300000);
    cel_response_free(page);
}

static void *http_part(void *arg)
{
    with_server(get_part, 0);
    return NULL;
}

static void *http_form(void *arg)
{
    with_server(post_form, 0);
    return NULL;
}

static void *listens_and_serves(void *arg)
{
    (void)!cel_serve(arg, "127.0.0.1:0");
    return NULL;
}

static void *http_serve(void *arg)
{
    struct cel_server *server = cel_server_new(&(struct cel_server_options){.stop_grace = 20 * MS});
    struct cel_session *web = cel_session_new(NULL);

    if (server != NULL && web != NULL &&
        cel_route(server, "GET /hello/{name}", say_hello, NULL) == 0) {
        CEL_SCOPE (s) {
            if (cel_go(listens_and_serves, server) == 0 && cel_yield() == 0 &&
                cel_server_address(server)[0] != '\0')
                get(web, cel_server_address(server), "/hello/you");
            cel_server_stop(server);
        }
    }
    cel_session_free(web);
    cel_server_free(server);
    return NULL;
}

static void time_out(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128];
    const struct cel_fetch_options options = {.timeouts = {.total = MS / 2}};

    snprintf(url, sizeof url, "http://%s/slow", address);
    if (cel_fetch(web, url, &options, &page) == 0)
        cel_response_free(page);
}

static void *http_timeout(void *arg)
{
    with_server(time_out, 0);
    return NULL;
}

static void with_tls_server(void (*client)(struct cel_session *web, const char *address))
{
    struct cel_server *server = cel_server_new(
        &(struct cel_server_options){.stop_grace = 20 * MS, .listen.tls = server_tls});
    struct cel_session *web = cel_session_new(&(struct cel_session_options){.tls = client_tls});

    if (server != NULL && web != NULL &&
        cel_route(server, "GET /hello/{name}", say_hello, NULL) == 0 &&
        cel_route(server, "POST /stream", stream_back, NULL) == 0 &&
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

static void get_by_tls(struct cel_session *web, const char *address)
{
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "https://%s/hello/you", address);
    if (cel_get(web, url, &page) == 0)
        cel_response_free(page);
}

static void *https_get(void *arg)
{
    with_tls_server(get_by_tls);
    return NULL;
}

static void upload_by_tls(struct cel_session *web, const char *address)
{
    int times = 0;
    struct cel_fetch_options options = {.body_read = give_twice, .body_arg = &times};
    struct cel_response *page;
    char url[128];

    snprintf(url, sizeof url, "https://%s/stream", address);
    if (cel_fetch(web, url, &options, &page) < 0)
        return;
    CEL__ASSERT(page->status != 200 || cel_text(page).len == 20);
    cel_response_free(page);
}

static void *https_upload(void *arg)
{
    with_tls_server(upload_by_tls);
    return NULL;
}

const struct scenario scenarios[] = {
    {"http_get", http_get},
    {"http_post", http_post},
    {"http_pool", http_pool},
    {"http_stop", http_stop},
    {"http_chunked", http_chunked},
    {"http_gzip", http_gzip},
    {"http_cut", http_cut},
    {"http_garbage", http_garbage},
    {"http_circle", http_circle},
    {"http_leave_body", http_leave_body},
    {"http_upload", http_upload},
    {"http_files", http_files},
    {"http_pipeline", http_pipeline},
    {"http_timeout", http_timeout},
    {"https_get", https_get},
    {"https_upload", https_upload},
    {"http_duplex", http_duplex},
    {"http_refused", http_refused},
    {"http_chunks", http_chunks},
    {"http_file", http_file},
    {"http_graceful", http_graceful},
    {"http_much", http_much},
    {"http_form", http_form},
    {"http_part", http_part},
    {"http_serve", http_serve},
    {"http_deflate", http_deflate},
    {"http_zstd", http_zstd},
    {"http_script", http_script},
    {"scrape", scrapes},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
