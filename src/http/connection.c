/* SPDX-License-Identifier: MIT */
/* A connection's life: one request after the other, until one side has had enough.
 *
 * 1. Requests are answered in the order of their coming, one at a time; those behind wait unread.
 * 2. What is answered is sent when no whole request is at hand any more.
 * 3. After a framing error nothing more is read as HTTP: answer, and close.
 * 4. While it waits for a request an idle connection holds its stack and no buffer. */
#include "http/connection.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "celadon/task.h"
#include "io/stream.h"
#include "proto/h1_parse.h"

#define FIELDS_FEW   32 /* of most heads */
#define LINGER_TIME  (2 * CEL_SECOND)
#define LINGER_BYTES (8 << 20) /* more than was under way when the client got to see the answer */

/* Somebody may wait for a connection to end, or for one to become idle. */
/* After a stop, for the first request of a connection that was just let in. */
#define FIRST_TIME (200 * CEL_MILLISECOND)

static void tell(struct cel_server *server)
{
    if (server->changed != NULL)
        (void)cel_future_set(server->changed, NULL);
}

/* (parks) More than `have` bytes, by the deadline. Who waits for a request may be dismissed. */
static ssize_t wait_for_bytes(struct cel__connection *c, const char **data, size_t have,
                              int64_t deadline)
{
    ssize_t n;

    if (have == 0 && !c->is_leaving) {
        cel__list_append(&c->server->idle, &c->idle_link);
        tell(c->server);
    }
    cel__patience_begin(&c->patience, deadline);
    n = cel_peek(c->stream, data, have + 1); /* parks */
    cel__patience_end(&c->patience);
    cel__list_unlink(&c->idle_link);
    return n;
}

void cel__connection_dismiss(struct cel__connection *c)
{
    cel__list_unlink(&c->idle_link);
    c->is_leaving = true;
    cel__patience_cut(&c->patience, -ECANCELED);
}

/* How long a connection may say nothing. Who has never asked has no longer for that than for a
 * head.
 */
static int64_t idle_deadline(struct cel__connection *c)
{
    const struct cel_server_options *o = &c->server->options;

    return cel__deadline(c, c->has_served ? o->idle_timeout
                                          : cel__min(o->idle_timeout, o->header_timeout));
}

/* Of one that is dismissed. Who was let in and has not asked yet is about to: its request may be
 * under way, and it would not know to send it again, as the client of a kept connection does. */
static bool is_worth_waiting(struct cel__connection *c, int64_t *deadline)
{
    if (!c->is_leaving)
        return false;
    if (!cel_stream_is_quiet(c->stream))
        return true;
    if (c->has_served || !c->server->is_shut)
        return false;
    *deadline = cel__min(*deadline, cel__deadline(c, FIRST_TIME));
    return true;
}

/* (parks) A request's first bytes. -> how many; 0: there will be none. One that is dismissed while
 * a request lies at its door takes it in first: to the client it was sent in time. */
static size_t wait_for_request(struct cel__connection *c, const char **data, int64_t *deadline)
{
    ssize_t n = -ECANCELED;

    cel__connection_rest(c);
    c->is_leaving |= c->server->is_shut;
    *deadline = idle_deadline(c);
    if (!c->is_leaving)
        n = wait_for_bytes(c, data, 0, *deadline); /* parks */
    if (n == -ECANCELED && is_worth_waiting(c, deadline))
        n = wait_for_bytes(c, data, 0, *deadline); /* parks */
    if (c->has_served)
        *deadline = cel__deadline(c, c->server->options.header_timeout);
    return n > 0 ? (size_t)n : 0;
}

static void begin_head(struct cel__connection *c, struct cel__h1_field *fields, unsigned cap)
{
    const struct cel_server_options *o = &c->server->options;
    const struct cel__h1_limits limits = {
        .line_bytes = cel__h1_limits_default.line_bytes,
        .head_bytes = (uint32_t)cel__min(o->header_bytes_max, (size_t)1 << 30),
        .fields = o->header_fields_max,
    };

    cel__h1_head_init(&c->req.head, CEL__H1_REQUEST, fields, cap, &limits);
}

/* The head at data. One with more fields than the table on the stack holds is read once more into
 * a larger one: an idle connection has only the stack, and that should be a page. */
static ssize_t parse_head(struct cel__connection *c, const char *data, size_t have)
{
    unsigned max = c->server->options.header_fields_max;
    ssize_t r = cel__h1_parse(&c->req.head, data, have);
    struct cel__h1_field *fields;

    if (cel__likely(r >= 0) || c->req.head.error != CEL__H1_E_TOO_MANY_FIELDS ||
        c->req.head.field_cap >= max)
        return r;
    fields = cel__arena_alloc(&c->arena, max * sizeof *fields);
    if (fields == NULL)
        return r;
    begin_head(c, fields, max);
    return cel__h1_parse(&c->req.head, data, have);
}

/* (parks) A whole head. -> its length; 0: the connection is over, with nothing to say; <0: refused,
 * as the head says. */
static ssize_t read_head(struct cel__connection *c, const char **data)
{
    int64_t deadline = 0;
    size_t have = cel__stream_unread(c->stream, data);
    ssize_t n, r;

    for (;;) {
        r = have != 0 ? parse_head(c, *data, have) : 0;
        if (r != 0)
            return r;
        if (cel__connection_flush(c) < 0) /* parks */
            return 0;
        if (have == 0) {
            have = wait_for_request(c, data, &deadline); /* parks */
            if (have == 0)
                return 0;
            continue;
        }
        if (deadline == 0) /* it came behind the one before */
            deadline = cel__deadline(c, c->server->options.header_timeout);
        n = wait_for_bytes(c, data, have, deadline); /* parks */
        if (n == -ETIMEDOUT)
            return -ETIMEDOUT;
        if (n < 0 || (size_t)n <= have)
            return 0;
        have = (size_t)n;
    }
}

/* (parks) The peer gets to see our last words: half close, then read on until it closes. */
static void linger(struct cel__connection *c)
{
    size_t total = 0;

    if (cel__connection_flush(c) < 0 || cel_shutdown(c->stream) < 0) /* parks */
        return;
    CEL_SCOPE (patience, .timeout = LINGER_TIME)
        while (total < LINGER_BYTES) {
            const char *data;
            ssize_t n = cel_peek(c->stream, &data, 1); /* parks */

            if (n <= 0)
                break;
            cel_consume(c->stream, (size_t)n);
            total += (size_t)n;
        }
}

static void refuse(struct cel__connection *c, int status, const char *cause)
{
    c->reply.must_close = true;
    c->req.head.keep_alive = false;
    if (cel__reply_error(&c->reply, status, cause) == 0)
        linger(c); /* parks */
}

static void refuse_head(struct cel__connection *c, ssize_t r)
{
    enum cel__h1_error e = c->req.head.error;

    if (r == -ETIMEDOUT)
        refuse(c, 408, "the request's head did not come in time"); /* parks */
    else
        refuse(c, (int)cel__h1_error_status(e), cel__h1_error_text(e)); /* parks */
}

/* A body is read over the place where the head lies: the head moves out first. */
static int secure_head(struct cel__connection *c)
{
    struct cel_request *req = &c->req;
    char *copy;

    if (req->body_state == CEL__BODY_ENDED)
        return 0;
    copy = cel__arena_copy(&c->arena, (struct cel_str){req->bytes, req->head_len});
    if (copy == NULL)
        return -ENOMEM;
    cel_consume(c->stream, req->head_len);
    cel__request_begin(c, copy, req->head_len);
    req->is_head_held = false;
    return 0;
}

static bool has_method(const struct cel__route_match *match, const char *method)
{
    for (size_t n = 0; n < match->node_count; n++)
        for (size_t i = 0; i < CEL__ROUTE_METHODS && match->nodes[n]->routes[i].method.ptr != NULL;
             i++)
            if (cel__str_eq(match->nodes[n]->routes[i].method, cel__str(method)))
                return true;
    return false;
}

/* Every method of every route that fits the path, and what the server answers by itself. */
static int say_allowed(struct cel_reply *reply, const struct cel__route_match *match)
{
    struct cel__buf allow = {0};
    int r = -ENOMEM;

    for (size_t n = 0; n < match->node_count; n++)
        for (size_t i = 0; i < CEL__ROUTE_METHODS && match->nodes[n]->routes[i].method.ptr != NULL;
             i++)
            cel__buf_printf(&allow, "%s, ", match->nodes[n]->routes[i].method.ptr);
    if (has_method(match, "GET") && !has_method(match, "HEAD"))
        cel__buf_add_text(&allow, "HEAD, ");
    if (!has_method(match, "OPTIONS"))
        cel__buf_add_text(&allow, "OPTIONS, ");
    if (cel__buf_cstr(&allow) != NULL && !allow.failed) {
        allow.ptr[allow.len - 2] = '\0';
        r = cel_reply_header(reply, "Allow", allow.ptr);
    }
    cel__buf_fini(&allow);
    return r;
}

/* No handler is there for it: what the server itself says. */
static int answer_unrouted(struct cel__connection *c)
{
    const struct cel__h1_head *head = &c->req.head;
    const struct cel__route_match *match = &c->req.match;
    int r;

    if (head->form == CEL__H1_ASTERISK) /* OPTIONS, for the server as a whole */
        return cel_reply_begin(&c->reply, 204, NULL, 0);
    if (head->form == CEL__H1_AUTHORITY)
        return cel__reply_error(&c->reply, 501, "this is no proxy");
    if (match->node_count == 0)
        return cel__reply_error(&c->reply, 404, "");
    if (head->method == CEL__H1_OTHER_METHOD)
        return cel__reply_error(&c->reply, 501, "");
    r = say_allowed(&c->reply, match);
    if (r < 0)
        return r;
    if (head->method == CEL__H1_OPTIONS)
        return cel_reply_begin(&c->reply, 204, NULL, 0);
    c->server->stats.errors++;
    return cel_reply_text(&c->reply, 405, "405 Method Not Allowed\n");
}

/* (parks) */
static int handle(struct cel__connection *c)
{
    struct cel_request *req = &c->req;
    cel_handler *handler;
    int r;

    if (req->head.expects_unknown) {
        c->reply.must_close = req->body_state != CEL__BODY_ENDED; /* it may wait for a go-ahead */
        return cel__reply_error(&c->reply, 417, "");
    }
    cel__router_find(&c->server->router, cel_request_method(req), req->path, &req->match);
    if (req->match.route == NULL)
        return answer_unrouted(c);
    r = cel__request_decode_params(req);
    if (r == -EINVAL)
        return cel__reply_error(&c->reply, 400, "bad percent-encoding in the path");
    if (r < 0)
        return r;
    handler = (cel_handler *)req->match.route->fn;
    return handler(req, &c->reply); /* parks */
}

static int status_of(int r)
{
    switch (r) {
    case -CEL_ETOOLARGE:
        return 413;
    case -CEL_EPROTOCOL:
        return 400;
    case -ETIMEDOUT:
        return 408;
    case -ENOMEM:
    case -EMFILE:
    case -ENFILE:
        return 503;
    default:
        return 500;
    }
}

/* (parks) What a handler's failure becomes. A client that left or sent no whole body is no failure
 * of ours. */
static void handler_failed(struct cel__connection *c, int r)
{
    bool is_clients = c->req.body_state == CEL__BODY_BROKEN || c->reply.has_failed;
    int status = status_of(r);

    if (is_clients && status == 500)
        status = 400;
    if (status >= 500)
        cel__log(CEL_LOG_ERROR, "%.*s %.*s failed: %s", CEL_STR(cel_request_method(&c->req)),
                 CEL_STR(cel_request_target(&c->req)), cel_strerror(r));
    if (c->reply.status != 0 || r == -ECONNRESET) {
        c->reply.has_failed = true; /* half an answer: closing tells */
        return;
    }
    c->reply.must_close = true;
    (void)cel__reply_error(&c->reply, status, status < 500 ? cel_strerror(r) : "");
}

static void begin_exchange(struct cel__connection *c, struct cel__h1_field *fields)
{
    begin_head(c, fields, FIELDS_FEW);
    c->req.conn = c;
    c->reply.status = 0;
    c->reply.is_chunked = c->reply.has_length = c->reply.has_no_body = false;
    c->reply.has_ended = c->reply.has_failed = c->reply.must_close = false;
}

static void end_exchange(struct cel__connection *c)
{
    if (c->req.head.body == CEL__H1_BODY_CHUNKED && c->req.body_state != CEL__BODY_UNREAD)
        cel__chunked_fini(&c->req.chunked);
    if (c->arena.blocks != NULL)
        cel__arena_clear(&c->arena);
    cel__buf_clear(&c->reply.fields);
}

/* (parks) -> whether the connection may carry another request. */
static bool exchange(struct cel__connection *c, const char *data, size_t head_len)
{
    bool goes_on;
    int r;

    c->has_served = true;
    c->server->stats.requests++;
    cel__request_begin(c, data, head_len);
    r = secure_head(c);
    if (r == 0)
        r = handle(c); /* parks */
    if (r < 0)
        handler_failed(c, r); /* parks */
    if (!c->reply.has_failed)
        r = cel__reply_finish(&c->reply); /* parks */
    goes_on = r == 0 && !c->reply.has_failed && !c->reply.must_close &&
              cel__request_drain(&c->req); /* parks */
    if (c->req.is_head_held)
        cel_consume(c->stream, head_len);
    if (!goes_on && c->reply.has_failed)
        (void)cel__connection_flush(
            c); /* parks; the part that there is: its end tells the client */
    else if (!goes_on)
        linger(c); /* parks */
    end_exchange(c);
    return goes_on;
}

/* (parks) */
static void serve_all(struct cel__connection *c, struct cel__h1_field *fields)
{
    for (;;) {
        const char *data;
        ssize_t n;

        begin_exchange(c, fields);
        n = read_head(c, &data); /* parks */
        if (n < 0)
            refuse_head(c, n);                       /* parks */
        if (n <= 0 || !exchange(c, data, (size_t)n)) /* parks */
            return;
    }
}

struct start {
    struct cel_server *server;
    struct cel_stream *stream;
};

static void *connection_main(void *arg)
{
    struct start *start = arg;
    struct cel__h1_field fields[FIELDS_FEW];
    struct cel__connection c = {
        .server = start->server, .stream = start->stream, .task = cel_task_current()};

    cel__mem_free(start);
    c.loop = cel_loop_current();
    c.reply.conn = &c;
    cel__list_init(&c.idle_link);
    cel__patience_init(&c.patience);
    cel__list_append(&c.server->connections, &c.link);
    serve_all(&c, fields); /* parks */
    cel__patience_fini(&c.patience);
    cel__arena_clear(&c.arena);
    cel__connection_rest(&c);
    cel__buf_fini(&c.out);
    cel__buf_fini(&c.reply.fields);
    cel_close(c.stream);
    cel__list_unlink(&c.link);
    c.server->stats.open--;
    tell(c.server);
    return NULL;
}

int cel__connection_spawn(struct cel_server *server, struct cel_stream *stream)
{
    struct start *start = cel__mem_alloc(sizeof *start);

    if (start == NULL)
        return -ENOMEM;
    *start = (struct start){server, stream};
    if (cel_background(connection_main, start) < 0) {
        cel__mem_free(start);
        return -ENOMEM;
    }
    server->stats.open++;
    return 0;
}
