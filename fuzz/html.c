/* SPDX-License-Identifier: MIT */
/* Bytes to a document by both builders, to fields, to JSON, and out as HTML again. The tree must
 * hold together whatever came in. The last bytes say limits. */
#include <stdint.h>
#include <stdlib.h>

#include "celadon/html.h"
#include "html/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct cel_field wanted[] = {
    {"title", "h1, .post-title, title"},
    {"text", "p:not(:empty), div > p", .join = "\n"},
    {"links", "a[href], [src]", .attr = "href", .is_list = true},
    {"own", "body *::text", .is_list = true},
    {"html", "p:nth-child(2n+1) ~ *::html", .is_list = true},
    {"odd", ":is(div, ul):has(> :first-child) :lang(en), svg|*", .is_list = true},
    {0}};

static void check(int holds)
{
    if (!holds)
        abort();
}

static void walk(const struct cel_html *doc)
{
    struct cel_node n = cel_node_first(cel_html_root(doc));
    uint32_t last = 0;

    while (n.doc != NULL) {
        struct cel_node next = cel_node_first(n);

        check(n.at == ++last);
        check(next.doc == NULL || cel_node_parent(next).at == n.at);
        while (next.doc == NULL && n.at != 0) {
            next = cel_node_next(n);
            check(next.doc == NULL || cel_node_prev(next).at == n.at);
            n = cel_node_parent(n);
        }
        n = next;
    }
}

static void run(const uint8_t *data, size_t len, const struct cel_html_options *options)
{
    static struct cel_fields *fields;
    struct cel_html *doc;
    struct cel_item *item;
    struct cel_str json;
    char *html;

    check(fields != NULL || cel_fields_new(&fields, wanted, NULL) == 0);
    check(cel_html_parse(&doc, data, len, options) == 0);
    walk(doc);
    if (cel_fields_extract(fields, doc, &item) == 0) {
        json.ptr = cel_item_json(item, &json.len);
        check(cel__utf8_valid(json) == json.len);
        cel_item_free(item);
    }
    html = cel_node_outer_html(cel_html_root(doc), NULL);
    check(html != NULL);
    cel_html_text_free(html);
    cel_html_free(doc);
}

static void hear_error(void *arg, const struct cel_html_error *error)
{
    struct cel_html_error *last = arg;

    check(error->offset >= last->offset && error->code[0] != '\0');
    check(error->line >= last->line && (error->line > last->line || error->column >= last->column));
    *last = *error;
}

static void run_within(const uint8_t *data, size_t len, enum cel_html_parser parser)
{
    const uint8_t *last = data + len - 4;
    struct cel_html_error heard = {0};

    if (len >= 4)
        run(data, len,
            &(struct cel_html_options){.parser = parser,
                                       .max_depth = last[0] % 16,
                                       .max_nodes = last[1] % 64,
                                       .max_attributes = last[2] % 8,
                                       .max_bytes = 4u * last[3],
                                       .scripting = last[3] & 1,
                                       .error = hear_error,
                                       .error_arg = &heard});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    run(data, len, &(struct cel_html_options){.parser = CEL_HTML_HTML5});
    run(data, len, &(struct cel_html_options){.parser = CEL_HTML_LIBXML2});
    run(data, len,
        &(struct cel_html_options){.max_depth = 4, .max_nodes = 30, .max_attributes = 2});
    run_within(data, len, CEL_HTML_HTML5);
    run_within(data, len, CEL_HTML_LIBXML2);
    return 0;
}
