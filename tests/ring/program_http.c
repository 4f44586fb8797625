/* SPDX-License-Identifier: MIT */
/* A session against a server, both of ours: whatever the ring does, each answer is whole and the
 * one to its request, also after some that were called off midway. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "celadon/http.h"
#include "celadon/server.h"
#include "ring/programs.h"

#define CLIENTS  4
#define REQUESTS 6

static struct cel_server *server;
static struct cel_session *web;

static size_t size_of(unsigned id)
{
    return (size_t)id * 977 % 5000;
}

/* By a length, or in chunks. */
static int answer(struct cel_request *req, struct cel_reply *reply)
{
    unsigned id = (unsigned)strtoul(cel_param(req, "id"), NULL, 10);
    size_t len = size_of(id);
    char *text = cel_request_alloc(req, len + 1);

    if (text == NULL)
        return -ENOMEM;
    for (size_t k = 0; k < len; k++)
        text[k] = ring_byte(id, k);
    if (id % 3 != 0)
        return cel_reply_bytes(reply, 200, "text/plain", text, len);
    if (cel_reply_begin(reply, 200, "text/plain", -1) < 0)
        return -EPIPE;
    for (size_t at = 0; at < len; at += 700)
        if (cel_reply_write(reply, text + at, len - at < 700 ? len - at : 700) < 0)
            return -EPIPE;
    return 0;
}

static void *serve(void *arg)
{
    HOLDS(cel_server_run(server) == 0);
    return NULL;
}

static bool is_answer(unsigned id, const struct cel_response *page)
{
    struct cel_str text = cel_text(page);

    if (page->status != 200 || text.len != size_of(id))
        return false;
    for (size_t k = 0; k < text.len; k++)
        if (text.ptr[k] != ring_byte(id, k))
            return false;
    return true;
}

static int ask(unsigned id, struct cel_response **page)
{
    char url[80];

    snprintf(url, sizeof url, "http://%s/%u", cel_server_address(server), id);
    return cel_get(web, url, page);
}

/* Some in a hurry, which may end in nothing; the others end well. */
static void *visit(void *arg)
{
    unsigned first = (unsigned)(uintptr_t)arg * REQUESTS;

    for (unsigned id = first; id < first + REQUESTS; id++) {
        bool hurries = ring_draw(3) == 0;
        struct cel_response *page = NULL;
        int r = -ETIMEDOUT;

        CEL_SCOPE (s, .timeout =
                          hurries ? 1 + (int64_t)ring_draw(5 * CEL_MILLISECOND) : 600 * CEL_SECOND)
            r = ask(id, &page);
        HOLDS(r == 0 || (hurries && r == -ETIMEDOUT));
        if (r < 0)
            continue;
        HOLDS(is_answer(id, page));
        cel_response_free(page);
        ring_pause();
    }
    return NULL;
}

void *program_http(void *arg)
{
    struct cel_session_options options = {.per_host_max = 1 + (unsigned)ring_draw(4)};
    struct cel_task *serving, *visitors[CLIENTS];

    server = cel_server_new(NULL);
    web = cel_session_new(&options);
    HOLDS(server != NULL && web != NULL);
    HOLDS(cel_route(server, "GET /{id}", answer, NULL) == 0);
    HOLDS(cel_server_listen(server, "127.0.0.1:0") == 0);
    serving = cel_spawn(serve, NULL);
    for (uintptr_t i = 0; i < CLIENTS; i++)
        visitors[i] = cel_spawn(visit, (void *)i);
    for (int i = 0; i < CLIENTS; i++)
        HOLDS(cel_join(visitors[i], NULL) == 0);
    cel_session_free(web);
    cel_server_stop(server);
    HOLDS(cel_join(serving, NULL) == 0);
    cel_server_free(server);
    return NULL;
}
