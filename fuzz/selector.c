/* SPDX-License-Identifier: MIT */
/* Text to a selector, asked of two small documents and of each element in them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char page[] =
    "<!doctype html><html lang=en><body class='a b'><div id=x title='One Two'><p class=a lang=fr>t"
    "<em>u</em><p id=y class='a c'>v</div><ul><li class=a>1<li class=b>2<li>3</ul><svg viewBox=0>"
    "<circle class=a /></svg><form><input type=checkbox checked required><fieldset "
    "disabled><legend>"
    "<input></legend><button>z</button></fieldset><select><option "
    "selected>1<option>2</select></form>"
    "<a href=h rel='n m'>l</a>";

static void ask(const struct cel_selector *selector, const struct cel_html *doc)
{
    struct cel_node *nodes, node;
    int count = cel_select_all(selector, cel_html_root(doc), &nodes);

    if (count < 0 && count != -CEL_ETOOLARGE)
        abort();
    for (int i = 0; i < count; i++)
        if (cel_node_kind(nodes[i]) != CEL_NODE_ELEMENT ||
            (i > 0 && nodes[i].at <= nodes[i - 1].at))
            abort();
    if (count > 0 &&
        (cel_select_first(selector, cel_html_root(doc), &node) != 1 || node.at != nodes[0].at))
        abort();
    cel_nodes_free(nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct cel_html *docs[2];
    struct cel_selector *selector;
    struct cel_error error;
    char *css = malloc(len + 1);
    int r;

    if (css == NULL)
        return 0;
    memcpy(css, data, len);
    css[len] = '\0';
    for (int i = 0; i < 2; i++)
        if (docs[i] == NULL &&
            cel_html_parse(&docs[i], page, sizeof page - 1,
                           &(struct cel_html_options){.parser = (enum cel_html_parser)i}) < 0)
            abort();
    r = cel_selector_new(&selector, css, &error);
    if (r == 0) {
        ask(selector, docs[0]);
        ask(selector, docs[1]);
        cel_selector_free(selector);
    } else if (strncmp(error.text, "column ", 7) != 0) {
        abort();
    }
    free(css);
    return 0;
}
