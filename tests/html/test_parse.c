/* SPDX-License-Identifier: MIT */
/* The parser's face beside what html5lib's cases say: where things lie in the arrays, limits, and
 * memory that runs out. */
#include "support/check.h"
#include "support/fault.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "html/tree_dump.h"
#include "html/parse.h"

static struct cel__tree parse_with(const char *html, const struct cel__parse_options *options,
                                   enum cel__cut *cut)
{
    struct cel__parser *p;
    struct cel__tree tree;

    assert_int_equal(cel__parser_new(&p, options), 0);
    assert_int_equal(cel__parser_feed(p, html, strlen(html)), 0);
    assert_int_equal(cel__parser_end(p, &tree, cut), 0);
    cel__parser_free(p);
    return tree;
}

static struct cel__tree parse(const char *html)
{
    enum cel__cut cut;
    struct cel__tree tree = parse_with(html, &(struct cel__parse_options){0}, &cut);

    assert_int_equal(cut, CEL__CUT_NONE);
    return tree;
}

/* The n-th element of that name, from 1, in the whole array. */
static uint32_t find(const struct cel__tree *t, const char *name, int n)
{
    uint32_t number = cel__names_find(&t->names, cel__str(name));

    for (uint32_t i = 1; i < t->total; i++)
        if (t->nodes[i].kind == CEL__NODE_ELEMENT && t->nodes[i].name == number && --n == 0)
            return i;
    fail_msg("no %s", name);
    return 0;
}

static void check_dump(const struct cel__tree *t, const char *expected)
{
    struct cel__buf out = {0};

    assert_int_equal(cel__dump(t, 0, false, &out), 0);
    assert_string_equal(cel__buf_cstr(&out), expected);
    cel__buf_fini(&out);
}

/* ---- where things lie ---- */

static void parse_template_content_lies_behind_the_document(void **state)
{
    struct cel__tree t = parse("<body>a<template>b<i>c</i><template>d</template></template>e");
    uint32_t outer = find(&t, "template", 1), inner = find(&t, "template", 2);

    assert_true(outer < t.count && inner >= t.count);
    assert_int_equal(t.template_count, 2);
    CHECK_STR(cel__node_text(&t, 0), "ae");
    assert_int_equal(cel__node_first(&t, outer), 0);
    assert_int_equal(t.nodes[cel__tree_content(&t, outer)].kind, CEL__NODE_CONTENT);
    CHECK_STR(cel__node_text(&t, cel__tree_content(&t, outer)), "bc");
    CHECK_STR(cel__node_text(&t, cel__tree_content(&t, inner)), "d");
    assert_int_equal(cel__tree_content(&t, find(&t, "i", 1)), 0);
    cel__tree_fini(&t);
}

static void parse_text_before_a_table_is_read_before_it(void **state)
{
    struct cel__tree t = parse("<body><p>1</p><table><td>3<tr>2</table>4");

    CHECK_STR(cel__node_text(&t, 0), "1234");
    CHECK_STR(cel__node_text(&t, find(&t, "td", 1)), "3");
    assert_true(find(&t, "table", 1) < find(&t, "td", 1));
    cel__tree_fini(&t);
}

static void parse_text_that_comes_in_turns_is_one_node(void **state)
{
    struct cel__tree t = parse("<body><table>a<td>1</td>b<td>2</td>c</table>");

    check_dump(&t,
               "| <html>\n|   <head>\n|   <body>\n|     \"abc\"\n|     <table>\n|       <tbody>\n"
               "|         <tr>\n|           <td>\n|             \"1\"\n|           <td>\n"
               "|             \"2\"\n");
    cel__tree_fini(&t);
}

static void parse_late_class_of_body_counts_for_what_it_holds(void **state)
{
    struct cel__tree t = parse("<body class=a><p>x</p><body class=b id=late><b>y</b>");
    uint32_t body = find(&t, "body", 1);

    assert_true((t.marks[body] & cel__mark(cel__names_hash(CEL_LIT("late")))) != 0);
    assert_int_equal(t.nodes[body].attr_count, 2);
    cel__tree_fini(&t);
}

static void parse_fragment_lies_in_the_document_itself(void **state)
{
    enum cel__cut cut;
    struct cel__tree t = parse_with(
        "<td>1<td>2",
        &(struct cel__parse_options){.context = CEL_LIT("tr"), .context_ns = CEL__NS_HTML}, &cut);

    check_dump(&t, "| <td>\n|   \"1\"\n| <td>\n|   \"2\"\n");
    cel__tree_fini(&t);
}

static void parse_positions_are_those_of_tokens(void **state)
{
    enum cel__cut cut;
    struct cel__tree t = parse_with("<!DOCTYPE html><p>ab<table>c<td>d",
                                    &(struct cel__parse_options){.positions = true}, &cut);

    assert_int_equal(t.positions[find(&t, "html", 1)], 15);
    assert_int_equal(t.positions[find(&t, "p", 1)], 15);
    assert_int_equal(t.positions[find(&t, "table", 1)], 20);
    assert_int_equal(t.positions[find(&t, "td", 1)], 28);
    cel__tree_fini(&t);
}

static void parse_doctype_decides_the_mode(void **state)
{
    static const struct {
        const char *html;
        enum cel__quirks quirks;
    } cases[] = {
        {"<!DOCTYPE html>", CEL__QUIRKS_NONE},
        {"<p>", CEL__QUIRKS_FULL},
        {"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN' ''>", CEL__QUIRKS_LIMITED},
        {"<!DOCTYPE html PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN'>", CEL__QUIRKS_FULL},
        {"<!DOCTYPE html PUBLIC '-//w3c//dtd html 4.01 transitional//en' 'x'>",
         CEL__QUIRKS_LIMITED},
        {"<!DOCTYPE html PUBLIC 'html'>", CEL__QUIRKS_FULL},
        {"<!DOCTYPE x>", CEL__QUIRKS_FULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cel__tree t = parse(cases[i].html);

        if (t.quirks != cases[i].quirks)
            fail_msg("%s gives %d", cases[i].html, t.quirks);
        cel__tree_fini(&t);
    }
}

static void parse_doctype_keeps_its_identifiers(void **state)
{
    struct cel__tree t = parse("<!DOCTYPE html PUBLIC \"\" 'sys'>");

    assert_true(t.has_public_id && t.has_system_id);
    CHECK_STR(cel__attr_value(&t, &t.public_id), "");
    CHECK_STR(cel__attr_value(&t, &t.system_id), "sys");
    cel__tree_fini(&t);
}

/* ---- limits ---- */

static void expect_cut(const char *html, struct cel__tree_limits limits, enum cel__cut expected)
{
    enum cel__cut cut;
    struct cel__tree t = parse_with(html, &(struct cel__parse_options){.limits = limits}, &cut);

    if (cut != expected)
        fail_msg("%s is cut by %d", html, cut);
    assert_int_equal(t.nodes[0].end, t.count);
    cel__tree_fini(&t);
}

static void parse_limits_are_told(void **state)
{
    expect_cut("<a><b>", (struct cel__tree_limits){.depth = 4}, CEL__CUT_NONE);
    expect_cut("<a><b><i>", (struct cel__tree_limits){.depth = 4}, CEL__CUT_DEPTH);
    expect_cut("<p a b>", (struct cel__tree_limits){.attributes = 2}, CEL__CUT_NONE);
    expect_cut("<p a b c>", (struct cel__tree_limits){.attributes = 2}, CEL__CUT_ATTRIBUTES);
    expect_cut("<html a b><html c>", (struct cel__tree_limits){.attributes = 2},
               CEL__CUT_ATTRIBUTES);
    expect_cut("<p><p>", (struct cel__tree_limits){.nodes = 6}, CEL__CUT_NONE);
    expect_cut("<p><p><p>", (struct cel__tree_limits){.nodes = 6}, CEL__CUT_NODES);
    expect_cut("<abc abc=1234>", (struct cel__tree_limits){.name = 3, .value = 4}, CEL__CUT_NONE);
    expect_cut("<q-cd>", (struct cel__tree_limits){.name = 3}, CEL__CUT_LENGTH);
    expect_cut("<p q-cd>", (struct cel__tree_limits){.name = 3}, CEL__CUT_LENGTH);
    expect_cut("<p a=12345>", (struct cel__tree_limits){.value = 4}, CEL__CUT_LENGTH);
    expect_cut("<!--12345-->", (struct cel__tree_limits){.value = 4}, CEL__CUT_LENGTH);
    expect_cut("<q-1><q-2 q-1>", (struct cel__tree_limits){.names = 2}, CEL__CUT_NONE);
    expect_cut("<q-1><q-2><q-3>", (struct cel__tree_limits){.names = 2}, CEL__CUT_NAMES);
    expect_cut("0123456789", (struct cel__tree_limits){.bytes = 9}, CEL__CUT_MEMORY);
}

/* Each "</form>" takes a form out of the stack while its content stays in it: the tree grows
 * deeper than the stack. */
static void parse_tree_is_no_deeper_than_the_limit(void **state)
{
    struct cel__buf html = {0};
    enum cel__cut cut;
    struct cel__tree t;

    for (int i = 0; i < 200; i++)
        cel__buf_add_text(&html, "<div><form><p></form>");
    t = parse_with(cel__buf_cstr(&html), &(struct cel__parse_options){.limits = {.depth = 20}},
                   &cut);
    assert_int_equal(cut, CEL__CUT_DEPTH);
    for (uint32_t i = 1; i < t.count; i++) {
        int depth = 0;

        for (uint32_t k = i; k != 0; k = t.nodes[k].parent)
            depth++;
        assert_in_range(depth, 1, 21);
    }
    cel__tree_fini(&t);
    cel__buf_fini(&html);
}

static void parse_may_be_given_up(void **state)
{
    struct cel__parser *p;

    assert_int_equal(cel__parser_new(&p, &(struct cel__parse_options){0}), 0);
    assert_int_equal(cel__parser_feed(p, "<table>x<template><a b='", 24), 0);
    cel__parser_free(p);
    cel__parser_free(NULL);
}

/* ---- memory ---- */

static const char everything[] =
    "<!DOCTYPE html PUBLIC 'a' 'b'><body class=x><table>a&amp;<td>b<tr>c</table><a href='&lt;&gt;'>"
    "<p>1<b>2</a>3<template><x-own-name-of-some-length y-own=1><svg viewBox='0'><foreignObject>"
    "<p></svg></template><!-- \r -->\r\n<script><!-- <script> --></script><body id=z><p a b c d e f"
    " g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9><textarea>\n&notit;</textarea>";

static void ignore_error(void *arg, const struct cel__error *error)
{
}

static int parse_everything(void *arg)
{
    const struct cel__parse_options *options = arg;
    struct cel__parser *p;
    struct cel__tree tree;
    int r = cel__parser_new(&p, options);

    if (r < 0)
        return r;
    for (size_t at = 0; r == 0 && at < sizeof everything - 1; at += 7)
        r = cel__parser_feed(p, everything + at,
                             at + 7 < sizeof everything - 1 ? 7 : sizeof everything - 1 - at);
    if (r == 0)
        r = cel__parser_end(p, &tree, NULL);
    cel__parser_free(p);
    if (r == 0)
        cel__tree_fini(&tree);
    return r;
}

static void parse_out_of_memory_leaves_nothing(void **state)
{
    struct cel__parse_options plain = {.positions = true};
    struct cel__parse_options fragment = {
        .context = CEL_LIT("template"), .context_ns = CEL__NS_HTML, .error = ignore_error};

    assert_true(fault_every_alloc(parse_everything, &plain) > 20);
    assert_true(fault_every_alloc(parse_everything, &fragment) > 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_template_content_lies_behind_the_document),
        cmocka_unit_test(parse_text_before_a_table_is_read_before_it),
        cmocka_unit_test(parse_text_that_comes_in_turns_is_one_node),
        cmocka_unit_test(parse_late_class_of_body_counts_for_what_it_holds),
        cmocka_unit_test(parse_fragment_lies_in_the_document_itself),
        cmocka_unit_test(parse_positions_are_those_of_tokens),
        cmocka_unit_test(parse_doctype_decides_the_mode),
        cmocka_unit_test(parse_doctype_keeps_its_identifiers),
        cmocka_unit_test(parse_limits_are_told),
        cmocka_unit_test(parse_tree_is_no_deeper_than_the_limit),
        cmocka_unit_test(parse_may_be_given_up),
        cmocka_unit_test(parse_out_of_memory_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
