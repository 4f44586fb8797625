/* SPDX-License-Identifier: MIT */
#ifndef CEL__H1_FRAME_H
#define CEL__H1_FRAME_H

/* What a head means for its connection: where the body ends, which host is meant, whether another
 * message may follow. Used by the parser alone; each returns NONE or what is wrong. */

#include "proto/h1_head.h"

/* After h->target and h->method are set. */
enum cel__h1_error cel__h1_frame_target(struct cel__h1_head *h, const char *buf);

/* For each field up to CEL__FIELD_UPGRADE, before its bit is set in h->known. */
enum cel__h1_error cel__h1_frame_field(struct cel__h1_head *h, const char *buf,
                                       const struct cel__h1_field *f);

/* After the last field: fills body, keep_alive and the flags. */
enum cel__h1_error cel__h1_frame_end(struct cel__h1_head *h, const char *buf);

/* host[:port]: a name of letters, digits and "-._~", an IPv4 address, or an IPv6 address in
 * brackets; a port of 1 to 5 digits. */
bool cel__h1_is_host(struct cel_str s);

#endif
