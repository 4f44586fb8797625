/* SPDX-License-Identifier: MIT */
/* Errors by the tree construction cases of html5lib: as many as a case lists, those that have codes
 * in the standard where it says, others in the token that it says, and the same however the input
 * is cut. Cases name their errors freely ("it doesn't matter what those lines are"), so names are
 * compared only where they are the standard's. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "html/parse.h"
#include "html5lib.h"

/* Cases that list another number than the standard's rules give; every other case agrees. */
static const struct difference {
    const char *file;
    int line;
    size_t listed;
    size_t ours;
} differences[] = {
    /* "in table", an end tag "table": no error for what is still open in it. */
    {"adoption02.dat", 41, 5, 4},
    /* Foreign content, any other end tag: an error for the name that differs, then the token goes
     * to the rules of the mode, which have an error for it once more. */
    {"foreign-fragment.dat", 32, 2, 3},
    {"math.dat", 67, 3, 4},
    {"math.dat", 80, 3, 4},
    {"math.dat", 93, 3, 4},
    {"svg.dat", 67, 3, 4},
    {"svg.dat", 80, 3, 4},
    {"svg.dat", 93, 3, 4},
};

/* Positions that the cases have at all, as "(line,column): ", and what agrees with them. */
#define POSITIONS_AGREE 2163

static size_t positions, positions_agree, cases, cases_differ;
static bool is_seen[CEL__PARSE_ERROR_COUNT];

struct told {
    struct cel__buf text; /* a line each */
    struct cel__buf at;   /* uint64_t offsets */
    size_t count;
};

static void tell(void *arg, const struct cel__error *error)
{
    struct told *told = arg;
    uint64_t last = 0;

    if (told->count != 0)
        memcpy(&last, told->at.ptr + told->at.len - sizeof last, sizeof last);
    assert_true(error->at >= last);
    cel__buf_add(&told->at, &error->at, sizeof error->at);
    cel__buf_printf(&told->text, "(%u:%u) %s\n", error->line, error->column,
                    cel__parse_error_text(error->code));
    told->count++;
    is_seen[error->code] = true;
}

static void told_fini(struct told *told)
{
    cel__buf_fini(&told->text);
    cel__buf_fini(&told->at);
}

static struct told errors_of(struct cel_str input, size_t cut, struct cel__parse_options options)
{
    struct told told = {0};
    struct cel__parser *p;
    struct cel__tree tree;

    options.error = tell;
    options.error_arg = &told;
    assert_int_equal(cel__parser_new(&p, &options), 0);
    suite_feed(p, input, cut);
    assert_int_equal(cel__parser_end(p, &tree, NULL), 0);
    cel__parser_free(p);
    cel__tree_fini(&tree);
    return told;
}

static void check_cuts(struct cel_str input, const struct cel__parse_options *options,
                       const struct told *whole, int line)
{
    for (size_t cut = 1; cut <= input.len + 1; cut++) {
        struct told told = errors_of(input, cut, *options);

        if (!cel__str_eq(cel__buf_str(&told.text), cel__buf_str(&whole->text)))
            fail_msg("line %d, cut %zu: got\n%.*sinstead of\n%.*s", line, cut,
                     CEL_STR(cel__buf_str(&told.text)), CEL_STR(cel__buf_str(&whole->text)));
        told_fini(&told);
    }
}

/* -> whether the list has the line; *from is behind it then. */
static bool has_line(struct cel_str *from, struct cel_str wanted)
{
    struct cel_str line;

    while (cel__str_split(from, '\n', &line))
        if (cel__str_eq(line, wanted))
            return true;
    return false;
}

/* "#new-errors" are those with the standard's codes, each with its place, in their order. */
static void check_codes(const struct dat_case *c, const struct told *told)
{
    const struct cel_str *fresh = dat_section(c, "#new-errors");
    struct cel_str rest = fresh != NULL ? *fresh : CEL_LIT(""), line;

    while (rest.len != 0 && cel__str_split(&rest, '\n', &line)) {
        struct cel_str ours = cel__buf_str(&told->text);
        const char *dash = memchr(line.ptr, '-', line.len), *end = memchr(line.ptr, ')', line.len);
        char wanted[200];

        /* "(1:44-1:49) code": where it was noticed, and where its token ends. */
        assert_non_null(end);
        if (dash == NULL || dash > end)
            dash = end;
        snprintf(wanted, sizeof wanted, "%.*s%.*s", (int)(dash - line.ptr), line.ptr,
                 (int)(line.ptr + line.len - end), end);
        if (!has_line(&ours, cel__str(wanted)))
            fail_msg("line %d: no %s in\n%.*s", c->line, wanted,
                     CEL_STR(cel__buf_str(&told->text)));
    }
}

/* Column of the last character of the token at an offset in a page of one line; 0: cannot tell. */
static size_t last_column(struct cel_str input, uint64_t at)
{
    const char *end = at < input.len ? memchr(input.ptr + at, '>', input.len - at) : NULL;

    if (at >= input.len)
        return input.len;
    if (input.ptr[at] != '<')
        return at + 1;
    return end != NULL ? (size_t)(end + 1 - input.ptr) : 0;
}

/* "(1,17): code" is where the token ended in which the error was; ours are where it began. */
static void count_positions(struct cel_str input, struct cel_str listed, const struct told *told)
{
    struct cel_str line;

    if (memchr(input.ptr, '\n', input.len) != NULL)
        return;
    for (size_t i = 0; i < told->count && cel__str_split(&listed, '\n', &line); i++) {
        unsigned row, column;
        uint64_t at;
        char text[32];

        snprintf(text, sizeof text, "%.*s", CEL_STR(line));
        if (sscanf(text, "(%u,%u): ", &row, &column) != 2)
            continue;
        memcpy(&at, told->at.ptr + i * sizeof at, sizeof at);
        positions++;
        positions_agree += last_column(input, at) == column;
    }
}

static size_t lines_of(struct cel_str text)
{
    size_t n = text.len != 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

static const struct difference *difference_of(const char *path, int line)
{
    const char *file = strrchr(path, '/') + 1;

    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (differences[i].line == line && strcmp(differences[i].file, file) == 0)
            return &differences[i];
    return NULL;
}

static void check_case(const char *path, const struct dat_case *c, bool scripting)
{
    struct cel__parse_options options = {.context_ns = CEL__NS_HTML, .scripting = scripting};
    const struct cel_str *context = dat_section(c, "#document-fragment");
    struct cel_str input = *dat_section(c, "#data"), listed = *dat_section(c, "#errors");
    const struct difference *d = difference_of(path, c->line);
    struct told told;

    if (context != NULL)
        suite_context(&options, *context);
    told = errors_of(input, 0, options);
    if (d != NULL)
        assert_int_equal(lines_of(listed), d->listed);
    if (told.count != (d != NULL ? d->ours : lines_of(listed)))
        fail_msg("line %d: listed are\n%.*s\ntold are\n%.*s", c->line, CEL_STR(listed),
                 CEL_STR(cel__buf_str(&told.text)));
    check_codes(c, &told);
    count_positions(input, listed, &told);
    check_cuts(input, &options, &told, c->line);
    cases++;
    cases_differ += d != NULL;
    told_fini(&told);
}

static void errors_of_file_are_as_many_as_listed(void **state)
{
    struct cel__buf bytes = {0};
    struct cel_str rest;
    struct dat_case c;
    int line = 1;

    suite_read(*state, &bytes);
    rest = cel__buf_str(&bytes);
    while (dat_next(&rest, &line, &c))
        check_case(*state, &c, dat_section(&c, "#script-on") != NULL);
    cel__buf_fini(&bytes);
}

static void errors_of_all_files_are_mostly_where_listed(void **state)
{
    printf("%zu of %zu cases agree in number, %zu of %zu errors in place\n", cases - cases_differ,
           cases, positions_agree, positions);
    assert_int_equal(cases_differ, sizeof differences / sizeof *differences);
    assert_true(positions_agree >= POSITIONS_AGREE);
    /* No code of tree construction without a case; this one is in test_dump.c. */
    is_seen[CEL__ERROR_START_TAG_IN_SELECT] = true;
    for (int i = CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_CHARS; i < CEL__PARSE_ERROR_COUNT; i++)
        if (!is_seen[i])
            fail_msg("no case has %s", cel__parse_error_text((enum cel__parse_error)i));
}

int main(void)
{
    struct CMUnitTest tests[128] = {0};
    char **files;
    size_t count = suite_files("tree-construction", ".dat", &files), used = 0;
    int r;

    assert_true(count < sizeof tests / sizeof *tests);
    for (size_t i = 0; i < count; i++)
        if (strstr(files[i], "/scripted/") == NULL)
            tests[used++] = (struct CMUnitTest){.name = strrchr(files[i], '/') + 1,
                                                .test_func = errors_of_file_are_as_many_as_listed,
                                                .initial_state = files[i]};
    tests[used++] =
        (struct CMUnitTest)cmocka_unit_test(errors_of_all_files_are_mostly_where_listed);
    r = _cmocka_run_group_tests("html errors", tests, used, NULL, NULL);
    suite_files_free(files, count);
    return r;
}
