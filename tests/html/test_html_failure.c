/* SPDX-License-Identifier: MIT */
/* The n-th allocation of ours fails, for n = 1, 2, … until all succeed: each call says -ENOMEM and
 * leaves nothing behind. libxml2 has an allocator of its own. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"

static long calls_left;
static long alive;

static void *fail_alloc(size_t size, void *arg)
{
    void *ptr = --calls_left < 0 ? NULL : malloc(size);

    alive += ptr != NULL;
    return ptr;
}

static void *fail_realloc(void *old, size_t size, void *arg)
{
    void *ptr = --calls_left < 0 ? NULL : realloc(old, size);

    alive += ptr != NULL && old == NULL;
    return ptr;
}

static void count_free(void *ptr, void *arg)
{
    alive -= ptr != NULL;
    free(ptr);
}

static const struct cel_allocator failing = {fail_alloc, fail_realloc, count_free, NULL};

/* Runs the scenario until it comes through; it returns what failed, or 0. */
static void fail_at_each(int (*scenario)(void))
{
    long n = 0;
    int r;

    do {
        cel_set_allocator(&failing);
        calls_left = n++;
        alive = 0;
        r = scenario();
        cel_set_allocator(NULL);
        if (r != 0 && r != -ENOMEM)
            fail_msg("allocation %ld failing gives %d", n, r);
        assert_int_equal(alive, 0);
    } while (r != 0 && n < 5000);
    assert_int_equal(r, 0);
    assert_true(n > 3);
}

static int parse_with(enum cel_html_parser parser, const char *charset)
{
    static char page[8000];
    struct cel_html_options options = {.parser = parser, .charset = charset};
    struct cel_html *doc = NULL;
    size_t len = 0;
    int r;

    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(page + len, sizeof page - len, "<x-%d k=v>caf\351</x-%d>", i, i);
    assert_true(len < sizeof page);
    r = cel_html_parse(&doc, page, len, &options);
    if (r < 0)
        assert_null(doc);
    cel_html_free(doc);
    return r;
}

static void ignore_error(void *arg, const struct cel_html_error *error)
{
    assert_true(error->line != 0);
    ++*(int *)arg;
}

static int parse_and_tell(void)
{
    static const char page[] = "<b><table>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</i></b><x></y>\0</div>";
    int count = 0;
    struct cel_html_options options = {.error = ignore_error, .error_arg = &count};
    struct cel_html *doc = NULL;
    int r = cel_html_parse(&doc, page, sizeof page - 1, &options);

    if (r == 0)
        assert_in_range(count, 33, 66);
    cel_html_free(doc);
    return r;
}

static int parse_html5(void)
{
    return parse_with(CEL_HTML_HTML5, "latin1");
}

static int parse_libxml2(void)
{
    return parse_with(CEL_HTML_LIBXML2, "gbk");
}

static int compile(void)
{
    struct cel_selector *selector = NULL;
    int r = cel_selector_new(
        &selector,
        "A.b#c[D|='e\\66' i]:not(f > g, h ~ i):nth-child(2n+1 of .x) \\6a:has(+ k l):lang(en, fr)"
        ":-soup-contains('m', \"n\\\no\") p::attr(q), r::text, s t u v w x y z",
        NULL);

    if (r < 0)
        assert_null(selector);
    cel_selector_free(selector);
    return r;
}

static const char page[] = "<h1 class=t>T <b>x</b></h1><p>1<p>2<p>3<a href=u><i a=b c=d>";

static int select_all(void)
{
    struct cel_html *doc = NULL;
    struct cel_selector *selector = NULL;
    struct cel_matches *matches = NULL;
    struct cel_node *nodes = NULL;
    int r = cel_html_parse(&doc, page, sizeof page - 1, NULL);

    if (r == 0)
        r = cel_selector_new(&selector,
                             "p:nth-child(n), a:nth-child(2n+1 of a), h1:nth-last-child(9n),"
                             "i:nth-of-type(3), i:nth-of-type(4), i:nth-of-type(5), *",
                             NULL);
    if (r == 0)
        r = cel_matches_new(&matches, selector, cel_html_root(doc));
    if (r == 0)
        r = cel_select_all(selector, cel_html_root(doc), &nodes);
    if (r > 0)
        r = cel_node_matches(nodes[0], selector);
    if (r > 0)
        r = 0;
    cel_nodes_free(nodes);
    cel_matches_free(matches);
    cel_selector_free(selector);
    cel_html_free(doc);
    return r;
}

static int extract(void)
{
    static const struct cel_field fields[] = {{"title", ".t"},
                                              {"all", "p", .join = ", "},
                                              {"list", "p", .is_list = true},
                                              {"html", "h1::html"},
                                              {"own", "h1::text"},
                                              {"link", "a", .attr = "href"},
                                              {"none", "table"},
                                              {"many", "*", .is_list = true},
                                              {"star", "*::attr(c)"},
                                              {"last", "i::inner-html"},
                                              {0}};
    struct cel_html *doc = NULL;
    struct cel_fields *set = NULL;
    struct cel_item *item = NULL;
    int r = cel_html_parse(&doc, page, sizeof page - 1, NULL);

    if (r == 0)
        r = cel_fields_new(&set, fields, NULL);
    if (r == 0)
        r = cel_fields_add_spec(set, "spec[]=p@class", NULL, NULL);
    if (r == 0)
        r = cel_fields_extract(set, doc, &item);
    if (r == 0 && cel_item_json(item, NULL) == NULL)
        r = -ENOMEM;
    cel_item_free(item);
    cel_fields_free(set);
    cel_html_free(doc);
    return r;
}

static int serialise(void)
{
    struct cel_html *doc = NULL;
    int r = cel_html_parse(&doc, page, sizeof page - 1, NULL);
    char *text = NULL;

    if (r == 0) {
        text = cel_node_outer_html(cel_html_root(doc), NULL);
        r = text != NULL ? 0 : -ENOMEM;
    }
    cel_html_text_free(text);
    cel_html_free(doc);
    return r;
}

static void parse_out_of_memory_leaves_nothing(void **state)
{
    fail_at_each(parse_html5);
    fail_at_each(parse_libxml2);
    fail_at_each(parse_and_tell);
}

static void compile_out_of_memory_leaves_nothing(void **state)
{
    fail_at_each(compile);
}

static void select_out_of_memory_leaves_nothing(void **state)
{
    fail_at_each(select_all);
}

static void extract_out_of_memory_leaves_nothing(void **state)
{
    fail_at_each(extract);
}

static void serialise_out_of_memory_leaves_nothing(void **state)
{
    fail_at_each(serialise);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_out_of_memory_leaves_nothing),
        cmocka_unit_test(compile_out_of_memory_leaves_nothing),
        cmocka_unit_test(select_out_of_memory_leaves_nothing),
        cmocka_unit_test(extract_out_of_memory_leaves_nothing),
        cmocka_unit_test(serialise_out_of_memory_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
