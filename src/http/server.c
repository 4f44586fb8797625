/* SPDX-License-Identifier: MIT */
/* The server: it accepts, and stops in order. Connections are background tasks of the loop that it
 * keeps count of itself, so that a cancel of cel_serve stops the accepting at once and yet leaves
 * requests under way their grace. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "celadon/task.h"
#include "http/connection.h"
#include "http/files.h"
#include "task/error.h"

#define QUEUED_TIME                                                              \
    (2 * CEL_MILLISECOND) /* to take in who is queued at the door when it closes \
                           */
#define SHORTAGE_PAUSE (10 * CEL_MILLISECOND)

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static void fill_options(struct cel_server_options *o)
{
    o->header_bytes_max = (size_t)or_default((int64_t)o->header_bytes_max, 64 * 1024);
    o->header_fields_max = (unsigned)or_default(o->header_fields_max, CEL__SERVER_FIELDS_MAX);
    o->header_fields_max = cel__min(o->header_fields_max, CEL__SERVER_FIELDS_MAX);
    o->body_bytes_max = (uint64_t)or_default((int64_t)o->body_bytes_max, 1024 * 1024);
    o->header_timeout = or_default(o->header_timeout, 10 * CEL_SECOND);
    o->idle_timeout = or_default(o->idle_timeout, 75 * CEL_SECOND);
    o->body_timeout = or_default(o->body_timeout, 30 * CEL_SECOND);
    o->body_rate_min = or_default(o->body_rate_min, 240);
    o->write_timeout = or_default(o->write_timeout, 30 * CEL_SECOND);
    o->stop_grace = or_default(o->stop_grace, 10 * CEL_SECOND);
}

/* The Server field, as it is sent. */
static int name_it(struct cel_server *server)
{
    const char *text = server->options.server_name;
    struct cel__buf name = {0};
    struct cel__h1_write w;
    int r;

    text = text != NULL ? text : "celadon";
    if (text[0] == '\0')
        return 0;
    cel__h1_write_trailer(&w, &name);
    r = cel__h1_write_field(&w, CEL_LIT("Server"), cel__str(text));
    if (r == 0 && cel__buf_cstr(&name) == NULL)
        r = -ENOMEM;
    if (r == 0)
        server->name = name.ptr;
    else
        cel__buf_fini(&name);
    return r;
}

struct cel_server *cel_server_new(const struct cel_server_options *options)
{
    struct cel_server *server = cel__mem_zalloc(sizeof *server);
    int r = -ENOMEM;

    if (server != NULL) {
        if (options != NULL)
            server->options = *options;
        fill_options(&server->options);
        cel__list_init(&server->connections);
        cel__list_init(&server->idle);
        cel__list_init(&server->folders);
        r = name_it(server);
    }
    if (r == 0)
        return server;
    cel__mem_free(server);
    cel__raise(r, "server", "%s",
               r == -ENOMEM ? "there is no memory for a server"
                            : "server_name cannot be sent in a header");
    return NULL;
}

void cel_server_free(struct cel_server *server)
{
    if (server == NULL)
        return;
    CEL__ASSERT(!server->is_running && cel__list_is_empty(&server->connections));
    cel_listener_close(server->listener);
    cel__files_fini(server);
    cel__router_fini(&server->router);
    cel__mem_free(server->name);
    cel__buf_fini(&server->spare);
    cel__mem_free(server);
}

int cel_route(struct cel_server *server, const char *pattern, cel_handler *handler, void *arg)
{
    int r;

    if (server == NULL)
        return cel__server_missing();
    r = cel__router_add(&server->router, pattern, (void (*)(void))handler, arg);
    if (r == -EINVAL)
        return cel__raise(r, "route", "'%s' is not a pattern: say GET /path or GET /a/{name}",
                          pattern);
    if (r == -EEXIST)
        return cel__raise(r, "route", "'%s' has a handler already", pattern);
    return r;
}

int cel_server_listen(struct cel_server *server, const char *address)
{
    if (server == NULL)
        return cel__server_missing();
    if (server->listener != NULL)
        return -EALREADY;
    return cel_listen(&server->listener, address, &server->options.listen);
}

const char *cel_server_address(const struct cel_server *server)
{
    return server != NULL && server->listener != NULL ? cel_listener_address(server->listener) : "";
}

void cel_server_stats(const struct cel_server *server, struct cel_server_stats *out)
{
    *out = server != NULL ? server->stats : (struct cel_server_stats){0};
}

/* (parks) Until a connection ends or becomes idle; a while, for want of memory to be told. */
static int wait_for_change(struct cel_server *server)
{
    struct cel_future *changed = cel_future_new();
    int r;

    if (changed == NULL)
        return cel_sleep(SHORTAGE_PAUSE); /* parks */
    server->changed = changed;
    r = cel_await(changed, NULL); /* parks */
    server->changed = NULL;
    cel_future_free(changed);
    return r;
}

static void take_in(struct cel_server *server, struct cel_stream *stream)
{
    int r = cel__connection_spawn(server, stream);

    server->stats.connections++;
    if (r < 0) {
        cel__log(CEL_LOG_WARN, "a connection was dropped: %s", cel_strerror(r));
        cel_close(stream);
    }
}

static void dismiss_idlest(struct cel_server *server)
{
    if (!cel__list_is_empty(&server->idle))
        cel__connection_dismiss(
            cel__container_of(server->idle.next, struct cel__connection, idle_link));
}

/* (parks) One connection. When there are as many as there may be, it waits until another has left;
 * the one that was idle longest is asked to. */
static int accept_one(struct cel_server *server)
{
    unsigned max = server->options.connections_max;
    struct cel_stream *stream;
    int r = cel_accept(server->listener, &stream); /* parks */

    if (r == -ENOMEM) /* it still waits at the door: a shortage must not end the server */
        return cel_sleep(SHORTAGE_PAUSE); /* parks */
    if (r < 0)
        return r;
    while (r == 0 && max != 0 && server->stats.open >= max) {
        dismiss_idlest(server);
        r = wait_for_change(server); /* parks */
    }
    take_in(server, stream);
    return r;
}

/* (parks) Who was let in by the kernel before the door is closed has perhaps asked already. */
static void accept_queued(struct cel_server *server)
{
    struct cel_stream *stream;

    CEL_SCOPE (last, .is_shielded = true, .timeout = QUEUED_TIME)
        while (cel_accept(server->listener, &stream) == 0) /* parks */
            take_in(server, stream);
}

static void dismiss_all(struct cel_server *server)
{
    while (!cel__list_is_empty(&server->idle))
        dismiss_idlest(server);
}

static void end_all(struct cel_server *server)
{
    CEL__LIST_EACH (node, &server->connections)
        cel_task_cancel(cel__container_of(node, struct cel__connection, link)->task);
}

/* (parks) Nobody is left when it returns; not to be cancelled. */
static void finish(struct cel_server *server)
{
    int64_t grace = server->options.stop_grace;

    server->is_stopping = true;
    accept_queued(server); /* parks */
    cel_listener_close(server->listener);
    server->listener = NULL;
    server->is_shut = true; /* not before: who is sent away comes back at once, and is reset if the
                               kernel lets him in just before the door is closed */
    dismiss_all(server);
    CEL_SCOPE (shield, .is_shielded = true, .timeout = grace)
        while (server->stats.open != 0)
            if (wait_for_change(server) < 0) /* parks */
                break;
    end_all(server);
    CEL_SCOPE (last, .is_shielded = true, .timeout = CEL_FOREVER)
        while (server->stats.open != 0)
            (void)cel_sleep(CEL_MILLISECOND); /* parks */
}

int cel_server_run(struct cel_server *server)
{
    int r = 0;

    if (server == NULL)
        return cel__server_missing();
    if (server->listener == NULL || server->is_running)
        return -EINVAL;
    server->is_running = true;
    server->is_stopping = server->is_shut = false;
    CEL_SCOPE (accepting) {
        server->accepting = &accepting;
        while (r == 0)
            r = accept_one(server); /* parks */
        server->accepting = NULL;
    }
    if (server->is_stopping)
        r = 0;
    finish(server); /* parks */
    server->is_running = false;
    return r;
}

int cel_serve(struct cel_server *server, const char *address)
{
    int r = cel_server_listen(server, address); /* parks */

    return r < 0 ? r : cel_server_run(server); /* parks */
}

void cel_server_stop(struct cel_server *server)
{
    if (server == NULL)
        return;
    server->is_stopping = true;
    if (server->accepting != NULL)
        cel_scope_cancel(server->accepting);
}
