/* SPDX-License-Identifier: MIT */
/* What was found: all bytes in one buffer, values and fields as places in it.
 * JSON is written straight into a buffer: it is the scraper's main output, and
 * building a tree of it first would cost more than the selection. */
#include "html/item.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "html/text.h"

void cel_item_free(struct cel_item *item)
{
    if (item == NULL)
        return;
    cel__mem_free(item->fields);
    cel__mem_free(item->values);
    cel__buf_fini(&item->bytes);
    cel__buf_fini(&item->json);
    cel__mem_free(item);
}

size_t cel_item_count(const struct cel_item *item)
{
    return item->count;
}

const char *cel_item_name(const struct cel_item *item, size_t i)
{
    return item->bytes.ptr + item->fields[i].name_at;
}

enum cel_item_kind cel_item_kind(const struct cel_item *item, size_t i)
{
    return item->fields[i].kind;
}

size_t cel_item_values(const struct cel_item *item, size_t i)
{
    return item->fields[i].count;
}

struct cel_str cel_item_value(const struct cel_item *item, size_t i, size_t k)
{
    const struct cel__item_value *v;

    if (i >= item->count || k >= item->fields[i].count)
        return (struct cel_str){NULL, 0};
    v = &item->values[item->fields[i].first + k];
    return (struct cel_str){item->bytes.ptr + v->at, v->len};
}

struct cel_str cel_item_get(const struct cel_item *item, const char *name)
{
    for (size_t i = 0; i < item->count; i++)
        if (strcmp(cel_item_name(item, i), name) == 0)
            return cel_item_value(item, i, 0);
    return (struct cel_str){NULL, 0};
}

static void add_escape(struct cel__buf *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = c != 0 ? strchr(shorts, c) : NULL;
    char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    if (at != NULL) {
        code[1] = letters[at - shorts];
        cel__buf_add(out, code, 2);
    } else {
        cel__buf_add(out, code, sizeof code);
    }
}

static void add_string(struct cel__buf *out, struct cel_str s)
{
    size_t from = 0;

    cel__buf_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        cel__text_add(out, (struct cel_str){s.ptr + from, i - from});
        add_escape(out, c);
        from = i + 1;
    }
    cel__text_add(out, (struct cel_str){s.ptr + from, s.len - from});
    cel__buf_add_char(out, '"');
}

static void add_list(struct cel__buf *out, const struct cel_item *item, size_t i)
{
    cel__buf_add_char(out, '[');
    for (size_t k = 0; k < item->fields[i].count; k++) {
        if (k != 0)
            cel__buf_add_char(out, ',');
        add_string(out, cel_item_value(item, i, k));
    }
    cel__buf_add_char(out, ']');
}

static int write_json(const struct cel_item *item, struct cel__buf *out)
{
    cel__buf_add_char(out, '{');
    for (size_t i = 0; i < item->count; i++) {
        if (i != 0)
            cel__buf_add_char(out, ',');
        add_string(out, cel__str(cel_item_name(item, i)));
        cel__buf_add_char(out, ':');
        if (item->fields[i].kind == CEL_ITEM_LIST)
            add_list(out, item, i);
        else if (item->fields[i].kind == CEL_ITEM_STRING)
            add_string(out, cel_item_value(item, i, 0));
        else
            cel__buf_add_text(out, "null");
    }
    cel__buf_add_char(out, '}');
    return out->failed ? -ENOMEM : 0;
}

const char *cel_item_json(struct cel_item *item, size_t *len)
{
    if (item->json.len == 0 &&
        (write_json(item, &item->json) < 0 || cel__buf_cstr(&item->json) == NULL)) {
        cel__buf_fini(&item->json);
        return NULL;
    }
    if (len != NULL)
        *len = item->json.len;
    return item->json.ptr;
}
