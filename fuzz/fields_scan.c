/* SPDX-License-Identifier: MIT */
/* The first two bytes choose a selector each, the third how much is taken of it; the rest is a
 * page. Its fields while parsing must be those through the tree, also within limits, which the last
 * bytes say. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"
#include "html/field_selectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SELECTORS (sizeof selectors / sizeof *selectors)

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Bits of `how`: 1 list, 2 joined, 4 an attribute; the same of the second in the next three. */
static struct cel_fields *fields_of(const uint8_t *chosen)
{
    struct cel_field wanted[3] = {{.name = "a", .css = selectors[chosen[0] % SELECTORS]},
                                  {.name = "b", .css = selectors[chosen[1] % SELECTORS]},
                                  {0}};
    struct cel_fields *fields;

    for (int i = 0; i < 2; i++) {
        int how = chosen[2] >> 3 * i;

        wanted[i].is_list = how & 1;
        wanted[i].join = how & 2 ? "|" : NULL;
        wanted[i].attr = how & 4 ? "id" : NULL;
    }
    check(cel_fields_new(&fields, wanted, NULL) == 0);
    return fields;
}

static struct cel_item *take(const struct cel_fields *fields, const char *page, size_t len,
                             struct cel_html_options *options, bool whole_tree)
{
    struct cel_item *item;

    options->whole_tree = whole_tree;
    check(cel_fields_scan(fields, page, len, options, &item, NULL) == 0);
    return item;
}

static void compare(const struct cel_fields *fields, const char *page, size_t len,
                    struct cel_html_options options)
{
    struct cel_item *scanned = take(fields, page, len, &options, false);
    struct cel_item *built = take(fields, page, len, &options, true);
    const char *a = cel_item_json(scanned, NULL), *b = cel_item_json(built, NULL);

    check(a != NULL && b != NULL);
    if (strcmp(a, b) != 0) {
        fprintf(stderr, "scan %s\ntree %s\n", a, b);
        abort();
    }
    cel_item_free(scanned);
    cel_item_free(built);
}

static struct cel_html_options limits_of(const uint8_t *data, size_t len)
{
    uint8_t last[4] = {0};

    memcpy(last, data + len - (len < 4 ? len : 4), len < 4 ? len : 4);
    return (struct cel_html_options){.charset = "utf-8",
                                     .max_depth = last[0] % 16,
                                     .max_nodes = last[1] % 64,
                                     .max_attributes = last[2] % 8,
                                     .max_bytes = 4u * last[3]};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cel_fields *fields;
    char *page;

    if (len < 3)
        return 0;
    page = malloc(len - 3 + 1); /* a block of its own, so that reading past it is seen */
    check(page != NULL);
    memcpy(page, data + 3, len - 3);
    fields = fields_of(data);
    compare(fields, page, len - 3, (struct cel_html_options){.charset = "utf-8"});
    compare(fields, page, len - 3, (struct cel_html_options){.scripting = data[2] & 0x40});
    compare(fields, page, len - 3, limits_of(data, len));
    cel_fields_free(fields);
    free(page);
    return 0;
}
