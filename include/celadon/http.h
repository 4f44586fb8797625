/* SPDX-License-Identifier: MIT */
#ifndef CELADON_HTTP_H
#define CELADON_HTTP_H

/* An HTTP/1.1 client: a session keeps connections, cookies and defaults; a fetch gives a response.
 *
 *     struct cel_session *web = cel_session_new(NULL);
 *     struct cel_response *page;
 *
 *     r = cel_get(web, "https://example.org/a", &page);
 *     if (r < 0)
 *         return cel_fail(r, "reading the page");
 *     printf("%d %.*s\n", page->status, CEL_STR(cel_text(page)));
 *     cel_response_free(page);
 *
 * Calls marked (parks) may suspend the task and obey the deadline and cancellation of the scopes
 * around it. A session may serve many tasks of one loop at a time; a response belongs to one. Any
 * status is a success: what fails is not getting an answer. cel_last_error() then says in which
 * phase ("url", "pool", "dns", "connect", "tls", "send", "headers", "redirect", "body", "decode"),
 * and why. Whatever fails, the connection it happened on is not used again.
 *
 * NULL, which cel_session_new gives when it fails, may be passed wherever a session is asked for:
 * it has no cookies and no connections, and what is asked of it fails as it did, by the same code
 * and words while they are the task's last, else with -EINVAL in the phase "session". A response
 * that is NULL is empty, and cannot be read: -EINVAL. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "celadon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cel_session;
struct cel_tls;

/* A field as its sender writes it. Lists of them end with {0}. */
struct cel_header {
    const char *name;
    const char *value;
    bool is_secret; /* never follows a redirect to another origin; Authorization, Cookie and
                       Proxy-Authorization are always secret */
};

/* A name and what it stands for, in queries and forms. Lists of them end with {0}. */
struct cel_pair {
    const char *name;
    const char *value; /* NULL: "" */
};

/* ns; 0: the session's, and there: the default; CEL_FOREVER: none. */
struct cel_timeouts {
    int64_t total;   /* from the call to the last byte, redirects and all: 300 s */
    int64_t connect; /* name, connection and TLS of a new connection: 30 s. Waiting for a free
                        place among the connections is not counted */
    int64_t read;    /* gap between two reads, and until the first byte: 60 s */
};

/* ---- sessions ---- */

struct cel_session_options {
    struct cel_timeouts timeouts;
    unsigned connections_max;         /* open at a time; 0: 100 */
    unsigned per_host_max;            /* of these to one scheme, host and port; 0: no such limit */
    int64_t idle_timeout;             /* an unused connection is closed after; 0: 15 s */
    unsigned redirects_max;           /* 0: 10 */
    size_t body_max;                  /* bytes of a body after decoding; 0: 64 MiB */
    unsigned ratio_max;               /* decoded to encoded bytes beyond 1 MiB; 0: 100 */
    const char *user_agent;           /* NULL: "celadon/VERSION"; "": none */
    const struct cel_header *headers; /* sent with each request; copied */
    struct cel_tls *tls;              /* must outlive the session; NULL: one of its own, which
                                         verifies with the system's certificates */
    bool no_cookies;                  /* keeps and sends none */
    bool no_decoding;                 /* asks for no compression, hands bodies over as they come */
    bool allows_downgrade;            /* follows redirects from https to http */
};

/* Does not park. options may be NULL, and are copied. Owner: the caller. -> NULL when memory is
 * out, or an option is not valid; cel_last_error says which, in the phase "session". */
CEL_PUBLIC CEL_NODISCARD struct cel_session *
cel_session_new(const struct cel_session_options *options);

/* Closes the idle connections; those under responses not yet freed are closed with these. No fetch
 * may be under way. NULL is fine. */
CEL_PUBLIC void cel_session_free(struct cel_session *session);

struct cel_session_stats {
    uint64_t requests;       /* heads sent, redirects and retries among them */
    uint64_t connections;    /* opened */
    uint64_t reused;         /* requests that went over a connection used before */
    uint64_t retried;        /* requests sent again because a kept connection had died */
    unsigned open;           /* connections now, idle ones among them */
    unsigned idle;           /* now */
    unsigned waiting;        /* tasks in line for a connection now */
    uint64_t bytes_received; /* of bodies, as they came */
};

/* As it stands now. */
CEL_PUBLIC void cel_session_stats(const struct cel_session *session, struct cel_session_stats *out);

/* As if a response from `url` had said "Set-Cookie: line". -CEL_EURL; -EINVAL: the rules refuse it;
 * -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_session_set_cookie(struct cel_session *session, const char *url,
                                                    const char *line);
/* The Cookie field for a request to `url`, "" for none; freed with cel_free. NULL: memory is out or
 * it is not a URL. */
CEL_PUBLIC CEL_NODISCARD char *cel_session_cookies(struct cel_session *session, const char *url);
/* All of them as text, a line each, in the cookie file form that other clients read too: to be kept
 * where only its owner reads it. Freed with cel_free. NULL: memory is out. Does not park. */
CEL_PUBLIC CEL_NODISCARD char *cel_session_export_cookies(struct cel_session *session);
/* Takes in what was exported. -> how many; expired ones and lines that are none are passed over.
 * -ENOMEM: some were taken in. Does not park. */
CEL_PUBLIC CEL_NODISCARD int cel_session_import_cookies(struct cel_session *session,
                                                        struct cel_str text);
/* Forgets them all. */
CEL_PUBLIC void cel_session_clear_cookies(struct cel_session *session);

/* ---- responses ---- */

/* A redirect that was followed. */
struct cel_hop {
    int status;
    const char *url; /* that answered it */
};

/* To be read only; everything in it lives until cel_response_free. */
struct cel_response {
    int status;
    struct cel_str reason;
    const char *url; /* that answered, without user and password */
    const struct cel_hop *history;
    size_t history_count;
};

/* (parks) GET: follows redirects, decodes, reads the whole body. Owner of *out: the caller; written
 * only on success.
 * -CEL_EURL; -CEL_EDNS, -CEL_ETLS, -ECONNREFUSED, -errno of connecting; -CEL_EEOF or -ECONNRESET:
 * it was closed before the answer was whole, -CEL_ETRUNCATED: amid the body; -CEL_EPROTOCOL: not
 * HTTP; -CEL_ETOOLARGE: head, body or ratio beyond its limit; -CEL_EDECODE; -CEL_EREDIRECT;
 * -ETIMEDOUT of the timeouts or the scopes around; -ECANCELED; -ENOMEM. */
CEL_PUBLIC CEL_NODISCARD int cel_get(struct cel_session *session, const char *url,
                                     struct cel_response **out);

/* (parks) Fills buf with the next bytes of a request's body. -> how many, 0: the end, negative: the
 * request fails with it. Calls inside are cancelled when an answer comes that makes the rest of the
 * body pointless; what it returns does not matter then. */
typedef ssize_t cel_body_fn(void *arg, void *buf, size_t cap);

struct cel_fetch_options {
    const char *method;               /* NULL: "GET", with a body "POST" */
    const struct cel_header *headers; /* each replaces the session's field of that name. Fields that
                                         frame the message are not taken: -EINVAL */
    const struct cel_pair *query;     /* goes behind the URL's own */
    const char *user, *password;      /* Basic authentication, as by the URL's user and password */
    const char *content_type;         /* of the body, unless a header says it */
    const struct cel_pair *form;      /* the body, application/x-www-form-urlencoded; or: */
    struct cel_str body;              /* bytes, or: */
    cel_body_fn *body_read;           /* a stream; a redirect that would need it again fails */
    void *body_arg;
    int64_t body_size; /* of the stream, exactly; 0: not known, sent chunked */
    struct cel_timeouts timeouts;
    size_t body_max; /* 0: the session's */
    bool no_redirects;
    bool no_cookies;   /* neither sends nor keeps any */
    bool is_streaming; /* returns with the head; the body is read by cel_response_read */
};

/* (parks) Any request. options may be NULL. The answer is read while the body is sent, which ends
 * when a status of 300 or more comes, or a whole answer; it never goes on behind the return. Of a
 * streamed answer up to the session's body_max is kept meanwhile. As cel_get, and -EINVAL: a method
 * or field that cannot be sent; what body_read returned. */
CEL_PUBLIC CEL_NODISCARD int cel_fetch(struct cel_session *session, const char *url,
                                       const struct cel_fetch_options *options,
                                       struct cel_response **out);

/* (parks) POST of bytes of a content type (NULL: application/octet-stream). As cel_get. */
CEL_PUBLIC CEL_NODISCARD int cel_post(struct cel_session *session, const char *url,
                                      const char *content_type, struct cel_str body,
                                      struct cel_response **out);

/* (parks) POST of a form. As cel_get. */
CEL_PUBLIC CEL_NODISCARD int cel_post_form(struct cel_session *session, const char *url,
                                           const struct cel_pair *form, struct cel_response **out);

/* "a=b&c=d+e", freed with cel_free. NULL: memory is out. Does not park. */
CEL_PUBLIC CEL_NODISCARD char *cel_form_encode(const struct cel_pair *pairs);

/* Value of the first field of that name, in any case; {NULL, 0} without one. Does not park. */
CEL_PUBLIC struct cel_str cel_response_header(const struct cel_response *response,
                                              const char *name);
/* The fields in order: the i-th (from 0) and true, or false behind the last. */
CEL_PUBLIC bool cel_response_header_at(const struct cel_response *response, size_t i,
                                       struct cel_str *name, struct cel_str *value);

/* The whole body, decoded; followed by a NUL that is not counted. Empty for one that is being
 * streamed. Does not park. */
CEL_PUBLIC struct cel_str cel_text(const struct cel_response *response);

/* (parks) The next bytes of a streamed body, decoded. -> how many, 0: the end; the errors of the
 * body under cel_get; the response can only be freed then. */
CEL_PUBLIC CEL_NODISCARD ssize_t cel_response_read(struct cel_response *response, void *buf,
                                                   size_t cap);
/* (parks) Reads what is left of a streamed body; cel_text has it afterwards. 0 or as
 * cel_response_read. */
CEL_PUBLIC CEL_NODISCARD int cel_response_load(struct cel_response *response);

/* A body not read to its end costs its connection. Does not park. NULL is fine. */
CEL_PUBLIC void cel_response_free(struct cel_response *response);

#ifdef __cplusplus
}
#endif

#endif
