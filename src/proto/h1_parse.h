/* SPDX-License-Identifier: MIT */
#ifndef CEL__H1_PARSE_H
#define CEL__H1_PARSE_H

/* A strict HTTP/1 head parser: bytes in, a head out, nothing copied.
 *
 * Call it with all bytes of the message that are there, from the first on; when it wants more,
 * read more behind them (the buffer may move) and call again. No line is looked at more than
 * three times, so feeding byte by byte costs linear time. A line is judged when it is whole,
 * whatever the pieces it came in, so each split of the same bytes gives the same answer; only the
 * first byte is judged at once.
 *
 * What is accepted is the grammar of RFC 9112 without its leniences: docs/design/http1-parser.md.
 */

#include <sys/types.h>

#include "proto/h1_head.h"
#include "proto/h1_scan.h"

/* -> length of the whole head, its empty line included (and one empty line before a request);
 * 0 when more bytes are needed. -CEL_EPROTOCOL or -CEL_ETOOLARGE with the cause in h->error; the
 * same again on further calls. After success, cel__h1_head_init before the next message. */
CEL_NODISCARD ssize_t cel__h1_parse(struct cel__h1_head *h, const char *buf, size_t len);

/* The same by a given scanner. For tests and benchmarks. */
CEL_NODISCARD ssize_t cel__h1_parse_by(const struct cel__h1_scan *scan, struct cel__h1_head *h,
                                       const char *buf, size_t len);

#endif
