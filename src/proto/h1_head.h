/* SPDX-License-Identifier: MIT */
#ifndef CEL__H1_HEAD_H
#define CEL__H1_HEAD_H

/* The head of an HTTP/1 message: what its lines said and what follows from them.
 *
 * Everything is offsets into the buffer that holds the message, because that buffer may be moved
 * by the very read that completes the head. The buffer is passed along with each question. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "celadon/base.h"
#include "proto/field.h"

enum cel__h1_kind { CEL__H1_REQUEST, CEL__H1_RESPONSE, CEL__H1_TRAILER };

enum cel__h1_method {
    CEL__H1_OTHER_METHOD, /* a token that is none of these; its text is in method_name */
    CEL__H1_GET,
    CEL__H1_HEAD,
    CEL__H1_POST,
    CEL__H1_PUT,
    CEL__H1_DELETE,
    CEL__H1_CONNECT,
    CEL__H1_OPTIONS,
    CEL__H1_TRACE,
    CEL__H1_PATCH,
    CEL__H1_QUERY,
    CEL__H1_METHOD_COUNT
};

enum cel__h1_form { CEL__H1_ORIGIN, CEL__H1_ABSOLUTE, CEL__H1_AUTHORITY, CEL__H1_ASTERISK };

/* How the end of the body is found. */
enum cel__h1_body {
    CEL__H1_BODY_NONE,
    CEL__H1_BODY_LENGTH,
    CEL__H1_BODY_CHUNKED,
    CEL__H1_BODY_CLOSE
};

/* X(id, status a server answers with, cause in words) */
#define CEL__H1_ERRORS(X)                                                  \
    X(NONE, 0, "no error")                                                 \
    X(FIRST_BYTE, 400, "does not begin as HTTP/1 does")                    \
    X(START_TOO_LONG, 414, "request or status line is too long")           \
    X(FIELD_TOO_LONG, 431, "header field is too long")                     \
    X(HEAD_TOO_LARGE, 431, "header section is too large")                  \
    X(TOO_MANY_FIELDS, 431, "too many header fields")                      \
    X(LINE_END, 400, "line does not end in CR LF")                         \
    X(METHOD, 400, "method is not a token")                                \
    X(TARGET, 400, "byte that a request target may not hold")              \
    X(TARGET_FORM, 400, "request target does not fit the method")          \
    X(START_LINE, 400, "request line is not method, target and version")   \
    X(VERSION, 505, "HTTP version is neither 1.0 nor 1.1")                 \
    X(STATUS, 502, "status is not three digits of 100 or more")            \
    X(REASON, 502, "control byte in the reason phrase")                    \
    X(FIELD_EMPTY, 400, "header field without a name")                     \
    X(FIELD_NAME, 400, "byte that a header field name may not hold")       \
    X(FIELD_SPACE, 400, "space between header field name and colon")       \
    X(FIELD_FOLD, 400, "header field continued on a second line")          \
    X(FIELD_VALUE, 400, "control byte in a header field value")            \
    X(LENGTH, 400, "Content-Length is not one decimal number")             \
    X(LENGTH_TWICE, 400, "more than one Content-Length")                   \
    X(CODING, 400, "Transfer-Encoding is not exactly chunked")             \
    X(CODING_TWICE, 400, "more than one Transfer-Encoding")                \
    X(CODING_OLD, 400, "Transfer-Encoding in HTTP/1.0")                    \
    X(LENGTH_AND_CODING, 400, "both Content-Length and Transfer-Encoding") \
    X(HOST_MISSING, 400, "no Host")                                        \
    X(HOST_TWICE, 400, "more than one Host")                               \
    X(HOST, 400, "Host is not a host and port")                            \
    X(HOST_MISMATCH, 400, "Host differs from the authority of the target") \
    X(CONTENT, 400, "body on a method that has none")                      \
    X(TRAILER_FIELD, 400, "trailer field that belongs before the body")

#define CEL__H1_ERROR_ENUM(id, status, text) CEL__H1_E_##id,
enum cel__h1_error { CEL__H1_ERRORS(CEL__H1_ERROR_ENUM) CEL__H1_ERROR_COUNT };
#undef CEL__H1_ERROR_ENUM

struct cel__h1_span {
    uint32_t at;
    uint32_t len;
};

struct cel__h1_field {
    uint32_t name_at;
    uint32_t value_at; /* without the blanks around it */
    uint32_t value_len;
    uint16_t name_len;
    uint8_t id; /* enum cel__field_id */
};

struct cel__h1_limits {
    uint32_t line_bytes; /* one line with its CR LF; <= 65535 */
    uint32_t head_bytes; /* the whole head; < 2^31 */
    uint32_t fields;     /* also bounded by the table's capacity */
};

/* 8 KiB, 64 KiB, 100. */
extern const struct cel__h1_limits cel__h1_limits_default;

/* Small on purpose: it is cleared for every message. */
struct cel__h1_head {
    struct cel__h1_field *fields; /* the caller's table */
    uint64_t known;               /* bit per field id that is present */
    uint64_t body_bytes;          /* with CEL__H1_BODY_LENGTH; else 0 */
    uint32_t field_count;
    uint32_t field_cap;

    struct cel__h1_span method_name;
    struct cel__h1_span target;
    struct cel__h1_span host; /* host[:port], of the target where that has one, else of Host */
    struct cel__h1_span reason;
    uint16_t status;
    uint8_t version_minor; /* HTTP/1.x: 0 or 1 */
    uint8_t kind;          /* enum cel__h1_kind */
    uint8_t error;         /* enum cel__h1_error */
    uint8_t method;        /* enum cel__h1_method; of a response: the caller sets its request's */
    uint8_t form;          /* enum cel__h1_form */
    uint8_t body;          /* enum cel__h1_body */

    bool keep_alive;       /* the connection may carry another message */
    bool expects_continue; /* Expect: 100-continue */
    bool expects_unknown;  /* any other Expect: answer 417 */
    bool upgrades;         /* Upgrade asked for (or granted by 101) in HTTP/1.1 */
    bool leaves_http;      /* bytes behind the head are not HTTP: 101, or 2xx to CONNECT */

    bool has_close, has_keep_alive, has_upgrade_token; /* of Connection */
    uint8_t stage;                                     /* of h1_parse.c */
    uint32_t at;                                       /* begin of the first line not yet judged */
    uint32_t seen;                                     /* no LF between `at` and here */
    struct cel__h1_limits limits;
};

/* Ready for a message's first byte. `fields` must live as long as the head is used. limits NULL:
 * the default ones. */
void cel__h1_head_init(struct cel__h1_head *h, enum cel__h1_kind kind, struct cel__h1_field *fields,
                       uint32_t field_cap, const struct cel__h1_limits *limits);

static inline struct cel_str cel__h1_slice(const char *buf, struct cel__h1_span s)
{
    return (struct cel_str){buf + s.at, s.len};
}

static inline struct cel_str cel__h1_name(const char *buf, const struct cel__h1_field *f)
{
    return (struct cel_str){buf + f->name_at, f->name_len};
}

static inline struct cel_str cel__h1_value(const char *buf, const struct cel__h1_field *f)
{
    return (struct cel_str){buf + f->value_at, f->value_len};
}

static inline bool cel__h1_has(const struct cel__h1_head *h, enum cel__field_id id)
{
    return (h->known >> id & 1) != 0;
}

/* First field of that id at or behind index `from`; NULL when there is none. id is not OTHER. */
const struct cel__h1_field *cel__h1_find(const struct cel__h1_head *h, enum cel__field_id id,
                                         uint32_t from);
/* By name in any case. */
const struct cel__h1_field *cel__h1_find_name(const struct cel__h1_head *h, const char *buf,
                                              struct cel_str name, uint32_t from);
/* Value of the first such field, {NULL, 0} without one. */
struct cel_str cel__h1_get(const struct cel__h1_head *h, const char *buf, enum cel__field_id id);

/* The cause in words; static. */
const char *cel__h1_error_text(enum cel__h1_error e);
/* The status a server answers with before it closes; 0 for NONE. */
unsigned cel__h1_error_status(enum cel__h1_error e);
/* -CEL_ETOOLARGE for the limits, -CEL_EPROTOCOL for the rest, 0 for NONE. */
int cel__h1_error_code(enum cel__h1_error e);

/* "GET"; "" for OTHER_METHOD. Static. */
struct cel_str cel__h1_method_name(enum cel__h1_method m);
/* Case counts. */
enum cel__h1_method cel__h1_method_find(struct cel_str name);

#endif
