/* SPDX-License-Identifier: MIT */
/* Well-formed pages, made up at random, give the tree that myhtml gives. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "oracle.h"

#define PAGES    3000
#define DEPTH    12
#define CHILDREN 5

static const char *pick(struct cel__rand *rand, const char *const *words)
{
    size_t count = 0;

    while (words[count] != NULL)
        count++;
    return words[cel__rand_below(rand, count)];
}

static void add_text(struct cel__rand *rand, struct cel__buf *out)
{
    static const char *const words[] = {
        "a",        " ",      "\n",        "text ",    "&amp;",        "&lt;b&gt;",
        "&eacute;", "&#233;", "&#x1F600;", "\303\251", "&nbsp;",       "x & y",
        "1 < 2",    "\r\n",   "&copy;",    "&notin;",  "\346\227\245", NULL};

    for (uint64_t n = cel__rand_below(rand, 4) + 1; n > 0; n--)
        cel__buf_add_text(out, pick(rand, words));
}

static void add_attrs(struct cel__rand *rand, struct cel__buf *out)
{
    static const char *const attrs[] = {
        " class=\"a b\"", " id=x",      " href='?a=1&amp;b=2'", " title=\"&quot;\"",
        " data-x",        " lang = en", " style=\"a:b\"",       " alt=\"\"",
        " HREF=/x/y?z",   NULL};

    for (uint64_t n = cel__rand_below(rand, 3); n > 0; n--)
        cel__buf_add_text(out, pick(rand, attrs));
}

static void add_inside(struct cel__rand *rand, int depth, bool is_inline, struct cel__buf *out);

static void add_element(struct cel__rand *rand, const char *name, int depth, bool is_inline,
                        struct cel__buf *out)
{
    cel__buf_printf(out, "<%s", name);
    add_attrs(rand, out);
    cel__buf_add_char(out, '>');
    add_inside(rand, depth - 1, is_inline, out);
    cel__buf_printf(out, "</%s>", name);
}

static void add_table(struct cel__rand *rand, int depth, struct cel__buf *out)
{
    cel__buf_add_text(out, "<table>\n<tbody>");
    for (uint64_t rows = cel__rand_below(rand, 3) + 1; rows > 0; rows--) {
        cel__buf_add_text(out, "<tr>");
        for (uint64_t cells = cel__rand_below(rand, 3); cells > 0; cells--)
            add_element(rand, cells % 2 != 0 ? "td" : "th", depth - 1, false, out);
        cel__buf_add_text(out, "</tr>\n");
    }
    cel__buf_add_text(out, "</tbody></table>");
}

static void add_list(struct cel__rand *rand, int depth, struct cel__buf *out)
{
    cel__buf_add_text(out, "<ul>");
    for (uint64_t items = cel__rand_below(rand, 4); items > 0; items--)
        add_element(rand, "li", depth - 1, false, out);
    cel__buf_add_text(out, "</ul>");
}

static void add_raw(struct cel__rand *rand, struct cel__buf *out)
{
    static const char *const raw[] = {
        "<script>if (a < b && c) '<p>';</script>",
        "<style>a > b { c: \"</p>\" }</style>",
        "<textarea>\n<b>&amp;</textarea>",
        "<!-- a - b -->",
        "<br>",
        "<img src=x alt='&gt;'>",
        "<hr/>",
        "<input value=1>",
        "<pre>\n x\n</pre>",
        "<select><option>a<option selected>b</select>",
        "<svg viewBox=\"0 0 1 1\"><path d=\"M0\"/><circle r=1></circle></svg>",
        "<math><mi>x</mi><mo>=</mo></math>",
        NULL};

    cel__buf_add_text(out, pick(rand, raw));
}

static void add_child(struct cel__rand *rand, int depth, bool is_inline, struct cel__buf *out)
{
    static const char *const spans[] = {"b",   "i",    "em",    "span", "code",
                                        "sub", "abbr", "small", "u",    NULL};
    static const char *const blocks[] = {"div", "section", "blockquote", "article", "dl", NULL};
    static const char *const texts[] = {"p", "h1", "h2", "dt", NULL};

    switch (cel__rand_below(rand, is_inline ? 4 : 9)) {
    case 0:
    case 1:
        add_text(rand, out);
        break;
    case 2:
        add_element(rand, pick(rand, spans), depth, true, out);
        break;
    case 3:
    case 4:
        is_inline ? add_text(rand, out) : add_raw(rand, out);
        break;
    case 5:
        add_element(rand, pick(rand, blocks), depth, false, out);
        break;
    case 6:
        add_element(rand, pick(rand, texts), depth, true, out);
        break;
    case 7:
        add_list(rand, depth, out);
        break;
    default:
        add_table(rand, depth, out);
    }
}

static void add_inside(struct cel__rand *rand, int depth, bool is_inline, struct cel__buf *out)
{
    for (uint64_t n = depth > 0 ? cel__rand_below(rand, CHILDREN) : 0; n > 0; n--)
        add_child(rand, depth, is_inline, out);
}

static void add_page(struct cel__rand *rand, struct cel__buf *out)
{
    cel__buf_add_text(out, "<!DOCTYPE html>\n<html lang=en>\n<head><meta charset=utf-8><title>");
    add_text(rand, out);
    cel__buf_add_text(out, "</title>\n<link rel=x href=y></head>\n<body>");
    for (uint64_t n = cel__rand_below(rand, 8) + 1; n > 0; n--)
        add_child(rand, DEPTH, false, out);
    cel__buf_add_text(out, "</body>\n</html>\n");
}

static void oracle_agrees_on_well_formed_pages(void **state)
{
    struct cel__rand rand;

    cel__rand_seed(&rand, 1);
    for (int i = 0; i < PAGES; i++) {
        struct cel__buf page = {0}, ours = {0}, theirs = {0};
        struct cel__tree a, b;

        add_page(&rand, &page);
        assert_false(page.failed);
        oracle_ours(cel__buf_str(&page), &a);
        oracle_myhtml(cel__buf_str(&page), &b);
        oracle_dump(&a, &ours);
        oracle_dump(&b, &theirs);
        if (!cel__str_eq(cel__buf_str(&ours), cel__buf_str(&theirs)))
            fail_msg("page %d\n%.*s\n--- myhtml\n%.*s\n--- ours\n%.*s", i,
                     CEL_STR(cel__buf_str(&page)), CEL_STR(cel__buf_str(&theirs)),
                     CEL_STR(cel__buf_str(&ours)));
        cel__tree_fini(&a);
        cel__tree_fini(&b);
        cel__buf_fini(&page);
        cel__buf_fini(&ours);
        cel__buf_fini(&theirs);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_agrees_on_well_formed_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
