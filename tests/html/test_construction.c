/* SPDX-License-Identifier: MIT */
/* The tree construction cases of html5lib: each with scripting off, on or both, whole, cut at each
 * byte, and byte by byte; the trees are compared as text. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "html/tree_dump.h"
#include "html/parse.h"
#include "html5lib.h"

#define SHOWN 8 /* failures of a file that are told */

static void dump_of(struct cel_str input, size_t cut, const struct cel__parse_options *options,
                    struct cel__buf *out)
{
    struct cel__parser *p;
    struct cel__tree tree;
    enum cel__cut limit;

    assert_int_equal(cel__parser_new(&p, options), 0);
    suite_feed(p, input, cut);
    assert_int_equal(cel__parser_end(p, &tree, &limit), 0);
    cel__parser_free(p);
    assert_int_equal(limit, CEL__CUT_NONE);
    assert_int_equal(cel__dump(&tree, 0, false, out), 0);
    cel__tree_fini(&tree);
}

/* -> 1 when some cut gave another tree. */
static int run_mode(const struct dat_case *c, const struct cel__parse_options *options,
                    bool is_told)
{
    struct cel_str input = *dat_section(c, "#data"), wanted = *dat_section(c, "#document");

    /* Cases stand apart by an empty line, which a text at the end can hold itself. */
    while (wanted.len != 0 && wanted.ptr[wanted.len - 1] == '\n')
        wanted.len--;
    for (size_t cut = 0; cut <= input.len + 1; cut++) {
        struct cel__buf out = {0};
        struct cel_str got;
        bool is_same;

        dump_of(input, cut, options, &out);
        got = cel__buf_str(&out);
        while (got.len != 0 && got.ptr[got.len - 1] == '\n')
            got.len--;
        is_same = cel__str_eq(got, wanted);
        if (!is_same && is_told)
            printf(
                "\nline %d, scripting %s, cut %zu of %zu%s%.*s\n--- input\n%.*s\n--- expected\n%.*s"
                "\n--- got\n%.*s\n",
                c->line, options->scripting ? "on" : "off", cut, input.len,
                options->context.ptr != NULL ? ", in " : "", CEL_STR(options->context),
                CEL_STR(input), CEL_STR(wanted), CEL_STR(got));
        cel__buf_fini(&out);
        if (!is_same)
            return 1;
    }
    return 0;
}

static int run_case(const struct dat_case *c, int *ran, int failed)
{
    const struct cel_str *context = dat_section(c, "#document-fragment");
    bool is_off_only = dat_section(c, "#script-off") != NULL;
    bool is_on_only = dat_section(c, "#script-on") != NULL;
    struct cel__parse_options options = {.context_ns = CEL__NS_HTML};
    int before = failed;

    if (context != NULL)
        suite_context(&options, *context);
    for (int on = 0; on <= 1; on++) {
        if (on ? is_off_only : is_on_only)
            continue;
        options.scripting = on;
        failed += run_mode(c, &options, failed < SHOWN);
        ++*ran;
    }
    return failed - before;
}

static void construction_file_gives_its_trees(void **state)
{
    struct cel__buf bytes = {0};
    struct cel_str rest;
    struct dat_case c;
    int line = 1, failed = 0, ran = 0;

    suite_read(*state, &bytes);
    rest = cel__buf_str(&bytes);
    while (dat_next(&rest, &line, &c))
        failed += run_case(&c, &ran, failed);
    cel__buf_fini(&bytes);
    if (failed != 0)
        fail_msg("%d of %d fail", failed, ran);
    assert_true(ran != 0);
}

int main(void)
{
    struct CMUnitTest tests[128] = {0};
    char **files;
    size_t count = suite_files("tree-construction", ".dat", &files), used = 0;
    int r;

    assert_true(count <= sizeof tests / sizeof *tests);
    for (size_t i = 0; i < count; i++)
        /* Those of a folder "scripted" run their scripts, which is no parser's work. */
        if (strstr(files[i], "/scripted/") == NULL)
            tests[used++] = (struct CMUnitTest){.name = strrchr(files[i], '/') + 1,
                                                .test_func = construction_file_gives_its_trees,
                                                .initial_state = files[i]};
    r = _cmocka_run_group_tests("construction", tests, used, NULL, NULL);
    suite_files_free(files, count);
    return r;
}
