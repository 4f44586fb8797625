/* SPDX-License-Identifier: MIT */
/* Requests of every kind to a server on the same loop, some of them more than either side takes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <celadon/http.h>
#include <celadon/server.h>

#include "twin.h"

#define BODY_MAX 200000 /* of a request */

/* Says what was asked, and how the body was. */
static int reflect(struct cel_request *req, struct cel_reply *reply)
{
    struct cel_str body = {0};
    const char *q = cel_request_query_param(req, "q");
    int r = cel_request_body(req, &body); /* parks */

    if (r < 0)
        return r;
    return cel_reply_text(reply, 200, "%.*s %.*s %s %zu %llx", CEL_STR(cel_request_method(req)),
                          CEL_STR(cel_request_path(req)), q != NULL ? q : "-", body.len,
                          (unsigned long long)hash_of(body.ptr, body.len));
}

/* So many bytes, by a length or in chunks. */
static int pour(struct cel_request *req, struct cel_reply *reply)
{
    size_t len = strtoul(cel_param(req, "len"), NULL, 10), piece = 1 + len / 7;
    bool has_length = strcmp(cel_param(req, "how"), "length") == 0;
    int r = cel_reply_begin(reply, 200, NULL, has_length ? (int64_t)len : -1);

    for (size_t at = 0; at < len && r == 0; at += piece)
        r = cel_reply_write(reply, bytes_from(at), piece < len - at ? piece : len - at);
    return r;
}

static int answer_status(struct cel_request *req, struct cel_reply *reply)
{
    return cel_reply_bytes(reply, (int)strtol(cel_param(req, "code"), NULL, 10), NULL, "", 0);
}

static int fail(struct cel_request *req, struct cel_reply *reply)
{
    (void)req;
    (void)reply;
    return -EIO;
}

static int lead_on(struct cel_request *req, struct cel_reply *reply)
{
    int left = (int)strtol(cel_param(req, "left"), NULL, 10);
    char to[40];

    snprintf(to, sizeof to, left > 0 ? "/lead/%d" : "/reflect/end", left - 1);
    return cel_reply_redirect(reply, left % 2 == 0 ? 302 : 307, to);
}

struct web {
    struct subject *s;
    struct cel_session *session;
    const char *base; /* host:port */
};

static void say(struct web *w, int r, struct cel_response *page)
{
    struct cel_str body;

    got(w->s, "%s", told(r));
    if (r < 0)
        return;
    body = cel_text(page);
    got(w->s, "%d %zu %llx, %zu hops", page->status, body.len,
        (unsigned long long)hash_of(body.ptr, body.len), page->history_count);
    cel_response_free(page);
}

static void fetch(struct web *w, const char *method, const char *path, size_t len)
{
    char url[200];
    int r;
    struct cel_response *page = NULL;
    struct cel_fetch_options options = {.method = method, .body = {bytes_from(len), len}};

    does(w->s, "%s %s %zu", method, path, len);
    snprintf(url, sizeof url, "http://%s%s", w->base, path);
    r = cel_fetch(w->session, url, &options, &page); /* parks */
    say(w, r, page);
}

static void ask_once(struct web *w)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD"};
    static const int codes[] = {200, 201, 204, 304, 400, 404, 500, 503};
    char path[100];

    switch (draw(w->s, 7)) {
    case 0:
    case 1:
        snprintf(path, sizeof path, "/reflect/%u?q=%u", (unsigned)draw(w->s, 1000),
                 (unsigned)draw(w->s, 1000));
        fetch(w, methods[1 + draw(w->s, 2)], path, draw_size(w->s, 2ul * BODY_MAX));
        break;
    case 2:
        snprintf(path, sizeof path, "/pour/%zu/%s", draw_size(w->s, 500000),
                 draw(w->s, 2) ? "length" : "chunks");
        fetch(w, "GET", path, 0);
        break;
    case 3:
        snprintf(path, sizeof path, "/status/%d", codes[draw(w->s, 8)]);
        fetch(w, "GET", path, 0);
        break;
    case 4:
        snprintf(path, sizeof path, "/lead/%u", (unsigned)draw(w->s, 14));
        fetch(w, "GET", path, 0);
        break;
    case 5:
        fetch(w, "GET", draw(w->s, 2) ? "/fail" : "/nowhere", 0);
        break;
    default:
        fetch(w, methods[draw(w->s, 5)], "/reflect/x", 0);
    }
}

static int open_routes(struct cel_server *server)
{
    static const struct {
        const char *pattern;
        cel_handler *handler;
    } routes[] = {
        {"GET /reflect/{x}", reflect},         {"POST /reflect/{x}", reflect},
        {"PUT /reflect/{x}", reflect},         {"GET /pour/{len}/{how}", pour},
        {"GET /status/{code}", answer_status}, {"GET /fail", fail},
        {"GET /lead/{left}", lead_on},
    };
    int r = 0;

    for (size_t i = 0; i < sizeof routes / sizeof *routes && r == 0; i++)
        r = cel_route(server, routes[i].pattern, routes[i].handler, NULL);
    return r;
}

static void *serve(void *server)
{
    (void)!cel_server_run(server); /* parks */
    return NULL;
}

void surf(struct subject *s)
{
    struct cel_server *server =
        cel_server_new(&(struct cel_server_options){.body_bytes_max = BODY_MAX});
    struct cel_session_options options = {.body_max = 400000};
    struct web w = {.s = s, .session = cel_session_new(&options)};
    unsigned count = 2 + (unsigned)draw(s, 10);
    int r = open_routes(server);

    if (r == 0)
        r = cel_server_listen(server, "127.0.0.1:0");
    does(s, "%u requests", count);
    got(s, "%s", told(r));
    w.base = cel_server_address(server);
    CEL_SCOPE (both) {
        if (r == 0)
            r = cel_go(serve, server);
        for (unsigned i = 0; i < count && r == 0; i++)
            ask_once(&w); /* parks */
        cel_session_free(w.session);
        cel_server_stop(server);
    }
    cel_server_free(server);
}
