/* SPDX-License-Identifier: MIT */
#ifndef CEL__FETCH_H
#define CEL__FETCH_H

/* One call of cel_fetch on its way: what is asked for, of whom, and what has come back. */

#include <errno.h>

#include "base/buf.h"
#include "http/limit.h"
#include "http/session.h"
#include "http/target.h"
#include "proto/h1_head.h"

#define CEL__FIELDS_MAX 100

struct cel__response;
struct cel__source;

struct cel__fetch {
    struct cel_session *session;
    const struct cel_fetch_options *options;
    struct cel_timeouts timeouts; /* with the session's filled in */
    struct cel__limit limit;
    const char *phase; /* for a timeout's message; static */

    /* the request, changed by redirects */
    struct cel__target target;
    struct cel__origin *origin; /* held */
    struct cel_str method;
    struct cel_str body;      /* bytes to send, of the options, or: */
    struct cel__buf form;     /* made of their pairs */
    const char *content_type; /* to be said of the body; NULL: a header says it, or nothing */
    uint8_t method_id;        /* enum cel__h1_method */
    bool sends_body;          /* of options */
    bool has_used_body;       /* body_read was called */
    bool may_send_secrets;    /* no redirect has left the first origin */
    uint64_t jar_version;     /* when this step was asked */
    bool was_cut_short;       /* the request did not go out whole: its connection ends here */

    /* the answer: its head lies at `in` in the stream's buffer until it is consumed */
    struct cel__conn *conn; /* owned; or NULL */
    struct cel__h1_head head;
    const char *in;
    size_t head_len;
    bool has_answered;              /* some byte came */
    bool has_head;                  /* the final head is there */
    struct cel__response *response; /* owned; begun while the request still went out; or NULL */

    struct cel__visit *visits; /* the redirects followed */
    size_t visit_count;
    struct cel__h1_field fields[CEL__FIELDS_MAX];
};

struct cel__visit {
    char *url; /* owned */
    int status;
    uint8_t method_id;
    uint64_t jar_version; /* when it was asked for */
};

/* (request.c) The head of the request, in the place of what is in `out`. -EINVAL: it cannot be
 * sent, -ENOMEM. */
CEL_NODISCARD int cel__request_write(struct cel__fetch *f, struct cel__buf *out);

/* (upload.c) (parks) Sends the request over f->conn, and takes in what is answered meanwhile:
 * f->has_head, f->response. 0: it went out, or the answer makes the rest pointless,
 * or the peer left and may have answered before; f->was_cut_short tells. As cel__request_write,
 * what body_read returned, as cel_writev, and as the two below. */
CEL_NODISCARD int cel__upload(struct cel__fetch *f);

/* (exchange.c) (parks) Finds a connection, sends the request, waits for the final head. On error no
 * connection is left. */
CEL_NODISCARD int cel__exchange(struct cel__fetch *f);

/* (answer.c) (parks) The head of the final answer: f->head, f->in. */
CEL_NODISCARD int cel__answer_read(struct cel__fetch *f);
/* (answer.c) The jar gets its cookies. -ENOMEM. */
CEL_NODISCARD int cel__answer_cookies(struct cel__fetch *f);
/* (answer.c) f->conn becomes the source of the answer's body, and the head is taken off it. As
 * cel__source_init. */
CEL_NODISCARD int cel__answer_open(struct cel__fetch *f, struct cel__source *source,
                                   uint64_t body_max);
/* (answer.c) Makes f->response while the request goes out: its source is held. -CEL_EDECODE,
 * -ENOMEM. */
CEL_NODISCARD int cel__answer_begin(struct cel__fetch *f);
/* (answer.c) (parks) The response whose body is read, or will be. The errors of a body, -ENOMEM. */
CEL_NODISCARD int cel__answer_finish(struct cel__fetch *f, struct cel__response **out);

/* What became of a connection that the peer has left. */
static inline bool cel__is_broken_off(int r)
{
    return r == -CEL_EEOF || r == -ECONNRESET || r == -EPIPE || r == -ECONNABORTED ||
           r == -ENOTCONN;
}

/* (redirect.c) 1: the answer redirects and f is now the request that follows; 0: it does not.
 * -CEL_EREDIRECT, -CEL_EURL, -ENOMEM. */
CEL_NODISCARD int cel__redirect(struct cel__fetch *f);

#endif
