/* SPDX-License-Identifier: MIT */
#ifndef CEL__FORM_H
#define CEL__FORM_H

/* Names and values as one text, application/x-www-form-urlencoded: queries and forms. */

#include "base/buf.h"
#include "celadon/http.h"

/* Appends "a=b&c=d"; pairs end with {0}, a value may be NULL. -ENOMEM. */
int cel__form_add(struct cel__buf *out, const struct cel_pair *pairs);
/* Appends the URL with the pairs behind its query and before its fragment. -ENOMEM. */
int cel__form_add_to_url(struct cel__buf *out, struct cel_str url, const struct cel_pair *pairs);

#endif
