/* SPDX-License-Identifier: MIT */
#ifndef CEL__MIME_H
#define CEL__MIME_H

/* Media types: "text/html; charset=utf-8" taken apart, and the type of a file by its name. */

#include <stdbool.h>

#include "celadon/base.h"

struct cel__mime {
    struct cel_str type;    /* "text" */
    struct cel_str subtype; /* "html" */
    struct cel_str essence; /* "text/html" */
    struct cel_str charset; /* without quotes; empty when there is none */
    struct cel_str params;  /* for cel__mime_param_next */
};

/* Slices of `text`, in its case. -EINVAL: not type "/" subtype. */
CEL_NODISCARD int cel__mime_parse(struct cel__mime *m, struct cel_str text);

/* Takes the next parameter off; false when there is none. A quoted value comes without its
 * quotes, with backslashes as they are. */
bool cel__mime_param_next(struct cel_str *params, struct cel_str *name, struct cel_str *value);

/* "text/html", in any case. */
bool cel__mime_is(const struct cel__mime *m, const char *essence);
/* text, or what is text under another name: JSON, XML, JavaScript, and +json and +xml. */
bool cel__mime_is_text(const struct cel__mime *m);

/* By the name's extension, with a charset for text; "application/octet-stream" else. Static. */
const char *cel__mime_of_path(struct cel_str path);

#endif
