/* SPDX-License-Identifier: MIT */
#include "proto/h1_write.h"

#include <errno.h>
#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/h1_frame.h"
#include "proto/h1_scan.h"

#define STATUSES(X)                           \
    X(100, "Continue")                        \
    X(101, "Switching Protocols")             \
    X(103, "Early Hints")                     \
    X(200, "OK")                              \
    X(201, "Created")                         \
    X(202, "Accepted")                        \
    X(203, "Non-Authoritative Information")   \
    X(204, "No Content")                      \
    X(205, "Reset Content")                   \
    X(206, "Partial Content")                 \
    X(300, "Multiple Choices")                \
    X(301, "Moved Permanently")               \
    X(302, "Found")                           \
    X(303, "See Other")                       \
    X(304, "Not Modified")                    \
    X(307, "Temporary Redirect")              \
    X(308, "Permanent Redirect")              \
    X(400, "Bad Request")                     \
    X(401, "Unauthorized")                    \
    X(402, "Payment Required")                \
    X(403, "Forbidden")                       \
    X(404, "Not Found")                       \
    X(405, "Method Not Allowed")              \
    X(406, "Not Acceptable")                  \
    X(407, "Proxy Authentication Required")   \
    X(408, "Request Timeout")                 \
    X(409, "Conflict")                        \
    X(410, "Gone")                            \
    X(411, "Length Required")                 \
    X(412, "Precondition Failed")             \
    X(413, "Content Too Large")               \
    X(414, "URI Too Long")                    \
    X(415, "Unsupported Media Type")          \
    X(416, "Range Not Satisfiable")           \
    X(417, "Expectation Failed")              \
    X(421, "Misdirected Request")             \
    X(422, "Unprocessable Content")           \
    X(425, "Too Early")                       \
    X(426, "Upgrade Required")                \
    X(428, "Precondition Required")           \
    X(429, "Too Many Requests")               \
    X(431, "Request Header Fields Too Large") \
    X(451, "Unavailable For Legal Reasons")   \
    X(500, "Internal Server Error")           \
    X(501, "Not Implemented")                 \
    X(502, "Bad Gateway")                     \
    X(503, "Service Unavailable")             \
    X(504, "Gateway Timeout")                 \
    X(505, "HTTP Version Not Supported")

#define LINE(status, reason) \
    case status:             \
        return CEL_LIT("HTTP/1.1 " #status " " reason "\r\n");

/* Ready to be copied; empty for statuses without a name. */
static struct cel_str status_line(unsigned status)
{
    switch (status) {
        STATUSES(LINE)
    default:
        return (struct cel_str){"", 0};
    }
}

#define REASON(status, reason) \
    case status:               \
        return reason;

const char *cel__h1_reason(unsigned status)
{
    switch (status) {
        STATUSES(REASON)
    default:
        return "";
    }
}

static bool is_token(struct cel_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!cel__h1_is_token(s.ptr[i]))
            return false;
    return s.len != 0;
}

static bool is_target(struct cel_str s)
{
    return s.len != 0 && cel__h1_scan()->target(s.ptr, s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

static bool is_text(struct cel_str s)
{
    return s.len == 0 || cel__h1_scan()->text(s.ptr, s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

static int refuse(struct cel__h1_write *w, int code, const char *why)
{
    if (w->error == 0) {
        w->error = code;
        w->why = why;
    }
    return w->error;
}

static void begin(struct cel__h1_write *w, struct cel__buf *buf)
{
    *w = (struct cel__h1_write){.buf = buf, .begin = buf->len};
}

/* All parts or none. */
static int put(struct cel__h1_write *w, const struct cel_str *parts, size_t count)
{
    size_t len = 0;
    char *to;

    if (w->error != 0)
        return w->error;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (cel__buf_reserve(w->buf, len) < 0)
        return refuse(w, -ENOMEM, "no memory for the head");
    to = w->buf->ptr + w->buf->len;
    for (size_t i = 0; i < count; i++)
        if (parts[i].len != 0)
            to = (char *)memcpy(to, parts[i].ptr, parts[i].len) + parts[i].len;
    w->buf->len += len;
    return 0;
}

#define PUT(w, ...)                               \
    put(w, (const struct cel_str[]){__VA_ARGS__}, \
        sizeof((const struct cel_str[]){__VA_ARGS__}) / sizeof(struct cel_str))

int cel__h1_write_request(struct cel__h1_write *w, struct cel__buf *buf, struct cel_str method,
                          struct cel_str target, struct cel_str host)
{
    begin(w, buf);
    if (!is_token(method))
        return refuse(w, -EINVAL, "method is not a token");
    if (!is_target(target))
        return refuse(w, -EINVAL, "byte that a request target may not hold");
    if (!cel__h1_is_host(host))
        return refuse(w, -EINVAL, "host is not a host and port");
    return PUT(w, method, CEL_LIT(" "), target, CEL_LIT(" HTTP/1.1\r\nHost: "), host,
               CEL_LIT("\r\n"));
}

int cel__h1_write_status(struct cel__h1_write *w, struct cel__buf *buf, unsigned status,
                         struct cel_str reason)
{
    struct cel_str line = status_line(status);
    char digits[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};

    begin(w, buf);
    if (status < 100 || status > 999)
        return refuse(w, -EINVAL, "status is not three digits");
    if (reason.ptr == NULL && line.len != 0)
        return PUT(w, line);
    if (!is_text(reason))
        return refuse(w, -EINVAL, "control byte in the reason phrase");
    return PUT(w, CEL_LIT("HTTP/1.1 "), {digits, 3}, CEL_LIT(" "), reason, CEL_LIT("\r\n"));
}

static bool is_own(enum cel__field_id id)
{
    return id == CEL__FIELD_HOST || id == CEL__FIELD_CONNECTION ||
           id == CEL__FIELD_CONTENT_LENGTH || id == CEL__FIELD_TRANSFER_ENCODING;
}

int cel__h1_write_field(struct cel__h1_write *w, struct cel_str name, struct cel_str value)
{
    if (!is_token(name))
        return refuse(w, -EINVAL, "byte that a header field name may not hold");
    if (!is_text(value))
        return refuse(w, -EINVAL, "control byte in a header field value");
    if (is_own(cel__field_find(name)))
        return refuse(w, -EINVAL, "header field that the writer sets itself");
    return PUT(w, name, CEL_LIT(": "), value, CEL_LIT("\r\n"));
}

int cel__h1_write_line(struct cel__h1_write *w, struct cel_str line)
{
    return PUT(w, line);
}

/* Decimal digits at the end of `out`. */
static struct cel_str decimal(char out[20], uint64_t n)
{
    char *p = out + 20;

    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return (struct cel_str){p, (size_t)(out + 20 - p)};
}

static int write_connection(struct cel__h1_write *w, const struct cel__h1_framing *f)
{
    if (f->closes && f->upgrades)
        return PUT(w, CEL_LIT("Connection: close, upgrade\r\n"));
    if (f->closes)
        return PUT(w, CEL_LIT("Connection: close\r\n"));
    if (f->upgrades)
        return PUT(w, CEL_LIT("Connection: upgrade\r\n"));
    if (f->keeps)
        return PUT(w, CEL_LIT("Connection: keep-alive\r\n"));
    return w->error;
}

int cel__h1_write_framing(struct cel__h1_write *w, const struct cel__h1_framing *f)
{
    char digits[20];

    if (f->body == CEL__H1_BODY_LENGTH)
        PUT(w, CEL_LIT("Content-Length: "), decimal(digits, f->body_bytes), CEL_LIT("\r\n"));
    else if (f->body == CEL__H1_BODY_CHUNKED)
        PUT(w, CEL_LIT("Transfer-Encoding: chunked\r\n"));
    return write_connection(w, f);
}

int cel__h1_write_end(struct cel__h1_write *w)
{
    PUT(w, CEL_LIT("\r\n"));
    if (w->error != 0)
        w->buf->len = w->begin;
    return w->error;
}

void cel__h1_write_trailer(struct cel__h1_write *w, struct cel__buf *buf)
{
    begin(w, buf);
}
