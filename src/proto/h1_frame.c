/* SPDX-License-Identifier: MIT */
/* Invariant: two readers of the same bytes must not find different bodies in them. So whatever
 * RFC 9112 lets a lenient reader repair (equal lengths repeated, a length beside chunks, other
 * codings before chunked) is refused. */
#include "proto/h1_frame.h"

#include <string.h>

#include "base/cc.h"
#include "base/str.h"
#include "proto/h1_scan.h"

static bool is_ip_literal_byte(char c)
{
    return (c >= '0' && c <= ':') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.';
}

static bool is_port(struct cel_str s)
{
    unsigned port = 0;

    if (s.len == 0 || s.len > 5)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        port = port * 10 + digit;
    }
    return port <= 65535;
}

/* No percent signs and no commas in a name. -> length of the host within host[:port], 0 when it is
 * none. */
static size_t host_len(struct cel_str s)
{
    size_t i = 0;

    if (s.len != 0 && s.ptr[0] == '[') {
        for (i = 1; i < s.len && is_ip_literal_byte(s.ptr[i]); i++)
            ;
        if (i < 3 || i == s.len || s.ptr[i] != ']')
            return 0;
        i++;
    } else {
        while (i < s.len && (cel__h1_classes[(uint8_t)s.ptr[i]] & CEL__H1_HOST) != 0)
            i++;
    }
    if (i == s.len)
        return i;
    if (s.ptr[i] != ':' || !is_port((struct cel_str){s.ptr + i + 1, s.len - i - 1}))
        return 0;
    return i;
}

static size_t scheme_len(struct cel_str target)
{
    if (target.len > 7 && cel__str_ieq((struct cel_str){target.ptr, 7}, CEL_LIT("http://")))
        return 7;
    if (target.len > 8 && cel__str_ieq((struct cel_str){target.ptr, 8}, CEL_LIT("https://")))
        return 8;
    return 0;
}

static enum cel__h1_error absolute_target(struct cel__h1_head *h, struct cel_str target)
{
    size_t at = scheme_len(target), end;

    if (at == 0)
        return CEL__H1_E_TARGET_FORM;
    for (end = at; end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?'; end++)
        ;
    if (host_len((struct cel_str){target.ptr + at, end - at}) == 0)
        return CEL__H1_E_TARGET_FORM;
    h->form = CEL__H1_ABSOLUTE;
    h->host = (struct cel__h1_span){h->target.at + (uint32_t)at, (uint32_t)(end - at)};
    return CEL__H1_E_NONE;
}

enum cel__h1_error cel__h1_frame_target(struct cel__h1_head *h, const char *buf)
{
    struct cel_str target = cel__h1_slice(buf, h->target);

    if (h->method == CEL__H1_CONNECT) {
        size_t host = host_len(target);

        if (host == 0 || host == target.len)
            return CEL__H1_E_TARGET_FORM;
        h->form = CEL__H1_AUTHORITY;
        h->host = h->target;
        return CEL__H1_E_NONE;
    }
    if (target.ptr[0] == '/') {
        h->form = CEL__H1_ORIGIN;
        return CEL__H1_E_NONE;
    }
    if (target.len == 1 && target.ptr[0] == '*') {
        h->form = CEL__H1_ASTERISK;
        return h->method == CEL__H1_OPTIONS ? CEL__H1_E_NONE : CEL__H1_E_TARGET_FORM;
    }
    return absolute_target(h, target);
}

/* A tab around the value is legal, and taken for a part of it by readers that are in use. */
static bool has_tab(const char *buf, const struct cel__h1_field *f)
{
    const char *p = buf + f->name_at + f->name_len + 1, *value = buf + f->value_at;

    for (; p != value; p++)
        if (*p == '\t')
            return true;
    for (p += f->value_len; *p != '\r'; p++)
        if (*p == '\t')
            return true;
    return false;
}

static enum cel__h1_error read_length(struct cel__h1_head *h, struct cel_str value)
{
    if (cel__h1_has(h, CEL__FIELD_CONTENT_LENGTH))
        return CEL__H1_E_LENGTH_TWICE;
    if (cel__str_to_u64(value, &h->body_bytes) < 0 || h->body_bytes > INT64_MAX)
        return CEL__H1_E_LENGTH;
    return CEL__H1_E_NONE;
}

/* Eight bytes with the case bit set: what a connection says most often is one of two words. */
static inline uint64_t folded(const char *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
    return word | UINT64_C(0x2020202020202020);
}

static void read_connection(struct cel__h1_head *h, struct cel_str value)
{
    struct cel_str token;

    if (value.len == 10 && folded(value.ptr) == folded("keep-alive") &&
        folded(value.ptr + 2) == folded("keep-alive" + 2)) {
        h->has_keep_alive = true;
        return;
    }
    while (cel__str_split(&value, ',', &token)) {
        token = cel__str_trim(token);
        if (cel__str_ieq(token, CEL_LIT("keep-alive")))
            h->has_keep_alive = true;
        else if (cel__str_ieq(token, CEL_LIT("close")))
            h->has_close = true;
        else if (cel__str_ieq(token, CEL_LIT("upgrade")))
            h->has_upgrade_token = true;
    }
}

/* With or without the scheme's default port. */
static bool is_same_host(struct cel_str target, struct cel_str host, struct cel_str port)
{
    if (target.len < host.len) {
        struct cel_str shorter = target;

        target = host;
        host = shorter;
    }
    if (!cel__str_ieq((struct cel_str){target.ptr, host.len}, host))
        return false;
    return target.len == host.len ||
           cel__str_eq((struct cel_str){target.ptr + host.len, target.len - host.len}, port);
}

static enum cel__h1_error read_host(struct cel__h1_head *h, const char *buf,
                                    const struct cel__h1_field *f)
{
    struct cel_str value = cel__h1_value(buf, f), target = cel__h1_slice(buf, h->host), port;

    if (cel__h1_has(h, CEL__FIELD_HOST))
        return CEL__H1_E_HOST_TWICE;
    if (host_len(value) == 0)
        return CEL__H1_E_HOST;
    if (h->form == CEL__H1_ABSOLUTE) {
        port = cel__h1_slice(buf, h->target).ptr[4] == ':' ? CEL_LIT(":80") : CEL_LIT(":443");
        return is_same_host(target, value, port) ? CEL__H1_E_NONE : CEL__H1_E_HOST_MISMATCH;
    }
    if (h->form == CEL__H1_AUTHORITY) {
        port = target;
        port.ptr += host_len(target);
        port.len -= host_len(target);
        return is_same_host(target, value, port) ? CEL__H1_E_NONE : CEL__H1_E_HOST_MISMATCH;
    }
    h->host = (struct cel__h1_span){f->value_at, f->value_len};
    return CEL__H1_E_NONE;
}

enum cel__h1_error cel__h1_frame_field(struct cel__h1_head *h, const char *buf,
                                       const struct cel__h1_field *f)
{
    struct cel_str value = cel__h1_value(buf, f);

    switch (f->id) {
    case CEL__FIELD_HOST:
        return h->kind == CEL__H1_REQUEST ? read_host(h, buf, f) : CEL__H1_E_NONE;
    case CEL__FIELD_CONNECTION:
        read_connection(h, value);
        return CEL__H1_E_NONE;
    case CEL__FIELD_CONTENT_LENGTH:
        return has_tab(buf, f) ? CEL__H1_E_LENGTH : read_length(h, value);
    case CEL__FIELD_TRANSFER_ENCODING:
        if (cel__h1_has(h, CEL__FIELD_TRANSFER_ENCODING))
            return CEL__H1_E_CODING_TWICE;
        if (has_tab(buf, f) || !cel__str_ieq(value, CEL_LIT("chunked")))
            return CEL__H1_E_CODING;
        return CEL__H1_E_NONE;
    case CEL__FIELD_EXPECT:
        if (cel__str_ieq(value, CEL_LIT("100-continue")))
            h->expects_continue = true;
        else
            h->expects_unknown = true;
        return CEL__H1_E_NONE;
    default:
        return CEL__H1_E_NONE;
    }
}

static enum cel__h1_error end_request(struct cel__h1_head *h)
{
    if (h->version_minor == 1 && !cel__h1_has(h, CEL__FIELD_HOST))
        return CEL__H1_E_HOST_MISSING;
    if (h->version_minor == 0)
        h->expects_continue = h->expects_unknown = false;
    if (cel__h1_has(h, CEL__FIELD_TRANSFER_ENCODING))
        h->body = CEL__H1_BODY_CHUNKED;
    else if (h->body_bytes != 0)
        h->body = CEL__H1_BODY_LENGTH;
    if (h->body != CEL__H1_BODY_NONE &&
        (h->method == CEL__H1_TRACE || h->method == CEL__H1_CONNECT))
        return CEL__H1_E_CONTENT;
    h->upgrades =
        h->version_minor == 1 && h->has_upgrade_token && cel__h1_has(h, CEL__FIELD_UPGRADE);
    return CEL__H1_E_NONE;
}

/* RFC 9112 section 6.3. A body where none may be leaves its bytes on the connection, so that one
 * is not used again. */
static void end_response(struct cel__h1_head *h)
{
    bool is_chunked = cel__h1_has(h, CEL__FIELD_TRANSFER_ENCODING);
    bool is_bare = h->status < 200 || h->status == 204;
    bool is_tunnel = h->method == CEL__H1_CONNECT && h->status / 100 == 2;

    if (is_bare && (is_chunked || h->body_bytes != 0))
        h->keep_alive = false;
    h->leaves_http = is_tunnel || h->status == 101;
    h->upgrades = h->status == 101;
    if (is_bare || is_tunnel || h->status == 304 || h->method == CEL__H1_HEAD)
        h->body = CEL__H1_BODY_NONE;
    else if (is_chunked)
        h->body = CEL__H1_BODY_CHUNKED;
    else if (!cel__h1_has(h, CEL__FIELD_CONTENT_LENGTH))
        h->body = CEL__H1_BODY_CLOSE;
    else if (h->body_bytes != 0)
        h->body = CEL__H1_BODY_LENGTH;
    if (h->body != CEL__H1_BODY_LENGTH)
        h->body_bytes = 0;
    if (h->body == CEL__H1_BODY_CLOSE)
        h->keep_alive = false;
}

enum cel__h1_error cel__h1_frame_end(struct cel__h1_head *h, const char *buf)
{
    if (cel__h1_has(h, CEL__FIELD_TRANSFER_ENCODING)) {
        if (cel__h1_has(h, CEL__FIELD_CONTENT_LENGTH))
            return CEL__H1_E_LENGTH_AND_CODING;
        if (h->version_minor == 0)
            return CEL__H1_E_CODING_OLD;
    }
    h->keep_alive = !h->has_close && (h->version_minor == 1 || h->has_keep_alive);
    if (h->kind == CEL__H1_REQUEST)
        return end_request(h);
    end_response(h);
    return CEL__H1_E_NONE;
}

bool cel__h1_is_host(struct cel_str s)
{
    return host_len(s) != 0;
}
