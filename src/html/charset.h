/* SPDX-License-Identifier: MIT */
#ifndef CEL__CHARSET_H
#define CEL__CHARSET_H

/* Which encoding a page is in. A byte order mark wins, then what the transport
 * said, then a meta tag near the beginning, then a look at the bytes. */

#include <stdbool.h>

#include "html/encoding.h"

struct cel__charset {
    enum cel__encoding encoding;
    size_t skip;     /* bytes of the mark */
    bool is_certain; /* a mark or the transport said so: no meta element can say otherwise */
};

/* `hint`: a label or a whole Content-Type, or empty. */
struct cel__charset cel__charset_sniff(struct cel_str bytes, struct cel_str hint);

/* What a meta element's content attribute, or a Content-Type, says: an encoding, or -1. */
int cel__charset_of_content(struct cel_str content);

/* What an encoding that a page names in ASCII bytes can only be: never UTF-16. -1 stays -1. */
int cel__charset_for_meta(int encoding);

#endif
