/* SPDX-License-Identifier: MIT */
/* Fields in one pass, held against fields from the tree: on every document of html5lib's tests, on
 * made-up pages, for selectors of each kind; and that what is not wanted is neither kept nor read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "celadon/html.h"
#include "html/field_selectors.h"
#include "html/html5lib.h"
#include "support/check.h"
#include "support/fault.h"

static struct cel_item *take(const struct cel_fields *fields, struct cel_str page, bool whole_tree)
{
    struct cel_html_options options = {.charset = "utf-8", .whole_tree = whole_tree};
    struct cel_item *item;

    assert_int_equal(cel_fields_scan(fields, page.ptr, page.len, &options, &item, NULL), 0);
    return item;
}

static void compare(const struct cel_fields *fields, const char *css, struct cel_str page)
{
    struct cel_item *scanned = take(fields, page, false), *built = take(fields, page, true);
    const char *a = cel_item_json(scanned, NULL), *b = cel_item_json(built, NULL);

    if (strcmp(a, b) != 0)
        fail_msg("%s on\n%.*s\n  scan %.300s\n  tree %.300s", css, CEL_STR(page), a, b);
    cel_item_free(scanned);
    cel_item_free(built);
}

/* As the first match, as a list, joined. */
static void each_way(const char *css, void (*on)(const struct cel_fields *fields, const char *css))
{
    struct cel_field wanted[] = {{.name = "one", .css = css},
                                 {.name = "all", .css = css, .is_list = true},
                                 {.name = "joined", .css = css, .join = "|"},
                                 {.name = "attr", .css = css, .attr = "id"},
                                 {0}};
    struct cel_error error = {0};

    for (int only = -1; only < 4; only++) {
        struct cel_field chosen[5] = {{0}};
        struct cel_fields *fields;

        if (only < 0)
            memcpy(chosen, wanted, sizeof chosen);
        else
            chosen[0] = wanted[only];
        if (cel_fields_new(&fields, chosen, &error) < 0)
            fail_msg("%s: %s", css, error.text);
        on(fields, css);
        cel_fields_free(fields);
    }
}

static struct cel__buf documents; /* of html5lib: each ends in a NUL */

static void gather_documents(void)
{
    char **files;
    size_t count = suite_files("tree-construction", ".dat", &files);

    for (size_t i = 0; i < count; i++) {
        struct cel__buf text = {0};
        struct cel_str rest;
        struct dat_case c;
        int line = 1;

        suite_read(files[i], &text);
        rest = cel__buf_str(&text);
        while (dat_next(&rest, &line, &c)) {
            const struct cel_str *data = dat_section(&c, "#data");

            if (data == NULL || memchr(data->ptr, 0, data->len) != NULL)
                continue;
            assert_int_equal(cel__buf_add_str(&documents, *data), 0);
            assert_int_equal(cel__buf_add_char(&documents, 0), 0);
        }
        cel__buf_fini(&text);
    }
    suite_files_free(files, count);
    assert_true(documents.len > 50000);
}

static void on_documents(const struct cel_fields *fields, const char *css)
{
    for (size_t at = 0; at < documents.len; at += strlen(documents.ptr + at) + 1)
        compare(fields, css, cel__str(documents.ptr + at));
}

static void scan_agrees_with_tree_on_html5lib_documents(void **state)
{
    /* In an emulator a few: what differs there are the registers, not the selectors. */
    size_t step = getenv("CELADON_EMULATED") != NULL ? 11 : 1;

    gather_documents();
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i += step)
        each_way(selectors[i], on_documents);
    cel__buf_fini(&documents);
}

/* Pages put together from pieces that belong together, and from pieces that do not. */
static const char *const pieces[] = {"<p class=a>one",
                                     "<p id=x>two",
                                     "</p>",
                                     "<b>",
                                     "</b>",
                                     "<i class='a b'>",
                                     "</i>",
                                     "<div>",
                                     "</div>",
                                     "<a href=u id=y>",
                                     "</a>",
                                     "text &amp; more",
                                     "<ul><li>",
                                     "<li class=a>",
                                     "</ul>",
                                     "<table>",
                                     "<tr><td>",
                                     "<td class=a>",
                                     "</table>",
                                     "<br>",
                                     "<img id=z>",
                                     "<!-- c -->",
                                     "<script>s</script>",
                                     "<h1>h</h1>",
                                     "<form>",
                                     "</form>",
                                     "<svg><g id=g/></svg>",
                                     "<body class=late>",
                                     "<template><p>",
                                     "</template>",
                                     "<title>t</title>",
                                     "<select><option>",
                                     "</select>",
                                     "<font>",
                                     "<pre>\n",
                                     "</pre>"};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static char made[65536];

static void make_page(uint32_t seed, int count)
{
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        const char *piece = pieces[next_random(&seed) % (sizeof pieces / sizeof *pieces)];

        memcpy(made + len, piece, strlen(piece));
        len += strlen(piece);
    }
    made[len] = '\0';
}

static void on_made(const struct cel_fields *fields, const char *css)
{
    compare(fields, css, cel__str(made));
}

static void scan_agrees_with_tree_on_made_up_pages(void **state)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        make_page(seed, seed % 2 == 0 ? 400 : 12);
        for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
            each_way(selectors[i], on_made);
    }
}

/* Elements that no selector cares about get nodes late, and formatting elements then have the
 * attributes by which the parser compares them. */
static void on_late_nodes(const struct cel_fields *fields, const char *css)
{
    static const char *const pages[] = {
        "<body><div><span><em>a<p class=x>b</span></em></div>c",
        "<body><b title=1><span>a<b title=1>b<b title=2>c<b title=1>d<b title=1>e<p class=x>f",
        "<body><a href=1 title='&amp;t'><code><table><td class=x>g</table>h</code></a>i",
        "<body><font size=1><i>j<div class=x>k</font>l</i>m</div>n<p>o",
        "<body><p>a<div><ul><li><i>b<li class=x>c</i></ul></div><p><h1>d<h2>e",
        "<table><tr><td><span><small>f<td><p class=x>g</table><img><br><p>h",
        "<body><div class='y x'>\n <!-- c --> <span>i<script>j</script></span>k</div><svg><p>l",
        "<body><dl><dt><em>m<dd class=x><em>n</dl><pre>\n<span>o</pre><select><option>p"};

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        compare(fields, css, cel__str(pages[i]));
}

static void scan_gives_nodes_late_where_it_skimmed(void **state)
{
    static const char *const asked[] = {".x",       "p.x",         "div .x",  "span > .x",
                                        ".x b",     "[title='1']", "b b > b", "i .x, td .x",
                                        "body > p", "em",          "div.x",   ".x::text",
                                        "li.x",     "a [class]",   "h2",      "p::inner-html"};

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        each_way(asked[i], on_late_nodes);
}

/* ---- what is kept and what is read ---- */

static size_t live_bytes, peak_bytes;

static void *count_realloc(void *old, size_t size, void *arg)
{
    size_t *block = old != NULL ? (size_t *)old - 2 : NULL;
    size_t before = block != NULL ? *block : 0;

    block = realloc(block, size + 2 * sizeof *block);
    if (block == NULL)
        return NULL;
    *block = size;
    live_bytes += size - before;
    if (live_bytes > peak_bytes)
        peak_bytes = live_bytes;
    return block + 2;
}

static void *count_alloc(size_t size, void *arg)
{
    return count_realloc(NULL, size, arg);
}

static void count_free(void *ptr, void *arg)
{
    if (ptr == NULL)
        return;
    live_bytes -= ((size_t *)ptr)[-2];
    free((size_t *)ptr - 2);
}

static size_t long_page(const char *begins, char **page)
{
    size_t len = 0, cap = 4u << 20;

    *page = malloc(cap);
    assert_non_null(*page);
    len += (size_t)snprintf(*page, cap, "<meta charset=utf-8><title>first</title><body>%s", begins);
    while (len < cap - 200)
        len += (size_t)snprintf(*page + len, cap - len,
                                "<div class=c><p>some <b>text</b> here</p></div>");
    len += (size_t)snprintf(*page + len, cap - len, "<h6>last</h6>");
    return len;
}

static struct cel_fields *fields_of(const char *name, const char *css)
{
    struct cel_field wanted[] = {{.name = name, .css = css}, {0}};
    struct cel_fields *fields;

    assert_int_equal(cel_fields_new(&fields, wanted, NULL), 0);
    return fields;
}

static void expect_little_kept(const char *begins)
{
    const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};
    struct cel_fields *fields;
    struct cel_item *item;
    char *page;
    size_t len = long_page(begins, &page);

    cel_set_allocator(&counting);
    fields = fields_of("last", "h6");
    peak_bytes = live_bytes = 0;
    item = take(fields, (struct cel_str){page, len}, false);
    CHECK_STR(cel_item_get(item, "last"), "last");
    if (peak_bytes >= 20000)
        fail_msg("%zu bytes for a page of %zu", peak_bytes, len);
    cel_item_free(item);
    item = take(fields, (struct cel_str){page, len}, true);
    assert_true(peak_bytes > len); /* the tree: so the figure above can fail */
    cel_item_free(item);
    cel_fields_free(fields);
    cel_set_allocator(NULL);
    free(page);
}

static void scan_keeps_nothing_of_what_no_field_wants(void **state)
{
    expect_little_kept("");
}

/* Its end tag takes the form out of the stack by number, which once gave every page with one up. */
static void scan_of_a_page_with_a_form_needs_no_tree(void **state)
{
    expect_little_kept("<div><form class=f><input name=q><input type=submit></form></div>");
    expect_little_kept("<form><p>a<li>b</form>");
}

static void count_pause(void *arg)
{
    ++*(int *)arg;
}

static int pauses_for(const char *css, struct cel_str page, bool whole_tree)
{
    int pauses = 0;
    struct cel_html_options options = {
        .pause = count_pause, .pause_arg = &pauses, .whole_tree = whole_tree};
    struct cel_fields *fields = fields_of("x", css);
    struct cel_item *item;

    assert_int_equal(cel_fields_scan(fields, page.ptr, page.len, &options, &item, NULL), 0);
    cel_item_free(item);
    cel_fields_free(fields);
    return pauses;
}

static void scan_ends_with_the_last_field(void **state)
{
    char *page;
    size_t len = long_page("", &page);
    struct cel_str all = {page, len};

    assert_int_equal(pauses_for("title", all, false), 0);
    assert_int_equal(pauses_for("p b::text", all, false), 0);
    assert_true(pauses_for("title", all, true) > 10);
    assert_true(pauses_for("h6", all, false) > 10);
    free(page);
}

/* The encoding is only known when the tag is there, however late. */
static void scan_obeys_a_late_meta_tag(void **state)
{
    static char page[4096];
    struct cel_fields *fields = fields_of("p", "p");
    struct cel_item *item;
    size_t len;

    len = (size_t)snprintf(page, sizeof page,
                           "<p>\xe9t\xe9 \x80</p>%2000s<meta charset=windows-1251>", "");
    assert_int_equal(cel_fields_scan(fields, page, len, NULL, &item, NULL), 0);
    CHECK_STR(cel_item_get(item, "p"), "йtй Ђ");
    cel_item_free(item);
    cel_fields_free(fields);
}

static void scan_takes_no_page_and_tells_what_was_cut(void **state)
{
    struct cel_html_options options = {.max_bytes = 20};
    struct cel_fields *fields = fields_of("p", "p");
    struct cel_item *item;
    const char *cut = "x";

    assert_int_equal(cel_fields_scan(fields, NULL, 0, NULL, &item, &cut), 0);
    assert_null(cut);
    assert_int_equal(cel_item_kind(item, 0), CEL_ITEM_MISSING);
    cel_item_free(item);
    assert_int_equal(
        cel_fields_scan(fields, "<p>0123456789</p><p>more</p>", 28, &options, &item, &cut), 0);
    assert_string_equal(cut, "size");
    CHECK_STR(cel_item_get(item, "p"), "0123456789");
    cel_item_free(item);
    options = (struct cel_html_options){.max_nodes = 10};
    assert_int_equal(
        cel_fields_scan(fields, "<b><b><b><b><b><b><b><b><b><b><b><p>", 36, &options, &item, &cut),
        0);
    assert_string_equal(cut, "nodes");
    cel_item_free(item);
    cel_fields_free(fields);
}

static int scan_some(void *arg)
{
    static const struct cel_field wanted[] = {{.name = "a", .css = "p", .is_list = true},
                                              {.name = "b", .css = "p > b::text"},
                                              {.name = "c", .css = "li:nth-child(2)::html"},
                                              {0}};
    struct cel_fields *fields;
    struct cel_item *item;
    int r = cel_fields_new(&fields, wanted, NULL);

    if (r < 0)
        return r;
    make_page((uint32_t)(uintptr_t)arg, 60);
    r = cel_fields_scan(fields, made, strlen(made), NULL, &item, NULL);
    if (r == 0)
        cel_item_free(item);
    cel_fields_free(fields);
    return r;
}

/* The same where elements are skimmed: siblings do not matter. */
static int skim_some(void *arg)
{
    static const char page[] =
        "<body><div title=a><b title='&lt;'><span><i>a</i><b title=c>b<div><div><div><div><div>"
        "<div><div><div><div><div><div><div><div><p class=x>c</p></b></div></b>d</div><p>e";
    struct cel_fields *fields;
    struct cel_item *item;
    int r = cel_fields_new(
        &fields, (struct cel_field[]){{.name = "x", .css = ".x", .is_list = true}, {0}}, NULL);

    if (r < 0)
        return r;
    r = cel_fields_scan(fields, page, sizeof page - 1, NULL, &item, NULL);
    if (r == 0)
        cel_item_free(item);
    cel_fields_free(fields);
    return r;
}

static void scan_without_memory_says_so_and_leaves_nothing(void **state)
{
    assert_true(fault_every_alloc(skim_some, NULL) > 20);

    assert_true(fault_every_alloc(scan_some, (void *)1) > 20);
    assert_true(fault_every_alloc(scan_some, (void *)2) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_agrees_with_tree_on_html5lib_documents),
        cmocka_unit_test(scan_agrees_with_tree_on_made_up_pages),
        cmocka_unit_test(scan_gives_nodes_late_where_it_skimmed),
        cmocka_unit_test(scan_keeps_nothing_of_what_no_field_wants),
        cmocka_unit_test(scan_of_a_page_with_a_form_needs_no_tree),
        cmocka_unit_test(scan_ends_with_the_last_field),
        cmocka_unit_test(scan_obeys_a_late_meta_tag),
        cmocka_unit_test(scan_takes_no_page_and_tells_what_was_cut),
        cmocka_unit_test(scan_without_memory_says_so_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
