/* SPDX-License-Identifier: MIT */
/* A response read as a document. */
#include "crawl/page.h"

#include <string.h>

int cel__page_parse(const struct cel_response *page, const struct cel_html_options *options,
                    struct cel_html **out)
{
    struct cel_str type = cel_response_header(page, "Content-Type"), text = cel_text(page);
    struct cel_html_options with_charset = *options;
    char charset[128];

    if (options->charset == NULL && type.ptr != NULL && type.len < sizeof charset) {
        memcpy(charset, type.ptr, type.len);
        charset[type.len] = '\0';
        with_charset.charset = charset;
    }
    return cel_html_parse(out, text.ptr, text.len, &with_charset);
}

struct cel_html *cel_html(const struct cel_response *page)
{
    static const struct cel_html_options defaults;
    struct cel_html *doc;

    return cel__page_parse(page, &defaults, &doc) == 0 ? doc : NULL;
}
