/* SPDX-License-Identifier: MIT */
/* Many names, redirects from one to the next, passwords and cookies: each request says the name
 * that it is for, each name that exists is found, each cookie comes back to where it was set, and a
 * password is shown to nobody but the one it was given for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/http.h"
#include "celadon/server.h"
#include "plays.h"

#define NAMES   14
#define WALKS   3
#define WALKERS 6
#define URL_MAX 200
#define SECRET  "Basic dXM6cGFzcw==" /* of "us" and "pass" */

struct place {
    char name[100];
    uint16_t port;
    bool has_set; /* its cookie, and the answer has come */
};

static struct world {
    struct place places[NAMES];
    bool is_calm;
    const char *flaw;
} world;

static void blame(bool is_wrong, const char *what)
{
    if (is_wrong && world.flaw == NULL)
        world.flaw = what;
}

static void name_places(void)
{
    for (unsigned i = 0; i < NAMES; i++) {
        struct place *p = &world.places[i];
        int pad = (int)cel_sim_draw(60);

        snprintf(p->name, sizeof p->name, "p%u.%.*s.test", i, 1 + pad,
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl");
        p->port = cel_sim_draw(2) == 0 ? 80 : 8080;
    }
}

static void authority_of(const struct place *p, char *out, size_t cap)
{
    if (p->port == 80)
        snprintf(out, cap, "%s", p->name);
    else
        snprintf(out, cap, "%s:%u", p->name, p->port);
}

static struct place *place_of(struct cel_str host)
{
    for (unsigned i = 0; i < NAMES; i++) {
        char name[URL_MAX];

        authority_of(&world.places[i], name, sizeof name);
        if (host.len == strlen(name) && memcmp(host.ptr, name, host.len) == 0)
            return &world.places[i];
    }
    return NULL;
}

/* ---- the places ---- */

static bool is_text(struct cel_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0;
}

/* What a request must say, wherever it comes to. `owner` is whose password it may show. */
static int check_request(struct cel_request *req, unsigned owner)
{
    struct place *p = place_of(cel_request_host(req));
    struct cel_str secret = cel_request_header(req, "Authorization");
    struct cel_str cookie = cel_request_header(req, "Cookie");
    char own[40];

    blame(p == NULL, "a request for a name that there is not");
    if (p == NULL)
        return -EPROTO;
    snprintf(own, sizeof own, "own=%u", (unsigned)(p - world.places));
    blame(secret.ptr != NULL && p != &world.places[owner], "a password that was shown to another");
    blame(secret.ptr != NULL && !is_text(secret, SECRET), "another password");
    blame(cookie.ptr != NULL && !is_text(cookie, own), "another's cookie");
    blame(cookie.ptr == NULL && cel_request_query(req).len > 0, "a cookie that was not sent back");
    return (int)(p - world.places);
}

static int set_own_cookie(struct cel_reply *reply, int place)
{
    char cookie[40];

    snprintf(cookie, sizeof cookie, "own=%d; Path=/", place);
    return cel_reply_header(reply, "Set-Cookie", cookie);
}

/* "/owner/next/left": to the next place, as often as is left. */
static int on_walk(struct cel_request *req, struct cel_reply *reply)
{
    unsigned owner = (unsigned)strtoul(cel_param(req, "owner"), NULL, 10);
    unsigned next = (unsigned)strtoul(cel_param(req, "next"), NULL, 10);
    unsigned left = (unsigned)strtoul(cel_param(req, "left"), NULL, 10);
    int here = check_request(req, owner % NAMES);
    char name[URL_MAX], url[2 * URL_MAX];

    if (here < 0 || set_own_cookie(reply, here) < 0)
        return -EPROTO;
    if (left == 0)
        return cel_reply_text(reply, 200, "%d", here);
    authority_of(&world.places[next % NAMES], name, sizeof name);
    snprintf(url, sizeof url, "http://%s/%u/%u/%u", name, owner, next * 5 + 3, left - 1);
    return cel_reply_redirect(reply, left % 2 == 0 ? 302 : 307, url);
}

static void *serve_at(void *arg)
{
    struct cel_server *server = cel_server_new(NULL);

    if (server == NULL)
        return NULL;
    if (cel_route(server, "GET /{owner}/{next}/{left}", on_walk, NULL) == 0)
        while (cel_serve(server, arg) == -EMFILE && cel_sleep(CEL_MILLISECOND) == 0)
            continue;
    cel_server_free(server);
    return NULL;
}

static void *serve(void *arg)
{
    CEL_SCOPE (both, .timeout = 0) {
        (void)!cel_go(serve_at, ":80");
        (void)!cel_go(serve_at, ":8080");
    }
    return NULL;
}

/* ---- who walks ---- */

static unsigned end_of(unsigned first, unsigned next, unsigned left)
{
    unsigned at = first;

    for (; left > 0; left--, next = next * 5 + 3)
        at = next % NAMES;
    return at;
}

static int walk(struct cel_session *web)
{
    unsigned first = (unsigned)cel_sim_draw(NAMES), next = (unsigned)cel_sim_draw(NAMES);
    unsigned left = (unsigned)cel_sim_draw(4);
    static const struct cel_header secret[] = {{"Authorization", SECRET}, {NULL, NULL}};
    struct cel_fetch_options options = {.user = "us", .password = "pass"};
    char name[URL_MAX], url[2 * URL_MAX];
    struct cel_response *page;
    int r;

    if (cel_sim_draw(2) == 0) {
        options.user = options.password = NULL;
        options.headers = cel_sim_draw(2) == 0 ? secret : NULL;
    }
    authority_of(&world.places[first], name, sizeof name);
    snprintf(url, sizeof url, "http://%s/%u/%u/%u%s", name, first, next, left,
             world.places[first].has_set ? "?known" : "");
    r = cel_fetch(web, url, &options, &page);
    blame(r == -CEL_EDNS && world.is_calm, "a name that is not found");
    blame(r == -CEL_EREDIRECT, "a walk that does not end");
    if (r < 0)
        return r;
    blame(page->status != 200 || strtoul(cel_text(page).ptr, NULL, 10) != end_of(first, next, left),
          "an answer from another place");
    world.places[end_of(first, next, left)].has_set = true;
    cel_response_free(page);
    return 0;
}

/* Who is impatient may give up in line for a connection, before a place or in it. */
static int64_t time_to_wait(void)
{
    if (!world.is_calm && cel_sim_draw(3) == 0)
        return 1 + (int64_t)cel_sim_draw(200 * CEL_MILLISECOND);
    return 10 * CEL_SECOND;
}

static void *walk_some(void *arg)
{
    struct cel_session *web = arg;
    int r = 0;

    for (unsigned i = 0; i < WALKS && world.flaw == NULL; i++) {
        CEL_SCOPE (patience, .timeout = time_to_wait())
            r = walk(web);
    }
    return r < 0 ? NULL : web;
}

/* Windows of a byte and long ways make half a minute of a page: then nobody is hurried. */
static bool is_quick(struct cel_session *web)
{
    int64_t began = cel_now();

    blame(walk(web) < 0, "a walk that fails though all is calm");
    return cel_now() - began < CEL_SECOND / 4;
}

static void *walk_together(struct cel_session *web)
{
    struct cel_task *tasks[WALKERS];
    void *is_well = web;

    for (unsigned i = 0; i < WALKERS; i++)
        tasks[i] = cel_spawn(walk_some, web);
    for (unsigned i = 0; i < WALKERS; i++) {
        void *one = NULL;

        if (cel_join(tasks[i], &one) < 0 || one == NULL)
            is_well = NULL;
    }
    return is_well;
}

void *play_web(void *arg)
{
    /* fewer connections than names: who wants one may have to wait for another's end */
    struct cel_session_options options = {.connections_max = 1 + (unsigned)cel_sim_draw(4),
                                          .per_host_max = (unsigned)cel_sim_draw(3)};
    struct cel_session *web = cel_session_new(&options);
    struct cel_session_stats stats;
    struct cel_sim_host *host;
    void *is_well;

    memset(&world, 0, sizeof world);
    name_places();
    HOLDS(web != NULL);
    HOLDS(cel_sim_host_new(&host, "everywhere", serve, NULL) == 0);
    for (unsigned i = 0; i < NAMES; i++)
        HOLDS(cel_sim_name(world.places[i].name, cel_sim_host_address(host)) == 0);
    (void)walk_together(web);
    cel_sim_calm(); /* the storm is over: now it must work */
    world.is_calm = true;
    (void)!cel_sleep(5 * CEL_SECOND);
    is_well = is_quick(web) ? walk_together(web) : web;
    cel_session_stats(web, &stats);
    blame(stats.waiting != 0 || stats.open != stats.idle, "connections that nobody has");
    cel_session_free(web);
    if (world.flaw != NULL)
        return cel_fail(-EPROTO, "%s", world.flaw);
    HOLDS(is_well != NULL);
    return NULL;
}
