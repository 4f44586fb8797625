/* SPDX-License-Identifier: MIT */
/* Pages that mean harm cost time in proportion to their size.
 *
 * Work is counted, not timed: the parser is compiled here so that each of its basic blocks counts
 * one step (-fsanitize-coverage=trace-pc), and each call of libc that moves or looks through bytes
 * counts one for 16 of them (the linker's --wrap). Ten times the input may cost twelve times the
 * steps, and hold twelve times the memory or three bytes for one of the page. Small pages of every
 * family are held to that, and with `large` such of 1 and 10 MB of many, and a text of 100 MB.
 * `test_linear BYTES` prints what each family takes at that size and at ten times it. */
#include "support/check.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "celadon/html.h"
#include "base/buf.h"
#include "html/parse.h"

#define SMALL_BYTES  10000
#define LARGE_BYTES  1000000
#define TEXT_BYTES   100000000
#define RATIO_MAX    12
#define PER_BYTE_MAX 2000ul /* steps; usual are 10 to 60 */
#define HELD_MAX     100
#define HELD_LITTLE  3 /* bytes for one of the page: where a buffer's doubling lies is chance */
#define HELD_ALWAYS  300000

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

static size_t held, held_most; /* bytes, by the library's allocator */

static void hold(void *block, size_t before)
{
    held += (block != NULL ? malloc_usable_size(block) : 0) - before;
    held_most = held > held_most ? held : held_most;
}

static void *count_alloc(size_t size, void *arg)
{
    void *block = malloc(size);

    hold(block, 0);
    return block;
}

static void *count_realloc(void *old, size_t size, void *arg)
{
    size_t before = malloc_usable_size(old);
    void *block = realloc(old, size);

    hold(block, block != NULL ? before : 0);
    return block;
}

static void count_free(void *block, void *arg)
{
    hold(NULL, malloc_usable_size(block));
    free(block);
}

static const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};

/* ---- families ---- */

/* `%` in the unit is the number of its repetition. With `then`, the first half of the page is of
 * `unit` and the second of `then`. */
static const struct family {
    const char *name;
    const char *before;
    const char *unit;
    const char *then;
    size_t times;  /* the small size; 0: once */
    bool is_large; /* held at large sizes too */
} families[] = {
    {"nested_div", "", "<div>", NULL, 0, true},
    {"nested_div_and_closed", "", "<div>", "</div>", 0},
    {"nested_span_p", "", "<span><p>", NULL, 0},
    {"nested_tables", "", "<table>", NULL, 0, true},
    {"nested_cells", "", "<table><tr><td>", NULL, 0},
    {"nested_templates", "", "<template>", NULL, 0, true},
    {"nested_svg", "", "<svg>", NULL, 0, true},
    {"nested_foreign_objects", "", "<svg><foreignObject>", NULL, 0, true},
    {"nested_math", "", "<math><mi>", NULL, 0},
    {"nested_select", "", "<select>", NULL, 0},
    {"nested_buttons", "", "<button>", NULL, 0, true},
    {"nested_forms", "", "<form><div>", NULL, 0},
    {"nested_lists", "", "<ul><li>", NULL, 0},
    {"nested_objects_with_format", "", "<object><b>", NULL, 0},
    {"nested_ruby", "", "<ruby><rb><rtc><rt>", NULL, 0},
    {"nested_unknown", "", "<x%>", NULL, 0, true},
    {"misnested_format", "", "<b><i></b></i>", NULL, 0, true},
    {"misnested_links", "", "<a><div></a>", NULL, 0, true},
    {"misnested_deep", "<b><i><u><s><em>", "<div></b><p></i></u>", NULL, 0},
    {"links_in_blocks", "", "<a href=%><div>", NULL, 0},
    {"links_unclosed", "", "<a>", NULL, 0, true},
    {"format_alike", "", "<b>", "<p>x", 0},
    /* Each is compared with those before it; the limit of depth is reached in 10,000 bytes. */
    {"format_unlike", "", "<b a%=1>", "<p>x", 4},
    {"format_unlike_then_closed", "", "<b a%=1>", "</b>", 4},
    {"format_in_cells", "<table><tr>", "<td><b>x", NULL, 0, true},
    {"nobr", "", "<nobr>x", NULL, 0},
    {"font_color", "", "<font color=%><p>", NULL, 0},
    {"attributes_many", "<p", " a%=1", NULL, 0, true},
    {"attributes_of_one_name", "<p", " a=1", NULL, 0, true},
    {"attributes_of_body", "<body>", "<body b%=1>", NULL, 0, true},
    {"attributes_of_html", "", "<html h%=1>", NULL, 0},
    {"attribute_value_long", "<p a='", "x", NULL, 0},
    {"attribute_value_references", "<p a='", "&amp", NULL, 0, true},
    {"attribute_name_long", "<p ", "x", NULL, 0},
    {"attribute_without_end", "", "<p a='", NULL, 0},
    {"classes", "<p class='", "a% ", NULL, 0},
    {"tag_name_long", "<", "x", NULL, 0},
    {"tags_without_end", "", "<p ", NULL, 0, true},
    {"tags_of_new_names", "", "<x%></x%>", NULL, 0, true},
    {"end_tags_unmatched", "", "<div>", "</p>", 0, true},
    {"end_tags_of_none", "", "<div>", "</x>", 0},
    {"end_tags_of_br", "", "</br>", NULL, 0},
    {"end_tags_of_headings", "", "<h1><div>", "</h2>", 0},
    {"paragraphs", "", "<p>", NULL, 0, true},
    {"items", "<ul>", "<li>x", NULL, 0},
    {"terms", "<dl>", "<dt><dd>", NULL, 0},
    {"headings", "", "<h1>", NULL, 0},
    {"options", "<select>", "<option>x", NULL, 0, true},
    {"option_groups", "<select>", "<optgroup><option>", NULL, 0},
    {"options_alone", "", "<option>", NULL, 0},
    {"foster_text", "<table>", "x<tr>", NULL, 0, true},
    {"foster_elements", "<table>", "<b>x<td>", NULL, 0, true},
    {"foster_blocks", "<table>", "<div><tr>", NULL, 0},
    {"foster_table_in_table", "", "<table><b><tr>", NULL, 0},
    {"cells", "<table><tr>", "<td>", NULL, 0, true},
    {"columns", "<table><colgroup>", "<col>", NULL, 0},
    {"captions", "<table>", "<caption>x", NULL, 0},
    {"table_inputs", "<table>", "<input type=hidden>", NULL, 0},
    {"frames", "<frameset>", "<frameset><frame>", NULL, 0},
    {"references", "", "&amp;", NULL, 0, true},
    {"references_longest", "", "&CounterClockwiseContourIntegral", NULL, 0},
    {"references_almost", "", "&CounterClockwiseContourIntegra", NULL, 0},
    {"references_bare", "", "&", NULL, 0},
    {"references_numeric", "", "&#x10ffff;", NULL, 0},
    {"reference_of_digits", "&#", "9", NULL, 0},
    {"comment_without_end", "<!--", "x", NULL, 0},
    {"comment_of_dashes", "<!--", "-", NULL, 0},
    {"comment_of_openings", "<!--", "<!--", NULL, 0, true},
    {"comment_almost_closed", "<!--", "--!", NULL, 0},
    {"comments", "", "<!---->", NULL, 0, true},
    {"comments_bogus", "", "<!x><?y>", NULL, 0},
    {"doctypes", "", "<!DOCTYPE html>", NULL, 0, true},
    {"doctype_long", "<!DOCTYPE html PUBLIC '", "x", NULL, 0},
    {"cdata_sections", "<svg>", "<![CDATA[x]]>", NULL, 0},
    {"cdata_almost_closed", "<svg><![CDATA[", "]]", NULL, 0, true},
    {"scripts", "", "<script></script>", NULL, 0, true},
    {"script_without_end", "<script>", "</scrip", NULL, 0},
    {"script_escapes", "<script>", "<!--<script></script>-->", NULL, 0, true},
    {"title_without_end", "<title>", "</titl ", NULL, 0},
    {"textarea_references", "<textarea>", "&lt;&", NULL, 0},
    {"plaintext", "<plaintext>", "</plaintext>", NULL, 0},
    {"text", "", "x", NULL, 0, true},
    {"text_of_blanks", "", " ", NULL, 0},
    {"text_in_pieces", "", "x<!>", NULL, 0, true},
    {"text_of_nuls", "", "\1", NULL, 0, true}, /* \1 stands for NUL */
    {"text_of_returns", "", "\r\n\r", NULL, 0, true},
    {"text_of_surrogates", "", "\355\240\200", NULL, 0, true},
    {"text_not_utf_8", "", "\377\300", NULL, 0},
    {"text_of_noncharacters", "", "\357\277\276", NULL, 0},
    {"less_than", "", "<", NULL, 0},
    {"less_than_solidus", "", "</", NULL, 0},
    {"heads_and_bodies", "", "<head></head><body></body></html>", NULL, 0},
    {"images", "", "<image>", NULL, 0},
    {"meta_of_charsets", "", "<meta charset=x%>", NULL, 0},
    {"prescan_attributes", "<!doctype html><x", " a='<meta charset=latin1>'", NULL, 0, true},
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

/* Units up to so many bytes in all; those that are alike go in by the block. */
static void add_units(struct cel__buf *out, const char *unit, size_t bytes)
{
    struct cel__buf block = {0};
    size_t n = 0;

    while (strchr(unit, '%') == NULL && block.len < 4096)
        add_unit(&block, unit, 0);
    while (block.len != 0 && out->len + block.len < bytes)
        cel__buf_add_str(out, cel__buf_str(&block));
    while (out->len < bytes)
        add_unit(out, unit, n++);
    cel__buf_fini(&block);
}

static void make_page(const struct family *f, size_t bytes, struct cel__buf *out)
{
    cel__buf_add_text(out, f->before);
    add_units(out, f->unit, f->then != NULL ? bytes / 2 : bytes);
    if (f->then != NULL)
        add_units(out, f->then, bytes);
    assert_false(out->failed);
}

struct work {
    uint64_t steps; /* to parse */
    size_t held;    /* bytes, at most */
    const char *cut;
};

static struct work work_of_page(const void *bytes, size_t len,
                                const struct cel_html_options *options)
{
    struct work work;
    struct cel_html *doc;

    cel_set_allocator(&counting);
    held = held_most = 0;
    work.steps = steps;
    assert_int_equal(cel_html_parse(&doc, bytes, len, options), 0);
    work.steps = steps - work.steps;
    work.held = held_most;
    work.cut = cel_html_truncated(doc);
    cel_html_free(doc);
    assert_int_equal(held, 0);
    cel_set_allocator(NULL);
    return work;
}

/* With room for a node for each byte: a limit would only make it cheaper. */
static struct work work_of(const struct family *f, size_t bytes)
{
    struct cel_html_options options = {.max_depth = 512, .max_nodes = (uint32_t)bytes + 1000};
    struct cel__buf page = {0};
    struct work work;

    make_page(f, bytes, &page);
    work = work_of_page(page.ptr, page.len, &options);
    cel__buf_fini(&page);
    return work;
}

static bool holds_too_much(const struct work *small, const struct work *large, size_t bytes)
{
    return (large->held > RATIO_MAX * small->held && large->held > HELD_LITTLE * bytes) ||
           large->held > HELD_MAX * bytes + HELD_ALWAYS;
}

static void check_family(const struct family *f, size_t bytes)
{
    struct work small = work_of(f, bytes), large = work_of(f, 10 * bytes);

    /* Something was counted at all. */
    assert_true(small.steps > bytes / 64 && small.held > 1000);
    if (large.steps > RATIO_MAX * small.steps || large.steps > PER_BYTE_MAX * 10 * bytes ||
        holds_too_much(&small, &large, 10 * bytes))
        fail_msg("%s: %.1f steps a byte, then %.1f, holding %zu, then %zu (cut: %s)", f->name,
                 (double)small.steps / (double)bytes, (double)large.steps / (double)bytes / 10,
                 small.held, large.held, large.cut != NULL ? large.cut : "none");
}

static void linear_family_costs_what_its_bytes_cost(void **state)
{
    const struct family *f = *state;

    check_family(f, SMALL_BYTES * (f->times != 0 ? f->times : 1));
}

static void linear_family_of_megabytes_costs_what_its_bytes_cost(void **state)
{
    check_family(*state, LARGE_BYTES);
}

static int print_table(size_t bytes)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        struct work small = work_of(&families[i], bytes), large = work_of(&families[i], 10 * bytes);

        printf("%-28s %8.2f %8.2f steps a byte %6.2f times, %7.2f %7.2f held a byte %s\n",
               families[i].name, (double)small.steps / (double)bytes,
               (double)large.steps / (double)bytes / 10, (double)large.steps / (double)small.steps,
               (double)small.held / (double)bytes, (double)large.held / (double)bytes / 10,
               large.cut != NULL ? large.cut : "");
        fflush(stdout);
    }
    return 0;
}

/* One text as long as the test says, in portions that are given again and again. */
static struct work work_of_text(size_t bytes, size_t limit)
{
    static char portion[65536];
    struct cel__parse_options options = {.limits = {.bytes = limit}};
    struct work work = {0};
    struct cel__parser *p;
    struct cel__tree tree;
    enum cel__cut cut;

    memset(portion, 'x', sizeof portion);
    cel_set_allocator(&counting);
    held = held_most = 0;
    work.steps = steps;
    assert_int_equal(cel__parser_new(&p, &options), 0);
    for (size_t n; bytes != 0; bytes -= n) {
        n = bytes < sizeof portion ? bytes : sizeof portion;
        assert_int_equal(cel__parser_feed(p, portion, n), 0);
    }
    assert_int_equal(cel__parser_end(p, &tree, &cut), 0);
    work.steps = steps - work.steps;
    work.held = held_most;
    work.cut = cut == CEL__CUT_MEMORY ? "memory" : NULL;
    cel__parser_free(p);
    cel__tree_fini(&tree);
    assert_int_equal(held, 0);
    cel_set_allocator(NULL);
    return work;
}

static void text_of_100_megabytes_costs_what_its_bytes_cost(void **state)
{
    struct work small = work_of_text(TEXT_BYTES / 10, 2 * TEXT_BYTES);
    struct work large = work_of_text(TEXT_BYTES, 2 * TEXT_BYTES);

    assert_null(large.cut);
    assert_in_range(large.steps, TEXT_BYTES / 64, RATIO_MAX * small.steps);
    assert_in_range(large.held, TEXT_BYTES, 4ul * TEXT_BYTES);
}

static void text_of_100_megabytes_is_left_out_beyond_the_limit(void **state)
{
    struct work work = work_of_text(TEXT_BYTES, 1000000);

    assert_string_equal(work.cut, "memory");
    assert_in_range(work.held, 0, 4000000);
}

/* By the limits that hold when nobody says otherwise. */
static void page_of_100_megabytes_is_cut_to_16(void **state)
{
    static const struct cel_html_options usual;
    char *page = malloc(TEXT_BYTES);
    struct work work;

    assert_non_null(page);
    memset(page, 'x', TEXT_BYTES);
    work = work_of_page(page, TEXT_BYTES, &usual);
    free(page);
    assert_string_equal(work.cut, "size");
    assert_in_range(work.held, 16u << 20, 8u * (16u << 20));
}

static const struct CMUnitTest texts[] = {
    cmocka_unit_test(text_of_100_megabytes_costs_what_its_bytes_cost),
    cmocka_unit_test(text_of_100_megabytes_is_left_out_beyond_the_limit),
    cmocka_unit_test(page_of_100_megabytes_is_cut_to_16),
};

static int run_small(void)
{
    struct CMUnitTest tests[FAMILIES] = {0};

    for (size_t i = 0; i < FAMILIES; i++)
        tests[i] = (struct CMUnitTest){.name = families[i].name,
                                       .test_func = linear_family_costs_what_its_bytes_cost,
                                       .initial_state = (void *)&families[i]};
    return _cmocka_run_group_tests("linear", tests, FAMILIES, NULL, NULL);
}

static int run_large(void)
{
    struct CMUnitTest tests[FAMILIES + sizeof texts / sizeof *texts] = {0};
    size_t used = sizeof texts / sizeof *texts;

    memcpy(tests, texts, sizeof texts);
    for (size_t i = 0; i < FAMILIES; i++)
        if (families[i].is_large)
            tests[used++] = (struct CMUnitTest){
                .name = families[i].name,
                .test_func = linear_family_of_megabytes_costs_what_its_bytes_cost,
                .initial_state = (void *)&families[i]};
    return _cmocka_run_group_tests("linear large", tests, used, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return run_small();
    return strcmp(argv[1], "large") == 0 ? run_large() : print_table(strtoul(argv[1], NULL, 10));
}
