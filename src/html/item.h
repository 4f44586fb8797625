/* SPDX-License-Identifier: MIT */
#ifndef CEL__ITEM_H
#define CEL__ITEM_H

#include "celadon/html.h"
#include "base/buf.h"

struct cel__item_value {
    size_t at; /* in `bytes`, NUL behind it */
    size_t len;
};

struct cel__item_field {
    size_t name_at; /* in `bytes` */
    enum cel_item_kind kind;
    size_t first; /* index of its first value */
    size_t count;
};

struct cel_item {
    struct cel__item_field *fields;
    size_t count;
    struct cel__item_value *values;
    struct cel__buf bytes;
    struct cel__buf json;
};

#endif
