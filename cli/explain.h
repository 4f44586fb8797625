/* SPDX-License-Identifier: MIT */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

/* Why a selector finds what it finds, in words on standard error. */

#include <celadon/html.h>

/* How often each field's selector matches; of one that matches nothing, how far it comes, and what
 * comes nearest. 0 or a negative code. */
int explain_fields(const struct cel_fields *fields, const struct cel_html *doc);

#endif
