/* SPDX-License-Identifier: MIT */
#ifndef CEL__FIELDS_H
#define CEL__FIELDS_H

#include "celadon/html.h"

struct cel__field {
    char *name;
    struct cel_selector *selector;
    char *attr; /* or NULL */
    char *join; /* or NULL */
    bool is_list;
};

struct cel_fields {
    struct cel__field *list;
    size_t count;
    size_t cap;
};

#endif
