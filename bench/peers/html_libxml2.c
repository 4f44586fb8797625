/* SPDX-License-Identifier: MIT */
/* Pages to libxml2's trees, which are not those of the standard: html_libxml2 tree MILLISECONDS
 * FILE... */
#include "../load/html_pages.h"

#include <libxml/HTMLparser.h>

static void parse(const struct html_page *page)
{
    int quiet = HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_COMPACT;
    xmlDocPtr doc = htmlReadMemory(page->bytes, (int)page->len, NULL, "UTF-8", quiet);

    html_check(doc != NULL, "no tree");
    xmlFreeDoc(doc);
}

int main(int argc, char **argv)
{
    html_open(argc, argv);
    return html_measure(argv, parse, -1, -1);
}
