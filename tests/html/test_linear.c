/* SPDX-License-Identifier: MIT */
/* Pages that mean harm cost time in proportion to their size.
 *
 * Work is counted, not timed: the parser is compiled here so that each of its basic blocks counts
 * one step (-fsanitize-coverage=trace-pc), and each call of libc that moves or looks through bytes
 * counts one for 16 of them (the linker's --wrap). Ten times the input may cost twelve times the
 * steps. `test_linear BYTES` prints the steps of each family at that size and at ten times it. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"

#define SMALL_BYTES  10000
#define RATIO_MAX    12
#define PER_BYTE_MAX 2000ul /* steps; usual are 10 to 60 */

/* ---- counting ---- */

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    steps++;
}

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int byte, size_t n);
void *__real_memchr(const void *in, int byte, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);
void *__wrap_memset(void *to, int byte, size_t n);
void *__wrap_memchr(const void *in, int byte, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n);

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    steps += 1 + n / 16;
    return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
    steps += 1 + n / 16;
    return __real_memmove(to, from, n);
}

void *__wrap_memset(void *to, int byte, size_t n)
{
    steps += 1 + n / 16;
    return __real_memset(to, byte, n);
}

void *__wrap_memchr(const void *in, int byte, size_t n)
{
    const char *found = __real_memchr(in, byte, n);

    steps += 1 + (found != NULL ? (size_t)(found - (const char *)in) : n) / 16;
    return (void *)found;
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    steps += 1 + n / 16;
    return __real_memcmp(a, b, n);
}

/* ---- families ---- */

/* `%` in the unit is the number of its repetition. With `then`, the first half of the page is of
 * `unit` and the second of `then`. */
static const struct family {
    const char *name;
    const char *before;
    const char *unit;
    const char *then;
    size_t times; /* the small size; 0: once */
} families[] = {
    {"nested_div", "", "<div>", NULL, 0},
    {"nested_div_and_closed", "", "<div>", "</div>", 0},
    {"nested_span_p", "", "<span><p>", NULL, 0},
    {"nested_tables", "", "<table>", NULL, 0},
    {"nested_cells", "", "<table><tr><td>", NULL, 0},
    {"nested_templates", "", "<template>", NULL, 0},
    {"nested_svg", "", "<svg>", NULL, 0},
    {"nested_foreign_objects", "", "<svg><foreignObject>", NULL, 0},
    {"nested_math", "", "<math><mi>", NULL, 0},
    {"nested_select", "", "<select>", NULL, 0},
    {"nested_buttons", "", "<button>", NULL, 0},
    {"nested_forms", "", "<form><div>", NULL, 0},
    {"nested_lists", "", "<ul><li>", NULL, 0},
    {"nested_objects_with_format", "", "<object><b>", NULL, 0},
    {"nested_ruby", "", "<ruby><rb><rtc><rt>", NULL, 0},
    {"nested_unknown", "", "<x%>", NULL, 0},
    {"misnested_format", "", "<b><i></b></i>", NULL, 0},
    {"misnested_links", "", "<a><div></a>", NULL, 0},
    {"misnested_deep", "<b><i><u><s><em>", "<div></b><p></i></u>", NULL, 0},
    {"links_in_blocks", "", "<a href=%><div>", NULL, 0},
    {"links_unclosed", "", "<a>", NULL, 0},
    {"format_alike", "", "<b>", "<p>x", 0},
    /* Each is compared with those before it; the limit of depth is reached in 10,000 bytes. */
    {"format_unlike", "", "<b a%=1>", "<p>x", 4},
    {"format_unlike_then_closed", "", "<b a%=1>", "</b>", 4},
    {"format_in_cells", "<table><tr>", "<td><b>x", NULL, 0},
    {"nobr", "", "<nobr>x", NULL, 0},
    {"font_color", "", "<font color=%><p>", NULL, 0},
    {"attributes_many", "<p", " a%=1", NULL, 0},
    {"attributes_of_one_name", "<p", " a=1", NULL, 0},
    {"attributes_of_body", "<body>", "<body b%=1>", NULL, 0},
    {"attributes_of_html", "", "<html h%=1>", NULL, 0},
    {"attribute_value_long", "<p a='", "x", NULL, 0},
    {"attribute_value_references", "<p a='", "&amp", NULL, 0},
    {"attribute_name_long", "<p ", "x", NULL, 0},
    {"attribute_without_end", "", "<p a='", NULL, 0},
    {"classes", "<p class='", "a% ", NULL, 0},
    {"tag_name_long", "<", "x", NULL, 0},
    {"tags_without_end", "", "<p ", NULL, 0},
    {"tags_of_new_names", "", "<x%></x%>", NULL, 0},
    {"end_tags_unmatched", "", "<div>", "</p>", 0},
    {"end_tags_of_none", "", "<div>", "</x>", 0},
    {"end_tags_of_br", "", "</br>", NULL, 0},
    {"end_tags_of_headings", "", "<h1><div>", "</h2>", 0},
    {"paragraphs", "", "<p>", NULL, 0},
    {"items", "<ul>", "<li>x", NULL, 0},
    {"terms", "<dl>", "<dt><dd>", NULL, 0},
    {"headings", "", "<h1>", NULL, 0},
    {"options", "<select>", "<option>x", NULL, 0},
    {"option_groups", "<select>", "<optgroup><option>", NULL, 0},
    {"options_alone", "", "<option>", NULL, 0},
    {"foster_text", "<table>", "x<tr>", NULL, 0},
    {"foster_elements", "<table>", "<b>x<td>", NULL, 0},
    {"foster_blocks", "<table>", "<div><tr>", NULL, 0},
    {"foster_table_in_table", "", "<table><b><tr>", NULL, 0},
    {"cells", "<table><tr>", "<td>", NULL, 0},
    {"columns", "<table><colgroup>", "<col>", NULL, 0},
    {"captions", "<table>", "<caption>x", NULL, 0},
    {"table_inputs", "<table>", "<input type=hidden>", NULL, 0},
    {"frames", "<frameset>", "<frameset><frame>", NULL, 0},
    {"references", "", "&amp;", NULL, 0},
    {"references_longest", "", "&CounterClockwiseContourIntegral", NULL, 0},
    {"references_almost", "", "&CounterClockwiseContourIntegra", NULL, 0},
    {"references_bare", "", "&", NULL, 0},
    {"references_numeric", "", "&#x10ffff;", NULL, 0},
    {"reference_of_digits", "&#", "9", NULL, 0},
    {"comment_without_end", "<!--", "x", NULL, 0},
    {"comment_of_dashes", "<!--", "-", NULL, 0},
    {"comment_of_openings", "<!--", "<!--", NULL, 0},
    {"comment_almost_closed", "<!--", "--!", NULL, 0},
    {"comments", "", "<!---->", NULL, 0},
    {"comments_bogus", "", "<!x><?y>", NULL, 0},
    {"doctypes", "", "<!DOCTYPE html>", NULL, 0},
    {"doctype_long", "<!DOCTYPE html PUBLIC '", "x", NULL, 0},
    {"cdata_sections", "<svg>", "<![CDATA[x]]>", NULL, 0},
    {"cdata_almost_closed", "<svg><![CDATA[", "]]", NULL, 0},
    {"scripts", "", "<script></script>", NULL, 0},
    {"script_without_end", "<script>", "</scrip", NULL, 0},
    {"script_escapes", "<script>", "<!--<script></script>-->", NULL, 0},
    {"title_without_end", "<title>", "</titl ", NULL, 0},
    {"textarea_references", "<textarea>", "&lt;&", NULL, 0},
    {"plaintext", "<plaintext>", "</plaintext>", NULL, 0},
    {"text", "", "x", NULL, 0},
    {"text_of_blanks", "", " ", NULL, 0},
    {"text_in_pieces", "", "x<!>", NULL, 0},
    {"text_of_nuls", "", "\1", NULL, 0}, /* \1 stands for NUL */
    {"text_of_returns", "", "\r\n\r", NULL, 0},
    {"text_of_surrogates", "", "\355\240\200", NULL, 0},
    {"text_not_utf_8", "", "\377\300", NULL, 0},
    {"text_of_noncharacters", "", "\357\277\276", NULL, 0},
    {"less_than", "", "<", NULL, 0},
    {"less_than_solidus", "", "</", NULL, 0},
    {"heads_and_bodies", "", "<head></head><body></body></html>", NULL, 0},
    {"images", "", "<image>", NULL, 0},
    {"meta_of_charsets", "", "<meta charset=x%>", NULL, 0},
    {"prescan_attributes", "<!doctype html><x", " a='<meta charset=latin1>'", NULL, 0},
};

#define FAMILIES (sizeof families / sizeof *families)

static void add_unit(struct cel__buf *out, const char *unit, size_t number)
{
    for (; *unit != '\0'; unit++) {
        if (*unit == '%')
            cel__buf_add_decimal(out, number);
        else
            cel__buf_add_char(out, *unit == '\1' ? '\0' : *unit);
    }
}

static void make_page(const struct family *f, size_t bytes, struct cel__buf *out)
{
    size_t n = 0;

    cel__buf_add_text(out, f->before);
    while (out->len < (f->then != NULL ? bytes / 2 : bytes))
        add_unit(out, f->unit, n++);
    while (out->len < bytes)
        add_unit(out, f->then, n++);
    assert_false(out->failed);
}

/* Steps to parse and to free; *cut gets the limit that was met, or NULL. */
static uint64_t work_of(const struct family *f, size_t bytes, const char **cut)
{
    struct cel_html_options options = {.max_depth = 512};
    struct cel__buf page = {0};
    struct cel_html *doc;
    uint64_t from;

    make_page(f, bytes, &page);
    from = steps;
    assert_int_equal(cel_html_parse(&doc, page.ptr, page.len, &options), 0);
    from = steps - from;
    *cut = cel_html_truncated(doc);
    cel_html_free(doc);
    cel__buf_fini(&page);
    return from;
}

static void linear_family_costs_what_its_bytes_cost(void **state)
{
    const struct family *f = *state;
    const char *cut[2];
    size_t bytes = SMALL_BYTES * (f->times != 0 ? f->times : 1);
    uint64_t small = work_of(f, bytes, &cut[0]);
    uint64_t large = work_of(f, 10 * bytes, &cut[1]);

    /* Something was counted at all. */
    assert_true(small > bytes / 64);
    if (large > RATIO_MAX * small || large > PER_BYTE_MAX * 10 * bytes)
        fail_msg("%s: %.1f steps a byte, then %.1f (cut: %s)", f->name,
                 (double)small / (double)bytes, (double)large / (double)bytes / 10,
                 cut[1] != NULL ? cut[1] : "none");
}

static int print_table(size_t bytes)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        const char *cut[2];
        uint64_t small = work_of(&families[i], bytes, &cut[0]);
        uint64_t large = work_of(&families[i], 10 * bytes, &cut[1]);

        printf("%-28s %8.2f %8.2f a byte %6.2f times %s\n", families[i].name,
               (double)small / (double)bytes, (double)large / (double)bytes / 10,
               (double)large / (double)small, cut[1] != NULL ? cut[1] : "");
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[FAMILIES] = {0};

    if (argc == 2)
        return print_table(strtoul(argv[1], NULL, 10));
    for (size_t i = 0; i < FAMILIES; i++)
        tests[i] = (struct CMUnitTest){.name = families[i].name,
                                       .test_func = linear_family_costs_what_its_bytes_cost,
                                       .initial_state = (void *)&families[i]};
    return _cmocka_run_group_tests("linear", tests, FAMILIES, NULL, NULL);
}
