/* SPDX-License-Identifier: MIT */
#ifndef CELADON_SERVER_H
#define CELADON_SERVER_H

/* An HTTP/1.1 server (RFC 9110, RFC 9112): routes to handlers that are straight-line code, one task
 * per connection. Keep-alive and pipelining are the server's business; so are framing, limits and
 * the answer to what is not HTTP. Handlers may park. All functions belong to the loop's thread.
 *
 * NULL, which cel_server_new gives when it fails, may be passed wherever a server is asked for: it
 * has no address and no connections, and what is asked of it fails as it did, by the same code and
 * words while they are the task's last, else with -EINVAL. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "celadon/base.h"
#include "celadon/net.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_server;
struct cel_request;
struct cel_reply;

/* 0 means the default named; times in ns, CEL_FOREVER: none. */
struct cel_server_options {
    size_t header_bytes_max;    /* 64 KiB; more: 431 */
    unsigned header_fields_max; /* 100; more: 431 */
    uint64_t body_bytes_max;    /* 1 MiB; more: 413 */
    int64_t header_timeout;     /* 10 s from a request's first byte, the first one's from accepting,
                                   to the end of its head; 408 */
    int64_t idle_timeout;       /* 75 s between requests; closed */
    int64_t body_timeout;       /* 30 s between two pieces of a body; 408. And for all pauses
                                   together, but for a second more per: */
    int64_t body_rate_min;      /* 240 bytes that came; negative: no such limit */
    int64_t write_timeout;      /* 30 s in which a client must take 64 KiB; closed */
    int64_t stop_grace;         /* 10 s for requests under way when the server is stopped */
    unsigned connections_max;   /* 0: as many as descriptors; beyond, the longest idle one is
                                   closed, or a new one waits */
    const char *server_name;    /* the Server field; NULL: "celadon"; "": none */
    struct cel_listen_options listen;
};

/* Owner: the caller. NULL when memory is out, or server_name has a byte that may not stand in a
 * header; cel_last_error says which. options may be NULL. */
CEL_PUBLIC CEL_NODISCARD struct cel_server *
cel_server_new(const struct cel_server_options *options);
/* It must not be serving. NULL is fine. */
CEL_PUBLIC void cel_server_free(struct cel_server *server);

/* Answers a request by the calls on `reply` below. 0; or a negative code: logged, and answered with
 * 500 when nothing was sent yet. A handler that returns 0 without an answer sends 204. */
typedef int cel_handler(struct cel_request *req, struct cel_reply *reply);

/* pattern: "METHOD /path/{name}/{rest...}": {name} matches one segment, {rest...} all that remain.
 * A literal segment wins over {name}, that over {rest...}. GET answers HEAD too. -EINVAL not a
 * pattern, -EEXIST taken, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_route(struct cel_server *server, const char *pattern,
                                       cel_handler *handler, void *arg);
/* Serves the files below `dir` under `prefix` ("/" or "/static/"): GET and HEAD, types by
 * extension, index.html for folders, ETag, Last-Modified, conditions, one byte range. Names that
 * begin with a dot and paths that lead out are not found. -ENOENT, -ENOTDIR, -EINVAL, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_route_files(struct cel_server *server, const char *prefix,
                                             const char *dir);

struct cel_files_options {
    bool is_precompressed;     /* sends x.br, x.zst or x.gz in the place of x to who takes that
                                  coding, where it lies beside x and is no older */
    const char *cache_control; /* the Cache-Control of each file; NULL: none; copied */
};
/* The same with more to say about it. options may be NULL. */
CEL_PUBLIC CEL_NODISCARD int cel_route_files_with(struct cel_server *server, const char *prefix,
                                                  const char *dir,
                                                  const struct cel_files_options *options);

/* (parks) Listens on address and serves until cel_server_stop, or until cancelled; then requests
 * under way get their grace. 0 after a stop; -ECANCELED, -ETIMEDOUT, and as cel_listen. */
CEL_PUBLIC CEL_NODISCARD int cel_serve(struct cel_server *server, const char *address);
/* (parks only to resolve a name) cel_serve in two steps, to learn the address between. As
 * cel_listen. */
CEL_PUBLIC CEL_NODISCARD int cel_server_listen(struct cel_server *server, const char *address);
/* (parks) The second step: as cel_serve. */
CEL_PUBLIC CEL_NODISCARD int cel_server_run(struct cel_server *server);
/* "127.0.0.1:34567" once it listens, or "". */
CEL_PUBLIC const char *cel_server_address(const struct cel_server *server);
/* Stops listening, closes idle connections, lets requests under way finish within stop_grace. Does
 * not park. */
CEL_PUBLIC void cel_server_stop(struct cel_server *server);

struct cel_server_stats {
    uint64_t connections, requests,
        errors;    /* since the start; errors: answered without a handler */
    unsigned open; /* connections now */
};
/* As it stands now. */
CEL_PUBLIC void cel_server_stats(const struct cel_server *server, struct cel_server_stats *out);

/* ---- on many cores ---- */

struct cel_workers_options;

struct cel_serve_workers_options {
    const struct cel_workers_options *workers; /* celadon/workers.h; NULL: a loop for each core */
    const struct cel_server_options *server;   /* of each; NULL: the usual. With several workers
                                                  listen.reuse_port is on */
    /* On each worker, in a task of its loop: adds the routes to its server. Handlers run on all
     * workers at once, so what `arg` leads to must be constant or safe for threads. 0, or a code
     * that ends all. */
    int (*setup)(struct cel_server *server, void *arg);
    void (*on_listening)(const char *address, void *arg); /* all listen; NULL: nothing */
    void *arg;
    bool stops_on_signals;          /* SIGINT and SIGTERM stop all; the calling thread takes them */
    struct cel_server_stats *stats; /* of all together, once they have ended; NULL: not told */
};

/* Not from a task. Runs cel_run_workers with a server on each, all at `address`; the kernel gives
 * each connection to one of them. Serves until one of them ends, by cel_server_stop from a handler
 * or by a failure, or by a signal; then all stop, and requests under way get their grace. One
 * listen.tls serves all. 0; what setup, cel_server_listen or cel_run_workers failed with; -EINVAL
 * the address is too long; -EADDRINUSE also: a Unix socket and several workers. */
CEL_PUBLIC CEL_NODISCARD int cel_serve_workers(const char *address,
                                               const struct cel_serve_workers_options *options);

/* ---- requests: slices are valid until the handler returns ---- */

/* "GET" */
CEL_PUBLIC struct cel_str cel_request_method(const struct cel_request *req);
/* As sent: "/a%20b?x=1". */
CEL_PUBLIC struct cel_str cel_request_target(const struct cel_request *req);
/* The path as sent, without the query. */
CEL_PUBLIC struct cel_str cel_request_path(const struct cel_request *req);
/* Behind "?", as sent; empty without one. */
CEL_PUBLIC struct cel_str cel_request_query(const struct cel_request *req);
/* host[:port] that was asked for. */
CEL_PUBLIC struct cel_str cel_request_host(const struct cel_request *req);
/* First field of that name in any case; {NULL, 0} without one. */
CEL_PUBLIC struct cel_str cel_request_header(const struct cel_request *req, const char *name);
/* A parameter of the route's pattern, percent-decoded, NUL-terminated; NULL when the pattern has
 * none of that name. */
CEL_PUBLIC const char *cel_param(const struct cel_request *req, const char *name);
/* A parameter of the query, form-decoded, NUL-terminated; NULL without one or when memory is out.
 */
CEL_PUBLIC const char *cel_request_query_param(struct cel_request *req, const char *name);
/* The `arg` of cel_route. */
CEL_PUBLIC void *cel_request_arg(const struct cel_request *req);
/* "127.0.0.1:34567" */
CEL_PUBLIC const char *cel_request_peer(const struct cel_request *req);
/* (parks) The next bytes of the body; 0: its end. -CEL_ETOOLARGE, -CEL_EPROTOCOL, -CEL_ETRUNCATED,
 * -ETIMEDOUT. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_request_read(struct cel_request *req, void *buf, size_t len);
/* (parks) The whole body, owned by the request. As cel_request_read, and -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_request_body(struct cel_request *req, struct cel_str *body);
/* (parks) A field of a posted form, decoded, in *value: NULL when the form has none of that name.
 * The first call reads the body. -EINVAL: its type is not application/x-www-form-urlencoded, and as
 * cel_request_body. */
CEL_PUBLIC CEL_NODISCARD int cel_request_form_param(struct cel_request *req, const char *name,
                                                    const char **value);
/* Memory that lives until the handler returns; NULL when there is none. */
CEL_PUBLIC void *cel_request_alloc(struct cel_request *req, size_t size_bytes);

/* ---- replies ---- */

/* Before the reply is begun. Content-Length, Transfer-Encoding, Connection and Date are the
 * server's. -EINVAL a byte that may not stand in a header, or a field of the server's; -EALREADY
 * begun, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_header(struct cel_reply *reply, const char *name,
                                              const char *value);
/* (parks when much is unsent) A whole answer. type NULL: application/octet-stream. -EALREADY,
 * -EINVAL, -ENOMEM; write errors. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_bytes(struct cel_reply *reply, int status, const char *type,
                                             const void *bytes, size_t len);
/* (parks when much is unsent) The same, text/plain; charset=utf-8, by printf. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_text(struct cel_reply *reply, int status, const char *fmt,
                                            ...) CEL_PRINTF(3, 4);
/* A redirect: status 301, 302, 303, 307 or 308. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_redirect(struct cel_reply *reply, int status,
                                                const char *location);
/* (parks) The regular file at `path`, with its type, version, conditions and range as under
 * cel_route_files; the path is the program's own and may lead anywhere. -ENOENT, -EACCES, -EISDIR:
 * nothing was answered yet; -CEL_ETRUNCATED it shrank meanwhile, -ENOMEM; write errors. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_file(struct cel_request *req, struct cel_reply *reply,
                                            const char *path);
/* Does not park. A streamed answer: begin, any number of writes, and the end when the handler
 * returns. length -1: not known (chunked, or the connection's end for HTTP/1.0). -EALREADY,
 * -EINVAL, -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_begin(struct cel_reply *reply, int status, const char *type,
                                             int64_t length);
/* (parks) -EMSGSIZE more than the length promised; write errors. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_write(struct cel_reply *reply, const void *bytes,
                                             size_t len);
/* (parks) Sends what is buffered now. */
CEL_PUBLIC CEL_NODISCARD int cel_reply_flush(struct cel_reply *reply);
/* Has a status line been made. */
CEL_PUBLIC bool cel_reply_has_begun(const struct cel_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
