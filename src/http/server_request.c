/* SPDX-License-Identifier: MIT */
/* What a handler asks of its request. While there is no body the head is read in place, in the
 * stream's unread bytes; reading a body moves those, so a head with a body is copied first. */
#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/mem.h"
#include "base/str.h"
#include "celadon/task.h"
#include "http/serving.h"
#include "io/stream.h"
#include "task/error.h"

static struct cel_str slice(const struct cel_request *req, struct cel__h1_span span)
{
    return cel__h1_slice(req->bytes, span);
}

/* "http://host/path?query" -> "/path?query" */
static struct cel_str origin_of(const struct cel_request *req)
{
    struct cel_str target = slice(req, req->head.target);
    const char *slash;

    if (req->head.form != CEL__H1_ABSOLUTE)
        return target;
    slash = memmem(target.ptr, target.len, "://", 3);
    if (slash == NULL)
        return target;
    target.len -= (size_t)(slash + 3 - target.ptr);
    target.ptr = slash + 3;
    slash = memchr(target.ptr, '/', target.len);
    if (slash == NULL)
        return CEL_LIT("/");
    target.len -= (size_t)(slash - target.ptr);
    target.ptr = slash;
    return target;
}

static void split_target(struct cel_request *req)
{
    struct cel_str rest = origin_of(req);

    (void)cel__str_split(&rest, '?', &req->path);
    req->query = rest;
}

void cel__request_begin(struct cel__connection *c, const char *bytes, size_t head_len)
{
    struct cel_request *req = &c->req;

    req->conn = c;
    req->bytes = bytes;
    req->head_len = head_len;
    req->is_head_held = true;
    req->body_left = req->head.body_bytes;
    req->body_seen = 0;
    req->form = (struct cel_str){0};
    req->body_waited = 0;
    req->body_state = req->head.body == CEL__H1_BODY_NONE ||
                              (req->head.body == CEL__H1_BODY_LENGTH && req->head.body_bytes == 0)
                          ? CEL__BODY_ENDED
                          : CEL__BODY_UNREAD;
    split_target(req);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = cel__char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Into `out`, which is as long as s and a NUL; NUL bytes are refused, since parameters are C
 * strings. -> length or -EINVAL. */
static ssize_t decode(struct cel_str s, char *out, bool is_form)
{
    char *to = out;

    for (size_t i = 0; i < s.len; i++) {
        int high, low;
        char c = s.ptr[i];

        if (is_form && c == '+')
            c = ' ';
        if (c == '%') {
            high = i + 2 < s.len ? hex(s.ptr[i + 1]) : -1;
            low = high >= 0 ? hex(s.ptr[i + 2]) : -1;
            if (low < 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return -EINVAL;
        *to++ = c;
    }
    *to = '\0';
    return to - out;
}

static char *decoded(struct cel_request *req, struct cel_str s, bool is_form, int *error)
{
    char *out = cel__arena_alloc(&req->conn->arena, s.len + 1);

    if (out == NULL) {
        *error = -ENOMEM;
        return NULL;
    }
    if (decode(s, out, is_form) < 0) {
        *error = -EINVAL;
        return NULL;
    }
    return out;
}

int cel__request_decode_params(struct cel_request *req)
{
    int r = 0;

    for (size_t i = 0; i < req->match.value_count; i++) {
        req->params[i] = decoded(req, req->match.values[i], false, &r);
        if (req->params[i] == NULL)
            return r;
    }
    return 0;
}

struct cel_str cel_request_method(const struct cel_request *req)
{
    return slice(req, req->head.method_name);
}

struct cel_str cel_request_target(const struct cel_request *req)
{
    return slice(req, req->head.target);
}

struct cel_str cel_request_path(const struct cel_request *req)
{
    return req->path;
}

struct cel_str cel_request_query(const struct cel_request *req)
{
    return req->query.ptr != NULL ? req->query : (struct cel_str){"", 0};
}

struct cel_str cel_request_host(const struct cel_request *req)
{
    return slice(req, req->head.host);
}

struct cel_str cel_request_header(const struct cel_request *req, const char *name)
{
    const struct cel__h1_field *field =
        cel__h1_find_name(&req->head, req->bytes, cel__str(name), 0);

    return field != NULL ? cel__h1_value(req->bytes, field) : (struct cel_str){NULL, 0};
}

const char *cel_param(const struct cel_request *req, const char *name)
{
    const struct cel__route *route = req->match.route;

    for (size_t i = 0; route != NULL && i < req->match.value_count; i++)
        if (strcmp(route->names[i], name) == 0)
            return req->params[i];
    return NULL;
}

/* The value of `name` among "a=b&c=d", decoded; NULL: none, or *error says why. */
static const char *pair_value(struct cel_request *req, struct cel_str pairs, const char *name,
                              int *error)
{
    struct cel_str pair;

    while (cel__str_split(&pairs, '&', &pair)) {
        struct cel_str value = pair, key;
        char *text;

        *error = 0;
        if (!cel__str_split(&value, '=', &key))
            continue;
        text = decoded(req, key, true, error);
        if (text != NULL && strcmp(text, name) == 0)
            return decoded(req, value.ptr != NULL ? value : CEL_LIT(""), true, error);
        if (*error == -ENOMEM)
            return NULL;
    }
    return NULL;
}

const char *cel_request_query_param(struct cel_request *req, const char *name)
{
    int error;

    return pair_value(req, req->query, name, &error);
}

void *cel_request_arg(const struct cel_request *req)
{
    return req->match.route != NULL ? req->match.route->arg : NULL;
}

const char *cel_request_peer(const struct cel_request *req)
{
    return cel_stream_peer(req->conn->stream);
}

void *cel_request_alloc(struct cel_request *req, size_t size_bytes)
{
    return cel__arena_alloc(&req->conn->arena, size_bytes);
}

/* ---- the body ---- */

/* (parks) Before the answer's head also where a handler began that first, if it has not left yet.
 */
static int say_continue(struct cel_request *req)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct cel__connection *c = req->conn;
    size_t at = c->reply.status != 0 ? c->reply.head_at : c->out.len;
    int r;

    if (!req->head.expects_continue || req->head.version_minor == 0 || at > c->out.len)
        return 0;
    r = cel__buf_add(&c->out, line, sizeof line - 1);
    if (r < 0)
        return r;
    memmove(c->out.ptr + at + sizeof line - 1, c->out.ptr + at,
            c->out.len - at - (sizeof line - 1));
    memcpy(c->out.ptr + at, line, sizeof line - 1);
    return cel__connection_flush(c); /* parks */
}

/* The head was copied by connection.c when there is a body: its bytes can go. */
static int body_start(struct cel_request *req)
{
    if (req->body_state != CEL__BODY_UNREAD)
        return 0;
    if (req->head.body == CEL__H1_BODY_LENGTH &&
        req->body_left > req->conn->server->options.body_bytes_max)
        return -CEL_ETOOLARGE;
    if (req->head.body == CEL__H1_BODY_CHUNKED)
        cel__chunked_init(&req->chunked, NULL);
    req->body_state = CEL__BODY_STARTED;
    return say_continue(req); /* parks */
}

static int broken(struct cel_request *req, int code, const char *why)
{
    req->body_state = CEL__BODY_BROKEN;
    return cel__raise(code, "body", "%s", why);
}

/* How long the client may keep us waiting now: body_timeout, and a second more for each
 * body_rate_min bytes that it has sent, less what it took already. So a trickle ends too. What the
 * handler does between two reads is not on the client's account. */
static int64_t patience_with(const struct cel_request *req)
{
    const struct cel_server_options *o = &req->conn->server->options;
    int64_t left = o->body_timeout;

    if (o->body_timeout == CEL_FOREVER || o->body_rate_min < 0)
        return left;
    left += (int64_t)(cel__min(req->body_seen, (uint64_t)INT64_MAX / CEL_SECOND / 2) *
                      (uint64_t)CEL_SECOND / (uint64_t)o->body_rate_min);
    return cel__min(left - req->body_waited, o->body_timeout);
}

/* (parks) Unread bytes of the connection, at least one; 0 at its end. */
static ssize_t more(struct cel_request *req, const char **data)
{
    struct cel__connection *c = req->conn;
    ssize_t n = (ssize_t)cel__stream_unread(c->stream, data);
    int64_t timeout, before;

    if (n != 0)
        return n;
    timeout = patience_with(req);
    if (timeout <= 0)
        return -ETIMEDOUT;
    n = cel__connection_flush(c); /* parks; the client may wait for what it was told so far */
    if (n < 0)
        return n;
    before = cel_now();
    CEL_SCOPE (patience, .timeout = timeout == CEL_FOREVER ? 0 : timeout)
        n = cel_peek(c->stream, data, 1); /* parks */
    req->body_waited += cel_now() - before;
    return n;
}

static ssize_t read_length(struct cel_request *req, void *buf, size_t len)
{
    const char *data;
    ssize_t n = more(req, &data); /* parks */

    if (n == 0)
        return broken(req, -CEL_ETRUNCATED, "the client closed within the body");
    if (n < 0)
        return broken(req, (int)n, cel_strerror((int)n));
    n = (ssize_t)cel__min(cel__min((uint64_t)n, req->body_left), (uint64_t)len);
    memcpy(buf, data, (size_t)n);
    cel_consume(req->conn->stream, (size_t)n);
    req->body_left -= (uint64_t)n;
    if (req->body_left == 0)
        req->body_state = CEL__BODY_ENDED;
    return n;
}

/* Data longer than the caller's buffer is left for the next call: the decoder is given no more
 * input than fits. */
static ssize_t read_chunked(struct cel_request *req, void *buf, size_t len)
{
    for (;;) {
        const char *data;
        struct cel_str piece;
        size_t used;
        ssize_t n = more(req, &data); /* parks */
        int r;

        if (n == 0)
            return broken(req, -CEL_ETRUNCATED, "the client closed within the body");
        if (n < 0)
            return broken(req, (int)n, cel_strerror((int)n));
        r = cel__chunked_next(&req->chunked, data, cel__min((size_t)n, len), &used, &piece);
        if (r < 0)
            return broken(req, r, req->chunked.why != NULL ? req->chunked.why : cel_strerror(r));
        if (piece.len != 0)
            memcpy(buf, piece.ptr, piece.len);
        cel_consume(req->conn->stream, used);
        if (r == 1)
            req->body_state = CEL__BODY_ENDED;
        if (r == 1 || piece.len != 0)
            return (ssize_t)piece.len;
    }
}

ssize_t cel_request_read(struct cel_request *req, void *buf, size_t len)
{
    ssize_t n;
    int r;

    if (req->body_state == CEL__BODY_ENDED || len == 0)
        return 0;
    if (req->body_state == CEL__BODY_BROKEN)
        return -CEL_EPROTOCOL;
    r = body_start(req); /* parks */
    if (r < 0)
        return broken(req, r, "the body is larger than this server takes");
    n = req->head.body == CEL__H1_BODY_CHUNKED ? read_chunked(req, buf, len) /* parks */
                                               : read_length(req, buf, len); /* parks */
    if (n > 0)
        req->body_seen += (uint64_t)n;
    if (req->body_seen > req->conn->server->options.body_bytes_max)
        return broken(req, -CEL_ETOOLARGE, "the body is larger than this server takes");
    return n;
}

int cel_request_body(struct cel_request *req, struct cel_str *body)
{
    struct cel__buf b = {0};
    char *copy;
    ssize_t n;
    int r = 0;

    do {
        r = cel__buf_reserve(&b, 4096);
        if (r < 0)
            goto out;
        n = cel_request_read(req, b.ptr + b.len, b.cap - b.len); /* parks */
        if (n > 0)
            b.len += (size_t)n;
    } while (n > 0);
    r = (int)n;
    if (r < 0)
        goto out;
    copy = cel__arena_copy(&req->conn->arena, cel__buf_str(&b));
    if (copy == NULL)
        r = -ENOMEM;
    else
        *body = (struct cel_str){copy, b.len};
out:
    cel__buf_fini(&b);
    return r;
}

/* "application/x-www-form-urlencoded; charset=utf-8" too. */
static bool is_form(const struct cel_request *req)
{
    struct cel_str rest = cel_request_header(req, "Content-Type"), type;

    return cel__str_split(&rest, ';', &type) &&
           cel__str_ieq(cel__str_trim(type), CEL_LIT("application/x-www-form-urlencoded"));
}

int cel_request_form_param(struct cel_request *req, const char *name, const char **value)
{
    int r = 0;

    if (!is_form(req))
        return -EINVAL;
    if (req->form.ptr == NULL)
        r = cel_request_body(req, &req->form); /* parks */
    if (r < 0)
        return r;
    *value = pair_value(req, req->form, name, &r);
    return r == -ENOMEM ? r : 0;
}

bool cel__request_drain(struct cel_request *req)
{
    char scrap[4096];
    uint64_t drained = 0;
    ssize_t n;

    if (req->body_state == CEL__BODY_ENDED)
        return true;
    if (req->body_state == CEL__BODY_UNREAD && req->head.expects_continue)
        return false; /* it waits for a go-ahead that it did not get */
    while ((n = cel_request_read(req, scrap, sizeof scrap)) > 0) { /* parks */
        drained += (uint64_t)n;
        if (drained > CEL__DRAIN_MAX)
            return false;
    }
    return n == 0;
}
