/* SPDX-License-Identifier: MIT */
/* Sessions against a server: each answer is the one to its request, whole or an error; what must
 * not be done twice is not done twice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/http.h"
#include "celadon/server.h"
#include "plays.h"

#define CLIENTS   4
#define REQUESTS  4
#define SIZE_MAX_ 6000

static char letter(unsigned id, size_t k)
{
    return (char)('a' + (id * 7 + k) % 26);
}

static size_t size_of(unsigned id)
{
    return (size_t)id * 977 % SIZE_MAX_;
}

struct site {
    unsigned posted[CLIENTS * REQUESTS];
    unsigned bad; /* bodies that came wrong */
};

static int on_get(struct cel_request *req, struct cel_reply *reply)
{
    unsigned id = (unsigned)strtoul(cel_param(req, "id"), NULL, 10);
    size_t len = size_of(id);
    char *text = cel_request_alloc(req, len + 1);

    if (text == NULL)
        return -ENOMEM;
    for (size_t k = 0; k < len; k++)
        text[k] = letter(id, k);
    if (id % 3 != 0)
        return cel_reply_bytes(reply, 200, "text/plain", text, len);
    if (id % 2 == 0 && cel_sleep(5 * CEL_MILLISECOND) < 0)
        return -ECANCELED;
    if (cel_reply_begin(reply, 200, "text/plain", -1) < 0)
        return -EPIPE;
    for (size_t at = 0; at < len; at += 1000)
        if (cel_reply_write(reply, text + at, len - at < 1000 ? len - at : 1000) < 0)
            return -EPIPE;
    return 0;
}

static int on_post(struct cel_request *req, struct cel_reply *reply)
{
    struct site *site = cel_request_arg(req);
    unsigned id = (unsigned)strtoul(cel_param(req, "id"), NULL, 10);
    struct cel_str body;
    int r;

    if (id % 4 == 1) { /* does not look at the body */
        site->posted[id]++;
        return cel_reply_text(reply, 200, "%u", id);
    }
    r = cel_request_body(req, &body);
    if (r < 0)
        return r;
    for (size_t k = 0; k < body.len; k++)
        site->bad += body.ptr[k] != letter(id, k);
    site->bad += body.len != size_of(id);
    site->posted[id]++;
    return cel_reply_text(reply, 200, "%u", id);
}

static void *serve(void *arg)
{
    struct cel_server *server = cel_server_new(NULL);

    if (server == NULL)
        return NULL;
    if (cel_route(server, "GET /{id}", on_get, arg) == 0 &&
        cel_route(server, "POST /{id}", on_post, arg) == 0)
        while (cel_serve(server, ":80") == -EMFILE && cel_sleep(CEL_MILLISECOND) == 0)
            continue;
    cel_server_free(server);
    return NULL;
}

struct client {
    struct client *others; /* all CLIENTS */
    struct cel_scope scope;
    bool is_asking;
    struct cel_session *web;
    struct site *site;
    unsigned nth, succeeded;
    const char *wrong;
};

static void check_get(struct client *c, unsigned id, const struct cel_response *page)
{
    struct cel_str text = cel_text(page);

    if (page->status != 200)
        return;
    c->succeeded++;
    if (text.len != size_of(id))
        c->wrong = "a body of another length";
    for (size_t k = 0; k < text.len; k++)
        if (text.ptr[k] != letter(id, k))
            c->wrong = "a body of other bytes";
}

static void check_post(struct client *c, unsigned id, int r, const struct cel_response *page)
{
    if (c->site->posted[id] > 1)
        c->wrong = "a request that ran twice";
    if (r < 0 || page->status != 200)
        return;
    c->succeeded++;
    if (c->site->posted[id] != 1)
        c->wrong = "an answer to what never ran";
    if (strtoul(cel_text(page).ptr, NULL, 10) != id)
        c->wrong = "another's answer";
}

/* Goes away in the middle of the body, or after it. */
static int look_inside(struct client *c, unsigned id, const char *url)
{
    struct cel_response *page;
    char part[1000];
    ssize_t n = 1;
    size_t at = 0;
    int r = cel_fetch(c->web, url, &(struct cel_fetch_options){.is_streaming = true}, &page);

    if (r < 0)
        return r;
    for (uint64_t parts = cel_sim_draw(8); parts > 0 && n > 0 && page->status == 200; parts--) {
        n = cel_response_read(page, part, sizeof part);
        for (ssize_t k = 0; k < n; k++, at++)
            if (at >= size_of(id) || part[k] != letter(id, at))
                c->wrong = "a streamed body of other bytes";
    }
    if (n == 0 && at != size_of(id))
        c->wrong = "a streamed body that ends early";
    cel_response_free(page);
    return -CEL_ECLOSED;
}

static void ask(struct client *c, unsigned id)
{
    struct cel_response *page = NULL;
    char url[64], bytes[SIZE_MAX_];
    int r;

    snprintf(url, sizeof url, "http://site/%u", id);
    if (cel_sim_draw(6) == 0) {
        r = look_inside(c, id, url);
    } else if (cel_sim_draw(2) == 0) {
        r = cel_get(c->web, url, &page);
        if (r == 0)
            check_get(c, id, page);
    } else {
        for (size_t k = 0; k < size_of(id); k++)
            bytes[k] = letter(id, k);
        r = cel_post(c->web, url, NULL, (struct cel_str){bytes, size_of(id)}, &page);
        check_post(c, id, r, page);
    }
    if (r == 0)
        cel_response_free(page);
}

/* Who goes on with a connection may let go of it at the moment when another, who stood in line for
 * it, gives up. */
static void call_off_another(struct client *c)
{
    struct client *other = &c->others[cel_sim_draw(CLIENTS)];

    if (other != c && other->is_asking && cel_sim_draw(2) == 0)
        cel_scope_cancel(&other->scope);
}

static void ask_for_a_while(struct client *c, unsigned id, int64_t limit)
{
    cel_scope_enter(&c->scope, &(struct cel_scope_options){.timeout = limit});
    c->is_asking = true;
    ask(c, id);
    c->is_asking = false;
    call_off_another(c);
    (void)cel_scope_leave(&c->scope);
}

static void *visit(void *arg)
{
    struct client *c = arg;

    unsigned rest = (unsigned)cel_sim_draw(2 * REQUESTS); /* before that one, if there is one */

    for (unsigned i = 0; i < REQUESTS; i++) {
        int64_t limit = 6 * CEL_SECOND;

        if (i == rest) /* long enough for kept connections to go */
            (void)!cel_sleep((int64_t)cel_sim_draw(17 * CEL_SECOND));
        if (cel_sim_draw(3) == 0)
            limit = 1 + (int64_t)cel_sim_draw(300 * CEL_MILLISECOND);
        ask_for_a_while(c, c->nth * REQUESTS + i, limit);
    }
    return NULL;
}

/* Where buffers are tiny, a client that sends and a server that answers without reading may both be
 * writing until one gives up; so that may fail, but what comes after it must not. */
static void post_unread(struct cel_session *web)
{
    struct cel_response *page;

    CEL_SCOPE (patience, .timeout = 4 * CEL_SECOND) {
        if (cel_post(web, "http://site/9", NULL, CEL_LIT("not looked at"), &page) == 0)
            cel_response_free(page);
    }
}

/* What is left of the body must not be taken for the next answer. */
static void leave_early(struct cel_session *web)
{
    static const struct cel_fetch_options streaming = {.is_streaming = true};
    struct cel_response *page;
    char part[100];

    CEL_SCOPE (patience, .timeout = 4 * CEL_SECOND) {
        if (cel_fetch(web, "http://site/5", &streaming, &page) == 0) {
            for (uint64_t parts = cel_sim_draw(8); parts > 0; parts--)
                if (cel_response_read(page, part, sizeof part) <= 0)
                    break;
            cel_response_free(page);
        }
    }
}

/* Together they may have to stand in line. -> whether it went well. */
static void *ask_for_little(void *arg)
{
    struct cel_response *page;
    int status, r = -ETIMEDOUT;

    post_unread(arg);
    leave_early(arg);
    CEL_SCOPE (patience, .timeout = 12 * CEL_SECOND) {
        r = cel_get(arg, "http://site/0", &page);
    }
    if (r < 0)
        return NULL;
    status = page->status;
    cel_response_free(page);
    return status == 200 ? arg : NULL;
}

void *play_http(void *arg)
{
    struct cel_session_options options = {.per_host_max = 1 + (unsigned)cel_sim_draw(4)};
    struct client clients[CLIENTS] = {0};
    struct cel_session *web = cel_session_new(&options);
    struct cel_task *tasks[CLIENTS];
    struct cel_sim_host *host;
    struct cel_session_stats stats;
    static struct site site;
    const char *wrong = NULL;
    int r;

    memset(&site, 0, sizeof site);
    HOLDS(web != NULL);
    HOLDS(cel_sim_host_new(&host, "site", serve, &site) == 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.others = clients, .web = web, .site = &site, .nth = i};
        tasks[i] = cel_spawn(visit, &clients[i]);
        HOLDS(tasks[i] != NULL);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        HOLDS(cel_join(tasks[i], NULL) == 0);
        if (clients[i].wrong != NULL)
            wrong = clients[i].wrong;
    }
    cel_sim_calm(); /* the storm is over: now it must work */
    r = cel_sleep(5 * CEL_SECOND);
    for (unsigned i = 0; i < CLIENTS; i++)
        tasks[i] = cel_spawn(ask_for_little, web);
    for (unsigned i = 0; i < CLIENTS; i++) {
        void *is_well = NULL;

        if (cel_join(tasks[i], &is_well) < 0 || is_well == NULL)
            r = -EPROTO;
    }
    cel_session_stats(web, &stats);
    cel_session_free(web);
    HOLDS(r == 0);
    if (wrong != NULL)
        return cel_fail(-EPROTO, "%s", wrong);
    HOLDS(site.bad == 0);
    HOLDS(stats.waiting == 0);
    HOLDS(stats.open == stats.idle);
    HOLDS(stats.open <= options.per_host_max);
    return NULL;
}
