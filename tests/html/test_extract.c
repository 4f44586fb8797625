/* SPDX-License-Identifier: MIT */
/* Fields to items, the command line's spelling of fields, JSON. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"

static const char post[] =
    "<!DOCTYPE html><html><head><title>Blog</title><script>var p = "
    "'<p>no</p>';</script></head><body>"
    "<h1 class='post-title big'>\n  Greenlets &amp; <em>friends</em>\n</h1>"
    "<div class=post-meta>by <a class='author-name' href='/ann'> Ann </a>"
    "<time class=post-date datetime='2024-03-01T10:00'>March</time></div>"
    "<div class=post-content><p> One </p><blockquote><p>quoted</p></blockquote>"
    "<p>Two <b>bold</b><script>x()</script></p><p></p></div>"
    "<p class=post-title>second title</p></body></html>";

static const struct cel_field article[] = {
    {"title", ".post-title"},
    {"content", ".post-content > p", .join = "\n"},
    {"author", ".author-name"},
    {"date", ".post-date", .attr = "datetime"},
    {0},
};

static struct cel_html *parse(const char *html, enum cel_html_parser parser)
{
    struct cel_html *doc;

    assert_int_equal(
        cel_html_parse(&doc, html, strlen(html), &(struct cel_html_options){.parser = parser}), 0);
    return doc;
}

/* The JSON of a page's fields. */
static void check_json(const char *html, const struct cel_field *fields, const char *expected)
{
    struct cel_html *doc = parse(html, CEL_HTML_HTML5);
    struct cel_item *item = cel_extract(doc, fields);
    size_t len;

    assert_non_null(item);
    cel_html_free(doc); /* the item outlives the page */
    assert_string_equal(cel_item_json(item, &len), expected);
    assert_int_equal(len, strlen(expected));
    assert_string_equal(cel_item_json(item, NULL), expected);
    cel_item_free(item);
}

/* The JSON of one field that is spelled as on the command line. */
static void check_spec(const char *html, const char *spec, const char *join, const char *expected)
{
    struct cel_html *doc = parse(html, CEL_HTML_HTML5);
    struct cel_fields *fields;
    struct cel_item *item;
    struct cel_error error;

    assert_int_equal(cel_fields_new(&fields, NULL, NULL), 0);
    if (cel_fields_add_spec(fields, spec, join, &error) < 0)
        fail_msg("%s: %s", spec, error.text);
    assert_int_equal(cel_fields_extract(fields, doc, &item), 0);
    cel_fields_free(fields);
    cel_html_free(doc);
    if (strcmp(cel_item_json(item, NULL), expected) != 0)
        fail_msg("%s gives %s, not %s", spec, cel_item_json(item, NULL), expected);
    cel_item_free(item);
}

static void refuse_spec(const char *spec, int code, const char *cause)
{
    struct cel_fields *fields;
    struct cel_error error;

    assert_int_equal(cel_fields_new(&fields, NULL, NULL), 0);
    assert_int_equal(cel_fields_add_spec(fields, spec, NULL, &error), code);
    if (strstr(error.text, cause) == NULL)
        fail_msg("%s says \"%s\"", spec, error.text);
    assert_int_equal(error.code, code);
    assert_int_equal(cel_fields_count(fields), 0);
    cel_fields_free(fields);
}

static void fields_tell_what_they_were_made_of(void **state)
{
    struct cel_fields *fields;

    assert_int_equal(cel_fields_new(&fields, NULL, NULL), 0);
    assert_int_equal(cel_fields_add_spec(fields, "a[]=p > a @href ", NULL, NULL), 0);
    assert_int_equal(cel_fields_add_spec(fields, "b=p::attr(x)", NULL, NULL), 0);
    assert_int_equal(cel_fields_count(fields), 2);
    assert_string_equal(cel_fields_name(fields, 0), "a");
    assert_string_equal(cel_fields_css(fields, 0), "p > a");
    assert_string_equal(cel_fields_attr(fields, 0), "href");
    assert_string_equal(cel_fields_css(fields, 1), "p::attr(x)");
    assert_null(cel_fields_attr(fields, 1));
    cel_fields_free(fields);
}

static void extract_article_gives_its_four_fields(void **state)
{
    for (int parser = CEL_HTML_HTML5; parser <= CEL_HTML_LIBXML2; parser++) {
        struct cel_html *doc = parse(post, (enum cel_html_parser)parser);
        struct cel_item *item = cel_extract(doc, article);

        assert_non_null(item);
        CHECK_STR(cel_item_get(item, "title"), "Greenlets & friends");
        CHECK_STR(cel_item_get(item, "content"), "One\nTwo bold\n");
        CHECK_STR(cel_item_get(item, "author"), "Ann");
        CHECK_STR(cel_item_get(item, "date"), "2024-03-01T10:00");
        assert_string_equal(cel_item_get(item, "author").ptr, "Ann");
        assert_null(cel_item_get(item, "other").ptr);
        cel_item_free(item);
        cel_html_free(doc);
    }
}

static void extract_missing_fields_are_null(void **state)
{
    check_json("<p>nothing here", article,
               "{\"title\":null,\"content\":null,\"author\":null,\"date\":null}");
    check_json("", article, "{\"title\":null,\"content\":null,\"author\":null,\"date\":null}");
}

static void extract_empty_text_is_a_value(void **state)
{
    check_json("<h1 class=post-title> </h1><i class=post-date datetime>", article,
               "{\"title\":\"\",\"content\":null,\"author\":null,\"date\":\"\"}");
}

static void extract_match_without_the_attribute_is_passed_over(void **state)
{
    check_json("<i class=post-date>x</i><b class=post-date datetime=y>", article,
               "{\"title\":null,\"content\":null,\"author\":null,\"date\":\"y\"}");
}

static void extract_lists_keep_document_order(void **state)
{
    static const struct cel_field fields[] = {
        {"all", "p, b", .is_list = true},
        {"none", "table", .is_list = true},
        {"links", "a", .attr = "href", .is_list = true},
        {0},
    };

    check_json("<b>1</b><p>2</p><a href=x></a><a></a><b>3</b><a href=''>", fields,
               "{\"all\":[\"1\",\"2\",\"3\"],\"none\":[],\"links\":[\"x\",\"\"]}");
}

static void extract_no_fields_is_an_empty_item(void **state)
{
    check_json(post, &(struct cel_field){0}, "{}");
}

static void extract_strips_blanks_of_unicode(void **state)
{
    static const struct cel_field fields[] = {{"p", "p"}, {0}};

    check_json("<p>\xc2\xa0\xe3\x80\x80 \xe2\x80\x83x\xc2\xa0y\xe2\x80\xa8\xc2\x85\n</p>", fields,
               "{\"p\":\"x\xc2\xa0y\"}");
    check_json("<p>\xe2\x80\x8bx</p>", fields, "{\"p\":\"\xe2\x80\x8bx\"}");
    check_json("<p>\xc2\xa0</p>", fields, "{\"p\":\"\"}");
}

static void extract_item_tells_kinds_and_values(void **state)
{
    static const struct cel_field fields[] = {
        {"a", "i"}, {"b", "i", .is_list = true}, {"c", "table"}, {0}};
    struct cel_html *doc = parse("<i>1</i><i>2</i>", CEL_HTML_HTML5);
    struct cel_item *item = cel_extract(doc, fields);

    assert_int_equal(cel_item_count(item), 3);
    assert_string_equal(cel_item_name(item, 1), "b");
    assert_int_equal(cel_item_kind(item, 0), CEL_ITEM_STRING);
    assert_int_equal(cel_item_kind(item, 1), CEL_ITEM_LIST);
    assert_int_equal(cel_item_kind(item, 2), CEL_ITEM_MISSING);
    assert_int_equal(cel_item_values(item, 1), 2);
    CHECK_STR(cel_item_value(item, 1, 1), "2");
    assert_null(cel_item_value(item, 1, 2).ptr);
    assert_null(cel_item_value(item, 2, 0).ptr);
    assert_null(cel_item_value(item, 3, 0).ptr);
    cel_item_free(item);
    cel_html_free(doc);
}

static void keep_line(enum cel_log_level level, const char *line, void *arg)
{
    snprintf(arg, 256, "%s", line);
}

static void extract_wrong_selector_is_null_and_named(void **state)
{
    static const struct cel_field fields[] = {{"ok", "p"}, {"bad", "p >"}, {0}};
    struct cel_html *doc = parse("<p>x", CEL_HTML_HTML5);
    struct cel_fields *set = NULL;
    struct cel_error error;
    char said[256] = "";

    assert_null(cel_extract(NULL, article));
    cel_set_log(keep_line, said);
    assert_null(cel_extract(doc, fields));
    cel_set_log(NULL, NULL);
    assert_non_null(strstr(said, "'bad': column 4"));
    assert_int_equal(cel_fields_new(&set, fields, &error), -CEL_ESELECTOR);
    assert_non_null(strstr(error.text, "'bad'"));
    assert_non_null(strstr(error.text, "column 4"));
    assert_null(set);
    cel_html_free(doc);
}

static void extract_name_twice_is_refused(void **state)
{
    static const struct cel_field fields[] = {{"a", "p"}, {"a", "b"}, {0}};
    struct cel_fields *set;

    assert_int_equal(cel_fields_new(&set, fields, NULL), -EEXIST);
}

static void extract_beyond_budget_is_too_large(void **state)
{
    static const struct cel_field fields[] = {{"a", "p:has(~ b ~ i)"}, {0}};
    struct cel__buf page = {0};
    struct cel_fields *set;
    struct cel_html *doc;
    struct cel_item *item;

    for (int i = 0; i < 15000; i++)
        cel__buf_add_text(&page, "<p></p><b></b>");
    doc = parse(cel__buf_cstr(&page), CEL_HTML_HTML5);
    cel__buf_fini(&page);
    assert_int_equal(cel_fields_new(&set, fields, NULL), 0);
    assert_int_equal(cel_fields_extract(set, doc, &item), -CEL_ETOOLARGE);
    cel_fields_free(set);
    cel_html_free(doc);
}

static void spec_forms_are_read(void **state)
{
    static const char page[] = "<a id=1 href='u' title='a@b'>x <b>y</b> z</a><a id=2>w</a>";

    check_spec(page, "t=a", NULL, "{\"t\":\"x y z\"}");
    check_spec(page, " t = a ", NULL, "{\"t\":\"x y z\"}");
    check_spec(page, "t[]=a", NULL, "{\"t\":[\"x y z\",\"w\"]}");
    check_spec(page, "t[]=a", "|", "{\"t\":\"x y z|w\"}");
    check_spec(page, "t=a", "|", "{\"t\":\"x y z\"}");
    check_spec(page, "t=a@href", NULL, "{\"t\":\"u\"}");
    check_spec(page, "t=a @ href", NULL, "{\"t\":\"u\"}");
    check_spec(page, "t[]=a@id", NULL, "{\"t\":[\"1\",\"2\"]}");
    check_spec(page, "t=a[title='a@b']", NULL, "{\"t\":\"x y z\"}");
    check_spec(page, "t=a[title=\"a@b\"]@id", NULL, "{\"t\":\"1\"}");
    check_spec(page, "t=a[title=a\\@b]@id", NULL, "{\"t\":\"1\"}");
    check_spec(page, "t=a:not([title*='@'])", NULL, "{\"t\":\"w\"}");
    check_spec(page, "t=a[title='a]@b']", NULL, "{\"t\":null}");
    check_spec(page, "t=a::text", NULL, "{\"t\":\"x  z\"}");
    check_spec(page, "t=a::attr(href)", NULL, "{\"t\":\"u\"}");
    check_spec(page, "t[]=a::attr(title), b::text", NULL, "{\"t\":[\"a@b\",\"y\"]}");
    check_spec(page, "t=b::html", NULL, "{\"t\":\"<b>y</b>\"}");
    check_spec(page, "t=a::inner-html", NULL, "{\"t\":\"x <b>y</b> z\"}");
    check_spec(page, "t.x-y=a[id='2']", NULL, "{\"t.x-y\":\"w\"}");
    check_spec(page, "t=a[href=u]", NULL, "{\"t\":\"x y z\"}");
}

static void spec_wrong_forms_are_refused(void **state)
{
    refuse_spec("title", -EINVAL, "NAME=CSS");
    refuse_spec("", -EINVAL, "NAME=CSS");
    refuse_spec("=p", -EINVAL, "name before");
    refuse_spec("[]=p", -EINVAL, "name before");
    refuse_spec("t=p@", -EINVAL, "attribute");
    refuse_spec("t=p@a b", -EINVAL, "attribute");
    refuse_spec("t=", -CEL_ESELECTOR, "column 1");
    refuse_spec("t=@href", -CEL_ESELECTOR, "column 1");
    refuse_spec("t=p:foo", -CEL_ESELECTOR, "'t': column 3");
}

static void json_escapes_what_must_be(void **state)
{
    static const struct cel_field fields[] = {{"a\"b\\\n\x01\xff", "p"}, {0}};

    check_json(
        "<p>q\"b\\s/\x01\x1f\x7f\tt\nn\r\ff\bz\xc3\xa9\xf0\x9f\x98\x80</p>", fields,
        "{\"a\\\"b\\\\\\n\\u0001\357\277\275\":\"q\\\"b\\\\s/\\u0001\\u001f\x7f\\tt\\nn\\n\\ff"
        "\\bz\303\251\360\237\230\200\"}");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_tell_what_they_were_made_of),
        cmocka_unit_test(extract_article_gives_its_four_fields),
        cmocka_unit_test(extract_missing_fields_are_null),
        cmocka_unit_test(extract_empty_text_is_a_value),
        cmocka_unit_test(extract_match_without_the_attribute_is_passed_over),
        cmocka_unit_test(extract_lists_keep_document_order),
        cmocka_unit_test(extract_no_fields_is_an_empty_item),
        cmocka_unit_test(extract_strips_blanks_of_unicode),
        cmocka_unit_test(extract_item_tells_kinds_and_values),
        cmocka_unit_test(extract_wrong_selector_is_null_and_named),
        cmocka_unit_test(extract_name_twice_is_refused),
        cmocka_unit_test(extract_beyond_budget_is_too_large),
        cmocka_unit_test(spec_forms_are_read),
        cmocka_unit_test(spec_wrong_forms_are_refused),
        cmocka_unit_test(json_escapes_what_must_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
