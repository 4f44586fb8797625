/* SPDX-License-Identifier: MIT */
/* What a page needs of the heap while it is parsed, at its most, in bytes a byte of the page.
 *
 * All that is asked for is counted, at the one door to the heap; while a block grows, the old one
 * and the new one both count, as where growing means copying. `test_html_memory FILE...` prints the
 * figure of each page, and of all. */
#include "support/check.h"
#include "support/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cc.h"
#include "base/str.h"
#include "celadon/html.h"
#include "html/parse.h"

#define PAGE_BYTES 20480

/* ---- the heap ---- */

struct block {
    size_t size;
    size_t pad; /* keeps what follows aligned */
    char bytes[];
};

static size_t live_bytes, most_bytes;

static void hold(size_t size)
{
    live_bytes += size;
    most_bytes = cel__max(most_bytes, live_bytes);
}

static void *count_alloc(size_t size, void *arg)
{
    struct block *b = malloc(sizeof *b + size);

    if (b == NULL)
        return NULL;
    b->size = size;
    hold(size);
    return b->bytes;
}

static void count_free(void *bytes, void *arg)
{
    struct block *b = (struct block *)((char *)bytes - sizeof *b);

    live_bytes -= b->size;
    free(b);
}

static void *count_realloc(void *bytes, size_t size, void *arg)
{
    struct block *b = bytes != NULL ? (struct block *)((char *)bytes - sizeof *b) : NULL;
    void *grown;

    if (b != NULL && size <= b->size) { /* every allocator does that in place */
        live_bytes -= b->size - size;
        b->size = size;
        return bytes;
    }
    grown = count_alloc(size, arg);
    if (grown != NULL && b != NULL) {
        memcpy(grown, bytes, b->size);
        count_free(bytes, arg);
    }
    return grown;
}

static void begin_count(void)
{
    static const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};

    cel_set_allocator(&counting);
    live_bytes = most_bytes = 0;
}

/* ---- made-up pages ---- */

static const char *const words[] = {"loop",    "fiber",  "task",    "future", "socket", "page",
                                    "reader",  "writer", "a",       "of",     "to",     "quiet",
                                    "between", "never",  "request", "answer", "&amp;",  "süß"};

static unsigned draw(unsigned *state, unsigned below)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % below;
}

static void add_words(struct cel__buf *out, unsigned *state, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        cel__buf_add_text(out, words[draw(state, cel__countof(words))]);
        cel__buf_add_char(out, ' ');
    }
}

static void add_article(struct cel__buf *out, unsigned *state)
{
    cel__buf_add_text(out, "      <p>");
    add_words(out, state, 12);
    cel__buf_printf(out, "<a href=\"/tags/%u?from=post&amp;n=1\" rel=\"tag\">", draw(state, 99));
    add_words(out, state, 1);
    cel__buf_add_text(out, "</a> ");
    add_words(out, state, 20);
    cel__buf_add_text(out, "<em>so</em>.</p>\n");
}

static void add_reference(struct cel__buf *out, unsigned *state)
{
    unsigned n = draw(state, 1000);

    cel__buf_printf(out,
                    "<dt class=\"sig sig-object\" id=\"mod.name%u\">\n<span class=\"sig-prename "
                    "descclassname\"><span class=\"pre\">mod.</span></span><em class=\"sig-param\">"
                    "<span class=\"n\"><span class=\"pre\">x</span></span></em><a "
                    "class=\"headerlink\" href=\"#mod.name%u\">¶</a></dt>\n<dd><p>",
                    n, n);
    add_words(out, state, 15);
    cel__buf_add_text(out, "<code class=\"xref\"><span class=\"pre\">None</span></code></p></dd>");
}

static void add_table(struct cel__buf *out, unsigned *state)
{
    cel__buf_add_text(out, "<table class=\"plain\"><tbody>\n");
    for (int row = 0; row < 5; row++) {
        cel__buf_add_text(out, "<tr>");
        for (int cell = 0; cell < 4; cell++) {
            cel__buf_add_text(out, "<td align=\"right\">");
            add_words(out, state, 3);
            cel__buf_add_text(out, "</td>");
        }
        cel__buf_add_text(out, "</tr>\n");
    }
    cel__buf_add_text(out, "</tbody></table>\n");
}

static void add_old(struct cel__buf *out, unsigned *state)
{
    cel__buf_printf(out, "<LI><A HREF=page%u.html><FONT COLOR=red>", draw(state, 999));
    add_words(out, state, 4);
    cel__buf_add_text(out, "</FONT></A><BR>\n");
    add_words(out, state, 9);
}

static void add_script(struct cel__buf *out, unsigned *state)
{
    cel__buf_printf(out,
                    "<script>window.push({ id: %u, name: 'slot', at: 1 }); // <b>%u</b>\n</script>"
                    "<!-- %u --><p>",
                    draw(state, 999), draw(state, 99), draw(state, 9));
    add_words(out, state, 9);
}

typedef void add_fn(struct cel__buf *out, unsigned *state);

static const struct {
    const char *name;
    add_fn *add;
} kinds[] = {{"article", add_article},
             {"reference", add_reference},
             {"table", add_table},
             {"old", add_old},
             {"script", add_script}};

/* As what is read and written by people mostly is. */
static bool is_usual(const char *kind)
{
    return strcmp(kind, "article") == 0 || strcmp(kind, "reference") == 0;
}

static void make_page(struct cel__buf *out, add_fn *add, size_t bytes)
{
    unsigned state = 1;

    cel__buf_clear(out);
    cel__buf_add_text(out, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>t</title>\n"
                           "<style>\n.c { margin: 0 }\n</style></head><body class=\"single\">\n");
    while (out->len < bytes)
        add(out, &state);
    cel__buf_add_text(out, "</body></html>\n");
    assert_false(out->failed);
}

/* ---- what they need ---- */

struct need {
    size_t most;
    size_t kept; /* by the finished tree */
};

/* By the public door. */
static struct need need_of_page(struct cel_str page, const struct cel_html_options *options)
{
    struct cel_html *doc;
    struct need need;

    begin_count();
    assert_int_equal(cel_html_parse(&doc, page.ptr, page.len, options), 0);
    assert_null(cel_html_truncated(doc));
    need = (struct need){most_bytes, live_bytes};
    cel_html_free(doc);
    assert_int_equal(live_bytes, 0);
    cel_set_allocator(NULL);
    return need;
}

/* In portions; `preview` is what is known of the page before. */
static struct need need_of_portions(struct cel_str page, struct cel_str preview, size_t portion)
{
    struct cel__parser *p;
    struct cel__tree tree;
    struct need need;

    begin_count();
    assert_int_equal(cel__parser_new(&p, &(struct cel__parse_options){.preview = preview}), 0);
    for (size_t at = 0; at < page.len; at += portion)
        assert_int_equal(cel__parser_feed(p, page.ptr + at, cel__min(portion, page.len - at)), 0);
    assert_int_equal(cel__parser_end(p, &tree, NULL), 0);
    cel__parser_free(p);
    need = (struct need){most_bytes, live_bytes};
    cel__tree_fini(&tree);
    assert_int_equal(live_bytes, 0);
    cel_set_allocator(NULL);
    return need;
}

/* As a share of the page's bytes, in hundredths. */
static void expect_at_most(const char *what, size_t bytes, struct cel_str page, size_t hundredths)
{
    if (bytes * 100 > hundredths * page.len)
        fail_msg("%s: %zu bytes for a page of %zu, more than %zu.%02zu times that", what, bytes,
                 page.len, hundredths / 100, hundredths % 100);
}

/* Kinds that are denser than usual pages keep more than usual pages do; what is held on the way is
 * always in proportion to that. */
static void expect_little_more_than_kept(const char *what, struct need need, struct cel_str page)
{
    expect_at_most(what, need.most - need.kept, page, is_usual(what) ? 90 : 160);
    assert_true(need.kept > page.len); /* it was a tree */
}

static void on_kinds(size_t bytes, void (*expect)(const char *kind, struct cel_str page))
{
    struct cel__buf made = {0};

    for (size_t i = 0; i < cel__countof(kinds); i++) {
        make_page(&made, kinds[i].add, bytes);
        expect(kinds[i].name, cel__buf_str(&made));
    }
    cel__buf_fini(&made);
}

static void expect_usual(const char *kind, struct cel_str page)
{
    struct need need = need_of_page(page, NULL);

    if (is_usual(kind))
        expect_at_most(kind, need.most, page, 300);
    expect_little_more_than_kept(kind, need, page);
}

static void page_needs_three_times_its_bytes_at_most(void **state)
{
    on_kinds(PAGE_BYTES, expect_usual);
    on_kinds(40 * PAGE_BYTES, expect_usual);
}

static void expect_usual_in_portions(const char *kind, struct cel_str page)
{
    static const size_t portions[] = {100, 1460, 16384};

    for (size_t i = 0; i < cel__countof(portions); i++) {
        struct need need = need_of_portions(page, page, portions[i]);

        if (is_usual(kind))
            expect_at_most(kind, need.most, page, 300);
        expect_little_more_than_kept(kind, need, page);
    }
}

static void page_in_portions_needs_little_more(void **state)
{
    on_kinds(PAGE_BYTES, expect_usual_in_portions);
}

/* Without a preview arrays grow by copying as the page comes. */
static void expect_growth(const char *kind, struct cel_str page)
{
    struct need need = need_of_portions(page, (struct cel_str){"", 0}, 1460);

    if (is_usual(kind))
        expect_at_most(kind, need.most, page, 410);
    assert_true(need.most < 2 * need.kept);
}

static void page_of_which_nothing_is_known_needs_less_than_twice_its_tree(void **state)
{
    on_kinds(PAGE_BYTES, expect_growth);
    on_kinds(40 * PAGE_BYTES, expect_growth);
}

/* What is not UTF-8 is not there a second time as such. */
static void expect_decoded(const char *kind, struct cel_str page)
{
    struct need utf8 = need_of_page(page, NULL);
    struct need other = need_of_page(page, &(struct cel_html_options){.charset = "windows-1252"});

    /* Each byte that is no ASCII makes two, which is the page's doing. */
    assert_true(other.most - other.kept < utf8.most - utf8.kept + page.len * 3 / 4);
}

static void page_of_another_encoding_is_decoded_in_portions(void **state)
{
    on_kinds(PAGE_BYTES, expect_decoded);
    on_kinds(40 * PAGE_BYTES, expect_decoded);
}

static int ignore_pause_count;

static void pause_nothing(void *arg)
{
    ++ignore_pause_count;
}

static void page_with_pauses_needs_the_same(void **state)
{
    struct cel_html_options pausing = {.pause = pause_nothing};
    struct cel__buf made = {0};

    make_page(&made, add_article, 40 * PAGE_BYTES);
    assert_true(need_of_page(cel__buf_str(&made), &pausing).most <
                need_of_page(cel__buf_str(&made), NULL).most + 8192);
    assert_true(ignore_pause_count > 5);
    cel__buf_fini(&made);
}

/* As deep as may be: the stacks grow. */
static int parse_deep(void *arg)
{
    const char *open = arg;
    struct cel__buf page = {0};
    struct cel_html *doc;
    int r;

    for (int i = 0; i < 600; i++)
        cel__buf_add_text(&page, open);
    r = page.failed ? -ENOMEM : cel_html_parse(&doc, page.ptr, page.len, NULL);
    cel__buf_fini(&page);
    if (r == 0)
        cel_html_free(doc);
    return r;
}

static void stacks_that_grow_survive_want_of_memory(void **state)
{
    assert_true(fault_every_alloc(parse_deep, (void *)(uintptr_t) "<div>") > 20);
    assert_true(fault_every_alloc(parse_deep, (void *)(uintptr_t) "<object><b><i>") > 20);
    assert_true(fault_every_alloc(parse_deep, (void *)(uintptr_t) "<p><b><i><div></b>") > 20);
}

static int print_pages(int count, char **paths)
{
    size_t all = 0, sum = 0;

    for (int i = 0; i < count; i++) {
        FILE *f = fopen(paths[i], "rb");
        struct cel__buf page = {0};
        size_t most;
        int c;

        assert_non_null(f);
        while ((c = getc(f)) != EOF)
            cel__buf_add_char(&page, (char)c);
        fclose(f);
        most = need_of_page(cel__buf_str(&page), NULL).most;
        printf("%6.2f %9zu %s\n", (double)most / (double)page.len, page.len, paths[i]);
        all += page.len;
        sum += most;
        cel__buf_fini(&page);
    }
    printf("%6.2f of all\n", (double)sum / (double)all);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_needs_three_times_its_bytes_at_most),
        cmocka_unit_test(page_in_portions_needs_little_more),
        cmocka_unit_test(page_of_which_nothing_is_known_needs_less_than_twice_its_tree),
        cmocka_unit_test(page_of_another_encoding_is_decoded_in_portions),
        cmocka_unit_test(page_with_pauses_needs_the_same),
        cmocka_unit_test(stacks_that_grow_survive_want_of_memory),
    };

    if (argc > 1)
        return print_pages(argc - 1, argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
