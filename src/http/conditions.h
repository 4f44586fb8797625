/* SPDX-License-Identifier: MIT */
#ifndef CEL__CONDITIONS_H
#define CEL__CONDITIONS_H

/* What a request demands of the version of what it asks for (RFC 9110, 13 and 14): preconditions,
 * and the one range of bytes that it wants. */

#include <stdbool.h>
#include <stdint.h>

struct cel_request;

/* Of a resource, now. */
struct cel__version {
    const char *etag; /* strong, with its quotes */
    int64_t mtime;    /* seconds since 1970 */
    int64_t size;
};

struct cel__range {
    int64_t from, len;
    bool is_partial;
};

/* -> the status to answer with: 200 go on, 304 the client has it, 412 it wants another one. */
int cel__conditions_judge(const struct cel_request *req, const struct cel__version *v);
/* The range to send; the whole, where none is asked for, where several are, or where If-Range tells
 * that the client's part is of another version. false: it lies outside, 416. */
bool cel__conditions_range(const struct cel_request *req, const struct cel__version *v,
                           struct cel__range *out);

#endif
