/* SPDX-License-Identifier: MIT */
/* Pages through our parser: html_pages tokenizer|tree|scan|select MILLISECONDS FILE...
 *
 * tokenizer: tokens, each looked at; tree: bytes to a document; scan: the article's four fields
 * while parsing; select: the same fields through the tree. Nothing is kept between two pages. */
#include "load/html_pages.h"

#include <malloc.h>

#include <celadon/html.h>

#include "html/tokenizer.h"

static struct cel_fields *fields;
static size_t seen; /* tokens, nodes or values */

/* ---- the heap, by hooks: what one page needs at its most ---- */

static size_t held, most, kept, kept_sum; /* kept: by a finished document */

static void *note(void *block)
{
    held += block != NULL ? malloc_usable_size(block) : 0;
    most = held > most ? held : most;
    return block;
}

static void *count_alloc(size_t size, void *arg)
{
    (void)arg;
    return note(malloc(size));
}

static void *count_realloc(void *block, size_t size, void *arg)
{
    size_t before = block != NULL ? malloc_usable_size(block) : 0;
    void *grown = realloc(block, size);

    (void)arg;
    if (grown == NULL)
        return NULL;
    held -= before;
    return note(grown);
}

static void count_free(void *block, void *arg)
{
    (void)arg;
    held -= block != NULL ? malloc_usable_size(block) : 0;
    free(block);
}

/* ---- the ways ---- */

static void take_tree(const struct html_page *page)
{
    struct cel_html *doc;

    html_check(cel_html_parse(&doc, page->bytes, page->len, NULL) == 0, "no tree");
    html_check(cel_html_truncated(doc) == NULL, "the page was cut");
    seen += cel_node_first(cel_html_root(doc)).at;
    kept = held;
    cel_html_free(doc);
}

static int count_token(void *arg, const struct cel__token *token)
{
    *(size_t *)arg += token->kind != CEL__TOKEN_EOF;
    return 0;
}

static void take_tokens(const struct html_page *page)
{
    struct cel__names names;
    struct cel__tokenizer *t;
    struct cel__tokenizer_options options = {.sink = count_token, .arg = &seen, .names = &names};

    cel__names_init(&names);
    html_check(cel__tokenizer_new(&t, &options) == 0, "no tokenizer");
    html_check(cel__tokenizer_feed(t, page->bytes, page->len) == 0, "no tokens");
    html_check(cel__tokenizer_end(t) == 0, "no end");
    cel__tokenizer_free(t);
    cel__names_fini(&names);
}

static void take_fields(const struct html_page *page, bool whole_tree)
{
    struct cel_html_options options = {.whole_tree = whole_tree};
    struct cel_item *item;
    const char *cut;

    html_check(cel_fields_scan(fields, page->bytes, page->len, &options, &item, &cut) == 0,
               "no fields");
    html_check(cut == NULL, "the page was cut");
    seen += cel_item_count(item);
    cel_item_free(item);
}

static void scan(const struct html_page *page)
{
    take_fields(page, false);
}

static void select_fields(const struct html_page *page)
{
    take_fields(page, true);
}

static long heap_of_all(html_parse_fn *parse)
{
    const struct cel_allocator counting = {count_alloc, count_realloc, count_free, NULL};
    size_t sum = 0;

    cel_set_allocator(&counting);
    for (size_t i = 0; i < html_page_count; i++) {
        most = held = kept = 0;
        parse(&html_pages[i]);
        html_check(held == 0, "memory was kept");
        sum += most;
        kept_sum += kept;
    }
    cel_set_allocator(NULL);
    return (long)sum;
}

static html_parse_fn *mode(const char *name)
{
    static const struct {
        const char *name;
        html_parse_fn *parse;
    } all[] = {
        {"tokenizer", take_tokens}, {"tree", take_tree}, {"scan", scan}, {"select", select_fields}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].parse;
    html_check(0, "modes: tokenizer tree scan select");
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct cel_field post[] = {
        {"title", ".post-title"},
        {"content", ".post-content > p", .join = "\n"},
        {"author", ".author-name"},
        {"date", ".post-date", .attr = "datetime"},
        {0},
    };
    html_parse_fn *parse;
    long heap;
    int r;

    html_open(argc, argv);
    parse = mode(argv[1]);
    if (parse == scan || parse == select_fields) {
        html_check(cel_fields_new(&fields, post, NULL) == 0, "no fields");
        r = html_measure(argv, parse, -1, -1);
        cel_fields_free(fields);
        return r;
    }
    heap = heap_of_all(parse);
    malloc_trim(0);
    r = html_measure(argv, parse, heap, (long)kept_sum);
    html_check(seen != 0, "nothing was seen");
    return r;
}
