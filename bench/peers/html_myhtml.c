/* SPDX-License-Identifier: MIT */
/* Pages to myhtml's trees, in one thread, by one parser and tree kept for all of them, which is
 * its fastest way: html_myhtml tree MILLISECONDS FILE... */
#include "../load/html_pages.h"

#include <myhtml/myhtml.h>

static myhtml_tree_t *tree;

static void parse(const struct html_page *page)
{
    myhtml_tree_clean(tree);
    html_check(myhtml_parse_single(tree, MyENCODING_UTF_8, page->bytes, page->len) ==
                   MyHTML_STATUS_OK,
               "no tree");
}

int main(int argc, char **argv)
{
    myhtml_t *parser = myhtml_create();

    html_open(argc, argv);
    html_check(myhtml_init(parser, MyHTML_OPTIONS_PARSE_MODE_SINGLE, 1, 0) == MyHTML_STATUS_OK,
               "no parser");
    tree = myhtml_tree_create();
    html_check(myhtml_tree_init(tree, parser) == MyHTML_STATUS_OK, "no tree");
    return html_measure(argv, parse, -1, -1);
}
