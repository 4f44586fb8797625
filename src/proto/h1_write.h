/* SPDX-License-Identifier: MIT */
#ifndef CEL__H1_WRITE_H
#define CEL__H1_WRITE_H

/* Writing HTTP/1.1 heads. Whatever could be read as the end of a line or of a word is refused in
 * every part, and no byte of a head with a refused part stays in the buffer. The fields that frame
 * the message (Host, Connection, Content-Length, Transfer-Encoding) are the writer's own.
 *
 *   cel__h1_write_request(&w, buf, method, target, host);      or _status(&w, buf, 200, reason)
 *   cel__h1_write_field(&w, name, value);                      any number of times
 *   cel__h1_write_framing(&w, &framing);
 *   r = cel__h1_write_end(&w);                                 the only result to look at */

#include "base/buf.h"
#include "proto/h1_head.h"

struct cel__h1_write {
    struct cel__buf *buf;
    size_t begin; /* of the head within buf */
    int error;    /* sticky */
    const char *why;
};

struct cel__h1_framing {
    enum cel__h1_body body; /* LENGTH also writes a length of 0; CLOSE and NONE write nothing */
    uint64_t body_bytes;
    bool closes;   /* Connection: close */
    bool keeps;    /* Connection: keep-alive, for a peer of HTTP/1.0 */
    bool upgrades; /* Connection: upgrade; the Upgrade field itself is an ordinary one */
};

/* `host` is host[:port] and is written first. Errors as for _end. */
int cel__h1_write_request(struct cel__h1_write *w, struct cel__buf *buf, struct cel_str method,
                          struct cel_str target, struct cel_str host);
/* reason.ptr NULL: the usual one. */
int cel__h1_write_status(struct cel__h1_write *w, struct cel__buf *buf, unsigned status,
                         struct cel_str reason);
int cel__h1_write_field(struct cel__h1_write *w, struct cel_str name, struct cel_str value);
/* A whole line with its CR LF that is known to be good, as that of cel__date_line. */
int cel__h1_write_line(struct cel__h1_write *w, struct cel_str line);
int cel__h1_write_framing(struct cel__h1_write *w, const struct cel__h1_framing *framing);
/* Closes the head. 0; -EINVAL a part was refused (w->why says which), -ENOMEM; after an error the
 * buffer is as it was before the head. */
CEL_NODISCARD int cel__h1_write_end(struct cel__h1_write *w);

/* Trailer fields after a chunked body's last chunk "0\r\n": begin, fields, end. */
void cel__h1_write_trailer(struct cel__h1_write *w, struct cel__buf *buf);

/* "Not Found"; "" for statuses without a name. Static. */
const char *cel__h1_reason(unsigned status);

#endif
