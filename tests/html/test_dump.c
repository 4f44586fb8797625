/* SPDX-License-Identifier: MIT */
/* The tree as text, and what else a program that looks at a page's making asks for: fragments,
 * scripting, positions, mistakes. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"
#include "support/fault.h"

static void check_dump(const char *page, const struct cel_html_options *options, const char *wanted)
{
    struct cel_html *doc;
    size_t len;
    char *text;

    assert_int_equal(cel_html_parse(&doc, page, strlen(page), options), 0);
    text = cel_html_dump(doc, &len);
    assert_non_null(text);
    assert_int_equal(len, strlen(text));
    assert_string_equal(text, wanted);
    cel_html_text_free(text);
    cel_html_free(doc);
}

static void dump_of_each_kind_of_node(void **state)
{
    check_dump(
        "<!DOCTYPE a PUBLIC 'b' \"c\"><!-- d --><html e=f b=g><head></head>h&amp;i<br></html>",
        NULL,
        "| <!DOCTYPE a \"b\" \"c\">\n"
        "| <!--  d  -->\n"
        "| <html>\n"
        "|   b=\"g\"\n"
        "|   e=\"f\"\n"
        "|   <head>\n"
        "|   <body>\n"
        "|     \"h&i\"\n"
        "|     <br>\n");
}

static void dump_of_foreign_names_tells_whose_they_are(void **state)
{
    check_dump("<svg viewbox=1 xlink:href=2 xml:lang=3><path></svg><math definitionurl=4>",
               &(struct cel_html_options){.fragment = "div"},
               "| <svg svg>\n"
               "|   viewBox=\"1\"\n"
               "|   xlink href=\"2\"\n"
               "|   xml lang=\"3\"\n"
               "|   <svg path>\n"
               "| <math math>\n"
               "|   definitionURL=\"4\"\n");
}

static void dump_of_templates_goes_into_their_content(void **state)
{
    check_dump("<template>a<template><b>c</b></template></template>d<template></template>",
               &(struct cel_html_options){.fragment = "body"},
               "| <template>\n"
               "|   content\n"
               "|     \"a\"\n"
               "|     <template>\n"
               "|       content\n"
               "|         <b>\n"
               "|           \"c\"\n"
               "| \"d\"\n"
               "| <template>\n"
               "|   content\n");
}

static void dump_of_names_sorts_as_utf_16_does(void **state)
{
    check_dump("<p \360\220\200\200=1 \357\277\275=2 z=3>",
               &(struct cel_html_options){.fragment = "p"},
               "| <p>\n"
               "|   z=\"3\"\n"
               "|   \360\220\200\200=\"1\"\n"
               "|   \357\277\275=\"2\"\n");
}

static void dump_with_positions_tells_where_nodes_began(void **state)
{
    check_dump("<p>a<i>b</i>\n<!--c-->",
               &(struct cel_html_options){.fragment = "body", .positions = true},
               "       0 | <p>\n"
               "       3 |   \"a\"\n"
               "       4 |   <i>\n"
               "       7 |     \"b\"\n"
               "      12 |   \"\n\"\n"
               "      13 |   <!-- c -->\n");
}

static void dump_of_a_fragment_stands_in_its_context(void **state)
{
    check_dump("<td>a", &(struct cel_html_options){.fragment = "tr"}, "| <td>\n|   \"a\"\n");
    check_dump("<td>a", &(struct cel_html_options){.fragment = "div"}, "| \"a\"\n");
    check_dump("<b>", &(struct cel_html_options){.fragment = "title"}, "| \"<b>\"\n");
    check_dump("<mi>", &(struct cel_html_options){.fragment = "math mi"}, "| <mi>\n");
    check_dump("<g/>", &(struct cel_html_options){.fragment = "svg g"}, "| <svg g>\n");
    check_dump("", &(struct cel_html_options){.fragment = "p"}, "");
}

static void dump_with_scripting_takes_noscript_for_text(void **state)
{
    check_dump("<noscript><b></noscript>", &(struct cel_html_options){.fragment = "div"},
               "| <noscript>\n|   <b>\n");
    check_dump("<noscript><b></noscript>",
               &(struct cel_html_options){.fragment = "div", .scripting = true},
               "| <noscript>\n|   \"<b>\"\n");
}

static void note_error(void *arg, const struct cel_html_error *error)
{
    cel__buf_printf(arg, "%u:%u @%u %s", error->line, error->column, (unsigned)error->offset,
                    error->code);
    if (error->element.len != 0)
        cel__buf_printf(arg, " (%.*s)", CEL_STR(error->element));
    cel__buf_add_char(arg, '\n');
}

static void check_errors(const char *page, const char *charset, const char *wanted)
{
    struct cel__buf told = {0};
    struct cel_html_options options = {.charset = charset, .error = note_error, .error_arg = &told};
    struct cel_html *doc;

    assert_int_equal(cel_html_parse(&doc, page, strlen(page), &options), 0);
    assert_string_equal(cel__buf_cstr(&told), wanted);
    cel__buf_fini(&told);
    cel_html_free(doc);
}

static void errors_are_told_in_their_order(void **state)
{
    check_errors("<p>\n\303\251<a b b>&#0;</a c>", NULL,
                 "1:1 @0 expected-doctype-but-got-start-tag (p)\n"
                 "2:8 @12 duplicate-attribute\n"
                 "2:13 @17 null-character-reference\n"
                 "2:18 @22 end-tag-with-attributes\n");
    check_errors("<!doctype html>fine", NULL, "");
}

static void error_of_elements_tells_which(void **state)
{
    check_errors("<!doctype html><p><b>\n<div/></p></i><script>", NULL,
                 "2:1 @22 missing-end-tag (b)\n"
                 "2:1 @22 non-void-html-element-start-tag-with-trailing-solidus (div)\n"
                 "2:7 @28 unexpected-end-tag (p)\n"
                 "2:11 @32 unexpected-end-tag (i)\n"
                 "2:23 @44 expected-named-closing-tag-but-got-eof (script)\n"
                 "2:23 @44 expected-closing-tag-but-got-eof (div)\n");
    check_errors("<!doctype html><svg><g></svg></xY>", NULL,
                 "1:24 @23 unexpected-end-tag (svg)\n1:30 @29 unexpected-end-tag (xy)\n");
}

static void error_of_an_option_in_an_option_is_told(void **state)
{
    static const char told[] = "1:35 @34 unexpected-start-tag-in-select";
    static const char *const tags[] = {"option", "optgroup", "hr"};
    char page[200], wanted[200];

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        snprintf(page, sizeof page, "<!doctype html><select><option><b><%s></select>", tags[i]);
        snprintf(wanted, sizeof wanted, "%s (%s)\n1:%zu @%zu end-tag-too-early (select)\n", told,
                 tags[i], strlen(tags[i]) + 37, strlen(tags[i]) + 36);
        check_errors(page, NULL, wanted);
    }
    check_errors("<!doctype html><select><option><option><optgroup><hr></select>", NULL, "");
}

static void error_of_text_in_a_table_is_one_of_each_character(void **state)
{
    check_errors("<!doctype html><table> \303\251&#32;x<tr> <td> y", NULL,
                 "1:24 @23 foster-parenting-character\n" /* of the blank before */
                 "1:24 @23 foster-parenting-character\n"
                 "1:25 @25 foster-parenting-character\n"
                 "1:30 @30 foster-parenting-character\n"
                 "1:42 @42 eof-in-table (table)\n");
    check_errors("<!doctype html><table> \n <!--x--> \n</table>", NULL, "");
}

static void errors_are_told_once_when_the_page_is_read_again(void **state)
{
    static const char wanted[] = "1:2004 @2003 expected-doctype-but-got-start-tag (meta)\n"
                                 "1:2031 @2030 duplicate-attribute\n";
    static char page[3000];

    memset(page, ' ', sizeof page - 1);
    memcpy(page, "<!--", 4);
    memcpy(page + 2000, "--><meta charset=koi8-r><p a a>\xf6", 32);
    check_errors(page, NULL, wanted);
    check_errors(page, "latin1", wanted);
}

static void charset_of_a_late_meta_element_is_taken(void **state)
{
    static char page[3000];
    struct cel_html *doc;

    memset(page, 'x', sizeof page - 1);
    memcpy(page, "<!--", 4);
    memcpy(page + 2000, "--><meta charset=koi8-r><p>\xf6<!--", 32);
    assert_int_equal(cel_html_parse(&doc, page, strlen(page), NULL), 0);
    assert_string_equal(cel_html_charset(doc), "KOI8-R");
    CHECK_STR(cel_node_text(cel_html_root(doc)), "\320\226");
    cel_html_free(doc);
}

static int dump_once(void *arg)
{
    static const char page[] = "<p a=1 b=2><template>c<template>d</template></template>";
    struct cel_html_options options = {.positions = true};
    struct cel_html *doc;
    char *text;
    int r = cel_html_parse(&doc, page, sizeof page - 1, &options);

    if (r < 0)
        return r;
    text = cel_html_dump(doc, NULL);
    r = text != NULL ? 0 : -1;
    cel_html_text_free(text);
    cel_html_free(doc);
    return r;
}

static void dump_without_memory_says_so(void **state)
{
    assert_true(fault_every_alloc(dump_once, NULL) > 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump_of_each_kind_of_node),
        cmocka_unit_test(dump_of_foreign_names_tells_whose_they_are),
        cmocka_unit_test(dump_of_templates_goes_into_their_content),
        cmocka_unit_test(dump_of_names_sorts_as_utf_16_does),
        cmocka_unit_test(dump_with_positions_tells_where_nodes_began),
        cmocka_unit_test(dump_of_a_fragment_stands_in_its_context),
        cmocka_unit_test(dump_with_scripting_takes_noscript_for_text),
        cmocka_unit_test(errors_are_told_in_their_order),
        cmocka_unit_test(error_of_elements_tells_which),
        cmocka_unit_test(error_of_an_option_in_an_option_is_told),
        cmocka_unit_test(error_of_text_in_a_table_is_one_of_each_character),
        cmocka_unit_test(errors_are_told_once_when_the_page_is_read_again),
        cmocka_unit_test(charset_of_a_late_meta_element_is_taken),
        cmocka_unit_test(dump_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
