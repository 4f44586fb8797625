/* SPDX-License-Identifier: MIT */
#ifndef CEL__MIME_H
#define CEL__MIME_H

#include "celadon/base.h"

/* The media type of a file by its name's extension; "application/octet-stream" when unknown.
 * Static. */
const char *cel__mime_of_path(struct cel_str path);

#endif
