/* SPDX-License-Identifier: MIT */
/* Walking the matches: order, scope, budget, sibling counts on long lists. */
#include "support/check.h"

#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"

static struct cel_html *parse(const char *html)
{
    struct cel_html *doc;

    assert_int_equal(cel_html_parse(&doc, html, strlen(html), NULL), 0);
    return doc;
}

static struct cel_selector *compile(const char *css)
{
    struct cel_selector *selector;
    struct cel_error error;

    if (cel_selector_new(&selector, css, &error) < 0)
        fail_msg("%s: %s", css, error.text);
    return selector;
}

static int count(struct cel_node within, const char *css)
{
    struct cel_selector *selector = compile(css);
    struct cel_node *nodes;
    int n = cel_select_all(selector, within, &nodes);

    cel_nodes_free(nodes);
    cel_selector_free(selector);
    return n;
}

static struct cel_node first(struct cel_node within, const char *css)
{
    struct cel_selector *selector = compile(css);
    struct cel_node node;

    assert_int_equal(cel_select_first(selector, within, &node), 1);
    cel_selector_free(selector);
    return node;
}

/* `head`, n times `unit`, `tail`. */
static struct cel_html *parse_repeated(const char *head, const char *unit, size_t n,
                                       const char *tail)
{
    struct cel__buf page = {0};
    struct cel_html *doc;

    cel__buf_add_text(&page, head);
    for (size_t i = 0; i < n; i++)
        cel__buf_add_text(&page, unit);
    cel__buf_add_text(&page, tail);
    assert_false(page.failed);
    assert_int_equal(cel_html_parse(&doc, page.ptr, page.len, NULL), 0);
    cel__buf_fini(&page);
    return doc;
}

static void select_comma_list_comes_in_document_order_once(void **state)
{
    struct cel_html *doc = parse("<i id=1></i><b id=2></b><i id=3></i>");
    struct cel_selector *selector = compile("b, i, i, [id='3'], *:not(html, head, body)");
    struct cel_matches *matches;
    struct cel_node node;
    char ids[8] = "";

    assert_int_equal(cel_matches_new(&matches, selector, cel_html_root(doc)), 0);
    while (cel_matches_next(matches, &node) == 1)
        strncat(ids, cel_node_attr(node, "id").ptr, 1);
    assert_string_equal(ids, "123");
    assert_int_equal(cel_matches_next(matches, &node), 0);
    cel_matches_free(matches);
    cel_selector_free(selector);
    cel_html_free(doc);
}

static void select_within_element_leaves_itself_out(void **state)
{
    struct cel_html *doc = parse("<div id=a><div id=b><p></p></div></div><p></p>");
    struct cel_node a = first(cel_html_root(doc), "#a");

    assert_int_equal(count(a, "div"), 1);
    assert_int_equal(count(a, "p"), 1);
    assert_int_equal(count(cel_html_root(doc), "p"), 2);
    cel_html_free(doc);
}

static void select_scope_is_the_element_searched(void **state)
{
    struct cel_html *doc = parse("<div id=a><p></p><div><p></p></div></div>");
    struct cel_node a = first(cel_html_root(doc), "#a");

    assert_int_equal(count(a, ":scope > p"), 1);
    assert_int_equal(count(a, ":scope p"), 2);
    assert_int_equal(count(cel_html_root(doc), ":scope"), 1);
    assert_int_equal(count(cel_html_root(doc), ":scope > body"), 1);
    cel_html_free(doc);
}

static void select_ancestors_outside_the_scope_count(void **state)
{
    struct cel_html *doc = parse("<main><div id=a><p></p></div></main>");

    assert_int_equal(count(first(cel_html_root(doc), "#a"), "main p"), 1);
    cel_html_free(doc);
}

static void select_first_of_nothing_is_no_node(void **state)
{
    struct cel_html *doc = parse("<p>x");
    struct cel_selector *selector = compile("table");
    struct cel_node node = {doc, 1};

    assert_int_equal(cel_select_first(selector, cel_html_root(doc), &node), 0);
    assert_null(node.doc);
    assert_int_equal(cel_select_first(selector, (struct cel_node){0}, &node), 0);
    assert_int_equal(cel_node_matches((struct cel_node){0}, selector), 0);
    cel_selector_free(selector);
    cel_html_free(doc);
}

static void select_same_selector_serves_many_documents(void **state)
{
    struct cel_html *one = parse("<x-a class=k></x-a>"),
                    *two = parse("<b></b><x-a></x-a><i class=k>");
    struct cel_selector *selector = compile("x-a, .k:nth-child(n)");
    struct cel_node *nodes;

    assert_int_equal(cel_select_all(selector, cel_html_root(one), &nodes), 1);
    cel_nodes_free(nodes);
    assert_int_equal(cel_select_all(selector, cel_html_root(two), &nodes), 2);
    cel_nodes_free(nodes);
    cel_selector_free(selector);
    cel_html_free(one);
    cel_html_free(two);
}

static void select_counts_siblings_of_long_lists_in_budget(void **state)
{
    static const struct {
        const char *css;
        int matches;
    } cases[] = {{"li:nth-child(2n)", 50000},
                 {"li:nth-last-child(2n)", 0},
                 {"ul > :nth-of-type(2n)", 50000},
                 {"b:nth-last-of-type(2n+1)", 25000},
                 {"li:nth-child(even of .k)", 25000}};
    struct cel_html *doc = parse_repeated("<ul>", "<b></b><li class=k></li>", 50000, "");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(count(cel_html_root(doc), cases[i].css), cases[i].matches);
    cel_html_free(doc);
}

static void select_descendant_chain_on_deep_page_is_no_blow_up(void **state)
{
    struct cel_html *doc = parse_repeated("", "<div>", 500, "<p>");

    assert_int_equal(count(cel_html_root(doc), "i div div div div div div div p"), 0);
    assert_int_equal(count(cel_html_root(doc), "div:not(b div) div:not(b div) div p"), 1);
    cel_html_free(doc);
}

static void select_blow_up_ends_with_too_large(void **state)
{
    struct cel_html *doc = parse_repeated("", "<p></p><b></b>", 20000, "");
    struct cel_selector *selector = compile("p:has(~ b ~ i)");
    struct cel_node *nodes, node;

    assert_int_equal(cel_select_all(selector, cel_html_root(doc), &nodes), -CEL_ETOOLARGE);
    assert_null(nodes);
    assert_int_equal(cel_select_first(selector, cel_html_root(doc), &node), -CEL_ETOOLARGE);
    cel_selector_free(selector);
    cel_html_free(doc);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(select_comma_list_comes_in_document_order_once),
        cmocka_unit_test(select_within_element_leaves_itself_out),
        cmocka_unit_test(select_scope_is_the_element_searched),
        cmocka_unit_test(select_ancestors_outside_the_scope_count),
        cmocka_unit_test(select_first_of_nothing_is_no_node),
        cmocka_unit_test(select_same_selector_serves_many_documents),
        cmocka_unit_test(select_counts_siblings_of_long_lists_in_budget),
        cmocka_unit_test(select_descendant_chain_on_deep_page_is_no_blow_up),
        cmocka_unit_test(select_blow_up_ends_with_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
