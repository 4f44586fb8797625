/* SPDX-License-Identifier: MIT */
/* Parsing by both builders, access, serialisation, and pages that mean harm. */
#include "support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"
#include "base/cc.h"

static const enum cel_html_parser both[] = {CEL_HTML_HTML5, CEL_HTML_LIBXML2};

static struct cel_html *parse_bytes(const void *bytes, size_t len,
                                    const struct cel_html_options *options)
{
    struct cel_html *doc;

    assert_int_equal(cel_html_parse(&doc, bytes, len, options), 0);
    return doc;
}

static struct cel_html *parse(const char *html, enum cel_html_parser parser)
{
    return parse_bytes(html, strlen(html), &(struct cel_html_options){.parser = parser});
}

static struct cel_node find(const struct cel_html *doc, const char *css)
{
    struct cel_selector *selector;
    struct cel_node node;
    int r;

    assert_int_equal(cel_selector_new(&selector, css, NULL), 0);
    r = cel_select_first(selector, cel_html_root(doc), &node);
    if (r != 1)
        fail_msg("%s matches nothing", css);
    cel_selector_free(selector);
    return node;
}

static int count(const struct cel_html *doc, const char *css)
{
    struct cel_selector *selector;
    struct cel_node *nodes;
    int n;

    assert_int_equal(cel_selector_new(&selector, css, NULL), 0);
    n = cel_select_all(selector, cel_html_root(doc), &nodes);
    cel_nodes_free(nodes);
    cel_selector_free(selector);
    return n;
}

static void check_html(const char *html, enum cel_html_parser parser, const char *expected)
{
    struct cel_html *doc = parse(html, parser);
    size_t len;
    char *text = cel_node_outer_html(cel_html_root(doc), &len);

    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, expected);
    cel_html_text_free(text);
    cel_html_free(doc);
}

/* ---- trees ---- */

static void html_nothing_is_an_empty_document(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc = parse("", both[i]);

        assert_int_equal(cel_node_kind(cel_html_root(doc)), CEL_NODE_DOCUMENT);
        assert_int_equal(cel_node_kind(cel_node_first(cel_html_root(doc))), CEL_NODE_NONE);
        assert_int_equal(cel_node_text(cel_html_root(doc)).len, 0);
        assert_null(cel_html_truncated(doc));
        cel_html_free(doc);
    }
    cel_html_free(NULL);
}

static void html_single_bytes_are_pages(void **state)
{
    for (int c = 0; c < 256; c++)
        for (size_t i = 0; i < 2; i++) {
            char byte = (char)c;

            cel_html_free(parse_bytes(&byte, 1, &(struct cel_html_options){.parser = both[i]}));
        }
}

static void html_implied_tags_are_supplied(void **state)
{
    check_html("<title>t</title><p>a<p>b", CEL_HTML_HTML5,
               "<html><head><title>t</title></head><body><p>a</p><p>b</p></body></html>");
    check_html("<title>t</title><p>a<p>b", CEL_HTML_LIBXML2,
               "<!DOCTYPE html><html><head><title>t</title></head><body><p>a</p><p>b</p></body>"
               "</html>");
}

static void html_misnested_formatting_is_adopted(void **state)
{
    check_html("<p>1<b>2<i>3</b>4</i>5</p>", CEL_HTML_HTML5,
               "<html><head></head><body><p>1<b>2<i>3</i></b><i>4</i>5</p></body></html>");
    check_html("<b><p>x</b>y</p>", CEL_HTML_HTML5,
               "<html><head></head><body><b></b><p><b>x</b>y</p></body></html>");
    check_html("<table><b>x<tr><td>y", CEL_HTML_HTML5,
               "<html><head></head><body><b>x</b><table><tbody><tr><td>y</td></tr></tbody></table>"
               "</body></html>");
}

static void html_nul_and_carriage_return_are_normalised(void **state)
{
    static const char page[] = "<p title='a\r\nb\rc'>x\0y\r\nz\rw</p>";
    struct cel_html *doc = parse_bytes(page, sizeof page - 1, NULL);

    CHECK_STR(cel_node_text(find(doc, "p")), "xy\nz\nw");
    CHECK_STR(cel_node_attr(find(doc, "p"), "title"), "a\nb\nc");
    cel_html_free(doc);
}

static void html_character_references_are_decoded(void **state)
{
    struct cel_html *doc =
        parse("<p title='&lt;&amp;&quot;&copy=1'>&eacute;&#233;&#xe9;&notit;&#x80;&#0;&#xD800;&amp",
              CEL_HTML_HTML5);

    CHECK_STR(cel_node_text(find(doc, "p")),
              "\303\251\303\251\303\251\302\254it;\342\202\254\357\277\275\357\277\275&");
    CHECK_STR(cel_node_attr(find(doc, "p"), "title"), "<&\"&copy=1");
    cel_html_free(doc);
}

static void html_first_of_equal_attributes_counts(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc = parse("<p id=a ID=b class=x id=c>t", both[i]);
        struct cel_node p = find(doc, "p");
        struct cel_str name, value;

        CHECK_STR(cel_node_attr(p, "id"), "a");
        assert_int_equal(cel_node_attr_at(p, 1, &name, &value), 1);
        CHECK_STR(name, "class");
        CHECK_STR(value, "x");
        assert_int_equal(cel_node_attr_at(p, 2, &name, &value), 0);
        cel_html_free(doc);
    }
}

static void html_foreign_names_keep_their_case(void **state)
{
    struct cel_html *doc =
        parse("<svg viewbox='0' xlink:href=#a><foreignobject><DIV>x", CEL_HTML_HTML5);

    CHECK_STR(cel_node_name(find(doc, "svg > *")), "foreignObject");
    CHECK_STR(cel_node_attr(find(doc, "svg"), "viewBox"), "0");
    assert_int_equal(count(doc, "svg[viewBox], svg[viewbox]"), 1);
    assert_int_equal(count(doc, "[xlink|href]"), 1);
    assert_int_equal(count(doc, "[href]"), 0);
    assert_int_equal(count(doc, "html|div"), 1);
    cel_html_free(doc);
}

static void html_walk_goes_both_ways(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc = parse("<p>a<!--c--><b>d</b></p><i></i>", both[i]);
        struct cel_node p = find(doc, "p"), n = cel_node_first(p);

        assert_int_equal(cel_node_kind(n), CEL_NODE_TEXT);
        CHECK_STR(cel_node_text(n), "a");
        n = cel_node_next(n);
        assert_int_equal(cel_node_kind(n), CEL_NODE_COMMENT);
        CHECK_STR(cel_node_text(n), "c");
        n = cel_node_next(n);
        CHECK_STR(cel_node_name(n), "b");
        assert_int_equal(cel_node_kind(cel_node_next(n)), CEL_NODE_NONE);
        assert_int_equal(cel_node_prev(cel_node_prev(n)).at, cel_node_first(p).at);
        assert_int_equal(cel_node_parent(n).at, p.at);
        CHECK_STR(cel_node_name(cel_node_next(p)), "i");
        cel_html_free(doc);
    }
}

static void html_no_node_answers_nothing(void **state)
{
    struct cel_node none = {0};
    struct cel_str name, value;
    char *text = cel_node_outer_html(none, NULL);

    assert_int_equal(cel_node_kind(cel_node_first(none)), CEL_NODE_NONE);
    assert_int_equal(cel_node_kind(cel_node_parent(cel_node_next(cel_node_prev(none)))),
                     CEL_NODE_NONE);
    assert_int_equal(cel_node_text(none).len, 0);
    assert_int_equal(cel_node_name(none).len, 0);
    assert_null(cel_node_attr(none, "id").ptr);
    assert_int_equal(cel_node_attr_at(none, 0, &name, &value), 0);
    assert_string_equal(text, "");
    cel_html_text_free(text);
}

static void html_text_leaves_scripts_and_comments_out(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc =
            parse("<div>a<script>b<p></script><!--c--><style>d</style><p>e</p></div>", both[i]);

        CHECK_STR(cel_node_text(find(doc, "div")), "ae");
        CHECK_STR(cel_node_text(find(doc, "script")), "b<p>");
        CHECK_STR(cel_node_text(find(doc, "style")), "d");
        cel_html_free(doc);
    }
}

static void html_serialises_as_the_standard_says(void **state)
{
    check_html(
        "<!doctype html><p title='a\"&amp;<b\xc2\xa0'>&lt;&amp;&nbsp;<br><script>a<b&&c</script>",
        CEL_HTML_HTML5,
        "<!DOCTYPE html><html><head></head><body><p title=\"a&quot;&amp;<b&nbsp;\">&lt;&amp;&nbsp;"
        "<br><script>a<b&&c</script></p></body></html>");
}

static void html_inner_and_outer_differ_by_the_tag(void **state)
{
    struct cel_html *doc = parse("<div id=d><i>x</i><b></b>y</div>z", CEL_HTML_HTML5);
    char *inner = cel_node_inner_html(find(doc, "div"), NULL);
    char *outer = cel_node_outer_html(find(doc, "i"), NULL);
    char *empty = cel_node_inner_html(find(doc, "b"), NULL);

    assert_string_equal(inner, "<i>x</i><b></b>y");
    assert_string_equal(outer, "<i>x</i>");
    assert_string_equal(empty, "");
    cel_html_text_free(inner);
    cel_html_text_free(outer);
    cel_html_text_free(empty);
    cel_html_free(doc);
}

/* A token may begin in one chunk of the input and end in any later one. */
static void html_chunks_leave_no_seam(void **state)
{
    static const char unit[] =
        "<p class=\"k\" data-n='&amp;\xc3\xa9'>caf\xc3\xa9 &eacute; <!-- c --> \r\n</p>";
    size_t unit_len = sizeof unit - 1;

    for (size_t shift = 0; shift < unit_len; shift++) {
        size_t len = shift + 200 * unit_len;
        char *page = malloc(len);
        struct cel_html *doc;

        memset(page, 'x', shift);
        for (size_t k = 0; k < 200; k++)
            memcpy(page + shift + k * unit_len, unit, unit_len);
        doc = parse_bytes(page, len, NULL);
        assert_int_equal(count(doc, "p.k[data-n='&\303\251']"), 200);
        CHECK_STR(cel_node_text(find(doc, "p:last-of-type")), "caf\303\251 \303\251  \n");
        cel_html_free(doc);
        free(page);
    }
}

static void html_parser_object_carries_nothing_over(void **state)
{
    for (int i = 0; i < 20; i++) {
        cel_html_free(parse("<table><b><i><svg><script>unclosed", CEL_HTML_HTML5));
        cel_html_free(parse("<x-new-", CEL_HTML_HTML5));
        check_html("<p>a<x-new>b", CEL_HTML_HTML5,
                   "<html><head></head><body><p>a<x-new>b</x-new></p></body></html>");
    }
}

/* ---- hostile pages ---- */

static char *repeat(const char *head, const char *unit, size_t n, size_t *len)
{
    size_t unit_len = strlen(unit), head_len = strlen(head);
    char *text = malloc(head_len + n * unit_len + 1);

    assert_non_null(text);
    memcpy(text, head, head_len + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + head_len + i * unit_len, unit, unit_len);
    *len = head_len + n * unit_len;
    return text;
}

static int depth_of(const struct cel_html *doc)
{
    int depth = 0, deepest = 0;
    struct cel_node n = cel_node_first(cel_html_root(doc));

    while (n.doc != NULL) {
        struct cel_node below = cel_node_first(n);

        if (below.doc != NULL) {
            n = below;
            deepest = cel__max(deepest, depth + 1);
            depth++;
            continue;
        }
        while (n.at != 0 && cel_node_next(n).doc == NULL) {
            n = cel_node_parent(n);
            depth--;
        }
        if (n.at == 0)
            break;
        n = cel_node_next(n);
    }
    return deepest;
}

static void html_nesting_beyond_limit_is_cut_and_told(void **state)
{
    size_t len;
    char *page = repeat("<p>before</p>", "<div>", 200000, &len);

    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc =
            parse_bytes(page, len, &(struct cel_html_options){.parser = both[i]});

        assert_string_equal(cel_html_truncated(doc), "depth");
        assert_in_range(depth_of(doc), 200, 512);
        CHECK_STR(cel_node_text(find(doc, "p")), "before");
        cel_html_free(doc);
    }
    free(page);
}

static void html_nesting_within_limit_is_kept(void **state)
{
    size_t len;
    char *page = repeat("", "<div>", 200, &len);

    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc =
            parse_bytes(page, len, &(struct cel_html_options){.parser = both[i]});

        assert_null(cel_html_truncated(doc));
        assert_int_equal(count(doc, "div"), 200);
        cel_html_free(doc);
    }
    free(page);
}

static void html_depth_option_flattens_in_order(void **state)
{
    struct cel_html *doc;
    static const char page[] = "<body><a>1<b>2<i>3</i>4</b>5</a>6";

    doc = parse_bytes(page, sizeof page - 1, &(struct cel_html_options){.max_depth = 3});
    assert_string_equal(cel_html_truncated(doc), "depth");
    CHECK_STR(cel_node_text(cel_html_root(doc)), "123456");
    assert_int_equal(count(doc, "body > a, body > b, body > i"), 3);
    cel_html_free(doc);
}

static void html_attribute_flood_is_cut_and_told(void **state)
{
    struct cel__buf page = {0};

    cel__buf_add_text(&page, "<p>before</p><div");
    for (int k = 0; k < 100000; k++)
        cel__buf_printf(&page, " a%d=%d", k, k);
    cel__buf_add_text(&page, ">x</div>");
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc =
            parse_bytes(page.ptr, page.len, &(struct cel_html_options){.parser = both[i]});

        assert_string_equal(cel_html_truncated(doc), "attributes");
        CHECK_STR(cel_node_text(find(doc, "p")), "before");
        cel_html_free(doc);
    }
    cel__buf_fini(&page);
}

static void html_attributes_within_limit_are_kept(void **state)
{
    struct cel__buf page = {0};

    cel__buf_printf(&page, "<script>if (a < b) %0*d</script><div", 3000, 0);
    for (int k = 0; k < 256; k++)
        cel__buf_printf(&page, " a%d='< >'", k);
    cel__buf_add_text(&page, ">x");
    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc =
            parse_bytes(page.ptr, page.len, &(struct cel_html_options){.parser = both[i]});

        assert_null(cel_html_truncated(doc));
        assert_int_equal(count(doc, "div[a0][a255]"), 1);
        cel_html_free(doc);
    }
    cel__buf_fini(&page);
}

static void html_node_flood_is_cut_and_told(void **state)
{
    size_t len;
    char *page = repeat("", "<p>x", 10000, &len);

    for (size_t i = 0; i < 2; i++) {
        struct cel_html *doc = parse_bytes(
            page, len, &(struct cel_html_options){.parser = both[i], .max_nodes = 1000});

        assert_string_equal(cel_html_truncated(doc), "nodes");
        assert_in_range(count(doc, "p"), 400, 500);
        cel_html_free(doc);
    }
    free(page);
}

static void html_size_limit_is_cut_and_told(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        struct cel_html_options options = {.parser = both[i], .max_bytes = 9};
        struct cel_html *doc = parse_bytes("<p>abc\xc3\xa9\xc3\xa9", 10, &options);

        assert_string_equal(cel_html_truncated(doc), "size");
        cel_html_free(doc);
    }
}

/* Each paragraph clones all formatting elements that the first left open. */
static void html_formatting_clones_are_bounded(void **state)
{
    struct cel__buf page = {0};
    struct cel_html *doc;

    cel__buf_add_text(&page, "<p>");
    for (int k = 0; k < 300; k++)
        cel__buf_printf(&page, "<b a%d=yyyyyyyyyyyyyy>", k);
    for (int k = 0; k < 100000; k++)
        cel__buf_add_text(&page, "<p>x");
    doc = parse_bytes(page.ptr, page.len, NULL);
    assert_string_equal(cel_html_truncated(doc), "memory");
    assert_true(count(doc, "*") < 1000000);
    cel_html_free(doc);
    cel__buf_fini(&page);
}

static void html_new_names_are_bounded(void **state)
{
    struct cel__buf page = {0};
    struct cel_html *doc;

    for (int k = 0; k < 100000; k++)
        cel__buf_printf(&page, "<z-%d></z-%d>", k, k);
    doc = parse_bytes(page.ptr, page.len, NULL);
    assert_string_equal(cel_html_truncated(doc), "names");
    assert_int_equal(count(doc, "*"), 3 + 65536);
    assert_int_equal(count(doc, "z-65535"), 1);
    cel_html_free(doc);
    cel__buf_fini(&page);
}

static void *parse_hostile(void *arg)
{
    static const char *const units[] = {"<div>",       "<b><p>",  "</p>",  "<a href=x>",
                                        "<table><tr>", "&amp;",   "<svg>", "<select><option>",
                                        "<!--",        "<p>x</b>"};

    for (size_t i = 0; i < 2 * cel__countof(units); i++) {
        size_t len;
        char *page = repeat("<i>", units[i / 2], 20000, &len);
        struct cel_html *doc =
            parse_bytes(page, len, &(struct cel_html_options){.parser = both[i % 2]});

        assert_true(count(doc, "div:not(:has(p div)) :is(b, div:nth-child(2n of i))") >= 0);
        cel_html_free(doc);
        free(page);
    }
    return arg;
}

/* Tasks parse on stacks of 64 KiB. */
static void html_parses_on_a_small_stack(void **state)
{
    pthread_attr_t attr;
    pthread_t thread;

    if (CEL__ASAN || CEL__TSAN)
        skip(); /* the sanitizers' frames are larger */
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, 64 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attr, parse_hostile, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
}

static void *parse_often(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct cel_html *doc = parse("<p class=a>x<b>y</b></p>", both[i % 2]);

        if (count(doc, "p.a > b") != 1)
            return NULL;
        cel_html_free(doc);
    }
    return arg;
}

static void html_threads_parse_side_by_side(void **state)
{
    pthread_t threads[4];
    void *result;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, threads), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, threads);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_nothing_is_an_empty_document),
        cmocka_unit_test(html_single_bytes_are_pages),
        cmocka_unit_test(html_implied_tags_are_supplied),
        cmocka_unit_test(html_misnested_formatting_is_adopted),
        cmocka_unit_test(html_nul_and_carriage_return_are_normalised),
        cmocka_unit_test(html_character_references_are_decoded),
        cmocka_unit_test(html_first_of_equal_attributes_counts),
        cmocka_unit_test(html_foreign_names_keep_their_case),
        cmocka_unit_test(html_walk_goes_both_ways),
        cmocka_unit_test(html_no_node_answers_nothing),
        cmocka_unit_test(html_text_leaves_scripts_and_comments_out),
        cmocka_unit_test(html_serialises_as_the_standard_says),
        cmocka_unit_test(html_inner_and_outer_differ_by_the_tag),
        cmocka_unit_test(html_chunks_leave_no_seam),
        cmocka_unit_test(html_parser_object_carries_nothing_over),
        cmocka_unit_test(html_nesting_beyond_limit_is_cut_and_told),
        cmocka_unit_test(html_nesting_within_limit_is_kept),
        cmocka_unit_test(html_depth_option_flattens_in_order),
        cmocka_unit_test(html_attribute_flood_is_cut_and_told),
        cmocka_unit_test(html_attributes_within_limit_are_kept),
        cmocka_unit_test(html_node_flood_is_cut_and_told),
        cmocka_unit_test(html_size_limit_is_cut_and_told),
        cmocka_unit_test(html_formatting_clones_are_bounded),
        cmocka_unit_test(html_new_names_are_bounded),
        cmocka_unit_test(html_parses_on_a_small_stack),
        cmocka_unit_test(html_threads_parse_side_by_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
