/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHARSET_H
#define CEL__CHARSET_H

/* Which encoding a page is in. A byte order mark wins, then what the transport
 * said, then a meta tag near the beginning, then a look at the bytes. */

#include "celadon/base.h"

/* `hint`: a label or a whole Content-Type, or empty. -> the encoding's number; *skip gets the
 * bytes of the mark. */
int cel__charset_sniff(struct cel_str bytes, struct cel_str hint, size_t *skip);

#endif
