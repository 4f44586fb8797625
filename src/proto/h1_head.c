/* SPDX-License-Identifier: MIT */
#include "proto/h1_head.h"

#include "base/cc.h"
#include "base/str.h"

const struct cel__h1_limits cel__h1_limits_default = {
    .line_bytes = 8 << 10,
    .head_bytes = 64 << 10,
    .fields = 100,
};

/* Copied rather than cleared: that compiles to vector moves, a memset of this size to a slow
 * `rep stos`. */
static const struct cel__h1_head blank;

void cel__h1_head_init(struct cel__h1_head *h, enum cel__h1_kind kind, struct cel__h1_field *fields,
                       uint32_t field_cap, const struct cel__h1_limits *limits)
{
    if (limits == NULL)
        limits = &cel__h1_limits_default;
    CEL__ASSERT(limits->line_bytes <= UINT16_MAX && limits->head_bytes <= INT32_MAX);
    *h = blank;
    h->kind = kind;
    h->fields = fields;
    h->field_cap = cel__min(field_cap, limits->fields);
    h->limits = *limits;
}

const struct cel__h1_field *cel__h1_find(const struct cel__h1_head *h, enum cel__field_id id,
                                         uint32_t from)
{
    if (!cel__h1_has(h, id))
        return NULL;
    for (uint32_t i = from; i < h->field_count; i++)
        if (h->fields[i].id == id)
            return &h->fields[i];
    return NULL;
}

const struct cel__h1_field *cel__h1_find_name(const struct cel__h1_head *h, const char *buf,
                                              struct cel_str name, uint32_t from)
{
    for (uint32_t i = from; i < h->field_count; i++)
        if (cel__str_ieq(cel__h1_name(buf, &h->fields[i]), name))
            return &h->fields[i];
    return NULL;
}

struct cel_str cel__h1_get(const struct cel__h1_head *h, const char *buf, enum cel__field_id id)
{
    const struct cel__h1_field *f = cel__h1_find(h, id, 0);

    return f != NULL ? cel__h1_value(buf, f) : (struct cel_str){NULL, 0};
}

#define TEXT(id, status, text)   text,
#define STATUS(id, status, text) status,

const char *cel__h1_error_text(enum cel__h1_error e)
{
    static const char *const texts[] = {CEL__H1_ERRORS(TEXT)};

    return texts[e];
}

unsigned cel__h1_error_status(enum cel__h1_error e)
{
    static const uint16_t statuses[] = {CEL__H1_ERRORS(STATUS)};

    return statuses[e];
}

int cel__h1_error_code(enum cel__h1_error e)
{
    switch (e) {
    case CEL__H1_E_NONE:
        return 0;
    case CEL__H1_E_START_TOO_LONG:
    case CEL__H1_E_FIELD_TOO_LONG:
    case CEL__H1_E_HEAD_TOO_LARGE:
    case CEL__H1_E_TOO_MANY_FIELDS:
        return -CEL_ETOOLARGE;
    default:
        return -CEL_EPROTOCOL;
    }
}

static const struct cel_str methods[CEL__H1_METHOD_COUNT] = {
    [CEL__H1_OTHER_METHOD] = {"", 0},   [CEL__H1_GET] = {"GET", 3},
    [CEL__H1_HEAD] = {"HEAD", 4},       [CEL__H1_POST] = {"POST", 4},
    [CEL__H1_PUT] = {"PUT", 3},         [CEL__H1_DELETE] = {"DELETE", 6},
    [CEL__H1_CONNECT] = {"CONNECT", 7}, [CEL__H1_OPTIONS] = {"OPTIONS", 7},
    [CEL__H1_TRACE] = {"TRACE", 5},     [CEL__H1_PATCH] = {"PATCH", 5},
    [CEL__H1_QUERY] = {"QUERY", 5},
};

struct cel_str cel__h1_method_name(enum cel__h1_method m)
{
    return methods[m];
}

enum cel__h1_method cel__h1_method_find(struct cel_str name)
{
    for (unsigned m = CEL__H1_GET; m < CEL__H1_METHOD_COUNT; m++)
        if (cel__str_eq(name, methods[m]))
            return (enum cel__h1_method)m;
    return CEL__H1_OTHER_METHOD;
}
