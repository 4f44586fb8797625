/* SPDX-License-Identifier: MIT */
/* Pages to gumbo's trees: html_gumbo tree MILLISECONDS FILE... */
#include "../load/html_pages.h"

#include <gumbo.h>

static void parse(const struct html_page *page)
{
    GumboOutput *out = gumbo_parse_with_options(&kGumboDefaultOptions, page->bytes, page->len);

    html_check(out != NULL && out->root != NULL, "no tree");
    gumbo_destroy_output(&kGumboDefaultOptions, out);
}

int main(int argc, char **argv)
{
    html_open(argc, argv);
    return html_measure(argv, parse, -1, -1);
}
