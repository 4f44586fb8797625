/* SPDX-License-Identifier: MIT */
/* libceladon-html does its work without the runtime, and without what the runtime needs. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include <celadon/html.h>

static void html_alone_parses_selects_and_extracts(void **state)
{
    static const char page[] = "<title>\310</title><p class=a>1<p class=a>2";
    static const struct cel_field fields[] = {
        {.name = "title", .css = "title"}, {.name = "a", .css = ".a", .is_list = true}, {0}};
    struct cel_html *doc;
    struct cel_item *item;

    assert_int_equal(cel_html_parse(&doc, page, sizeof page - 1, NULL), 0);
    assert_string_equal(cel_html_charset(doc), "windows-1252");
    item = cel_extract(doc, fields);
    assert_non_null(item);
    assert_string_equal(cel_item_json(item, NULL), "{\"title\":\"\303\210\",\"a\":[\"1\",\"2\"]}");
    cel_item_free(item);
    cel_html_free(doc);
}

static void html_alone_loads_no_runtime(void **state)
{
    static const char *const others[] = {"libceladon.so", "libssl", "libcares", "libmodest"};
    FILE *maps = fopen("/proc/self/maps", "r");
    bool has_own = false;
    char line[4096];

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        has_own = has_own || strstr(line, "libceladon-html.so") != NULL;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (strstr(line, others[i]) != NULL)
                fail_msg("%s", line);
    }
    fclose(maps);
    assert_true(has_own);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_alone_parses_selects_and_extracts),
        cmocka_unit_test(html_alone_loads_no_runtime),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
