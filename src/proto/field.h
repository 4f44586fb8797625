/* SPDX-License-Identifier: MIT */
#ifndef CEL__FIELD_H
#define CEL__FIELD_H

/* The names of header fields as small numbers, so that a message is searched by comparing bytes
 * and a switch says what a field means. */

#include <stdbool.h>
#include <stddef.h>

#include "celadon/base.h"

/* X(id, name, its first letter, its last). Length and these two letters tell all names apart. The
 * fields that frame a message stand first, up to UPGRADE. */
#define CEL__FIELDS(X)                                                \
    X(HOST, "Host", 'h', 't')                                         \
    X(CONNECTION, "Connection", 'c', 'n')                             \
    X(CONTENT_LENGTH, "Content-Length", 'c', 'h')                     \
    X(TRANSFER_ENCODING, "Transfer-Encoding", 't', 'g')               \
    X(EXPECT, "Expect", 'e', 't')                                     \
    X(UPGRADE, "Upgrade", 'u', 'e')                                   \
    X(CONTENT_TYPE, "Content-Type", 'c', 'e')                         \
    X(CONTENT_ENCODING, "Content-Encoding", 'c', 'g')                 \
    X(CONTENT_DISPOSITION, "Content-Disposition", 'c', 'n')           \
    X(CONTENT_LANGUAGE, "Content-Language", 'c', 'e')                 \
    X(CONTENT_LOCATION, "Content-Location", 'c', 'n')                 \
    X(CONTENT_RANGE, "Content-Range", 'c', 'e')                       \
    X(LOCATION, "Location", 'l', 'n')                                 \
    X(SET_COOKIE, "Set-Cookie", 's', 'e')                             \
    X(COOKIE, "Cookie", 'c', 'e')                                     \
    X(ACCEPT, "Accept", 'a', 't')                                     \
    X(ACCEPT_ENCODING, "Accept-Encoding", 'a', 'g')                   \
    X(ACCEPT_LANGUAGE, "Accept-Language", 'a', 'e')                   \
    X(ACCEPT_RANGES, "Accept-Ranges", 'a', 's')                       \
    X(USER_AGENT, "User-Agent", 'u', 't')                             \
    X(REFERER, "Referer", 'r', 'r')                                   \
    X(ORIGIN, "Origin", 'o', 'n')                                     \
    X(DATE, "Date", 'd', 'e')                                         \
    X(SERVER, "Server", 's', 'r')                                     \
    X(KEEP_ALIVE, "Keep-Alive", 'k', 'e')                             \
    X(AUTHORIZATION, "Authorization", 'a', 'n')                       \
    X(WWW_AUTHENTICATE, "WWW-Authenticate", 'w', 'e')                 \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 'p', 'e')             \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", 'p', 'n')           \
    X(PROXY_CONNECTION, "Proxy-Connection", 'p', 'n')                 \
    X(TE, "TE", 't', 'e')                                             \
    X(TRAILER, "Trailer", 't', 'r')                                   \
    X(ETAG, "ETag", 'e', 'g')                                         \
    X(LAST_MODIFIED, "Last-Modified", 'l', 'd')                       \
    X(IF_MATCH, "If-Match", 'i', 'h')                                 \
    X(IF_NONE_MATCH, "If-None-Match", 'i', 'h')                       \
    X(IF_MODIFIED_SINCE, "If-Modified-Since", 'i', 'e')               \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since", 'i', 'e')           \
    X(IF_RANGE, "If-Range", 'i', 'e')                                 \
    X(RANGE, "Range", 'r', 'e')                                       \
    X(CACHE_CONTROL, "Cache-Control", 'c', 'l')                       \
    X(PRAGMA, "Pragma", 'p', 'a')                                     \
    X(EXPIRES, "Expires", 'e', 's')                                   \
    X(AGE, "Age", 'a', 'e')                                           \
    X(VARY, "Vary", 'v', 'y')                                         \
    X(ALLOW, "Allow", 'a', 'w')                                       \
    X(RETRY_AFTER, "Retry-After", 'r', 'r')                           \
    X(LINK, "Link", 'l', 'k')                                         \
    X(REFRESH, "Refresh", 'r', 'h')                                   \
    X(MAX_FORWARDS, "Max-Forwards", 'm', 's')                         \
    X(X_FORWARDED_FOR, "X-Forwarded-For", 'x', 'r')                   \
    X(FORWARDED, "Forwarded", 'f', 'd')                               \
    X(VIA, "Via", 'v', 'a')                                           \
    X(SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key", 's', 'y')               \
    X(SEC_WEBSOCKET_ACCEPT, "Sec-WebSocket-Accept", 's', 't')         \
    X(SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version", 's', 'n')       \
    X(SEC_WEBSOCKET_PROTOCOL, "Sec-WebSocket-Protocol", 's', 'l')     \
    X(SEC_WEBSOCKET_EXTENSIONS, "Sec-WebSocket-Extensions", 's', 's') \
    X(ALT_SVC, "Alt-Svc", 'a', 'c')                                   \
    X(STRICT_TRANSPORT_SECURITY, "Strict-Transport-Security", 's', 'y')

#define CEL__FIELD_ENUM(id, name, first, last) CEL__FIELD_##id,
enum cel__field_id { CEL__FIELD_OTHER, CEL__FIELDS(CEL__FIELD_ENUM) CEL__FIELD_COUNT };
#undef CEL__FIELD_ENUM

/* `name` is a token in any case (other bytes may be mistaken for letters). OTHER when not known. */
enum cel__field_id cel__field_find(struct cel_str name);

/* As it is written on the wire ("Content-Length"); "" for OTHER. Static. */
struct cel_str cel__field_name(enum cel__field_id id);

/* Fields that frame, route or authorise a message and so have no business behind its body. */
bool cel__field_is_forbidden_in_trailer(enum cel__field_id id);

/* Whether `token` (lower case) stands in the comma-separated list. */
bool cel__field_has_token(struct cel_str list, struct cel_str token);

#endif
