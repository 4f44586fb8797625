/* SPDX-License-Identifier: MIT */
/* A response read as a document, or as its fields. */
#include "crawl/page.h"

#include <string.h>

#include "task/wait.h"

struct reading {
    struct cel_html_options options;
    char charset[128];
};

/* The answer's Content-Type names the encoding unless the options do. */
static void prepare(struct reading *reading, const struct cel_response *page,
                    const struct cel_html_options *options)
{
    struct cel_str type = cel_response_header(page, "Content-Type");

    reading->options = *options;
    if (options->charset != NULL || type.ptr == NULL || type.len >= sizeof reading->charset)
        return;
    memcpy(reading->charset, type.ptr, type.len);
    reading->charset[type.len] = '\0';
    reading->options.charset = reading->charset;
}

static void let_others_run(void *arg)
{
    (void)cel__rest(); /* parks */
}

int cel__page_scan(const struct cel_response *page, const struct cel_html_options *options,
                   const struct cel_fields *fields, struct cel_item **out, const char **truncated)
{
    struct cel_str text = cel_text(page);
    struct reading reading;

    prepare(&reading, page, options);
    if (reading.options.pause == NULL)
        reading.options.pause = let_others_run;
    return cel_fields_scan(fields, text.ptr, text.len, &reading.options, out,
                           truncated); /* parks */
}

struct cel_html *cel_html(const struct cel_response *page)
{
    static const struct cel_html_options defaults;
    struct cel_str text = cel_text(page);
    struct reading reading;
    struct cel_html *doc;

    prepare(&reading, page, &defaults);
    return cel_html_parse(&doc, text.ptr, text.len, &reading.options) == 0 ? doc : NULL;
}
