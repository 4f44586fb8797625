/* SPDX-License-Identifier: MIT */
#ifndef CEL__SERVING_H
#define CEL__SERVING_H

/* One connection of a server and the request and reply that are under way on it. All of it lives on
 * the stack of the connection's task. */

#include "base/buf.h"
#include "base/list.h"
#include "celadon/server.h"
#include "http/arena.h"
#include "http/patience.h"
#include "http/router.h"
#include "loop/core.h"
#include "proto/chunked.h"
#include "proto/date.h"
#include "proto/h1_head.h"
#include "proto/h1_write.h"
#include "task/error.h"

#define CEL__SERVER_FIELDS_MAX 100
#define CEL__DRAIN_MAX         (256 * 1024) /* of a body that the handler left unread */

#define CEL__HEAD_FORMS 4

/* A head up to its length: server_head.c. */
struct cel__head_form {
    int status; /* 0: none */
    int64_t until;
    size_t type_len, len;
    char type[64], text[320];
};

struct cel_server {
    struct cel_server_options options;
    char *name; /* the Server field's whole line, or NULL */
    struct cel__router router;
    struct cel_listener *listener;
    struct cel__list connections; /* struct cel__connection */
    struct cel__list idle;        /* those waiting for a request, the longest idle first */
    struct cel__list folders;     /* of cel_route_files */
    struct cel_future *changed;   /* set when a connection ended or became idle */
    struct cel_scope *accepting;  /* while it runs: cancelled by stop */
    struct cel_server_stats stats;
    struct cel__date_line date;
    int64_t date_until; /* the line is good until then, by the loop's clock */
    struct cel__head_form forms[CEL__HEAD_FORMS];
    struct cel__buf spare; /* empty, for the next answer of whoever has none */
    bool is_running;
    bool is_stopping; /* it was asked to */
    bool is_shut;     /* and nobody is let in any more: each answer is its connection's last */
};

enum cel__body_state { CEL__BODY_UNREAD, CEL__BODY_STARTED, CEL__BODY_ENDED, CEL__BODY_BROKEN };

struct cel_request {
    struct cel__connection *conn;
    struct cel__h1_head head;
    const char *bytes; /* what the head's offsets refer to */
    struct cel_str path, query;
    struct cel__route_match match;
    const char *params[CEL__ROUTE_PARAMS_MAX];
    uint64_t body_left; /* with a length */
    uint64_t body_seen;
    int64_t body_waited; /* time that the client kept us waiting for it */
    struct cel__chunked chunked;
    uint8_t body_state;
    struct cel_str form; /* the body, once it was read as one; ptr NULL: not yet */
    bool is_head_held;   /* the head still lies in the stream's unread bytes */
    size_t head_len;
};

struct cel_reply {
    struct cel__connection *conn;
    struct cel__buf fields; /* lines of cel_reply_header */
    uint64_t left;          /* of the promised length */
    size_t head_at;         /* where its head begins in what is unsent; SIZE_MAX: it was sent */
    int status;             /* 0: not begun */
    bool is_chunked, has_length, has_no_body;
    bool has_ended;
    bool has_failed; /* the connection can only be closed */
    bool must_close;
};

struct cel__connection {
    struct cel__list link;
    struct cel__list idle_link; /* in server->idle */
    struct cel_server *server;
    struct cel_stream *stream;
    struct cel_task *task;
    struct cel_loop *loop;
    struct cel__patience patience; /* with the client's reading, and with its next head */
    bool is_leaving;               /* told so: what it is asked meanwhile is the last */
    bool has_served;               /* a request */
    struct cel__buf out;           /* replies not yet sent */
    struct cel__arena arena;
    struct cel_request req;
    struct cel_reply reply;
};

/* The code for a server that is NULL. */
static inline int cel__server_missing(void)
{
    return cel__raise_missing("server", "there is no server: cel_server_new has failed");
}

static inline int64_t cel__deadline(const struct cel__connection *c, int64_t timeout)
{
    return timeout == CEL_FOREVER ? CEL_FOREVER : c->loop->now + timeout;
}

/* Ready to be handled; path and query are set. */
void cel__request_begin(struct cel__connection *c, const char *bytes, size_t head_len);
/* Decodes the parameters that the route matched. -EINVAL bad encoding, -ENOMEM. */
int cel__request_decode_params(struct cel_request *req);
/* (parks) Reads what the handler left of the body, up to a bound. false: the connection must be
 * closed. */
bool cel__request_drain(struct cel_request *req);

/* So much of the body is unread that it will not be read away, or the client waits for a go-ahead
 * with it: an answer that is whole now is the last one. */
static inline bool cel__request_is_too_long(const struct cel_request *req)
{
    if (req->body_state == CEL__BODY_UNREAD && req->head.expects_continue)
        return true;
    return (req->body_state == CEL__BODY_UNREAD || req->body_state == CEL__BODY_STARTED) &&
           req->head.body == CEL__H1_BODY_LENGTH && req->body_left > CEL__DRAIN_MAX;
}

/* Tells an idle connection to leave; one whose next request is there already answers that first. */
void cel__connection_dismiss(struct cel__connection *c);
/* Nothing is unsent, and the connection will be idle: it keeps no large buffer. */
void cel__connection_rest(struct cel__connection *c);
/* (parks) Sends what is buffered. */
int cel__connection_flush(struct cel__connection *c);
/* The head, behind what is unsent. type NULL: no such field; length -1: not known. -EINVAL,
 * -ENOMEM.
 */
int cel__reply_write_head(struct cel_reply *reply, int status, const char *type, int64_t length);
/* (parks) Ends a streamed reply, or makes the 204 of a handler that said nothing. */
int cel__reply_finish(struct cel_reply *reply);
/* (parks) The next bytes of the body that was begun, from a file: without a copy where the stream
 * allows it. -CEL_ETRUNCATED: the file ended before. */
int cel__reply_send_file(struct cel_reply *reply, int fd, int64_t from, int64_t len);
/* A plain answer by the server itself. `cause` goes into its body. */
int cel__reply_error(struct cel_reply *reply, int status, const char *cause);

#endif
