/* SPDX-License-Identifier: MIT */
/* The encoding cases of html5lib. Their question is what the standard's prescan and, where that
 * finds nothing, its default windows-1252 say; what our guess says of the bytes is no part of it.
 */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"
#include "base/str.h"
#include "html/encoding.h"
#include "html5lib.h"

static bool is_as_expected(const struct dat_case *c)
{
    struct cel_str page = *dat_section(c, "#data"), wanted = *dat_section(c, "#encoding");
    struct cel__buf bytes = {0};
    struct cel_html *doc;
    bool is_same;

    cel__buf_add_str(&bytes, page);
    cel__buf_add_text(&bytes, " \xff");
    assert_int_equal(cel_html_parse(&doc, bytes.ptr, bytes.len, NULL), 0);
    is_same = cel__encoding_find(wanted) == cel__encoding_find(cel__str(cel_html_charset(doc)));
    if (!is_same)
        printf("\nline %d: %s, not %.*s\n%.400s\n", c->line, cel_html_charset(doc), CEL_STR(wanted),
               page.ptr);
    cel_html_free(doc);
    cel__buf_fini(&bytes);
    return is_same;
}

static void encoding_file_gives_its_encodings(void **state)
{
    struct cel__buf bytes = {0};
    struct cel_str rest;
    struct dat_case c;
    int line = 1, failed = 0, ran = 0;

    suite_read(*state, &bytes);
    rest = cel__buf_str(&bytes);
    for (; dat_next(&rest, &line, &c); ran++)
        failed += !is_as_expected(&c);
    cel__buf_fini(&bytes);
    if (failed != 0)
        fail_msg("%d of %d fail", failed, ran);
    assert_true(ran != 0);
}

int main(void)
{
    struct CMUnitTest tests[16] = {0};
    char **files;
    size_t count = suite_files("encoding", ".dat", &files), used = 0;
    int r;

    for (size_t i = 0; i < count; i++)
        /* The one of "scripted" has its meta tag written by a script. */
        if (strstr(files[i], "/scripted/") == NULL)
            tests[used++] = (struct CMUnitTest){.name = strrchr(files[i], '/') + 1,
                                                .test_func = encoding_file_gives_its_encodings,
                                                .initial_state = files[i]};
    r = _cmocka_run_group_tests("encoding", tests, used, NULL, NULL);
    suite_files_free(files, count);
    return r;
}
